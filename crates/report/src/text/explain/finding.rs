//! What to take from it, in a sentence for each target.

use bittrue_record::{
    ExplainedElement, ExplainedLayer, ExplainedTensor, ExplainedValue, Explanation, OverflowAction,
    RoundedTo,
};

use super::element::{beyond, number};
use crate::text::format::{clean, thousands};

/// What one target does with the event.
pub(super) fn of_target(e: &Explanation, target: &str) -> String {
    let reference = e.legs.first().map_or("", String::as_str);
    let (name, reference) = (clean(target), clean(reference));
    let layers: Vec<(&ExplainedLayer, &ExplainedTensor)> = e
        .layers
        .iter()
        .filter_map(|l| Some((l, l.legs.iter().find(|t| t.leg == target)?)))
        .collect();
    let sum = |f: fn(&ExplainedTensor) -> Option<u64>| -> u64 {
        layers.iter().map(|(_, t)| f(t).unwrap_or(0)).sum()
    };
    let (differ, own, ambiguous) =
        (sum(|t| t.mismatches), sum(|t| t.own_mismatches), sum(|t| t.ambiguous));
    let scope = if e.layers_chosen { "in the layers shown" } else { "in every layer" };
    if differ + own == 0 {
        return match ambiguous {
            0 => format!("{name} gives the bits of {reference} {scope} of this event."),
            n => format!(
                "{name} contradicts {reference} nowhere {scope} of this event, but {} ambiguous: \
                 the real software may give either value.",
                if n == 1 {
                    "1 element is".to_owned()
                } else {
                    format!("{} elements are", thousands(n))
                }
            ),
        };
    }
    let mut text = match layers.iter().find(|(_, t)| t.own_mismatches.unwrap_or(0) > 0) {
        Some((layer, tensor)) => own_text(layer, tensor, &name, &reference),
        None => format!("{name}: no layer differs of its own; what differs was handed down."),
    };
    let heirs: Vec<String> = layers
        .iter()
        .filter(|(_, t)| t.mismatches.unwrap_or(0) > 0 && t.own_mismatches == Some(0))
        .map(|(l, _)| clean(&l.name))
        .collect();
    let also: Vec<String> = layers
        .iter()
        .filter(|(_, t)| t.own_mismatches.unwrap_or(0) > 0)
        .skip(1)
        .map(|(l, _)| clean(&l.name))
        .collect();
    if !also.is_empty() {
        let verb = if also.len() == 1 { "differs of its" } else { "differ of their" };
        text += &format!(" {} {verb} own too.", also.join(", "));
    }
    if !heirs.is_empty() && own > 0 {
        let verb = if heirs.len() == 1 { "inherits" } else { "inherit" };
        text += &format!(" {} {verb} a difference.", heirs.join(", "));
    }
    for (layer, tensor) in layers.iter().filter(|(l, _)| l.is_output) {
        let outcome = match tensor.mismatches.unwrap_or(0) {
            0 => "does not differ".to_owned(),
            n => format!("differs in {} of {}", thousands(n), thousands(tensor.elements)),
        };
        text += &format!(" The output {} {outcome}.", clean(&layer.name));
    }
    text
}

/// The first layer that differs of its own: an element and why, and how many more there are.
fn own_text(
    layer: &ExplainedLayer,
    tensor: &ExplainedTensor,
    target: &str,
    reference: &str,
) -> String {
    let name = clean(&layer.name);
    let own = tensor.own_mismatches.unwrap_or(0);
    let others = |n: u64| match n {
        0 => String::new(),
        1 => format!(" 1 more element of {name} differs of its own."),
        n => format!(" {} more elements of {name} differ of their own.", thousands(n)),
    };
    let found = layer.elements.iter().find_map(|e| {
        let value = e.values.iter().find(|v| v.leg == tensor.leg && v.own.is_some())?;
        Some((e, value))
    });
    let Some((element, value)) = found else {
        let elements = if own == 1 { "element differs" } else { "elements differ" };
        return format!("{target}: {} {elements} in {name} of their own.", thousands(own));
    };
    let why = reason(element, value, reference);
    format!("{target}: {name}[{}]{why}.{}", element.index, others(own.saturating_sub(1)))
}

/// Why an element differs of its own.
fn reason(element: &ExplainedElement, v: &ExplainedValue, reference: &str) -> String {
    let of_reference = element.values.first();
    let expected = of_reference.map_or(f64::NAN, |r| r.value);
    let has = format!("{reference} has {}", number(expected));
    let by_reference = of_reference.and_then(|r| r.cast.as_ref());
    let started_from = by_reference.map_or(expected, |r| r.from);
    // With another input upstream differences mix in, and the layer's own part is something else.
    if let Some(c) = &v.cast
        && c.from == started_from
    {
        let (stops, went) =
            by_reference.map_or((None, RoundedTo::Exact), |r| (r.overflow, r.rounding));
        let from = number(c.from);
        let to = number(v.value);
        match (c.overflow, stops) {
            (Some(o), _) if o != OverflowAction::Saturates || stops.is_none() => {
                let how = match o {
                    OverflowAction::Wraps => format!("wraps to {to}"),
                    OverflowAction::Saturates => format!("saturates at {to}"),
                    OverflowAction::Zero => "becomes 0".to_owned(),
                };
                return format!(" = {from} {}: {how}, where {has}", beyond(c, v));
            }
            (None, None) if c.rounding != went => {
                let tie = if c.tie { " is a tie:" } else { "" };
                let way = match c.rounding {
                    RoundedTo::Exact => "is kept as",
                    RoundedTo::Up => "is rounded up to",
                    RoundedTo::Down => "is rounded down to",
                };
                return format!(" = {from}{tie} {way} {to}, where {has}");
            }
            _ => return format!(" = {from} becomes {to}, where {has}"),
        }
    }
    let own = v.own.unwrap_or(v.value);
    format!(": fed the input of {reference} the layer gives {}, where {has}", number(own))
}
