//! What is said of single events adds up to the report, and is what the real software gives.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bittrue_io::{EventOptions, read_datasets};
use bittrue_record::{Explanation, OverflowAction, Relation};
use bittrue_verify::{
    Elements, ErrorKind, ExplainConfig, Leg, Unwatched, VerifyConfig, explain, verify,
};

const TARGETS: [Leg; 4] = [Leg::ProxySat, Leg::ProxyWrap, Leg::Hls4mlSat, Leg::Hls4mlWrap];

fn testvectors(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testvectors").join(name)
}

fn config(case: &str, event: u64, elements: Elements) -> ExplainConfig {
    ExplainConfig {
        model: testvectors(case).join("model.h5"),
        proxy: None,
        hls_config: None,
        events: vec![testvectors(case).join("events.h5")],
        options: EventOptions::default(),
        event,
        reference: Leg::Qkeras,
        targets: TARGETS.to_vec(),
        input_types: Vec::new(),
        layers: Vec::new(),
        elements,
    }
}

/// Mismatches, own ones and ambiguous elements, by target and layer.
type Account = BTreeMap<(String, String), [u64; 3]>;

#[test]
fn event_by_event_it_is_the_report() {
    for (case, most) in [
        ("golden/jet_mlp", 120),
        ("golden/merges", 60),
        ("golden/sig_keras", 60),
        ("golden/conv2d_mp", 20),
        ("golden/conv_bn8", 20),
        ("golden/edge_floats", 1000),
        ("models/wide_sum", 40),
    ] {
        let (count, expected) = report(case, most);
        let mut found = Account::new();
        let mut some = 0;
        for event in 0..count {
            let mut config = config(case, event, Elements::Notable(2));
            config.options.max_events = Some(most);
            let explained = explain(&config, &Unwatched).expect(case);
            some += add(&explained, &mut found);
        }
        assert_eq!(found, expected, "{case}");
        assert!(some > 0, "{case}: no element was worth showing");
    }
}

fn report(case: &str, most: u64) -> (u64, Account) {
    let config = VerifyConfig {
        traces: Vec::new(),
        model: testvectors(case).join("model.h5"),
        proxy: None,
        hls_config: None,
        events: vec![testvectors(case).join("events.h5")],
        options: EventOptions { max_events: Some(most), ..EventOptions::default() },
        reference: Leg::Qkeras,
        targets: TARGETS.to_vec(),
        input_types: Vec::new(),
        strict_layers: false,
        hash: false,
    };
    let report = verify(&config, &Unwatched).expect(case);
    let mut account = Account::new();
    for c in &report.comparisons {
        for l in &c.layers {
            let counts = [l.mismatches, l.own_mismatches.unwrap_or(0), l.ambiguous];
            account.insert((c.target.clone(), l.name.clone()), counts);
        }
    }
    (report.events.count, account)
}

/// Adds an event to the account; the number of elements that it shows.
fn add(explained: &Explanation, account: &mut Account) -> usize {
    for layer in &explained.layers {
        for tensor in layer.legs.iter().skip(1).filter(|t| t.formed) {
            let counts = [tensor.mismatches, tensor.own_mismatches, tensor.ambiguous];
            let sums = account.entry((tensor.leg.clone(), layer.name.clone())).or_insert([0; 3]);
            for (sum, n) in sums.iter_mut().zip(counts) {
                *sum += n.expect("a target");
            }
        }
    }
    explained.layers.iter().map(|l| l.elements.len()).sum()
}

/// Every value of some events is real HGQ's and QKeras', and its raw, its bits and the story of its
/// quantizer say the same value.
#[test]
fn every_value_is_the_real_softwares() {
    let case = "golden/jet_mlp";
    let groups = ["qkeras", "proxy_sat", "proxy_wrap", "hls4ml_sat", "hls4ml_wrap"].map(|group| {
        read_datasets(&testvectors(case).join("expected.h5"), group).expect("expected values")
    });
    let (mut wraps, mut rounded, mut values) = (0, 0, 0);
    for event in [0_usize, 1, 2, 37, 255, 399] {
        let explained =
            explain(&config(case, event as u64, Elements::All), &Unwatched).expect(case);
        assert_eq!(explained.layers.len(), 8);
        for layer in &explained.layers {
            for element in &layer.elements {
                assert_eq!(element.values.len(), 5);
                for (value, group) in element.values.iter().zip(&groups) {
                    let (_, real) = group.iter().find(|(n, _)| *n == layer.name).expect("layer");
                    let at = [event, element.index as usize];
                    assert_eq!(value.value, real[at.as_slice()], "{} {at:?}", layer.name);
                    let (Some(fixed), Some(raw)) = (value.fixed, value.raw) else {
                        panic!("{} {at:?} has no raw", layer.name);
                    };
                    assert_eq!(fixed.value(raw.into()), value.value);
                    let bits = value.bits.as_deref().expect("bits").replace('.', "");
                    assert_eq!(bits.len(), fixed.width as usize);
                    let unsigned = i64::from_str_radix(&bits, 2).expect("binary");
                    let wrapped = unsigned - (1 << fixed.width);
                    assert_eq!(raw, if raw < 0 { wrapped } else { unsigned });
                    if let Some(cast) = &value.cast {
                        assert_eq!(cast.plain, None);
                        wraps += usize::from(cast.overflow == Some(OverflowAction::Wraps));
                        rounded += usize::from(!cast.dropped.is_empty());
                    }
                    values += 1;
                }
            }
        }
    }
    assert!(wraps > 3 && rounded > 100 && values > 4000, "{wraps} {rounded} {values}");
}

#[test]
fn a_wrap_of_a_scaled_jet() {
    let config = ExplainConfig {
        events: vec![testvectors("jets/scaled16_events.npy")],
        layers: vec!["q_in".to_owned()],
        ..config("jets", 2, Elements::Notable(8))
    };
    let explained = explain(&config, &Unwatched).expect("a good event");
    assert!(explained.layers_chosen);
    let elements = &explained.layers[0].elements;
    assert_eq!(elements.iter().map(|e| e.index).collect::<Vec<_>>(), [1, 14]);
    let value = &elements[0].values[2];
    assert_eq!((value.value, value.raw), (-5.0625, Some(-81)));
    assert_eq!(value.bits.as_deref(), Some("1010.1111"));
    assert_eq!((value.relation, value.own), (Relation::Differs, Some(-5.0625)));
    let cast = value.cast.as_ref().expect("a cast");
    assert_eq!((cast.above.as_str(), cast.kept.as_str()), ("0", "1010.1111"));
    assert_eq!((cast.overflow, cast.wraps), (Some(OverflowAction::Wraps), Some(1)));
    assert_eq!(elements[0].values[1].cast.as_ref().expect("a cast").wraps, None);
}

#[test]
fn rows_layers_and_elements_that_are_not_there() {
    let kind = |config: &ExplainConfig| {
        let e = explain(config, &Unwatched).expect_err("refused");
        assert!(e.help().is_some(), "{e}");
        (e.kind(), e.to_string())
    };
    let case = "golden/jet_mlp";
    let (beyond, message) = kind(&config(case, 400, Elements::All));
    assert_eq!(beyond, ErrorKind::Events);
    assert!(message.contains("it holds 400 events"), "{message}");
    let mut skipped = config(case, 4, Elements::All);
    skipped.options.skip = 5;
    assert_eq!(kind(&skipped).0, ErrorKind::Events);
    let layers = vec!["nothing".to_owned()];
    assert_eq!(
        kind(&ExplainConfig { layers, ..config(case, 0, Elements::All) }).0,
        ErrorKind::Usage
    );
    assert_eq!(kind(&config(case, 0, Elements::Given(vec![64]))).0, ErrorKind::Usage);
}
