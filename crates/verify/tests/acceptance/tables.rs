//! `docs/support.md` and the table in the README are what the code does, not what somebody wrote down:
//! every row of `testvectors/acceptance` is read, converted and run in every leg.
//!
//! `UPDATE_DOCS=1 cargo test --release -p bittrue-verify --test acceptance` writes both.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use bittrue_model::parse::{SUPPORTED_CLASSES, from_keras};
use bittrue_verify::{Leg, LoadedModel};
use serde_json::Value;

use crate::classes::{Class, classify, trained};
use crate::rows::{Row, rows};

const LEGS: [Leg; 5] =
    [Leg::Qkeras, Leg::ProxySat, Leg::ProxyWrap, Leg::Hls4mlSat, Leg::Hls4mlWrap];

/// What one model does in every leg.
struct Line {
    /// What the line is of, in the summary; `None` where it is no layer or quantizer of its own.
    subject: Option<String>,
    layer: String,
    config: String,
    /// The classes of the legs, in their order.
    classes: Vec<Class>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn lines(rows: Vec<Row>) -> Vec<Line> {
    let with_file =
        rows.into_iter().filter_map(|row| Some((row.file.ok()?, row.layer, row.config)));
    with_file
        .map(|(file, layer, config)| {
            let classes = match from_keras(&file) {
                Err(e) => vec![Class::Refused(e.to_string()); LEGS.len()],
                Ok(model) => {
                    let load = || LoadedModel { path: "model.h5".into(), model: model.clone() };
                    LEGS.map(|leg| classify(load(), leg)).to_vec()
                }
            };
            let subject = subject(&layer, &config, &file.model_config);
            Line { subject, layer, config, classes }
        })
        .collect()
}

/// The layer or quantizer that a row is about.
fn subject(layer: &str, config: &str, model: &Value) -> Option<String> {
    let word = |text: &str| -> String {
        text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    if layer == "QDense" {
        if let Some(quantizer) = config.strip_prefix("kernel_quantizer=") {
            return Some(format!("weights: `{}`", word(quantizer)));
        }
        if config.starts_with("kernel alpha") {
            return Some("weights: `quantized_bits`".to_owned());
        }
        if let Some(quantizer) = config.strip_prefix("kernel ") {
            return Some(format!("weights: `{}`", word(quantizer)));
        }
    }
    if layer == "QActivation" && (config.ends_with("(object)") || config.ends_with("(string)")) {
        return Some(format!("QActivation: `{}`", word(config)));
    }
    if let Some(function) = config.strip_prefix('"').filter(|_| layer == "Activation") {
        return Some(format!("Activation: `{}`", word(function)));
    }
    let class = layer.split(" (").next().expect("a word");
    contains_class(model, class).then(|| class.to_owned())
}

fn contains_class(value: &Value, class: &str) -> bool {
    match value {
        Value::Object(map) => {
            map.get("class_name").and_then(Value::as_str).is_some_and(|found| {
                found.trim_start_matches("HGQ>") == class && map.contains_key("inbound_nodes")
            }) || map.values().any(|v| contains_class(v, class))
        }
        Value::Array(values) => values.iter().any(|v| contains_class(v, class)),
        _ => false,
    }
}

/// The proxies by themselves among the golden cases: their classes of layers, and the two legs.
fn proxy_files() -> Vec<(String, BTreeSet<String>, [Class; 2])> {
    let directory = root().join("testvectors/golden/proxy-only");
    let mut files: Vec<PathBuf> = std::fs::read_dir(directory)
        .expect("proxies")
        .map(|entry| entry.expect("an entry").path().join("proxy.h5"))
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let open = || LoadedModel::open(&path).expect("a proxy");
            let layers = open().model.layers;
            let name = path.parent().and_then(Path::file_name).expect("a case").to_string_lossy();
            let of_proxy = layers.iter().map(|l| l.class_name.replace("HGQ>", ""));
            let legs = [Leg::Proxy, Leg::Hls4ml].map(|leg| {
                // Paths are those of the machine.
                match classify(open(), leg) {
                    Class::Refused(why) => {
                        Class::Refused(why.replace(&*path.display().to_string(), "proxy.h5"))
                    }
                    class => class,
                }
            });
            (name.into_owned(), of_proxy.collect(), legs)
        })
        .collect()
}

/// What happens in the configurations of a layer: exact 0, banded 1, refused 2.
fn seen<'a>(classes: impl IntoIterator<Item = &'a Class>) -> BTreeSet<usize> {
    let rank = |class: &Class| match class {
        Class::Proven | Class::Exact => 0,
        Class::Banded(_) => 1,
        Class::Refused(_) => 2,
    };
    classes.into_iter().map(rank).collect()
}

fn words(seen: &BTreeSet<usize>) -> String {
    match seen.is_empty() {
        true => "–".to_owned(),
        false => {
            seen.iter().map(|&r| ["exact", "banded", "refused"][r]).collect::<Vec<_>>().join(", ")
        }
    }
}

/// Layers and quantizers with the same classes in one line, those that are in no leg at the end.
fn summary(lines: &[Line]) -> String {
    let mut subjects: BTreeMap<String, [BTreeSet<usize>; 3]> = BTreeMap::new();
    for line in lines {
        if let Some(subject) = &line.subject {
            let all = subjects.entry(subject.clone()).or_default();
            for (all, legs) in all.iter_mut().zip([0..1, 1..3, 3..5]) {
                all.extend(seen(&line.classes[legs]));
            }
        }
    }
    for (_, layers, [proxy, hls4ml]) in proxy_files() {
        for class in layers.iter().filter(|l| ["FixedPointQuantizer", "UnaryLUT"].contains(&&***l))
        {
            let all = subjects.entry(format!("in proxy files: {class}")).or_default();
            all[1].extend(seen([&proxy]));
            all[2].extend(seen([&hls4ml]));
        }
    }
    let mut groups: BTreeMap<[BTreeSet<usize>; 3], Vec<&str>> = BTreeMap::new();
    for (subject, legs) in &subjects {
        groups.entry(legs.clone()).or_default().push(subject);
    }
    // Layers of proxy files are no layers of models: behind those.
    let refused = groups.remove(&[[2].into(), [2].into(), [2].into()]).unwrap_or_default();
    let mut groups: Vec<_> = groups.iter().collect();
    groups.sort_by_key(|(legs, _)| legs[0].is_empty());
    let mut out = String::from(
        "| layer or quantizer | `qkeras` | `proxy:…` | `hls4ml:…` |\n|---|---|---|---|\n",
    );
    for (legs, subjects) in groups {
        let cells = legs.each_ref().map(words);
        let _ = writeln!(out, "| {} | {} |", listed(subjects), cells.join(" | "));
    }
    let _ = writeln!(out, "\nNot supported in any leg: {}.", listed(&refused));
    out
}

/// Subjects in words: quantizers and functions behind their kind, which is said once.
fn listed(subjects: &[&str]) -> String {
    let mut kinds: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut layers = Vec::new();
    for subject in subjects {
        match subject.split_once(": ") {
            Some((kind, name)) => kinds.entry(kind).or_default().push(name),
            None => layers.push((*subject).to_owned()),
        }
    }
    let kinds = kinds.iter().map(|(kind, names)| format!("{kind}: {}", names.join(", ")));
    let mut parts = if layers.is_empty() { Vec::new() } else { vec![layers.join(", ")] };
    parts.extend(kinds);
    parts.join("; ")
}

/// Why models are refused, each reason once, numbered.
#[derive(Default)]
struct Reasons(Vec<String>);

impl Reasons {
    fn number(&mut self, why: &str) -> usize {
        // What is supported is in the tables; the name of the layer is the test's own.
        let why = why.split("; supported").next().expect("a part");
        let why = why.split_once("cannot be built: ").map_or(why, |(_, why)| why);
        let why = match why.strip_prefix("layer `").and_then(|rest| rest.split_once('`')) {
            Some((_, rest)) => rest.trim_start_matches([':', ',', ' ']),
            None => why,
        };
        let found = self.0.iter().position(|known| known == why);
        1 + found.unwrap_or_else(|| {
            self.0.push(why.to_owned());
            self.0.len() - 1
        })
    }

    fn cell(&mut self, class: &Class) -> String {
        match class {
            Class::Proven => "proven".to_owned(),
            Class::Exact => "exact".to_owned(),
            Class::Banded(flags) => {
                let flags: Vec<&str> = flags.iter().copied().collect();
                format!("banded: {}", flags.join(", "))
            }
            Class::Refused(why) => format!("refused [{}](#reasons)", self.number(why)),
        }
    }
}

const HEAD: &str = "\
# What is supported

This page is written by a test (`crates/verify/tests/acceptance/tables.rs`), which fails when the page is not what the
code does. For each line a small Keras model, built and stored by the real software (`testvectors/acceptance`), is read,
converted, and run in every leg on 72 events, with weights of full float32 precision.

| word | meaning |
|---|---|
| proven | equal bits for every event, by a proof with these weights |
| exact | equal bits claimed for every element of these events; no proof for all events |
| banded | some elements have a lowest and a highest value instead of one, and a flag that says why: see [exactness.md](exactness.md) |
| refused | an error with a message, and an exit code; the number leads to the message |

A class is that of the whole small model: of the layer and the quantizers around it. It may be better or worse with other
weights: more terms in a sum, or larger values, need more bits. The legs are explained in the [README](../README.md).

## Summary

";

fn page(lines: &[Line]) -> String {
    let mut reasons = Reasons::default();
    let mut out = format!("{HEAD}{}\n## Every model\n\n", summary(lines));
    let legs = LEGS.map(|leg| format!("`{leg}`")).join(" | ");
    let _ = writeln!(out, "| layer | configuration | {legs} |\n|---|---|---|---|---|---|---|");
    for line in lines {
        let cells: Vec<String> = line.classes.iter().map(|c| reasons.cell(c)).collect();
        let (layer, config) = (escaped(&line.layer), escaped(&line.config));
        let _ = writeln!(out, "| {layer} | {config} | {} |", cells.join(" | "));
    }
    out += "\n## Proxy files\n\nThe proxies by themselves in `testvectors/golden/proxy-only`, and the classes of their layers.\n\n";
    out += "| case | layers | `proxy` | `hls4ml` |\n|---|---|---|---|\n";
    for (name, layers, classes) in proxy_files() {
        let layers: Vec<&str> = layers.iter().map(String::as_str).collect();
        let [proxy, hls4ml] = classes.map(|c| reasons.cell(&c));
        let _ = writeln!(out, "| `{name}` | {} | {proxy} | {hls4ml} |", layers.join(", "));
    }
    out += "\n## Reasons\n\n";
    for (n, why) in reasons.0.iter().enumerate() {
        let _ = writeln!(out, "{}. {}", n + 1, why.replace('<', "\\<"));
    }
    out
}

fn escaped(text: &str) -> String {
    text.replace('|', "\\|").replace('*', "\\*")
}

const BEGIN: &str = "<!-- support: written by crates/verify/tests/acceptance/tables.rs -->\n";
const END: &str = "<!-- support: end -->";

/// Holds a file against what it should be, or writes it.
fn hold(path: &Path, expected: &str) {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, expected).expect("a file that can be written");
        return;
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    let line = found.lines().zip(expected.lines()).position(|(f, e)| f != e);
    assert!(
        found == expected,
        "{} is not what the code does, from line {} on; look at the difference after\n\
         UPDATE_DOCS=1 cargo test --release -p bittrue-verify --test acceptance",
        path.display(),
        1 + line.unwrap_or(found.lines().count().min(expected.lines().count())),
    );
}

#[test]
fn the_tables_are_what_the_code_does() {
    let lines = lines(rows(trained));
    hold(&root().join("docs/support.md"), &page(&lines));
    let path = root().join("README.md");
    let readme = std::fs::read_to_string(&path).expect("README.md");
    let (before, rest) = readme.split_once(BEGIN).expect("a marker");
    let (_, after) = rest.split_once(END).expect("an end");
    hold(&path, &format!("{before}{BEGIN}{}{END}{after}", summary(&lines)));
}

#[test]
fn every_class_that_can_be_read_is_in_the_tables() {
    let lines = lines(rows(trained));
    let proxies = proxy_files();
    for class in SUPPORTED_CLASSES.map(|class| class.trim_start_matches("HGQ>")) {
        let run = |line: &&Line| line.classes.iter().any(|c| !matches!(c, Class::Refused(_)));
        let of = |line: &&Line| {
            line.subject.as_deref().is_some_and(|s| s.split(": ").next() == Some(class))
        };
        let in_proxies = || proxies.iter().any(|(_, layers, _)| layers.contains(class));
        assert!(lines.iter().filter(of).any(|line| run(&line)) || in_proxies(), "{class}");
    }
}
