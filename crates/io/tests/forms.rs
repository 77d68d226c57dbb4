//! The same events in every form of file, and files that only look like one.

use std::fs;
use std::path::{Path, PathBuf};

use bittrue_block::EventData;
use bittrue_io::{EventOptions, EventSource, InputSpec, IoError, IoErrorKind};
use proptest::prelude::*;

const EVENTS: usize = 120;

/// The columns of the tables of `make_forms.py`.
const FIELDS: &str = "x0,x1,x2,x3,x4,x5,x6,x7,x8,x9,x10,x11,rest";

fn form(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testvectors/events/forms").join(name)
}

fn open(path: &Path, shape: &[usize], dataset: &str) -> Result<EventSource, IoError> {
    let input = InputSpec { name: "in".to_owned(), shape: shape.to_vec() };
    let datasets = match dataset {
        "" => Vec::new(),
        _ => vec![(None, dataset.to_owned())],
    };
    EventSource::open(&[path], &[input], &EventOptions { datasets, ..EventOptions::default() })
}

fn values(data: &EventData) -> Vec<f64> {
    match data {
        EventData::F32(v) => v.iter().map(|&v| f64::from(v)).collect(),
        EventData::F64(v) => v.clone(),
        EventData::I64(v) => v.iter().map(|&v| v as f64).collect(),
        EventData::U64(v) => v.iter().map(|&v| v as f64).collect(),
    }
}

/// All events in blocks of at most `max`.
fn read(mut source: EventSource, max: usize) -> Result<Vec<f64>, IoError> {
    let mut all = Vec::new();
    while let Some(block) = source.next_block(max)? {
        assert_eq!(block.inputs[0].data.len(), block.count * block.inputs[0].elements);
        all.extend(values(&block.inputs[0].data));
    }
    Ok(all)
}

/// What another decoder makes of the float64 dataset.
fn expected() -> Vec<f64> {
    let root = hdf5_reader::Hdf5File::open(form("datasets.h5")).unwrap().root_group().unwrap();
    let array = root.dataset("f8_le").unwrap().read_array::<f64>().unwrap();
    assert_eq!(array.shape(), [EVENTS, 16]);
    array.iter().copied().collect()
}

/// Every file and dataset that holds the events.
fn forms() -> Vec<(String, String)> {
    let mut forms: Vec<(String, String)> = Vec::new();
    let mut add = |file: &str, dataset: &str| forms.push((file.to_owned(), dataset.to_owned()));
    for name in ["f2_le", "f4_le", "f8_le", "f2_be", "f4_be", "f8_be"] {
        add("datasets.h5", name);
    }
    for name in ["gzip", "lzf", "columns_split", "wide[3:19]", "wide_gzip[3:-2]"] {
        add("datasets.h5", name);
    }
    for name in ["plain", "chunked", "gzip", "lzf"] {
        add("tables.h5", &format!("{name}[{FIELDS}]"));
    }
    for name in ["plain", "gzip"] {
        add("user_block.h5", &format!("{name}[{FIELDS}]"));
    }
    for name in ["v1_f4", "v2_f8", "v3_f2", "v1_f4_be", "v1_f2_be"] {
        let file = &format!("{name}.npy");
        add(file, "");
        add(file, "arr_0");
        add(file, "[0:16]");
    }
    add("table.npy", &format!("[{FIELDS}]"));
    add("table_be.npy", &format!("arr_0[{FIELDS}]"));
    for file in ["stored.npz", "compressed.npz"] {
        add(file, "");
        add(file, "events");
        add(file, &format!("table[{FIELDS}]"));
    }
    add("positional.npz", "");
    add("other_files.npz", "");
    add("other_files.npz", "group/events[-16:]");
    forms
}

#[test]
fn every_form_gives_the_same_events() {
    let expected = expected();
    for (file, dataset) in forms() {
        for max in [1, 7, 50, 1000] {
            let source = open(&form(&file), &[16], &dataset).unwrap();
            assert_eq!(source.count(), EVENTS as u64);
            let all = read(source, max).unwrap();
            assert_eq!(all, expected, "{file} {dataset} in blocks of {max}");
        }
    }
}

#[test]
fn events_are_skipped_in_every_form() {
    let expected = expected();
    for (file, dataset) in forms() {
        for (skip, most) in [(1, 3), (49, 2), (60, 60), (119, 1)] {
            let options = EventOptions {
                datasets: match dataset.as_str() {
                    "" => Vec::new(),
                    path => vec![(Some("in".to_owned()), path.to_owned())],
                },
                columns: Vec::new(),
                skip,
                max_events: Some(most),
            };
            let input = InputSpec { name: "in".to_owned(), shape: vec![16] };
            let source = EventSource::open(&[form(&file)], &[input], &options).unwrap();
            let (from, to) = (skip as usize * 16, (skip + most) as usize * 16);
            assert_eq!(read(source, 2).unwrap(), expected[from..to], "{file} {dataset} {skip}");
        }
    }
}

#[test]
fn the_source_says_what_it_reads() {
    let name = |file: &str, dataset: &str| {
        let source = open(&form(file), &[16], dataset).unwrap();
        source.datasets().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(name("datasets.h5", "/wide[3:-2]"), ["/wide[3:19]"]);
    assert_eq!(name("v1_f4.npy", ""), ["/arr_0"]);
    assert_eq!(name("stored.npz", ""), ["/events"]);
    let fields = name("table.npy", &format!("[ {}]", FIELDS.replace(',', " , ")));
    assert_eq!(fields, [format!("/arr_0[{FIELDS}]")]);
}

#[test]
fn structs_of_several_rows_per_event() {
    let expected = expected();
    for name in ["pairs", "pairs_gzip"] {
        let source = open(&form("tables.h5"), &[8, 2], &format!("{name}[a,b]")).unwrap();
        assert_eq!(read(source, 33).unwrap(), expected, "{name}");
        let source = open(&form("tables.h5"), &[8, 2], &format!("{name}[b,a]")).unwrap();
        let swapped: Vec<f64> = expected.chunks(2).flat_map(|p| [p[1], p[0]]).collect();
        assert_eq!(read(source, 33).unwrap(), swapped, "{name}");
    }
}

/// Ends of all dtypes that NumPy has, in both byte orders.
#[test]
fn extreme_values_of_numpy() {
    let read = |name: &str| {
        let mut source = open(&form("ends.npz"), &[1], name).unwrap();
        source.next_block(9).unwrap().unwrap().inputs.remove(0).data
    };
    for order in ["", "_be"] {
        let ends = |dtype: &str| read(&format!("{dtype}{order}"));
        assert_eq!(ends("i1"), EventData::F32(vec![-128.0, 127.0, 0.0, 1.0]));
        assert_eq!(ends("u1"), EventData::F32(vec![0.0, 255.0, 0.0, 1.0]));
        assert_eq!(ends("i2"), EventData::F32(vec![-32_768.0, 32_767.0, 0.0, 1.0]));
        assert_eq!(ends("u2"), EventData::F32(vec![0.0, 65_535.0, 0.0, 1.0]));
        assert_eq!(ends("i4"), EventData::F64(vec![-2_147_483_648.0, 2_147_483_647.0, 0.0, 1.0]));
        assert_eq!(ends("u4"), EventData::F64(vec![0.0, 4_294_967_295.0, 0.0, 1.0]));
        assert_eq!(ends("i8"), EventData::I64(vec![i64::MIN, i64::MAX, 0, 1]));
        assert_eq!(ends("u8"), EventData::U64(vec![0, u64::MAX, 0, 1]));
        assert_eq!(ends("b1"), EventData::F32(vec![1.0, 0.0, 1.0, 1.0]));
        let tiny = 2f32.powi(-24);
        let EventData::F32(halves) = ends("f2") else { panic!() };
        assert_eq!(halves[..3], [65_504.0, -tiny, f32::INFINITY]);
        assert_eq!(halves[3].to_bits(), (-0.0f32).to_bits());
        let EventData::F32(singles) = ends("f4") else { panic!() };
        assert_eq!(singles[..3], [f32::MAX, -f32::from_bits(1), f32::INFINITY]);
        let EventData::F64(doubles) = ends("f8") else { panic!() };
        assert_eq!(doubles[..3], [f64::MAX, -f64::from_bits(1), f64::INFINITY]);
    }
}

#[test]
fn what_cannot_be_read_says_why() {
    for (file, shape, dataset, why) in [
        ("fortran.npy", 16, "", "columns first (Fortran order; np.ascontiguousarray helps)"),
        ("fortran.npy", 16, "arr_0", "columns first (Fortran order"),
        ("objects.npy", 2, "arr_0", "Python objects"),
        ("table.npy", 16, "", "a compound type with fields event, name, good, x11"),
        ("table.npy", 1, "[name]", "field name holds text, expected numbers"),
        ("table.npy", 1, "[y]", "has no field y; its fields are event, name, good, x11"),
        ("v1_f4.npy", 16, "events", "has no dataset events; it holds arr_0 [120, 16] float32"),
        ("v1_f4.npy", 4, "[x]", "choose columns as [a:b]"),
        ("v1_f4.npy", 5, "[0:4]", "arr_0[0:4] has shape [120, 4], but input `in` needs [event, 5]"),
        ("stored.npz", 1, "names", "dataset names holds text"),
        ("bzip2.npz", 16, "events", "an array compressed with"),
        ("tables.h5", 16, "plain", "a compound type with fields event, name, good, x11"),
        ("tables.h5", 1, "plain[good]", "field good holds bool, expected numbers"),
        ("tables.h5", 1, "plain[name]", "field name holds"),
        ("tables.h5", 1, "big_endian[x0]", "field x0 holds a type of a foreign byte order"),
        ("tables.h5", 1, "unknown[a]", "holds an unknown type, of which nothing can be chosen"),
        ("tables.h5", 16, "pairs_split[a,b]", "has shape [120, 8, 2], but"),
        ("datasets.h5", 16, "wide[5:22]", "has 21 columns, and [5:22] goes beyond them"),
    ] {
        let error = open(&form(file), &[shape], dataset).unwrap_err();
        assert_eq!((error.kind(), error.path()), (IoErrorKind::Events, form(file).as_path()));
        assert!(error.to_string().contains(why), "{file} {dataset}: {error}");
    }
    let error = open(&form("tables.h5"), &[8, 2], "pairs_split[a,b]").unwrap_err();
    assert!(error.to_string().contains("has chunks of shape [7, 4], which split"), "{error}");
    let error = open(&form("table.npy"), &[16], "").unwrap_err();
    assert_eq!(error.help(), Some("choose fields with --dataset 'in=arr_0[event,good,…]'"));
    // Known only when the events are read.
    for (dataset, shape, why) in [
        ("long[i,f]", 2, "int64 values is not exact in float64"),
        ("unwritten[x0]", 1, "events 0 to 119 cannot be read: they were never written"),
    ] {
        let source = open(&form("tables.h5"), &[shape], dataset).unwrap();
        let error = read(source, 1000).unwrap_err();
        assert_eq!(error.kind(), IoErrorKind::Events);
        assert!(error.to_string().contains(why), "{error}");
    }
    let source = open(&form("tables.h5"), &[1], "long[i]").unwrap();
    assert_eq!(read(source, 1).unwrap(), [9_007_199_254_740_993i64 as f64, 5.0]);
}

/// Opens and reads; the outcome must be an error of the events, or events.
fn outcome(path: &Path) -> Result<Vec<f64>, String> {
    let read = open(path, &[16], "").and_then(|source| read(source, 1000));
    read.map_err(|e| {
        assert_eq!(e.kind(), IoErrorKind::Events);
        e.to_string()
    })
}

#[test]
fn truncated_files_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    for file in ["v1_f4.npy", "v2_f8.npy", "stored.npz", "compressed.npz", "other_files.npz"] {
        let whole = fs::read(form(file)).unwrap();
        let path = dir.path().join(file);
        for step in 0..100 {
            let length = whole.len() * step / 100;
            fs::write(&path, &whole[..length]).unwrap();
            let error = outcome(&path).unwrap_err();
            assert!(
                step == 0 || error.contains("is a NumPy file") || error.contains("is a zip"),
                "{error}"
            );
        }
        fs::write(&path, &whole).unwrap();
        assert_eq!(outcome(&path).unwrap(), expected(), "{file}");
    }
    // What comes behind the array is not passed over either.
    let path = dir.path().join("two.npy");
    let whole = fs::read(form("v1_f4.npy")).unwrap();
    fs::write(&path, [whole.as_slice(), &whole].concat()).unwrap();
    let error = outcome(&path).unwrap_err();
    assert!(error.contains("several arrays in a row cannot be read"), "{error}");
}

#[test]
fn changed_archives_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    for file in ["stored.npz", "compressed.npz"] {
        let whole = fs::read(form(file)).unwrap();
        let path = dir.path().join(file);
        let expected = expected();
        let mut refused = 0;
        for at in (0..whole.len()).step_by(97) {
            let mut changed = whole.clone();
            changed[at] ^= 0x10;
            fs::write(&path, &changed).unwrap();
            match outcome(&path) {
                Ok(found) => assert_eq!(found, expected, "{file} {at}"),
                Err(_) => refused += 1,
            }
        }
        assert!(refused > 20, "{file}: {refused}");
    }
}

/// A file that claims to hold more than it can is refused without room being made for it.
#[test]
fn claims_cost_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("claim.npy");
    let write = |shape: &str, more: usize| {
        let text = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
        let mut bytes = b"\x93NUMPY\x02\x00".to_vec();
        bytes.extend((text.len() as u32).to_le_bytes());
        bytes.extend(text.as_bytes());
        bytes.resize(bytes.len() + more, 0);
        fs::write(&path, bytes).unwrap();
    };
    write("(2, 16)", 128);
    assert_eq!(outcome(&path).unwrap(), [0.0; 32]);
    for (shape, more, why) in [
        ("(2, 16)", 127, "is truncated"),
        ("(2, 16)", 129, "more than its shape [2, 16] needs"),
        ("(1125899906842624, 16)", 128, "is truncated"),
        ("(1125899906842624, 1125899906842624)", 0, "out of bounds"),
        ("(0, 16)", 0, "holds 0 events"),
        ("(16,)", 64, "no dataset fits input `in`"),
        ("()", 4, "no dataset fits input `in`"),
    ] {
        write(shape, more);
        let error = outcome(&path).unwrap_err();
        assert!(error.contains(why), "{shape}: {error}");
    }
    // The length of the header itself.
    let mut bytes = b"\x93NUMPY\x03\x00".to_vec();
    bytes.extend(u32::MAX.to_le_bytes());
    fs::write(&path, &bytes).unwrap();
    let error = outcome(&path).unwrap_err();
    assert!(error.contains("whose header is 4294967295 bytes long"), "{error}");
    // A member that would inflate to more than any compressed bytes can hold.
    let path = dir.path().join("claim.npz");
    let mut bytes = fs::read(form("compressed.npz")).unwrap();
    let directory = bytes.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    bytes[directory + 24..directory + 28].copy_from_slice(&(u32::MAX - 1).to_le_bytes());
    fs::write(&path, &bytes).unwrap();
    let error = outcome(&path).unwrap_err();
    assert!(error.contains("claims to hold 4294967294 bytes in"), "{error}");
}

/// The fields of a struct lie where another decoder finds them.
#[test]
fn a_table_is_what_the_second_decoder_sees() {
    let root = hdf5_reader::Hdf5File::open(form("tables.h5")).unwrap().root_group().unwrap();
    let plain = root.dataset("plain").unwrap();
    let raw = plain.read_raw_bytes().unwrap();
    let record = raw.len() / EVENTS;
    let hdf5_reader::messages::datatype::Datatype::Compound { fields, .. } = plain.dtype() else {
        panic!()
    };
    let x5 = fields.iter().find(|f| f.name == "x5").unwrap().byte_offset as usize;
    let theirs: Vec<f64> =
        raw.chunks(record).map(|r| half::f16::from_le_bytes([r[x5], r[x5 + 1]]).to_f64()).collect();
    for name in ["plain", "chunked", "gzip", "lzf"] {
        let source = open(&form("tables.h5"), &[1], &format!("{name}[x5]")).unwrap();
        assert_eq!(read(source, 50).unwrap(), theirs, "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    /// Whatever a header says, there are events or there is an error.
    #[test]
    fn changed_headers(
        file in prop::sample::select(vec!["v1_f4.npy", "v3_f2.npy", "table.npy"]),
        changes in prop::collection::vec((0usize..128, any::<u8>()), 1..6),
        cut in prop::option::of(0usize..200),
    ) {
        let mut bytes = fs::read(form(file)).unwrap();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        if let Some(length) = cut {
            bytes.truncate(length);
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("changed.npy");
        fs::write(&path, bytes).unwrap();
        for dataset in ["", "[0:16]", "[x1,x2]"] {
            if let Ok(source) = open(&path, &[16], dataset) {
                match read(source, 50) {
                    Ok(values) => prop_assert!(values.len() % 2 == 0),
                    Err(e) => prop_assert_eq!(e.kind(), IoErrorKind::Events),
                }
            }
        }
    }

    /// A header of the right grammar with arbitrary contents.
    #[test]
    fn invented_headers(
        descr in "'[<>|=]?[a-zO][0-9]{0,3}'|\\[(\\('[a-c]?', '<[fi][248]'(, \\([0-9]{1,3},\\))?\\), ?){0,3}\\]",
        fortran in "True|False|None",
        shape in "\\(([0-9]{1,12},){0,4}\\)",
        version in 0u8..5,
        more in 0usize..600,
    ) {
        let text = format!("{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}}}");
        let mut bytes = b"\x93NUMPY".to_vec();
        bytes.extend([version, 0]);
        match version {
            1 => bytes.extend((text.len() as u16).to_le_bytes()),
            _ => bytes.extend((text.len() as u32).to_le_bytes()),
        }
        bytes.extend(text.as_bytes());
        bytes.resize(bytes.len() + more, 1);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("invented.npy");
        fs::write(&path, bytes).unwrap();
        for (dataset, shape) in [("", &[1][..]), ("[0:2]", &[2]), ("[a,b]", &[2]), ("[a]", &[1])] {
            if let Err(e) = open(&path, shape, dataset).and_then(|source| read(source, 7)) {
                prop_assert_eq!(e.kind(), IoErrorKind::Events);
            }
        }
    }
}
