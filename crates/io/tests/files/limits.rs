//! Files that are long, and files that claim to be.

use std::fs;
use std::path::Path;
use std::str::FromStr;

use bittrue_block::EventData;
use bittrue_io::{EventOptions, EventSource, read_keras};
use hdf5::File;
use hdf5::types::{FixedAscii, FixedUnicode, VarLenAscii, VarLenUnicode};

use crate::{input, testvectors};

fn open(path: &Path, shape: &[usize]) -> Result<EventSource, bittrue_io::IoError> {
    EventSource::open(&[path], &[input("in", shape)], &EventOptions::default())
}

#[test]
fn long_files_are_read_in_blocks() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("events.h5");
    let rows = 50_000;
    let all: Vec<f32> = (0..rows * 4).map(|i| (i % 65_521) as f32).collect();
    let array = ndarray::Array2::from_shape_vec((rows, 4), all.clone()).unwrap();
    let file = File::create(&path).unwrap();
    // More rows than one buffer holds, and chunks that no block size divides.
    file.new_dataset_builder()
        .chunk((999, 4))
        .deflate(1)
        .with_data(&array)
        .create("events")
        .unwrap();
    file.close().unwrap();
    for block in [777, 16_384, 49_999] {
        let mut source = open(&path, &[4]).unwrap();
        let mut read = Vec::new();
        while let Some(events) = source.next_block(block).unwrap() {
            assert_eq!(events.first as usize * 4, read.len());
            let EventData::F32(values) = &events.inputs[0].data else { panic!() };
            assert!(events.count <= block);
            read.extend_from_slice(values);
        }
        assert!(read == all, "blocks of {block}");
    }
}

/// A dataset may claim any size without holding anything: what is never written is zero.
#[test]
fn claimed_sizes_cost_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("events.h5");
    let file = File::create(&path).unwrap();
    let claim = |name: &str, rows: usize, columns: usize, chunk: usize| {
        let made = file.new_dataset::<f32>().shape((rows, columns)).chunk((chunk, columns));
        made.create(name).unwrap();
    };
    claim("endless", 1 << 50, 8, 1000);
    claim("one_chunk", 1 << 40, 16, 1 << 25);
    claim("wide", 2, 1 << 29, 1);
    file.close().unwrap();
    let mut source = open(&path, &[8]).unwrap();
    assert_eq!(source.count(), 1 << 50);
    let block = source.next_block(3).unwrap().unwrap();
    assert_eq!(block.inputs[0].data, EventData::F32(vec![0.0; 24]));
    for shape in [16, 1 << 29] {
        let error = open(&path, &[shape]).unwrap_err().to_string();
        assert!(
            error.contains("need more than 1073741824 bytes; store them in smaller"),
            "{error}"
        );
    }
}

#[test]
fn weights_that_claim_too_much_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model.h5");
    for shape in [vec![1 << 29], vec![1 << 20, 1 << 20, 1 << 20], vec![1; 32], vec![4, 4]] {
        fs::copy(testvectors("golden/a_leaky/model.h5"), &path).unwrap();
        let file = File::open_rw(&path).unwrap();
        let weights = file.group("model_weights").unwrap();
        let (layer, name) = weights
            .member_names()
            .unwrap()
            .into_iter()
            .find_map(|layer| {
                let name = format!("{layer}/kernel:0");
                weights.group(&layer).unwrap().dataset(&name).is_ok().then_some((layer, name))
            })
            .unwrap();
        let group = weights.group(&layer).unwrap();
        group.unlink(&name).unwrap();
        group
            .new_dataset::<f32>()
            .chunk(vec![1; shape.len()])
            .shape(shape.clone())
            .create(name.as_str())
            .unwrap();
        drop((group, weights));
        file.close().unwrap();
        match read_keras(&path) {
            Ok(file) => {
                // Of a size that can be read: then the layer complains of the shape.
                assert!(shape.iter().product::<usize>() < 1 << 28);
                let error = bittrue_model::parse::from_keras(&file).unwrap_err().to_string();
                assert!(
                    error.contains("kernel has shape") || error.contains("last axis"),
                    "{error}"
                );
            }
            Err(error) => {
                let error = error.to_string();
                assert!(
                    error.contains("kernel:0: shape [") && error.contains("is out of bounds"),
                    "{error}"
                );
            }
        }
    }
}

/// The configuration in every form of text that h5py has written.
#[test]
fn forms_of_the_configuration() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model.h5");
    let original = read_keras(&testvectors("golden/a_leaky/model.h5")).unwrap();
    let text = original.model_config.to_string();
    let rewrite = |write: &dyn Fn(&File)| {
        fs::copy(testvectors("golden/a_leaky/model.h5"), &path).unwrap();
        let file = File::open_rw(&path).unwrap();
        file.delete_attr("model_config").unwrap();
        write(&file);
        file.close().unwrap();
        read_keras(&path)
    };
    fn scalar<T: hdf5::H5Type>(file: &File, value: &T) {
        let made = file.new_attr::<T>().create("model_config").unwrap();
        made.write_scalar(value).unwrap();
    }
    let forms: [&dyn Fn(&File); 5] = [
        &|f| scalar(f, &VarLenAscii::from_ascii(&text).unwrap()),
        &|f| scalar(f, &VarLenUnicode::from_str(&text).unwrap()),
        &|f| scalar(f, &FixedAscii::<30_000>::from_ascii(&text).unwrap()),
        &|f| scalar(f, &FixedUnicode::<60_000>::from_str(&text).unwrap()),
        &|f| {
            let bytes = ndarray::arr1(text.as_bytes());
            f.new_attr_builder().with_data(&bytes).create("model_config").unwrap();
        },
    ];
    for form in forms {
        assert_eq!(rewrite(form).unwrap(), original);
    }
    for (form, complaint) in [
        (&(|f: &File| scalar(f, &3.5f64)) as &dyn Fn(&File), "is of type float64, expected text"),
        (&|f| scalar(f, &VarLenUnicode::from_str("{").unwrap()), "is not valid JSON"),
        (&|f| scalar(f, &VarLenUnicode::new()), "is not valid JSON"),
        (
            &|f| {
                let three = vec![VarLenUnicode::new(); 3];
                f.new_attr_builder().with_data(&three).create("model_config").unwrap();
            },
            "model_config holds 3 texts, expected one",
        ),
        (
            &|f| {
                f.new_attr_builder().with_data(&[0xffu8; 9]).create("model_config").unwrap();
            },
            "model_config is not UTF-8 text",
        ),
    ] {
        let error = rewrite(form).unwrap_err().to_string();
        assert!(error.contains(complaint), "{error}");
    }
}
