//! Matrix product with bias.

use std::ops::{AddAssign, Mul};

use bittrue_block::LaneInt;

/// Sizes of a [`dense`] call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DenseShape {
    /// Rows of one event that go through the same weights (1 for a rank-1 event).
    pub positions: usize,
    /// Length of each row.
    pub inputs: usize,
    /// Units.
    pub units: usize,
    /// Events.
    pub lanes: usize,
}

/// `out[p, u, lane] = bias[u] + Σ_k x[p, k, lane] * weights[u, k]`, in raws.
///
/// `x` is `[positions, inputs, lanes]`, `weights` is `[units, inputs]` (transposed against Keras,
/// so that the weights of one unit are read in a row), the result `[positions, units, lanes]`.
///
/// The caller proves that every partial sum fits into `A`.
pub fn dense<X, A>(shape: DenseShape, x: &[X], weights: &[A], bias: &[A]) -> Vec<A>
where
    X: LaneInt,
    A: LaneInt + AddAssign + Mul<Output = A> + From<X>,
{
    let DenseShape { positions, inputs, units, lanes } = shape;
    let mut out = Vec::with_capacity(positions * units * lanes);
    let mut acc = vec![A::default(); lanes];
    for p in 0..positions {
        let rows = &x[p * inputs * lanes..(p + 1) * inputs * lanes];
        for u in 0..units {
            acc.fill(bias[u]);
            for (k, &w) in weights[u * inputs..(u + 1) * inputs].iter().enumerate() {
                // Quantised kernels are often sparse, and a pruned weight costs nothing.
                if w == A::default() {
                    continue;
                }
                for (a, &v) in acc.iter_mut().zip(&rows[k * lanes..(k + 1) * lanes]) {
                    *a += A::from(v) * w;
                }
            }
            out.extend_from_slice(&acc);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition, in i128.
    fn definition(shape: DenseShape, x: &[i16], w: &[i32], b: &[i32]) -> Vec<i128> {
        let mut out = Vec::new();
        for p in 0..shape.positions {
            for u in 0..shape.units {
                for lane in 0..shape.lanes {
                    let sum: i128 = (0..shape.inputs)
                        .map(|k| {
                            i128::from(x[(p * shape.inputs + k) * shape.lanes + lane])
                                * i128::from(w[u * shape.inputs + k])
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
            positions in 1_usize..4,
            inputs in 0_usize..9,
            units in 1_usize..5,
            lanes in 1_usize..20,
            seed in any::<u64>(),
        ) {
            let mut state = seed | 1;
            let mut next = |bits: u32| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                ((state >> 33) as i64 % (1 << bits)) - (1 << (bits - 1))
            };
            let shape = DenseShape { positions, inputs, units, lanes };
            let x: Vec<i16> = (0..positions * inputs * lanes).map(|_| next(14) as i16).collect();
            let w: Vec<i32> = (0..units * inputs).map(|_| next(10) as i32).collect();
            let b: Vec<i32> = (0..units).map(|_| next(16) as i32).collect();
            let expected = definition(shape, &x, &w, &b);
            let narrow: Vec<i128> = dense::<i16, i32>(shape, &x, &w, &b).iter().map(|&v| v.into()).collect();
            prop_assert_eq!(&narrow, &expected);
            let wide_x: Vec<i32> = x.iter().map(|&v| v.into()).collect();
            let wide_w: Vec<i64> = w.iter().map(|&v| v.into()).collect();
            let wide_b: Vec<i64> = b.iter().map(|&v| v.into()).collect();
            let wide: Vec<i128> =
                dense::<i32, i64>(shape, &wide_x, &wide_w, &wide_b).iter().map(|&v| v.into()).collect();
            prop_assert_eq!(&wide, &expected);
        }
    }
}
