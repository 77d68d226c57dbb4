//! The report as Markdown, for a comment at a merge request or the summary of a job.
//!
//! Names come from model files, and what is posted in a discussion may link, mention people or hold
//! HTML. So whatever is not ours stands in code, where nothing has a meaning.

use bittrue_record::{Comparison, ExitCode, Layer, Report, Verdict};

use crate::RunFailure;
use crate::text::audit::{doubt, summaries};
use crate::text::between::{differing, legs, sentence};
use crate::text::conclusion::conclusion;
use crate::text::format::{clean, count, thousands};
use crate::text::paint::Paint;
use crate::text::table::{notes, numbers, verdict};

/// Columns of the blocks that are shown as they are.
const WIDTH: usize = 100;

/// Hexadecimal digits of a hash that a person compares.
const HASH_DIGITS: usize = 12;

/// The report as Markdown (GitHub's and GitLab's flavour): the verdict in the title, what was
/// compared, a table for each comparison, and the conclusion. Ends in a newline.
pub fn markdown(report: &Report) -> String {
    let mut text = format!("## verify: {}\n\n", title(report));
    let mut item = |label: &str, words: String| text += &format!("- {label}: {words}\n");
    let model = &report.model;
    let hash = short(&model.sha256);
    item("model", format!("{} ({}, sha256 {hash})", code(&model.path), code(&model.class)));
    if let Some(proxy) = &report.proxy {
        item("proxy", format!("{} (sha256 {})", code(&proxy.path), short(&proxy.sha256)));
    }
    if let Some(config) = &report.hls_config {
        item("hls4ml", format!("{} (sha256 {})", code(&config.path), short(&config.sha256)));
    }
    let events = &report.events;
    let mut words = format!("{}, {} compared", code(&events.path), count(events.count, "event"));
    if events.skipped > 0 {
        words += &format!(", the first {} skipped", thousands(events.skipped));
    }
    if let Some(sha256) = &events.sha256 {
        words += &format!(" (sha256 {})", short(sha256));
    }
    item("events", words);
    for input in &report.input_types {
        item("input type", code(input));
    }
    for assumption in &report.assumptions {
        item("assumed", code(assumption));
    }
    for summary in summaries(report) {
        item("audit", code(&summary));
    }
    let tool = &report.tool;
    let profiles = tool.profiles.join(", ");
    item("made by", code(&format!("{} {} ({profiles})", tool.name, tool.version)));
    for warning in &report.warnings {
        let layer = warning
            .layer
            .iter()
            .map(|layer| format!(", layer {}", code(layer)))
            .collect::<String>();
        item("**warning**", format!("{}{layer}: {}", code(&warning.code), code(&warning.text)));
    }
    for c in &report.comparisons {
        text += &comparison(report, c);
    }
    text += &between(report);
    text += "\n### Conclusion\n\n";
    let lines = conclusion(report, Paint { color: false }, WIDTH);
    text += &fenced(&lines.join("\n"));
    text
}

/// A run that ended without a report, as Markdown.
pub fn markdown_failure(failure: &RunFailure<'_>) -> String {
    let code = failure.code.code();
    let lines: Vec<String> = failure.lines().iter().map(|line| clean(line)).collect();
    format!("## verify: FAILED (exit code {code})\n\n{}", fenced(&lines.join("\n")))
}

/// The verdict of the run.
fn title(report: &Report) -> String {
    let all = report.comparisons.len();
    let of = |verdict| report.comparisons.iter().filter(|c| c.verdict == verdict).count();
    match (report.exit_code(), of(Verdict::Mismatch), of(Verdict::WithinTolerance)) {
        (ExitCode::Interrupted, mismatches, _) if mismatches > 0 => "PARTIAL, MISMATCH".to_owned(),
        (ExitCode::Interrupted, ..) => "PARTIAL, nothing decided".to_owned(),
        _ if report.events.count == 0 => "NOTHING COMPARED".to_owned(),
        (_, 0, 0) if all > 0 => "BIT-EXACT".to_owned(),
        (_, 0, within) if all > 0 => format!("WITHIN TOLERANCE ({within} of {all} comparisons)"),
        (_, mismatches, _) if all > 1 => format!("MISMATCH ({mismatches} of {all} comparisons)"),
        (_, 1.., _) => "MISMATCH".to_owned(),
        _ => "NOTHING COMPARED".to_owned(),
    }
}

fn comparison(report: &Report, c: &Comparison) -> String {
    let (word, _, extent) = verdict(report, c);
    let legs = format!("{} against {}", code(&c.target), code(&c.reference));
    let mut text = format!("\n### {legs}: {word}\n\n");
    if !extent.is_empty() {
        text += &format!("{}; ", extent.trim_start_matches(", "));
    }
    text += &format!("outputs: {}", codes(&c.outputs));
    if !c.not_formed.is_empty() {
        text += &format!("; not formed by the target: {}", codes(&c.not_formed));
    }
    text += "\n\n";
    let told_apart = c.layers.iter().any(|layer| layer.own_mismatches.is_some());
    let differs = |layer: &Layer| layer.mismatches > 0 || layer.own_mismatches.unwrap_or(0) > 0;
    let mut labels = vec!["", "layer", "class", "type"];
    // Without numbers in any row there is nothing to label.
    let any = c.layers.iter().any(differs);
    if any {
        labels.extend(if told_apart { &["own", "inherited"][..] } else { &["differ"] });
        labels.extend(["events", "max diff", "first"]);
    }
    labels.push("notes");
    text += &format!("| {} |\n", labels.join(" | "));
    let ruler = labels.iter().enumerate().map(|(n, _)| {
        let number = n > 3 && n + 1 < labels.len();
        if number { "---:" } else { "---" }
    });
    text += &format!("| {} |\n", ruler.collect::<Vec<_>>().join(" | "));
    for layer in &c.layers {
        let mark = match (c.first_layer.as_ref() == Some(&layer.name), differs(layer)) {
            (true, _) => "**first**",
            (false, true) => "differs",
            (false, false) if layer.ambiguous > 0 => "ambiguous",
            (false, false) => "ok",
        };
        let result_t = layer.result_t.map(|t| t.to_string());
        let mut cells = vec![mark.to_owned(), cell(&layer.name), cell(&layer.class)];
        cells.push(result_t.map_or_else(|| "-".to_owned(), |t| cell(&t)));
        if any && differs(layer) {
            cells.extend(numbers(report, layer, told_apart));
        } else if any {
            cells.resize(labels.len() - 1, String::new());
        }
        let also = [notes(layer, true), doubt(layer).unwrap_or_default()];
        let also: Vec<String> = also.iter().filter(|n| !n.is_empty()).map(|n| cell(n)).collect();
        cells.push(also.join("; "));
        text += &format!("| {} |\n", cells.join(" | "));
    }
    text
}

/// Events in which each two legs differ, and where targets part.
fn between(report: &Report) -> String {
    let legs = legs(report);
    if report.between_targets.is_empty() || legs.is_empty() {
        return String::new();
    }
    let head: Vec<String> = legs[1..].iter().map(|leg| cell(leg)).collect();
    let mut text = "\n### Events that differ, each leg against each\n\n".to_owned();
    text += &format!("|  | {} |\n| --- |{}\n", head.join(" | "), " ---: |".repeat(head.len()));
    for earlier in &legs[..legs.len() - 1] {
        let events = |later: &&str| differing(report, earlier, later).map(thousands);
        let cells: Vec<String> =
            legs[1..].iter().map(|later| events(later).unwrap_or_default()).collect();
        text += &format!("| {} | {} |\n", cell(earlier), cells.join(" | "));
    }
    let part: Vec<&Comparison> =
        report.between_targets.iter().filter(|c| c.first_layer.is_some()).collect();
    if !part.is_empty() {
        text.push('\n');
    }
    for c in part {
        text += &format!("- {}\n", code(&sentence(c)));
    }
    text
}

/// The start of a hash.
fn short(sha256: &str) -> String {
    let mut start: String = sha256.chars().take(HASH_DIGITS).collect();
    if sha256.chars().nth(HASH_DIGITS).is_some() {
        start.push('…');
    }
    code(&start)
}

fn codes(names: &[String]) -> String {
    names.iter().map(|name| code(name)).collect::<Vec<_>>().join(", ")
}

/// Text of others as a span of code.
fn code(text: &str) -> String {
    let text = clean(text);
    if text.trim().is_empty() {
        // A span of nothing is none.
        return "(empty)".to_owned();
    }
    let fence = "`".repeat(longest_run(&text) + 1);
    // A blank on both sides is taken off again.
    let at_an_end = ['`', ' '];
    let pad = match text.starts_with(at_an_end) || text.ends_with(at_an_end) {
        true => " ",
        false => "",
    };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// The same in a table, where a bar ends the cell even in code.
fn cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

/// Lines as they are.
fn fenced(lines: &str) -> String {
    let fence = "`".repeat(longest_run(lines).max(2) + 1);
    format!("{fence}text\n{lines}\n{fence}\n")
}

/// The most backticks in a row.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}
