//! What each layer of a proxy computes, and what exact arithmetic asks of it.

use std::sync::Arc;

use bittrue_model::{
    Activation, Constant, Conv, Dense, EdgeType, Layer, LayerKind, MergeKind, Op, Place, PoolKind,
    Quantizer, Relu, SeparableConv,
};

use super::exact::{averages_are_exact, is_dyadic};
use super::quantizer;
use crate::{ConvertError, DeclaredGrid};

/// One operation of a layer.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) op: Op,
    pub(super) edge: EdgeType,
    /// Whether the arithmetic is exact on arguments of fixed types.
    pub(super) exact: bool,
}

/// A layer in its place.
#[derive(Debug)]
pub(super) struct Subject<'a> {
    pub(super) layer: &'a Layer,
    /// Which input of the model it is, if it is one.
    pub(super) input: usize,
    /// Number of arguments.
    pub(super) arguments: usize,
    /// Shape of the first argument.
    pub(super) argument: &'a [usize],
    /// Shape of the result.
    pub(super) shape: &'a [usize],
    pub(super) declared: DeclaredGrid,
}

/// The operations of a layer, one behind the other. A layer that does nothing has none.
pub(super) fn of(subject: &Subject<'_>) -> Result<Vec<Step>, ConvertError> {
    let place = Place::layer(&subject.layer.name);
    let derived = |op, exact| vec![Step { op, edge: EdgeType::Derived, exact }];
    Ok(match &subject.layer.kind {
        LayerKind::Input => derived(Op::Input { index: subject.input }, false),
        LayerKind::FixedPointQuantizer(q) => {
            let (op, edge) = quantizer::cast(q, subject.shape, &place)?;
            vec![Step { op, edge, exact: true }]
        }
        LayerKind::UnaryLut(table) => {
            let target = quantizer::table(table, &place)?;
            let op = Op::Table(Arc::new(table.clone()));
            vec![Step { op, edge: EdgeType::Uniform(target), exact: true }]
        }
        LayerKind::Dense(d) => {
            let mut steps = dense(d, subject.declared);
            steps.extend(activation(&d.activation, &place)?);
            steps
        }
        LayerKind::Conv(c) => {
            let mut steps = conv(c, subject.declared);
            steps.extend(activation(&c.activation, &place)?);
            steps
        }
        LayerKind::SeparableConv(c) => {
            let mut steps = separable(c, subject.declared, &place)?;
            steps.extend(activation(&c.activation, &place)?);
            steps
        }
        LayerKind::Activation(a) | LayerKind::QActivation(a) => {
            activation(a, &place)?.into_iter().collect()
        }
        LayerKind::Relu(r) => relu(r),
        LayerKind::LeakyRelu { alpha } => {
            derived(Op::LeakyRelu { alpha: *alpha }, is_dyadic(*alpha))
        }
        LayerKind::ThresholdedRelu { theta } => {
            derived(Op::ThresholdedRelu { theta: *theta }, true)
        }
        LayerKind::Elu { alpha } => derived(Op::Elu { alpha: *alpha }, false),
        LayerKind::Softmax => derived(Op::Softmax, false),
        LayerKind::Pool(p) => {
            let exact = p.kind == PoolKind::Max || averages_are_exact(p, subject.argument);
            derived(Op::Pool(p.clone()), exact)
        }
        LayerKind::ZeroPadding(cells) => derived(Op::ZeroPadding(cells.clone()), true),
        LayerKind::Permute(axes) => derived(Op::Permute(axes.clone()), true),
        LayerKind::BatchNorm(b) => derived(Op::BatchNorm(b.clone()), false),
        LayerKind::Flatten | LayerKind::Reshape => derived(Op::Reshape, true),
        LayerKind::Dropout | LayerKind::Nested => vec![],
        LayerKind::Concatenate(c) => derived(Op::Concatenate { axis: c.event_axis }, true),
        LayerKind::Merge(kind) => {
            let dyadic = *kind != MergeKind::Average || subject.arguments.is_power_of_two();
            derived(Op::Merge(*kind), dyadic)
        }
    })
}

fn dense(d: &Dense, declared: DeclaredGrid) -> Vec<Step> {
    let op = Op::Dense {
        kernel: Constant { values: d.kernel.clone(), on_grid: declared.kernel },
        bias: d.bias.clone().map(|values| Constant { values, on_grid: declared.bias }),
    };
    let exact = declared.kernel && (d.bias.is_none() || declared.bias);
    vec![Step { op, edge: EdgeType::Derived, exact }]
}

fn conv(c: &Conv, declared: DeclaredGrid) -> Vec<Step> {
    let op = Op::Conv {
        window: c.window.clone(),
        groups: c.groups,
        compiled: c.groups > 1,
        kernel: Constant { values: c.kernel.clone(), on_grid: declared.kernel },
        bias: c.bias.clone().map(|values| Constant { values, on_grid: declared.bias }),
    };
    let exact = declared.kernel && (c.bias.is_none() || declared.bias);
    vec![Step { op, edge: EdgeType::Derived, exact }]
}

/// Two convolutions, each exact or not by its own constants.
fn separable(
    c: &SeparableConv,
    declared: DeclaredGrid,
    place: &Place,
) -> Result<Vec<Step>, ConvertError> {
    let depthwise = Constant { values: c.depthwise_kernel.clone(), on_grid: declared.kernel };
    let pointwise = Constant { values: c.pointwise_kernel.clone(), on_grid: declared.pointwise };
    let bias = c.bias.clone().map(|values| Constant { values, on_grid: declared.bias });
    let second = declared.pointwise && (bias.is_none() || declared.bias);
    let ops = Op::separable(&c.window, depthwise, pointwise, bias).ok_or_else(|| {
        ConvertError::new(place.clone(), "its kernels have no channels", "check the model file")
    })?;
    let steps = ops.into_iter().zip([declared.kernel, second]);
    Ok(steps.map(|(op, exact)| Step { op, edge: EdgeType::Derived, exact }).collect())
}

/// With a slope or a threshold a ReLU is computed in float32.
fn relu(r: &Relu) -> Vec<Step> {
    let plain = r.negative_slope == 0.0 && r.threshold == 0.0;
    let exact = plain && r.max_value.is_none_or(is_dyadic);
    let op = Op::Relu {
        max_value: r.max_value,
        negative_slope: r.negative_slope,
        threshold: r.threshold,
    };
    vec![Step { op, edge: EdgeType::Derived, exact }]
}

/// The operation of an activation function inside a layer.
fn activation(activation: &Activation, place: &Place) -> Result<Option<Step>, ConvertError> {
    let relu = Op::Relu { max_value: None, negative_slope: 0.0, threshold: 0.0 };
    let (op, exact) = match activation {
        Activation::Linear => return Ok(None),
        Activation::Relu => (relu, true),
        Activation::Softmax => (Op::Softmax, false),
        Activation::Sigmoid => (Op::Sigmoid, false),
        Activation::Tanh => (Op::Tanh, false),
        Activation::Elu => (Op::Elu { alpha: 1.0 }, false),
        Activation::Quantizer(Quantizer::QuantizedBits(q)) => (Op::QuantizedBits(q.clone()), false),
        Activation::Quantizer(Quantizer::QuantizedRelu(q)) => (Op::QuantizedRelu(q.clone()), false),
        Activation::Quantizer(Quantizer::QuantizedCurve(q)) => {
            (Op::QuantizedCurve(q.clone()), false)
        }
        Activation::Quantizer(q) => {
            return Err(ConvertError::new(
                place.clone().attribute("activation"),
                format!("{} as an activation cannot be run yet", q.class_name()),
                "use quantized_bits or quantized_relu for activations",
            ));
        }
    };
    Ok(Some(Step { op, edge: EdgeType::Derived, exact }))
}
