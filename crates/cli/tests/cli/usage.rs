//! Flags that are wrong: exit code 2, or 4 for a leg that exists but cannot be run.

use insta::assert_snapshot;

use crate::support::{EVENTS, MODEL, Scratch, TestResult, verify};

/// What is said to each of some command lines behind the files.
fn refused(flags: &[&[&str]]) -> Result<String, Box<dyn std::error::Error>> {
    let scratch = Scratch::new()?;
    let mut texts = String::new();
    for flags in flags {
        let files = ["--model", MODEL, "--events", EVENTS];
        texts += &verify(files.iter().chain(*flags))?.refusal(&scratch)?;
    }
    Ok(texts)
}

#[test]
fn legs_that_do_not_exist() -> TestResult {
    assert_snapshot!(refused(&[
        &["--target", "proxy:SAT"],
        &["--target", "wrap"],
        &["--target", "firmware"],
        &["--reference", "keras"],
    ])?);
    Ok(())
}

#[test]
fn legs_that_cannot_be_run_yet() -> TestResult {
    assert_snapshot!(refused(&[
        &["--target", "hls4ml:direct-bit-exact"],
        &["--target", "proxy"],
        &["--target", "hls4ml"],
        &["--target", "trace:other.h5"],
        &["--reference", "hls4ml:direct"],
    ])?);
    Ok(())
}

#[test]
fn legs_that_are_named_twice() -> TestResult {
    assert_snapshot!(refused(&[
        &["--target", "proxy:sat", "--target", "proxy:sat"],
        &["--reference", "proxy:sat", "--target", "proxy:sat"],
    ])?);
    Ok(())
}

#[test]
fn numbers_and_types_that_are_none() -> TestResult {
    assert_snapshot!(refused(&[
        &["--skip", "-1"],
        &["--skip", "1e6"],
        &["--max-events", "0"],
        &["--max-events", "-5"],
        &["--input-type", "float<16,6>"],
        &["--input-type", "elsewhere=ap_fixed<16,6>"],
        &["--input-type", "auto", "--input-type", "in=ap_fixed<16,6>"],
        &["--color", "sometimes"],
    ])?);
    Ok(())
}

#[test]
fn words_that_are_no_flags() -> TestResult {
    let scratch = Scratch::new()?;
    let mut texts = String::new();
    for line in [
        &["--modle", MODEL][..],
        &["--model", MODEL],
        &["--model", "", "--events", EVENTS],
        &["--model", MODEL, "--model", MODEL, "--events", EVENTS],
        &[MODEL, EVENTS],
        &["inspect", MODEL],
        &["inspct", "--model", MODEL],
        &["--model", MODEL, "inspect"],
        &["trace", "--model", MODEL, "--events", EVENTS],
    ] {
        texts += &verify(line)?.refusal(&scratch)?;
    }
    assert_snapshot!(texts);
    Ok(())
}

#[test]
fn flags_that_contradict_each_other() -> TestResult {
    let scratch = Scratch::new()?;
    let out = scratch.path("t.h5");
    let flags = ["--semantics", "qkeras", "--input-type", "ap_fixed<16,6>", "--out", &out];
    let files = ["trace", "--model", MODEL, "--events", EVENTS];
    let traced = verify(files.into_iter().chain(flags))?;
    assert_snapshot!(traced.refusal(&scratch)?);
    assert_eq!(scratch.names()?, Vec::<String>::new());
    Ok(())
}
