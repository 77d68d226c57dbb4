//! Rounding and clipping as TensorFlow's kernels do them, shared by the quantizers.

use super::kernel::Mode;

/// `tf.round`: to the nearest integer, ties to even. NaN and infinities pass.
#[inline]
pub(super) fn round_half_even(x: f32) -> f32 {
    const TWO_23: f32 = 8_388_608.0;
    let magnitude = x.abs();
    if magnitude < TWO_23 {
        // At 2^23 the last bit of a float32 is one, so the addition itself rounds, ties to even.
        ((magnitude + TWO_23) - TWO_23).copysign(x)
    } else {
        x
    }
}

/// QKeras' `_round_through`, `p + (-p + round(p))`.
///
/// For finite `p` this is `round(p)`, except that a zero is always positive; for an infinite `p` it
/// is NaN (∞ - ∞).
#[inline]
pub(super) fn round_through(p: f32) -> f32 {
    p + (-p + round_half_even(p))
}

/// `tf.clip_by_value`: the upper bound first, then the lower one. NaN passes.
#[inline]
pub(super) fn clip(x: f32, low: f32, high: f32) -> f32 {
    let x = if x > high { high } else { x };
    if x < low { low } else { x }
}

/// QKeras' straight-through sum `x + f(q)·(-x + y)`, with `q` the quantization noise factor.
///
/// For most values it is `y`; where `x` is far larger than the last bit of `y` the sum loses bits, and
/// from 2^25·|y| on it is zero. The two additions are therefore carried out.
#[inline]
pub(super) fn straight_through(x: f32, y: f32, qnoise: f32) -> f32 {
    use super::ftz::{add, mul};

    let difference = add(-x, y);
    let step = if qnoise == 1.0 { difference } else { mul(qnoise, difference) };
    add(x, step)
}

/// Two factors, both powers of two, applied one after the other: as written in a direct call, and as
/// one product in `predict`, where Grappler folds them. That matters when the first one overflows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct TwoFactors(f32, f32);

impl TwoFactors {
    pub(super) fn new(first: i32, second: i32, mode: Mode) -> Self {
        match mode {
            Mode::Predict => Self(power_of_two(first + second), 1.0),
            Mode::Eager => Self(power_of_two(first), power_of_two(second)),
        }
    }

    #[inline]
    pub(super) fn apply(self, x: f32) -> f32 {
        x * self.0 * self.1
    }
}

/// `2^exponent` for an exponent in -126..=127, from the bits.
#[inline]
pub(super) fn power_of_two(exponent: i32) -> f32 {
    debug_assert!((-126..=127).contains(&exponent));
    f32::from_bits(((exponent + 127) as u32) << 23)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_agrees_with_the_standard_library() {
        for bits in (0..=u32::MAX).step_by(9_973) {
            let x = f32::from_bits(bits);
            let expected = x.round_ties_even();
            let found = round_half_even(x);
            assert!(
                found.to_bits() == expected.to_bits() || (found.is_nan() && expected.is_nan()),
                "{x:e}: {found:e}, expected {expected:e}"
            );
        }
        for x in [0.5_f32, 1.5, 2.5, -0.5, -2.5, 8_388_606.5, 8_388_607.5, -8_388_607.5] {
            assert_eq!(round_half_even(x), x.round_ties_even());
        }
    }

    #[test]
    fn round_through_never_gives_a_negative_zero() {
        for x in [-0.0_f32, -0.3, -0.5] {
            assert_eq!(round_through(x).to_bits(), 0);
        }
        assert!(round_through(f32::INFINITY).is_nan());
    }

    #[test]
    fn clip_lets_nan_pass() {
        assert!(clip(f32::NAN, -1.0, 1.0).is_nan());
        assert_eq!(clip(f32::INFINITY, -1.0, 1.0), 1.0);
        assert_eq!(clip(-3.0, -1.0, 1.0), -1.0);
    }

    #[test]
    fn powers_of_two() {
        for exponent in -126..=127 {
            assert_eq!(power_of_two(exponent), 2.0_f32.powi(exponent));
        }
    }
}
