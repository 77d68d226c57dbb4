//! How far the reference itself is known: once for all layers, and in full for those in doubt.

use bittrue_record::{AuditClass, Comparison, Layer, Report};

use super::format::{clean, count, thousands, wrap};
use super::paint::{Paint, Tone};

/// For each reference of the report, in how many of its layers it is known how well.
///
/// The targets may form different layers, so each layer counts once, whoever is compared with it.
pub(crate) fn summaries(report: &Report) -> Vec<String> {
    // Of no events, that nothing was in doubt says nothing.
    let comparisons = if report.events.count == 0 { &[][..] } else { &report.comparisons };
    let mut references: Vec<(&str, Vec<(&str, AuditClass)>)> = Vec::new();
    for c in comparisons {
        let known = references.iter().position(|(reference, _)| *reference == c.reference);
        let at = known.unwrap_or(references.len());
        if known.is_none() {
            references.push((&c.reference, Vec::new()));
        }
        let layers = &mut references[at].1;
        for layer in &c.layers {
            let class = layer.reference.class;
            match layers.iter_mut().find(|(name, _)| *name == layer.name) {
                Some((_, other)) => *other = class.max(*other),
                None => layers.push((&layer.name, class)),
            }
        }
    }
    let told = references.iter().filter(|(_, layers)| !layers.is_empty());
    told.map(|(reference, layers)| summary(reference, layers)).collect()
}

/// `qkeras is exact by proof in 7 of 8 layers, exact on these events in 1`.
fn summary(reference: &str, layers: &[(&str, AuditClass)]) -> String {
    let parts = [
        (AuditClass::Exact, "exact by proof"),
        (AuditClass::ExactOnTheseEvents, "exact on these events"),
        (AuditClass::OrderDependent, "order-dependent"),
        (AuditClass::FunctionInexact, "function-inexact"),
    ];
    let parts = parts.map(|(class, words)| (layers.iter().filter(|l| l.1 == class).count(), words));
    let mut text = format!("{reference} is");
    for (n, words) in parts.into_iter().filter(|(n, _)| *n > 0) {
        let first = text.ends_with("is");
        text += &match first {
            true if n == 1 && layers.len() == 1 => format!(" {words} in its only layer"),
            true if n == 2 && layers.len() == 2 => format!(" {words} in both layers"),
            true if n == layers.len() => format!(" {words} in all {n} layers"),
            true => format!(" {words} in {n} of {} layers", layers.len()),
            false => format!(", {words} in {n}"),
        };
    }
    text
}

/// A line for each layer in which the reference is not one number.
pub(super) fn layers(c: &Comparison, paint: Paint, width: usize) -> Vec<String> {
    let texts = c.layers.iter().filter_map(doubt);
    let lines = texts.flat_map(|text| wrap("  reference: ", &text, width));
    lines.map(|line| paint.apply(Tone::Caution, &line)).collect()
}

/// In how many elements a layer is in doubt, and why; `None` for a layer that is not.
pub(crate) fn doubt(layer: &Layer) -> Option<String> {
    let (ordered, banded) = (layer.reference.order_dependent, layer.reference.function_inexact);
    let reasons = [
        (ordered, "order-dependent", "float32 sums whose order matters"),
        (banded, "function-inexact", "functions known only within a band"),
    ];
    let mut text = String::new();
    for (n, words, why) in reasons.into_iter().filter(|(n, ..)| *n > 0) {
        text += &match text.is_empty() {
            true => {
                let name = clean(&layer.name);
                let of = count(layer.elements, "element");
                format!("{name} is {words} in {} of {of} ({why})", thousands(n))
            }
            false => format!(", {words} in {} ({why})", thousands(n)),
        };
    }
    (!text.is_empty()).then_some(text)
}
