//! hls4ml's C simulation: every element of every layer that it forms, bit for bit.

use std::collections::BTreeSet;

use bittrue_io::EventOptions;
use bittrue_record::{Comparison, Layer};
use bittrue_verify::{
    Beside, ErrorKind, InputType, Leg, LoadedModel, Session, Unwatched, VerifyConfig, verify,
};

use super::support::{case, facts, own_config, trace_equals};

/// Every case of a QKeras model that hls4ml converts, without its kernels left random.
const CASES: [&str; 33] = [
    "a_leaky",
    "bn",
    "conv1d_ap",
    "conv2d_mp",
    "conv_bn",
    "conv_bn8",
    "conv_bn_relu8",
    "conv_causal",
    "conv_causal_stride",
    "conv_dilated_same",
    "edge_floats",
    "jet_mlp",
    "jet_softmax",
    "keep_negative0",
    "kernel_auto",
    "kernel_auto_po2",
    "kernel_auto_raw",
    "merges",
    "mixed_scale",
    "multi-branch",
    "nested",
    "permute",
    "permute_flatten",
    "permute_quantized",
    "permute_two_consumers",
    "po2_kernels_shared",
    "pool_mix",
    "siamese",
    "sig_keras",
    "skip_add",
    "standalone_io",
    "syn_qkeras",
    "two_inputs",
];

/// Proxies without a QKeras model, and why their simulation differs.
const PROXIES: [(&str, &str); 11] = [
    ("A10_wide", "M12"),
    ("A1_unsig_wrap_2q", "M5"),
    ("A2_satsym_shrink", "M6"),
    ("A3_zero_bits", "M7"),
    ("act", "M1, M4, M13"),
    ("lut_shrink", "M10"),
    ("merge", ""),
    ("pool_s", ""),
    ("pool_u", "M3"),
    ("quant", "M8"),
    ("sat_shrink_f", "M18"),
];

const LEGS: [(Leg, &str, &str); 2] =
    [(Leg::Hls4mlSat, "hls4ml_sat", "sat"), (Leg::Hls4mlWrap, "hls4ml_wrap", "wrap")];

#[test]
fn traces_equal_the_c_simulation() {
    let mut elements = 0;
    let mut failed = Vec::new();
    for name in CASES {
        for (leg, group, _) in LEGS {
            match std::panic::catch_unwind(|| trace_equals(name, "model.h5", None, leg, group)) {
                Ok(traced) => {
                    assert_eq!(traced.banded, Default::default(), "{name} {leg}");
                    elements += traced.elements;
                }
                Err(_) => failed.push(format!("{name} {leg}")),
            }
        }
    }
    println!("{} cases, {elements} elements", CASES.len());
    assert!(failed.is_empty(), "{failed:?}");
}

fn compare(name: &str, reference: Leg, target: Leg) -> Comparison {
    run(name, "model.h5", reference, target)
}

/// The comparison of two legs of a model.
fn run(name: &str, model: &str, reference: Leg, target: Leg) -> Comparison {
    let hls_config = own_config(name);
    let config = VerifyConfig {
        traces: Vec::new(),
        model: case(name).join(model),
        proxy: None,
        hls_config: Some(hls_config.path().to_owned()),
        events: vec![case(name).join("events.h5")],
        options: EventOptions::default(),
        reference,
        targets: vec![target],
        input_types: Vec::new(),
        strict_layers: false,
        hash: false,
    };
    let report = verify(&config, &Unwatched).unwrap_or_else(|e| panic!("{name} {target}: {e}"));
    report.comparisons.into_iter().next().expect("one comparison")
}

/// Counts of events and layers are those of the real software, and so is what is never formed.
#[test]
fn counts_equal_the_real_software() {
    let mut ambiguous = BTreeSet::new();
    for name in CASES {
        let facts = facts(name);
        for (target, _, mode) in LEGS {
            let proxy = if mode == "sat" { Leg::ProxySat } else { Leg::ProxyWrap };
            for (reference, pair) in [
                (Leg::Qkeras, format!("qkeras_vs_hls4ml_{mode}")),
                (proxy, format!("proxy_{mode}_vs_hls4ml_{mode}")),
            ] {
                let c = compare(name, reference, target);
                // Where the reference is not one number the firmware is not blamed for a value
                // inside its band, and fewer events differ.
                let banded = |layer: &Layer| layer.ambiguous > 0;
                let expected = facts["differing_events"][&pair].as_u64().expect("a count");
                if c.layers.iter().filter(|l| c.outputs.contains(&l.name)).any(banded) {
                    assert!(c.events_differing <= expected, "{name} {pair}");
                } else {
                    assert_eq!(c.events_differing, expected, "{name} {pair}");
                }
                let per_layer = &facts["differing_events_per_layer"][&pair];
                for layer in &c.layers {
                    let expected = per_layer[&layer.name].as_u64().unwrap_or(0);
                    let found = layer.events_differing;
                    if banded(layer) {
                        ambiguous.insert((name, layer.name.clone()));
                        assert!(found <= expected, "{name} {pair} {}", layer.name);
                    } else {
                        assert_eq!(found, expected, "{name} {pair} {}", layer.name);
                    }
                }
                let absent: BTreeSet<&str> = facts["hls4ml_absent_layers"][mode]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|v| v.as_str())
                    .collect();
                let found: BTreeSet<&str> = c.not_formed.iter().map(String::as_str).collect();
                assert_eq!(found, absent, "{name} {pair}");
            }
        }
    }
    println!("ambiguous: {ambiguous:?}");
    assert_eq!(ambiguous.into_iter().collect::<Vec<_>>(), [("bn", "bn".to_owned())]);
}

/// The normalisation by itself differs from float32 in nearly every element, and what follows hides
/// it. TensorFlow's own value is a band there, and lies within it for most of them.
#[test]
fn a_normalisation_differs_by_itself_only() {
    let c = compare("bn", Leg::Qkeras, Leg::Hls4mlSat);
    let layer = c.layers.iter().find(|l| l.name == "bn").expect("the layer");
    // TensorFlow's values differ in 7,953 elements; of those in a band it may have another one than
    // the best value here.
    assert_eq!((layer.mismatches + layer.ambiguous, layer.elements), (7_947, 8_000));
    assert!(layer.max_abs_diff < 2.9e-6, "{}", layer.max_abs_diff);
    assert_eq!(layer.own_mismatches, Some(layer.mismatches));
    assert_eq!((c.events_differing, c.layers_differing), (0, vec!["bn".to_owned()]));
}

/// A proxy by itself against its own simulation.
#[test]
fn counts_of_proxies_by_themselves() {
    for (name, causes) in PROXIES {
        let name = format!("proxy-only/{name}");
        let c = run(&name, "proxy.h5", Leg::Proxy, Leg::Hls4ml);
        // HGQ's float32 rounds the sums of this one, which the leg `proxy` does not.
        let expected = match causes {
            "M12" => 0,
            _ => facts(&name)["differing_events"]["proxy_vs_hls4ml"].as_u64().expect("a count"),
        };
        assert_eq!(c.events_differing, expected, "{name} ({causes})");
        assert_eq!(expected == 0, ["", "M12"].contains(&causes), "{name}");
    }
}

/// Proxies without a QKeras model.
#[test]
fn proxies_by_themselves() {
    let mut elements = 0;
    for (name, _) in PROXIES {
        let name = format!("proxy-only/{name}");
        elements += trace_equals(&name, "proxy.h5", None, Leg::Hls4ml, "hls4ml").elements;
    }
    println!("{elements} elements");
}

/// From the proxies that HGQ saved instead of those that are built.
#[test]
fn traces_of_proxy_files_equal_the_c_simulation() {
    let mut elements = 0;
    for name in CASES.into_iter().chain(["sep"]) {
        for (_, group, mode) in LEGS {
            let file = format!("proxy_{mode}.h5");
            let traced = trace_equals(name, "model.h5", Some(&file), Leg::Hls4ml, group);
            assert_eq!(traced.banded, Default::default(), "{name} {file}");
            elements += traced.elements;
        }
    }
    println!("{} cases, {elements} elements", CASES.len() + 1);
}

/// What hls4ml refuses is refused, though HGQ builds the proxy.
#[test]
fn refusals() {
    for (name, remedy) in [
        ("raw_input", "QActivation"),
        ("raw_and_quantized_input", "QActivation"),
        ("conv_dilated", "dilation_rate=1"),
        ("permute_named_perm", "rename"),
    ] {
        let loaded = LoadedModel::open(&case(name).join("model.h5")).expect(name);
        let error =
            Session::new(loaded, Beside::default(), Leg::Qkeras, &[Leg::Hls4mlSat], Vec::new())
                .expect_err(name);
        assert_eq!(error.kind(), ErrorKind::Conversion, "{name}: {error}");
        assert!(error.help().expect("a remedy").contains(remedy), "{name}: {error}");
    }
}

/// A type for a raw input is the quantizer that hls4ml asks for: what follows is exact, so that the
/// simulation and the proxy of the cast events agree.
#[test]
fn raw_inputs_with_a_type() {
    for name in ["raw_input", "raw_and_quantized_input"] {
        let t = "ap_fixed<12,5,RND_CONV,SAT>".parse().expect("a type");
        let config = VerifyConfig {
            traces: Vec::new(),
            model: case(name).join("model.h5"),
            proxy: None,
            hls_config: None,
            events: vec![case(name).join("events.h5")],
            options: EventOptions::default(),
            reference: Leg::ProxySat,
            targets: vec![Leg::Hls4mlSat],
            input_types: vec![(None, InputType::Fixed(t))],
            strict_layers: false,
            hash: false,
        };
        let report = verify(&config, &Unwatched).unwrap_or_else(|e| panic!("{name}: {e}"));
        let [c] = &report.comparisons[..] else { panic!("one comparison") };
        assert_eq!(c.events_differing, 0, "{name}");
        let formed: Vec<&str> = c.layers.iter().map(|l| l.name.as_str()).collect();
        assert!(formed.len() >= 3, "{name}: {formed:?}");
        assert!(c.layers.iter().all(|l| l.mismatches == 0), "{name}");
    }
}
