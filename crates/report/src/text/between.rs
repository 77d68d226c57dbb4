//! All legs against each other: in how many events each two of them differ, and where first.

use bittrue_record::{Comparison, Report};

use super::conclusion::size;
use super::format::{clean, columns, count, left, right, thousands, wrap};
use super::paint::{Paint, Tone};

/// Blanks between two columns.
const GAP: usize = 2;

/// A table of events for each two legs, and a line for each two targets that differ. Nothing with a
/// single target.
pub(super) fn between(report: &Report, paint: Paint, width: usize) -> Vec<String> {
    let legs = legs(report);
    if report.between_targets.is_empty() || legs.is_empty() {
        return Vec::new();
    }
    let number = |n: usize| format!("{}", n + 1);
    let mut rows: Vec<Vec<String>> = Vec::new();
    for earlier in &legs[..legs.len() - 1] {
        let cell = |later: &&str| match differing(report, earlier, later) {
            Some(events) => thousands(events),
            None => String::new(),
        };
        rows.push(legs[1..].iter().map(cell).collect());
    }
    let widest = rows.iter().flatten().map(|cell| columns(cell)).max().unwrap_or(0);
    let cells = widest.max(columns(&number(legs.len() - 1)));
    let name = |n: usize| format!("{} {}", number(n), clean(legs[n]));
    let names = (0..legs.len()).map(|n| columns(&name(n))).max().unwrap_or(0);
    let line = |head: String, cells_of: Vec<String>| {
        let cells_of = cells_of.iter().map(|cell| " ".repeat(GAP) + &right(cell, cells));
        format!("  {}{}", left(&head, names), cells_of.collect::<String>())
    };
    let mut lines = vec![paint.apply(Tone::Strong, "events that differ, each leg against each:")];
    let title = line(String::new(), (1..legs.len()).map(number).collect());
    lines.push(paint.apply(Tone::Quiet, title.trim_end()));
    lines.extend(rows.into_iter().enumerate().map(|(n, row)| line(name(n), row)));
    lines.push(format!("  {}", name(legs.len() - 1)));
    for c in report.between_targets.iter().filter(|c| c.first_layer.is_some()) {
        lines.extend(wrap("  ", &sentence(c), width));
    }
    lines
}

/// The reference, then the targets.
pub(crate) fn legs(report: &Report) -> Vec<&str> {
    let reference = report.comparisons.iter().map(|c| c.reference.as_str()).take(1);
    reference.chain(report.comparisons.iter().map(|c| c.target.as_str())).collect()
}

/// Events in which two legs differ; `None` where they were not compared.
pub(crate) fn differing(report: &Report, reference: &str, target: &str) -> Option<u64> {
    let mut all = report.comparisons.iter().chain(&report.between_targets);
    all.find(|c| c.reference == reference && c.target == target).map(|c| c.events_differing)
}

/// Where two targets part.
pub(crate) fn sentence(c: &Comparison) -> String {
    let first = c.first().map(|layer| {
        let elements = count(layer.mismatches, "element");
        format!("first in layer {} ({elements}{})", clean(&layer.name), size(layer))
    });
    let first = first.unwrap_or_default();
    format!("{} against {}: {first}", clean(&c.target), clean(&c.reference))
}
