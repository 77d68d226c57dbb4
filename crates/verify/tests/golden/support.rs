//! Running a golden case.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use bittrue_io::{EventOptions, read_datasets};
use bittrue_record::Comparison;
use bittrue_verify::{Error, Leg, TraceConfig, Unwatched, VerifyConfig, trace, verify};
use ndarray::ArrayD;
use serde_json::Value;
use tempfile::NamedTempFile;

pub(crate) fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testvectors/golden").join(name)
}

pub(crate) fn facts(name: &str) -> Value {
    let text = std::fs::read_to_string(case(name).join("case.json")).expect("case.json");
    serde_json::from_str(&text).expect("JSON")
}

/// The configuration of hls4ml that a case was converted with, as a user would give it.
pub(crate) fn own_config(name: &str) -> NamedTempFile {
    let facts = facts(name);
    let own = &facts["hls_config"];
    let config = serde_json::json!({
        "Model": own["Model"], "Backend": own["backend"], "IOType": own["io_type"],
    });
    let mut file = NamedTempFile::new().expect("a file");
    file.write_all(config.to_string().as_bytes()).expect("written");
    file
}

/// The comparison of a model, with the proxies or with a proxy file.
pub(crate) fn compare(name: &str, proxy: Option<&str>) -> Vec<Comparison> {
    let targets = match proxy {
        Some(_) => vec![Leg::Proxy],
        None => vec![Leg::ProxySat, Leg::ProxyWrap],
    };
    let config = VerifyConfig {
        traces: Vec::new(),
        model: case(name).join("model.h5"),
        proxy: proxy.map(|p| case(name).join(p)),
        hls_config: None,
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

/// What `trace` wrote, by layer.
#[derive(Debug)]
pub(crate) struct Run {
    values: Vec<(String, ArrayD<f64>)>,
    bands: Vec<(String, ArrayD<f64>)>,
}

/// A group of expected values of a case.
pub(crate) fn expected(name: &str, group: &str) -> Vec<(String, ArrayD<f64>)> {
    read_datasets(&case(name).join("expected.h5"), group).expect("expected values")
}

/// Traces a leg of a model.
pub(crate) fn run_trace(
    name: &str,
    model: &str,
    proxy: Option<&str>,
    leg: Leg,
) -> Result<Run, Error> {
    let directory = tempfile::tempdir().expect("a directory");
    let hls_config = leg.simulated().map(|_| own_config(name));
    let out = directory.path().join("trace.h5");
    let config = TraceConfig {
        model: case(name).join(model),
        proxy: proxy.map(|p| case(name).join(p)),
        hls_config: hls_config.as_ref().map(|file| file.path().to_owned()),
        events: vec![case(name).join("events.h5")],
        options: EventOptions::default(),
        leg,
        input_types: Vec::new(),
        out: out.clone(),
    };
    trace(&config, &Unwatched)?;
    let values = read_datasets(&out, "layers").expect("layers");
    let bands = read_datasets(&out, "bands").unwrap_or_default();
    Ok(Run { values, bands })
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
    let run = run_trace(name, model, proxy, leg).expect(name);
    let expected = expected(name, group);
    assert!(!expected.is_empty());
    equals(&format!("{name} {leg}"), &run, &expected)
}

/// Holds the layers of a run against expected values; `what` is for messages.
pub(crate) fn equals(what: &str, run: &Run, expected: &[(String, ArrayD<f64>)]) -> Traced {
    let mut traced = Traced::default();
    for (layer, expected) in expected {
        let (_, values) = run
            .values
            .iter()
            .find(|(n, _)| n == layer)
            .unwrap_or_else(|| panic!("{what}: {layer} is missing"));
        assert_eq!(values.shape(), expected.shape(), "{what} {layer}");
        let band = run.bands.iter().find(|(n, _)| n == layer).map(|(_, b)| b);
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
                    "{what} {layer} element {i}: {e} not in [{lo}, {hi}]"
                );
            } else {
                let same = v == e || (v.is_nan() && e.is_nan());
                assert!(same, "{what} {layer} element {i}: {v}, expected {e}");
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
