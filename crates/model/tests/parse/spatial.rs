//! Layers that know spatial axes: shapes, and what is refused.

use bittrue_model::parse::from_keras;
use bittrue_model::{LayerKind, Model, ModelError, Padding};
use serde_json::{Value, json};

use crate::keras::*;

/// One layer behind an input of this shape.
fn read(
    shape: &[u64],
    class: &str,
    config: Value,
    tensors: &[(&str, &[usize])],
) -> Result<Model, ModelError> {
    let layers = vec![input("in", shape), layer(class, "l", config, &[&[("in", 0)]])];
    from_keras(&file(functional(layers, &["in"], &[("l", 0)]), vec![weights("l", tensors)]))
}

/// A convolution as Keras writes it.
fn conv(filters: u64, size: &[u64], more: Value) -> Value {
    let mut config = json!({
        "filters": filters,
        "kernel_size": size,
        "strides": vec![1; size.len()],
        "padding": "valid",
        "data_format": "channels_last",
        "dilation_rate": vec![1; size.len()],
        "groups": 1,
        "activation": "linear",
        "use_bias": false,
        "kernel_initializer": {"class_name": "GlorotUniform", "config": {"seed": null}},
    });
    merge(&mut config, more);
    config
}

#[test]
fn shapes_of_convolutions() {
    for (shape, more, kernel, expected) in [
        (&[9, 9, 2][..], json!({}), [3, 3, 2, 5], vec![7, 7, 5]),
        (&[9, 9, 2], json!({"padding": "same"}), [3, 3, 2, 5], vec![9, 9, 5]),
        (&[9, 8, 2], json!({"padding": "same", "strides": [2, 3]}), [3, 3, 2, 5], vec![5, 3, 5]),
        (&[9, 8, 2], json!({"strides": [2, 3]}), [3, 3, 2, 5], vec![4, 2, 5]),
        (&[9, 9, 2], json!({"dilation_rate": [2, 4]}), [3, 3, 2, 5], vec![5, 1, 5]),
        (&[9, 9, 4], json!({"groups": 2, "filters": 6}), [3, 3, 2, 6], vec![7, 7, 6]),
    ] {
        let found = read(shape, "Conv2D", conv(5, &[3, 3], more), &[("l/kernel:0", &kernel)]);
        assert_eq!(found.unwrap().calls[1].shape, expected);
    }
    let causal = conv(5, &[3], json!({"padding": "causal", "dilation_rate": [2]}));
    let model = read(&[9, 2], "Conv1D", causal, &[("l/kernel:0", &[3, 2, 5])]).unwrap();
    assert_eq!(model.calls[1].shape, [9, 5]);
    let LayerKind::Conv(found) = &model.layers[1].kind else { panic!("{model:?}") };
    assert_eq!(
        (found.window.padding, found.window.dilation.as_slice()),
        (Padding::Causal, &[2][..])
    );
}

#[test]
fn convolutions_that_are_refused() {
    const KERNEL: &[(&str, &[usize])] = &[("l/kernel:0", &[3, 3, 2, 5])];
    for (more, complaint) in [
        (
            json!({"data_format": "channels_first"}),
            "data_format: \"channels_first\" is not supported",
        ),
        (json!({"padding": "causal"}), "padding: \"causal\" is not supported"),
        (json!({"strides": [2, 2], "dilation_rate": [2, 2]}), "dilation_rate:"),
        (json!({"strides": [0, 1]}), "strides: [0,1] is not supported"),
        (json!({"groups": 2}), "groups: 2 does not divide the 5 filters"),
        (
            json!({"filters": 4}),
            "kernel has shape [3, 3, 2, 5], expected [3, 3, channel / groups, 4]",
        ),
        (json!({"dilation_rate": [9, 1]}), "a window of 19 cells does not fit into the 9 cells"),
        (json!({"surprise": 1}), "surprise: unknown argument"),
    ] {
        let found = message(read(&[9, 9, 2], "Conv2D", conv(5, &[3, 3], more), KERNEL));
        assert!(found.starts_with("layer `l`") && found.contains(complaint), "{found}");
    }
    let found = message(read(&[9, 9, 3], "Conv2D", conv(5, &[3, 3], json!({})), KERNEL));
    assert!(found.contains("the kernel takes 2 channels"), "{found}");
    let found = message(read(&[9, 2], "Conv2D", conv(5, &[3, 3], json!({})), KERNEL));
    assert!(found.contains("supported: 3 axes [row, column, channel]"), "{found}");
}

#[test]
fn poolings_and_padding() {
    let shape = |class: &str, config: Value| {
        read(&[7, 6, 3], class, config, &[]).map(|m| m.calls[1].shape.clone())
    };
    let pool = json!({"pool_size": [3, 2], "strides": null, "padding": "valid"});
    assert_eq!(shape("MaxPooling2D", pool).unwrap(), [2, 3, 3]);
    let pool = json!({"pool_size": [3, 2], "strides": [2, 2], "padding": "same"});
    assert_eq!(shape("AveragePooling2D", pool).unwrap(), [4, 3, 3]);
    assert_eq!(shape("GlobalMaxPooling2D", json!({})).unwrap(), [3]);
    let keep = json!({"keepdims": true});
    assert_eq!(shape("GlobalAveragePooling2D", keep).unwrap(), [1, 1, 3]);
    let cells = json!({"padding": [[1, 2], [0, 3]]});
    assert_eq!(shape("ZeroPadding2D", cells).unwrap(), [10, 9, 3]);
    assert_eq!(shape("Permute", json!({"dims": [3, 1, 2]})).unwrap(), [3, 7, 6]);
    for (class, config) in [
        ("MaxPooling2D", json!({"pool_size": [8, 2]})),
        ("GlobalMaxPooling1D", json!({})),
        ("Permute", json!({"dims": [1, 2]})),
        ("Permute", json!({"dims": [1, 2, 2]})),
        ("ZeroPadding2D", json!({"padding": [[1, -2], [0, 3]]})),
    ] {
        let found = message(shape(class, config));
        assert!(found.starts_with("layer `l`"), "{found}");
    }
}

#[test]
fn axes_of_a_normalisation() {
    const FIVE: &[(&str, &[usize])] = &[
        ("l/gamma:0", &[5]),
        ("l/beta:0", &[5]),
        ("l/moving_mean:0", &[5]),
        ("l/moving_variance:0", &[5]),
    ];
    let axes = |axis: Value, tensors| {
        let config = json!({"axis": axis, "momentum": 0.99, "epsilon": 0.001});
        let model = read(&[5, 4, 5], "BatchNormalization", config, tensors)?;
        let LayerKind::BatchNorm(norm) = &model.layers[1].kind else { panic!("{model:?}") };
        Ok::<_, ModelError>(norm.axes.clone())
    };
    assert_eq!(axes(json!([3]), FIVE).unwrap(), [2]);
    assert_eq!(axes(json!(-1), FIVE).unwrap(), [2]);
    assert_eq!(axes(json!(1), FIVE).unwrap(), [0]);
    assert!(message(axes(json!(2), FIVE)).contains("asks for parameters of shape [4]"));
    assert!(message(axes(json!(0), FIVE)).contains("axis 0 is the batch"));
    let without = &FIVE[2..];
    assert!(message(axes(json!(3), without)).contains("ends in `gamma`"));
}
