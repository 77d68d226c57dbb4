//! Keras files that were written, read again.

use bittrue_io::{IoErrorKind, read_keras, write_keras};
use bittrue_model::{KerasDocument, Weight, WeightGroup};
use ndarray::ArrayD;
use serde_json::json;

fn weight(shape: &[usize]) -> Weight {
    let mut n = 0.0;
    Weight::Float(ArrayD::from_shape_fn(shape.to_vec(), |_| {
        n += 0.1;
        n
    }))
}

fn document() -> KerasDocument {
    let group = |layer: &str, weights| WeightGroup { layer: layer.to_owned(), weights };
    let bits = ArrayD::from_shape_vec(vec![2], vec![-128, 127]).expect("two");
    KerasDocument {
        model_config: json!({"class_name": "Functional", "config": {"name": "ü", "x": 0.1}}),
        keras_version: "2.15.0",
        groups: vec![
            group("input_1", vec![]),
            group("q", vec![("bits:0".to_owned(), Weight::Int8(bits))]),
            group(
                "bn_0",
                vec![
                    ("bn/gamma:0".to_owned(), weight(&[3])),
                    ("bn/moving_mean:0".to_owned(), weight(&[1, 3])),
                ],
            ),
        ],
    }
}

#[test]
fn what_is_written_is_read() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("m.h5");
    let document = document();
    write_keras(&path, &document).expect("written");
    // A second time over the first.
    write_keras(&path, &document).expect("written");
    let read = read_keras(&path).expect("a model");
    assert_eq!(read.model_config, document.model_config);
    assert_eq!(read.keras_version.as_deref(), Some("2.15.0"));
    assert_eq!(read.layer_names, ["input_1", "q", "bn_0"]);
    for (found, wanted) in read.weights.iter().zip(&document.groups) {
        assert_eq!(found.layer, wanted.layer);
        assert_eq!(found.tensors.len(), wanted.weights.len());
        for ((name, values), (wanted, weight)) in found.tensors.iter().zip(&wanted.weights) {
            assert_eq!(name, wanted);
            match weight {
                Weight::Float(w) => assert_eq!(values, w),
                Weight::Int8(w) => assert_eq!(*values, w.mapv(f32::from)),
            }
        }
    }
    let left: Vec<_> = std::fs::read_dir(directory.path()).expect("readable").collect();
    assert_eq!(left.len(), 1, "{left:?}");
    let file = hdf5::File::open(&path).expect("HDF5");
    let bits = file.dataset("model_weights/q/bits:0").expect("a dataset");
    assert!(bits.dtype().expect("a type").is::<i8>());
}

#[test]
fn many_layers_are_split_as_keras_does() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("m.h5");
    let groups = (0..6500).map(|n| WeightGroup { layer: format!("l{n}"), weights: vec![] });
    let document = KerasDocument { groups: groups.collect(), ..document() };
    write_keras(&path, &document).expect("written");
    let read = read_keras(&path).expect("a model");
    assert_eq!(read.layer_names.len(), 6500);
    assert_eq!(read.layer_names[6499], "l6499");
}

#[test]
fn an_unfinished_file_leaves_the_old_one() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("m.h5");
    std::fs::write(&path, "old").expect("written");
    let mut document = document();
    let twice = document.groups[1].weights[0].clone();
    document.groups[1].weights.push(twice);
    let error = write_keras(&path, &document).expect_err("two weights of one name");
    assert_eq!(error.kind(), IoErrorKind::Output);
    assert!(error.to_string().contains("layer `q`: bits:0"), "{error}");
    assert_eq!(std::fs::read(&path).expect("readable"), b"old");
    assert_eq!(std::fs::read_dir(directory.path()).expect("readable").count(), 1);
    let nowhere = directory.path().join("no/m.h5");
    let error = write_keras(&nowhere, &document).expect_err("no directory");
    assert!(error.to_string().contains("there is no directory"), "{error}");
}
