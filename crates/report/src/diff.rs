//! The difference of two reports, as text and as JSON.

use bittrue_record::{Change, ComparisonDiff, Diff, Judgement, LayerDiff, Presence, Report, Value};

use crate::text::format::{clean, columns, count, left, magnitude, percent, thousands, wrap};

/// Columns of the closing sentences.
const WIDTH: usize = 100;
/// Columns of the word in front of a line: the longest is `changed`.
const WORD: usize = 9;
/// Hexadecimal digits of a hash.
const HASH_DIGITS: usize = 12;

/// A difference as JSON: fields in the order of the types, ending in a newline.
pub fn diff_json(diff: &Diff) -> String {
    // No map has keys that are no strings, so this cannot fail.
    let mut text = serde_json::to_string_pretty(diff).expect("a difference has string keys only");
    text.push('\n');
    text
}

/// A difference as text; `paths` are those of the earlier and the later report. Ends in a newline.
pub fn diff_text(diff: &Diff, before: (&str, &Report), after: (&str, &Report)) -> String {
    let mut lines = vec![header("before", before), header("after", after)];
    if !diff.run.is_empty() {
        lines.push(String::new());
        lines.push("the run".to_owned());
        lines.extend(changes(&diff.run, 2));
    }
    for c in &diff.comparisons {
        lines.push(String::new());
        lines.extend(comparison(c));
    }
    lines.push(String::new());
    lines.extend(wrap("", &conclusion(diff), WIDTH));
    let mut text = String::new();
    for line in lines {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn header(label: &str, (path, report): (&str, &Report)) -> String {
    let (tool, model) = (&report.tool, &report.model);
    let partial = if report.partial { ", PARTIAL" } else { "" };
    let text = format!(
        "{path} ({} {}; {} of {}; model {}{partial})",
        tool.name,
        tool.version,
        count(report.events.count, "event"),
        report.events.path,
        hash(&model.sha256)
    );
    format!("{label:<8}{}", clean(&text))
}

fn comparison(c: &ComparisonDiff) -> Vec<String> {
    let legs = clean(&format!("{} against {}", c.target, c.reference));
    let presence = match c.presence {
        Presence::Both => "",
        Presence::New => ", new",
        Presence::Vanished => ", not compared any more",
    };
    let mut lines = vec![format!("{legs}: {}{presence}", c.judgement.to_string().to_uppercase())];
    lines.extend(changes(&c.changes, 2));
    for layer in &c.layers {
        lines.push(layer_line(layer));
        lines.extend(changes(&layer.changes, 4));
    }
    lines
}

fn layer_line(layer: &LayerDiff) -> String {
    let presence = match layer.presence {
        Presence::Both => "",
        Presence::New => " is new",
        Presence::Vanished => " is not compared any more",
    };
    format!("  {}layer {}{presence}", word(layer.judgement), clean(&layer.name))
}

fn changes(changes: &[Change], indent: usize) -> Vec<String> {
    let width = changes.iter().map(|c| columns(&c.field)).max().unwrap_or(0);
    let line = |c: &Change| {
        let name = left(&clean(&c.field), width + 2);
        let (before, after) = (value(&c.field, &c.before), value(&c.field, &c.after));
        format!("{}{}{name}{before} -> {after}", " ".repeat(indent), word(c.judgement))
    };
    changes.iter().map(line).collect()
}

fn word(judgement: Judgement) -> String {
    left(&judgement.to_string(), WORD)
}

/// A value as people read it; what it counts follows from the field.
fn value(field: &str, value: &Value) -> String {
    match value {
        Value::None => "none".to_owned(),
        Value::Flag(flag) => if *flag { "yes" } else { "no" }.to_owned(),
        // Rows and indices go into commands, so they have no separators.
        Value::Count(n) if field.starts_with("first_") => n.to_string(),
        Value::Count(n) => thousands(*n),
        Value::Share { count, of } if *count == 0 => format!("0 of {}", thousands(*of)),
        Value::Share { count, of } => {
            format!("{} of {} ({})", thousands(*count), thousands(*of), percent(*count, *of))
        }
        Value::Number(x) if *x < 0.0 => format!("-{}", magnitude(-x)),
        Value::Number(x) => magnitude(*x),
        Value::Text(text) if field.ends_with("sha256") => clean(&hash(text)),
        Value::Text(text) => clean(text),
    }
}

fn hash(sha256: &str) -> String {
    match sha256.char_indices().nth(HASH_DIGITS) {
        Some((end, _)) => format!("{}…", &sha256[..end]),
        None => sha256.to_owned(),
    }
}

/// What is to be concluded.
fn conclusion(diff: &Diff) -> String {
    let told = |judgement| -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        let of_the_run = diff.run.iter().filter(|c| c.judgement == judgement);
        names.extend(of_the_run.map(|c| c.field.clone()));
        let of_comparisons = diff.comparisons.iter().filter(|c| c.judgement == judgement);
        names.extend(of_comparisons.map(|c| {
            let layers = c.layers.iter().filter(|l| l.judgement == judgement).count() as u64;
            let inside = match (c.presence, layers) {
                (Presence::Vanished, _) => " (not compared any more)".to_owned(),
                (_, 0) => String::new(),
                (_, n) => format!(" ({})", count(n, "layer")),
            };
            format!("{} against {}{inside}", clean(&c.target), clean(&c.reference))
        }));
        names
    };
    let mut text = match diff.judgement {
        Judgement::Same => "SAME: nothing is new.".to_owned(),
        Judgement::Changed => "CHANGED: nothing is worse and nothing better.".to_owned(),
        Judgement::Better => {
            format!("BETTER: nothing is worse; better: {}.", told(Judgement::Better).join(", "))
        }
        Judgement::Worse => format!("WORSE: {}.", told(Judgement::Worse).join(", ")),
    };
    if !diff.same_events {
        text += " The events are not known to be the same, so what chance explains is not judged.";
    }
    text
}
