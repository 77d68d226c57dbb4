//! `verify explain`: transcripts, and what it refuses.

use std::fs;

use insta::assert_snapshot;
use serde_json::Value;

use crate::support::{EVENTS, MODEL, Ran, Scratch, TestResult, verify};

type Failure = Box<dyn std::error::Error>;

/// Four of the demo jets times 16.
const SCALED: [&str; 5] =
    ["explain", "--model", "jets/model.h5", "--events", "jets/scaled16_events.npy"];

fn explain(flags: &[&str]) -> Result<Ran, Failure> {
    verify(SCALED.iter().chain(flags))
}

fn golden(case: &str, flags: &[&str]) -> Result<Ran, Failure> {
    let (model, events) = (format!("golden/{case}/model.h5"), format!("golden/{case}/events.h5"));
    verify(["explain", "--model", &model, "--events", &events].iter().chain(flags))
}

fn said(ran: Ran) -> String {
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    ran.stdout
}

#[test]
fn a_wrapped_event_of_the_scaled_demo() -> TestResult {
    assert_snapshot!(said(explain(&["--event", "2"])?));
    Ok(())
}

#[test]
fn one_layer_with_every_element() -> TestResult {
    let flags = ["--event", "0", "--layer", "q_in", "--all", "--target", "proxy:wrap"];
    assert_snapshot!(said(explain(&flags)?));
    Ok(())
}

#[test]
fn chosen_elements() -> TestResult {
    let flags = ["--event", "0", "--element", "4", "--element", "15", "--target", "proxy:sat"];
    assert_snapshot!(said(explain(&flags)?));
    Ok(())
}

/// Bands, flags and functions that are no casts; a cast of the input.
#[test]
fn what_float32_does() -> TestResult {
    let mut texts = said(golden("sig_keras", &["--event", "3", "--target", "proxy:sat"])?);
    texts += &said(golden("edge_floats", &["--event", "9", "--max-elements", "5"])?);
    texts += &said(golden(
        "jet_mlp",
        &["--event", "5", "--input-type", "ap_fixed<10,4>", "--layer", "in", "--layer", "q_in"],
    )?);
    assert_snapshot!(texts);
    Ok(())
}

/// Convolutions: indices in three dimensions, layers that the proxy never forms.
#[test]
fn images() -> TestResult {
    assert_snapshot!(said(golden("conv2d_mp", &["--event", "1", "--max-elements", "2"])?));
    Ok(())
}

#[test]
fn every_golden_case_can_be_explained() -> TestResult {
    let cases = fs::read_dir(crate::support::testvectors().join("golden"))?;
    let mut explained = 0;
    for case in cases {
        let case = case?.file_name().to_string_lossy().into_owned();
        if !crate::support::testvectors().join("golden").join(&case).join("events.h5").exists() {
            continue;
        }
        let ran = golden(&case, &["--event", "0", "--all"])?;
        assert!(!ran.stderr.contains("panicked"), "{case}: {}", ran.stderr);
        // HGQ refuses some of the models; a comparison says the same.
        let (model, events) =
            (format!("golden/{case}/model.h5"), format!("golden/{case}/events.h5"));
        let compared = crate::support::compare(&model, &events)?;
        match ran.code {
            Some(0) => assert!(matches!(compared.code, Some(0 | 1)), "{case}"),
            _ => assert_eq!((ran.code, ran.stderr), (compared.code, compared.stderr), "{case}"),
        }
        explained += usize::from(ran.code == Some(0));
    }
    assert!(explained > 25, "{explained}");
    Ok(())
}

#[test]
fn json_for_programs() -> TestResult {
    let scratch = Scratch::new()?;
    let json = scratch.path("event.json");
    let text = said(explain(&["--event", "2", "--json", &json])?);
    let value: Value = serde_json::from_slice(&fs::read(&json)?)?;
    assert_eq!(value["event"]["row"], 2);
    let q_in = &value["layers"][0];
    assert_eq!((&q_in["name"], &q_in["legs"][2]["wrapped"]), (&"q_in".into(), &2.into()));
    let wrapped = &q_in["elements"][0]["values"][2];
    assert_eq!(wrapped["bits"], "1010.1111");
    assert_eq!(wrapped["raw"], -81);
    assert_eq!(wrapped["cast"]["above"], "0");
    assert_eq!(wrapped["cast"]["wraps"], 1);
    assert!(text.contains("1010.1111"));
    Ok(())
}

#[test]
fn what_is_not_there() -> TestResult {
    let scratch = Scratch::new()?;
    let mut texts = String::new();
    for flags in [
        &["--event", "4"][..],
        &["--event", "0", "--skip", "1", "--max-events", "2"],
        &["--event", "-1"],
        &["--event", "0", "--layer", "fc9"],
        &["--event", "0", "--layer", "q_in", "--element", "16"],
        &["--event", "0", "--all", "--element", "1"],
        &["--event", "0", "--target", "qkeras"],
        &["--event", "0", "--json", "jets/scaled16_events.npy"],
    ] {
        texts += &explain(flags)?.refusal(&scratch)?;
    }
    assert_snapshot!(texts);
    Ok(())
}

#[test]
fn events_that_are_saved_or_not() -> TestResult {
    let scratch = Scratch::new()?;
    let files = ["--model", MODEL, "--events", EVENTS, "--save-events"];
    let mut texts = String::new();
    for name in ["saved.txt", "saved", "nowhere/saved.h5"] {
        texts += &verify(files.iter().copied().chain([scratch.path(name).as_str()]))?
            .refusal(&scratch)?;
    }
    let siamese = ["--model", "golden/siamese/model.h5", "--events", "golden/siamese/events.h5"];
    let npy = scratch.path("saved.npy");
    texts += &verify(siamese.into_iter().chain(["--save-events", &npy]))?.refusal(&scratch)?;
    texts += &verify(files.into_iter().chain([EVENTS]))?.refusal(&scratch)?;
    texts += &verify(siamese.into_iter().chain(["--max-saved", "3"]))?.refusal(&scratch)?;
    let trace = ["trace", "--only-differing", "--semantics", "qkeras", "--out"];
    let out = scratch.path("t.h5");
    texts += &verify(trace.into_iter().chain([out.as_str()]).chain(siamese))?.refusal(&scratch)?;
    assert_snapshot!(texts);
    assert_eq!(scratch.names()?, Vec::<String>::new());
    Ok(())
}

#[test]
fn a_word_about_what_was_saved() -> TestResult {
    let scratch = Scratch::new()?;
    let out = scratch.path("saved.dat");
    let saved = |flags: &[&str]| -> Result<String, Failure> {
        let files = ["--model", "golden/jet_mlp/model.h5", "--events", "golden/jet_mlp/events.h5"];
        let ran = verify(files.iter().chain(&["--save-events", &out]).chain(flags))?;
        assert_eq!(ran.stderr, "");
        let last = ran.stdout.lines().last().unwrap_or_default();
        Ok(scratch.redact(last) + "\n")
    };
    let mut lines = saved(&[])?;
    assert_eq!(fs::read_to_string(&out)?.lines().count(), 110);
    lines += &saved(&["--max-saved", "7"])?;
    assert_eq!(fs::read_to_string(&out)?.lines().count(), 7);
    lines += &saved(&["--max-events", "2"])?;
    lines += &saved(&["--target", "proxy:sat"])?;
    assert_eq!(fs::read_to_string(&out)?, "");
    let trace = ["trace", "--model", "golden/jet_mlp/model.h5", "--events"];
    let flags = ["golden/jet_mlp/events.h5", "--semantics", "proxy:wrap", "--only-differing"];
    let out = scratch.path("t.h5");
    let traced = verify(trace.into_iter().chain(flags).chain(["--out", &out]))?;
    lines += &scratch.redact(&traced.stdout);
    assert_snapshot!(lines);
    Ok(())
}
