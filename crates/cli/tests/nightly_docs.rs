//! The scripts of `docs/nightly.md` do what the page says.
#![cfg(unix)]

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

type TestResult = Result<(), Box<dyn Error>>;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The blocks that are marked with `<!-- test: NAME -->`, by their name.
fn scripts(page: &str) -> Result<Vec<(&str, &str)>, Box<dyn Error>> {
    let marked = page.split("\n<!-- test: ").skip(1);
    let read = |part| -> Option<(&str, &str)> {
        let (name, rest) = str::split_once(part, " -->\n```sh\n")?;
        Some((name, rest.split_once("```")?.0))
    };
    marked
        .map(|part| read(part).ok_or_else(|| format!("no block behind {part:.40}").into()))
        .collect()
}

/// Runs a script where `verify` is the program under test.
fn run(directory: &Path, script: &str) -> Result<(Option<i32>, String), Box<dyn Error>> {
    let program = Path::new(env!("CARGO_BIN_EXE_verify"));
    let path = std::env::var("PATH")?;
    let programs = program.parent().ok_or("no directory")?;
    let mut command = Command::new("sh");
    command.arg(script).current_dir(directory);
    for variable in ["MODEL", "EVENTS", "YESTERDAY"] {
        command.env_remove(variable);
    }
    let output = command.env("PATH", format!("{}:{path}", programs.display())).output()?;
    let mut said = String::from_utf8(output.stdout)?;
    said += &String::from_utf8(output.stderr)?;
    Ok((output.status.code(), said))
}

#[test]
fn three_nights_of_a_job() -> TestResult {
    let page = fs::read_to_string(root().join("docs/nightly.md"))?;
    let scratch = tempfile::tempdir()?;
    let directory = scratch.path();
    let scripts = scripts(&page)?;
    let names: Vec<&str> = scripts.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["nightly.sh", "cron.sh"]);
    for (name, script) in scripts {
        fs::write(directory.join(name), script)?;
    }
    for (from, to) in [("model.h5", "tagger.h5"), ("events.h5", "trigger.h5")] {
        fs::copy(root().join("testvectors/jets").join(from), directory.join(to))?;
    }

    // The first night has nothing to compare with.
    let (code, said) = run(directory, "nightly.sh")?;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("no report of yesterday"), "{said}");
    // The second one finds the same.
    fs::copy(directory.join("verify.json"), directory.join("yesterday.json"))?;
    let (code, said) = run(directory, "nightly.sh")?;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.ends_with("SAME: nothing is new.\n"), "{said}");
    // All that the jobs keep was written.
    for file in ["verify.json", "verify.xml", "verify.md", "diff.txt"] {
        assert!(directory.join(file).is_file(), "{file}");
        assert!(page.matches(file).count() > 2, "{file} is not kept by both jobs");
    }

    // A mismatch that yesterday had not.
    let mut yesterday: Value = serde_json::from_slice(&fs::read(directory.join("verify.json"))?)?;
    for field in ["events_differing", "layers/7/mismatches", "layers/7/events_differing"] {
        let pointer = format!("/comparisons/1/{field}");
        *yesterday.pointer_mut(&pointer).ok_or("no such field")? = json!(0);
    }
    yesterday["comparisons"][1]["verdict"] = json!("bit-exact");
    fs::write(directory.join("yesterday.json"), yesterday.to_string())?;
    let (code, said) = run(directory, "nightly.sh")?;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("worse    verdict           bit-exact -> mismatch"), "{said}");
    assert_eq!(fs::read_to_string(directory.join("diff.txt"))?, said);

    // A model that cannot be read: its own code, and files that say it.
    fs::write(directory.join("tagger.h5"), "")?;
    let (code, said) = run(directory, "nightly.sh")?;
    assert_eq!(code, Some(3), "{said}");
    assert!(
        fs::read_to_string(directory.join("verify.xml"))?.contains("<error type=\"exit code 3\"")
    );
    assert!(fs::read_to_string(directory.join("verify.md"))?.contains("FAILED (exit code 3)"));
    assert!(!directory.join("verify.json").exists());
    Ok(())
}

#[test]
fn cron_is_silent_unless_something_is_wrong() -> TestResult {
    let page = fs::read_to_string(root().join("docs/nightly.md"))?;
    let scratch = tempfile::tempdir()?;
    let directory = scratch.path();
    for (name, script) in scripts(&page)? {
        fs::write(directory.join(name), script)?;
    }
    for (from, to) in [("model.h5", "tagger.h5"), ("events.h5", "trigger.h5")] {
        fs::copy(root().join("testvectors/jets").join(from), directory.join(to))?;
    }
    for _ in 0..2 {
        assert_eq!(run(directory, "cron.sh")?, (Some(0), String::new()));
    }
    assert!(fs::read_to_string(directory.join("diff.txt"))?.contains("SAME"));
    fs::write(directory.join("verify.json"), "{\"format_version\": 99}")?;
    let (_, said) = run(directory, "cron.sh")?;
    assert!(said.starts_with("exit code 5\n"), "{said}");
    assert!(said.contains("format_version 99"), "{said}");
    Ok(())
}

#[test]
fn the_exit_codes_of_the_page_are_those_of_the_help() -> TestResult {
    let page = fs::read_to_string(root().join("docs/nightly.md"))?;
    let output = Command::new(env!("CARGO_BIN_EXE_verify")).args(["diff", "--help"]).output()?;
    let help = String::from_utf8(output.stdout)?;
    for code in 0..=7 {
        let told = help.contains(&format!("\n  {code}  "));
        assert_eq!(page.contains(&format!("\n| {code} | ")), told, "{code}");
    }
    Ok(())
}
