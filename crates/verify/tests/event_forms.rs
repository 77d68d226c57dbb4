//! A report does not depend on the form in which the events are stored.

use std::path::{Path, PathBuf};

use bittrue_io::{EventOptions, IoErrorKind, sha256_file};
use bittrue_record::{EventsInfo, Report};
use bittrue_verify::{ErrorKind, Leg, Unwatched, VerifyConfig, verify};

/// The columns of the tables of `make_forms.py`.
const FIELDS: &str = "[x0,x1,x2,x3,x4,x5,x6,x7,x8,x9,x10,x11,rest]";

fn testvectors(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testvectors").join(path)
}

fn config(file: &str, dataset: &str) -> VerifyConfig {
    let datasets = match dataset {
        "" => Vec::new(),
        _ => vec![(None, dataset.to_owned())],
    };
    VerifyConfig {
        model: testvectors("golden/jet_mlp/model.h5"),
        proxy: None,
        events: vec![testvectors("events/forms").join(file)],
        options: EventOptions { datasets, ..EventOptions::default() },
        reference: Leg::Qkeras,
        targets: vec![Leg::ProxySat, Leg::ProxyWrap],
        input_types: Vec::new(),
        strict_layers: true,
        hash: true,
    }
}

/// The report, without what it says of the file.
fn report(file: &str, dataset: &str) -> (Report, EventsInfo) {
    let mut report = verify(&config(file, dataset), &Unwatched).expect(file);
    let events = report.events.clone();
    report.events.path.clear();
    report.events.size = 0;
    report.events.sha256 = None;
    (report, events)
}

#[test]
fn every_form_gives_the_same_report() {
    let (expected, _) = report("datasets.h5", "f8_le");
    assert_eq!(expected.events.count, 120);
    // Events that show something: the input quantizer of the wrapping proxy wraps.
    let wrap = &expected.comparisons[1];
    assert!(wrap.events_differing > 10 && wrap.events_differing < 120);
    let table = |name: &str| format!("{name}{FIELDS}");
    for (file, dataset) in [
        ("datasets.h5", "f4_le".to_owned()),
        ("datasets.h5", "f2_le".to_owned()),
        ("datasets.h5", "f8_be".to_owned()),
        ("datasets.h5", "f4_be".to_owned()),
        ("datasets.h5", "f2_be".to_owned()),
        ("datasets.h5", "gzip".to_owned()),
        ("datasets.h5", "lzf".to_owned()),
        ("datasets.h5", "wide[3:-2]".to_owned()),
        ("datasets.h5", "wide_gzip[3:19]".to_owned()),
        ("tables.h5", table("plain")),
        ("tables.h5", table("gzip")),
        ("tables.h5", table("lzf")),
        ("v1_f4.npy", String::new()),
        ("v2_f8.npy", String::new()),
        ("v3_f2.npy", String::new()),
        ("v1_f4_be.npy", String::new()),
        ("table_be.npy", table("")),
        ("stored.npz", String::new()),
        ("compressed.npz", "events".to_owned()),
        ("compressed.npz", table("table")),
        ("positional.npz", String::new()),
    ] {
        let (found, events) = report(file, &dataset);
        assert_eq!(found, expected, "{file} {dataset}");
        let path = testvectors("events/forms").join(file);
        assert_eq!(events.path, path.display().to_string());
        assert_eq!(Some(events.size), path.metadata().map(|m| m.len()).ok());
        assert_eq!(events.sha256, sha256_file(&path, IoErrorKind::Events).ok());
    }
}

#[test]
fn the_hash_is_only_there_when_asked_for() {
    let mut config = config("v1_f4.npy", "");
    let hash = |config: &VerifyConfig| verify(config, &Unwatched).expect("a report").events.sha256;
    assert_eq!(hash(&config).map(|h| h.len()), Some(64));
    config.hash = false;
    assert_eq!(hash(&config), None);
}

#[test]
fn what_cannot_be_read_is_a_matter_of_the_events() {
    for (file, dataset) in [
        ("fortran.npy", ""),
        ("tables.h5", ""),
        ("tables.h5", "big_endian[x0]"),
        ("datasets.h5", "wide[0:99]"),
        ("bzip2.npz", ""),
    ] {
        let error = verify(&config(file, dataset), &Unwatched).expect_err(file);
        assert_eq!(error.kind(), ErrorKind::Events, "{file}: {error}");
    }
}
