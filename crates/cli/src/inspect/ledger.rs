//! What became of every attribute of the model file.

use std::fmt::Write;

use bittrue_model::{LedgerEntry, LedgerUse, Model};

use super::layers::count;

/// Columns of a line.
const WIDTH: usize = 100;

/// Writes what was used, by layer and object, and what has no effect.
pub(super) fn write(text: &mut String, model: &Model) {
    let entries = model.ledger.entries();
    let of = |used: LedgerUse| count(entries.iter().filter(|e| e.used == used).count());
    let _ = writeln!(
        text,
        "\nAttributes in the file: {}, none unknown; {} used, {} for training only, {} without \
         effect",
        count(entries.len()),
        of(LedgerUse::Consumed),
        of(LedgerUse::TrainingOnly),
        of(LedgerUse::Inert),
    );
    let shown: Vec<&LedgerEntry> = entries.iter().filter(|e| says_something(e)).collect();
    let mut layers: Vec<&str> = Vec::new();
    for e in &shown {
        if !layers.contains(&e.layer.as_str()) {
            layers.push(&e.layer);
        }
    }
    for layer in layers {
        let of_layer: Vec<&LedgerEntry> =
            shown.iter().copied().filter(|e| e.layer == layer).collect();
        let _ = writeln!(text, "  {}", if layer.is_empty() { "(model)" } else { layer });
        paragraph(text, &used(&of_layer, ""));
        for object in objects(&of_layer) {
            paragraph(text, &used(&of_layer, object));
        }
        for (title, use_, with_value) in [
            ("training only:", LedgerUse::TrainingOnly, false),
            ("without effect:", LedgerUse::Inert, true),
        ] {
            let keys: Vec<String> = of_layer
                .iter()
                .filter(|e| e.used == use_)
                .map(|e| if with_value { setting(&e.key, e) } else { e.key.clone() })
                .collect();
            if !keys.is_empty() {
                paragraph(text, &[vec![title.to_owned()], keys].concat());
            }
        }
    }
}

/// The objects in a layer's configuration that have attributes of their own: its quantizers.
fn objects<'e>(entries: &[&'e LedgerEntry]) -> Vec<&'e str> {
    let mut objects = Vec::new();
    for e in entries.iter().filter(|e| e.used == LedgerUse::Consumed) {
        if let Some((object, _)) = e.key.split_once('.')
            && !objects.contains(&object)
        {
            objects.push(object);
        }
    }
    objects
}

/// The used attributes of one object of a layer, or of the layer itself if it has no name.
fn used(entries: &[&LedgerEntry], object: &str) -> Vec<String> {
    let settings = entries.iter().filter(|e| e.used == LedgerUse::Consumed).filter_map(|e| {
        let (of, key) = e.key.split_once('.').unwrap_or(("", &e.key));
        (of == object).then(|| setting(key, e))
    });
    let title = if object.is_empty() { None } else { Some(format!("{object}:")) };
    title.into_iter().chain(settings).collect()
}

fn setting(key: &str, e: &LedgerEntry) -> String {
    format!("{key}={}", e.value)
}

/// Writes words in lines of limited width, the later ones indented.
fn paragraph(text: &mut String, words: &[String]) {
    const FIRST: usize = 4;
    const LATER: usize = 8;
    let Some((first, rest)) = words.split_first() else { return };
    let _ = write!(text, "{:FIRST$}{first}", "");
    let mut column = FIRST + first.chars().count();
    for word in rest {
        let width = word.chars().count();
        if column + 1 + width > WIDTH {
            let _ = write!(text, "\n{:LATER$}{word}", "");
            column = LATER + width;
        } else {
            let _ = write!(text, " {word}");
            column += 1 + width;
        }
    }
    text.push('\n');
}

/// Whether an entry is more than the frame of the file: objects are listed by what is in them, and
/// names and connections are shown above.
fn says_something(e: &LedgerEntry) -> bool {
    const FRAME: [&str; 9] = [
        "class_name",
        "config",
        "name",
        "inbound_nodes",
        "layers",
        "input_layers",
        "output_layers",
        "module",
        "registered_name",
    ];
    let key = e.key.rsplit('.').next().unwrap_or_default();
    !FRAME.contains(&key) && !e.value.starts_with('{')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: &str, value: &str, used: LedgerUse) -> LedgerEntry {
        LedgerEntry { layer: "a".to_owned(), key: key.to_owned(), value: value.to_owned(), used }
    }

    #[test]
    fn attributes_stand_with_their_object() {
        let entries = [
            entry("units", "6", LedgerUse::Consumed),
            entry("kernel_quantizer.bits", "8", LedgerUse::Consumed),
            entry("kernel_quantizer.alpha", "1.0", LedgerUse::Consumed),
            entry("trainable", "true", LedgerUse::TrainingOnly),
        ];
        let entries: Vec<&LedgerEntry> = entries.iter().collect();
        assert_eq!(used(&entries, ""), ["units=6"]);
        assert_eq!(objects(&entries), ["kernel_quantizer"]);
        assert_eq!(
            used(&entries, "kernel_quantizer"),
            ["kernel_quantizer:", "bits=8", "alpha=1.0"]
        );
    }

    #[test]
    fn lines_are_broken_between_words() {
        let mut text = String::new();
        paragraph(&mut text, &["x".repeat(50), "y".repeat(45), "z".to_owned()]);
        let expected = format!("    {} {}\n        z\n", "x".repeat(50), "y".repeat(45));
        assert_eq!(text, expected);
        paragraph(&mut text, &[]);
        assert_eq!(text, expected);
    }
}
