//! Files for continuous integration, quiet runs, and what a failed run leaves behind.

use std::fs;

use insta::assert_snapshot;

use crate::support::{EVENTS, MODEL, Ran, Scratch, TestResult, testvectors, verify};

type Failure = Box<dyn std::error::Error>;

/// Runs the demo jets.
fn jets(flags: &[&str]) -> Result<Ran, Failure> {
    verify(["--model", "jets/model.h5", "--events", "jets/events.h5"].iter().chain(flags))
}

/// How many tests, failures and errors a JUnit file has, by its totals and by its elements.
fn junit(path: &str) -> Result<[usize; 3], Failure> {
    let text = fs::read_to_string(path)?;
    let document = roxmltree::Document::parse(&text)?;
    let root = document.root_element();
    assert_eq!(root.tag_name().name(), "testsuites");
    let mut counts = [0; 3];
    for (count, (total, tag)) in
        counts.iter_mut().zip([("tests", "testcase"), ("failures", "failure"), ("errors", "error")])
    {
        *count = root.descendants().filter(|n| n.has_tag_name(tag)).count();
        assert_eq!(root.attribute(total), Some(count.to_string().as_str()), "{text}");
    }
    Ok(counts)
}

#[test]
fn the_jets_as_junit_and_markdown() -> TestResult {
    let scratch = Scratch::new()?;
    let (xml, md) = (scratch.path("verify.xml"), scratch.path("verify.md"));
    let ran = jets(&["--junit", &xml, "--markdown", &md])?;
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), ""));
    // A verdict and eight layers each; of the wrapping proxy all of them differ.
    assert_eq!(junit(&xml)?, [18, 9, 0]);
    assert_snapshot!("jets_junit", fs::read_to_string(&xml)?);
    assert_snapshot!("jets_markdown", fs::read_to_string(&md)?);
    let exact = jets(&["--target", "proxy:sat", "--junit", &xml])?;
    assert_eq!(exact.code, Some(0));
    assert_eq!(junit(&xml)?, [9, 0, 0]);
    Ok(())
}

#[test]
fn quiet_runs_say_it_with_files_and_exit_code() -> TestResult {
    let scratch = Scratch::new()?;
    let (loud, quiet) = (scratch.path("loud.json"), scratch.path("quiet.json"));
    assert_eq!(jets(&["--json", &loud])?.code, Some(1));
    let ran = jets(&["--quiet", "--json", &quiet])?;
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (Some(1), "", ""));
    assert_eq!(fs::read(&loud)?, fs::read(&quiet)?);
    let exact = jets(&["--quiet", "--target", "proxy:sat"])?;
    assert_eq!((exact.code, exact.stdout.as_str(), exact.stderr.as_str()), (Some(0), "", ""));
    let failed = verify(["--model", "nowhere.h5", "--events", EVENTS, "--quiet"])?;
    assert_eq!((failed.code, failed.stdout.as_str()), (Some(3), ""));
    assert!(failed.stderr.starts_with("error: nowhere.h5: "), "{}", failed.stderr);
    Ok(())
}

#[test]
fn a_mismatch_need_not_fail() -> TestResult {
    let scratch = Scratch::new()?;
    let xml = scratch.path("verify.xml");
    let ran = jets(&["--fail-on", "never", "--junit", &xml])?;
    assert_eq!(ran.code, Some(0));
    // The files and the text still say what is the case.
    assert_eq!(ran.stdout, jets(&["--fail-on", "mismatch"])?.stdout);
    assert_eq!(junit(&xml)?, [18, 9, 0]);
    for (model, events, code) in
        [("nowhere.h5", EVENTS, 3), (MODEL, "nowhere.h5", 5), ("bad/nan_weights.h5", EVENTS, 3)]
    {
        let ran = verify(["--model", model, "--events", events, "--fail-on", "never"])?;
        assert_eq!(ran.code, Some(code), "{model} {events}");
    }
    let ran = jets(&["--fail-on", "ambiguous"])?;
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("[possible values: mismatch, never]"), "{}", ran.stderr);
    Ok(())
}

#[test]
fn failed_runs_leave_an_error_for_ci() -> TestResult {
    let scratch = Scratch::new()?;
    let (xml, md) = (scratch.path("verify.xml"), scratch.path("verify.md"));
    let json = scratch.path("report.json");
    let mut texts = String::new();
    for (model, events, flags, code) in [
        (MODEL, EVENTS, &["--target", "proxy:wrapp"][..], 2),
        ("bad/nan_weights.h5", EVENTS, &[], 3),
        (MODEL, EVENTS, &["--target", "hls4ml:direct"], 4),
        (MODEL, "nowhere.h5", &[], 5),
    ] {
        let files = ["--model", model, "--events", events, "--junit", &xml, "--markdown", &md];
        let ran = verify(files.iter().chain(&["--json", &json]).chain(flags))?;
        assert_eq!(ran.code, Some(code), "{}", ran.stderr);
        assert_eq!(junit(&xml)?, [1, 0, 1]);
        // Nothing was found, so there is nothing for programs.
        assert_eq!(scratch.names()?, ["verify.md", "verify.xml"]);
        texts += &(fs::read_to_string(&xml)? + &fs::read_to_string(&md)?);
    }
    assert_snapshot!(texts);
    // An output that cannot be opened is told in the others.
    let nowhere = scratch.path("nowhere/report.json");
    let ran = verify(["--model", MODEL, "--events", EVENTS, "--junit", &xml, "--json", &nowhere])?;
    assert_eq!(ran.code, Some(7));
    assert_eq!(junit(&xml)?, [1, 0, 1]);
    assert!(fs::read_to_string(&xml)?.contains("there is no directory"));
    Ok(())
}

#[test]
fn files_that_would_replace_each_other_or_an_input() -> TestResult {
    let scratch = Scratch::new()?;
    let (model, events) = (scratch.path("model.h5"), scratch.path("events.h5"));
    for (from, to) in [(MODEL, &model), (EVENTS, &events)] {
        fs::copy(testvectors().join(from), to)?;
    }
    let (one, other) = (scratch.path("report"), scratch.path("./report"));
    let mut texts = String::new();
    for flags in [
        ["--json", &one, "--junit", &other],
        ["--junit", &one, "--markdown", &one],
        ["--markdown", &one, "--json", &one],
        ["--quiet", "--hash", "--junit", &model],
        ["--quiet", "--hash", "--markdown", &events],
    ] {
        let ran = verify(["--model", &model, "--events", &events].iter().chain(&flags))?;
        assert_eq!(ran.code, Some(2));
        texts += &ran.refusal(&scratch)?;
    }
    assert_snapshot!(texts);
    assert_eq!(scratch.names()?, ["events.h5", "model.h5"]);
    for (from, to) in [(MODEL, &model), (EVENTS, &events)] {
        assert_eq!(fs::read(testvectors().join(from))?, fs::read(to)?);
    }
    Ok(())
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_keeps_no_other_file_waiting() -> TestResult {
    let scratch = Scratch::new()?;
    let (json, xml) = (scratch.path("report.json"), scratch.path("verify.xml"));
    for full in ["--junit", "--markdown"] {
        let files = ["--model", MODEL, "--events", EVENTS, "--quiet", "--json", &json];
        let ran = verify(files.iter().chain(&[full, "/dev/full"]))?;
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(7), ""));
        assert!(ran.stderr.starts_with("error: /dev/full: cannot be written: "), "{}", ran.stderr);
        assert!(ran.stderr.contains("\n  help: free some space"), "{}", ran.stderr);
        assert!(fs::read_to_string(&json)?.starts_with('{'));
        fs::remove_file(&json)?;
    }
    // The run's own failure decides the code, whatever else goes wrong.
    let files = ["--model", "nowhere.h5", "--events", EVENTS, "--junit", "/dev/full"];
    let ran = verify(files.iter().chain(&["--markdown", &xml]))?;
    assert_eq!(ran.code, Some(3));
    assert_eq!(ran.stderr.matches("error: ").count(), 2, "{}", ran.stderr);
    assert!(fs::read_to_string(&xml)?.contains("FAILED (exit code 3)"));
    Ok(())
}
