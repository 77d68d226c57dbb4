//! Running a golden case.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bittrue_io::{EventOptions, read_datasets};
use bittrue_record::Comparison;
use bittrue_verify::{Leg, TraceConfig, Unwatched, VerifyConfig, trace, verify};
use serde_json::Value;

pub(crate) fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testvectors/golden").join(name)
}

pub(crate) fn facts(name: &str) -> Value {
    let text = std::fs::read_to_string(case(name).join("case.json")).expect("case.json");
    serde_json::from_str(&text).expect("JSON")
}

/// The comparison of a model, with the proxies or with a proxy file.
pub(crate) fn compare(name: &str, proxy: Option<&str>) -> Vec<Comparison> {
    let targets = match proxy {
        Some(_) => vec![Leg::Proxy],
        None => vec![Leg::ProxySat, Leg::ProxyWrap],
    };
    let config = VerifyConfig {
        model: case(name).join("model.h5"),
        proxy: proxy.map(|p| case(name).join(p)),
        events: vec![case(name).join("events.h5")],
        options: EventOptions::default(),
        reference: Leg::Qkeras,
        targets,
        input_types: Vec::new(),
        strict_layers: false,
        hash: false,
    };
    verify(&config, &Unwatched).expect(name).comparisons
}

/// What one leg was compared with, and the layers that carry a band.
#[derive(Debug, Default)]
pub(crate) struct Traced {
    /// Elements compared.
    pub(crate) elements: usize,
    /// Elements with a band, by layer.
    pub(crate) banded: BTreeMap<String, usize>,
    /// Elements whose value is not that of the file, though in their band.
    pub(crate) away: BTreeMap<String, usize>,
}

/// Traces a leg of a model and holds every layer against `group` of the expected values: bits, or
/// the inside of a band.
pub(crate) fn trace_equals(
    name: &str,
    model: &str,
    proxy: Option<&str>,
    leg: Leg,
    group: &str,
) -> Traced {
    let directory = tempfile::tempdir().expect("a directory");
    let out = directory.path().join("trace.h5");
    let config = TraceConfig {
        model: case(name).join(model),
        proxy: proxy.map(|p| case(name).join(p)),
        events: vec![case(name).join("events.h5")],
        options: EventOptions::default(),
        leg,
        input_types: Vec::new(),
        out: out.clone(),
    };
    trace(&config, &Unwatched).expect(name);
    let values = read_datasets(&out, "layers").expect("layers");
    let bands = read_datasets(&out, "bands").unwrap_or_default();
    let expected = read_datasets(&case(name).join("expected.h5"), group).expect("expected values");
    assert!(!expected.is_empty());
    let mut traced = Traced::default();
    for (layer, expected) in &expected {
        let (_, values) =
            values.iter().find(|(n, _)| n == layer).unwrap_or_else(|| panic!("{name}: {layer}"));
        assert_eq!(values.shape(), expected.shape(), "{name} {leg} {layer}");
        let band = bands.iter().find(|(n, _)| n == layer).map(|(_, b)| b);
        let (mut banded, mut away) = (0, 0);
        for (i, (&v, &e)) in values.iter().zip(expected).enumerate() {
            traced.elements += 1;
            let at = |end: usize| band.map_or(v, |b| b.as_slice().expect("C order")[2 * i + end]);
            let (lo, hi) = (at(0), at(1));
            if lo < hi {
                banded += 1;
                away += usize::from(v != e);
                assert!(
                    (lo..=hi).contains(&e),
                    "{name} {leg} {layer} element {i}: {e} not in [{lo}, {hi}]"
                );
            } else {
                let same = v == e || (v.is_nan() && e.is_nan());
                assert!(same, "{name} {leg} {layer} element {i}: {v}, expected {e}");
            }
        }
        for (count, of) in [(banded, &mut traced.banded), (away, &mut traced.away)] {
            if count > 0 {
                of.insert(layer.clone(), count);
            }
        }
    }
    traced
}
