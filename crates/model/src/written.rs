//! A Keras model file to be written.

use ndarray::ArrayD;
use serde_json::Value;

/// What a Keras-2 model file (`.h5`) is to hold.
#[derive(Debug, Clone, PartialEq)]
pub struct KerasDocument {
    /// The attribute `model_config`: `{"class_name": …, "config": …}`.
    pub model_config: Value,
    /// The attribute `keras_version`.
    pub keras_version: &'static str,
    /// The weights of every layer, also of those that have none, in file order.
    pub groups: Vec<WeightGroup>,
}

/// The weights of one layer.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightGroup {
    /// Name of the layer.
    pub layer: String,
    /// Name and values of each weight, such as `kernel:0` or `bn/gamma:0`, in Keras' order.
    pub weights: Vec<(String, Weight)>,
}

/// The values of a weight, in the dtype that they are stored in.
#[derive(Debug, Clone, PartialEq)]
pub enum Weight {
    /// float32.
    Float(ArrayD<f32>),
    /// int8: the bits of HGQ's quantizers.
    Int8(ArrayD<i8>),
}
