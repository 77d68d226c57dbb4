//! One dataset per feature.

use std::path::Path;

use bittrue_block::EventData;
use bittrue_io::{EventOptions, EventSource, InputSpec, IoErrorKind};
use hdf5::File;
use ndarray::{Array2, arr1};

use crate::input;

/// A file as converters write it: a group of jets and one of muons.
fn write(path: &Path) {
    let file = File::create(path).unwrap();
    let jets = file.create_group("nt/jets").unwrap();
    let data = |name: &str, values: &[f32]| {
        jets.new_dataset_builder().with_data(&arr1(values)).create(name).unwrap();
    };
    data("pt", &[1.0, 2.0, 3.0]);
    data("eta", &[0.1, 0.2, 0.3]);
    data("short", &[9.0, 9.0]);
    jets.new_dataset_builder().with_data(&arr1(&[7i32, 8, 9])).create("n").unwrap();
    jets.new_dataset_builder().with_data(&arr1(&[1i64 << 60; 3])).create("event").unwrap();
    jets.new_dataset_builder().with_data(&arr1(&[(1i64 << 60) + 1; 3])).create("odd").unwrap();
    let wide = Array2::from_shape_fn((3, 2), |(i, j)| (10 * i + j) as f32);
    jets.new_dataset_builder().with_data(&wide).create("track_pt").unwrap();
    jets.new_dataset_builder().with_data(&(wide + 100.0)).create("track_eta").unwrap();
    let muons = file.create_group("muons").unwrap();
    muons.new_dataset_builder().with_data(&arr1(&[5.0f32; 3])).create("pt").unwrap();
    muons.new_dataset_builder().with_data(&arr1(&[6.0f32; 3])).create("eta").unwrap();
    muons.new_dataset_builder().with_data(&arr1(&[7.0f32; 3])).create("quality").unwrap();
    file.close().unwrap();
}

fn columns(list: &str) -> EventOptions {
    let names = list.split(',').map(str::to_owned).collect();
    EventOptions { columns: vec![(None, names)], ..EventOptions::default() }
}

fn within(group: &str, list: &str) -> EventOptions {
    EventOptions { datasets: vec![(None, group.to_owned())], ..columns(list) }
}

fn read(path: &Path, shape: &[usize], options: &EventOptions) -> Result<EventData, String> {
    let inputs = [input("in", shape)];
    let text = |e: bittrue_io::IoError| {
        assert_eq!(e.kind(), IoErrorKind::Events);
        format!("{e} [{}]", e.help().unwrap_or_default())
    };
    let mut source = EventSource::open(path, &inputs, options).map_err(text)?;
    Ok(source.next_block(99).map_err(text)?.unwrap().inputs.remove(0).data)
}

#[test]
fn features_make_the_last_axis() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("e.h5");
    write(&path);
    let expected = EventData::F32(vec![0.1, 1.0, 0.2, 2.0, 0.3, 3.0]);
    for group in ["/nt/jets", "nt/jets/", "nt/jets"] {
        assert_eq!(read(&path, &[2], &within(group, "eta,pt")), Ok(expected.clone()));
    }
    assert_eq!(read(&path, &[2], &columns("nt/jets/eta,nt/jets/pt")), Ok(expected));
    let mixed = columns("quality,pt");
    assert_eq!(read(&path, &[2], &mixed), Ok(EventData::F32(vec![7.0, 5.0, 7.0, 5.0, 7.0, 5.0])));
    let integers = read(&path, &[2], &columns("event,n"));
    assert_eq!(integers, Ok(EventData::I64(vec![1 << 60, 7, 1 << 60, 8, 1 << 60, 9])));
    // Exact in float64, though not every integer of 64 bits is.
    let Ok(EventData::F64(values)) = read(&path, &[3], &within("nt/jets", "n,event,pt")) else {
        panic!()
    };
    assert_eq!(values[..3], [7.0, 2f64.powi(60), 1.0]);
    let odd = read(&path, &[3], &within("nt/jets", "n,odd,pt")).unwrap_err();
    assert!(odd.contains("one of its integers is not exact in float64"), "{odd}");
}

#[test]
fn features_of_several_values() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("e.h5");
    write(&path);
    let both = columns("track_pt,track_eta");
    let first = |data: Result<EventData, String>| match data {
        Ok(EventData::F32(values)) => values[values.len() / 3..][..values.len() / 3].to_vec(),
        other => panic!("{other:?}"),
    };
    // Two tracks with pt and eta each, or pt of two tracks followed by their eta.
    assert_eq!(first(read(&path, &[2, 2], &both)), [10.0, 110.0, 11.0, 111.0]);
    assert_eq!(first(read(&path, &[4], &both)), [10.0, 11.0, 110.0, 111.0]);
    assert_eq!(first(read(&path, &[3], &within("nt/jets", "pt,track_eta"))), [2.0, 110.0, 111.0]);
    let error = read(&path, &[5], &both).unwrap_err();
    assert!(error.contains("make events of shape [event, 4], but input `in` needs [event, 5]"));
}

#[test]
fn what_is_missing_or_ambiguous() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("e.h5");
    write(&path);
    for (shape, options, why) in [
        (
            2,
            columns("pt,eta"),
            "/muons, /nt/jets have all of pt,eta [choose with --dataset \
             in=/muons beside --columns]",
        ),
        (2, columns("pt,mass"), "has no column mass; it holds muons/eta [3] float32;"),
        (2, columns("quality,n"), "has no one place with all of the columns quality,n"),
        (2, within("muons", "pt,n"), "has no one place with all of the columns pt,n in /muons"),
        (2, within("nowhere", "pt,eta"), "all of the columns pt,eta in /nowhere"),
        (2, within("muons", "pt,pt"), "column muons/pt is named twice"),
        (2, within("nt/jets", "pt,short"), "has 2 events, but nt/jets/pt has 3"),
        (3, within("muons", "pt,eta"), "make events of shape [event, 2], but input `in` needs"),
        (3, EventOptions::default(), "no dataset fits input `in`, which needs [event, 3]"),
        (
            3,
            EventOptions::default(),
            "[name the 3 columns of /muons in the order that the model \
             was trained with, as in --dataset /muons --columns eta,pt,quality]",
        ),
        (6, EventOptions::default(), "name 6 of"),
    ] {
        let found = read(&path, &[shape], &options).unwrap_err();
        match why {
            "name 6 of" => {
                assert!(found.contains("name 6 of the 6 columns") || found.contains("/nt/jets"));
            }
            _ => assert!(found.contains(why), "{found}"),
        }
    }
    let group =
        EventOptions { datasets: vec![(None, "/muons".to_owned())], ..EventOptions::default() };
    let found = read(&path, &[2], &group).unwrap_err();
    assert!(
        found.contains("/muons is a group; it holds muons/eta")
            && found.contains("name 2 of the 3 columns of /muons (eta,pt,quality) in the order")
            && found.contains("--columns eta,pt]"),
        "{found}"
    );
}

#[test]
fn columns_of_several_inputs() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("e.h5");
    write(&path);
    let inputs: [InputSpec; 2] = [input("jet", &[2]), input("muon", &[1])];
    let names = |list: &[&str]| list.iter().map(|&n| n.to_owned()).collect::<Vec<_>>();
    let options = EventOptions {
        columns: vec![
            (Some("muon".to_owned()), names(&["quality"])),
            (Some("jet".to_owned()), names(&["n", "event"])),
        ],
        ..EventOptions::default()
    };
    let mut source = EventSource::open(&path, &inputs, &options).unwrap();
    assert_eq!(source.datasets().collect::<Vec<_>>(), ["/nt/jets[n,event]", "/muons[quality]"]);
    let block = source.next_block(9).unwrap().unwrap();
    assert_eq!(block.inputs[1].data, EventData::F32(vec![7.0; 3]));
    assert_eq!(block.inputs[0].elements, 2);
    for (options, why) in [
        (
            columns("n,event"),
            "columns are given without the input they make; the model's inputs are",
        ),
        (
            EventOptions {
                columns: vec![(Some("tau".to_owned()), names(&["n"]))],
                ..EventOptions::default()
            },
            "the model has no input `tau`",
        ),
        (
            EventOptions {
                columns: vec![(Some("jet".to_owned()), names(&["n"])); 2],
                ..EventOptions::default()
            },
            "input `jet` is given columns more than once",
        ),
    ] {
        let error = EventSource::open(&path, &inputs, &options).unwrap_err();
        assert!(error.to_string().contains(why) && error.help().is_some(), "{error}");
    }
}
