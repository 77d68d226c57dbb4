//! The transcendental kernels of the Eigen that TensorFlow 2.15.1 is built with, operation by operation.
//!
//! The wheel is compiled for AVX without FMA, on every machine: packets of eight values, one rounding
//! per operation. The *body* of a tensor goes through the packet kernels below; the last `n mod 8`
//! elements, the *tail*, call the C library ([`libm`](super::libm)), except for `tanh`, which is one
//! kernel for both.
//!
//! Where no intermediate value can be denormal, plain operators are used instead of the flushing ones.

use super::ftz::{add, div, ftz, mul};
use super::round::power_of_two;

/// `tanh`: the odd rational approximation (13, 6), clamped where it reaches one.
#[inline]
pub(super) fn tanh(x: f32) -> f32 {
    /// The first value at which the approximation is one.
    const CLAMP: f32 = 7.905_311;
    let x = ftz(x);
    if x.abs() < 0.0004 || x.is_nan() {
        return x;
    }
    let x = x.clamp(-CLAMP, CLAMP);
    let x2 = x * x;
    let p = x2 * -2.760_768_4e-16 + 2.000_188e-13;
    let p = x2 * p + -8.604_672e-11;
    let p = x2 * p + 5.122_297_3e-8;
    let p = x2 * p + 1.485_722_35e-5;
    let p = x2 * p + 6.372_619_5e-4;
    let p = x2 * p + 4.893_524_6e-3;
    let q = x2 * 1.198_258_4e-6 + 1.185_347_1e-4;
    let q = x2 * q + 2.268_434_7e-3;
    let q = x2 * q + 4.893_525e-3;
    x * p / q
}

/// `exp` of the packet body.
#[inline]
pub(super) fn exp(x: f32) -> f32 {
    let input = ftz(x);
    if input.is_nan() {
        return input;
    }
    if input < -104.0 {
        return 0.0;
    }
    let x = input.min(88.723);
    let m = (x * std::f32::consts::LOG2_E + 0.5).floor();
    // m·ln 2 is subtracted in two parts.
    let r = m * -0.693_359_4 + x;
    let r = m * 2.121_944_4e-4 + r;
    let r2 = r * r;
    let even = r2 * 1.374_496_4e-3 + 4.166_965_2e-2;
    let odd = r2 * 8.368_945e-3 + 0.166_665_18;
    let even = r2 * even + 0.499_999_88;
    let y = r * odd + even;
    let y = r2 * y + (r + 1.0);
    // Four factors, as 2^m itself may not be a float32; only the last product can underflow.
    #[expect(clippy::cast_possible_truncation, reason = "an integer between -150 and 128")]
    let m = m as i32;
    let quarter = power_of_two(m >> 2);
    let scaled = mul(y * quarter * quarter * quarter, power_of_two(m - 3 * (m >> 2)));
    scaled.max(input)
}

/// `e / (1 + e)` with `e = exp(x)` computed by the caller; one when `e` is infinite.
#[inline]
pub(super) fn logistic(e: f32) -> f32 {
    if e == f32::INFINITY { 1.0 } else { div(e, add(1.0, e)) }
}

/// `log` of the packet body, for positive normal numbers: the rational approximation (3, 3) around
/// one, on `[sqrt(1/2), sqrt(2))`.
#[inline]
pub(super) fn log(x: f32) -> f32 {
    let x = ftz(x);
    if x.is_nan() || x < 0.0 {
        return f32::NAN;
    }
    if x == 0.0 {
        return f32::NEG_INFINITY;
    }
    if x == f32::INFINITY {
        return x;
    }
    let bits = x.to_bits();
    let mut e = f32::from((bits >> 23) as u8) - 126.0;
    let mut y = f32::from_bits((bits & 0x7f_ffff) | 0x3f00_0000);
    if y < std::f32::consts::FRAC_1_SQRT_2 {
        e -= 1.0;
        y = (y - 1.0) + y;
    } else {
        y -= 1.0;
    }
    let p = y * 0.182_562_96 + 1.0;
    let p = y * p + 1.0;
    let p = y * p;
    let q = y * 0.049_616_247 + 0.599_232_5;
    let q = y * q + 1.5;
    let q = y * q + 1.0;
    e * std::f32::consts::LN_2 + p / q
}
