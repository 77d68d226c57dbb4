//! Layers, as one enum.

use bittrue_fixed::{Overflow, Rounding};
use ndarray::ArrayD;

use crate::Quantizer;

/// What a layer is. Adding a variant makes every match in the workspace say what it does with it.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "a model has few layers, and patterns through a Box would be harder to read"
)]
pub enum LayerKind {
    /// Entry of the network, with its shape without batch.
    Input,
    /// `QActivation`: a quantizer, or an activation function, by itself.
    QActivation(Activation),
    /// Keras `Activation`.
    Activation(Activation),
    /// Keras `ReLU`.
    Relu(Relu),
    /// Keras `LeakyReLU` with its slope for negative values.
    LeakyRelu {
        /// Slope, `alpha` in the file.
        alpha: f64,
    },
    /// Keras `Softmax` over the last axis.
    Softmax,
    /// `Dense` and `QDense`.
    Dense(Dense),
    /// Keras `Flatten`, channels last.
    Flatten,
    /// Keras `Reshape`; the target is the call's shape.
    Reshape,
    /// Keras `Dropout`: nothing at inference.
    Dropout,
    /// Keras `Concatenate`.
    Concatenate(Concatenate),
    /// Element-wise merges.
    Merge(MergeKind),
    /// HGQ's `FixedPointQuantizer`, found in proxy models only.
    FixedPointQuantizer(FixedPointQuantizer),
}

/// An activation: a function of Keras or a quantizer of QKeras.
#[derive(Debug, Clone, PartialEq)]
pub enum Activation {
    /// Identity (also when no activation is given).
    Linear,
    /// `max(x, 0)`.
    Relu,
    /// Softmax over the last axis.
    Softmax,
    /// Logistic function.
    Sigmoid,
    /// Hyperbolic tangent.
    Tanh,
    /// A quantizer.
    Quantizer(Quantizer),
}

/// Keras `ReLU` with its arguments.
#[derive(Debug, Clone, PartialEq)]
pub struct Relu {
    /// Upper limit, if any.
    pub max_value: Option<f64>,
    /// Slope below the threshold.
    pub negative_slope: f64,
    /// Threshold.
    pub threshold: f64,
}

/// `Dense` or `QDense`.
#[derive(Debug, Clone, PartialEq)]
pub struct Dense {
    /// Whether this is `QDense` (quantizers apply) or Keras `Dense`.
    pub quantized: bool,
    /// Stored weights `[input, unit]`.
    pub kernel: ArrayD<f32>,
    /// Stored bias `[unit]`, absent with `use_bias=False`.
    pub bias: Option<ArrayD<f32>>,
    /// Quantizer of the kernel.
    pub kernel_quantizer: Option<Quantizer>,
    /// Quantizer of the bias.
    pub bias_quantizer: Option<Quantizer>,
    /// What follows the sum.
    pub activation: Activation,
}

/// Keras `Concatenate`.
#[derive(Debug, Clone, PartialEq)]
pub struct Concatenate {
    /// Axis as written in the file: negative counts from the end, positive counts with the batch.
    pub axis: i64,
    /// The same axis within the shape of one event.
    pub event_axis: usize,
}

/// Which element-wise merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MergeKind {
    /// Sum of all arguments.
    Add,
    /// First minus second.
    Subtract,
    /// Product of all arguments.
    Multiply,
    /// Sum divided by the number of arguments.
    Average,
    /// Largest argument.
    Maximum,
    /// Smallest argument.
    Minimum,
}

/// HGQ's `FixedPointQuantizer`: `bits` includes the sign, `integers` includes the sign.
#[derive(Debug, Clone, PartialEq)]
pub struct FixedPointQuantizer {
    /// Sign bit, 0 or 1, broadcastable against one event.
    pub keep_negative: ArrayD<i32>,
    /// Width including the sign.
    pub bits: ArrayD<i32>,
    /// Integer bits including the sign.
    pub integers: ArrayD<i32>,
    /// Rounding mode.
    pub rounding: Rounding,
    /// Overflow mode.
    pub overflow: Overflow,
}
