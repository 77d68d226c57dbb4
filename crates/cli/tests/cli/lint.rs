//! `verify lint`, and `--deny` everywhere.

use insta::assert_snapshot;

use crate::support::{EVENTS, MODEL, Scratch, TestResult, verify};

#[test]
fn findings_are_explained() -> TestResult {
    let mut texts = String::new();
    for (model, code) in [
        (MODEL, 0),
        ("golden/mixed_scale/model.h5", 0),
        ("golden/permute_quantized/model.h5", 0),
        ("golden/kernel_auto/model.h5", 0),
        ("golden/raw_input/model.h5", 0),
        ("golden/sep/model.h5", 4),
        ("bad/alpha_unset.h5", 4),
        ("golden/proxy-only/act/proxy.h5", 0),
    ] {
        let ran = verify(["lint", "--model", model])?;
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(code), ""), "{model}");
        texts.push_str(&ran.stdout);
    }
    assert_snapshot!(texts);
    Ok(())
}

/// What is wrong on purpose in the golden cases, where hls4ml or HGQ refuse or differ.
#[test]
fn golden_cases_are_found() -> TestResult {
    for (case, code) in [
        ("conv_causal_stride", "causal-stride"),
        ("conv_dilated", "dilation"),
        ("conv_dilated_same", "dilation"),
        ("jet_softmax", "softmax"),
        ("mixed_scale", "mixed-scale"),
        ("permute_flatten", "permute-flatten"),
        ("permute_named_perm", "layer-name"),
        ("permute_quantized", "permute-flatten"),
        ("permute_two_consumers", "permute-flatten"),
        ("raw_and_quantized_input", "raw-input"),
        ("raw_input", "raw-input"),
        ("sep", "random-kernels"),
        ("sig_keras", "table-activation"),
    ] {
        let model = format!("golden/{case}/model.h5");
        let ran = verify(["lint", "--model", &model, "--deny", code])?;
        assert_eq!(ran.code, Some(4), "{case}: {}", ran.stdout);
        assert!(ran.stderr.contains(&format!("--deny: {code} in layer")), "{}", ran.stderr);
    }
    // Here hls4ml computes what HGQ's proxy does.
    for case in ["a_leaky", "jet_mlp", "nested", "permute", "skip_add", "multi-branch"] {
        let model = format!("golden/{case}/model.h5");
        let ran = verify(["lint", "--model", &model, "--deny", "all"])?;
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{case}: {}", ran.stdout);
    }
    Ok(())
}

#[test]
fn a_proxy_file_is_looked_at_itself() -> TestResult {
    let files = ["--model", "golden/sig_keras/model.h5"];
    let proxy = ["--proxy", "proxies/sig_keras_registered_sat.h5"];
    let ran = verify(["lint"].into_iter().chain(files).chain(proxy))?;
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.contains("narrowed-quantizer"), "{}", ran.stdout);
    let ran = verify(["lint"].into_iter().chain(files))?;
    assert!(!ran.stdout.contains("narrowed-quantizer"), "{}", ran.stdout);
    Ok(())
}

#[test]
fn denied_codes_end_a_run() -> TestResult {
    let scratch = Scratch::new()?;
    let model = ["--model", "golden/raw_input/model.h5"];
    let events = ["--events", "golden/raw_input/events.h5"];
    let run = |deny: &'static [&'static str]| {
        verify(model.into_iter().chain(events).chain(deny.iter().copied()))
    };
    let mut texts = run(&["--deny", "raw-input"])?.refusal(&scratch)?;
    texts += &run(&["--deny", "softmax", "--deny", "all"])?.refusal(&scratch)?;
    texts += &run(&["--deny", "raw"])?.refusal(&scratch)?;
    assert_snapshot!(texts);
    let ran = run(&["--deny", "softmax"])?;
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let ran = verify(["--model", MODEL, "--events", EVENTS, "--deny", "all"])?;
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    Ok(())
}
