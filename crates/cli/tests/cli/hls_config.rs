//! `--hls-config`: what it changes, and what is said of a configuration that cannot be followed.

use std::fs;

use insta::assert_snapshot;

use crate::support::{EVENTS, MODEL, Scratch, TestResult, testvectors, verify};

const SOFTMAX: [&str; 8] = [
    "--model",
    "hls_config/softmax.h5",
    "--events",
    "hls_config/softmax.events.h5",
    "--reference",
    "proxy",
    "--target",
    "hls4ml",
];

/// The report names the file, and so does the command that it ends with.
#[test]
fn a_comparison_under_a_configuration() -> TestResult {
    let flags = ["--hls-config", "hls_config/by_name.yml"];
    let ran = verify(SOFTMAX.iter().chain(&flags))?;
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), ""));
    assert_snapshot!(ran.stdout);
    Ok(())
}

/// An output that hls4ml takes out is its argument, and the report says so.
#[test]
fn a_softmax_that_is_skipped() -> TestResult {
    let ran = verify(SOFTMAX.iter().chain(&["--hls-config", "hls_config/skip.yml"]))?;
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), ""));
    assert!(
        ran.stdout.contains("hls4ml, layer soft: the configuration says skip"),
        "{}",
        ran.stdout
    );
    Ok(())
}

/// Reports for machines and the event's explanation name it too.
#[test]
fn files_say_which_configuration() -> TestResult {
    let scratch = Scratch::new()?;
    let config = ["--hls-config", "hls_config/latency.yml"];
    let outputs: Vec<String> =
        ["json", "xml", "md"].iter().map(|kind| scratch.path(&format!("r.{kind}"))).collect();
    let files = ["--json", &outputs[0], "--junit", &outputs[1], "--markdown", &outputs[2]];
    let ran = verify(SOFTMAX.iter().chain(&config).chain(&files))?;
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), ""));
    let json: serde_json::Value = serde_json::from_str(&fs::read_to_string(&outputs[0])?)?;
    assert_eq!(json["hls_config"]["path"], config[1]);
    for file in &outputs[1..] {
        assert!(fs::read_to_string(file)?.contains(config[1]), "{file}");
    }
    let ran = verify(["explain", "--event", "3"].iter().chain(&SOFTMAX).chain(&config))?;
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert!(ran.stdout.contains("hls4ml   hls_config/latency.yml (sha256"), "{}", ran.stdout);
    Ok(())
}

/// `--types` of both subcommands that have it, under a configuration and without.
#[test]
fn types_under_a_configuration() -> TestResult {
    let scratch = Scratch::new()?;
    let (out, types) = (scratch.path("t.h5"), scratch.path("t.json"));
    let flags = ["trace", "--semantics", "hls4ml", "--out", &out, "--types", &types];
    let config = ["--hls-config", "hls_config/stable_tables.yml"];
    let ran = verify(flags.iter().chain(&SOFTMAX[..4]).chain(&config))?;
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let written: serde_json::Value = serde_json::from_str(&fs::read_to_string(&types)?)?;
    assert_eq!(written["soft"]["accum_t"], "ufixed<16,4,RND,SAT,0>");

    let model = ["--model", "golden/jet_softmax/model.h5"];
    let config = scratch.path("c.yml");
    fs::write(&config, "LayerType: {Softmax: {accum_t: 'fixed<20,4>'}}")?;
    let flags = ["proxy", "--types", &types, "--hls-config", &config];
    let ran = verify(flags.iter().chain(&model))?;
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let written = fs::read_to_string(&types)?;
    assert!(written.contains("\"accum_t\": \"fixed<20,4,TRN,WRAP,0>\""), "{written}");
    Ok(())
}

/// What cannot be followed is said with its line and with what can.
#[test]
fn configurations_that_cannot_be_followed() -> TestResult {
    let scratch = Scratch::new()?;
    let config = scratch.path("c.yml");
    let mut texts = String::new();
    for text in [
        "Model: {Precision: 'fixed<16,6>'",
        "Model:\n  Precision: fixed<16,6>\n  Reuse: 1\n",
        "Model: {Precision: 'fixed<16>'}",
        "Backend: Quartus\nHLSConfig: {Model: {Precision: 'fixed<16,6>'}}",
        "IOType: io_serial",
        "LayerName: {soft: {Implementation: fast}}",
        "LayerName: {soft: {table_t: 'ac_fixed<18,8,true>'}}",
        "LayerName: {soft: {TableSize: many}}",
        "LayerName: {soft: {inv_table_size: 100}}",
        "Model: {Precision: {result: 'fixed<16,6>'}}",
    ] {
        fs::write(&config, text)?;
        texts += &verify(SOFTMAX.iter().chain(&["--hls-config", &config]))?.refusal(&scratch)?;
    }
    fs::write(&config, [0xff_u8, 0xfe])?;
    texts += &verify(SOFTMAX.iter().chain(&["--hls-config", &config]))?.refusal(&scratch)?;
    texts += &verify(SOFTMAX.iter().chain(&["--hls-config", "no.yml"]))?.refusal(&scratch)?;
    assert_snapshot!(texts);
    Ok(())
}

/// A layer that the proxy does not have is no error to hls4ml, so it is a warning.
#[test]
fn layers_that_are_not_there() -> TestResult {
    let scratch = Scratch::new()?;
    let config = scratch.path("c.yml");
    fs::write(&config, "LayerName: {sotf: {TableSize: 256}, soft: {TableSize: 256}}")?;
    let ran = verify(SOFTMAX.iter().chain(&["--hls-config", &config]))?;
    let warnings: Vec<&str> =
        ran.stdout.lines().filter(|line| line.starts_with("warning  hls4ml")).collect();
    assert_eq!(warnings.len(), 1, "{}", ran.stdout);
    assert!(warnings[0].contains("layer sotf: the configuration names this layer"), "{warnings:?}");
    Ok(())
}

/// Where no leg is run by it, and where an output would replace it.
#[test]
fn contradictions() -> TestResult {
    let scratch = Scratch::new()?;
    let config = scratch.path("c.yml");
    let text = fs::read(testvectors().join("hls_config/skip.yml"))?;
    fs::write(&config, &text)?;
    let files = ["--model", MODEL, "--events", EVENTS, "--hls-config", &config];
    let mut texts = verify(files)?.refusal(&scratch)?;
    let trace = ["trace", "--semantics", "proxy:sat", "--out", "no.h5"];
    texts += &verify(trace.iter().chain(&files))?.refusal(&scratch)?;
    texts += &verify(["explain", "--event", "0"].iter().chain(&files))?.refusal(&scratch)?;
    let bench = ["bench", "--model", MODEL, "--hls-config", &config];
    texts += &verify(bench)?.refusal(&scratch)?;
    let output = ["--target", "hls4ml:sat", "--json", &config];
    texts += &verify(files.iter().chain(&output))?.refusal(&scratch)?;
    let proxy = ["proxy", "--model", MODEL, "--hls-config", &config];
    texts += &verify(proxy.iter().chain(&["--types", &config]))?.refusal(&scratch)?;
    texts += &verify(proxy)?.refusal(&scratch)?;
    assert_snapshot!(texts);
    assert_eq!(fs::read(&config)?, text);
    Ok(())
}
