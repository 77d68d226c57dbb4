//! What the README shows is what the program prints, and what it tells to type can be typed.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

type TestResult = Result<(), Box<dyn Error>>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).expect("README.md")
}

/// The blocks of a kind.
fn blocks<'a>(readme: &'a str, kind: &'a str) -> impl Iterator<Item = &'a str> {
    readme
        .split("```")
        .skip(1)
        .step_by(2)
        .filter_map(move |b| b.strip_prefix(kind)?.strip_prefix('\n'))
}

fn verify(arguments: &str, directory: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_verify"))
        .args(arguments.split_whitespace())
        .current_dir(directory)
        .output()
        .expect("the program runs")
}

#[test]
fn the_output_is_real() {
    let readme = readme();
    let shown: Vec<&str> = blocks(&readme, "text").collect();
    assert_eq!(shown.len(), 1);
    for block in shown {
        let command =
            block.strip_prefix("$ verify ").expect("a block that starts with the command");
        let (arguments, shown) = command.split_once('\n').expect("a command and its output");
        let output = verify(arguments, &root());
        let printed = String::from_utf8(output.stdout).expect("text");
        assert_eq!(printed.trim_end(), shown.trim_end());
        assert_eq!(output.status.code(), Some(1));
    }
}

#[test]
fn the_commands_can_be_typed() -> TestResult {
    let readme = readme();
    let jets = tempfile::tempdir()?;
    for (from, to) in [("model.h5", "m.h5"), ("events.h5", "events.h5")] {
        fs::copy(root().join("testvectors/jets").join(from), jets.path().join(to))?;
    }
    let config = root().join("testvectors/hls_config/accum_of_model.yml");
    fs::copy(config, jets.path().join("hls4ml_config.yml"))?;
    let with_proxy = tempfile::tempdir()?;
    let case = root().join("testvectors/cases/reloaded_nested_permute_norm");
    for (from, to) in [("model.h5", "m.h5"), ("events.h5", "events.h5"), ("proxy.h5", "p.h5")] {
        fs::copy(case.join(from), with_proxy.path().join(to))?;
    }
    let mut tried = 0;
    for line in blocks(&readme, "sh").flat_map(str::lines) {
        let Some(arguments) = line.strip_prefix("verify ") else { continue };
        let arguments = arguments.split("  #").next().unwrap_or_default();
        let arguments = arguments.split(" # ").next().unwrap_or_default();
        let directory = if arguments.contains("p.h5") { &with_proxy } else { &jets };
        if arguments.starts_with("diff") {
            for report in ["yesterday.json", "today.json"] {
                fs::copy(jets.path().join("r.json"), jets.path().join(report))?;
            }
        }
        let output = verify(arguments, directory.path());
        let said = String::from_utf8(output.stderr)?;
        assert!(matches!(output.status.code(), Some(0 | 1)), "{line}: {said}");
        tried += 1;
    }
    assert!(tried > 8, "{tried} commands");
    Ok(())
}

#[test]
fn the_exit_codes_are_those_of_the_help() -> TestResult {
    let help = String::from_utf8(verify("--help", &root()).stdout)?;
    let help = help.split_once("Exit codes:").ok_or("no exit codes")?.1;
    let help = help.split_once("verify diff:").ok_or("no end")?.0;
    let of_help: BTreeSet<u8> = help.split_whitespace().filter_map(|w| w.parse().ok()).collect();
    let readme = readme();
    let table = readme.split_once("## Exit codes").ok_or("no exit codes")?.1;
    let table = table.split_once("\n## ").ok_or("no end")?.0;
    let code = |line: &str| line.strip_prefix("| ")?.split(' ').next()?.parse().ok();
    let of_readme: BTreeSet<u8> = table.lines().filter_map(code).collect();
    assert_eq!(of_help, of_readme);
    Ok(())
}

#[test]
fn every_page_is_linked() -> TestResult {
    let readme = readme();
    for entry in fs::read_dir(root().join("docs"))? {
        let name = entry?.file_name().into_string().map_err(|_| "a name")?;
        assert!(readme.contains(&format!("](docs/{name})")), "{name}");
    }
    Ok(())
}

/// Pages that lead through the tree, and the directories from which they name files.
#[test]
fn the_files_that_pages_name_are_there() -> TestResult {
    let root = root();
    let crates: Vec<PathBuf> = fs::read_dir(root.join("crates"))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_, std::io::Error>>()?;
    let mut named = 0;
    for page in ["README.md", "docs/adding-a-layer.md", "docs/exactness.md"] {
        let text = fs::read_to_string(root.join(page))?;
        // Between pairs of backquotes, but for blocks.
        let prose: String = text.split("```").step_by(2).collect();
        for word in prose.split('`').skip(1).step_by(2) {
            let of_root = ["crates/", "docs/", "scripts/", "testvectors/", "benches/"];
            let of_crate = ["src/", "tests/"];
            let there = if word.contains(' ') {
                continue;
            } else if of_root.iter().any(|d| word.starts_with(d)) {
                root.join(word).exists()
            } else if of_crate.iter().any(|d| word.starts_with(d)) {
                crates.iter().any(|c| c.join(word).exists())
            } else {
                continue;
            };
            assert!(there, "{page}: {word}");
            named += 1;
        }
    }
    assert!(named > 60, "{named} names");
    Ok(())
}
