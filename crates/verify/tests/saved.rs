//! Saved events differ as they did among all events, whatever the kind of file.

use std::path::{Path, PathBuf};

use bittrue_io::{EventOptions, SavedFormat, read_datasets};
use bittrue_record::Report;
use bittrue_verify::{
    Leg, OnlyDiffering, SaveEvents, TraceConfig, Unwatched, VerifyConfig, trace, trace_differing,
    verify, verify_and_save,
};
use ndarray::Axis;

fn testvectors(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testvectors").join(name)
}

fn config(model: &str, events: &Path) -> VerifyConfig {
    VerifyConfig {
        traces: Vec::new(),
        model: testvectors(model),
        proxy: None,
        hls_config: None,
        events: vec![events.to_owned()],
        options: EventOptions::default(),
        reference: Leg::Qkeras,
        targets: vec![Leg::ProxySat, Leg::ProxyWrap],
        input_types: Vec::new(),
        strict_layers: false,
        hash: false,
    }
}

fn save(config: &VerifyConfig, out: &Path, most: u64) -> (Report, u64) {
    let format = SavedFormat::of(out).expect("a known extension");
    let save = SaveEvents { out: out.to_owned(), format, most };
    verify_and_save(config, &save, &Unwatched).expect("written")
}

/// The rows that a saved HDF5 file notes.
fn rows(file: &Path) -> Vec<u64> {
    let file = hdf5::File::open(file).expect("HDF5");
    let rows = file.dataset("event_rows").and_then(|d| d.read_raw::<i64>()).expect("rows");
    rows.into_iter().map(|r| r.cast_unsigned()).collect()
}

/// Every count of the second report is that of the first; the first event has another row.
fn same_differences(all: &Report, saved: &Report, rows: &[u64]) {
    assert_eq!(all.comparisons.len(), saved.comparisons.len());
    assert_eq!(saved.events.count, rows.len() as u64);
    for (a, b) in all.comparisons.iter().zip(&saved.comparisons) {
        assert_eq!((a.events_differing, a.verdict), (b.events_differing, b.verdict));
        assert_eq!((&a.first_layer, &a.layers_differing), (&b.first_layer, &b.layers_differing));
        for (a, b) in a.layers.iter().zip(&b.layers) {
            let mut b = b.clone();
            b.first_event = b.first_event.map(|row| rows[row as usize]);
            // What was compared is less, and what was ambiguous elsewhere is gone.
            (b.elements, b.ambiguous) = (a.elements, a.ambiguous);
            (b.flags, b.reference) = (a.flags.clone(), a.reference);
            assert_eq!(*a, b);
        }
    }
}

/// The demo jets times a factor, as `scripts/oracle/scale_events.py` makes them.
fn scaled(directory: &Path, factor: f32) -> PathBuf {
    let jets = hdf5::File::open(testvectors("jets/events.h5")).expect("jets");
    let jets = jets.dataset("events").and_then(|d| d.read_2d::<f32>()).expect("events");
    let path = directory.join("scaled.h5");
    let file = hdf5::File::create(&path).expect("a file");
    let scaled = jets.mapv(|x| x * factor);
    file.new_dataset_builder().with_data(&scaled).create("events").expect("written");
    path
}

#[test]
fn jets_and_scaled_jets_in_every_kind_of_file() {
    let directory = tempfile::tempdir().expect("a directory");
    let at = |name: &str| directory.path().join(name);
    for (events, differing) in
        [(testvectors("jets/events.h5"), 8), (scaled(directory.path(), 16.0), 11_968)]
    {
        let config = config("jets/model.h5", &events);
        let (all, written) = save(&config, &at("saved.h5"), u64::MAX);
        assert_eq!(written, differing);
        assert_eq!(all, verify(&config, &Unwatched).expect("the same run"));
        let rows = rows(&at("saved.h5"));
        assert!(rows.is_sorted());
        for name in ["saved.h5", "saved.npy", "saved.npz"] {
            if name != "saved.h5" {
                assert_eq!(save(&config, &at(name), u64::MAX).1, differing);
            }
            let again = VerifyConfig { events: vec![at(name)], ..config.clone() };
            same_differences(&all, &verify(&again, &Unwatched).expect(name), &rows);
        }
    }
    // Nothing is left of the temporary files.
    let mut names: Vec<_> =
        std::fs::read_dir(directory.path()).expect("a directory").flatten().collect();
    names.sort_by_key(std::fs::DirEntry::file_name);
    let names: Vec<_> = names.iter().map(std::fs::DirEntry::file_name).collect();
    assert_eq!(names, ["saved.h5", "saved.npy", "saved.npz", "scaled.h5"]);
}

/// Differences inside are kept too when every layer counts.
#[test]
fn strict_layers_save_what_no_output_shows() {
    let directory = tempfile::tempdir().expect("a directory");
    let out = directory.path().join("saved.h5");
    let events = testvectors("golden/jet_mlp/events.h5");
    let cast = "ap_fixed<29,7>".parse().expect("a type");
    let mut config = VerifyConfig {
        traces: Vec::new(),
        targets: vec![Leg::ProxySat],
        input_types: vec![(None, bittrue_verify::InputType::Fixed(cast))],
        ..config("golden/jet_mlp/model.h5", &events)
    };
    assert_eq!(save(&config, &out, u64::MAX).1, 0);
    // A file without events cannot be compared, and says so.
    let again = VerifyConfig { events: vec![out.clone()], ..config.clone() };
    let none = verify(&again, &Unwatched).expect_err("no events").to_string();
    assert!(none.contains("holds 0 events"), "{none}");
    config.strict_layers = true;
    let (all, written) = save(&config, &out, u64::MAX);
    assert!(written > 0);
    let again = VerifyConfig { events: vec![out.clone()], ..config.clone() };
    same_differences(&all, &verify(&again, &Unwatched).expect("saved"), &rows(&out));
}

/// Two inputs, and layers with bands.
#[test]
fn several_inputs() {
    let directory = tempfile::tempdir().expect("a directory");
    for case in ["siamese", "merges"] {
        let model = format!("golden/{case}/model.h5");
        let events = testvectors(&format!("golden/{case}/events.h5"));
        let config = config(&model, &events);
        let out = directory.path().join(format!("{case}.h5"));
        let (all, written) = save(&config, &out, u64::MAX);
        assert!(written > 0 && written < all.events.count, "{case}: {written}");
        let strict = VerifyConfig { strict_layers: true, ..config.clone() };
        let (all, _) = save(&strict, &out, u64::MAX);
        let rows = rows(&out);
        let archive = out.with_extension("npz");
        save(&strict, &archive, u64::MAX);
        for file in [&out, &archive] {
            let again = VerifyConfig { events: vec![file.clone()], ..strict.clone() };
            same_differences(&all, &verify(&again, &Unwatched).expect(case), &rows);
        }
    }
    // The first ones, and as text: all inputs of an event behind each other.
    let events = testvectors("golden/siamese/events.h5");
    let config = config("golden/siamese/model.h5", &events);
    let text = directory.path().join("siamese.dat");
    assert_eq!(save(&config, &text, 3).1, 3);
    let first = directory.path().join("first.h5");
    assert_eq!(save(&config, &first, 3).1, 3);
    let rows = rows(&first);
    let text = std::fs::read_to_string(&text).expect("text");
    let lines: Vec<Vec<f64>> = text
        .lines()
        .map(|l| l.split(' ').map(|w| w.parse().expect("a number")).collect())
        .collect();
    let inputs = ["left", "right"].map(|name| {
        let file = hdf5::File::open(&events).expect("events");
        file.dataset(name).and_then(|d| d.read_dyn::<f32>()).expect(name)
    });
    assert_eq!(lines.len(), 3);
    for (line, &row) in lines.iter().zip(&rows) {
        let expected: Vec<f64> = inputs
            .iter()
            .flat_map(|i| i.index_axis(Axis(0), row as usize).into_iter().copied())
            .map(f64::from)
            .collect();
        assert_eq!(*line, expected);
    }
}

#[test]
fn the_dtype_of_the_file_stays() {
    let directory = tempfile::tempdir().expect("a directory");
    let at = |name: &str| directory.path().join(name);
    let jets = hdf5::File::open(testvectors("jets/events.h5")).expect("jets");
    let jets = jets.dataset("events").and_then(|d| d.read_2d::<f32>()).expect("events");
    // A tenth is no float32: the saved events have to be float64 as well.
    let wide = jets.mapv(|x| f64::from(x) * 1.6);
    let file = hdf5::File::create(at("wide.h5")).expect("a file");
    file.new_dataset_builder().with_data(&wide).create("events").expect("written");
    file.close().expect("closed");
    let config = config("jets/model.h5", &at("wide.h5"));
    let (all, written) = save(&config, &at("saved.h5"), u64::MAX);
    assert!(written > 0);
    let saved = hdf5::File::open(at("saved.h5")).expect("saved");
    let dataset = saved.dataset("input").expect("the input");
    assert!(dataset.dtype().expect("a dtype").is::<f64>());
    let values = dataset.read_2d::<f64>().expect("values");
    drop(saved);
    for (n, row) in rows(&at("saved.h5")).into_iter().enumerate() {
        assert_eq!(values.row(n), wide.row(row as usize));
    }
    let again = VerifyConfig { events: vec![at("saved.h5")], ..config };
    same_differences(&all, &verify(&again, &Unwatched).expect("saved"), &rows(&at("saved.h5")));
}

/// Files of several dtypes are saved as one dataset, without loss.
#[test]
fn files_of_several_dtypes() {
    let directory = tempfile::tempdir().expect("a directory");
    let at = |name: &str| directory.path().join(name);
    let jets = hdf5::File::open(testvectors("jets/events.h5")).expect("jets");
    let jets = jets.dataset("events").and_then(|d| d.read_2d::<f32>()).expect("events");
    let jets = jets.slice(ndarray::s![..500, ..]).to_owned();
    fn put<T: hdf5::H5Type>(path: &Path, values: &ndarray::Array2<T>) {
        let file = hdf5::File::create(path).expect("a file");
        file.new_dataset_builder().with_data(values).create("events").expect("written");
    }
    let single = jets.mapv(|x| x * 16.0);
    // A tenth is no float32.
    let double = jets.mapv(|x| f64::from(x) * 16.1);
    let byte = jets.mapv(|x| (x * 16.0).round().clamp(-128.0, 127.0) as i8);
    let long = jets.mapv(|x| (x * 16.0).round() as i64);
    // Overflows, and is no float64.
    let longest = jets.mapv(|x| (1_i64 << 53) + 1 + x.round() as i64);
    put(&at("single.h5"), &single);
    put(&at("double.h5"), &double);
    put(&at("byte.h5"), &byte);
    put(&at("long.h5"), &long);
    put(&at("longest.h5"), &longest);
    let values = |name: &str| match name {
        "single.h5" => single.mapv(f64::from),
        "double.h5" => double.clone(),
        "byte.h5" => byte.mapv(f64::from),
        _ => long.mapv(|x| x as f64),
    };
    for (first, second, narrow) in [
        ("single.h5", "double.h5", false),
        ("double.h5", "byte.h5", false),
        ("byte.h5", "single.h5", true),
        ("long.h5", "single.h5", false),
    ] {
        let two = VerifyConfig {
            traces: Vec::new(),
            events: vec![at(first), at(second)],
            ..config("jets/model.h5", &at(first))
        };
        let (all, written) = save(&two, &at("saved.h5"), u64::MAX);
        let rows = rows(&at("saved.h5"));
        let both = ndarray::concatenate![Axis(0), values(first), values(second)];
        assert!(rows[0] < 500 && rows[rows.len() - 1] >= 500, "one of {first} and {second} agrees");
        let saved = hdf5::File::open(at("saved.h5")).expect("saved");
        let dataset = saved.dataset("input").expect("the input");
        assert_eq!(dataset.dtype().expect("a dtype").is::<f32>(), narrow, "{first} {second}");
        let kept = dataset.read_2d::<f64>().expect("values");
        for (n, &row) in rows.iter().enumerate() {
            assert_eq!(kept.row(n), both.row(row as usize));
        }
        drop(saved);
        for name in ["saved.h5", "saved.npy", "saved.npz"] {
            assert_eq!(save(&two, &at(name), u64::MAX).1, written);
            let again = VerifyConfig { events: vec![at(name)], ..two.clone() };
            same_differences(&all, &verify(&again, &Unwatched).expect(name), &rows);
        }
    }
    let files = vec![at("single.h5"), at("longest.h5")];
    let two = VerifyConfig { events: files, ..config("jets/model.h5", &at("single.h5")) };
    for name in ["lost.h5", "lost.npy", "lost.npz"] {
        let format = SavedFormat::of(&at(name)).expect("a known extension");
        let save = SaveEvents { out: at(name), format, most: u64::MAX };
        let lost = verify_and_save(&two, &save, &Unwatched).expect_err("no dtype holds both");
        let lost = lost.to_string();
        assert!(lost.contains("cannot hold event 5") && lost.contains("no float64"), "{lost}");
        assert!(!at(name).exists());
    }
}

#[test]
fn a_trace_of_what_differs() {
    let mut banded = 0;
    let directory = tempfile::tempdir().expect("a directory");
    let at = |name: &str| directory.path().join(name);
    for (case, leg, reference, strict_layers) in [
        ("golden/jet_mlp", Leg::ProxyWrap, Leg::Qkeras, false),
        ("golden/jet_mlp", Leg::Qkeras, Leg::ProxyWrap, true),
        ("golden/merges", Leg::ProxyWrap, Leg::Qkeras, false),
        ("golden/edge_floats", Leg::Qkeras, Leg::ProxyWrap, true),
    ] {
        let traced = TraceConfig {
            model: testvectors(case).join("model.h5"),
            proxy: None,
            hls_config: None,
            events: vec![testvectors(case).join("events.h5")],
            options: EventOptions::default(),
            leg,
            input_types: Vec::new(),
            out: at("all.h5"),
        };
        let whole = trace(&traced, &Unwatched).expect(case);
        let only = OnlyDiffering { reference, strict_layers };
        let part = TraceConfig { out: at("part.h5"), ..traced };
        let summary = trace_differing(&part, only, &Unwatched).expect(case);
        assert_eq!((summary.read, whole.read), (whole.events, whole.events));
        assert!(summary.events > 0 && summary.events < summary.read, "{case}");
        let rows: Vec<usize> = rows(&at("part.h5")).iter().map(|&r| r as usize).collect();
        assert_eq!(rows.len() as u64, summary.events);
        let layers = |file: &str| read_datasets(&at(file), "layers").expect("layers");
        for ((name, all), (_, some)) in layers("all.h5").iter().zip(&layers("part.h5")) {
            assert!(all.select(Axis(0), &rows) == some, "{case} {name}");
        }
        let bands = |file: &str| read_datasets(&at(file), "bands").unwrap_or_default();
        for (name, some) in bands("part.h5") {
            let all = bands("all.h5");
            let (_, all) = all.iter().find(|(n, _)| *n == name).expect("the same bands");
            assert!(all.select(Axis(0), &rows) == some, "{case} {name}");
            banded += 1;
        }
        // The comparison counts the same events.
        let events = testvectors(case).join("events.h5");
        let model = format!("{case}/model.h5");
        let compare = VerifyConfig {
            traces: Vec::new(),
            reference: Leg::Qkeras,
            targets: vec![if leg == Leg::Qkeras { reference } else { leg }],
            strict_layers,
            ..config(&model, &events)
        };
        let report = verify(&compare, &Unwatched).expect(case);
        assert_eq!(report.comparisons[0].events_differing, summary.events, "{case}");
    }
    assert!(banded > 0, "no band was compared");
}
