//! Layers, as one enum.

use bittrue_fixed::{Kif, Overflow, Rounding};
use ndarray::ArrayD;

use crate::{Quantizer, Window};

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
    /// `Conv1D`, `Conv2D`, `QConv1D` and `QConv2D`, channels last.
    Conv(Conv),
    /// `SeparableConv1D/2D` and `QSeparableConv1D/2D`, channels last.
    SeparableConv(SeparableConv),
    /// Max and average pooling, local and global, channels last.
    Pool(Pool),
    /// Keras `ZeroPadding1D/2D`: cells before and after each spatial axis.
    ZeroPadding(Vec<(usize, usize)>),
    /// Keras `BatchNormalization`.
    BatchNorm(BatchNorm),
    /// Keras `ThresholdedReLU`: `x` above `theta`, 0 else.
    ThresholdedRelu {
        /// Threshold.
        theta: f64,
    },
    /// Keras `ELU`: `alpha·(exp(x) − 1)` below zero.
    Elu {
        /// Scale of the negative part.
        alpha: f64,
    },
    /// Keras `Permute`: axis `i` of the result is axis `axes[i]` of the argument, both of one event.
    Permute(Vec<usize>),
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
    /// HGQ's `UnaryLUT`, found in proxy models only.
    UnaryLut(UnaryLut),
    /// A nested model as a whole: its value is that of one of its outputs, the call's argument. The
    /// layers inside are calls of their own.
    Nested,
}

/// A tensor of parameters of a layer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameter<'a> {
    /// Name as in the file, e.g. `kernel`.
    pub name: &'static str,
    /// Stored values.
    pub values: &'a ArrayD<f32>,
    /// What quantises it: the outer `None` where the class has no quantizer for it.
    pub quantizer: Option<Option<&'a Quantizer>>,
}

impl LayerKind {
    /// The stored parameters in the order of the file.
    pub fn parameters(&self) -> Vec<Parameter<'_>> {
        let with = |name, values, quantizer| Some(Parameter { name, values, quantizer });
        let quantized = |is: bool, q| is.then_some(q);
        let all = match self {
            Self::Dense(d) => {
                let (k, b) = (d.kernel_quantizer.as_ref(), d.bias_quantizer.as_ref());
                vec![
                    with("kernel", &d.kernel, quantized(d.quantized, k)),
                    d.bias.as_ref().and_then(|v| with("bias", v, quantized(d.quantized, b))),
                ]
            }
            Self::Conv(c) => {
                let (k, b) = (c.kernel_quantizer.as_ref(), c.bias_quantizer.as_ref());
                vec![
                    with("kernel", &c.kernel, quantized(c.quantized, k)),
                    c.bias.as_ref().and_then(|v| with("bias", v, quantized(c.quantized, b))),
                ]
            }
            Self::SeparableConv(c) => {
                let (d, p) = (c.depthwise_quantizer.as_ref(), c.pointwise_quantizer.as_ref());
                let b = c.bias_quantizer.as_ref();
                vec![
                    with("depthwise_kernel", &c.depthwise_kernel, quantized(c.quantized, d)),
                    with("pointwise_kernel", &c.pointwise_kernel, quantized(c.quantized, p)),
                    c.bias.as_ref().and_then(|v| with("bias", v, quantized(c.quantized, b))),
                ]
            }
            Self::BatchNorm(n) => vec![
                n.gamma.as_ref().and_then(|v| with("gamma", v, None)),
                n.beta.as_ref().and_then(|v| with("beta", v, None)),
                with("moving_mean", &n.mean, None),
                with("moving_variance", &n.variance, None),
            ],
            _ => Vec::new(),
        };
        all.into_iter().flatten().collect()
    }
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
    /// `exp(x) − 1` below zero.
    Elu,
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

/// `Conv1D`, `Conv2D`, `QConv1D` or `QConv2D`.
#[derive(Debug, Clone, PartialEq)]
pub struct Conv {
    /// Whether this is a layer of QKeras (quantizers apply) or of Keras.
    pub quantized: bool,
    /// The window that the kernel covers.
    pub window: Window,
    /// Groups of channels that are convolved by themselves.
    pub groups: usize,
    /// Stored weights `[cell…, channel / groups, filter]`.
    pub kernel: ArrayD<f32>,
    /// Stored bias `[filter]`, absent with `use_bias=False`.
    pub bias: Option<ArrayD<f32>>,
    /// Quantizer of the kernel.
    pub kernel_quantizer: Option<Quantizer>,
    /// Quantizer of the bias.
    pub bias_quantizer: Option<Quantizer>,
    /// What follows the sum.
    pub activation: Activation,
}

/// `SeparableConv1D/2D` or `QSeparableConv1D/2D`: each channel convolved by itself, then a product
/// over the channels.
#[derive(Debug, Clone, PartialEq)]
pub struct SeparableConv {
    /// Whether this is a layer of QKeras (quantizers apply) or of Keras.
    pub quantized: bool,
    /// The window of the depthwise kernel.
    pub window: Window,
    /// Stored weights `[cell…, channel, multiplier]`.
    pub depthwise_kernel: ArrayD<f32>,
    /// Stored weights `[1…, channel · multiplier, filter]`.
    pub pointwise_kernel: ArrayD<f32>,
    /// Stored bias `[filter]`, absent with `use_bias=False`.
    pub bias: Option<ArrayD<f32>>,
    /// Quantizer of the depthwise kernel.
    pub depthwise_quantizer: Option<Quantizer>,
    /// Quantizer of the pointwise kernel.
    pub pointwise_quantizer: Option<Quantizer>,
    /// Quantizer of the bias.
    pub bias_quantizer: Option<Quantizer>,
    /// What follows the sum.
    pub activation: Activation,
}

/// A pooling of spatial cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// Largest or average.
    pub kind: PoolKind,
    /// The window, or `None` for all cells at once (global pooling).
    pub window: Option<Window>,
}

/// What a pooling keeps of its cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolKind {
    /// The largest.
    Max,
    /// Their sum divided by the number of cells that are not padding.
    Average,
}

/// Keras `BatchNormalization` at inference, with the moving statistics.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchNorm {
    /// The axes of one event that have parameters of their own, rising.
    pub axes: Vec<usize>,
    /// Scale, absent with `scale=False`; every parameter has the lengths of `axes`.
    pub gamma: Option<ArrayD<f32>>,
    /// Offset, absent with `center=False`.
    pub beta: Option<ArrayD<f32>>,
    /// Moving mean.
    pub mean: ArrayD<f32>,
    /// Moving variance.
    pub variance: ArrayD<f32>,
    /// Added to the variance.
    pub epsilon: f64,
}

impl BatchNorm {
    /// For each element of an event's shape in C order the index of its parameters, in C order over
    /// the axes that have some.
    pub fn parameter_of(&self, shape: &[usize]) -> Vec<u32> {
        let total: usize = shape.iter().product();
        let mut steps = vec![0; shape.len()];
        let mut step = 1;
        for &axis in self.axes.iter().rev() {
            steps[axis] = step;
            step *= shape[axis];
        }
        (0..total)
            .map(|mut flat| {
                let mut parameter = 0;
                for axis in (0..shape.len()).rev() {
                    parameter += flat % shape[axis] * steps[axis];
                    flat /= shape[axis];
                }
                parameter as u32
            })
            .collect()
    }
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

/// HGQ's `UnaryLUT`: a table addressed by the bits of its argument.
#[derive(Debug, Clone, PartialEq)]
pub struct UnaryLut {
    /// Format of the argument: its two's complement bits are the index.
    pub input: Kif,
    /// Format of the entries.
    pub output: Kif,
    /// The entries, by index.
    pub table: Vec<f32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_by_axis() {
        let parameters = |axes: &[usize], shape: &[usize]| {
            let none = ArrayD::zeros(vec![0]);
            let (mean, variance) = (none.clone(), none);
            let axes = axes.to_vec();
            BatchNorm { axes, gamma: None, beta: None, mean, variance, epsilon: 0.0 }
                .parameter_of(shape)
        };
        assert_eq!(parameters(&[1], &[2, 3]), [0, 1, 2, 0, 1, 2]);
        assert_eq!(parameters(&[0], &[2, 3]), [0, 0, 0, 1, 1, 1]);
        assert_eq!(parameters(&[0, 2], &[2, 2, 2]), [0, 1, 0, 1, 2, 3, 2, 3]);
    }
}
