//! The golden cases, made by running real QKeras and HGQ: every layer of every leg, bit for bit.

use std::path::{Path, PathBuf};

use bittrue_io::{EventOptions, read_datasets};
use bittrue_proxy::Mode;
use bittrue_record::Comparison;
use bittrue_verify::{Leg, LoadedModel, Progress, TraceConfig, VerifyConfig, trace, verify};
use serde_json::Value;

const CASES: [&str; 10] = [
    "a_leaky",
    "jet_mlp",
    "jet_softmax",
    "keep_negative0",
    "merges",
    "multi-branch",
    "sig_keras",
    "siamese",
    "skip_add",
    "standalone_io",
];

struct Silent;

impl Progress for Silent {
    fn start(&self, _: u64) {}
    fn advance(&self, _: u64) {}
    fn stop(&self) -> bool {
        false
    }
}

fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testvectors/golden").join(name)
}

fn facts(name: &str) -> Value {
    let text = std::fs::read_to_string(case(name).join("case.json")).expect("case.json");
    serde_json::from_str(&text).expect("JSON")
}

fn compare(name: &str) -> Vec<Comparison> {
    let config = VerifyConfig {
        model: case(name).join("model.h5"),
        events: case(name).join("events.h5"),
        options: EventOptions::default(),
        reference: Leg::Qkeras,
        targets: vec![Leg::ProxySat, Leg::ProxyWrap],
        input_types: Vec::new(),
        strict_layers: false,
        hash: false,
    };
    verify(&config, &Silent).expect(name).comparisons
}

/// Elements compared, and how many of them carry a band.
fn trace_equals(name: &str, leg: Leg, group: &str) -> (usize, usize) {
    let directory = tempfile::tempdir().expect("a directory");
    let out = directory.path().join("trace.h5");
    let config = TraceConfig {
        model: case(name).join("model.h5"),
        events: case(name).join("events.h5"),
        options: EventOptions::default(),
        leg,
        input_types: Vec::new(),
        out: out.clone(),
    };
    trace(&config, &Silent).expect(name);
    let values = read_datasets(&out, "layers").expect("layers");
    let bands = read_datasets(&out, "bands").unwrap_or_default();
    let expected = read_datasets(&case(name).join("expected.h5"), group).expect("expected values");
    assert!(!expected.is_empty());
    let (mut elements, mut banded) = (0, 0);
    for (layer, expected) in &expected {
        let (_, values) =
            values.iter().find(|(n, _)| n == layer).unwrap_or_else(|| panic!("{name}: {layer}"));
        assert_eq!(values.shape(), expected.shape(), "{name} {leg} {layer}");
        let band = bands.iter().find(|(n, _)| n == layer).map(|(_, b)| b);
        for (i, (&v, &e)) in values.iter().zip(expected).enumerate() {
            elements += 1;
            let at = |end: usize| band.map_or(v, |b| b.as_slice().expect("C order")[2 * i + end]);
            let (lo, hi) = (at(0), at(1));
            if lo < hi {
                banded += 1;
                assert!(
                    (lo..=hi).contains(&e),
                    "{name} {leg} {layer} element {i}: {e} not in [{lo}, {hi}]"
                );
            } else {
                let same = v == e || (v.is_nan() && e.is_nan());
                assert!(same, "{name} {leg} {layer} element {i}: {v}, expected {e}");
            }
        }
    }
    (elements, banded)
}

#[test]
fn traces_equal_the_real_software() {
    for name in CASES {
        for (leg, group) in
            [(Leg::Qkeras, "qkeras"), (Leg::ProxySat, "proxy_sat"), (Leg::ProxyWrap, "proxy_wrap")]
        {
            let (elements, banded) = trace_equals(name, leg, group);
            println!("{name} {leg}: {elements} elements, {banded} with a band");
            // The float32 kernels of sigmoid, tanh and softmax are reproduced, so nothing here
            // needs a band.
            assert_eq!(banded, 0, "{name} {leg}");
        }
    }
}

#[test]
fn counts_equal_the_real_software() {
    for name in CASES {
        let facts = facts(name);
        for c in compare(name) {
            let pair = match c.target.as_str() {
                "proxy:sat" => "qkeras_vs_proxy_sat",
                _ => "qkeras_vs_proxy_wrap",
            };
            let expected = facts["differing_events"][pair].as_u64().expect("a count");
            assert_eq!(c.events_differing, expected, "{name} {}", c.target);
            let per_layer = &facts["differing_events_per_layer"][pair];
            for layer in &c.layers {
                let expected = per_layer[&layer.name].as_u64().unwrap_or(0);
                assert_eq!(layer.events_differing, expected, "{name} {} {}", c.target, layer.name);
            }
        }
    }
}

#[test]
fn proxy_nodes_have_the_names_that_hgq_gives() {
    for name in CASES {
        let facts = facts(name);
        let loaded = LoadedModel::open(&case(name).join("model.h5")).expect(name);
        for (mode, key) in [(Mode::Sat, "sat"), (Mode::Wrap, "wrap")] {
            let proxy = loaded.convert(mode).expect(name);
            for call in loaded.model.call_ids() {
                let layer = loaded.model.call_name(call);
                let Some(expected) = facts["alignment"][key][&layer][0].as_str() else { continue };
                let aligned = proxy.aligned[call.0].expect("on a path to an output");
                assert_eq!(proxy.model.call_name(aligned), expected, "{name} {key} {layer}");
            }
        }
    }
}

/// The numbers of the wrapping input quantizer, and what follows from it.
#[test]
fn jet_mlp_wraps_at_its_input() {
    let comparisons = compare("jet_mlp");
    let wrap = comparisons.iter().find(|c| c.target == "proxy:wrap").expect("the wrapping proxy");
    let layer = |name: &str| wrap.layers.iter().find(|l| l.name == name).expect("a layer");
    let q_in = layer("q_in");
    assert_eq!(q_in.own_mismatches, Some(658));
    assert_eq!(q_in.mismatches, 658);
    assert_eq!(q_in.elements, 6_400);
    assert_eq!(q_in.events_differing, 110);
    assert_eq!(q_in.max_abs_diff, 15.984375);
    assert_eq!(q_in.max_lsb_diff, Some(1_023.0));
    assert_eq!(
        q_in.result_t.map(|t| t.to_string()).as_deref(),
        Some("ap_fixed<10,4,RND_CONV,WRAP>")
    );
    assert_eq!(layer("relu1").inherited_mismatches, Some(3_825));
    for other in wrap.layers.iter().filter(|l| l.name != "q_in") {
        assert_eq!(other.own_mismatches, Some(0), "{}", other.name);
    }
    assert_eq!(wrap.first_layer.as_deref(), Some("q_in"));
    // The accumulator types are those that hls4ml derives for its exact arithmetic.
    let text = |name: &str| layer(name).result_t.map(|t| t.to_string());
    assert_eq!(text("fc1").as_deref(), Some("ap_fixed<18,7,TRN,WRAP>"));
    assert_eq!(text("fc2").as_deref(), Some("ap_fixed<15,4,TRN,WRAP>"));
}

/// A report has the same bytes whatever the number of threads.
#[test]
fn threads_do_not_show() {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| serde_json::to_string(&compare("merges")).expect("JSON"))
    };
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one, run(7));
}
