//! The one lossy operation: a value onto a type's grid, and into its width.
//!
//! Everything here works on a *checked* type (width 1 to 126), so that a raw and its neighbours fit `i128`
//! and the width of a `WRAP_SM` period fits `u128`.

use std::cmp::Ordering;

use crate::{Dialect, FixedType, Overflow, Rounding, TypeError};

/// A value in units of the target's LSB, after rounding.
///
/// A left shift may carry the value out of `i128`. Nothing is lost by that: such a value is outside every
/// type, and overflow modes need only its sign and its low bits.
#[derive(Debug, Clone, Copy)]
struct Rounded {
    /// The rounded value; `None` when it does not fit `i128`.
    exact: Option<i128>,
    /// The low 128 bits of the rounded value in two's complement.
    bits: u128,
    /// The low 128 bits of the value rounded towards minus infinity.
    floor_bits: u128,
    /// Whether the rounded value is below zero.
    negative: bool,
}

/// Converts `raw · 2^-fractional` to the raw of `target`.
///
/// The caller has checked that the target's width is 1 to [`FixedType::MAX_WIDTH`].
pub(crate) fn convert_raw(
    raw: i128,
    fractional: i32,
    target: &FixedType,
    dialect: Dialect,
) -> Result<i128, TypeError> {
    let shift = i64::from(fractional) - i64::from(target.fractional());
    reduce(round(raw, shift, target.rounding), target, dialect)
}

/// Rounds `raw · 2^-shift` to an integer.
fn round(raw: i128, shift: i64, mode: Rounding) -> Rounded {
    if shift <= 0 {
        return shift_left(raw, shift.unsigned_abs());
    }
    let (floor, inexact, to_half) = split(raw, shift);
    let negative = raw < 0;
    let up = match mode {
        Rounding::Trn => false,
        Rounding::TrnZero => inexact && negative,
        Rounding::Rnd => to_half != Ordering::Less,
        Rounding::RndMinInf => to_half == Ordering::Greater,
        Rounding::RndZero => to_half.then(negative.cmp(&false)) == Ordering::Greater,
        Rounding::RndInf => to_half.then(false.cmp(&negative)) != Ordering::Less,
        Rounding::RndConv => to_half.then((floor & 1).cmp(&0)) == Ordering::Greater,
    };
    // `floor` is at most half of `i128::MAX`.
    let rounded = floor + i128::from(up);
    Rounded {
        exact: Some(rounded),
        bits: rounded.cast_unsigned(),
        floor_bits: floor.cast_unsigned(),
        negative: rounded < 0,
    }
}

/// `raw · 2^left`, exactly.
fn shift_left(raw: i128, left: u64) -> Rounded {
    let (exact, bits) = if raw == 0 {
        (Some(0), 0)
    } else if left < 128 {
        let shifted = raw << left;
        ((shifted >> left == raw).then_some(shifted), shifted.cast_unsigned())
    } else {
        (None, 0)
    };
    Rounded { exact, bits, floor_bits: bits, negative: raw < 0 }
}

/// Splits `raw · 2^-shift` (`shift ≥ 1`) into its floor, whether there is a remainder, and how the remainder
/// compares with one half.
fn split(raw: i128, shift: i64) -> (i128, bool, Ordering) {
    match shift {
        1..=128 => {
            // The remainder is below 2^128 and so are its bits, also when the shift is 128.
            let half = 1_u128 << (shift - 1);
            let remainder = raw.cast_unsigned() & (half | (half - 1));
            (raw >> shift.min(127), remainder != 0, remainder.cmp(&half))
        }
        // |raw| ≤ 2^127 is now less than one half; below zero the remainder is counted from -1.
        _ => (raw >> 127, raw != 0, if raw < 0 { Ordering::Greater } else { Ordering::Less }),
    }
}

/// Brings a rounded value into the width of `target`.
fn reduce(value: Rounded, target: &FixedType, dialect: Dialect) -> Result<i128, TypeError> {
    let (lo, hi) = (target.raw_min(), target.raw_max());
    let in_range = value.exact.filter(|rounded| (lo..=hi).contains(rounded));
    let clamp =
        |lo| in_range.filter(|&raw| raw >= lo).unwrap_or(if value.negative { lo } else { hi });
    Ok(match target.overflow {
        Overflow::Sat => clamp(lo),
        Overflow::SatZero => in_range.unwrap_or(0),
        // The headers build the lower bound as 100…0 | 1, which in a single bit is -1 and not -hi = 0.
        Overflow::SatSym if target.signed && target.width == 1 && dialect == Dialect::ApFixed => {
            clamp(lo)
        }
        Overflow::SatSym if target.signed => clamp(-hi),
        Overflow::SatSym => clamp(lo),
        Overflow::Wrap => in_range.unwrap_or_else(|| wrap(value, target)),
        Overflow::WrapSm => match dialect {
            Dialect::Hgq => in_range.unwrap_or_else(|| reflect(value, target)),
            Dialect::ApFixed if !target.signed => {
                return Err(TypeError::UnsignedWrapSm { width: target.width });
            }
            Dialect::ApFixed => in_range.unwrap_or_else(|| wrap_sign_magnitude(value, target)),
        },
    })
}

/// `WRAP` of a value outside the range, with the type's saturation bits.
fn wrap(value: Rounded, target: &FixedType) -> i128 {
    let (width, forced) = (target.width, target.saturation_bits);
    let bits = if forced == 0 {
        value.bits
    } else {
        let top = if target.signed {
            forced_top(value.negative, width, forced)
        } else {
            !low_mask(width - forced)
        };
        value.bits & low_mask(width - forced) | top
    };
    from_bits(bits, target)
}

/// `WRAP_SM` of the C++ headers (signed) for a value outside the range.
///
/// Without saturation bits the headers compare the result's sign with the lowest deleted bit of the value
/// *before* rounding. With truncation that is a reflection at both ends of the range; with other
/// rounding modes it is not.
fn wrap_sign_magnitude(value: Rounded, target: &FixedType) -> i128 {
    let (width, forced) = (target.width, target.saturation_bits);
    let bit = |bits: u128, at: u32| bits >> at & 1 == 1;
    let invert = match forced {
        0 => bit(value.floor_bits, width) != bit(value.bits, width - 1),
        1 => value.negative != bit(value.bits, width - 1),
        _ => value.negative == bit(value.bits, width - forced),
    };
    let bits = if invert { !value.bits } else { value.bits };
    let bits = match forced {
        0 => bits,
        _ => bits & low_mask(width - forced) | forced_top(value.negative, width, forced),
    };
    from_bits(bits, target)
}

/// `WRAP_SM` of HGQ: the rounded value, reflected at the ends of the range.
fn reflect(value: Rounded, target: &FixedType) -> i128 {
    // With h = hi + 1, the formula is |(q - h) mod 2^(W+1) - 2^W + 1/2| - 1/2 + lo.
    let period = low_mask(target.width + 1);
    let above = value.bits.wrapping_sub((target.raw_max() + 1).cast_unsigned()) & period;
    let half = 1_u128 << target.width;
    let distance = if above < half { half - 1 - above } else { above - half };
    target.raw_min() + distance.cast_signed()
}

/// The top `forced` bits of a signed type that overflowed: the sign, then its opposite.
fn forced_top(negative: bool, width: u32, forced: u32) -> u128 {
    let sign = 1_u128 << (width - 1);
    if negative { sign } else { low_mask(width - 1) & !low_mask(width - forced) }
}

/// The lowest `count` bits set, for `count` up to 127.
fn low_mask(count: u32) -> u128 {
    (1 << count) - 1
}

/// The raw whose low bits are `bits`.
fn from_bits(bits: u128, target: &FixedType) -> i128 {
    let raw = (bits & low_mask(target.width)).cast_signed();
    if target.signed && raw > target.raw_max() { raw - (1 << target.width) } else { raw }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw_of(text: &str, raw: i128, fractional: i32, dialect: Dialect) -> Result<i128, TypeError> {
        text.parse::<FixedType>().unwrap().convert(raw, fractional, dialect)
    }

    #[test]
    fn ties_go_where_the_mode_says() {
        // -2.5, -1.5, -0.5, 0.5, 1.5, 2.5.
        let halves = [-5, -3, -1, 1, 3, 5];
        for (mode, expected) in [
            (Rounding::Trn, [-3, -2, -1, 0, 1, 2]),
            (Rounding::TrnZero, [-2, -1, 0, 0, 1, 2]),
            (Rounding::Rnd, [-2, -1, 0, 1, 2, 3]),
            (Rounding::RndZero, [-2, -1, 0, 0, 1, 2]),
            (Rounding::RndInf, [-3, -2, -1, 1, 2, 3]),
            (Rounding::RndMinInf, [-3, -2, -1, 0, 1, 2]),
            (Rounding::RndConv, [-2, -2, 0, 0, 2, 2]),
        ] {
            let ty = FixedType::new(true, 8, 8, mode, Overflow::Sat).unwrap();
            let got = halves.map(|raw| ty.convert(raw, 1, Dialect::ApFixed).unwrap());
            assert_eq!(got, expected, "{mode}");
        }
    }

    #[test]
    fn rounding_up_past_the_largest_code_overflows() {
        assert_eq!(raw_of("ap_fixed<4,4,RND,SAT>", 15, 1, Dialect::ApFixed), Ok(7));
        assert_eq!(raw_of("ap_fixed<4,4,RND,WRAP>", 15, 1, Dialect::ApFixed), Ok(-8));
        assert_eq!(raw_of("ap_fixed<4,4,RND,SAT_ZERO>", 15, 1, Dialect::ApFixed), Ok(0));
        assert_eq!(raw_of("ap_ufixed<4,4,RND,WRAP>", -1, 1, Dialect::ApFixed), Ok(0));
        assert_eq!(raw_of("ap_ufixed<4,4,TRN,WRAP>", -1, 1, Dialect::ApFixed), Ok(15));
    }

    #[test]
    fn sat_sym_moves_the_lowest_code() {
        for dialect in [Dialect::ApFixed, Dialect::Hgq] {
            assert_eq!(raw_of("ap_fixed<4,4,TRN,SAT_SYM>", -8, 0, dialect), Ok(-7));
            assert_eq!(raw_of("ap_fixed<4,4,TRN,SAT_SYM>", -7, 0, dialect), Ok(-7));
            assert_eq!(raw_of("ap_ufixed<4,4,TRN,SAT_SYM>", -8, 0, dialect), Ok(0));
        }
    }

    #[test]
    fn the_dialects_differ_only_where_documented() {
        let both = |text, raw, fractional| {
            (
                raw_of(text, raw, fractional, Dialect::ApFixed),
                raw_of(text, raw, fractional, Dialect::Hgq),
            )
        };
        assert_eq!(both("ap_fixed<1,1,TRN,SAT_SYM>", -1, 0), (Ok(-1), Ok(0)));
        assert_eq!(both("ap_fixed<0,0>", 1, 0), (Err(TypeError::ZeroWidth), Ok(0)));
        let refused = Err(TypeError::UnsignedWrapSm { width: 3 });
        assert_eq!(both("ap_ufixed<3,3,TRN,WRAP_SM>", 1, 0), (refused.clone(), Ok(1)));
        assert_eq!(both("ap_ufixed<3,3,TRN,WRAP_SM>", 8, 0), (refused, Ok(7)));
        // 15.5 rounds to 16 = 10000b. HGQ reflects 16 at 7.5, to -1. The headers look at the deleted bit of the
        // unrounded 15 = 01111b: it equals the new sign bit, and nothing is inverted. At 7.5 they agree.
        assert_eq!(both("ap_fixed<4,4,RND,WRAP_SM>", 31, 1), (Ok(0), Ok(-1)));
        assert_eq!(both("ap_fixed<4,4,RND,WRAP_SM>", 15, 1), (Ok(7), Ok(7)));
        assert_eq!(both("ap_fixed<4,4,TRN,WRAP_SM>", 24, 0), (Ok(-8), Ok(-8)));
    }

    #[test]
    fn saturation_bits_force_the_top() {
        // 37 = 100101b into 4 bits, and -37 = …011011b.
        let wrapped =
            |n, raw| raw_of(&format!("ap_fixed<4,4,TRN,WRAP,{n}>"), raw, 0, Dialect::ApFixed);
        assert_eq!([0, 1, 2, 3, 4].map(|n| wrapped(n, 37).unwrap()), [5, 5, 5, 7, 7]);
        assert_eq!([0, 1, 2, 3, 4].map(|n| wrapped(n, -37).unwrap()), [-5, -5, -5, -7, -8]);
        assert_eq!(raw_of("ap_ufixed<4,4,TRN,WRAP,2>", 18, 0, Dialect::ApFixed), Ok(14));
        assert_eq!(raw_of("ap_ufixed<4,4,TRN,WRAP,2>", -14, 0, Dialect::ApFixed), Ok(14));
    }

    #[test]
    fn shifts_at_and_beyond_the_width_of_a_raw() {
        for (mode, negative, positive) in [
            (Rounding::Trn, -1, 0),
            (Rounding::TrnZero, 0, 0),
            (Rounding::Rnd, 0, 0),
            (Rounding::RndInf, 0, 0),
            (Rounding::RndConv, 0, 0),
        ] {
            let ty = FixedType::new(true, 8, 8, mode, Overflow::Sat).unwrap();
            for shift in [129, 300, i32::MAX] {
                assert_eq!(ty.convert(i128::MIN, shift, Dialect::ApFixed), Ok(negative), "{mode}");
                assert_eq!(ty.convert(i128::MAX, shift, Dialect::ApFixed), Ok(positive), "{mode}");
            }
        }
        // i128::MIN · 2^-128 is exactly -1/2, and just above with any smaller magnitude.
        let at_128 = |mode, raw| {
            let ty = FixedType::new(true, 8, 8, mode, Overflow::Sat).unwrap();
            ty.convert(raw, 128, Dialect::ApFixed).unwrap()
        };
        assert_eq!(at_128(Rounding::RndMinInf, i128::MIN), -1);
        assert_eq!(at_128(Rounding::RndInf, i128::MIN), -1);
        assert_eq!(at_128(Rounding::RndConv, i128::MIN), 0);
        assert_eq!(at_128(Rounding::Rnd, i128::MIN), 0);
        assert_eq!(at_128(Rounding::RndMinInf, i128::MIN + 1), 0);
        assert_eq!(at_128(Rounding::RndInf, i128::MAX), 0);
    }

    #[test]
    fn values_beyond_128_bits_keep_sign_and_low_bits() {
        let sat = |raw, fractional| raw_of("ap_fixed<8,8,TRN,SAT>", raw, fractional, Dialect::Hgq);
        let wrap = |raw, fractional| raw_of("ap_fixed<8,8>", raw, fractional, Dialect::Hgq);
        assert_eq!(sat(3, -127), Ok(127));
        assert_eq!(sat(-3, i32::MIN), Ok(-128));
        assert_eq!(sat(0, i32::MIN), Ok(0));
        // All significant bits leave at the top.
        assert_eq!(sat(1 << 100, -60), Ok(127));
        assert_eq!(sat(-1 << 100, -60), Ok(-128));
        assert_eq!(wrap(3, -127), Ok(0));
        assert_eq!(wrap(-3, i32::MIN), Ok(0));
        assert_eq!(wrap(i128::MAX, -3), Ok(-8));
        let wide = "ap_ufixed<126,126>";
        assert_eq!(raw_of(wide, -1, -125, Dialect::ApFixed), Ok(1 << 125));
    }
}
