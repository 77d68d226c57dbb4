//! A report does not depend on the form in which the events are stored.

use std::fs;
use std::path::{Path, PathBuf};

use bittrue_io::{EventOptions, IoErrorKind, sha256_file};
use bittrue_record::{EventsInfo, Report};
use bittrue_verify::{ErrorKind, Leg, Unwatched, VerifyConfig, verify};
use ndarray::Array2;

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
        traces: Vec::new(),
        model: testvectors("golden/jet_mlp/model.h5"),
        proxy: None,
        hls_config: None,
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
    strip(&mut report);
    (report, events)
}

/// Takes out what a report says of the files.
fn strip(report: &mut Report) {
    let count = report.events.count;
    report.events = EventsInfo {
        path: String::new(),
        size: 0,
        count,
        skipped: 0,
        sha256: None,
        files: Vec::new(),
        datasets: Vec::new(),
        columns: Vec::new(),
    };
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

/// The jets of the demo, as an array.
fn jets() -> Array2<f32> {
    let file = hdf5::File::open(testvectors("jets/events.h5")).expect("the events");
    file.dataset("events").expect("events").read_2d().expect("floats")
}

/// One line for each jet; `number` writes a value.
fn lines(jets: &Array2<f32>, between: &str, end: &str, number: fn(f32) -> String) -> String {
    let line = |row: ndarray::ArrayView1<'_, f32>| {
        let values: Vec<String> = row.iter().map(|&v| number(v)).collect();
        values.join(between) + end
    };
    jets.rows().into_iter().map(line).collect()
}

/// The demo in the forms in which people have events: as text, as `tb_data` of hls4ml, one dataset
/// for each feature, and cut into files.
#[test]
fn the_jets_give_the_same_report_in_every_form() {
    let dir = tempfile::tempdir().expect("directory");
    let path = |name: &str| dir.path().join(name);
    let jets = jets();
    let names: Vec<String> = (0..16).map(|i| format!("x{i}")).collect();
    let exact = |v: f32| format!("{:?}", f64::from(v));
    let csv = lines(&jets, ",", "\n", exact);
    fs::write(path("a.csv"), format!("{}\n{csv}", names.join(","))).expect("written");
    fs::write(path("b.csv"), format!("\u{feff}# jets\r\n{}", csv.replace('\n', "\r\n")))
        .expect("written");
    // hls4ml writes str() of the values, shortest for float32, and a blank behind each.
    fs::write(path("tb.dat"), lines(&jets, " ", " \n", |v| v.to_string())).expect("written");
    let file = hdf5::File::create(path("features.h5")).expect("created");
    let group = file.create_group("nt/jets").expect("made");
    // In another order than the model's.
    for (name, column) in names.iter().zip(jets.columns()).rev() {
        let values = column.to_owned();
        group.new_dataset_builder().with_data(&values).create(name.as_str()).expect("written");
    }
    let labels = ndarray::Array1::<i32>::zeros(jets.nrows());
    group.new_dataset_builder().with_data(&labels).create("label").expect("written");
    file.close().expect("closed");
    let mut parts = Vec::new();
    for (n, (from, to)) in [(0, 33), (33, 5_000), (5_000, jets.nrows())].into_iter().enumerate() {
        let part = path(&format!("part{n}.h5"));
        let file = hdf5::File::create(&part).expect("created");
        let rows = jets.slice(ndarray::s![from..to, ..]).to_owned();
        file.new_dataset_builder().with_data(&rows).create("events").expect("written");
        file.close().expect("closed");
        parts.push(part);
    }
    let run = |events: Vec<PathBuf>, columns: Vec<String>| {
        let mut config = config("", "");
        config.model = testvectors("jets/model.h5");
        config.events = events;
        config.hash = false;
        if !columns.is_empty() {
            config.options.columns = vec![(None, columns)];
        }
        let mut report = verify(&config, &Unwatched).expect("a report");
        let files = std::mem::take(&mut report.events.files);
        strip(&mut report);
        (report, files)
    };
    let (expected, none) = run(vec![testvectors("jets/events.h5")], Vec::new());
    assert!(none.is_empty() && expected.comparisons[1].events_differing == 8);
    for (file, columns) in [
        ("a.csv", Vec::new()),
        ("a.csv", names.clone()),
        ("b.csv", Vec::new()),
        ("features.h5", names.clone()),
    ] {
        assert_eq!(run(vec![path(file)], columns).0, expected, "{file}");
    }
    let (dat, _) = run(vec![path("tb.dat")], Vec::new());
    assert_eq!(dat.comparisons, expected.comparisons);
    // Decimal text of float32 numbers is that of other float64 numbers, and is rounded back.
    assert!(dat.assumptions.iter().any(|a| a.contains("rounding the events to float32")));
    let (found, files) = run(parts.clone(), Vec::new());
    assert_eq!(found, expected);
    let counts: Vec<u64> = files.iter().map(|f| f.count).collect();
    assert_eq!(counts, [33, 4_967, 7_000]);
    for (file, path) in files.iter().zip(&parts) {
        assert_eq!(Some(file.size), path.metadata().map(|m| m.len()).ok());
    }
}

#[test]
fn files_that_are_read_in_part() {
    let mut config = config("", "");
    let file = |name: &str| testvectors("events/forms").join(name);
    config.events = vec![file("v1_f4.npy"), file("v2_f8.npy"), file("v1_f4.npy")];
    config.options.skip = 130;
    config.options.max_events = Some(150);
    let report = verify(&config, &Unwatched).expect("a report");
    assert_eq!((report.events.count, report.events.skipped), (150, 130));
    let files = &report.events.files;
    assert_eq!(files.iter().map(|f| f.count).collect::<Vec<_>>(), [0, 110, 40]);
    assert_eq!(report.events.size, files.iter().map(|f| f.size).sum::<u64>());
    assert_eq!(report.events.sha256, None);
    for f in files {
        assert_eq!(f.sha256, sha256_file(Path::new(&f.path), IoErrorKind::Events).ok());
    }
    let names: Vec<&str> = files.iter().map(|f| f.path.as_str()).collect();
    assert_eq!(report.events.path, names.join(", "));
}
