//! Sums of products in an accumulator.

use bittrue_model::{FirmwareSum, OUTSIDE};

use crate::Tensor;
use crate::tensor::{convert, up_shift};

/// Each product is brought to the accumulator's grid, rounding down, and the sum wraps. Truncating
/// and wrapping commute with the order of the additions, so they are done once. Nothing else is lost
/// (M12), however wide the sum is.
///
/// An accumulator that was derived from the argument of one neuron may be too coarse for another
/// one (M19): then bits of each product are lost.
pub(crate) fn sum(s: &FirmwareSum, x: &Tensor) -> Tensor {
    let lanes = x.lanes;
    let fractional = s.accum.fractional();
    let up = fractional - (x.fractional + s.weights.fractional);
    let rows = s.rows.len().checked_div(s.terms).unwrap_or(0);
    let mut raw = Vec::with_capacity(rows * s.units * lanes);
    let mut acc = vec![0_i128; lanes];
    for row in 0..rows {
        let elements = &s.rows[row * s.terms..(row + 1) * s.terms];
        let group = row % s.groups;
        for u in group * s.units..(group + 1) * s.units {
            let bias = convert(&s.accum, s.bias.raw[u].into(), s.bias.fractional);
            acc.fill(bias);
            let weights = &s.weights.raw[u * s.terms..(u + 1) * s.terms];
            for (&e, &w) in elements.iter().zip(weights) {
                if e == OUTSIDE || w == 0 {
                    continue;
                }
                let w = i128::from(w);
                for (a, &v) in acc.iter_mut().zip(x.lanes_of(e as usize)) {
                    *a = a.wrapping_add(up_shift(v.wrapping_mul(w), up));
                }
            }
            raw.extend(acc.iter().map(|&a| convert(&s.accum, a, fractional)));
        }
    }
    Tensor { raw, fractional, lanes }
}

#[cfg(test)]
mod tests {
    use bittrue_model::Raws;

    use super::*;

    fn two_terms(accum: &str) -> FirmwareSum {
        FirmwareSum {
            rows: vec![0, 1].into(),
            terms: 2,
            groups: 1,
            units: 1,
            weights: Raws { raw: vec![3, -5], fractional: 2 },
            bias: Raws { raw: vec![1], fractional: 1 },
            accum: accum.parse().expect("a type"),
        }
    }

    #[test]
    fn exact_where_the_accumulator_holds_all() {
        let x = Tensor { raw: vec![7, -7, 9, 9], fractional: 3, lanes: 2 };
        // 7/8 · 3/4 − 9/8 · 5/4 + 1/2, and with −7/8.
        let y = sum(&two_terms("ap_fixed<12,4>"), &x);
        assert_eq!((y.raw, y.fractional), (vec![(21 - 45 + 16) * 8, (-21 - 45 + 16) * 8], 8));
    }

    /// M19: products are cut one by one, not their sum.
    #[test]
    fn a_coarse_accumulator_cuts_each_product() {
        let x = Tensor { raw: vec![7, 9], fractional: 3, lanes: 1 };
        // 21/32 → 5/8 and −45/32 → −12/8, where −24/32 would be −6/8.
        let y = sum(&two_terms("ap_fixed<7,4>"), &x);
        assert_eq!(y.raw, [5 - 12 + 4]);
    }

    #[test]
    fn the_accumulator_wraps() {
        let x = Tensor { raw: vec![31, -32], fractional: 0, lanes: 1 };
        let y = sum(&two_terms("ap_fixed<8,6>"), &x);
        // 93/4 + 40 + 1/2 = 63.75 of a type that reaches to 31.75.
        assert_eq!(y.raw, [255 - 256]);
    }
}
