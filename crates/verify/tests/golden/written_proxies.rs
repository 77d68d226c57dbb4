//! Proxies that are written: equal to what real HGQ saved, and read again as what they were.

use std::path::{Path, PathBuf};

use bittrue_io::{EventOptions, read_keras};
use bittrue_proxy::Mode;
use bittrue_verify::{BuiltProxy, ErrorKind, Leg, ProxyOptions, Unwatched, VerifyConfig, verify};
use serde_json::Value;

use super::support::{case, facts};

fn options(mode: Mode) -> ProxyOptions {
    ProxyOptions { mode, max_table_size: -1, register: false, accum_fp_max_offset: None }
}

fn real(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testvectors/proxies").join(name)
}

/// Files of real HGQ (see ORIGIN.md beside them): every layer in order with its configuration and
/// call, every weight with its name and values.
#[test]
fn files_are_those_of_hgq() {
    let registered = ProxyOptions { register: true, ..options(Mode::Wrap) };
    for (file, model, options) in [
        ("nested_wrap.h5", "nested", options(Mode::Wrap)),
        ("siamese_sat.h5", "siamese", options(Mode::Sat)),
        ("conv_bn8_wrap.h5", "conv_bn8", options(Mode::Wrap)),
        (
            "sig_keras_registered_sat.h5",
            "sig_keras",
            ProxyOptions { mode: Mode::Sat, ..registered },
        ),
        (
            "sig_keras_tables_sat.h5",
            "sig_keras",
            ProxyOptions { max_table_size: 1024, ..options(Mode::Sat) },
        ),
        ("conv1d_ap_registered_wrap.h5", "conv1d_ap", registered),
        (
            "two_inputs_registered_wrap.h5",
            "two_inputs",
            ProxyOptions { accum_fp_max_offset: Some(1), ..registered },
        ),
    ] {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("proxy.h5");
        let built = BuiltProxy::build(&case(model).join("model.h5"), &options).expect(model);
        built.write(&path).expect("written");
        let (ours, theirs) = (read_keras(&path), read_keras(&real(file)));
        let (ours, theirs) = (ours.expect("a model"), theirs.expect("a model"));
        assert_eq!(ours.model_config, theirs.model_config, "{file}");
        assert_eq!(ours, theirs, "{file}");
        let shapes = |v: &Value| v["config"]["layers"].as_array().map(Vec::len);
        assert!(shapes(&theirs.model_config) > Some(8), "{file}");
    }
}

/// Every golden model: the written file is the proxy of the model, and gives its very values in every
/// layer.
#[test]
fn written_proxies_are_the_legs() {
    let mut models = 0;
    let golden = std::fs::read_dir(case("")).expect("the golden cases");
    for entry in golden {
        let name = entry.expect("an entry").file_name().into_string().expect("UTF-8");
        // The random kernels of `sep` are in no model.
        if !case(&name).join("model.h5").exists() || name == "sep" {
            continue;
        }
        assert_eq!(facts(&name)["accepted_by_hgq"], true, "{name}");
        models += 1;
        for (mode, leg) in [(Mode::Sat, Leg::ProxySat), (Mode::Wrap, Leg::ProxyWrap)] {
            let directory = tempfile::tempdir().expect("a directory");
            let path = directory.path().join("proxy.h5");
            let model = case(&name).join("model.h5");
            let built = BuiltProxy::build(&model, &options(mode)).expect(&name);
            built.write(&path).expect("written");
            let config = VerifyConfig {
                traces: Vec::new(),
                model,
                proxy: Some(path),
                hls_config: None,
                events: vec![case(&name).join("events.h5")],
                options: EventOptions::default(),
                reference: leg,
                targets: vec![Leg::Proxy],
                input_types: Vec::new(),
                strict_layers: true,
                hash: false,
            };
            let comparison = &verify(&config, &Unwatched).expect(&name).comparisons[0];
            assert_eq!(comparison.events_differing, 0, "{name} {leg}");
            assert!(comparison.layers_differing.is_empty(), "{name} {leg}");
            assert!(comparison.not_formed.is_empty(), "{name} {leg}");
        }
    }
    assert!(models > 30, "{models}");
}

#[test]
fn what_hgq_refuses_to_register_is_refused() {
    for (model, complaint) in [
        ("bn", "layer `bn`, result_t: unlimited has more than 64 bits"),
        ("raw_input", "`d1` reads it without a quantizer between them"),
    ] {
        let options = ProxyOptions { register: true, ..options(Mode::Sat) };
        let error = BuiltProxy::build(&case(model).join("model.h5"), &options).expect_err(model);
        assert_eq!(error.kind(), ErrorKind::Conversion);
        assert!(error.to_string().contains(complaint), "{error}");
    }
}
