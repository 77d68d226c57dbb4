//! The small typed graph that the engine runs: what one leg computes.

use std::sync::Arc;

use bittrue_fixed::{Dialect, FixedType};
use ndarray::ArrayD;

use crate::{
    BatchNorm, CallId, Firmware, MergeKind, Padding, Pool, QuantizedBits, QuantizedCurve,
    QuantizedRelu, UnaryLut, Window,
};

/// Index of a node in [`TypedModel::nodes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub usize);

/// One leg as data: a graph of few operations, a type on every edge, and rules on every node.
#[derive(Debug, Clone, PartialEq)]
pub struct TypedModel {
    /// Spelling of the leg, e.g. `proxy:wrap`.
    pub leg: String,
    /// Nodes in topological order.
    pub nodes: Vec<TypedNode>,
    /// The input nodes in the model's input order.
    pub inputs: Vec<NodeId>,
    /// The nodes that give the model's outputs, in order.
    pub outputs: Vec<NodeId>,
    /// For each call of the *source* model (index = its [`CallId`]): the node whose tensor
    /// replaces its output in this leg; `None` where this leg never forms it.
    pub aligned: Vec<Option<AlignedLayer>>,
    /// For calls that this leg never forms: the node whose tensor comes closest, at which what
    /// follows can be fed with another leg's value. Empty where there are none.
    pub unformed: Vec<Option<NodeId>>,
}

/// Where a layer call of the source model is found in a leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlignedLayer {
    /// The node whose tensor replaces the call's output.
    pub node: NodeId,
}

/// One operation.
#[derive(Debug, Clone, PartialEq)]
pub struct TypedNode {
    /// Name in the leg's own model, e.g. `fixed_point_quantizer_1`.
    pub name: String,
    /// What it computes.
    pub op: Op,
    /// Its arguments.
    pub inputs: Vec<NodeId>,
    /// Shape of one event.
    pub shape: Vec<usize>,
    /// What is known of its values.
    pub edge: EdgeType,
    /// How it computes.
    pub rules: Rules,
    /// The layer call of the source model that it came from.
    pub origin: CallId,
}

/// What is known of the values on an edge by declaration (the engine proves more).
#[derive(Debug, Clone, PartialEq)]
pub enum EdgeType {
    /// Every element has this type.
    Uniform(FixedType),
    /// Each element of one event has its own type.
    PerElement(Arc<[FixedType]>),
    /// No declared type: exact results, whose width the engine derives, or float32.
    Derived,
}

/// The arithmetic of sums and products.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding32 {
    /// float32, one rounding per operation, as TensorFlow runs it.
    Float32,
    /// Exact; elements at which the float32 run rounds are flagged and banded.
    Exact,
}

/// How one node computes. A profile is a way to fill this in; a counterfactual is one field
/// changed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// Which of the two dialects of the fixed-point types.
    pub dialect: Dialect,
    /// Arithmetic of sums and products.
    pub arithmetic: Rounding32,
}

/// A constant tensor: the float32 values, and whether a quantizer declared their grid.
#[derive(Debug, Clone, PartialEq)]
pub struct Constant {
    /// The values, as the leg uses them.
    pub values: ArrayD<f32>,
    /// Whether they lie on a power-of-two grid declared by a quantizer (exact integers apply).
    pub on_grid: bool,
}

/// The operations.
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// The events, as float32.
    Input {
        /// Which input of the model.
        index: usize,
    },
    /// A cast to the edge's fixed type.
    Quantize(FixedType),
    /// A cast of each element of one event to its own type.
    QuantizeEach(Arc<[FixedType]>),
    /// QKeras' literal float32 `quantized_bits`.
    QuantizedBits(QuantizedBits),
    /// QKeras' literal float32 `quantized_relu`.
    QuantizedRelu(QuantizedRelu),
    /// QKeras' literal float32 `quantized_tanh` and `quantized_sigmoid`.
    QuantizedCurve(QuantizedCurve),
    /// `x · kernel + bias` over the last axis; kernel is `[input, unit]`.
    Dense {
        /// Weights.
        kernel: Constant,
        /// Bias.
        bias: Option<Constant>,
    },
    /// Convolution, channels last; kernel is `[cell…, channel / groups, filter]`. A depthwise one has
    /// as many groups as channels.
    Conv {
        /// The window that the kernel covers.
        window: Window,
        /// Groups of channels that are convolved by themselves.
        groups: usize,
        /// Whether XLA compiles it by itself, as Keras has it done where there are groups: then nothing
        /// is fused with it.
        compiled: bool,
        /// Weights.
        kernel: Constant,
        /// Bias.
        bias: Option<Constant>,
    },
    /// Pooling, channels last.
    Pool(Pool),
    /// Zeros before and after each spatial axis, channels last.
    ZeroPadding(Vec<(usize, usize)>),
    /// Axis `i` of the result is axis `axes[i]` of the argument.
    Permute(Vec<usize>),
    /// Batch normalisation at inference.
    BatchNorm(BatchNorm),
    /// `x` above `theta`, 0 else.
    ThresholdedRelu {
        /// Threshold.
        theta: f64,
    },
    /// `alpha·(exp(x) − 1)` below zero.
    Elu {
        /// Scale of the negative part.
        alpha: f64,
    },
    /// A table addressed by the bits of the argument.
    Table(Arc<UnaryLut>),
    /// Keras ReLU with all its arguments.
    Relu {
        /// Upper limit, if any.
        max_value: Option<f64>,
        /// Slope below the threshold.
        negative_slope: f64,
        /// Threshold.
        threshold: f64,
    },
    /// `x` for positive values, `alpha·x` else.
    LeakyRelu {
        /// Slope.
        alpha: f64,
    },
    /// Logistic function.
    Sigmoid,
    /// Hyperbolic tangent.
    Tanh,
    /// Softmax over the last axis.
    Softmax,
    /// Element-wise merge with broadcasting over equal shapes only.
    Merge(MergeKind),
    /// Concatenation along an axis of the event's shape.
    Concatenate {
        /// Axis within the event's shape.
        axis: usize,
    },
    /// The same elements in another shape.
    Reshape,
    /// The argument itself, by an operation that reads it: Dropout at inference.
    Identity,
    /// An operation of hls4ml's C simulation.
    Firmware(Arc<Firmware>),
}

impl Op {
    /// The two convolutions of a separable one, from `[cell…, channel, multiplier]` and
    /// `[1…, channel · multiplier, filter]`; `None` when the depthwise kernel has too few axes.
    pub fn separable(
        window: &Window,
        depthwise: Constant,
        pointwise: Constant,
        bias: Option<Constant>,
    ) -> Option<[Self; 2]> {
        // A depthwise kernel is `[cell…, 1, filter]` with as many groups as channels.
        let shape = depthwise.values.shape().to_vec();
        let (cells, &[channels, multiplier]) = shape.split_last_chunk()?;
        let grouped = [cells, &[1, channels * multiplier]].concat();
        let kernel = Constant {
            values: depthwise.values.into_shape_with_order(grouped).ok()?,
            on_grid: depthwise.on_grid,
        };
        let ones = vec![1; window.size.len()];
        let single = Window {
            size: ones.clone(),
            strides: ones.clone(),
            dilation: ones,
            padding: Padding::Valid,
        };
        Some([
            Self::Conv {
                window: window.clone(),
                groups: channels,
                compiled: false,
                kernel,
                bias: None,
            },
            Self::Conv { window: single, groups: 1, compiled: false, kernel: pointwise, bias },
        ])
    }

    /// The shape of the result, where `layer` is that of the layer it is part of.
    pub fn shape_within(&self, layer: &[usize]) -> Vec<usize> {
        let mut shape = layer.to_vec();
        if let (Self::Conv { kernel, .. }, Some(last)) = (self, shape.last_mut()) {
            *last = kernel.values.shape().last().copied().unwrap_or(*last);
        }
        shape
    }
}
