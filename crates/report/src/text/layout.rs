//! The parts of the text report in their order.

use bittrue_record::Report;

use super::audit;
use super::between::between;
use super::conclusion::conclusion;
use super::header::header;
use super::paint::{Paint, Tone};
use super::table::comparison;

/// How the text report looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextOptions {
    /// Whether to use ANSI colours. The text says the same without them.
    pub color: bool,
    /// Columns to fill. Names, types, numbers and commands are never broken: a line with a long
    /// one may exceed this.
    pub width: usize,
}

impl Default for TextOptions {
    /// No colour, 100 columns.
    fn default() -> Self {
        Self { color: false, width: 100 }
    }
}

/// The report for people: the model and events, one table per comparison with one row per aligned
/// layer, of several targets each against each, and what to conclude. Ends in a newline.
///
/// In a table, `>` marks the first guilty layer, `!` the others that differ; layers without a
/// mismatch say `ok`.
pub fn text(report: &Report, options: &TextOptions) -> String {
    let paint = Paint { color: options.color };
    let width = options.width;
    let mut lines = header(report, paint, width);
    for c in &report.comparisons {
        lines.push(String::new());
        lines.extend(comparison(report, c, paint, width));
        lines.extend(audit::layers(c, paint, width));
    }
    if report.comparisons.iter().any(|c| c.first_layer.is_some()) {
        lines.push(String::new());
        let told_apart = report.comparisons.iter().flat_map(|c| &c.layers);
        let legend = if told_apart.into_iter().any(|layer| layer.own_mismatches.is_some()) {
            "own: elements that differ when the layer is fed the reference's input; inherited: \
             differences that come from its input. "
        } else {
            ""
        };
        let legend = format!(
            "{legend}max diff: in LSB of the type where there is one. first: event:element of the \
             first difference, both from 0."
        );
        let legend = super::format::wrap("", &legend, width);
        lines.extend(legend.iter().map(|line| paint.apply(Tone::Quiet, line)));
    }
    let between = between(report, paint, width);
    if !between.is_empty() {
        lines.push(String::new());
        lines.extend(between);
    }
    lines.push(String::new());
    lines.extend(conclusion(report, paint, width));
    finish(lines)
}

/// Lines as one text, without blanks at their ends.
pub(super) fn finish(lines: Vec<String>) -> String {
    let mut text = String::new();
    for line in lines {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
