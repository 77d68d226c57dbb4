//! Several files in a row, and files that change while they are read.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};

use bittrue_block::EventData;
use bittrue_io::{EventOptions, EventSource, IoError, IoErrorKind};
use hdf5::File;
use ndarray::Array2;

use crate::input;

fn hdf5(path: &Path, name: &str, first: usize, count: usize, columns: usize) {
    let file = File::create(path).unwrap();
    let data = Array2::from_shape_fn((count, columns), |(i, j)| ((first + i) * 2 + j) as f32);
    file.new_dataset_builder().with_data(&data).create(name).unwrap();
    file.close().unwrap();
}

fn text(path: &Path, header: &str, first: usize, count: usize) {
    let lines = (first..first + count).map(|i| format!("{}.0,{}.0\n", 2 * i, 2 * i + 1));
    fs::write(path, format!("{header}{}", lines.collect::<String>())).unwrap();
}

fn open(files: &[PathBuf], options: &EventOptions) -> Result<EventSource, IoError> {
    EventSource::open_all(files, &[input("in", &[2])], options)
}

fn read(mut source: EventSource, max: usize) -> Result<Vec<f64>, IoError> {
    let (mut all, mut next) = (Vec::new(), source.skipped());
    while let Some(block) = source.next_block(max)? {
        assert_eq!(block.first, next);
        next += block.count as u64;
        match &block.inputs[0].data {
            EventData::F32(v) => all.extend(v.iter().map(|&v| f64::from(v))),
            EventData::F64(v) => all.extend(v),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(source.count(), 0);
    Ok(all)
}

#[test]
fn events_are_counted_through_all_files() {
    let dir = tempfile::tempdir().unwrap();
    let files: Vec<PathBuf> =
        ["a.h5", "b.csv", "c.h5", "d.dat"].iter().map(|n| dir.path().join(n)).collect();
    hdf5(&files[0], "events", 0, 5, 2);
    text(&files[1], "x,y\n", 5, 1);
    hdf5(&files[2], "events", 6, 7, 2);
    text(&files[3], "", 13, 7);
    let all: Vec<f64> = (0..40).map(f64::from).collect();
    for max in [1, 3, 5, 100] {
        let source = open(&files, &EventOptions::default()).unwrap();
        assert_eq!(source.count(), 20);
        let found: Vec<(u64, u64)> = source.files().map(|f| (f.first, f.events)).collect();
        assert_eq!(found, [(0, 5), (5, 1), (6, 7), (13, 7)]);
        assert_eq!(read(source, max).unwrap(), all, "{max}");
    }
    for (skip, most) in [(0, 20), (4, 3), (5, 1), (6, 14), (19, 1), (2, 100), (13, 2)] {
        let options = EventOptions { skip, max_events: Some(most), ..EventOptions::default() };
        let end = 40.min((skip + most) * 2);
        let found = read(open(&files, &options).unwrap(), 4).unwrap();
        assert_eq!(found, all[skip as usize * 2..end as usize], "{skip} {most}");
    }
    let options = EventOptions { skip: 20, ..EventOptions::default() };
    let error = open(&files, &options).unwrap_err().to_string();
    assert!(error.contains("these 4 files hold 20 events, and 20 are to be skipped"), "{error}");
}

#[test]
fn more_files_than_are_kept_open() {
    let dir = tempfile::tempdir().unwrap();
    let files: Vec<PathBuf> = (0..150).map(|n| dir.path().join(format!("{n}.h5"))).collect();
    for (n, path) in files.iter().enumerate() {
        hdf5(path, "events", n * 3, 3, 2);
    }
    let source = open(&files, &EventOptions::default()).unwrap();
    let all: Vec<f64> = (0..900).map(f64::from).collect();
    assert_eq!(read(source, 100).unwrap(), all);
    // One that is opened again when its turn comes, and is another file then.
    let source = open(&files, &EventOptions::default()).unwrap();
    hdf5(&files[149], "events", 0, 2, 2);
    let error = read(source, 100).unwrap_err();
    assert_eq!(error.path(), files[149]);
    assert!(error.to_string().contains("has changed: it had 3 events in"), "{error}");
}

#[test]
fn the_file_at_fault_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    hdf5(&path("good.h5"), "events", 0, 5, 2);
    hdf5(&path("more.h5"), "events", 0, 5, 2);
    hdf5(&path("wide.h5"), "events", 0, 5, 3);
    hdf5(&path("none.h5"), "events", 0, 0, 2);
    hdf5(&path("other.h5"), "raw", 0, 5, 2);
    fs::write(path("empty.csv"), "x,y\n").unwrap();
    text(&path("xy.csv"), "x,y\n", 0, 3);
    text(&path("yx.csv"), "y,x\n", 0, 3);
    for (files, at, why) in [
        (vec!["good.h5", "wide.h5", "more.h5"], 1, "no dataset fits input `in`"),
        (vec!["good.h5", "none.h5", "more.h5"], 1, "dataset events holds 0 events"),
        (vec!["good.h5", "more.h5", "empty.csv"], 2, "line 1 is a header, and no event follows"),
        (vec!["good.h5", "nowhere.h5"], 1, "does not exist"),
        (vec!["good.h5", "other.h5"], 1, "input `in` would be fed by /raw, but in"),
        (vec!["xy.csv", "yx.csv"], 1, "its column 1 is `y`, but in"),
    ] {
        let files: Vec<PathBuf> = files.into_iter().map(path).collect();
        let error = open(&files, &EventOptions::default()).unwrap_err();
        assert_eq!((error.kind(), error.path()), (IoErrorKind::Events, files[at].as_path()));
        assert!(error.to_string().contains(why) && error.help().is_some(), "{error}");
    }
    // By name the order of the columns does not matter.
    let options = EventOptions {
        columns: vec![(None, vec!["x".to_owned(), "y".to_owned()])],
        ..EventOptions::default()
    };
    let found = read(open(&[path("xy.csv"), path("yx.csv")], &options).unwrap(), 99).unwrap();
    assert_eq!(found, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 1.0, 0.0, 3.0, 2.0, 5.0, 4.0]);
    assert!(open(&[], &EventOptions::default()).is_err());
}

/// Makes a file shorter, as a program does that writes it anew.
fn shorten(path: &Path, bytes: u64) {
    OpenOptions::new().write(true).open(path).unwrap().set_len(bytes).unwrap();
}

#[test]
fn files_that_shrink_while_they_are_read() {
    let forms = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testvectors/events/forms");
    let dir = tempfile::tempdir().unwrap();
    let long = dir.path().join("long.h5");
    hdf5(&long, "events", 0, 40_000, 16);
    let csv = dir.path().join("long.csv");
    let line = "1.5,".repeat(15) + "2.5\n";
    fs::write(&csv, line.repeat(40_000)).unwrap();
    for (source, dataset) in [
        (forms.join("datasets.h5"), "f8_le"),
        (forms.join("datasets.h5"), "gzip"),
        (forms.join("v1_f4.npy"), "arr_0"),
        (forms.join("stored.npz"), "events"),
        (long.clone(), "events"),
        (csv.clone(), "table"),
    ] {
        let path = dir.path().join("shrinks");
        let whole = fs::read(&source).unwrap();
        for keep in [0, 100, whole.len() as u64 / 2, whole.len() as u64 - 1] {
            fs::write(&path, &whole).unwrap();
            let options = EventOptions {
                datasets: vec![(None, dataset.to_owned())],
                ..EventOptions::default()
            };
            let mut events = EventSource::open(&path, &[input("in", &[16])], &options).unwrap();
            // Some events are read before, so that buffers are filled.
            if whole.len() > 1 << 20 {
                events.next_block(1).unwrap();
            }
            shorten(&path, keep);
            let error = events.next_block(50).unwrap_err();
            assert_eq!((error.kind(), error.path()), (IoErrorKind::Events, path.as_path()));
            let why = format!("has shrunk from {} to {keep} bytes while", whole.len());
            assert!(error.to_string().contains(&why), "{error}");
        }
    }
}

/// A member of an archive that holds more than it says.
#[test]
fn archives_that_inflate_to_more() {
    let forms = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testvectors/events/forms");
    let mut bytes = fs::read(forms.join("compressed.npz")).unwrap();
    // Its header and the archive's directory agree on half of the events.
    let directory = bytes.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    let size = u32::from_le_bytes(bytes[directory + 24..directory + 28].try_into().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("more.npz");
    bytes[directory + 24..directory + 28].copy_from_slice(&(size / 2).to_le_bytes());
    fs::write(&path, &bytes).unwrap();
    let opened = EventSource::open(&path, &[input("in", &[16])], &EventOptions::default());
    let error = opened.unwrap_err().to_string();
    assert!(error.contains("is truncated: it holds"), "{error}");
}
