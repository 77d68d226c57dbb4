//! What raws can be, from the types and the weights alone.

use crate::int::{IntLinear, Weights};
use crate::kernel::Kernel;

/// Lowest and highest raw of a tensor.
pub(super) type Bounds = (i64, i64);

/// The bounds of sums whose arguments have bounds; elements outside the tensor are zero.
pub(super) fn sums(linear: &IntLinear, (low, high): Bounds) -> Option<Bounds> {
    fn of<T: Copy + Into<i64>>(terms: usize, w: &[T], b: &[T], ends: Bounds) -> Option<Bounds> {
        let (mut least, mut most) = (0_i64, 0_i64);
        for (column, &bias) in w.chunks_exact(terms.max(1)).zip(b) {
            let (mut low, mut high): (i64, i64) = (bias.into(), bias.into());
            for &w in column {
                let w: i64 = w.into();
                let (a, b) = (w.checked_mul(ends.0)?, w.checked_mul(ends.1)?);
                low = low.checked_add(a.min(b))?;
                high = high.checked_add(a.max(b))?;
            }
            (least, most) = (least.min(low), most.max(high));
        }
        Some((least, most))
    }
    let ends = (low.min(0), high.max(0));
    match linear.weights() {
        Weights::I32(w, b) => of(linear.terms(), w, b, ends),
        Weights::I64(w, b) => of(linear.terms(), w, b, ends),
    }
}

/// The bounds of a kernel's result, where they are easily known.
pub(super) fn result(kernel: &Kernel, inputs: &[Option<Bounds>]) -> Option<Bounds> {
    let first = || inputs.first().copied().flatten();
    match kernel {
        Kernel::Requantize { cast, .. } => {
            let t = cast.target();
            Some((i64::try_from(t.raw_min()).ok()?, i64::try_from(t.raw_max()).ok()?))
        }
        Kernel::Linear(linear) => sums(linear, first()?),
        Kernel::Relu { max } => {
            let (low, high) = first()?;
            let high = max.map_or(high, |max| high.min(max));
            Some((low.max(0), high.max(0)))
        }
        Kernel::PoolMax(_) | Kernel::Gather(_) => first().map(|(l, h)| (l.min(0), h.max(0))),
        Kernel::PoolSum { taps, shifts, .. } => {
            let (low, high) = first()?;
            let shift = *shifts.iter().max()?;
            let times = i64::try_from(taps.terms).ok()?.checked_mul(1_i64.checked_shl(shift)?)?;
            Some((low.min(0).checked_mul(times)?, high.max(0).checked_mul(times)?))
        }
        _ => None,
    }
}
