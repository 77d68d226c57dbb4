//! Events that threads read for themselves are those that one reads after the other.

use std::fs;

use bittrue_block::{EventBlock, EventData};
use bittrue_io::{Batch, EventOptions, EventSource, Held, IoError, IoErrorKind};
use hdf5::File;

use crate::{input, testvectors};

/// All events of a source, and whether all were left to threads.
fn pending(
    mut source: EventSource,
    max: usize,
    wanted: usize,
) -> Result<(Vec<EventBlock>, bool), IoError> {
    let (mut blocks, mut all, mut next) = (Vec::new(), true, source.skipped());
    let mut held = Held::default();
    while let Some(batch) = source.next_batch(max)? {
        let mut left = batch.count();
        match batch {
            Batch::Read(block) => {
                all = false;
                next += block.count as u64;
                left -= block.count;
                blocks.push(block);
            }
            Batch::Pending(pending) => {
                for piece in pending.pieces(wanted) {
                    let block = pending.read(piece.clone(), &mut held)?;
                    assert_eq!((block.first, block.count), (next, piece.len()));
                    next += block.count as u64;
                    left -= block.count;
                    blocks.push(block.clone());
                }
            }
        }
        assert_eq!(left, 0);
    }
    Ok((blocks, all))
}

fn one_by_one(mut source: EventSource) -> Vec<EventBlock> {
    let mut blocks = Vec::new();
    while let Some(block) = source.next_block(13).unwrap() {
        blocks.push(block);
    }
    blocks
}

/// The bits of all values, and their kind.
fn bits(blocks: &[EventBlock]) -> Vec<Vec<(u8, u64)>> {
    let inputs = blocks.first().map_or(0, |b| b.inputs.len());
    let of = |n: usize| {
        let values = blocks.iter().flat_map(move |b| match &b.inputs[n].data {
            EventData::F32(v) => v.iter().map(|v| (0, v.to_bits().into())).collect::<Vec<_>>(),
            EventData::F64(v) => v.iter().map(|v| (1, v.to_bits())).collect(),
            EventData::I64(v) => v.iter().map(|v| (2, v.cast_unsigned())).collect(),
            EventData::U64(v) => v.iter().map(|&v| (3, v)).collect(),
        });
        values.collect()
    };
    (0..inputs).map(of).collect()
}

#[test]
fn every_form_gives_the_same_bits() {
    let mut left_to_threads = 0;
    let mut check = |path: &str, shape: &[usize], dataset: &str, threads: Option<bool>| {
        let open = |skip: u64| {
            let datasets = match dataset {
                "" => Vec::new(),
                _ => vec![(None, dataset.to_owned())],
            };
            let options = EventOptions { datasets, skip, ..EventOptions::default() };
            EventSource::open(&testvectors(path), &[input("in", shape)], &options).unwrap()
        };
        for skip in [0, 7] {
            let expected = bits(&one_by_one(open(skip)));
            for (max, wanted) in [(1, 1), (5, 3), (1000, 8), (1000, 1000)] {
                let (blocks, all) = pending(open(skip), max, wanted).unwrap();
                assert_eq!(bits(&blocks), expected, "{path} {dataset} from {skip}");
                assert!(threads.is_none_or(|t| t == all), "{path} {dataset}");
                left_to_threads += usize::from(all);
            }
        }
    };
    for format in ["earliest", "v110", "latest"] {
        let path = format!("events/variants_{format}.h5");
        for dtype in ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"] {
            check(&path, &[3, 2], &format!("{dtype}_little"), Some(true));
            // One byte has no order.
            check(&path, &[3, 2], &format!("{dtype}_big"), Some(dtype.ends_with('1')));
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
            check(&path, &[3, 2], &format!("{layout}_f4"), Some(true));
            check(&path, &[3, 2], &format!("{layout}_i2"), Some(true));
        }
        check(&path, &[3, 2], "compact", Some(false));
    }
    check("events/user_block.h5", &[3, 2], "", Some(true));
    for name in ["f2_le", "f4_le", "f8_le", "gzip", "lzf", "columns_split", "wide[3:19]"] {
        check("events/forms/datasets.h5", &[16], name, Some(true));
    }
    // Its highest bytes are first.
    check("events/forms/datasets.h5", &[16], "wide_gzip[3:-2]", Some(false));
    let fields = "x0,x1,x2,x3,x4,x5,x6,x7,x8,x9,x10,x11,rest";
    for file in ["tables.h5", "user_block.h5"] {
        for name in ["plain", "gzip"] {
            check(&format!("events/forms/{file}"), &[16], &format!("{name}[{fields}]"), Some(true));
        }
    }
    for file in ["v1_f4.npy", "v2_f8.npy", "v3_f2.npy", "v1_f4_be.npy", "v1_f2_be.npy"] {
        check(&format!("events/forms/{file}"), &[16], "", Some(true));
    }
    check("events/forms/table.npy", &[16], &format!("[{fields}]"), Some(true));
    check("events/forms/compressed.npz", &[16], "events", Some(false));
    assert!(left_to_threads > 700, "{left_to_threads}");
}

#[test]
fn a_last_chunk_is_shorter_and_inputs_have_chunks_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("two.h5");
    let array = |n: usize| {
        let values: Vec<f32> = (0..1003 * n).map(|i| (i * 7919 % 65_521) as f32).collect();
        ndarray::Array2::from_shape_vec((1003, n), values).unwrap()
    };
    let file = File::create(&path).unwrap();
    let made = file.new_dataset_builder().chunk((8, 3)).shuffle().deflate(1);
    made.with_data(&array(5)).create("a").unwrap();
    file.new_dataset_builder().chunk((12, 4)).lzf().with_data(&array(4)).create("b").unwrap();
    file.close().unwrap();
    let open = || {
        let inputs = [input("a", &[5]), input("b", &[4])];
        EventSource::open(&path, &inputs, &EventOptions::default()).unwrap()
    };
    let expected = bits(&one_by_one(open()));
    for (max, wanted) in [(1, 1), (100, 30), (10_000, 10_000)] {
        let (blocks, all) = pending(open(), max, wanted).unwrap();
        assert!(all && bits(&blocks) == expected);
        // Pieces end with chunks of both inputs.
        assert!(blocks.iter().rev().skip(1).all(|b| b.count % 24 == 0));
    }
}

#[test]
fn files_that_shrink_or_are_damaged_are_errors() {
    let dir = tempfile::tempdir().unwrap();
    let values: Vec<f32> = (0..40_000).map(|i| (i * 7919 % 65_521) as f32).collect();
    let array = ndarray::Array2::from_shape_vec((10_000, 4), values).unwrap();
    for (name, chunk) in [("contiguous.h5", None), ("chunked.h5", Some(500))] {
        let path = dir.path().join(name);
        let file = File::create(&path).unwrap();
        let made = file.new_dataset_builder();
        match chunk {
            Some(rows) => made.chunk((rows, 4)).deflate(1).with_data(&array).create("in").unwrap(),
            None => made.with_data(&array).create("in").unwrap(),
        };
        file.close().unwrap();
        let open =
            || EventSource::open(&path, &[input("in", &[4])], &EventOptions::default()).unwrap();
        let fails = |mut source: EventSource| {
            let Some(Batch::Pending(pending)) = source.next_batch(10_000).unwrap() else {
                panic!("{name} is not left to threads");
            };
            let mut held = Held::default();
            let mut failed = pending
                .pieces(100)
                .into_iter()
                .filter_map(|piece| pending.read(piece, &mut held).err());
            let error = failed.next().unwrap();
            assert_eq!((error.kind(), error.path()), (IoErrorKind::Events, path.as_path()));
            assert!(error.help().is_some());
            error.to_string()
        };
        let source = open();
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        let text = fails(source);
        assert!(text.contains("has shrunk from"), "{text}");
        if chunk.is_some() {
            // A changed byte in the middle of the compressed data, which the checksum shows.
            let mut changed = whole;
            let middle = changed.len() / 2;
            changed[middle..middle + 64].iter_mut().for_each(|b| *b ^= 0x55);
            fs::write(&path, &changed).unwrap();
            let text = fails(open());
            assert!(text.contains("events") && text.contains("cannot be read"), "{text}");
        }
    }
}
