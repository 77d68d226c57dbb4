//! Dense layers whose biases have no quantizer: float32 in every leg, and no difference that exact
//! arithmetic would invent.

mod levels;

use std::path::{Path, PathBuf};

use bittrue_io::EventOptions;
use bittrue_verify::{Leg, Unwatched, VerifyConfig, verify};
use serde_json::Value;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../testvectors/models/no_bias_quantizers")
        .join(name)
}

#[test]
fn the_proxies_agree_where_the_real_ones_do() {
    let config = VerifyConfig {
        traces: Vec::new(),
        model: file("model.h5"),
        proxy: None,
        hls_config: None,
        events: vec![file("events.h5")],
        options: EventOptions::default(),
        reference: Leg::Qkeras,
        targets: vec![Leg::ProxySat, Leg::ProxyWrap],
        input_types: Vec::new(),
        strict_layers: false,
        hash: false,
    };
    let report = verify(&config, &Unwatched).expect("a report");
    assert_eq!(report.events.count, 2_000);
    let text = std::fs::read_to_string(file("expected_counts.json")).expect("the counts");
    let expected: Value = serde_json::from_str(&text).expect("JSON");
    for (c, key) in report.comparisons.iter().zip(["qkeras_vs_proxy_sat", "qkeras_vs_proxy_wrap"]) {
        let expected = &expected[key];
        assert_eq!(Some(c.events_differing), expected["differing_events"].as_u64(), "{key}");
        assert_eq!(c.first_layer.as_deref(), expected["first_differing_layer"].as_str(), "{key}");
        assert_eq!(c.layers.len(), 6);
        for layer in &c.layers {
            let name = &layer.name;
            let events = expected["differing_events_per_layer"][name].as_u64();
            assert_eq!(Some(layer.events_differing), events, "{key} {name}");
            // Agreement is claimed by bits: no element hides in a band.
            assert_eq!(layer.ambiguous, 0, "{key} {name}");
            // What wraps at the input is all that differs of its own.
            let own = layer.own_mismatches.expect("a leg with layers");
            assert_eq!(own > 0, key == "qkeras_vs_proxy_wrap" && name == "q_in", "{key} {name}");
        }
    }
}
