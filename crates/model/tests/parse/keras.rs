//! Builds model files as Keras 2 writes them.

use bittrue_model::parse::{KerasFile, LayerWeights, from_keras};
use bittrue_model::{Model, ModelError};
use ndarray::{ArrayD, IxDyn};
use serde_json::{Value, json};

/// A layer of a Functional model, called once for each list of `(layer, node)`.
pub(crate) fn layer(class: &str, name: &str, config: Value, calls: &[&[(&str, u64)]]) -> Value {
    let mut all = json!({"name": name, "trainable": true, "dtype": "float32"});
    merge(&mut all, config);
    let nodes: Vec<Value> = calls
        .iter()
        .map(|call| call.iter().map(|(from, node)| json!([from, node, 0, {}])).collect())
        .collect();
    json!({"class_name": class, "config": all, "name": name, "inbound_nodes": nodes})
}

/// Adds the keys of one object to another.
pub(crate) fn merge(into: &mut Value, more: Value) {
    if let (Some(into), Value::Object(more)) = (into.as_object_mut(), more) {
        into.extend(more);
    }
}

pub(crate) fn input(name: &str, shape: &[u64]) -> Value {
    let mut batch = vec![Value::Null];
    batch.extend(shape.iter().map(|&d| json!(d)));
    let mut entry = layer(
        "InputLayer",
        name,
        json!({"batch_input_shape": batch, "sparse": false, "ragged": false}),
        &[],
    );
    entry["config"].as_object_mut().unwrap().remove("trainable");
    entry
}

/// The configuration of a QDense as QKeras 0.9.0 writes it.
pub(crate) fn q_dense(units: u64) -> Value {
    let quantizer = quantized_bits(6, 0);
    json!({
        "units": units,
        "activation": "linear",
        "use_bias": true,
        "kernel_initializer": {"module": "keras.initializers", "class_name": "HeNormal",
            "config": {"seed": null}, "registered_name": null},
        "bias_initializer": {"class_name": "Zeros", "config": {}},
        "kernel_regularizer": null,
        "bias_regularizer": null,
        "activity_regularizer": null,
        "kernel_constraint": {"class_name": "Clip", "config": {"min_value": -1, "max_value": 1}},
        "bias_constraint": null,
        "kernel_quantizer": quantizer,
        "bias_quantizer": quantizer,
        "kernel_range": null,
        "bias_range": null,
    })
}

pub(crate) fn quantized_bits(bits: i64, integer: i64) -> Value {
    json!({
        "module": "qkeras.quantizers",
        "class_name": "quantized_bits",
        "config": {"bits": bits, "integer": integer, "symmetric": 0, "alpha": 1.0,
            "keep_negative": true, "use_stochastic_rounding": false, "qnoise_factor": 1.0},
        "registered_name": "quantized_bits",
    })
}

pub(crate) fn functional(layers: Vec<Value>, inputs: &[&str], outputs: &[(&str, u64)]) -> Value {
    let inputs: Vec<Value> = inputs.iter().map(|name| json!([name, 0, 0])).collect();
    let outputs: Vec<Value> = outputs.iter().map(|(name, node)| json!([name, node, 0])).collect();
    json!({"class_name": "Functional", "config": {"name": "model", "trainable": true,
        "layers": layers, "input_layers": inputs, "output_layers": outputs}})
}

pub(crate) fn sequential(layers: Vec<Value>) -> Value {
    let layers: Vec<Value> = layers
        .into_iter()
        .map(|l| json!({"class_name": l["class_name"], "config": l["config"]}))
        .collect();
    json!({"class_name": "Sequential", "config": {"name": "chain", "layers": layers}})
}

/// The weights of a layer, each of a shape, filled with 0.25.
pub(crate) fn weights(layer: &str, tensors: &[(&str, &[usize])]) -> LayerWeights {
    let tensors = tensors
        .iter()
        .map(|(name, shape)| ((*name).to_owned(), ArrayD::from_elem(IxDyn(shape), 0.25)))
        .collect();
    LayerWeights { layer: layer.to_owned(), tensors }
}

pub(crate) fn file(model_config: Value, weights: Vec<LayerWeights>) -> KerasFile {
    KerasFile {
        model_config,
        keras_version: Some("2.15.0".to_owned()),
        layer_names: weights.iter().map(|w| w.layer.clone()).collect(),
        weights,
    }
}

/// Reads a model of one layer behind an input of 4 values.
pub(crate) fn read_one(
    class: &str,
    config: Value,
    tensors: &[(&str, &[usize])],
) -> Result<Model, ModelError> {
    let layers = vec![input("in", &[4]), layer(class, "l", config, &[&[("in", 0)]])];
    from_keras(&file(functional(layers, &["in"], &[("l", 0)]), vec![weights("l", tensors)]))
}

/// An error's text and help.
pub(crate) fn message<T: std::fmt::Debug>(result: Result<T, ModelError>) -> String {
    let error = result.unwrap_err();
    format!("{error} [{}]", error.help().unwrap_or_default())
}
