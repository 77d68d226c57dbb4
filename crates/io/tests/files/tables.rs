//! Events as text.

use std::fs;
use std::path::{Path, PathBuf};

use bittrue_block::EventData;
use bittrue_io::{EventOptions, EventSource, InputSpec, IoError, IoErrorKind};
use proptest::prelude::*;

use crate::input;

fn write(dir: &tempfile::TempDir, text: impl AsRef<[u8]>) -> PathBuf {
    let path = dir.path().join("events.txt");
    fs::write(&path, text).unwrap();
    path
}

fn open(path: &Path, inputs: &[InputSpec]) -> Result<EventSource, IoError> {
    EventSource::open(path, inputs, &EventOptions::default())
}

fn dataset(path: &str) -> EventOptions {
    EventOptions { datasets: vec![(None, path.to_owned())], ..EventOptions::default() }
}

fn columns(names: &[&str]) -> EventOptions {
    let names = names.iter().map(|&n| n.to_owned()).collect();
    EventOptions { columns: vec![(None, names)], ..EventOptions::default() }
}

/// All events of each input, in blocks of at most `max`.
fn read(mut source: EventSource, max: usize) -> Result<Vec<Vec<EventData>>, IoError> {
    let mut all: Vec<Vec<EventData>> = Vec::new();
    while let Some(block) = source.next_block(max)? {
        all.resize(block.inputs.len(), Vec::new());
        for (input, list) in block.inputs.into_iter().zip(&mut all) {
            list.push(input.data);
        }
    }
    Ok(all)
}

/// The only block of the only input.
fn events(path: &Path, shape: &[usize], options: &EventOptions) -> Result<EventData, IoError> {
    let source = EventSource::open(path, &[input("in", shape)], options)?;
    Ok(read(source, 1000)?.remove(0).remove(0))
}

fn refused(path: &Path, shape: &[usize], options: &EventOptions) -> String {
    let error = events(path, shape, options).unwrap_err();
    assert_eq!((error.kind(), error.path()), (IoErrorKind::Events, path));
    format!("{error} [{}]", error.help().unwrap_or_default())
}

#[test]
fn every_spelling_gives_the_same_events() {
    let dir = tempfile::tempdir().unwrap();
    let expected = EventData::F64(vec![1.0, -2.5, 3e-4, 4.0, 5.0, f64::INFINITY]);
    for text in [
        "1,-2.5,3e-4\n4,5,inf\n",
        "1,-2.5,3e-4\n4,5,inf",
        "1,-2.5,3e-4\r\n4,5,inf\r\n",
        "\u{feff}1,-2.5,3e-4\n4,5,inf\n",
        "\u{feff}pt,eta,phi\r\n1,-2.5,3e-4\r\n4,5,inf",
        "# pt,eta,phi\n1,-2.5,3e-4\n# in between\n\n4,5,inf\n",
        "1;-2.5;3e-4\n4;5;inf\n",
        "1\t-2.5\t3e-4\n4\t5\tinf\n",
        "1 -2.5 3e-4 \n4 5 inf \n",
        "  1   -2.5\t3e-4\n 4 5   Infinity  \n",
        "\"jet pt\", \"jet, eta\", phi\n+1.0 , -25e-1 , .0003\n4.,5,+INF\n",
        "1.0000000000000000000000000000000000000000000,-2.5,3e-4\n4,5,1e999\n",
    ] {
        let path = write(&dir, text);
        for max in [1, 2] {
            let source = open(&path, &[input("in", &[3])]).unwrap();
            assert_eq!((source.count(), source.datasets().next()), (2, Some("/table")));
            let found: Vec<f64> = read(source, max).unwrap()[0]
                .iter()
                .flat_map(|block| match block {
                    EventData::F64(values) => values.clone(),
                    other => panic!("{other:?}"),
                })
                .collect();
            assert_eq!(EventData::F64(found), expected, "{text:?}");
        }
    }
}

#[test]
fn dtypes() {
    let dir = tempfile::tempdir().unwrap();
    let path = write(&dir, "9007199254740993,0.1\n-9223372036854775808,nan\n");
    let integers = EventData::I64(vec![9_007_199_254_740_993, i64::MIN]);
    assert_eq!(events(&path, &[1], &dataset("[0:1]")).unwrap(), integers);
    let EventData::F64(mixed) = events(&path, &[2], &EventOptions::default()).unwrap() else {
        panic!()
    };
    assert_eq!(mixed[..3], [9_007_199_254_740_992.0, 0.1, -(2f64.powi(63))]);
    assert!(mixed[3].is_nan());
    let path = write(&dir, "-0\n-0.0\n");
    let EventData::F64(zeros) = events(&path, &[], &EventOptions::default()).unwrap() else {
        panic!()
    };
    assert!(zeros.iter().all(|z| *z == 0.0 && z.is_sign_negative()));
}

#[test]
fn inputs_follow_each_other_in_a_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = write(&dir, "0 1 2 3 4 5 6 \n7 8 9 10 11 12 13 \n");
    let inputs = [input("image", &[2, 2, 1]), input("more", &[3])];
    let found = read(open(&path, &inputs).unwrap(), 10).unwrap();
    assert_eq!(found[0], [EventData::I64(vec![0, 1, 2, 3, 7, 8, 9, 10])]);
    assert_eq!(found[1], [EventData::I64(vec![4, 5, 6, 11, 12, 13])]);
    // What the user says goes before the order.
    let options = EventOptions {
        datasets: vec![
            (Some("image".to_owned()), "[3:7]".to_owned()),
            (Some("more".to_owned()), "table[:3]".to_owned()),
        ],
        ..EventOptions::default()
    };
    let source = EventSource::open(&path, &inputs, &options).unwrap();
    assert_eq!(source.datasets().collect::<Vec<_>>(), ["/table[3:7]", "/table[0:3]"]);
    let found = read(source, 10).unwrap();
    assert_eq!(found[0], [EventData::I64(vec![3, 4, 5, 6, 10, 11, 12, 13])]);
    let error = open(&path, &[input("a", &[2, 2]), input("b", &[2])]).unwrap_err();
    assert!(error.to_string().contains("holds 7 values a line, but input `a` needs 4 values and"));
    assert!(error.help().unwrap().contains("--dataset 'a=[0:4]' --dataset 'b=[4:6]'"));
}

#[test]
fn columns_named_like_inputs() {
    let dir = tempfile::tempdir().unwrap();
    let path = write(&dir, "y,x,label\n1,2,3\n4,5,6\n");
    let found = read(open(&path, &[input("x", &[1]), input("y", &[1])]).unwrap(), 9).unwrap();
    assert_eq!(found, [[EventData::I64(vec![2, 5])], [EventData::I64(vec![1, 4])]]);
    // Not one column for each: the order alone would be a guess.
    for inputs in [[input("x", &[1]), input("z", &[2])], [input("x", &[2]), input("y", &[1])]] {
        let error = open(&path, &inputs).unwrap_err().to_string();
        assert!(error.contains("the header has names of inputs (y, x, label), but not"), "{error}");
    }
}

#[test]
fn columns_are_chosen() {
    let dir = tempfile::tempdir().unwrap();
    let path = write(&dir, "id;pt;name;eta\n7;0.5;jet;1\n8;1.5;tau;2\n");
    let expected = EventData::F64(vec![1.0, 0.5, 2.0, 1.5]);
    for options in [columns(&["eta", "pt"]), dataset("[eta,pt]"), dataset("table[eta, pt]")] {
        assert_eq!(events(&path, &[2], &options).unwrap(), expected);
    }
    assert_eq!(events(&path, &[1], &dataset("[-1:]")).unwrap(), EventData::I64(vec![1, 2]));
    let both =
        EventOptions { datasets: vec![(None, "table".to_owned())], ..columns(&["eta", "pt"]) };
    assert_eq!(events(&path, &[2], &both).unwrap(), expected);
    for (shape, options, why) in [
        (4, EventOptions::default(), "than numbers in column 3 (`name`): line 2 has `jet` [write"),
        (
            2,
            EventOptions::default(),
            "holds 4 values a line, but input `in` needs 2 values; text \
             with columns id, pt, name, eta [choose columns, as in --dataset 'in=[0:2]' or \
             --columns NAME,NAME,…]",
        ),
        (5, EventOptions::default(), "needs 5 values; text with columns id, pt, name, eta [check"),
        (2, columns(&["pt", "name"]), "column 3 (`name`): line 2 has `jet`"),
        (2, columns(&["pt", "phi"]), "has no column phi; it holds table [2, 4] text with"),
        (2, columns(&["pt", "pt"]), "is asked for its column pt twice"),
        (3, columns(&["eta", "pt"]), "table[eta,pt] has 2 values a line, but input `in` needs 3"),
        (2, dataset("[3:5]"), "has 4 columns, and [3:5] goes beyond them"),
        (2, dataset("[pt]"), "has 1 values a line, but"),
        (2, dataset("events"), "has no dataset events; it holds table [2, 4] text"),
    ] {
        let found = refused(&path, &[shape], &options);
        assert!(found.contains(why), "{found}");
    }
    let path = write(&dir, "1,2,3\n4,5,6\n");
    let found = refused(&path, &[2], &columns(&["pt", "eta"]));
    assert!(found.contains("no header; choose columns by number with --dataset 'in=[a:b]'"));
    let found = refused(&path, &[2], &dataset("[pt,eta]"));
    assert!(found.contains("has no header with names"), "{found}");
    let path = write(&dir, "a,a,b\n4,5,6\n");
    assert!(refused(&path, &[2], &columns(&["a", "b"])).contains("has more than one column a"));
}

#[test]
fn broken_lines_are_named() {
    let dir = tempfile::tempdir().unwrap();
    for (text, why) in [
        ("1,2\n3,x4\n", "something else than numbers in column 2: line 2 has `x4`"),
        ("pt,eta\n1,2\n\n# c\n3,\n", "in column 2 (`eta`): line 5 has no value there"),
        ("1,2\n3,1.2.3\n", "column 2: line 2 has `1.2.3`"),
        ("1 2\n3\n", "line 2 has 1 values, but the lines before it have 2"),
        ("1 2\n3 4 5\n", "line 2 has 3 values, but the lines before it have 2"),
        ("pt eta\n1 2 3\n", "line 2 has 3 values, but the header in line 1 has 2 names"),
        ("1.0,2.x\n3,4\n", "line 1 is neither an event nor a header: `2.x` is no number"),
        ("pt,eta\n", "line 1 is a header, and no event follows"),
        ("# nothing\n\n", "it holds no event"),
        ("dear all,\nplease find\n", "column 1 (`dear`): line 2 has `please`"),
    ] {
        let found = refused(&write(&dir, text), &[2], &EventOptions::default());
        assert!(found.contains(why), "{text:?}: {found}");
        assert!(!found.ends_with("[]"), "no remedy: {found}");
    }
    let found = refused(&write(&dir, "1,2\n3,\u{0}4\n"), &[2], &EventOptions::default());
    assert!(found.contains("is not an HDF5 file [give events as"), "{found}");
    // What looks like text at its start.
    let text = "1,2\n".repeat(1000) + "3,\u{0}\n";
    let found = refused(&write(&dir, text), &[2], &EventOptions::default());
    assert!(found.contains("line 1001 holds a NUL byte; the file is damaged"), "{found}");
}

#[test]
fn a_line_without_end() {
    let dir = tempfile::tempdir().unwrap();
    let found = refused(&write(&dir, vec![b'1'; 70 << 20]), &[1], &EventOptions::default());
    assert!(found.contains("line 1 is longer than 67108864 bytes"), "{found}");
}

#[test]
fn long_tables_are_read_from_anywhere() {
    let dir = tempfile::tempdir().unwrap();
    let text: String = (0..40_000).map(|i| format!("{i},{}\n", i * 3)).collect();
    let path = write(&dir, text);
    for (skip, most) in [(0, 40_000), (4_095, 3), (39_999, 1), (20_000, 17_000)] {
        let options = EventOptions { skip, max_events: Some(most), ..dataset("[1:2]") };
        let mut source = EventSource::open(&path, &[input("in", &[1])], &options).unwrap();
        let mut next = skip as i64;
        while let Some(block) = source.next_block(777).unwrap() {
            assert_eq!(block.first, next as u64);
            let count = block.count as i64;
            let expected = (next..next + count).map(|i| i * 3).collect();
            assert_eq!(block.inputs[0].data, EventData::I64(expected));
            next += count;
        }
        assert_eq!(next as u64, skip + most);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    /// Whatever a text is, there are events or there is an error.
    #[test]
    fn any_text(text in "([0-9a-c.e+,; \t#\"\r\n-]|nan|pt|é|\u{0}){0,60}", cut in any::<bool>()) {
        let dir = tempfile::tempdir().unwrap();
        let path = write(&dir, &text);
        for (shape, options) in [
            (1, EventOptions::default()),
            (2, EventOptions::default()),
            (2, dataset("[0:2]")),
            (1, columns(&["pt"])),
        ] {
            let opened = EventSource::open(&path, &[input("in", &[shape])], &options);
            if cut {
                fs::write(&path, &text.as_bytes()[..text.len() / 2]).unwrap();
            }
            match opened.and_then(|source| read(source, 2)) {
                Ok(found) => prop_assert!(!found[0].is_empty()),
                Err(e) => prop_assert_eq!(e.kind(), IoErrorKind::Events),
            }
        }
    }
}
