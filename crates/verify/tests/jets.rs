//! The demo jets, as they are and times 16, against the counts of a real HGQ run.

mod levels;

use std::path::{Path, PathBuf};

use bittrue_io::EventOptions;
use bittrue_record::{Comparison, Report};
use bittrue_verify::{InputType, Leg, Unwatched, VerifyConfig, verify};
use ndarray::Array2;
use serde_json::Value;

fn jets(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testvectors/jets").join(file)
}

fn run(events: PathBuf, input_types: Vec<(Option<String>, InputType)>) -> Report {
    let config = VerifyConfig {
        traces: Vec::new(),
        model: jets("model.h5"),
        proxy: None,
        hls_config: None,
        events: vec![events],
        options: EventOptions::default(),
        reference: Leg::Qkeras,
        targets: vec![Leg::ProxySat, Leg::ProxyWrap],
        input_types,
        strict_layers: false,
        hash: false,
    };
    verify(&config, &Unwatched).expect("a report")
}

fn check(comparisons: &[Comparison], counts: &str) {
    let text = std::fs::read_to_string(jets(counts)).expect("the counts");
    let expected: Value = serde_json::from_str(&text).expect("JSON");
    for (c, key) in comparisons.iter().zip(["qkeras_vs_proxy_sat", "qkeras_vs_proxy_wrap"]) {
        let expected = &expected[key];
        assert_eq!(
            Some(c.events_differing),
            expected["differing_events"].as_u64(),
            "{counts} {key}"
        );
        assert_eq!(c.first_layer.as_deref(), expected["first_differing_layer"].as_str());
        for layer in &c.layers {
            let expected = expected["differing_events_per_layer"][&layer.name].as_u64();
            assert_eq!(Some(layer.events_differing), expected, "{counts} {key} {}", layer.name);
        }
    }
}

#[test]
fn demo_jets() {
    let report = run(jets("events.h5"), Vec::new());
    assert_eq!(report.events.count, 12_000);
    check(&report.comparisons, "expected_counts.json");
}

/// The events times a factor, in a file of their own.
fn scaled(directory: &Path, factor: f32) -> PathBuf {
    let source = hdf5::File::open(jets("events.h5")).expect("the events");
    let events: Array2<f32> = source.dataset("events").expect("events").read_2d().expect("floats");
    let path = directory.join("scaled.h5");
    let file = hdf5::File::create(&path).expect("a file");
    let scaled = events * factor;
    file.new_dataset_builder().with_data(&scaled).create("events").expect("a dataset");
    path
}

#[test]
fn scaled_jets_wrap_at_the_input() {
    let directory = tempfile::tempdir().expect("a directory");
    let report = run(scaled(directory.path(), 16.0), Vec::new());
    check(&report.comparisons, "scaled16_expected.json");
}

/// An input cast that is wide enough changes nothing; one that is too narrow is blamed itself.
#[test]
fn input_types_are_layers_of_their_own() {
    let wide = "ap_fixed<24,8>".parse().expect("a type");
    let report = run(jets("events.h5"), vec![(None, InputType::Fixed(wide))]);
    // The jets are not on this grid, but the cast is far finer than the quantizer behind it.
    let input = &report.comparisons[0].layers[0];
    assert_eq!(input.class, "InputLayer");
    assert!(input.own_mismatches.is_some_and(|n| n > 0), "{input:?}");
    assert!(input.max_lsb_diff.is_some_and(|d| d < 1.0));
    let narrow = "ap_fixed<8,4>".parse().expect("a type");
    let report = run(jets("events.h5"), vec![(None, InputType::Fixed(narrow))]);
    let sat = &report.comparisons[0];
    assert_eq!(sat.first_layer.as_deref(), Some(sat.layers[0].name.as_str()));
    assert!(sat.events_differing > 1_000, "truncation of the input moves outputs");
    // The jets are arbitrary float32 numbers: no type of 32 bits holds them.
    let config = VerifyConfig {
        traces: Vec::new(),
        model: jets("model.h5"),
        proxy: None,
        hls_config: None,
        events: vec![jets("events.h5")],
        options: EventOptions::default(),
        reference: Leg::Qkeras,
        targets: vec![Leg::ProxySat],
        input_types: vec![(None, InputType::Auto)],
        strict_layers: false,
        hash: false,
    };
    let error = verify(&config, &Unwatched).expect_err("too many bits");
    assert_eq!(error.kind(), bittrue_verify::ErrorKind::Events);
}
