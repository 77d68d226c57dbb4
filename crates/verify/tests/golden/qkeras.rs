//! QKeras models, their reference and the proxies that are built from them.

use bittrue_proxy::Mode;
use bittrue_verify::{Leg, LoadedModel};

use super::support::{case, compare, facts, trace_equals};

/// Cases in which no element needs a band: the float32 kernels of sigmoid, tanh, ELU and softmax are
/// reproduced, and whether a float32 sum is exact is decided per event.
const CERTAIN: [&str; 36] = [
    "../images/golden",
    "a_leaky",
    "conv1d_ap",
    "conv2d_mp",
    "conv_bn",
    "conv_bn_relu8",
    "conv_causal",
    "conv_causal_stride",
    "conv_dilated",
    "conv_dilated_same",
    "edge_floats",
    "jet_mlp",
    "jet_softmax",
    "keep_negative0",
    "kernel_auto_po2",
    "kernel_auto_raw",
    "merges",
    "mixed_scale",
    "multi-branch",
    "nested",
    "permute",
    "permute_flatten",
    "permute_named_perm",
    "permute_quantized",
    "permute_two_consumers",
    "po2_kernels_shared",
    "pool_mix",
    "raw_and_quantized_input",
    "raw_input",
    "siamese",
    "sig_keras",
    "skip_add",
    "standalone_io",
    "syn_qkeras",
    "three_levels",
    "two_inputs",
];

/// Cases with layers whose real values are not one number, and these layers: normalisations that
/// TensorFlow does not fuse, and sums of products with an arbitrary float32 scale.
const BANDED: [(&str, &[&str]); 3] = [
    ("bn", &["bn"]),
    ("conv_bn8", &["bn12"]),
    ("kernel_auto", &["c_auto", "cat", "d_07", "d_auto", "fl", "out_auto", "out_num"]),
];

const LEGS: [(Leg, &str); 3] =
    [(Leg::Qkeras, "qkeras"), (Leg::ProxySat, "proxy_sat"), (Leg::ProxyWrap, "proxy_wrap")];

fn every_case() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    CERTAIN.into_iter().map(|name| (name, [].as_slice())).chain(BANDED)
}

#[test]
fn traces_equal_the_real_software() {
    for (name, may_be_banded) in every_case() {
        for (leg, group) in LEGS {
            let traced = trace_equals(name, "model.h5", None, leg, group);
            println!("{name} {leg}: {} elements, banded {:?}", traced.elements, traced.banded);
            for layer in traced.banded.keys() {
                assert!(may_be_banded.contains(&layer.as_str()), "{name} {leg} {layer}");
            }
        }
    }
}

#[test]
fn counts_equal_the_real_software() {
    for (name, _) in every_case() {
        let facts = facts(name);
        for c in compare(name, None) {
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
    for (name, _) in every_case() {
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
    let comparisons = compare("jet_mlp", None);
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
        pool.install(|| serde_json::to_string(&compare("merges", None)).expect("JSON"))
    };
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one, run(7));
}
