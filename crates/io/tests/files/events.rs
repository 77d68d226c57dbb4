//! Events in every form of dataset.

use bittrue_block::EventData;
use bittrue_io::{EventOptions, EventSource, IoErrorKind};

use crate::{GOLDEN, input, inputs, model, testvectors};

const SHAPE: [usize; 2] = [3, 2];
const EVENTS: usize = 37;

/// The events of `testvectors/events/make.py`.
fn expected() -> Vec<f64> {
    (0..EVENTS * 6).map(|i| (i * 7 % 101) as f64).collect()
}

fn choose(path: &str) -> EventOptions {
    EventOptions { datasets: vec![(None, path.to_owned())], ..EventOptions::default() }
}

fn values(data: &EventData) -> Vec<f64> {
    match data {
        EventData::F32(v) => v.iter().map(|&v| f64::from(v)).collect(),
        EventData::F64(v) => v.clone(),
        EventData::I64(v) => v.iter().map(|&v| v as f64).collect(),
        EventData::U64(v) => v.iter().map(|&v| v as f64).collect(),
    }
}

/// All events of the one input of a source, read in blocks of at most `max`.
fn read_all(mut source: EventSource, max: usize) -> (Vec<f64>, Vec<usize>) {
    let (mut all, mut counts, mut next) = (Vec::new(), Vec::new(), source.skipped());
    let mut left = source.count();
    while let Some(block) = source.next_block(max).unwrap() {
        assert_eq!(block.first, next);
        assert_eq!(block.inputs[0].data.len(), block.count * block.inputs[0].elements);
        next += block.count as u64;
        left -= block.count as u64;
        assert_eq!(source.count(), left);
        all.extend(values(&block.inputs[0].data));
        counts.push(block.count);
    }
    assert_eq!(left, 0);
    (all, counts)
}

#[test]
fn every_dtype_layout_and_format_gives_the_same_events() {
    let mut seen = 0;
    for format in ["earliest", "v110", "latest"] {
        let path = testvectors(&format!("events/variants_{format}.h5"));
        let mut names = Vec::new();
        for dtype in ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"] {
            names.extend(["little", "big"].map(|order| format!("{dtype}_{order}")));
        }
        for layout in [
            "contiguous",
            "chunked",
            "rows",
            "columns",
            "large_chunk",
            "gzip",
            "gzip_shuffle",
            "lzf",
            "lzf_shuffle",
            "fletcher",
            "extendible",
            "two_unlimited",
        ] {
            names.extend(["f4", "i2"].map(|dtype| format!("{layout}_{dtype}")));
        }
        names.push("compact".to_owned());
        for name in names {
            for block in [1, 4, 5, 36, 37, 1000] {
                let source = EventSource::open(&[&path], &[input("in", &SHAPE)], &choose(&name));
                let (all, counts) = read_all(source.unwrap(), block);
                assert_eq!(all, expected(), "{format} {name} in blocks of {block}");
                assert_eq!(counts.len(), EVENTS.div_ceil(block));
            }
            seen += 1;
        }
    }
    assert_eq!(seen, 3 * 47);
}

#[test]
fn the_variant_holds_the_dtype() {
    let path = testvectors("events/variants_earliest.h5");
    let kind = |name: &str| {
        let source = EventSource::open(&[&path], &[input("in", &SHAPE)], &choose(name));
        match source.unwrap().next_block(1).unwrap().unwrap().inputs.remove(0).data {
            EventData::F32(_) => "F32",
            EventData::F64(_) => "F64",
            EventData::I64(_) => "I64",
            EventData::U64(_) => "U64",
        }
    };
    for (dtypes, expected) in [
        (&["f2", "f4", "i1", "i2", "u1", "u2"][..], "F32"),
        (&["f8", "i4", "u4"], "F64"),
        (&["i8"], "I64"),
        (&["u8"], "U64"),
    ] {
        for dtype in dtypes {
            assert_eq!(kind(&format!("{dtype}_little")), expected);
            assert_eq!(kind(&format!("{dtype}_big")), expected);
        }
    }
}

/// The value of a float16, from its bits.
fn half(bits: u16) -> f32 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f32::from(bits & 1023));
    sign * match exponent {
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        0 => fraction * 2f32.powi(-24),
        e => (1.0 + fraction / 1024.0) * 2f32.powi(e - 15),
    }
}

#[test]
fn extreme_values_survive() {
    let path = testvectors("events/extremes.h5");
    let read = |name: &str| {
        let source = EventSource::open(&[&path], &[input("in", &[1])], &choose(name));
        source.unwrap().next_block(1 << 20).unwrap().unwrap().inputs.remove(0).data
    };
    let same32 = |a: f32, b: f32| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
    for order in ["little", "big"] {
        let EventData::F32(halves) = read(&format!("f2_{order}")) else { panic!() };
        assert_eq!(halves.len(), 1 << 16);
        for (bits, &found) in halves.iter().enumerate() {
            assert!(same32(found, half(bits as u16)), "{order} {bits:04x}: {found}");
        }
        let EventData::F32(singles) = read(&format!("f4_{order}")) else { panic!() };
        let EventData::F64(bits) = read("f4_bits") else { panic!() };
        for (&found, bits) in singles.iter().zip(bits) {
            assert!(same32(found, f32::from_bits(bits as u32)), "{found}");
        }
        let EventData::F64(doubles) = read(&format!("f8_{order}")) else { panic!() };
        let EventData::U64(bits) = read("f8_bits") else { panic!() };
        for (&found, bits) in doubles.iter().zip(bits) {
            let bits = f64::from_bits(bits);
            assert!(found.to_bits() == bits.to_bits() || found.is_nan() && bits.is_nan());
        }
        let signed = |bits: u32| {
            let min = -(1i64 << (bits - 1));
            [min, -1 - min, 0, 1, -2 - min, min + 1].map(|v| v as f64).to_vec()
        };
        let unsigned = |bits: u32| {
            let max = (1u64 << bits) - 1;
            [0, max, 0, 1, max - 1, 1].map(|v| v as f64).to_vec()
        };
        for (dtype, expected) in [
            ("i1", signed(8)),
            ("i2", signed(16)),
            ("i4", signed(32)),
            ("u1", unsigned(8)),
            ("u2", unsigned(16)),
            ("u4", unsigned(32)),
        ] {
            assert_eq!(values(&read(&format!("{dtype}_{order}"))), expected, "{dtype}");
        }
        let max = i64::MAX;
        assert_eq!(
            read(&format!("i8_{order}")),
            EventData::I64(vec![i64::MIN, max, 0, 1, max - 1, i64::MIN + 1])
        );
        assert_eq!(
            read(&format!("u8_{order}")),
            EventData::U64(vec![0, u64::MAX, 0, 1, u64::MAX - 1, 1])
        );
    }
}

#[test]
fn skip_and_max_events() {
    let path = testvectors("events/variants_v110.h5");
    let open = |skip, max_events| {
        let options = EventOptions { skip, max_events, ..choose("gzip_f4") };
        EventSource::open(&[&path], &[input("in", &SHAPE)], &options)
    };
    for (skip, max, from, to) in [
        (0, None, 0, 37),
        (3, None, 3, 37),
        (36, None, 36, 37),
        (0, Some(1), 0, 1),
        (7, Some(12), 7, 19),
        (7, Some(30), 7, 37),
        (7, Some(u64::MAX), 7, 37),
    ] {
        let source = open(skip, max).unwrap();
        assert_eq!((source.skipped(), source.count()), (skip, to - from));
        assert_eq!(source.datasets().collect::<Vec<_>>(), ["/gzip_f4"]);
        let (all, _) = read_all(source, 4);
        assert_eq!(all, expected()[from as usize * 6..to as usize * 6]);
    }
    for (skip, max, complaint) in [
        (37, None, "holds 37 events, and 37 are to be skipped"),
        (u64::MAX, None, "are to be skipped"),
        (0, Some(0), "no events are to be read"),
    ] {
        let error = open(skip, max).unwrap_err();
        assert_eq!(error.kind(), IoErrorKind::Events);
        assert!(error.to_string().contains(complaint), "{error}");
        assert!(error.help().is_some());
    }
}

#[test]
fn a_user_block_is_skipped() {
    let path = testvectors("events/user_block.h5");
    let source = EventSource::open(&[&path], &[input("in", &SHAPE)], &EventOptions::default());
    assert_eq!(read_all(source.unwrap(), 10).0, expected());
}

#[test]
fn groups_are_searched() {
    let path = testvectors("events/structures.h5");
    let open = |inputs: &[_], options: &EventOptions| EventSource::open(&[&path], inputs, options);
    let source = open(&[input("in", &SHAPE)], &EventOptions::default()).unwrap();
    assert_eq!(source.datasets().collect::<Vec<_>>(), ["/deep/er/events"]);
    assert_eq!(read_all(source, 10).0, expected());
    // By name, also in a group; and for two inputs.
    let both = [input("flat", &[6]), input("events", &SHAPE)];
    let mut source = open(&both, &EventOptions::default()).unwrap();
    assert_eq!(source.datasets().collect::<Vec<_>>(), ["/flat", "/deep/er/events"]);
    let block = source.next_block(37).unwrap().unwrap();
    assert_eq!(values(&block.inputs[0].data), values(&block.inputs[1].data));
    assert_eq!(block.inputs.iter().map(|i| i.elements).collect::<Vec<_>>(), [6, 6]);
}

#[test]
fn datasets_that_are_no_events() {
    let path = testvectors("events/structures.h5");
    let open = |dataset: &str, shape: &[usize]| {
        let error =
            EventSource::open(&[&path], &[input("in", shape)], &choose(dataset)).unwrap_err();
        assert_eq!((error.kind(), error.path()), (IoErrorKind::Events, path.as_path()));
        error.to_string()
    };
    for (dataset, shape, complaint) in [
        ("flag", &[1][..], "dataset flag holds bool"),
        ("names", &[1], "dataset names holds"),
        ("table", &[1], "a compound type with fields pt, eta"),
        ("complex", &[9], "a compound type with fields r, i"),
        ("extended", &[8], "dataset extended holds an unknown type"),
        ("scalar", &[1], "dataset scalar has shape [], but input `in` needs [event, 1]"),
        ("empty", &[1], "dataset empty has shape []"),
        ("none", &[4], "dataset none holds 0 events"),
        ("ragged", &[0], "shape [37, 0] is out of bounds"),
        ("seven", &[16], "dataset seven has shape [37, 7], but input `in` needs [event, 16]"),
        ("deep", &[16], "has no dataset deep; it holds complex [37, 9]"),
        ("elsewhere", &SHAPE, "has no dataset elsewhere"),
    ] {
        let found = open(dataset, shape);
        assert!(found.contains(complaint), "{found}");
    }
    // Two of one length fit by shape, but belong to events of different files.
    let options = EventOptions::default();
    let error = EventSource::open(&[&path], &[input("in", &[7])], &options).unwrap_err();
    assert!(error.to_string().contains("seven [37, 7] float32; short [36, 7] float32"), "{error}");
    assert_eq!(error.help(), Some("choose with --dataset in=PATH"));
    let both = [input("seven", &[7]), input("short", &[7])];
    let error = EventSource::open(&[&path], &both, &options).unwrap_err();
    assert!(
        error.to_string().contains("dataset short: has 36 events, but seven has 37"),
        "{error}"
    );
    // A one-hot table does not fit by accident; what nearly fits is named.
    let error = EventSource::open(&[&path], &[input("in", &[2, 3])], &options).unwrap_err();
    assert!(error.help().is_some_and(|h| h.contains("reshape it to [event, 2, 3]")), "{error}");
}

#[test]
fn damaged_chunks_are_an_error() {
    let path = testvectors("events/unknown_filter.h5");
    let mut source =
        EventSource::open(&[&path], &[input("in", &SHAPE)], &EventOptions::default()).unwrap();
    let error = source.next_block(10).unwrap_err();
    assert_eq!(error.kind(), IoErrorKind::Events);
    assert!(
        error.to_string().contains("dataset /events: events 0 to 36 cannot be read"),
        "{error}"
    );
    assert!(error.help().is_some_and(|h| h.contains("filter")), "{error}");
    let path = testvectors("events/damaged_chunk.h5");
    let mut source =
        EventSource::open(&[&path], &[input("in", &SHAPE)], &EventOptions::default()).unwrap();
    let error = source.next_block(10).unwrap_err();
    assert!(error.to_string().contains("cannot be read"), "{error}");
}

#[test]
fn golden_events_feed_their_models() {
    for case in GOLDEN {
        let model = model(&format!("golden/{case}/model.h5"));
        let path = testvectors(&format!("golden/{case}/events.h5"));
        let specs = inputs(&model);
        let mut source = EventSource::open(&[&path], &specs, &EventOptions::default()).unwrap();
        let case_json: serde_json::Value = serde_json::from_slice(
            &std::fs::read(testvectors(&format!("golden/{case}/case.json"))).unwrap(),
        )
        .unwrap();
        assert_eq!(Some(source.count()), case_json["events"].as_u64(), "{case}");
        let block = source.next_block(usize::MAX).unwrap().unwrap();
        assert!(source.next_block(1).unwrap().is_none());
        for (spec, events) in specs.iter().zip(&block.inputs) {
            assert_eq!(events.elements, spec.shape.iter().product::<usize>(), "{case}");
        }
    }
    // Two inputs of one shape are told apart by name.
    let path = testvectors("golden/siamese/events.h5");
    let specs = inputs(&model("golden/siamese/model.h5"));
    let source = EventSource::open(&[&path], &specs, &EventOptions::default()).unwrap();
    assert_eq!(source.datasets().collect::<Vec<_>>(), ["/left", "/right"]);
}
