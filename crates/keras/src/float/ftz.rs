//! float32 arithmetic as TensorFlow's CPU threads do it: denormals are zero (DAZ) on the way in and
//! flushed to zero (FTZ) on the way out, with the sign kept.
//!
//! Each function rounds once, to nearest even. The hardware flushes a result that is *tiny after
//! rounding with an unbounded exponent*; that is not the same as "denormal in Rust", because a value
//! just below 2^-126 may round up to 2^-126 on the coarser denormal grid. The slow paths below
//! decide that case by repeating the operation at a scale where nothing underflows.

/// The scale of the slow paths; a power of two, so it changes no significand.
const SCALE: f64 = 18_446_744_073_709_551_616.0; // 2^64

/// Flushes a denormal to zero of the same sign; every other value is returned as it is.
///
/// ```
/// use bittrue_keras::float::ftz;
/// assert_eq!(ftz(-1.0e-40).to_bits(), (-0.0_f32).to_bits());
/// assert_eq!(ftz(f32::MIN_POSITIVE), f32::MIN_POSITIVE);
/// ```
#[inline]
pub fn ftz(x: f32) -> f32 {
    if x.abs() < f32::MIN_POSITIVE { 0.0_f32.copysign(x) } else { x }
}

/// `x + y`.
#[inline]
pub fn add(x: f32, y: f32) -> f32 {
    // A sum of float32 values that lies below 2^-126 is exact, so flushing it afterwards is right.
    ftz(ftz(x) + ftz(y))
}

/// `x - y`.
#[inline]
pub fn sub(x: f32, y: f32) -> f32 {
    add(x, -y)
}

/// `x * y`.
#[inline]
pub fn mul(x: f32, y: f32) -> f32 {
    let (x, y) = (ftz(x), ftz(y));
    let product = x * y;
    if product.abs() <= f32::MIN_POSITIVE {
        // The product of two float32 values is exact in float64.
        return flush_tiny(f64::from(x) * f64::from(y), product);
    }
    product
}

/// `x / y`.
#[inline]
pub fn div(x: f32, y: f32) -> f32 {
    let (x, y) = (ftz(x), ftz(y));
    let quotient = x / y;
    if quotient.abs() <= f32::MIN_POSITIVE {
        // Rounding a quotient to 53 bits and then to 24 gives the same as rounding it to 24 at once.
        return flush_tiny(f64::from(x) / f64::from(y), quotient);
    }
    quotient
}

/// `x * y + z` with one rounding.
#[inline]
pub fn fma(x: f32, y: f32, z: f32) -> f32 {
    let (x, y, z) = (ftz(x), ftz(y), ftz(z));
    let result = x.mul_add(y, z);
    if result.abs() <= f32::MIN_POSITIVE {
        return fma_tiny(x, y, z, result);
    }
    result
}

/// `plain` is the result on the denormal grid, `wide` the same result with room to spare.
#[cold]
fn flush_tiny(wide: f64, plain: f32) -> f32 {
    #[expect(clippy::cast_possible_truncation, reason = "the one rounding of the operation")]
    let rounded = (wide * SCALE) as f32;
    if f64::from(rounded.abs()) < f64::from(f32::MIN_POSITIVE) * SCALE {
        0.0_f32.copysign(plain)
    } else {
        plain
    }
}

#[cold]
fn fma_tiny(x: f32, y: f32, z: f32, plain: f32) -> f32 {
    const UP: f32 = 4_294_967_296.0; // 2^32
    // The result is at most 2^-126 and a multiple of the last bit of x·y, which is at least 2^-46
    // times x·y: so z stays below 2^-78 and nothing can overflow here. The larger factor is scaled.
    let (big, small) = if x.abs() >= y.abs() { (x, y) } else { (y, x) };
    let rounded = (small * UP).mul_add(big, z * UP);
    if rounded.abs() < f32::MIN_POSITIVE * UP { 0.0_f32.copysign(plain) } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TINY: f32 = f32::MIN_POSITIVE;

    #[test]
    fn denormal_inputs_count_as_zero() {
        let denormal = TINY / 2.0;
        assert_eq!(add(denormal, denormal).to_bits(), 0);
        assert_eq!(mul(denormal, 2.0).to_bits(), 0);
        assert_eq!(div(denormal, TINY).to_bits(), 0);
        assert_eq!(fma(denormal, 4.0, -denormal).to_bits(), 0);
        assert_eq!(sub(TINY, denormal), TINY);
    }

    #[test]
    fn tiny_results_are_flushed_with_their_sign() {
        assert_eq!(add(1.5 * TINY, -TINY).to_bits(), 0);
        assert_eq!(sub(TINY, 1.5 * TINY).to_bits(), 1 << 31);
        assert_eq!(mul(-TINY, 0.5).to_bits(), 1 << 31);
        assert_eq!(div(TINY, -2.0).to_bits(), 1 << 31);
    }

    #[test]
    fn what_rounds_up_to_the_smallest_normal_number_is_flushed_if_it_was_tiny() {
        // 1 - 2^-24 and 1 + 2^-23: the product is 1 + 2^-24 - 2^-47, which rounds to one.
        let (below, above) = (1.0_f32.next_down(), 1.0_f32.next_up());
        assert_eq!(mul(below * 2.0_f32.powi(-63), above * 2.0_f32.powi(-63)), TINY);
        // (1 - 2^-24)·2^-126 is a number with 24 bits below 2^-126; on the denormal grid it would
        // round up to it.
        assert_eq!(below * TINY, TINY);
        assert_eq!(mul(below, TINY).to_bits(), 0);
        assert_eq!(div(TINY, above).to_bits(), 0);
        assert_eq!(fma(below, TINY, 0.0).to_bits(), 0);
        assert_eq!(fma(-below, TINY, 0.0).to_bits(), 1 << 31);
    }

    #[test]
    fn a_product_that_cancels_is_decided_without_a_second_rounding() {
        // x·y is larger than z by one unit in 2^-46 of it, far below 2^-126.
        let x = 1.0_f32.next_up() * 2.0_f32.powi(-52);
        let z = -(x * x);
        let exact = f64::from(x) * f64::from(x) + f64::from(z);
        assert!(exact != 0.0 && exact.abs() < f64::from(TINY));
        assert_eq!(fma(x, x, z), 0.0);
        // The same further up is kept.
        let x = 1.0_f32.next_up() * 2.0_f32.powi(-30);
        assert_eq!(f64::from(fma(x, x, -(x * x))), f64::from(x) * f64::from(x) - f64::from(x * x));
    }

    #[test]
    fn not_a_number_and_infinities_pass() {
        assert!(add(f32::NAN, 1.0).is_nan() && mul(f32::INFINITY, 1.0e-40).is_nan());
        assert_eq!(div(1.0, 1.0e-40), f32::INFINITY);
        assert_eq!(mul(1.0e30, -1.0e30), f32::NEG_INFINITY);
    }
}
