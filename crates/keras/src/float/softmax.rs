//! Softmax over a row whose values may be known up to bands only.

use super::activations::Banded;
use super::onednn;

/// Softmax over one row (the last axis), as TensorFlow runs it with oneDNN.
///
/// `values`, `lo` and `hi` are the row's values and their bands, of one length (the shortest counts).
/// Rows without bands are exact for up to 16 values; above that the sum depends on the vector length
/// of the CPU, and the band holds the results of AVX-512 (the value) and AVX2. Rows with bands get
/// bands that hold every result that the kernel can give for any row inside them.
///
/// A NaN or +∞ in the row is computed as on AVX-512 and makes other elements NaN or zero.
///
/// ```
/// use bittrue_keras::float::softmax::softmax_row;
/// let row = [1.0, 2.0, 3.0];
/// let result = softmax_row(&row, &row, &row);
/// assert!(result.iter().all(|element| element.is_exact()));
/// assert_eq!(result[2].value, 0.6652409);
/// ```
#[must_use]
pub fn softmax_row(values: &[f32], lo: &[f32], hi: &[f32]) -> Vec<Banded> {
    let len = values.len().min(lo.len()).min(hi.len());
    let (values, lo, hi) = (&values[..len], &lo[..len], &hi[..len]);
    let result = onednn::softmax::<16>(values);
    if lo.iter().zip(hi).any(|(lo, hi)| lo < hi) {
        return result
            .iter()
            .enumerate()
            .map(|(i, &value)| {
                let (least, most) = bounds(lo, hi, i);
                Banded { value, lo: least.min(value), hi: most.max(value) }
            })
            .collect();
    }
    if len <= 16 {
        return result.into_iter().map(Banded::exact).collect();
    }
    let other = onednn::softmax::<8>(values);
    result.into_iter().zip(other).map(|(value, other)| Banded::either(value, other)).collect()
}

/// What element `i` can be for any row between `lo` and `hi`: the true extremes, widened by what the
/// kernel can be off.
fn bounds(lo: &[f32], hi: &[f32], i: usize) -> (f32, f32) {
    /// Results below this may be flushed to zero.
    const FLUSHED: f64 = 1.0e-36;
    /// The kernel can pass one by a rounding.
    const HIGHEST: f32 = 1.0 + f32::EPSILON;
    if lo.iter().chain(hi).any(|x| !x.is_finite()) {
        return (0.0, HIGHEST);
    }
    let highest = hi.iter().copied().fold(f32::MIN, f32::max);
    let distance = (f64::from(highest) - f64::from(lo[i])).min(88.0);
    // In units of 2^-24: each exponential is off by less than three and by its distance from the
    // maximum (the subtraction is rounded), which weighs at most 0.37 in the sum; the sum of n values by
    // at most n; the reciprocal and the product by one each.
    let error = (16.0 + 1.5 * lo.len() as f64 + distance) / 16_777_216.0;
    let least = probability(lo[i], hi, i) * (1.0 - error) - FLUSHED;
    let most = probability(hi[i], lo, i) * (1.0 + error) + FLUSHED;
    (outwards(least).next_down().max(0.0), outwards(most).next_up().min(HIGHEST))
}

/// The softmax of `x` at place `i` among `others`, whose own value at `i` does not count.
fn probability(x: f32, others: &[f32], i: usize) -> f64 {
    let x = f64::from(x);
    let rest: f64 = others
        .iter()
        .enumerate()
        .filter(|&(j, _)| j != i)
        .map(|(_, &other)| (f64::from(other) - x).exp())
        .sum();
    1.0 / (1.0 + rest)
}

#[expect(clippy::cast_possible_truncation, reason = "the caller steps one float32 further out")]
fn outwards(x: f64) -> f32 {
    x as f32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_vector_length_matters_from_17_values_on() {
        let row = |len: i32| (0..len).map(|i| (i * i) as f32 * 0.0137 % 5.0).collect::<Vec<_>>();
        let short = row(16);
        assert!(softmax_row(&short, &short, &short).iter().all(Banded::is_exact));
        let long = row(100);
        let result = softmax_row(&long, &long, &long);
        assert!(result.iter().any(|element| !element.is_exact()));
        assert!(result.iter().all(|e| e.hi - e.lo <= 4.0 * f32::EPSILON * e.value));
    }

    #[test]
    fn not_finite_rows() {
        let nan = [1.0, f32::NAN, 2.0];
        assert!(softmax_row(&nan, &nan, &nan)[1].value.is_nan());
        let down = [f32::NEG_INFINITY, 0.0];
        let result = softmax_row(&down, &down, &down);
        assert_eq!([result[0].value, result[1].value], [0.0, 1.0]);
        let unknown = softmax_row(&[0.0, 1.0], &[f32::NEG_INFINITY, 1.0], &[f32::INFINITY, 1.0]);
        assert!(unknown.iter().all(|element| element.lo == 0.0 && element.hi >= 1.0));
    }

    proptest! {
        #[test]
        fn bands_hold_every_row_inside(
            row in proptest::collection::vec((-60.0_f32..60.0, 0.0_f32..1.0, 0.0_f32..1.0), 1..24),
            scale in prop_oneof![Just(1.0_f32), Just(1.0e-5), Just(0.05)],
        ) {
            let lo: Vec<f32> = row.iter().map(|&(x, _, _)| x * scale.sqrt()).collect();
            let hi: Vec<f32> = lo.iter().zip(&row).map(|(x, &(_, width, _))| x + width * scale).collect();
            let inside: Vec<f32> =
                lo.iter().zip(&hi).zip(&row).map(|((lo, hi), &(_, _, share))| (lo + share * (hi - lo)).clamp(*lo, *hi)).collect();
            let bands = softmax_row(&lo, &lo, &hi);
            for real in [onednn::softmax::<16>(&inside), onednn::softmax::<8>(&inside)] {
                for (band, real) in bands.iter().zip(real) {
                    prop_assert!(band.lo <= real && real <= band.hi, "{real:e} {band:?}");
                }
            }
        }
    }
}
