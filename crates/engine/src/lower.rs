//! From a node of a typed graph to kernels: integers where they are proven, reals elsewhere.

use bittrue_block::Storage;
use bittrue_fixed::{Dialect, FixedType, Overflow, QInterval, exact_raw_f64};
use bittrue_keras::{exact, float, prepare_bits, prepare_relu};
use bittrue_kernels::Requantize;
use bittrue_model::{Constant, MergeKind, Op, Place, Rounding32, TypedNode};

use crate::PlanError;
use crate::edge::{Edge, Repr, common, max_abs_at, raw_at};
use crate::int::{IntDense, Packing, Weights};
use crate::kernel::Kernel;
use crate::real::{Function, RealDense, RealQuantizer, Term};

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
#[derive(Debug)]
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
    /// Whether it is a function computed inside the dense kernel before it.
    pub(crate) inside_dense: bool,
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
) -> Result<Lowered, PlanError> {
    let exact = node.rules.arithmetic == Rounding32::Exact;
    let elements: usize = node.shape.iter().product();
    let real = |kernel| Lowered::one(kernel, Edge::real(exact));
    let place = || Place::layer(&node.name);
    Ok(match &node.op {
        Op::Input { index } => Lowered::one(Kernel::Input { index: *index }, Edge::real(false)),
        Op::Reshape => Lowered { kernels: vec![], edge: inputs[0].clone() },
        Op::Quantize(target) => cast(*target, node, inputs[0], elements, care)?,
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
        Op::Dense { kernel, bias } => {
            dense(kernel, bias.as_ref(), inputs[0], shapes[0], exact, care)
        }
        Op::Relu { max_value, negative_slope, threshold } => {
            let plain = *negative_slope == 0.0 && *threshold == 0.0;
            let int = (plain && care == Care::Fast)
                .then(|| relu(inputs[0], max_value.map(|m| m as f32)))
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
            let int = (care == Care::Fast).then(|| leaky_relu(inputs[0], alpha)).flatten();
            int.unwrap_or_else(|| real(Kernel::RealFunction(Function::LeakyRelu { alpha, exact })))
        }
        Op::Sigmoid => {
            let f = Function::Sigmoid { fused: neighbours.inside_dense };
            Lowered::one(Kernel::RealFunction(f), Edge::real(false))
        }
        Op::Tanh => {
            let f = Function::Tanh { fused: neighbours.inside_dense };
            Lowered::one(Kernel::RealFunction(f), Edge::real(false))
        }
        Op::Softmax => {
            let row = node.shape.last().copied().unwrap_or(1).max(1);
            Lowered::one(Kernel::Softmax { row }, Edge::real(false))
        }
        Op::Merge(kind) => {
            let proven = neighbours.regrouped.is_empty()
                || any_order_is_exact(&neighbours.regrouped, inputs, &neighbours.extra);
            let int = (care == Care::Fast && proven).then(|| merge(*kind, inputs)).flatten();
            int.unwrap_or_else(|| {
                real(Kernel::RealMerge {
                    kind: *kind,
                    exact,
                    arguments: inputs.len(),
                    regrouped: neighbours.regrouped,
                })
            })
        }
        Op::Concatenate { axis } => concatenate(inputs, shapes, *axis, care),
    })
}

/// `value` of each interval through a saturating cast; the whole range where it may overflow
/// otherwise.
fn cast_ranges(
    target: FixedType,
    dialect: Dialect,
    input: &Edge,
    elements: usize,
) -> Vec<QInterval> {
    let whole = target.interval();
    let each = |r: &QInterval| -> QInterval {
        let Ok(unlimited) =
            FixedType::new(true, 120, 120 - target.fractional(), target.rounding, Overflow::Sat)
        else {
            return whole;
        };
        let rounded = |raw| unlimited.convert(raw, r.fractional, dialect);
        let (Ok(lo), Ok(hi)) = (rounded(r.min), rounded(r.max)) else { return whole };
        let inside = whole.min <= lo && hi <= whole.max;
        let saturates = matches!(target.overflow, Overflow::Sat | Overflow::SatSym);
        if !inside && !saturates {
            return whole;
        }
        let limit = |v: i128| v.clamp(whole.min, whole.max);
        QInterval::new(limit(lo), limit(hi), target.fractional()).unwrap_or(whole)
    };
    match &input.ranges {
        Some(ranges) => ranges.iter().map(each).collect(),
        None => vec![whole; elements],
    }
}

/// A fixed-point quantizer.
fn cast(
    target: FixedType,
    node: &TypedNode,
    input: &Edge,
    elements: usize,
    care: Care,
) -> Result<Lowered, PlanError> {
    let dialect = node.rules.dialect;
    let refuse = |e: String| PlanError::new(Place::layer(&node.name), e);
    let formula = float::HgqQuantizer::new(
        target.signed,
        target.width,
        target.integer,
        target.rounding,
        target.overflow,
    )
    .map_err(|e| refuse(e.to_string()))?;
    target.convert(0, 0, dialect).map_err(|e| refuse(e.to_string()))?;
    let exact = node.rules.arithmetic == Rounding32::Exact;
    let quantizer = RealQuantizer::Cast { target, dialect, formula, exact };
    let fast = (care == Care::Fast)
        .then(|| Edge::int(cast_ranges(target, dialect, input, elements)))
        .flatten();
    let Some(edge) = fast else {
        return Ok(Lowered::one(Kernel::RealQuantize(quantizer), Edge::real(exact)));
    };
    Ok(quantizer_to_int(quantizer, Some(target), dialect, input, edge, exact::hgq_cast_is_exact))
}

/// A literal quantizer of QKeras.
fn literal(
    quantizer: RealQuantizer,
    meant: Option<FixedType>,
    grid: Option<exact::OutputGrid>,
    input: &Edge,
    elements: usize,
    care: Care,
) -> Lowered {
    let int = (care == Care::Fast).then_some(()).and(grid).and_then(|g| {
        let whole = QInterval::new(g.min.into(), g.max.into(), g.fractional).ok()?;
        Edge::int(match meant {
            Some(target) => cast_ranges(target, Dialect::Hgq, input, elements),
            None => vec![whole; elements],
        })
    });
    let Some(edge) = int else {
        return Lowered::one(Kernel::RealQuantize(quantizer), Edge::real(false));
    };
    let is_relu = matches!(quantizer, RealQuantizer::Relu(..));
    let mut lowered = quantizer_to_int(
        quantizer,
        meant,
        Dialect::Hgq,
        input,
        edge,
        exact::saturating_cast_is_exact,
    );
    // The proxy spells a quantized relu as relu and cast; the same two kernels are shared.
    if is_relu
        && let [Kernel::Requantize { .. }] = lowered.kernels.as_slice()
        && let Some(first) = relu(input, None)
    {
        lowered.kernels.splice(0..0, first.kernels);
    }
    lowered
}

/// Integers to integers where `proof` holds for the argument's range, else reals to integers.
fn quantizer_to_int(
    quantizer: RealQuantizer,
    meant: Option<FixedType>,
    dialect: Dialect,
    input: &Edge,
    edge: Edge,
    proof: fn(FixedType, i32, i64) -> bool,
) -> Lowered {
    let Repr::Int { storage, .. } = edge.repr else {
        return Lowered::one(Kernel::RealQuantize(quantizer), Edge::real(false));
    };
    if let (Some(target), Some((fractional, _)), Some(max_abs)) =
        (meant, input.as_int(), input.max_abs_raw())
        && proof(target, fractional, max_abs)
    {
        let cast = Requantize::new(fractional, target, dialect);
        // The kernel leaves raws on the target's own grid.
        let ranges = edge.ranges.clone();
        let repr = Repr::Int { fractional: target.fractional(), storage };
        return Lowered::one(Kernel::Requantize { cast, storage }, Edge { repr, ranges });
    }
    let fractional = edge.ranges.as_deref().and_then(|r| r.first()).map_or(0, |r| r.fractional);
    let repr = Repr::Int { fractional, storage };
    let out = Packing { fractional, storage };
    let (mut low, mut high) = (0_i64, 0_i64);
    for r in edge.ranges.as_deref().unwrap_or_default() {
        low = low.min(i64::try_from(r.min).unwrap_or(i64::MIN));
        high = high.max(i64::try_from(r.max).unwrap_or(i64::MAX));
    }
    let kernel = Kernel::RealToInt { quantizer, grid: (low, high), out };
    Lowered::one(kernel, Edge { repr, ranges: edge.ranges })
}

/// Matrix product with bias.
fn dense(
    kernel: &Constant,
    bias: Option<&Constant>,
    input: &Edge,
    shape: &[usize],
    exact: bool,
    care: Care,
) -> Lowered {
    let inputs = kernel.values.shape()[0];
    let units = kernel.values.shape()[1];
    let positions = shape.iter().product::<usize>() / inputs.max(1);
    let mut edge = Edge::real(exact);
    if care == Care::Fast
        && let Some(x) = input.as_int()
        && let Some((ranges, proven)) = dense_ranges(kernel, bias, x, positions)
    {
        if proven && let Some(int) = int_dense(kernel, bias, input, positions, ranges.clone()) {
            return int;
        }
        // An exact result has its type even where float32 would round it.
        edge.ranges = exact.then(|| ranges.into());
    }
    let product = RealDense::new(
        positions,
        inputs,
        units,
        kernel.values.iter().copied().collect(),
        bias.map(|b| b.values.iter().copied().collect()),
        exact,
    );
    Lowered::one(Kernel::RealDense(product), edge)
}

/// The interval of each unit, and whether float32 is exact for every value the argument can take.
fn dense_ranges(
    kernel: &Constant,
    bias: Option<&Constant>,
    (fx, x): (i32, &[QInterval]),
    positions: usize,
) -> Option<(Vec<QInterval>, bool)> {
    let (inputs, units) = (kernel.values.shape()[0], kernel.values.shape()[1]);
    let weight = |k: usize, u: usize| exact_raw_f64(kernel.values[[k, u]].into());
    let limit = exact::FLOAT32_INTEGERS.unsigned_abs().into();
    let mut ranges = Vec::with_capacity(positions * units);
    let mut proven = true;
    for p in 0..positions {
        for u in 0..units {
            // Everything of one unit on the LSB of its products.
            let lsb =
                (0..inputs).filter_map(|k| weight(k, u)).filter(|w| w.0 != 0).map(|w| w.1).max();
            let fractional = fx + lsb.unwrap_or(0);
            let mut sum = QInterval::new(0, 0, fractional).ok()?;
            let mut magnitude = 0_u128;
            for k in 0..inputs {
                let (w, f) = weight(k, u)?;
                if w == 0 {
                    continue;
                }
                let w = QInterval::new(w, w, f).ok()?;
                let term = x[p * inputs + k].mul(&w)?.rescale(fractional).ok()?;
                magnitude = magnitude.checked_add(term.max_abs())?;
                sum = sum.add(&term)?;
            }
            proven &= magnitude <= limit && exact::in_safe_range(fractional);
            if let Some(bias) = bias {
                let b = QInterval::from_value_exact(bias.values[[u]].into())?;
                // The bias is one more float32 addition.
                if (b.min, b.max) != (0, 0) {
                    sum = sum.add(&b)?;
                    let up = (sum.fractional - fractional).cast_unsigned();
                    let all = magnitude
                        .checked_mul(1_u128.checked_shl(up)?)?
                        .checked_add(b.rescale(sum.fractional).ok()?.max_abs())?;
                    proven &= all <= limit && exact::in_safe_range(sum.fractional);
                }
            }
            ranges.push(sum);
        }
    }
    Some((ranges, proven))
}

/// The product on integers, of a range that was proven.
fn int_dense(
    kernel: &Constant,
    bias: Option<&Constant>,
    input: &Edge,
    positions: usize,
    ranges: Vec<QInterval>,
) -> Option<Lowered> {
    let (inputs, units) = (kernel.values.shape()[0], kernel.values.shape()[1]);
    let (fx, x) = input.as_int()?;
    let weight = |k: usize, u: usize| exact_raw_f64(kernel.values[[k, u]].into());
    let (fractional, min, max) = common(&ranges)?;
    let scaled = |v: (i128, i32), from: i32| raw_at(v.0, v.1 + from, fractional);
    let mut weights = Vec::with_capacity(units * inputs);
    let mut biases = Vec::with_capacity(units);
    // Partial sums stay below the sum of the magnitudes, on the common grid.
    let mut largest = 0_i64;
    for u in 0..units {
        for k in 0..inputs {
            weights.push(scaled(weight(k, u)?, fx)?);
        }
        biases.push(match bias {
            Some(b) => scaled(exact_raw_f64(b.values[[u]].into())?, 0)?,
            None => 0,
        });
        for p in 0..positions {
            let mut bound = biases[u].abs();
            for k in 0..inputs {
                let w = weights[u * inputs + k].abs();
                let x = max_abs_at(&x[p * inputs + k], fx)?;
                bound = bound.checked_add(w.checked_mul(x)?)?;
            }
            largest = largest.max(bound);
        }
    }
    let x_storage = match input.repr {
        Repr::Int { storage, .. } => storage,
        Repr::Real { .. } => return None,
    };
    let narrow = largest <= i64::from(i32::MAX)
        && x_storage != Storage::I64
        && weights.iter().chain(&biases).all(|&w| i32::try_from(w).is_ok());
    let storage = if narrow { Storage::I32 } else { Storage::I64 };
    let to_i32 = |v: Vec<i64>| -> Vec<i32> { v.into_iter().map(|w| w as i32).collect() };
    let weights = if narrow {
        Weights::I32(to_i32(weights), to_i32(biases))
    } else {
        Weights::I64(weights, biases)
    };
    debug_assert!(min >= -largest && max <= largest);
    let kernel = Kernel::Dense(IntDense { positions, inputs, units, weights, fractional });
    let repr = Repr::Int { fractional, storage };
    Some(Lowered::one(kernel, Edge { repr, ranges: Some(ranges.into()) }))
}

/// `max(x, 0)` with an upper limit on the argument's grid.
fn relu(input: &Edge, max_value: Option<f32>) -> Option<Lowered> {
    let (fractional, ranges) = input.as_int()?;
    let max = match max_value {
        None => None,
        Some(m) if m >= 0.0 => {
            let (raw, f) = exact_raw_f64(m.into())?;
            Some(raw_at(raw, f, fractional)?)
        }
        Some(_) => return None,
    };
    let ranges: Vec<QInterval> = ranges
        .iter()
        .map(|r| {
            let top = match max {
                Some(m) => {
                    // A limit on the common grid may be finer than this element's own grid.
                    let m = i128::from(m);
                    let hi = raw_at(r.max, r.fractional, fractional)?;
                    let hi = i128::from(hi).clamp(0, m);
                    return QInterval::new(
                        i128::from(raw_at(r.min, r.fractional, fractional)?).clamp(0, m),
                        hi,
                        fractional,
                    )
                    .ok();
                }
                None => r.max.max(0),
            };
            QInterval::new(r.min.max(0), top, r.fractional).ok()
        })
        .collect::<Option<_>>()?;
    let Repr::Int { storage, .. } = input.repr else { return None };
    let repr = Repr::Int { fractional, storage };
    Some(Lowered::one(Kernel::Relu { max }, Edge { repr, ranges: Some(ranges.into()) }))
}

/// Leaky relu with a slope of few bits.
fn leaky_relu(input: &Edge, alpha: f32) -> Option<Lowered> {
    let (fractional, ranges) = input.as_int()?;
    let (slope, f) = exact_raw_f64(alpha.into())?;
    let shift = u32::try_from(f.max(0)).ok().filter(|&s| s <= 24)?;
    let slope = i64::try_from(slope.checked_mul(1_i128 << (f.max(0) - f).min(60))?).ok()?;
    let largest = input.max_abs_raw()?.checked_mul(slope.abs().max(1))?;
    if largest > exact::FLOAT32_INTEGERS {
        return None;
    }
    let fine = fractional + shift.cast_signed();
    let out = ranges
        .iter()
        .map(|r| {
            let lo = raw_at(r.min, r.fractional, fractional)?;
            let hi = raw_at(r.max, r.fractional, fractional)?;
            let f = |v: i64| if v > 0 { v << shift } else { v * slope };
            let ends = [f(lo), f(hi), if lo <= 0 && 0 <= hi { 0 } else { f(lo) }];
            let (min, max) = (ends.iter().min()?, ends.iter().max()?);
            QInterval::new((*min).into(), (*max).into(), fine).ok()
        })
        .collect::<Option<Vec<_>>>()?;
    let edge = with_fractional(out, fine)?;
    let Repr::Int { storage, .. } = edge.repr else { return None };
    let out = Packing { fractional: fine, storage };
    Some(Lowered::one(Kernel::LeakyRelu { slope, shift, out }, edge))
}

/// An integer edge whose raws have `fractional` bits, which is at least as fine as its ranges.
fn with_fractional(ranges: Vec<QInterval>, fractional: i32) -> Option<Edge> {
    let (mut min, mut max) = (0_i64, 0_i64);
    for r in &ranges {
        min = min.min(raw_at(r.min, r.fractional, fractional)?);
        max = max.max(raw_at(r.max, r.fractional, fractional)?);
    }
    let storage = Storage::for_range(min, max);
    Some(Edge { repr: Repr::Int { fractional, storage }, ranges: Some(ranges.into()) })
}

/// Whether the terms of a sum give the same float32 in every order, for all values of the edges.
fn any_order_is_exact(terms: &[Term], inputs: &[&Edge], extra: &[&Edge]) -> bool {
    let edge = |n: usize| inputs.iter().chain(extra).nth(n).copied();
    let size = |n: usize| -> Option<(i32, i64)> {
        let edge = edge(n)?;
        Some((edge.as_int()?.0, edge.max_abs_raw()?))
    };
    let each = |t: &Term| -> Option<Vec<(i32, i64)>> {
        match t {
            Term::Value(n) => Some(vec![size(*n)?]),
            Term::Difference(y, x) => Some(vec![size(*y)?, size(*x)?]),
            Term::Constant(values) => {
                let raws =
                    values.iter().map(|&v| exact_raw_f64(v.into())).collect::<Option<Vec<_>>>()?;
                let fine = raws.iter().map(|r| r.1).max().unwrap_or(0);
                let largest = raws.iter().map(|r| raw_at(r.0, r.1, fine).map(i64::abs));
                Some(vec![(fine, largest.collect::<Option<Vec<_>>>()?.into_iter().max()?)])
            }
        }
    };
    let Some(sizes) = terms.iter().map(each).collect::<Option<Vec<_>>>() else { return false };
    let sizes: Vec<(i32, i64)> = sizes.into_iter().flatten().collect();
    let fine = sizes.iter().map(|s| s.0).max().unwrap_or(0);
    let total: Option<i64> = sizes
        .iter()
        .map(|&(f, raw)| raw_at(raw.into(), f, fine))
        .try_fold(0_i64, |sum, raw| sum.checked_add(raw?));
    exact::in_safe_range(fine) && total.is_some_and(|t| t <= exact::FLOAT32_INTEGERS)
}

/// Element-wise merge, where every float32 step is exact.
fn merge(kind: MergeKind, inputs: &[&Edge]) -> Option<Lowered> {
    let args: Vec<(i32, &[QInterval])> =
        inputs.iter().map(|e| e.as_int()).collect::<Option<_>>()?;
    let product = kind == MergeKind::Multiply;
    let fine = args.iter().map(|a| a.0).max()?;
    let total: i32 = args.iter().map(|a| a.0).sum();
    let extra = match kind {
        MergeKind::Average if inputs.len().is_power_of_two() => {
            inputs.len().trailing_zeros().cast_signed()
        }
        MergeKind::Average => return None,
        _ => 0,
    };
    let limit = exact::FLOAT32_INTEGERS;
    let elements = args[0].1.len();
    let mut ranges = Vec::with_capacity(elements);
    for e in 0..elements {
        let mut acc: Option<QInterval> = None;
        for (n, (f, r)) in args.iter().enumerate() {
            let to = if product { *f } else { fine };
            let lo = raw_at(r[e].min, r[e].fractional, to)?;
            let hi = raw_at(r[e].max, r[e].fractional, to)?;
            let here = QInterval::new(lo.into(), hi.into(), to).ok()?;
            acc = Some(match (acc, kind) {
                (None, _) => here,
                (Some(a), MergeKind::Add | MergeKind::Average) => a.add(&here)?,
                (Some(a), MergeKind::Subtract) => a.sub(&here)?,
                (Some(a), MergeKind::Multiply) => a.mul(&here)?,
                (Some(a), MergeKind::Maximum) => {
                    QInterval::new(a.min.max(here.min), a.max.max(here.max), fine).ok()?
                }
                (Some(a), MergeKind::Minimum) => {
                    QInterval::new(a.min.min(here.min), a.max.min(here.max), fine).ok()?
                }
            });
            // Every partial result has to be a float32 value.
            let partial = acc.as_ref().map_or(0, QInterval::max_abs);
            if n > 0 && partial > limit.unsigned_abs().into() {
                return None;
            }
        }
        let mut r = acc?;
        r.fractional += extra;
        if !exact::in_safe_range(r.fractional) {
            return None;
        }
        ranges.push(r);
    }
    let fractional = if product { total } else { fine + extra };
    let edge = with_fractional(ranges, fractional)?;
    let Repr::Int { storage, .. } = edge.repr else { return None };
    let shifts =
        args.iter().map(|a| if product { 0 } else { (fine - a.0).cast_unsigned() }).collect();
    let out = Packing { fractional, storage };
    Some(Lowered::one(Kernel::Merge { kind, shifts, out }, edge))
}

/// Concatenation: on the finest grid of the arguments, or of reals.
fn concatenate(inputs: &[&Edge], shapes: &[&[usize]], axis: usize, care: Care) -> Lowered {
    let outer: usize = shapes[0][..axis].iter().product();
    let sizes: Vec<usize> = shapes.iter().map(|s| s[axis..].iter().product()).collect();
    let int = || -> Option<Lowered> {
        let args: Vec<(i32, &[QInterval])> =
            inputs.iter().map(|e| e.as_int()).collect::<Option<_>>()?;
        let fine = args.iter().map(|a| a.0).max()?;
        let mut ranges = Vec::new();
        for o in 0..outer {
            for (a, &size) in args.iter().zip(&sizes) {
                ranges.extend_from_slice(&a.1[o * size..(o + 1) * size]);
            }
        }
        let edge = with_fractional(ranges, fine)?;
        let Repr::Int { storage, .. } = edge.repr else { return None };
        let parts =
            args.iter().zip(&sizes).map(|(a, &s)| (s, (fine - a.0).cast_unsigned())).collect();
        let out = Packing { fractional: fine, storage };
        Some(Lowered::one(Kernel::Concatenate { parts, outer, out }, edge))
    };
    let int = if care == Care::Fast { int() } else { None };
    int.unwrap_or_else(|| {
        let exact = inputs.iter().all(|e| e.is_exact());
        Lowered::one(Kernel::RealConcatenate { parts: sizes, outer }, Edge::real(exact))
    })
}
