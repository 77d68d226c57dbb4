//! The `FixedPointQuantizer` of HGQ 0.2.6, in float32 as its XLA kernel computes it.
//!
//! The quantizer means exact `ap_fixed` arithmetic, but computes `x·2^f`, the rounding, the overflow
//! and the division in float32. The two differ for scaled values from 2^23 on, for `RND` just below a
//! tie, for bounds of more than 24 bits and for NaN and infinities; this module follows the float32.

use bittrue_fixed::{Overflow, Rounding};

use super::error::ArgumentError;
use super::ftz::{add, ftz, mul, sub};
use super::round::{power_of_two, round_half_even};

const NAME: &str = "FixedPointQuantizer";

/// One element of an HGQ `FixedPointQuantizer` with its constants computed once.
///
/// ```
/// use bittrue_fixed::{Overflow, Rounding};
/// use bittrue_keras::float::HgqQuantizer;
/// let q = HgqQuantizer::new(true, 8, 4, Rounding::RndConv, Overflow::Wrap)?;
/// assert_eq!(q.apply(8.0), -8.0);
/// # Ok::<(), bittrue_keras::float::ArgumentError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HgqQuantizer {
    /// `2^f`.
    scale: f32,
    /// `2^-f`.
    lsb: f32,
    low: f32,
    high: f32,
    rounding: Rounding,
    overflow: Overflow,
    /// Zero bits give zero for everything finite.
    empty: bool,
}

impl HgqQuantizer {
    /// A quantizer to `bits` bits of which `integers` stand left of the binary point, *the sign bit
    /// included* (`I` of `ap_fixed`); `integers` may be negative or larger than `bits`.
    ///
    /// # Errors
    ///
    /// When `2^(bits - integers)` or its inverse is not a normal float32, or `bits` is above 127 (HGQ
    /// keeps them in int8).
    pub fn new(
        keep_negative: bool,
        bits: u32,
        integers: i32,
        rounding: Rounding,
        overflow: Overflow,
    ) -> Result<Self, ArgumentError> {
        let signed_bits = match i32::try_from(bits) {
            Ok(signed_bits) if signed_bits <= 127 => signed_bits,
            _ => {
                return Err(ArgumentError::new(
                    NAME,
                    "bits",
                    bits,
                    "HGQ keeps the width in int8, at most 127",
                ));
            }
        };
        // HGQ sets both to zero in a quantizer without bits.
        let (keep_negative, integers) =
            if bits == 0 { (false, 0) } else { (keep_negative, integers) };
        let fractional = match signed_bits.checked_sub(integers) {
            Some(fractional) if (-126..=126).contains(&fractional) => fractional,
            _ => {
                return Err(ArgumentError::new(
                    NAME,
                    "integers",
                    integers,
                    "2^(bits - integers) has to be a normal float32",
                ));
            }
        };
        let high = power_of_two(signed_bits - i32::from(keep_negative)) - 1.0;
        let low = match overflow {
            Overflow::SatSym => -high,
            _ => -(high + 1.0),
        };
        Ok(Self {
            scale: power_of_two(fractional),
            lsb: power_of_two(-fractional),
            // HGQ multiplies the bound by keep_negative, so an unsigned one is a negative zero.
            low: if keep_negative { low } else { -0.0 },
            high,
            rounding,
            overflow,
            empty: bits == 0,
        })
    }

    /// The quantized value of `x` with HGQ's float32 operations. NaN stays NaN; infinities (and finite
    /// values whose `x·2^f` overflows) saturate where the mode saturates and become NaN under WRAP.
    #[inline]
    #[must_use]
    pub fn apply(&self, x: f32) -> f32 {
        let scaled = mul(x, self.scale);
        let code = self.wrap(self.round(scaled));
        let value = mul(code, self.lsb);
        if self.empty { mul(value, 0.0) } else { value }
    }

    #[inline]
    fn round(&self, x: f32) -> f32 {
        match self.rounding {
            Rounding::Trn => x.floor(),
            Rounding::Rnd => add(x, 0.5).floor(),
            Rounding::RndConv => round_half_even(x),
            Rounding::TrnZero => x.abs().floor() * sign(x),
            Rounding::RndZero => -add(-x.abs(), 0.5).floor() * sign(x),
            Rounding::RndMinInf => -add(-x, 0.5).floor(),
            Rounding::RndInf => add(x.abs(), 0.5).floor() * sign(x),
        }
    }

    #[inline]
    fn wrap(&self, code: f32) -> f32 {
        let (low, high) = (self.low, self.high);
        match self.overflow {
            Overflow::Sat | Overflow::SatSym => super::round::clip(code, low, high),
            // HGQ multiplies by a mask, which XLA turns into a selection: NaN becomes zero as well.
            Overflow::SatZero => {
                if code <= high && code >= low {
                    code
                } else {
                    0.0
                }
            }
            Overflow::Wrap => floor_mod(sub(code, low), high - low + 1.0) + low,
            Overflow::WrapSm => {
                let interval = (high - low + 1.0) * 2.0;
                let mapped = floor_mod(code - high - 1.0, interval);
                (mapped - interval / 2.0 + 0.5).abs() - 0.5 + low
            }
        }
    }
}

/// The sign with the zeros and NaN passing, as XLA has it.
#[inline]
fn sign(x: f32) -> f32 {
    let x = ftz(x);
    if x == 0.0 || x.is_nan() { x } else { 1.0_f32.copysign(x) }
}

/// `tf.math.floormod`: the remainder with the sign of the divisor (here positive). The remainder itself
/// is exact, the correction one rounded addition. NaN for NaN and infinities.
#[inline]
fn floor_mod(x: f32, y: f32) -> f32 {
    let remainder = x % y;
    if remainder < 0.0 { remainder + y } else { remainder }
}

#[cfg(test)]
mod tests {
    use bittrue_fixed::{Dialect, FixedType};
    use proptest::prelude::*;

    use super::*;

    fn quantizer(
        keep_negative: bool,
        bits: u32,
        integers: i32,
        rounding: Rounding,
        overflow: Overflow,
    ) -> HgqQuantizer {
        HgqQuantizer::new(keep_negative, bits, integers, rounding, overflow).unwrap()
    }

    #[test]
    fn the_float32_formula_leaves_exact_arithmetic_in_known_places() {
        // Half an ulp below a tie the sum rounds up.
        let rnd = quantizer(true, 8, 8, Rounding::Rnd, Overflow::Sat);
        assert_eq!(rnd.apply(0.5_f32.next_down()), 1.0);
        // A bound of more than 24 bits is rounded.
        let wide = quantizer(true, 26, 26, Rounding::RndConv, Overflow::Sat);
        assert_eq!(wide.apply(1.0e9), 33_554_432.0);
        // A tiny negative number wraps to the end that the type does not have.
        let wrap = quantizer(false, 26, 2, Rounding::Trn, Overflow::Wrap);
        assert_eq!(wrap.apply(-1.0e-9), 4.0);
    }

    #[test]
    fn not_finite_inputs() {
        let sat = quantizer(true, 8, 4, Rounding::RndConv, Overflow::Sat);
        let wrap = quantizer(true, 8, 4, Rounding::RndConv, Overflow::Wrap);
        assert!(sat.apply(f32::NAN).is_nan() && wrap.apply(f32::NAN).is_nan());
        assert_eq!(sat.apply(f32::INFINITY), 7.9375);
        assert_eq!(sat.apply(-f32::MAX), -8.0);
        assert!(wrap.apply(f32::INFINITY).is_nan() && wrap.apply(f32::MAX).is_nan());
    }

    #[test]
    fn no_bits_give_zero() {
        for overflow in [Overflow::Wrap, Overflow::Sat, Overflow::SatZero, Overflow::SatSym] {
            assert_eq!(quantizer(true, 0, 3, Rounding::RndConv, overflow).apply(2.5), 0.0);
        }
    }

    #[test]
    fn refused_arguments_name_themselves() {
        for (bits, integers, attribute) in [
            (128, 4, "bits"),
            (8, 200, "integers"),
            (100, -40, "integers"),
            (8, i32::MIN, "integers"),
        ] {
            let error =
                HgqQuantizer::new(true, bits, integers, Rounding::Trn, Overflow::Wrap).unwrap_err();
            assert_eq!((error.function(), error.attribute()), ("FixedPointQuantizer", attribute));
        }
    }

    fn rounding() -> impl Strategy<Value = Rounding> {
        proptest::sample::select(Rounding::ALL.to_vec())
    }

    fn overflow() -> impl Strategy<Value = Overflow> {
        proptest::sample::select(Overflow::ALL.to_vec())
    }

    proptest! {
        #[test]
        fn small_values_agree_with_exact_arithmetic(
            keep_negative in any::<bool>(), bits in 1_u32..=12, integers in -4_i32..12,
            rounding in rounding(), overflow in overflow(), code in -40_000_i32..40_000,
        ) {
            // Source values on a grid that is up to three bits finer than the target's.
            let x = code as f32 * 2.0_f32.powi(integers - bits.cast_signed() - 3);
            let exact = FixedType::new(keep_negative, bits, integers, rounding, overflow).unwrap();
            let raw = exact.convert_f32(x, Dialect::Hgq).unwrap();
            let found = quantizer(keep_negative, bits, integers, rounding, overflow).apply(x);
            prop_assert_eq!(f64::from(found), exact.value(raw));
        }
    }
}
