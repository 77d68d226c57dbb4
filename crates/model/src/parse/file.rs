//! What a Keras file holds, before any interpretation.

use ndarray::ArrayD;
use serde_json::Value;

/// A Keras-2 model file (`.h5`), taken apart.
#[derive(Debug, Clone, PartialEq)]
pub struct KerasFile {
    /// The attribute `model_config`: `{"class_name": …, "config": …}`.
    pub model_config: Value,
    /// The attribute `keras_version`, e.g. `2.15.0`.
    pub keras_version: Option<String>,
    /// The layers that have a group of weights, in file order.
    pub layer_names: Vec<String>,
    /// The weights of these layers, also of those that have none.
    pub weights: Vec<LayerWeights>,
}

/// The weights of one layer.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerWeights {
    /// The name of the layer's group, which is the layer's name.
    pub layer: String,
    /// The tensors by their name in the attribute `weight_names` (such as `fc1/kernel:0`), in the
    /// order of that attribute, rounded once to float32 from whatever dtype is stored.
    pub tensors: Vec<(String, ArrayD<f32>)>,
}
