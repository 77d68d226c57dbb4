//! Quantizers: casts of integers where float32 is proven exact, else quantizers of reals.

use bittrue_fixed::{Dialect, FixedType, Overflow, QInterval};
use bittrue_keras::float::CurveFunction;
use bittrue_keras::{exact, float};
use bittrue_kernels::Requantize;
use bittrue_model::{Place, QuantizedCurve, Rounding32, TypedNode};

use super::{Care, Lowered, elementwise};
use crate::PlanError;
use crate::edge::{Edge, Repr, raw_at};
use crate::int::Packing;
use crate::kernel::Kernel;
use crate::real::{Function, Quantizers, RealQuantizer};

/// An interval through a saturating cast; the whole range where it may overflow otherwise.
fn cast_range(target: FixedType, dialect: Dialect, input: Option<&QInterval>) -> QInterval {
    let whole = target.interval();
    let unlimited =
        FixedType::new(true, 120, 120 - target.fractional(), target.rounding, Overflow::Sat);
    let (Some(r), Ok(unlimited)) = (input, unlimited) else { return whole };
    let rounded = |raw| unlimited.convert(raw, r.fractional, dialect);
    let (Ok(lo), Ok(hi)) = (rounded(r.min), rounded(r.max)) else { return whole };
    let inside = whole.min <= lo && hi <= whole.max;
    let saturates = matches!(target.overflow, Overflow::Sat | Overflow::SatSym);
    if target.width == 0 || (!inside && !saturates) {
        return whole;
    }
    let limit = |v: i128| v.clamp(whole.min, whole.max);
    QInterval::new(limit(lo), limit(hi), target.fractional()).unwrap_or(whole)
}

/// [`cast_range`] of every element.
fn cast_ranges(
    target: FixedType,
    dialect: Dialect,
    input: &Edge,
    elements: usize,
) -> Vec<QInterval> {
    match &input.ranges {
        Some(ranges) => ranges.iter().map(|r| cast_range(target, dialect, Some(r))).collect(),
        None => vec![target.interval(); elements],
    }
}

/// The cast of reals to a type, if the type exists in its dialect.
fn real_cast(target: FixedType, node: &TypedNode) -> Result<RealQuantizer, PlanError> {
    let refuse = |e: String| PlanError::new(Place::layer(&node.name), e);
    let dialect = node.rules.dialect;
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
    Ok(RealQuantizer::Cast { target, dialect, formula, exact })
}

/// A fixed-point quantizer.
pub(super) fn cast(
    target: FixedType,
    node: &TypedNode,
    input: &Edge,
    elements: usize,
    care: Care,
) -> Result<Lowered, PlanError> {
    let dialect = node.rules.dialect;
    let quantizer = real_cast(target, node)?;
    let fast = (care == Care::Fast)
        .then(|| Edge::int(cast_ranges(target, dialect, input, elements)))
        .flatten();
    let Some(edge) = fast else {
        let exact = node.rules.arithmetic == Rounding32::Exact;
        let kernel = Kernel::RealQuantize(Quantizers::Same(quantizer));
        return Ok(Lowered::one(kernel, Edge::real(exact)));
    };
    Ok(quantizer_to_int(quantizer, Some(target), dialect, input, edge, exact::hgq_cast_is_exact))
}

/// A fixed-point quantizer with a type for each element.
pub(super) fn cast_each(
    targets: &[FixedType],
    node: &TypedNode,
    input: &Edge,
    care: Care,
) -> Result<Lowered, PlanError> {
    let dialect = node.rules.dialect;
    let quantizers = targets.iter().map(|&t| real_cast(t, node)).collect::<Result<Vec<_>, _>>()?;
    let range = |(e, &target): (usize, &FixedType)| {
        cast_range(target, dialect, input.ranges.as_deref().map(|r| &r[e]))
    };
    let edge = (care == Care::Fast)
        .then(|| Edge::int(targets.iter().enumerate().map(range).collect()))
        .flatten();
    let Some(edge) = edge else {
        let exact = node.rules.arithmetic == Rounding32::Exact;
        let kernel = Kernel::RealQuantize(Quantizers::Each(quantizers));
        return Ok(Lowered::one(kernel, Edge::real(exact)));
    };
    let Repr::Int { fractional, storage } = edge.repr else {
        return Err(PlanError::new(Place::layer(&node.name), "an integer edge without integers"));
    };
    let out = Packing { fractional, storage };
    let casts = input.as_int().zip(input.max_abs_raw()).and_then(|((from, _), max_abs)| {
        let proven = targets.iter().all(|&t| exact::hgq_cast_is_exact(t, from, max_abs));
        // An element that is always zero may have a finer grid than the common one.
        let up = |t: &FixedType| (fractional - t.fractional()).max(0).cast_unsigned();
        proven
            .then(|| targets.iter().map(|t| (Requantize::new(from, *t, dialect), up(t))).collect())
    });
    let kernel = match casts {
        Some(casts) => Kernel::RequantizeEach { casts, out },
        None => {
            let grid = ends(&edge);
            Kernel::RealToInt { quantizer: Quantizers::Each(quantizers), grid, out }
        }
    };
    Ok(Lowered::one(kernel, edge))
}

/// Lowest and highest raw of an integer edge.
fn ends(edge: &Edge) -> (i64, i64) {
    let Some((fractional, ranges)) = edge.as_int() else { return (0, 0) };
    let at = |raw, r: &QInterval, none| raw_at(raw, r.fractional, fractional).unwrap_or(none);
    ranges.iter().fold((0, 0), |(low, high), r| {
        (low.min(at(r.min, r, i64::MIN)), high.max(at(r.max, r, i64::MAX)))
    })
}

/// A literal quantizer of QKeras.
pub(super) fn literal(
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
        let kernel = Kernel::RealQuantize(Quantizers::Same(quantizer));
        return Lowered::one(kernel, Edge::real(false));
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
        && let Some(first) = elementwise::relu(input, None)
    {
        lowered.kernels.splice(0..0, first.kernels);
    }
    lowered
}

/// QKeras' `quantized_tanh` and `quantized_sigmoid`: a curve of reals and a cast, or a cast of integers
/// alone. `inside` is whether the curve is computed inside the kernel of the sums before it.
pub(super) fn curve(
    q: &QuantizedCurve,
    ready: float::QuantizedCurve,
    input: &Edge,
    elements: usize,
    inside: bool,
    care: Care,
) -> Lowered {
    let fast = (care == Care::Fast).then(|| exact::curve_grid(q)).flatten();
    if let (Some(target), Some((from, _)), Some(_)) = (exact::curve_cast(q), input.as_int(), fast)
        && exact::hard_tanh_is_exact(from)
        && let Some(edge) = Edge::int(cast_ranges(target, Dialect::Hgq, input, elements))
        && let Repr::Int { storage, .. } = edge.repr
    {
        // The kernel leaves raws on the target's own grid.
        let repr = Repr::Int { fractional: target.fractional(), storage };
        let cast = Requantize::new(from, target, Dialect::Hgq);
        return Lowered::one(Kernel::Requantize { cast, storage }, Edge { repr, ..edge });
    }
    let function = Kernel::RealFunction(match ready.function() {
        CurveFunction::Tanh => Function::Tanh { fused: inside },
        CurveFunction::Sigmoid => Function::Sigmoid { fused: inside },
        lines @ (CurveFunction::HardTanh | CurveFunction::HardSigmoid) => Function::Lines(lines),
    });
    let quantizer = Quantizers::Same(RealQuantizer::Curve(ready));
    let whole = fast.and_then(|g| QInterval::new(g.min.into(), g.max.into(), g.fractional).ok());
    let (cast, edge) = match whole.and_then(|range| Edge::int(vec![range; elements])) {
        Some(edge) => match edge.repr {
            Repr::Int { fractional, storage } => {
                let out = Packing { fractional, storage };
                (Kernel::RealToInt { quantizer, grid: ends(&edge), out }, edge)
            }
            Repr::Real { .. } => (Kernel::RealQuantize(quantizer), Edge::real(false)),
        },
        None => (Kernel::RealQuantize(quantizer), Edge::real(false)),
    };
    Lowered { kernels: vec![function, cast], edge }
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
    let quantizer = Quantizers::Same(quantizer);
    let Repr::Int { fractional, storage } = edge.repr else {
        return Lowered::one(Kernel::RealQuantize(quantizer), Edge::real(false));
    };
    if let (Some(target), Some((from, _)), Some(max_abs)) =
        (meant, input.as_int(), input.max_abs_raw())
        && proof(target, from, max_abs)
    {
        let cast = Requantize::new(from, target, dialect);
        // The kernel leaves raws on the target's own grid.
        let ranges = edge.ranges.clone();
        let repr = Repr::Int { fractional: target.fractional(), storage };
        return Lowered::one(Kernel::Requantize { cast, storage }, Edge { repr, ranges });
    }
    let out = Packing { fractional, storage };
    let kernel = Kernel::RealToInt { quantizer, grid: ends(&edge), out };
    Lowered::one(kernel, edge)
}
