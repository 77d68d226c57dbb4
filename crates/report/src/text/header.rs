//! What was compared: program, model, events, and everything that a reader must know first.

use bittrue_record::{EventsInfo, Report};

use super::audit;
use super::format::{clean, count, thousands, wrap};
use super::paint::{Paint, Tone};

/// Hexadecimal digits of a hash that a person compares; the JSON report has all of them.
const HASH_DIGITS: usize = 12;

pub(super) fn header(report: &Report, paint: Paint, width: usize) -> Vec<String> {
    let tool = &report.tool;
    let title = format!("{} {}", clean(&tool.name), clean(&tool.version));
    let profiles = clean(&tool.profiles.join(", "));
    let mut lines = vec![format!("{} ({profiles})", paint.apply(Tone::Strong, &title))];
    if report.partial {
        let text = format!(
            "PARTIAL RUN: stopped after {}. All counts hold for these only.",
            count(report.events.count, "event")
        );
        let text = wrap("", &text, width);
        lines.extend(text.iter().map(|line| paint.apply(Tone::Caution, line)));
    }
    let mut entry = |label: &str, tone: Option<Tone>, text: &str| {
        let wrapped = wrap(&format!("{label:<9}"), &clean(text), width);
        lines.extend(wrapped.iter().map(|line| match tone {
            Some(tone) => paint.apply(tone, line),
            None => line.clone(),
        }));
    };

    let model = &report.model;
    let hash = short_hash(&model.sha256);
    entry("model", None, &format!("{} ({}, sha256 {hash})", model.path, model.class));
    if let Some(proxy) = &report.proxy {
        let hash = short_hash(&proxy.sha256);
        entry("proxy", None, &format!("{} (sha256 {hash})", proxy.path));
    }
    if let Some(config) = &report.hls_config {
        let hash = short_hash(&config.sha256);
        entry("hls4ml", None, &format!("{} (sha256 {hash})", config.path));
    }
    let events = &report.events;
    let mut text = files(events);
    // Events that were made have no file.
    if !text.starts_with("gen:") {
        text += &format!(" ({} bytes", thousands(events.size));
        if let Some(sha256) = &events.sha256 {
            text += &format!(", sha256 {}", short_hash(sha256));
        }
        text += ")";
    }
    text += &format!(": {} compared", count(events.count, "event"));
    if events.skipped > 0 {
        text += &format!(", the first {} skipped", thousands(events.skipped));
    }
    entry("events", None, &text);
    for input in &report.input_types {
        entry("input", None, input);
    }
    for assumption in &report.assumptions {
        entry("assumed", None, assumption);
    }
    for summary in audit::summaries(report) {
        entry("audit", None, &summary);
    }
    for warning in &report.warnings {
        let layer =
            warning.layer.iter().map(|layer| format!(", layer {layer}")).collect::<String>();
        let text = format!("{}{layer}: {}", warning.code, warning.text);
        entry("warning", Some(Tone::Caution), &text);
    }
    lines
}

/// The event files: all names of a few, the ends of a long list.
fn files(events: &EventsInfo) -> String {
    match events.files.as_slice() {
        [first, _, .., last] => {
            format!("{}, …, {} ({} files)", first.path, last.path, events.files.len())
        }
        _ => events.path.clone(),
    }
}

pub(super) fn short_hash(sha256: &str) -> String {
    match sha256.char_indices().nth(HASH_DIGITS) {
        Some((end, _)) => format!("{}…", &sha256[..end]),
        None => sha256.to_owned(),
    }
}
