//! Sums of products: matrix products and convolutions.

use std::ops::{AddAssign, Mul};

use bittrue_block::LaneInt;

use crate::Simd;

/// The index of a cell that lies outside the tensor: it reads as zero.
pub const PADDING: u32 = u32::MAX;

/// Sizes of a [`linear`] call, and what it reads.
#[derive(Debug, Clone, Copy)]
pub struct LinearShape<'a> {
    /// For each row of results the elements of the argument that it reads, [`PADDING`] for zero.
    pub index: &'a [u32],
    /// Elements that a row reads.
    pub terms: usize,
    /// Groups: row `r` uses the weights of group `r % groups`.
    pub groups: usize,
    /// Results of a row.
    pub units: usize,
    /// Events.
    pub lanes: usize,
}

/// `out[row, u, lane] = bias[g, u] + Σ_k x[index[row, k], lane] * weights[g, u, k]`, in raws, with
/// `g = row % groups`.
///
/// `x` is `[element, lane]`, `weights` is `[group, unit, term]` (transposed against Keras, so that
/// the weights of one unit are read in a row), the result `[row, unit, lane]`.
///
/// The caller proves that every partial sum fits into `A`.
pub fn linear<X, A>(shape: LinearShape<'_>, x: &[X], weights: &[A], bias: &[A]) -> Vec<A>
where
    X: LaneInt,
    A: LaneInt + AddAssign + Mul<Output = A> + From<X>,
{
    let LinearShape { index, terms, groups, units, lanes } = shape;
    let rows = index.len().checked_div(terms).unwrap_or(0);
    let mut out = Vec::with_capacity(rows * units * lanes);
    let simd = Simd::chosen();
    if lanes < FEW {
        few(shape, x, weights, bias, &mut out);
        return out;
    }
    let mut acc = vec![A::default(); lanes];
    for row in 0..rows {
        let elements = &index[row * terms..(row + 1) * terms];
        let group = row % groups;
        for u in group * units..(group + 1) * units {
            let weights = &weights[u * terms..(u + 1) * terms];
            simd.vectorize(
                #[inline(always)]
                || {
                    acc.fill(bias[u]);
                    for (&e, &w) in elements.iter().zip(weights) {
                        // Quantised kernels are often sparse, and a pruned weight costs nothing.
                        if w == A::default() || e == PADDING {
                            continue;
                        }
                        let from = e as usize * lanes;
                        for (a, &v) in acc.iter_mut().zip(&x[from..from + lanes]) {
                            *a += A::from(v) * w;
                        }
                    }
                    out.extend_from_slice(&acc);
                },
            );
        }
    }
    out
}

/// With fewer lanes than this a loop over terms is the longer one.
const FEW: usize = 8;

/// The same, terms innermost.
fn few<X, A>(shape: LinearShape<'_>, x: &[X], weights: &[A], bias: &[A], out: &mut Vec<A>)
where
    X: LaneInt,
    A: LaneInt + AddAssign + Mul<Output = A> + From<X>,
{
    let LinearShape { index, terms, groups, units, lanes } = shape;
    let mut row_of_lane = vec![A::default(); terms * lanes];
    for (row, elements) in index.chunks_exact(terms.max(1)).enumerate() {
        for (lane, values) in row_of_lane.chunks_exact_mut(terms.max(1)).enumerate() {
            for (value, &e) in values.iter_mut().zip(elements) {
                *value = match e {
                    PADDING => A::default(),
                    e => A::from(x[e as usize * lanes + lane]),
                };
            }
        }
        let group = row % groups;
        for u in group * units..(group + 1) * units {
            let weights = &weights[u * terms..(u + 1) * terms];
            for values in row_of_lane.chunks_exact(terms.max(1)) {
                let sum = Simd::chosen().vectorize(
                    #[inline(always)]
                    || {
                        let mut sum = A::default();
                        for (&v, &w) in values.iter().zip(weights) {
                            sum += v * w;
                        }
                        sum
                    },
                );
                let mut all = bias[u];
                all += sum;
                out.push(all);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition, in i128.
    fn definition(shape: LinearShape<'_>, x: &[i16], w: &[i32], b: &[i32]) -> Vec<i128> {
        let mut out = Vec::new();
        for (row, elements) in shape.index.chunks(shape.terms).enumerate() {
            for u in 0..shape.units {
                let u = row % shape.groups * shape.units + u;
                for lane in 0..shape.lanes {
                    let sum: i128 = (0..shape.terms)
                        .filter(|&k| elements[k] != PADDING)
                        .map(|k| {
                            i128::from(x[elements[k] as usize * shape.lanes + lane])
                                * i128::from(w[u * shape.terms + k])
                        })
                        .sum();
                    out.push(sum + i128::from(b[u]));
                }
            }
        }
        out
    }

    proptest! {
        #[test]
        fn equals_definition(
            rows in 1_usize..5,
            groups in 1_usize..4,
            terms in 1_usize..9,
            units in 1_usize..5,
            lanes in 1_usize..20,
            elements in 1_usize..12,
            seed in any::<u64>(),
        ) {
            let mut state = seed | 1;
            let mut next = |bits: u32| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                ((state >> 33) as i64 % (1 << bits)) - (1 << (bits - 1))
            };
            let index: Vec<u32> = (0..rows * terms)
                .map(|_| match next(8).unsigned_abs() as usize % (elements + 1) {
                    outside if outside == elements => PADDING,
                    element => element as u32,
                })
                .collect();
            let shape = LinearShape { index: &index, terms, groups, units, lanes };
            let x: Vec<i16> = (0..elements * lanes).map(|_| next(14) as i16).collect();
            let w: Vec<i32> = (0..groups * units * terms).map(|_| next(10) as i32).collect();
            let b: Vec<i32> = (0..groups * units).map(|_| next(16) as i32).collect();
            let expected = definition(shape, &x, &w, &b);
            let wide = |v: Vec<i64>| -> Vec<i128> { v.into_iter().map(i128::from).collect() };
            let narrow = linear::<i16, i32>(shape, &x, &w, &b).iter().map(|&v| v.into()).collect();
            prop_assert_eq!(&wide(narrow), &expected);
            let wide_x: Vec<i32> = x.iter().map(|&v| v.into()).collect();
            let wide_w: Vec<i64> = w.iter().map(|&v| v.into()).collect();
            let wide_b: Vec<i64> = b.iter().map(|&v| v.into()).collect();
            prop_assert_eq!(&wide(linear::<i32, i64>(shape, &wide_x, &wide_w, &wide_b)), &expected);
        }
    }
}
