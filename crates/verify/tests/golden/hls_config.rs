//! Proxies converted with configurations (`testvectors/hls_config`): every configuration is a file as a
//! user has it, and hls4ml's types and the simulation's outputs are those under it.

use std::path::{Path, PathBuf};

use bittrue_io::{EventOptions, read_datasets};
use bittrue_proxy::firmware_types;
use bittrue_verify::{Leg, LoadedConfig, LoadedModel, TraceConfig, Unwatched, trace};
use serde_json::{Map, Value};

use super::hls4ml_types::equal;

/// Each configuration with the proxy that was converted with it.
const CASES: [(&str, &str); 23] = [
    ("accum_of_model", "softmax_quantized"),
    ("accum_of_name", "softmax_quantized"),
    ("accum_of_type", "softmax_quantized"),
    ("argmax", "softmax"),
    ("by_model", "softmax"),
    ("by_name", "softmax"),
    ("by_name_latency", "softmax_quantized"),
    ("by_type", "softmax"),
    ("curves_name", "curves"),
    ("curves_tables", "curves"),
    ("latency", "softmax"),
    ("latency_sizes", "softmax"),
    ("legacy", "softmax"),
    ("norm_name", "norm"),
    ("norm_type", "norm"),
    ("poison", "softmax"),
    ("skip", "softmax"),
    ("skip_quantized", "softmax_quantized"),
    ("stable_tables", "softmax"),
    ("two_sizes", "softmax"),
    ("unsigned", "softmax_unsigned"),
    ("unsigned_latency", "softmax_unsigned"),
    ("unsigned_sizes", "softmax_unsigned"),
];

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testvectors/hls_config").join(name)
}

/// Every configuration of the directory is a case.
#[test]
fn no_file_is_left_out() {
    let entries = std::fs::read_dir(file("")).expect("the directory");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .filter_map(|name| name.strip_suffix(".yml").map(str::to_owned))
        .collect();
    names.sort();
    assert_eq!(names, CASES.map(|(name, _)| name));
}

#[test]
fn types_equal_those_of_hls4ml() {
    let mut nodes = 0;
    for (name, proxy) in CASES {
        let config = LoadedConfig::open(&file(&format!("{name}.yml"))).expect(name).config;
        let model = LoadedModel::open(&file(&format!("{proxy}.h5"))).expect(name).model;
        let found = firmware_types(&model, &config).unwrap_or_else(|e| panic!("{name}: {e}"));
        let warned: Vec<&str> = found.warnings().map(|(layer, _)| layer).collect();
        let expected: &[&str] = if name.starts_with("skip") { &["soft"] } else { &[] };
        assert_eq!(warned, expected, "{name}");
        let expected = std::fs::read_to_string(file(&format!("{name}.types.json"))).expect(name);
        // What quantizers have left is not in these files.
        let mut found: Map<String, Value> = serde_json::from_str(&found.to_json()).expect(name);
        for node in found.values_mut().filter_map(Value::as_object_mut) {
            node.remove("quantizer");
        }
        nodes += equal(name, &expected, &serde_json::to_string(&found).expect(name));
    }
    println!("{} configurations, {nodes} nodes", CASES.len());
}

/// Every output of every event.
#[test]
fn outputs_equal_the_c_simulation() {
    let mut elements = 0;
    for (name, proxy) in CASES {
        let scratch = tempfile::tempdir().expect("a directory");
        let out = scratch.path().join("trace.h5");
        let config = TraceConfig {
            model: file(&format!("{proxy}.h5")),
            proxy: None,
            hls_config: Some(file(&format!("{name}.yml"))),
            events: vec![file(&format!("{proxy}.events.h5"))],
            options: EventOptions::default(),
            leg: Leg::Hls4ml,
            input_types: Vec::new(),
            out: out.clone(),
        };
        trace(&config, &Unwatched).unwrap_or_else(|e| panic!("{name}: {e}"));
        let model = LoadedModel::open(&config.model).expect(name).model;
        let values = read_datasets(&out, "layers").expect("layers");
        let expected = read_datasets(&file(&format!("{name}.out.h5")), "out").expect(name);
        assert_eq!(expected.len(), model.outputs.len(), "{name}");
        for (n, &output) in model.outputs.iter().enumerate() {
            let layer = model.call_name(output);
            let (_, found) = values.iter().find(|(name, _)| *name == layer).expect(&layer);
            let (_, expected) =
                expected.iter().find(|(name, _)| *name == n.to_string()).expect("an output");
            assert_eq!(found.len(), expected.len(), "{name} {layer}");
            assert!(found.iter().eq(expected.iter()), "{name} {layer}");
            elements += found.len();
        }
    }
    println!("{} configurations, {elements} elements", CASES.len());
}
