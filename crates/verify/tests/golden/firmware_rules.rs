//! Each rule by which hls4ml's C simulation leaves the proxy (`FIRMWARE_RULES`) has a test: values of the
//! real software in which the rule shows, and which the leg reproduces bit for bit.

use bittrue_fixed::{Dialect, FixedType, Overflow, Rounding};
use bittrue_io::{EventOptions, read_datasets};
use bittrue_proxy::FIRMWARE_RULES;
use bittrue_verify::{
    Beside, ErrorKind, Leg, LoadedModel, Session, TraceConfig, Unwatched, VerifyConfig, trace,
    verify,
};
use ndarray::ArrayD;

use super::hls4ml_made::file;
use super::support::{case, equals, expected, own_config, run_trace};

type Layers = Vec<(String, ArrayD<f64>)>;

fn layer<'a>(layers: &'a Layers, name: &str) -> &'a ArrayD<f64> {
    &layers.iter().find(|(n, _)| n == name).unwrap_or_else(|| panic!("{name} is missing")).1
}

/// Elements in which two tensors differ.
fn differing(a: &ArrayD<f64>, b: &ArrayD<f64>) -> usize {
    assert_eq!(a.shape(), b.shape());
    let same = |x: f64, y: f64| x == y || (x.is_nan() && y.is_nan());
    a.iter().zip(b).filter(|(x, y)| !same(**x, **y)).count()
}

/// In a golden case the simulation differs from HGQ's proxy in `elements` elements of a layer, and the
/// leg gives every layer of the simulation.
fn shows(name: &str, at: &str, elements: usize) {
    let (model, leg, proxy, group) = match name.starts_with("proxy-only") {
        true => ("proxy.h5", Leg::Hls4ml, "proxy", "hls4ml"),
        false => ("model.h5", Leg::Hls4mlSat, "proxy_sat", "hls4ml_sat"),
    };
    let (real, csim) = (expected(name, proxy), expected(name, group));
    assert_eq!(differing(layer(&real, at), layer(&csim, at)), elements, "{name} {at}");
    let run = run_trace(name, model, None, leg).expect(name);
    equals(name, &run, &csim);
}

/// The layers of a leg of a small proxy made by hand.
fn made(name: &str, leg: Leg) -> Layers {
    let scratch = tempfile::tempdir().expect("a directory");
    let out = scratch.path().join("trace.h5");
    let config = TraceConfig {
        model: file(name, ".h5"),
        proxy: None,
        hls_config: None,
        events: vec![file(name, ".events.h5")],
        options: EventOptions::default(),
        leg,
        input_types: Vec::new(),
        out: out.clone(),
    };
    trace(&config, &Unwatched).unwrap_or_else(|e| panic!("{name} {leg}: {e}"));
    read_datasets(&out, "layers").expect("layers")
}

/// The simulation of a small proxy differs from the leg `proxy` in `elements` elements of each output,
/// as it does from HGQ's own `predict` (`testvectors/hls4ml/ORIGIN.md`), and the leg `hls4ml` gives the simulation.
fn shows_made(name: &str, elements: &[usize]) {
    let model = LoadedModel::open(&file(name, ".h5")).expect(name).model;
    let csim = read_datasets(&file(name, ".out.h5"), "out").expect(name);
    let (proxy, hls4ml) = (made(name, Leg::Proxy), made(name, Leg::Hls4ml));
    let mut found = Vec::new();
    for (n, &output) in model.outputs.iter().enumerate() {
        let at = model.call_name(output);
        let csim = layer(&csim, &n.to_string());
        let csim = csim.to_shape(layer(&hls4ml, &at).shape()).expect(name).into_owned();
        assert_eq!(differing(layer(&hls4ml, &at), &csim), 0, "{name} {at}");
        found.push(differing(layer(&proxy, &at), &csim));
    }
    assert_eq!(found, elements, "{name}");
}

/// The model is refused for hls4ml's legs.
fn refused(path: &std::path::Path, reference: Leg, target: Leg, part: &str) {
    let loaded = LoadedModel::open(path).expect(part);
    let error =
        Session::new(loaded, Beside::default(), reference, &[target], Vec::new()).expect_err(part);
    assert_eq!(error.kind(), ErrorKind::Conversion, "{error}");
    assert!(error.to_string().contains(part), "{error}");
}

#[test]
fn m1_table_precision() {
    shows("sig_keras", "q_sg", 112);
    shows("sig_keras", "q_th", 116);
}

#[test]
fn m2_softmax_tables() {
    shows("jet_softmax", "softmax", 1500);
}

#[test]
fn m3_max_pool_padding() {
    shows("proxy-only/pool_u", "q_max_same", 1985);
    shows("proxy-only/pool_s", "q_max_same", 0);
}

#[test]
fn m4_relu_max_value() {
    shows("proxy-only/act", "q_relu6", 235);
}

#[test]
fn m5_unsigned_wrap() {
    shows("proxy-only/A1_unsig_wrap_2q", "d", 1796);
}

#[test]
fn m6_symmetric_shrink() {
    shows("proxy-only/A2_satsym_shrink", "qa", 109);
}

#[test]
fn m7_zero_bits() {
    shows("proxy-only/A3_zero_bits", "qz", 767);
}

#[test]
fn m8_symmetric_one_bit() {
    shows("proxy-only/quant", "het_RND_CONV_SAT_SYM", 133);
    shows("proxy-only/quant", "het_RND_CONV_SAT", 0);
}

#[test]
fn m9_wrap_sm() {
    shows_made("wrapsm_each", &[2]);
}

#[test]
fn m10_table_index() {
    shows("proxy-only/lut_shrink", "qo", 838);
}

#[test]
fn m11_float32_ties() {
    shows_made("rnd_raw", &[150]);
}

/// HGQ's float32 rounds, the leg `proxy` does not, and neither does the simulation.
#[test]
fn m12_float32_sums() {
    shows("proxy-only/A10_wide", "qh", 22);
    let run = run_trace("proxy-only/A10_wide", "proxy.h5", None, Leg::Proxy).expect("a proxy");
    let traced = equals("A10_wide", &run, &expected("proxy-only/A10_wide", "hls4ml"));
    assert_eq!(traced.away, Default::default());
}

#[test]
fn m13_leaky_product() {
    shows_made("leaky", &[34]);
}

#[test]
fn m14_consecutive_quantizers() {
    shows_made("two_roundings", &[310]);
}

#[test]
fn m15_constants_of_32_bits() {
    shows_made("tiny_weights", &[600]);
}

#[test]
fn m16_input_of_24_bits() {
    shows_made("het_ties", &[78]);
}

/// The C++ aborts where every bit is below half a step: the value is 0 in every mode but TRN.
#[test]
fn m17_assertion() {
    let mut tried = 0;
    for (signed, width) in [(false, 1), (false, 3), (true, 1), (true, 4)] {
        let source =
            FixedType::new(signed, width, 0, Rounding::Trn, Overflow::Wrap).expect("a type");
        for below in width.cast_signed() + 1..width.cast_signed() + 6 {
            for rounding in Rounding::ALL {
                // The step of the target is `below` bits above that of the source.
                let integer = 6 - (width.cast_signed() - below);
                let target = FixedType::new(true, 6, integer, rounding, Overflow::Sat);
                let target = target.expect("a type");
                for raw in source.raw_min()..=source.raw_max() {
                    let found = target.convert(raw, source.fractional(), Dialect::ApFixed);
                    let expected = if rounding == Rounding::Trn && raw < 0 { -1 } else { 0 };
                    assert_eq!(found, Ok(expected), "{raw} of {source} in {target}");
                    tried += 1;
                }
            }
        }
    }
    assert_eq!(tried, 5 * 7 * (2 + 8 + 2 + 16));
}

#[test]
fn m18_finer_than_input() {
    shows("proxy-only/sat_shrink_f", "qa", 509);
}

/// The second layer differs of its own: fed the same, it gives something else.
#[test]
fn m19_short_accumulator() {
    shows("mixed_scale", "out", 356);
    let hls_config = own_config("mixed_scale");
    let config = VerifyConfig {
        traces: Vec::new(),
        model: case("mixed_scale").join("model.h5"),
        proxy: None,
        hls_config: Some(hls_config.path().to_owned()),
        events: vec![case("mixed_scale").join("events.h5")],
        options: EventOptions::default(),
        reference: Leg::ProxySat,
        targets: vec![Leg::Hls4mlSat],
        input_types: Vec::new(),
        strict_layers: false,
        hash: false,
    };
    let report = verify(&config, &Unwatched).expect("a report");
    let out = report.comparisons[0].layers.iter().find(|l| l.name == "out").expect("the layer");
    assert_eq!(out.own_mismatches, Some(268));
}

#[test]
fn m20_layer_name() {
    let path = case("permute_named_perm").join("model.h5");
    refused(&path, Leg::Qkeras, Leg::Hls4mlSat, "overwrites the attribute");
    shows("permute", "out", 0);
}

#[test]
fn m21_dilation() {
    shows("conv_dilated_same", "c1d", 2886);
    let path = case("conv_dilated").join("model.h5");
    refused(&path, Leg::Qkeras, Leg::Hls4mlSat, "ignores the dilation");
}

#[test]
fn m22_causal_stride() {
    shows("conv_causal_stride", "c2", 1640);
    shows("conv_causal", "out", 0);
}

#[test]
fn m23_not_finite() {
    shows("edge_floats", "q_in", 7);
}

#[test]
fn m24_mixed_scale() {
    shows("mixed_scale", "d1", 187);
}

#[test]
fn m25_permute_flatten() {
    shows("permute_flatten", "out", 415);
}

#[test]
fn m26_relu_arguments() {
    shows_made("relu_args", &[262, 103, 188]);
}

#[test]
fn m27_permute_second_reader() {
    shows("permute_two_consumers", "c", 738);
}

#[test]
fn m28_permute_quantizer() {
    shows("permute_quantized", "da", 280);
}

#[test]
fn m29_unsigned_comparison() {
    shows_made("unsigned_max", &[487]);
}

#[test]
fn every_rule_has_its_test() {
    let source = include_str!("firmware_rules.rs");
    for rule in FIRMWARE_RULES {
        let name = format!("{}_{}", rule.id.to_lowercase(), rule.name.replace('-', "_"));
        assert!(source.contains(&format!("#[test]\nfn {name}()")), "{name}");
    }
}
