//! The softmax kernel of oneDNN 3.2, which TensorFlow 2.15.1 runs with its default settings, and its
//! exponential, which the activations inside its matrix products use, too.
//!
//! One row is handled in vectors of 16 values (AVX-512) or 8 (AVX2): the maximum is taken, `exp(x - max)`
//! is computed with FMA, the vectors are added one after the other and then halved until one sum is
//! left, and the exponentials are multiplied by its reciprocal. Up to 16 values the two vector lengths
//! add in the same order.

use super::ftz::{add, div, fma, ftz, mul};
use super::round::power_of_two;

/// Softmax of one row with vectors of `LANES` values.
pub(super) fn softmax<const LANES: usize>(row: &[f32]) -> Vec<f32> {
    let row: Vec<f32> = row.iter().map(|&x| ftz(x)).collect();
    let mut highest = [f32::MIN; LANES];
    for chunk in row.chunks(LANES) {
        for (lane, &x) in highest.iter_mut().zip(chunk) {
            *lane = max(*lane, x);
        }
    }
    halve(&mut highest, max);

    let mut sum = [0.0; LANES];
    let mut exponentials = Vec::with_capacity(row.len());
    for chunk in row.chunks(LANES) {
        for ((&x, lane), &highest) in chunk.iter().zip(&mut sum).zip(&highest) {
            let e = exp(add(x, -highest));
            *lane = add(*lane, e);
            exponentials.push(e);
        }
    }
    halve(&mut sum, add);
    let inverse = sum.map(|sum| div(1.0, sum));
    exponentials.iter().zip(inverse.iter().cycle()).map(|(&e, &inverse)| mul(e, inverse)).collect()
}

/// Folds the upper half of the lanes onto the lower one and back until all lanes hold the result. With
/// NaN the lanes may end up different, as they do in the real kernel.
fn halve<const LANES: usize>(lanes: &mut [f32; LANES], fold: impl Fn(f32, f32) -> f32) {
    let mut distance = LANES / 2;
    while distance > 0 {
        let before = *lanes;
        for (i, lane) in lanes.iter_mut().enumerate() {
            *lane = fold(before[i], before[i ^ distance]);
        }
        distance /= 2;
    }
}

/// The `maxps` instruction: the second operand unless the first is greater, so also with NaN.
fn max(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

/// `exp` by a polynomial of degree five. NaN takes the upper bound, as `minps` gives it.
pub(super) fn exp(x: f32) -> f32 {
    /// log(2^128) and log(2^-126).
    const HIGHEST: f32 = 88.722_84;
    const LOWEST: f32 = -87.336_55;
    if x < LOWEST {
        return 0.0;
    }
    let x = if x < HIGHEST { x } else { HIGHEST };
    let n = (x * std::f32::consts::LOG2_E + 0.5).floor();
    let r = fma(-n, std::f32::consts::LN_2, x);
    let p = fma(0.008_289_291, r, 0.041_897_822);
    let p = fma(p, r, 0.166_676_52);
    let p = fma(p, r, 0.499_991_5);
    let p = fma(p, r, 0.999_999_7);
    let p = fma(p, r, 1.0);
    // 2^128 is no float32, so the kernel multiplies by 2^(n-1) and by two. It builds 2^(n-1) in the
    // exponent field, which makes it zero for n = -126.
    #[expect(clippy::cast_possible_truncation, reason = "an integer between -126 and 128")]
    let exponent = n as i32 - 1;
    let half = if exponent < -126 { 0.0 } else { power_of_two(exponent) };
    mul(mul(p, half), 2.0)
}
