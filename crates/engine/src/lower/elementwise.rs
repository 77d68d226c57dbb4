//! Functions of one element that stay on integers.

use std::sync::Arc;

use bittrue_fixed::{QInterval, exact_raw_f64};
use bittrue_keras::exact;
use bittrue_model::UnaryLut;

use super::Lowered;
use crate::edge::{Edge, Repr, raw_at, with_fractional};
use crate::int::Packing;
use crate::kernel::Kernel;
use crate::real::Function;

/// `max(x, 0)` with an upper limit on the argument's grid.
pub(super) fn relu(input: &Edge, max_value: Option<f32>) -> Option<Lowered> {
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
pub(super) fn leaky_relu(input: &Edge, alpha: f32) -> Option<Lowered> {
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

/// A table. Its entries are certain where the argument is, so that what follows may be integers.
pub(super) fn table(lut: &Arc<UnaryLut>) -> Lowered {
    Lowered::one(Kernel::RealFunction(Function::Table(Arc::clone(lut))), Edge::real(true))
}
