//! A reference that is not one number everywhere: a float32 sum of more than 24 bits.

mod levels;

use std::path::{Path, PathBuf};

use bittrue_io::{EventOptions, read_datasets};
use bittrue_record::{AuditClass, Comparison};
use bittrue_verify::{
    Beside, Leg, LoadedModel, Session, TraceConfig, Unwatched, VerifyConfig, trace, verify,
};
use ndarray::ArrayD;

fn vectors(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testvectors").join(file)
}

fn compare(options: EventOptions) -> Vec<Comparison> {
    let config = VerifyConfig {
        traces: Vec::new(),
        model: vectors("models/wide_sum/model.h5"),
        proxy: None,
        hls_config: None,
        events: vec![vectors("models/wide_sum/events.h5")],
        options,
        reference: Leg::Qkeras,
        targets: vec![Leg::ProxySat, Leg::ProxyWrap],
        input_types: Vec::new(),
        strict_layers: false,
        hash: false,
    };
    verify(&config, &Unwatched).expect("a report").comparisons
}

/// Each layer's values, and its bands `[.., 2]` where it has any.
type Traced = Vec<(String, ArrayD<f64>, Option<ArrayD<f64>>)>;

fn traced() -> Traced {
    let directory = tempfile::tempdir().expect("a directory");
    let config = TraceConfig {
        model: vectors("models/wide_sum/model.h5"),
        proxy: None,
        hls_config: None,
        events: vec![vectors("models/wide_sum/events.h5")],
        options: EventOptions::default(),
        leg: Leg::Qkeras,
        input_types: Vec::new(),
        out: directory.path().join("trace.h5"),
    };
    trace(&config, &Unwatched).expect("a trace");
    let bands = read_datasets(&config.out, "bands").expect("bands");
    let layers = read_datasets(&config.out, "layers").expect("layers").into_iter();
    layers
        .map(|(name, values)| {
            let band = bands.iter().find(|(n, _)| *n == name).map(|(_, band)| band.clone());
            (name, values, band)
        })
        .collect()
}

/// The elements of a layer that have a band, in order.
fn banded(values: &ArrayD<f64>, band: Option<&ArrayD<f64>>) -> Vec<Option<(f64, f64)>> {
    let Some(band) = band else { return vec![None; values.len()] };
    let ends = band.as_slice().expect("C order").chunks_exact(2);
    ends.map(|ends| (ends[0] < ends[1]).then_some((ends[0], ends[1]))).collect()
}

#[test]
fn the_real_values_are_the_traced_ones_or_in_their_bands() {
    let expected =
        read_datasets(&vectors("models/wide_sum/expected.h5"), "qkeras").expect("values");
    let traced = traced();
    assert_eq!(traced.len(), expected.len());
    for (name, values, band) in &traced {
        let (_, expected) = expected.iter().find(|(n, _)| n == name).expect("the layer");
        assert_eq!(values.shape(), expected.shape(), "{name}");
        let bands = banded(values, band.as_ref());
        for (i, ((&v, &e), band)) in values.iter().zip(expected).zip(bands).enumerate() {
            match band {
                Some((lo, hi)) => {
                    assert!((lo..=hi).contains(&e), "{name} {i}: {e} not in [{lo}, {hi}]");
                }
                None => assert_eq!(v, e, "{name} {i}"),
            }
        }
    }
}

#[test]
fn the_report_counts_the_bands_of_the_trace() {
    let traced = traced();
    for comparison in compare(EventOptions::default()) {
        let target = &comparison.target;
        let classes = comparison.layers.iter().map(|l| (l.name.as_str(), l.reference.class));
        assert_eq!(
            classes.collect::<Vec<_>>(),
            [
                ("q_in", AuditClass::Exact),
                ("wide", AuditClass::OrderDependent),
                ("relu", AuditClass::OrderDependent),
                ("inside", AuditClass::ExactOnTheseEvents),
            ],
            "{target}"
        );
        for layer in &comparison.layers {
            let (_, values, band) =
                traced.iter().find(|(name, ..)| *name == layer.name).expect("the layer");
            let bands = banded(values, band.as_ref()).into_iter().flatten().count() as u64;
            assert_eq!(layer.reference.order_dependent, bands, "{target} {}", layer.name);
            assert_eq!(layer.reference.function_inexact, 0, "{target} {}", layer.name);
            // Some of the sum's elements are short enough for float32.
            assert!(layer.name != "wide" || (1..layer.elements).contains(&bands), "{bands}");
        }
    }
}

/// The quantizer behind the sum is computed on integers, but what it rounds is not proven.
#[test]
fn a_quantizer_proves_nothing_of_what_it_rounds() {
    let few = EventOptions { max_events: Some(32), ..EventOptions::default() };
    for comparison in compare(few) {
        let relu = comparison.layers.iter().find(|l| l.name == "relu").expect("the relu");
        assert_eq!(relu.reference.class, AuditClass::ExactOnTheseEvents);
        assert_eq!(relu.reference.order_dependent, 0);
    }
}

fn unproven(file: &str) -> Vec<String> {
    let loaded = LoadedModel::open(&vectors(file)).expect(file);
    let session =
        Session::new(loaded, Beside::default(), Leg::Qkeras, &[], Vec::new()).expect(file);
    let model = &session.loaded.model;
    let calls = session.calls.iter().filter(|c| !session.proven[c.0]);
    calls.map(|&c| model.call_name(c)).collect()
}

#[test]
fn what_is_proven_ends_where_float32_begins() {
    assert_eq!(unproven("models/wide_sum/model.h5"), ["wide", "relu", "inside"]);
    // Sums with an activation inside the layer, merges, two inputs, shared layers.
    for file in ["jet_mlp", "keep_negative0", "skip_add", "siamese", "a_leaky"] {
        assert!(unproven(&format!("golden/{file}/model.h5")).is_empty(), "{file}");
    }
    assert_eq!(unproven("golden/jet_softmax/model.h5"), ["softmax"]);
}
