//! `verify diff`: yesterday and today.

use std::fs;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{Ran, Scratch, TestResult, verify};

type Failure = Box<dyn std::error::Error>;

/// A report of the demo jets.
fn jets(scratch: &Scratch, name: &str, flags: &[&str]) -> Result<String, Failure> {
    let path = scratch.path(name);
    let files = ["--model", "jets/model.h5", "--events", "jets/events.h5"];
    let ran = verify(files.iter().chain(&["--quiet", "--json", &path]).chain(flags))?;
    assert!(matches!(ran.code, Some(0 | 1)), "{}", ran.stderr);
    Ok(path)
}

/// A copy of a report with some values changed.
fn edited(
    scratch: &Scratch,
    name: &str,
    from: &str,
    edits: &[(&str, Value)],
) -> Result<String, Failure> {
    let mut report: Value = serde_json::from_slice(&fs::read(from)?)?;
    for (pointer, value) in edits {
        *report.pointer_mut(pointer).ok_or("no such field")? = value.clone();
    }
    Ok(scratch.file(name, report.to_string().as_bytes())?)
}

/// Runs the comparison of two reports; its text without the directory.
fn diff(scratch: &Scratch, before: &str, after: &str, code: i32) -> Result<String, Failure> {
    let ran = verify(["diff", before, after])?;
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(code), ""), "{}", ran.stdout);
    Ok(scratch.redact(&ran.stdout))
}

#[test]
fn nothing_is_new() -> TestResult {
    let scratch = Scratch::new()?;
    let before = jets(&scratch, "before.json", &[])?;
    let after = jets(&scratch, "after.json", &[])?;
    let text = diff(&scratch, &before, &after, 0)?;
    assert!(text.ends_with("SAME: nothing is new.\n"), "{text}");
    assert_snapshot!(text);
    Ok(())
}

#[test]
fn worse_and_better() -> TestResult {
    let scratch = Scratch::new()?;
    // As if the leg had been repaired or spoilt overnight.
    let sat = jets(&scratch, "sat.json", &["--target", "proxy:sat"])?;
    let wrap = jets(&scratch, "wrap.json", &["--target", "proxy:wrap"])?;
    let target = [("/comparisons/0/target", json!("proxy"))];
    let sat = edited(&scratch, "good.json", &sat, &target)?;
    let wrap = edited(&scratch, "bad.json", &wrap, &target)?;
    assert_snapshot!("worse", diff(&scratch, &sat, &wrap, 1)?);
    assert_snapshot!("better", diff(&scratch, &wrap, &sat, 0)?);
    Ok(())
}

#[test]
fn one_more_element_is_worse() -> TestResult {
    let scratch = Scratch::new()?;
    let before = jets(&scratch, "before.json", &["--target", "proxy:wrap"])?;
    let one_more = [("/comparisons/0/layers/1/mismatches", json!(513))];
    let after = edited(&scratch, "after.json", &before, &one_more)?;
    let text = diff(&scratch, &before, &after, 1)?;
    assert!(text.contains("\n  worse    layer fc1\n    worse    mismatches  512 of "), "{text}");
    assert!(text.ends_with("\nWORSE: proxy:wrap against qkeras (1 layer).\n"), "{text}");
    let text = diff(&scratch, &after, &before, 0)?;
    assert!(text.contains("\n  better   layer fc1\n"), "{text}");
    Ok(())
}

#[test]
fn another_model_other_events_another_program() -> TestResult {
    let scratch = Scratch::new()?;
    let before = jets(&scratch, "before.json", &["--hash"])?;
    let after = edited(
        &scratch,
        "after.json",
        &before,
        &[
            ("/tool/version", json!("0.2.0")),
            ("/model/sha256", json!("00".repeat(32))),
            ("/events/path", json!("jets-today.h5")),
            ("/events/sha256", json!("11".repeat(32))),
            ("/warnings", json!([{"code": "raw-input", "layer": "in", "text": "No quantizer."}])),
            // A layer that the new model has not, and one that it has.
            ("/comparisons/0/layers/0/name", json!("q_new")),
            // One event more of twelve thousand other ones is chance.
            ("/comparisons/1/events_differing", json!(9)),
        ],
    )?;
    assert_snapshot!(diff(&scratch, &before, &after, 0)?);
    // Of the same events it is not.
    let same = [("/comparisons/1/events_differing", json!(9))];
    let after = edited(&scratch, "same.json", &before, &same)?;
    diff(&scratch, &before, &after, 1)?;
    // And a hundred times as many are not either.
    let many = [
        ("/events/sha256", json!("11".repeat(32))),
        ("/comparisons/1/events_differing", json!(800)),
    ];
    let after = edited(&scratch, "many.json", &before, &many)?;
    diff(&scratch, &before, &after, 1)?;
    Ok(())
}

#[test]
fn what_is_missing_is_worse() -> TestResult {
    let scratch = Scratch::new()?;
    let both = jets(&scratch, "both.json", &[])?;
    let sat = jets(&scratch, "sat.json", &["--target", "proxy:sat"])?;
    let text = diff(&scratch, &both, &sat, 1)?;
    assert!(text.contains("proxy:wrap against qkeras: WORSE, not compared any more"), "{text}");
    // A new comparison that is a mismatch is worse too, and one that is exact is not.
    let wrap = jets(&scratch, "wrap.json", &["--target", "proxy:wrap"])?;
    let text = diff(&scratch, &sat, &both, 1)?;
    assert!(text.contains("proxy:wrap against qkeras: WORSE, new"), "{text}");
    let text = diff(&scratch, &wrap, &both, 0)?;
    assert!(text.contains("proxy:sat against qkeras: CHANGED, new"), "{text}");
    let mut report: Value = serde_json::from_slice(&fs::read(&both)?)?;
    let layers = report.pointer_mut("/comparisons/0/layers").and_then(Value::as_array_mut);
    layers.ok_or("no layers")?.remove(2);
    let fewer = scratch.file("fewer.json", report.to_string().as_bytes())?;
    let text = diff(&scratch, &both, &fewer, 1)?;
    assert!(text.contains("worse    layer relu1 is not compared any more"), "{text}");
    Ok(())
}

#[test]
fn the_difference_as_json() -> TestResult {
    let scratch = Scratch::new()?;
    let before = jets(&scratch, "before.json", &["--target", "proxy:wrap"])?;
    let one_more = [("/comparisons/0/layers/1/mismatches", json!(513))];
    let after = edited(&scratch, "after.json", &before, &one_more)?;
    let out = scratch.path("diff.json");
    assert_eq!(verify(["diff", &before, &after, "--json", &out])?.code, Some(1));
    assert_snapshot!(fs::read_to_string(&out)?);
    // It is no report, and neither of the reports is replaced.
    let ran = verify(["diff", &out, &after])?;
    assert_eq!(ran.code, Some(5));
    for (n, replaced) in [&before, &after].into_iter().enumerate() {
        let ran = verify(["diff", &before, &after, "--json", replaced])?;
        assert_eq!(ran.code, Some(2));
        let flag = ["BEFORE", "AFTER"][n];
        assert!(ran.stderr.contains(&format!("the file of {flag}")), "{}", ran.stderr);
    }
    Ok(())
}

#[test]
fn files_that_are_no_reports() -> TestResult {
    let scratch = Scratch::new()?;
    let good = jets(&scratch, "good.json", &["--max-events", "300"])?;
    let whole = fs::read(&good)?;
    let bad: [(&str, Vec<u8>); 8] = [
        ("empty.json", Vec::new()),
        ("text.json", b"proxy:sat against qkeras".to_vec()),
        ("other.json", b"{\"name\": \"bittrue\"}".to_vec()),
        ("list.json", b"[1, 2]".to_vec()),
        ("format_99.json", b"{\"format_version\": 99}".to_vec()),
        ("truncated.json", whole[..whole.len() / 2].to_vec()),
        (
            "deep.json",
            [b"{\"format_version\": 1, \"tool\": ".to_vec(), vec![b'['; 1 << 20]].concat(),
        ),
        ("huge.json", b"{\"format_version\": 1e400}".to_vec()),
    ];
    let mut texts = String::new();
    for (name, bytes) in &bad {
        let path = scratch.file(name, bytes)?;
        texts += &refused(&verify(["diff", &path, &good])?, &scratch)?;
    }
    let missing = scratch.path("missing.json");
    texts += &refused(&verify(["diff", &good, &missing])?, &scratch)?;
    texts += &refused(&verify(["diff", &good, "."])?, &scratch)?;
    texts += &refused(&verify(["diff", "jets/model.h5", &good])?, &scratch)?;
    assert_snapshot!(texts);
    let alone = verify(["diff", &good])?;
    assert_eq!(alone.code, Some(2));
    assert!(alone.stderr.contains("<AFTER>"), "{}", alone.stderr);
    Ok(())
}

fn refused(ran: &Ran, scratch: &Scratch) -> Result<String, Failure> {
    assert_eq!(ran.code, Some(5), "{}", ran.stderr);
    ran.refusal(scratch)
}
