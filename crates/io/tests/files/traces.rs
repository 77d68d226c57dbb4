//! Traces written, and read again by both decoders.

use std::fs;
use std::path::Path;

use bittrue_io::{IoErrorKind, TraceBands, TraceLayer, TraceMeta, TraceWriter, read_datasets};
use hdf5_reader::Hdf5File;

fn meta() -> TraceMeta {
    TraceMeta {
        leg: "proxy:wrap".to_owned(),
        model: "model.h5".to_owned(),
        events: "events.h5".to_owned(),
        flags: ["float32-ste", "float32-sum", "function-band"].map(str::to_owned).to_vec(),
    }
}

fn layer(name: &str, shape: &[usize], fixed_type: Option<&str>) -> TraceLayer {
    TraceLayer {
        name: name.to_owned(),
        shape: shape.to_vec(),
        fixed_type: fixed_type.map(str::to_owned),
    }
}

/// Values of `count` events from `first` on: any function of the row will do.
fn rows(first: usize, count: usize, elements: usize) -> Vec<f64> {
    (first * elements..(first + count) * elements).map(|i| i as f64 * 0.125 - 3.0).collect()
}

#[test]
fn a_trace_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("trace.h5");
    let layers = [
        layer("q_in", &[2, 3], Some("ap_fixed<10,4,RND_CONV,WRAP>")),
        layer("tower/soft@1", &[5], None),
    ];
    let mut writer = TraceWriter::create(&path, &meta(), &layers).unwrap();
    // Blocks of odd sizes; the first flag comes late, and again after blocks without bands.
    let (mut first, total) = (0, 20_000);
    for count in [1, 700, 9_000, 99, 10_200] {
        writer.append(0, &rows(first, count, 6), None).unwrap();
        let values = rows(first, count, 5);
        let lo: Vec<f64> = values.iter().map(|v| v - 0.5).collect();
        let hi: Vec<f64> = values.iter().map(|v| v + 0.25).collect();
        let mut flags = vec![0; values.len()];
        if count >= 9_000 {
            flags[7] = 4;
        }
        let bands = TraceBands { lo: &lo, hi: &hi, flags: &flags };
        writer.append(1, &values, (count != 1).then_some(bands)).unwrap();
        first += count;
    }
    assert_eq!(first, total);
    assert!(!path.exists(), "the name appears when the file is complete");
    writer.finish().unwrap();
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no temporary file is left");

    let read = |group: &str| read_datasets(&path, group).unwrap();
    let found = read("layers");
    assert_eq!(found.iter().map(|l| l.0.as_str()).collect::<Vec<_>>(), ["q_in", "tower/soft@1"]);
    assert_eq!(found[0].1.shape(), [total, 2, 3]);
    assert_eq!(found[0].1.iter().copied().collect::<Vec<_>>(), rows(0, total, 6));
    assert_eq!(found[1].1.iter().copied().collect::<Vec<_>>(), rows(0, total, 5));

    let flags = read("flags");
    assert_eq!(flags.len(), 1, "only layers with any flag have flags");
    assert_eq!(flags[0].1.shape(), [total, 5]);
    let set: Vec<usize> =
        flags[0].1.iter().enumerate().filter(|f| *f.1 != 0.0).map(|f| f.0).collect();
    assert_eq!(set, [701 * 5 + 7, 9_800 * 5 + 7]);
    let bands = read("bands");
    assert_eq!(bands[0].1.shape(), [total, 5, 2]);
    for (index, &value) in found[1].1.indexed_iter() {
        let (row, element) = (index[0], index[1]);
        // Blocks without any flag have no band, whatever they were given.
        let banded = (701..9_701).contains(&row) || row >= 9_800;
        let (lo, hi) = if banded { (value - 0.5, value + 0.25) } else { (value, value) };
        assert_eq!((bands[0].1[[row, element, 0]], bands[0].1[[row, element, 1]]), (lo, hi));
    }
    check_with_second_decoder(&path, total);
}

fn check_with_second_decoder(path: &Path, total: usize) {
    let file = Hdf5File::open(path).unwrap();
    let root = file.root_group().unwrap();
    assert_eq!(root.attribute("bittrue_format").unwrap().read_scalar::<u32>().unwrap(), 1);
    for (name, value) in [("leg", "proxy:wrap"), ("model", "model.h5"), ("events", "events.h5")] {
        assert_eq!(root.attribute(name).unwrap().read_string().unwrap(), value);
    }
    let layers = root.group("layers").unwrap();
    let q_in = layers.dataset("q_in").unwrap();
    assert_eq!(
        q_in.attribute("type").unwrap().read_string().unwrap(),
        "ap_fixed<10,4,RND_CONV,WRAP>"
    );
    let values: Vec<f64> = q_in.read_array::<f64>().unwrap().iter().copied().collect();
    assert_eq!(values, rows(0, total, 6));
    let soft = layers.dataset("tower%2Fsoft@1").unwrap();
    assert!(soft.attribute("type").is_err());
    let flags = root.group("flags").unwrap().dataset("tower%2Fsoft@1").unwrap();
    assert_eq!(
        flags.attribute("names").unwrap().read_strings().unwrap(),
        ["float32-ste", "float32-sum", "function-band"]
    );
    assert_eq!(flags.read_array::<u16>().unwrap().iter().filter(|&&f| f == 4).count(), 2);
}

#[test]
fn special_values_and_scalars() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.h5");
    let mut writer = TraceWriter::create(&path, &meta(), &[layer("x", &[], None)]).unwrap();
    let values = [f64::NAN, -0.0, f64::INFINITY, f64::MIN_POSITIVE / 2.0, 1e300];
    writer.append(0, &values, None).unwrap();
    writer.finish().unwrap();
    let found = read_datasets(&path, "layers").unwrap();
    assert_eq!(found[0].1.shape(), [5]);
    assert!(found[0].1.iter().zip(&values).all(|(a, b)| a.to_bits() == b.to_bits()));
    assert!(read_datasets(&path, "flags").is_err());
}

#[test]
fn a_trace_without_events_or_layers() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.h5");
    TraceWriter::create(&path, &meta(), &[layer("x", &[3], None)]).unwrap().finish().unwrap();
    assert_eq!(read_datasets(&path, "layers").unwrap()[0].1.shape(), [0, 3]);
    TraceWriter::create(&path, &meta(), &[]).unwrap().finish().unwrap();
    assert_eq!(read_datasets(&path, "layers").unwrap(), []);
}

#[test]
fn an_unfinished_trace_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.h5");
    fs::write(&path, b"what was there before").unwrap();
    let mut writer = TraceWriter::create(&path, &meta(), &[layer("x", &[3], None)]).unwrap();
    writer.append(0, &[1.0, 2.0, 3.0], None).unwrap();
    drop(writer);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    assert_eq!(fs::read(&path).unwrap(), b"what was there before");
}

#[test]
fn wrong_use_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.h5");
    let layers = [layer("x", &[3], None), layer("y", &[1], None)];
    let mut writer = TraceWriter::create(&path, &meta(), &layers).unwrap();
    let short = TraceBands { lo: &[0.0], hi: &[0.0], flags: &[1] };
    for (layer, values, bands) in
        [(0, &[1.0, 2.0][..], None), (2, &[1.0], None), (0, &[1.0; 3], Some(short))]
    {
        assert_eq!(writer.append(layer, values, bands).unwrap_err().kind(), IoErrorKind::Output);
    }
    writer.append(0, &[1.0; 6], None).unwrap();
    writer.append(1, &[1.0], None).unwrap();
    let error = writer.finish().unwrap_err();
    assert!(error.to_string().contains("different numbers of events: [2, 1]"), "{error}");
    assert!(!path.exists());
    let twins = [layer("x", &[3], None), layer("x", &[1], None)];
    let error = TraceWriter::create(&path, &meta(), &twins).unwrap_err();
    assert!(error.to_string().contains("two layers are called `x`"), "{error}");
}

#[test]
fn places_that_cannot_be_written() {
    let dir = tempfile::tempdir().unwrap();
    for (path, complaint) in [
        (dir.path().join("no/such/trace.h5"), "there is no directory"),
        (dir.path().to_owned(), "it is a directory"),
        (Path::new("/").to_owned(), "it is a directory"),
    ] {
        let error = TraceWriter::create(&path, &meta(), &[]).unwrap_err();
        assert_eq!((error.kind(), error.path()), (IoErrorKind::Output, path.as_path()));
        assert!(error.to_string().contains(complaint), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link_and_a_device_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let (real, link) = (dir.path().join("real.h5"), dir.path().join("link.h5"));
    std::fs::write(&real, "old").unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    TraceWriter::create(&link, &meta(), &[]).unwrap().finish().unwrap();
    assert!(link.is_symlink());
    assert!(std::fs::read(&real).unwrap().starts_with(b"\x89HDF"));
    let error = TraceWriter::create(Path::new("/dev/null"), &meta(), &[]).unwrap_err();
    assert!(error.to_string().contains("a device"), "{error}");
}
