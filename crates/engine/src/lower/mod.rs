//! From a node of a typed graph to kernels: integers where they are proven, reals elsewhere.
//!
//! | file | operations |
//! |---|---|
//! | `quantize` | casts and QKeras' quantizers |
//! | `linear` | matrix products and convolutions |
//! | `window` | pooling, padding, permuted axes |
//! | `elementwise` | functions of one element |
//! | `merge` | merges and concatenation |
//! | `norm` | batch normalisation |
//! | `firmware` | hls4ml's C simulation |

mod elementwise;
mod firmware;
pub(crate) mod linear;
mod merge;
pub(crate) mod norm;
mod quantize;
mod window;

use bittrue_keras::{exact, float, prepare_bits, prepare_curve, prepare_relu};
use bittrue_model::{Op, Place, Rounding32, TypedNode};

use self::linear::{Analyses, Sums};
use self::quantize::literal;
use crate::PlanError;
use crate::edge::Edge;
use crate::kernel::Kernel;
use crate::real::{Function, RealQuantizer, Term};
use crate::taps::Taps;

/// Which of the two programs is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Care {
    /// Integers where proven.
    Fast,
    /// Reals with bands everywhere.
    Careful,
}

/// A node as kernels, one behind the other, and what is known of its result. Without kernels the
/// result is the node's first argument.
#[derive(Debug, Clone)]
pub(crate) struct Lowered {
    pub(crate) kernels: Vec<Kernel>,
    pub(crate) edge: Edge,
}

impl Lowered {
    fn one(kernel: Kernel, edge: Edge) -> Self {
        Self { kernels: vec![kernel], edge }
    }
}

/// What a node's neighbours in the graph do to it.
#[derive(Debug, Default)]
pub(crate) struct Neighbours<'a> {
    /// Whether it is a function computed inside the kernel of the sums before it.
    pub(crate) inside_linear: bool,
    /// Whether it is a normalisation that may or may not be computed inside the kernel before it.
    pub(crate) either: bool,
    /// Whether it is the product of a tensor and its sigmoid.
    pub(crate) swish: bool,
    /// Whether its argument is a product of tensors.
    pub(crate) behind_product: bool,
    /// The terms of a sum that TensorFlow may regroup, by the kernel's arguments.
    pub(crate) regrouped: Vec<Term>,
    /// Edges of the arguments that only the terms read, behind the node's own.
    pub(crate) extra: Vec<&'a Edge>,
}

/// Lowers one node. `shapes` are those of its arguments.
pub(crate) fn lower(
    node: &TypedNode,
    inputs: &[&Edge],
    shapes: &[&[usize]],
    neighbours: Neighbours<'_>,
    care: Care,
    analyses: &mut Analyses,
) -> Result<Lowered, PlanError> {
    let exact = node.rules.arithmetic == Rounding32::Exact;
    let elements: usize = node.shape.iter().product();
    let real = |kernel| Lowered::one(kernel, Edge::real(exact));
    let place = || Place::layer(&node.name);
    Ok(match &node.op {
        Op::Input { index } => Lowered::one(Kernel::Input { index: *index }, Edge::real(false)),
        Op::Reshape | Op::Identity => Lowered { kernels: vec![], edge: inputs[0].clone() },
        Op::Quantize(target) => quantize::cast(*target, node, inputs[0], elements, care)?,
        Op::QuantizeEach(targets) => quantize::cast_each(targets, node, inputs[0], care)?,
        Op::QuantizedBits(q) => {
            let ready = prepare_bits(q, &place()).map_err(PlanError::from)?;
            let meant = exact::bits_cast(q);
            literal(
                RealQuantizer::Bits(ready, meant),
                meant,
                exact::bits_grid(q),
                inputs[0],
                elements,
                care,
            )
        }
        Op::QuantizedRelu(q) => {
            let ready = prepare_relu(q, float::Mode::Predict, &place()).map_err(PlanError::from)?;
            let meant = exact::relu_cast(q);
            literal(
                RealQuantizer::Relu(ready, meant),
                meant,
                exact::relu_grid(q),
                inputs[0],
                elements,
                care,
            )
        }
        Op::QuantizedCurve(q) => {
            let ready = prepare_curve(q, &place()).map_err(PlanError::from)?;
            let inside = neighbours.inside_linear;
            quantize::curve(q, ready, inputs[0], elements, inside, care)
        }
        Op::Dense { kernel, bias } => {
            let terms = kernel.values.shape().first().copied().unwrap_or(1);
            let taps = Taps::rows_of(shapes[0].iter().product(), terms);
            let bias_inside = false;
            let sums = Sums { taps, groups: 1, kernel, bias: bias.as_ref(), bias_inside };
            linear::lower(sums, inputs[0], exact, care, analyses)
        }
        Op::Conv { window, groups, kernel, bias, compiled } => {
            let taps = Taps::convolution(window, shapes[0], *groups);
            let bias_inside = !compiled;
            let sums = Sums { taps, groups: *groups, kernel, bias: bias.as_ref(), bias_inside };
            linear::lower(sums, inputs[0], exact, care, analyses)
        }
        Op::Pool(pool) => window::pool(pool, inputs[0], shapes[0], exact, care),
        Op::ZeroPadding(cells) => window::gather(window::padding(cells, shapes[0]), inputs[0]),
        Op::Permute(axes) => window::gather(window::permutation(axes, shapes[0]), inputs[0]),
        Op::BatchNorm(b) => {
            let form = if neighbours.either { norm::Form::Either } else { norm::Form::Alone };
            norm::lower(b, shapes[0], form, neighbours.behind_product, &place())?
        }
        Op::ThresholdedRelu { theta } => {
            let exact = inputs[0].is_exact();
            let theta = *theta as f32;
            let f = Function::ThresholdedRelu { theta, exact };
            Lowered::one(Kernel::RealFunction(f), Edge::real(exact))
        }
        Op::Elu { alpha } => {
            let f = Function::Elu { alpha: *alpha as f32, fused: neighbours.inside_linear };
            Lowered::one(Kernel::RealFunction(f), Edge::real(false))
        }
        Op::Table(lut) => elementwise::table(lut),
        Op::Relu { max_value, negative_slope, threshold } => {
            let plain = *negative_slope == 0.0 && *threshold == 0.0;
            let int = (plain && care == Care::Fast)
                .then(|| elementwise::relu(inputs[0], max_value.map(|m| m as f32)))
                .flatten();
            int.unwrap_or_else(|| {
                // Without a slope the result is one of the argument's values, or a constant.
                let exact = plain && inputs[0].is_exact();
                let f = Function::Relu {
                    max_value: max_value.map(|m| m as f32),
                    negative_slope: *negative_slope as f32,
                    threshold: *threshold as f32,
                    exact,
                };
                Lowered::one(Kernel::RealFunction(f), Edge::real(exact))
            })
        }
        Op::LeakyRelu { alpha } => {
            let alpha = *alpha as f32;
            let int =
                (care == Care::Fast).then(|| elementwise::leaky_relu(inputs[0], alpha)).flatten();
            int.unwrap_or_else(|| real(Kernel::RealFunction(Function::LeakyRelu { alpha, exact })))
        }
        Op::Sigmoid => {
            let f = Function::Sigmoid { fused: neighbours.inside_linear };
            Lowered::one(Kernel::RealFunction(f), Edge::real(false))
        }
        Op::Tanh => {
            let f = Function::Tanh { fused: neighbours.inside_linear };
            Lowered::one(Kernel::RealFunction(f), Edge::real(false))
        }
        Op::Softmax => {
            let row = node.shape.last().copied().unwrap_or(1).max(1);
            Lowered::one(Kernel::Softmax { row }, Edge::real(false))
        }
        Op::Merge(kind) => {
            let proven = neighbours.regrouped.is_empty()
                || merge::any_order_is_exact(&neighbours.regrouped, inputs, &neighbours.extra);
            let int = (care == Care::Fast && proven).then(|| merge::merge(*kind, inputs)).flatten();
            int.unwrap_or_else(|| {
                real(Kernel::RealMerge {
                    kind: *kind,
                    exact,
                    swish: neighbours.swish,
                    arguments: inputs.len(),
                    regrouped: neighbours.regrouped,
                })
            })
        }
        Op::Concatenate { axis } => merge::concatenate(inputs, shapes, *axis, care),
        Op::Firmware(op) => firmware::lower(op, inputs, elements, care, &place())?,
    })
}
