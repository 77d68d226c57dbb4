//! Small proxies made by hand, for what no golden case has: types of all, and the simulation of some.

use std::path::{Path, PathBuf};

use bittrue_io::{EventOptions, read_datasets};
use bittrue_proxy::{HlsConfig, firmware_types};
use bittrue_verify::{Leg, LoadedModel, TraceConfig, Unwatched, trace};
use serde_json::{Map, Value};

use super::hls4ml_types::equal;

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testvectors/hls4ml")
}

/// The names of all cases that have a file with this ending.
fn cases(ending: &str) -> Vec<String> {
    let entries = std::fs::read_dir(directory()).expect("the directory");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .filter_map(|name| name.strip_suffix(ending).map(str::to_owned))
        .collect();
    names.sort();
    names
}

pub(super) fn file(name: &str, ending: &str) -> PathBuf {
    directory().join(format!("{name}{ending}"))
}

#[test]
fn types_equal_those_of_hls4ml() {
    let names = cases(".types.json");
    assert_eq!(names.len(), 35);
    for name in &names {
        let expected = std::fs::read_to_string(file(name, ".types.json")).expect(name);
        let model = LoadedModel::open(&file(name, ".h5")).expect(name).model;
        let found =
            firmware_types(&model, &HlsConfig::default()).unwrap_or_else(|e| panic!("{name}: {e}"));
        // What quantizers have left is not in these files.
        let mut found: Map<String, Value> = serde_json::from_str(&found.to_json()).expect(name);
        for node in found.values_mut().filter_map(Value::as_object_mut) {
            node.remove("quantizer");
        }
        let found = serde_json::to_string(&found).expect(name);
        equal(name, &expected, &found);
    }
}

/// Every output of every event.
#[test]
fn outputs_equal_the_c_simulation() {
    let names = cases(".out.h5");
    assert_eq!(names.len(), 20);
    for name in &names {
        let scratch = tempfile::tempdir().expect("a directory");
        let out = scratch.path().join("trace.h5");
        let config = TraceConfig {
            model: file(name, ".h5"),
            proxy: None,
            hls_config: None,
            events: vec![file(name, ".events.h5")],
            options: EventOptions::default(),
            leg: Leg::Hls4ml,
            input_types: Vec::new(),
            out: out.clone(),
        };
        trace(&config, &Unwatched).unwrap_or_else(|e| panic!("{name}: {e}"));
        let model = LoadedModel::open(&file(name, ".h5")).expect(name).model;
        let values = read_datasets(&out, "layers").expect("layers");
        let expected = read_datasets(&file(name, ".out.h5"), "out").expect("expected values");
        for (n, &output) in model.outputs.iter().enumerate() {
            let layer = model.call_name(output);
            let (_, found) = values.iter().find(|(name, _)| *name == layer).expect(&layer);
            let (_, expected) =
                expected.iter().find(|(name, _)| *name == n.to_string()).expect("an output");
            assert_eq!(found.len(), expected.len(), "{name} {layer}");
            assert!(found.iter().eq(expected.iter()), "{name} {layer}");
        }
    }
}
