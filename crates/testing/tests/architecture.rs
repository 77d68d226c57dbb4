//! The arrows between crates are those of DESIGN.md.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

type Edges = BTreeMap<String, BTreeSet<String>>;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The table of DESIGN.md: directory → what it may depend on.
fn documented() -> Edges {
    let text = std::fs::read_to_string(root().join("DESIGN.md")).expect("DESIGN.md");
    let mut edges = Edges::new();
    for line in text.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let Some(name) =
            cells.get(1).and_then(|c| c.strip_prefix("`crates/")).and_then(|c| c.strip_suffix('`'))
        else {
            continue;
        };
        let allowed = cells[cells.len() - 2]
            .split(',')
            .map(|c| c.trim().to_owned())
            .filter(|c| c != "–")
            .collect();
        edges.insert(name.to_owned(), allowed);
    }
    edges
}

/// Normal dependencies between workspace members.
fn actual() -> Edges {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo metadata runs");
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let mut edges = Edges::new();
    for package in metadata["packages"].as_array().expect("packages") {
        let short = |v: &serde_json::Value| {
            v["name"].as_str().and_then(|n| n.strip_prefix("bittrue-")).map(str::to_owned)
        };
        let name = short(package).expect("members are called bittrue-…");
        let dependencies = package["dependencies"].as_array().expect("dependencies");
        let normal =
            dependencies.iter().filter(|d| d["kind"].is_null()).filter_map(short).collect();
        edges.insert(name, normal);
    }
    edges
}

#[test]
fn dependencies_are_those_of_the_design() {
    let (documented, actual) = (documented(), actual());
    assert!(documented.len() > 10, "the table of DESIGN.md was not found");
    let names = |e: &Edges| e.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(&actual), names(&documented), "crates and the table of DESIGN.md");
    for (name, dependencies) in &actual {
        let unlisted: Vec<_> = dependencies.difference(&documented[name]).collect();
        assert!(unlisted.is_empty(), "{name} depends on {unlisted:?}, DESIGN.md does not list it");
    }
}

#[test]
fn unsafe_code_is_forbidden_outside_kernels() {
    for name in documented().keys().filter(|n| *n != "kernels") {
        let source = root().join("crates").join(name).join("src");
        let entry = ["lib.rs", "main.rs"].iter().map(|f| source.join(f)).find(|p| p.exists());
        let text = std::fs::read_to_string(entry.expect("a crate root")).expect("readable");
        assert!(text.contains("#![forbid(unsafe_code)]"), "crates/{name}");
    }
}
