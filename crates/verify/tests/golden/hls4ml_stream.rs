//! `io_stream`: types and outputs as the real hls4ml streams proxies, and what it cannot stream.

use std::fs;
use std::path::{Path, PathBuf};

use bittrue_io::{EventOptions, read_datasets};
use bittrue_proxy::{HlsConfig, firmware_types};
use bittrue_verify::{ErrorKind, Leg, LoadedModel, TraceConfig, Unwatched, trace};
use serde_json::{Map, Value};

use super::hls4ml_types::equal;

fn testvectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testvectors")
}

/// Cases with a file of this ending.
fn cases(ending: &str) -> Vec<String> {
    let entries = fs::read_dir(testvectors().join("hls_stream")).expect("the directory");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .filter_map(|name| name.strip_suffix(ending).map(str::to_owned))
        .collect();
    names.sort();
    names
}

/// A file of a case; models and events may be those of the arrays.
fn file(name: &str, ending: &str) -> PathBuf {
    let own = testvectors().join("hls_stream").join(format!("{name}{ending}"));
    match own.exists() {
        true => own,
        false => testvectors().join("hls4ml").join(format!("{name}{ending}")),
    }
}

fn streamed() -> HlsConfig {
    HlsConfig::parse("IOType: io_stream").expect("a configuration")
}

/// The types of a proxy, without what quantizers have left, or why there are none.
fn types(model: &Path) -> Result<String, String> {
    let model = LoadedModel::open(model).expect("a proxy").model;
    let found = firmware_types(&model, &streamed()).map_err(|e| e.to_string())?.to_json();
    let mut found: Map<String, Value> = serde_json::from_str(&found).expect("JSON");
    for node in found.values_mut().filter_map(Value::as_object_mut) {
        node.remove("quantizer");
    }
    Ok(serde_json::to_string(&found).expect("JSON"))
}

#[test]
fn types_equal_those_of_hls4ml() {
    let names = cases(".types.json");
    assert_eq!(names.len(), 21);
    for name in &names {
        let expected = fs::read_to_string(file(name, ".types.json")).expect(name);
        let found = types(&file(name, ".h5")).unwrap_or_else(|e| panic!("{name}: {e}"));
        equal(name, &expected, &found);
    }
}

/// All other proxies: the types, or that hls4ml converts them for arrays only.
#[test]
fn types_of_the_golden_cases() {
    let text = fs::read_to_string(testvectors().join("hls_stream/types_of_others.json"));
    let all: Map<String, Value> = serde_json::from_str(&text.expect("the file")).expect("JSON");
    let mut refused = 0;
    for (path, expected) in &all {
        let found = types(&testvectors().join(path));
        match (expected, found) {
            (Value::String(_), Err(_)) => refused += 1,
            (Value::String(said), Ok(_)) => panic!("{path}: hls4ml refuses it: {said}"),
            // What the C++ does not come through.
            (_, Err(why)) if why.contains("C++") => refused += 1,
            (_, Err(why)) => panic!("{path}: {why}"),
            (expected, Ok(found)) => {
                equal(path, &expected.to_string(), &found);
            }
        }
    }
    assert_eq!((all.len(), refused), (84, 23));
}

/// Every output of every event.
#[test]
fn outputs_equal_the_c_simulation() {
    let names = cases(".out.h5");
    assert_eq!(names.len(), 21);
    for name in &names {
        let out = run(name).unwrap_or_else(|e| panic!("{name}: {e}"));
        let model = LoadedModel::open(&file(name, ".h5")).expect(name).model;
        let expected = read_datasets(&file(name, ".out.h5"), "out").expect("expected values");
        for (n, &output) in model.outputs.iter().enumerate() {
            let layer = model.call_name(output);
            let (_, found) = out.iter().find(|(name, _)| *name == layer).expect(&layer);
            let (_, expected) =
                expected.iter().find(|(name, _)| *name == n.to_string()).expect("an output");
            assert_eq!(found.len(), expected.len(), "{name} {layer}");
            assert!(found.iter().eq(expected.iter()), "{name} {layer}");
        }
    }
}

/// The layers of a case.
fn run(name: &str) -> Result<Vec<(String, ndarray::ArrayD<f64>)>, bittrue_verify::Error> {
    let scratch = tempfile::tempdir().expect("a directory");
    let (out, config) = (scratch.path().join("trace.h5"), scratch.path().join("config.yml"));
    fs::write(&config, "IOType: io_stream\n").expect("written");
    let config = TraceConfig {
        model: file(name, ".h5"),
        proxy: None,
        hls_config: Some(config),
        events: vec![file(name, ".events.h5")],
        options: EventOptions::default(),
        leg: Leg::Hls4ml,
        input_types: Vec::new(),
        out: out.clone(),
    };
    trace(&config, &Unwatched)?;
    Ok(read_datasets(&out, "layers").expect("layers"))
}

/// What hls4ml refuses, and what its C++ aborts on or leaves data of in its streams.
#[test]
fn what_cannot_be_streamed_is_refused() {
    let names = cases(".refused.txt");
    assert_eq!(names.len(), 6);
    for name in &names {
        let error = run(name).expect_err(name);
        assert_eq!(error.kind(), ErrorKind::Conversion, "{name}: {error}");
        assert!(error.help().is_some_and(|h| h.contains("io_parallel")), "{name}: {error}");
    }
}
