//! Pooling, padding and permuted axes: what reads other elements without weights.

use std::sync::Arc;

use bittrue_fixed::QInterval;
use bittrue_keras::exact;
use bittrue_kernels::PADDING;
use bittrue_model::{Pool, PoolKind};

use super::{Care, Lowered};
use crate::edge::{Edge, Repr, max_abs_at, raw_at, with_fractional};
use crate::int::Packing;
use crate::kernel::Kernel;
use crate::taps::Taps;

/// Pooling. `exact` says whether an average is exact rather than float32.
pub(super) fn pool(pool: &Pool, input: &Edge, shape: &[usize], exact: bool, care: Care) -> Lowered {
    let taps = Taps::pooling(pool.window.as_ref(), shape);
    let int = match (care, pool.kind) {
        (Care::Careful, _) => None,
        (Care::Fast, PoolKind::Max) => int_max(&taps, input),
        (Care::Fast, PoolKind::Average) => int_average(&taps, input),
    };
    int.unwrap_or_else(|| {
        let exact = match pool.kind {
            PoolKind::Max => input.is_exact(),
            PoolKind::Average => exact,
        };
        let global = pool.window.is_none();
        let kernel = Kernel::RealPool { kind: pool.kind, global, taps, exact };
        Lowered::one(kernel, Edge::real(exact))
    })
}

fn int_max(taps: &Taps, input: &Edge) -> Option<Lowered> {
    let (fractional, ranges) = input.as_int()?;
    let at = |raw, r: &QInterval| raw_at(raw, r.fractional, fractional).map(i128::from);
    let ranges = (0..taps.rows())
        .map(|row| {
            let mut best: Option<(i128, i128)> = None;
            for e in taps.elements(row) {
                let (min, max) = (at(ranges[e].min, &ranges[e])?, at(ranges[e].max, &ranges[e])?);
                best = Some(best.map_or((min, max), |b| (b.0.max(min), b.1.max(max))));
            }
            let (min, max) = best?;
            QInterval::new(min, max, fractional).ok()
        })
        .collect::<Option<Vec<_>>>()?;
    let edge = Edge { repr: input.repr, ranges: Some(ranges.into()) };
    Some(Lowered::one(Kernel::PoolMax(taps.clone()), edge))
}

/// The average where every sum is exact in float32 and every count a power of two.
fn int_average(taps: &Taps, input: &Edge) -> Option<Lowered> {
    let (fractional, ranges) = input.as_int()?;
    let counts: Vec<usize> = (0..taps.rows()).map(|row| taps.elements(row).count()).collect();
    if !counts.iter().all(|n| n.is_power_of_two()) {
        return None;
    }
    let most = counts.iter().max()?.trailing_zeros();
    let fine = fractional + most.cast_signed();
    let limit = exact::FLOAT32_INTEGERS;
    let mut shifts = Vec::with_capacity(taps.rows());
    let mut out = Vec::with_capacity(taps.rows());
    for (row, n) in counts.iter().enumerate() {
        let (mut sum, mut magnitude) = (QInterval::new(0, 0, fractional).ok()?, 0_i64);
        for e in taps.elements(row) {
            sum = sum.add(&ranges[e])?;
            magnitude = magnitude.checked_add(max_abs_at(&ranges[e], fractional)?)?;
        }
        if magnitude > limit {
            return None;
        }
        let divided = n.trailing_zeros();
        sum.fractional += divided.cast_signed();
        shifts.push(most - divided);
        out.push(sum);
    }
    if !exact::in_safe_range(fine) {
        return None;
    }
    let edge = with_fractional(out, fine)?;
    let Repr::Int { storage, .. } = edge.repr else { return None };
    let out = Packing { fractional: fine, storage };
    Some(Lowered::one(Kernel::PoolSum { taps: taps.clone(), shifts, out }, edge))
}

/// The same elements at other places, and zeros.
pub(super) fn gather(index: Vec<u32>, input: &Edge) -> Lowered {
    let zero = QInterval { min: 0, max: 0, fractional: 0 };
    let ranges = input.ranges.as_deref().map(|ranges| {
        let each = |&e: &u32| if e == PADDING { zero } else { ranges[e as usize] };
        index.iter().map(each).collect()
    });
    let edge = Edge { repr: input.repr, ranges };
    Lowered::one(Kernel::Gather(Arc::from(index)), edge)
}

/// Zeros before and after each spatial axis of an event `[cell…, channel]`.
pub(super) fn padding(cells: &[(usize, usize)], shape: &[usize]) -> Vec<u32> {
    let mut out_shape = shape.to_vec();
    for (n, (before, after)) in out_shape.iter_mut().zip(cells) {
        *n += before + after;
    }
    let inside = |axis: usize, at: usize| match cells.get(axis) {
        Some((before, _)) => at.checked_sub(*before).filter(|&at| at < shape[axis]),
        None => Some(at),
    };
    places(&out_shape, |at| {
        let mut flat = 0;
        for (axis, &n) in shape.iter().enumerate() {
            flat = flat * n + inside(axis, at[axis])?;
        }
        Some(flat)
    })
}

/// Axis `i` of the result is axis `axes[i]` of an event.
pub(super) fn permutation(axes: &[usize], shape: &[usize]) -> Vec<u32> {
    let mut steps = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        steps[axis - 1] = steps[axis] * shape[axis];
    }
    let out_shape: Vec<usize> = axes.iter().map(|&a| shape[a]).collect();
    places(&out_shape, |at| Some(at.iter().zip(axes).map(|(i, &a)| i * steps[a]).sum()))
}

/// For each place of a shape in C order what it reads.
fn places(shape: &[usize], from: impl Fn(&[usize]) -> Option<usize>) -> Vec<u32> {
    let total: usize = shape.iter().product();
    let mut at = vec![0; shape.len()];
    let mut index = Vec::with_capacity(total);
    for _ in 0..total {
        index.push(from(&at).map_or(PADDING, |e| e as u32));
        for axis in (0..shape.len()).rev() {
            at[axis] += 1;
            if at[axis] < shape[axis] {
                break;
            }
            at[axis] = 0;
        }
    }
    index
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_change_places() {
        // [2, 3] to [3, 2].
        assert_eq!(permutation(&[1, 0], &[2, 3]), [0, 3, 1, 4, 2, 5]);
        assert_eq!(permutation(&[2, 0, 1], &[1, 2, 2]), [0, 2, 1, 3]);
    }

    #[test]
    fn zeros_around_cells() {
        assert_eq!(padding(&[(1, 0)], &[2, 2]), [PADDING, PADDING, 0, 1, 2, 3]);
        let one = padding(&[(0, 1), (1, 0)], &[1, 1, 1]);
        assert_eq!(one, [PADDING, 0, PADDING, PADDING]);
    }
}
