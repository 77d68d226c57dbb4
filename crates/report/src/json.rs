//! The report as JSON.

use bittrue_record::{Explanation, Report};

/// The report as JSON in the format of `schema/report-v1.schema.json`: indented, fields in the
/// published order, ending in a newline. The same report always gives the same bytes, and every
/// number is read back with the same bits.
pub fn json(report: &Report) -> String {
    // serde_json can fail on a map whose keys are no strings, and on a writer; a report has neither.
    let text = serde_json::to_string_pretty(report);
    let mut text = text.expect("a report has string keys only");
    text.push('\n');
    text
}

/// The explanation of an event as JSON, in the layout of [`json()`]; `docs/explain.md` has its
/// fields.
pub fn explanation_json(explanation: &Explanation) -> String {
    let text = serde_json::to_string_pretty(explanation);
    let mut text = text.expect("an explanation has string keys only");
    text.push('\n');
    text
}
