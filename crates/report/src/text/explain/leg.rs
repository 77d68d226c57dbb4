//! One line for each leg of a layer.

use bittrue_record::{Actions, Ending, ExplainedLayer, ExplainedTensor};

use crate::text::format::{clean, columns, count, left, thousands, wrap};
use crate::text::paint::{Paint, Tone};

pub(super) fn lines(layer: &ExplainedLayer, paint: Paint, width: usize) -> Vec<String> {
    let types: Vec<String> = layer.legs.iter().map(type_text).collect();
    let of_legs = layer.legs.iter().map(|t| columns(&t.leg)).max().unwrap_or(0);
    let of_types = types.iter().map(|t| columns(t)).max().unwrap_or(0);
    let mut lines = Vec::new();
    for (tensor, type_text) in layer.legs.iter().zip(&types) {
        let first =
            format!("  {}  {}  ", left(&clean(&tensor.leg), of_legs), left(type_text, of_types));
        let text = wrap(&first, &summary(tensor), width);
        let bad = tensor.mismatches.unwrap_or(0) + tensor.own_mismatches.unwrap_or(0) > 0;
        let tone = |line: &String| match bad {
            true => paint.apply(Tone::Bad, line),
            false => line.clone(),
        };
        lines.extend(text.iter().map(tone));
        for inner in &tensor.inner {
            let of = inner.result_t.map_or_else(|| EACH.to_owned(), |t| t.to_string());
            let text = format!(
                "inside, {} {of}: {}",
                clean(&inner.name),
                actions(inner.elements, &inner.actions)
            );
            lines.extend(wrap(&" ".repeat(4 + of_legs), &text, width));
        }
    }
    lines
}

const EACH: &str = "a type for each element";

fn type_text(t: &ExplainedTensor) -> String {
    match (t.result_t, t.formed, t.quantizer) {
        (_, false, _) => "-".to_owned(),
        (Some(result_t), ..) => result_t.to_string(),
        (None, _, Ending::Float32 | Ending::Other) => "float32".to_owned(),
        (None, _, Ending::Cast | Ending::Exact) => EACH.to_owned(),
    }
}

fn summary(t: &ExplainedTensor) -> String {
    if !t.formed {
        return "not formed by this leg".to_owned();
    }
    let mut text = match (&t.same_as, t.quantizer) {
        (Some(layer), _) => format!("the tensor of {}", clean(layer)),
        (None, Ending::Cast) => actions(t.elements, &t.actions),
        (None, Ending::Other) => {
            format!("{}, by a quantizer that is more than a cast", count(t.elements, "element"))
        }
        (None, Ending::Exact) => {
            format!("{}, no quantizer: the type holds every result", count(t.elements, "element"))
        }
        (None, Ending::Float32) => {
            format!("{}, no quantizer", count(t.elements, "element"))
        }
    };
    if t.flagged > 0 {
        text += &format!("; {} flagged", thousands(t.flagged));
    }
    if let Some(n) = t.ambiguous.filter(|&n| n > 0) {
        text += &format!("; {} ambiguous", thousands(n));
    }
    match (t.mismatches.unwrap_or(0), t.own_mismatches.unwrap_or(0)) {
        (0, 0) => {}
        (0, own) => text += &format!("; {} of its own, hidden", thousands(own)),
        (n, own) => {
            let verb = if n == 1 { "differs" } else { "differ" };
            let own = match own {
                0 => "inherited".to_owned(),
                own if own == n => "of its own".to_owned(),
                own => format!("{} of its own", thousands(own)),
            };
            text += &format!("; {} {verb}, {own}", thousands(n));
        }
    }
    text
}

/// What a quantizer did to how many elements.
fn actions(elements: u64, a: &Actions) -> String {
    let mut parts = Vec::new();
    for (n, what) in [(a.rounded, "rounded"), (a.saturated, "saturated"), (a.wrapped, "wrapped")] {
        if n > 0 {
            parts.push(format!("{} {what}", thousands(n)));
        }
    }
    match parts.is_empty() {
        true => format!("{}, none changed", count(elements, "element")),
        false => format!("{}: {}", count(elements, "element"), parts.join(", ")),
    }
}
