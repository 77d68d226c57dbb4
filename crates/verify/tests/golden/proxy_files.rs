//! Proxy files: by themselves, and beside the model that they were made from.

use std::path::Path;

use bittrue_model::{AlignedLayer, TypedModel};
use bittrue_verify::{Beside, ErrorKind, Leg, LoadedModel, LoadedProxy, Session};

use super::support::{case, compare, facts, trace_equals};

/// Proxies without a QKeras model, and the layers whose real values are not one number.
const ALONE: [(&str, &[&str]); 11] = [
    ("A10_wide", &["d", "qh"]),
    ("A1_unsig_wrap_2q", &[]),
    ("A2_satsym_shrink", &[]),
    ("A3_zero_bits", &[]),
    ("act", &[]),
    ("lut_shrink", &[]),
    ("merge", &[]),
    ("pool_s", &[]),
    ("pool_u", &[]),
    ("quant", &[]),
    ("sat_shrink_f", &[]),
];

#[test]
fn traces_equal_the_real_software() {
    for (name, may_be_banded) in ALONE {
        let name = format!("proxy-only/{name}");
        let traced = trace_equals(&name, "proxy.h5", None, Leg::Proxy, "proxy");
        println!("{name}: {} elements, banded {:?}", traced.elements, traced.banded);
        for layer in traced.banded.keys() {
            assert!(may_be_banded.contains(&layer.as_str()), "{name} {layer}");
        }
    }
}

/// Where HGQ's float32 run rounds an exact sum, the trace holds the exact value: what the C
/// simulation of the firmware gives.
#[test]
fn sums_beyond_float32_are_exact() {
    let name = "proxy-only/A10_wide";
    let traced = trace_equals(name, "proxy.h5", None, Leg::Proxy, "proxy");
    assert_eq!(traced.away["d"], 3_462);
    let csim = trace_equals(name, "proxy.h5", None, Leg::Proxy, "hls4ml");
    assert_eq!(csim.away, Default::default());
}

/// A proxy whose kernels HGQ left random can only be known from its file.
#[test]
fn random_kernels_come_from_the_file() {
    for (file, group, pair) in [
        ("proxy_sat.h5", "proxy_sat", "qkeras_vs_proxy_sat"),
        ("proxy_wrap.h5", "proxy_wrap", "qkeras_vs_proxy_wrap"),
    ] {
        let [comparison] = &compare("sep", Some(file))[..] else { panic!("one target") };
        let expected = facts("sep")["differing_events"][pair].as_u64();
        assert_eq!(Some(comparison.events_differing), expected, "{file}");
        assert_eq!(comparison.events_differing, 146);
        let traced = trace_equals("sep", "model.h5", Some(file), Leg::Proxy, group);
        println!("sep {file}: {} elements, banded {:?}", traced.elements, traced.banded);
    }
    let loaded = LoadedModel::open(&case("sep").join("model.h5")).expect("a model");
    let error = Session::new(loaded, Beside::default(), Leg::Qkeras, &[Leg::ProxySat], Vec::new())
        .expect_err("kernels that nobody knows");
    assert_eq!(error.kind(), ErrorKind::Conversion);
    assert!(error.to_string().contains("fresh random numbers"), "{error}");
}

/// Two equal quantizers read one input, and their names say nothing: which of them belongs where
/// shows only behind them. Every layer of the file is that of the proxy that is built.
#[test]
fn a_choice_between_equal_quantizers_is_taken_back() {
    let proxies = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testvectors/proxies");
    let model = LoadedModel::open(&proxies.join("branches.h5")).expect("a model");
    let file = proxies.join("branches_second_sat.h5");
    let beside = Beside::open(Some(&file), None, &model).expect("fits");
    let session =
        Session::new(model, beside, Leg::ProxySat, &[Leg::Proxy], Vec::new()).expect("legs");
    let [built, given] = &session.typed[..] else { panic!("two legs") };
    assert_eq!(built.aligned.len(), given.aligned.len());
    for (b, g) in built.aligned.iter().zip(&given.aligned) {
        let edge = |t: &TypedModel, a: &Option<AlignedLayer>| {
            a.as_ref().map(|a| (t.nodes[a.node.0].op.clone(), t.nodes[a.node.0].shape.clone()))
        };
        assert_eq!(edge(built, b), edge(given, g));
    }
}

#[test]
fn a_proxy_of_another_model_is_refused() {
    let model = LoadedModel::open(&case("sep").join("model.h5")).expect("a model");
    for (file, complaint) in [
        (
            "proxy-only/pool_s/proxy.h5",
            "layer `in`: does not fit the model: it takes shape [5, 5, 2], the model [6, 6, 3]",
        ),
        ("../bad/proxy.h5", "layer `input_1`: does not fit the model: it takes shape [16]"),
    ] {
        let error = LoadedProxy::open(&case(file), &model).expect_err(file);
        assert_eq!(error.kind(), ErrorKind::Conversion, "{error}");
        assert!(error.to_string().contains(complaint), "{error}");
    }
}
