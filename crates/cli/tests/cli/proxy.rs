//! `verify proxy`: what it says, what it writes, what it refuses.

use std::fs;

use insta::assert_snapshot;

use crate::support::{EVENTS, MODEL, Scratch, TestResult, verify};

#[test]
fn precisions_of_a_proxy() -> TestResult {
    let ran = verify(["proxy", "--model", MODEL, "--overflow", "sat"])?;
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert_snapshot!(ran.stdout);
    Ok(())
}

/// Tables, an input without a quantizer, a quantizer with more bits than it needs.
#[test]
fn precisions_that_nothing_limits() -> TestResult {
    let mut texts = String::new();
    for model in ["golden/sig_keras/model.h5", "golden/raw_input/model.h5"] {
        let ran = verify(["proxy", "--model", model])?;
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
        texts.push_str(&ran.stdout);
    }
    assert_snapshot!(texts);
    Ok(())
}

#[test]
fn the_written_file_is_the_leg() -> TestResult {
    let scratch = Scratch::new()?;
    let out = scratch.path("proxy.h5");
    for mode in ["sat", "wrap"] {
        let ran = verify(["proxy", "--model", MODEL, "--overflow", mode, "--out", &out])?;
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
        assert!(ran.stdout.ends_with(&format!("Written  {out}\n")), "{}", ran.stdout);
        assert_eq!(scratch.names()?, ["proxy.h5"]);
        let leg = format!("proxy:{mode}");
        let files = ["--model", MODEL, "--proxy", &out, "--events", EVENTS];
        let ran = verify(
            files
                .into_iter()
                .chain(["--reference", &leg, "--strict-layers"])
                .chain(["--target", "proxy"]),
        )?;
        assert_eq!(ran.code, Some(0), "{}", ran.stdout);
    }
    Ok(())
}

/// The JSON beside the proxy and that of a traced leg are what hls4ml derived for the golden case.
#[test]
fn types_are_those_of_hls4ml() -> TestResult {
    let scratch = Scratch::new()?;
    let (out, types, traced) =
        (scratch.path("proxy.h5"), scratch.path("types.json"), scratch.path("traced.json"));
    let parse = |path: &str| -> Result<serde_json::Value, Box<dyn std::error::Error>> {
        Ok(serde_json::from_str(&fs::read_to_string(path)?)?)
    };
    for mode in ["sat", "wrap"] {
        let golden = format!("golden/a_leaky/types_{mode}.json");
        let golden = crate::support::testvectors().join(golden);
        let flags = ["--overflow", mode, "--out", &out, "--types", &types];
        let ran = verify(["proxy", "--model", MODEL].into_iter().chain(flags))?;
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
        assert!(ran.stdout.ends_with(&format!("\nWritten  {out}\n         {types}\n")));
        assert_eq!(parse(&types)?, parse(&golden.to_string_lossy())?);
        // The written proxy gives the same as a leg of its own.
        let ran = verify(
            ["trace", "--model", &out, "--events", EVENTS, "--semantics", "hls4ml"]
                .into_iter()
                .chain(["--out", &scratch.path("trace.h5"), "--types", &traced]),
        )?;
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
        assert_eq!(fs::read(&traced)?, fs::read(&types)?);
    }
    Ok(())
}

/// What hls4ml refuses has no types, and then no proxy is written either.
#[test]
fn types_that_cannot_be() -> TestResult {
    let scratch = Scratch::new()?;
    let precious = scratch.file("precious.json", b"precious")?;
    let out = scratch.path("proxy.h5");
    let mut texts = String::new();
    let model = "golden/raw_input/model.h5";
    texts += &verify(["proxy", "--model", model, "--out", &out, "--types", &precious])?
        .refusal(&scratch)?;
    let nowhere = scratch.path("nowhere/types.json");
    texts += &verify(["proxy", "--model", MODEL, "--out", &out, "--types", &nowhere])?
        .refusal(&scratch)?;
    texts +=
        &verify(["proxy", "--model", MODEL, "--out", &out, "--types", &out])?.refusal(&scratch)?;
    let trace = ["trace", "--model", MODEL, "--events", EVENTS, "--semantics", "proxy:sat"];
    let flags = ["--out", &out, "--types", &precious];
    texts += &verify(trace.into_iter().chain(flags))?.refusal(&scratch)?;
    assert_snapshot!(texts);
    assert_eq!(scratch.names()?, ["precious.json"]);
    assert_eq!(fs::read(&precious)?, b"precious");
    Ok(())
}

/// A model that cannot be converted writes nothing and touches nothing.
#[test]
fn an_unfit_model_writes_no_file() -> TestResult {
    let scratch = Scratch::new()?;
    let precious = scratch.file("precious.h5", b"precious")?;
    let out = scratch.path("new.h5");
    let mut texts = String::new();
    for model in ["bad/alpha_unset.h5", "golden/sep/model.h5", "bad/proxy.h5"] {
        texts += &verify(["proxy", "--model", model, "--out", &out])?.refusal(&scratch)?;
        let ran = verify(["proxy", "--model", model, "--out", &precious])?;
        assert_eq!(ran.code, Some(4), "{}", ran.stderr);
    }
    let model = "golden/bn/model.h5";
    let ran = verify(["proxy", "--model", model, "--register-precisions", "--out", &out])?;
    texts += &ran.refusal(&scratch)?;
    assert_snapshot!(texts);
    assert_eq!(scratch.names()?, ["precious.h5"]);
    assert_eq!(fs::read(&precious)?, b"precious");
    Ok(())
}

#[test]
fn outputs_that_cannot_be() -> TestResult {
    let scratch = Scratch::new()?;
    let model = scratch.file("model.h5", &fs::read(crate::support::testvectors().join(MODEL))?)?;
    let mut texts = String::new();
    for out in [model.as_str(), &scratch.path("nowhere/proxy.h5")] {
        texts += &verify(["proxy", "--model", &model, "--out", out])?.refusal(&scratch)?;
    }
    texts +=
        &verify(["proxy", "--model", MODEL, "--accum-fp-max-offset", "2"])?.refusal(&scratch)?;
    assert_snapshot!(texts);
    assert_eq!(scratch.names()?, ["model.h5"]);
    Ok(())
}
