//! Where a float32 quantizer is proven to be a cast to a fixed type.
//!
//! QKeras' quantizers end in a straight-through sum `x + (y − x)` in float32, which returns `y` as
//! long as `y − x` is exact. For a saturating quantizer `|y − x| ≤ max(|x|, lsb)`, and it is a
//! multiple of the finer of the two LSBs, so a bound on `|x|` decides. The scaling is by powers of
//! two and the rounding is to even, both exact.

use bittrue_fixed::{FixedType, Overflow, Rounding};
use bittrue_model::{Alpha, Curve, QuantizedBits, QuantizedCurve, QuantizedRelu};

/// Integers below this are float32 values, and so are their multiples by powers of two.
pub const FLOAT32_INTEGERS: i64 = 1 << 24;

/// Largest shift and smallest power of two that stay clear of float32's denormals and overflow.
const SAFE_EXPONENT: i32 = 100;

/// The grid on which the results of a quantizer lie as long as no float32 artefact occurs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputGrid {
    /// Results are multiples of `2^-fractional`.
    pub fractional: i32,
    /// Lowest result in these multiples.
    pub min: i64,
    /// Highest result in these multiples.
    pub max: i64,
}

/// The results of `quantized_bits`; `None` when its scale is no power of two, or when it is applied
/// only in part.
pub fn bits_grid(q: &QuantizedBits) -> Option<OutputGrid> {
    let scale = match q.alpha {
        Alpha::None => 0,
        Alpha::Number(a) => log2_exact(a as f32)?,
        _ => return None,
    };
    if q.qnoise_factor != 1.0 || !(1..=24).contains(&q.bits) || !(0..=30).contains(&q.integer) {
        return None;
    }
    if q.bits == 1 && q.keep_negative {
        return Some(OutputGrid { fractional: -scale, min: -1, max: 1 });
    }
    let unsigned = q.bits as i32 - i32::from(q.keep_negative);
    let levels = 1_i64 << unsigned;
    let min = if q.keep_negative { -levels + q.symmetric.clamp(0, 1) } else { 0 };
    Some(OutputGrid { fractional: unsigned - q.integer as i32 - scale, min, max: levels - 1 })
}

/// The results of `quantized_relu`; `None` when it is applied only in part.
pub fn relu_grid(q: &QuantizedRelu) -> Option<OutputGrid> {
    let sloped = q.negative_slope != 0.0;
    if q.qnoise_factor != 1.0 || !(1..=24).contains(&q.bits) || !(0..=30).contains(&q.integer) {
        return None;
    }
    let bits = q.bits as i32 - i32::from(sloped);
    let levels = 1_i64 << bits;
    Some(OutputGrid {
        fractional: bits - q.integer as i32,
        // The slope is at most 1 in practice; a steeper one reaches further down.
        min: if sloped { -levels * (q.negative_slope.ceil() as i64).clamp(1, 1 << 20) } else { 0 },
        max: levels - 1,
    })
}

/// The results of `quantized_tanh` and `quantized_sigmoid`; `None` when float32 has not all of them.
pub fn curve_grid(q: &QuantizedCurve) -> Option<OutputGrid> {
    if !(1..=24).contains(&q.bits) {
        return None;
    }
    let signed = q.curve == Curve::Tanh;
    let fractional = q.bits as i32 - i32::from(signed);
    let levels = 1_i64 << fractional;
    let lowest = if signed { -levels } else { 0 };
    Some(OutputGrid { fractional, min: lowest + i64::from(q.symmetric), max: levels - 1 })
}

/// The type of the results of `quantized_tanh` and `quantized_sigmoid`, with the cast's modes. Without
/// the lowest code a sigmoid's is no cast.
pub fn curve_type(q: &QuantizedCurve) -> Option<FixedType> {
    curve_grid(q)?;
    let signed = q.curve == Curve::Tanh;
    let overflow = if q.symmetric && signed { Overflow::SatSym } else { Overflow::Sat };
    FixedType::new(signed, q.bits as u32, i32::from(signed), Rounding::RndConv, overflow).ok()
}

/// The cast that `quantized_tanh` is where its argument has at most 23 fractional bits
/// ([`hard_tanh_is_exact`]); `None` for other curves.
pub fn curve_cast(q: &QuantizedCurve) -> Option<FixedType> {
    if q.curve != Curve::Tanh || q.real { None } else { curve_type(q) }
}

/// Whether QKeras' hard tanh gives every `raw · 2^-fractional` between -1 and 1 as it is: half of it
/// plus 1/2 has one fractional bit more, and float32 has 24. Beyond these bounds it is -1 or 1.
pub fn hard_tanh_is_exact(fractional: i32) -> bool {
    fractional < 24 && in_safe_range(fractional)
}

/// The cast that `quantized_bits` means, where it means one.
pub fn bits_cast(q: &QuantizedBits) -> Option<FixedType> {
    let grid = bits_grid(q)?;
    let plain = match q.alpha {
        Alpha::None => true,
        Alpha::Number(a) => a == 1.0,
        _ => false,
    };
    if !plain || (q.bits == 1 && q.keep_negative) {
        return None;
    }
    let overflow =
        if q.keep_negative && q.symmetric == 1 { Overflow::SatSym } else { Overflow::Sat };
    let width = q.bits as u32;
    FixedType::new(
        q.keep_negative,
        width,
        width as i32 - grid.fractional,
        Rounding::RndConv,
        overflow,
    )
    .ok()
}

/// The cast that `quantized_relu` means, where it means one (behind its relu).
pub fn relu_cast(q: &QuantizedRelu) -> Option<FixedType> {
    let grid = relu_grid(q)?;
    if q.use_sigmoid || q.negative_slope != 0.0 {
        return None;
    }
    let width = q.bits as u32;
    FixedType::new(false, width, width as i32 - grid.fractional, Rounding::RndConv, Overflow::Sat)
        .ok()
}

/// Whether QKeras' float32 evaluation of a saturating cast gives the cast's exact result for every
/// `raw · 2^-fractional` with `|raw| ≤ max_abs`.
pub fn saturating_cast_is_exact(target: FixedType, fractional: i32, max_abs: i64) -> bool {
    let finer = fractional.max(target.fractional());
    // |x| in units of the finer LSB.
    let Some(scaled) = shifted(max_abs, finer - fractional) else { return false };
    scaled <= FLOAT32_INTEGERS && in_safe_range(fractional) && in_safe_range(target.fractional())
}

/// Whether HGQ's float32 evaluation of a cast with `RND_CONV` gives the exact result for every
/// `raw · 2^-fractional` with `|raw| ≤ max_abs`: the scaled value and the bounds stay integers of
/// at most 23 bits.
pub fn hgq_cast_is_exact(target: FixedType, fractional: i32, max_abs: i64) -> bool {
    const HALF: i64 = FLOAT32_INTEGERS / 2;
    let fits = match shifted(max_abs, target.fractional() - fractional) {
        Some(scaled) => scaled < HALF,
        None => false,
    };
    fits && max_abs <= FLOAT32_INTEGERS
        && target.width <= 23
        && matches!(target.rounding, Rounding::RndConv | Rounding::Trn | Rounding::TrnZero)
        && !matches!(target.overflow, Overflow::WrapSm)
        && in_safe_range(fractional)
        && in_safe_range(target.fractional())
}

/// Whether numbers with this LSB are far from float32's denormals and overflow.
pub fn in_safe_range(fractional: i32) -> bool {
    fractional.abs() <= SAFE_EXPONENT
}

/// `value · 2^shift`, rounded up; `None` when it leaves 62 bits.
fn shifted(value: i64, shift: i32) -> Option<i64> {
    if shift <= 0 {
        let down = (-shift).min(62);
        return Some((value >> down) + 1);
    }
    (shift < 62 && value.leading_zeros() > shift.cast_unsigned() + 1).then(|| value << shift)
}

/// The exponent of a positive power of two.
fn log2_exact(x: f32) -> Option<i32> {
    let (raw, fractional) = bittrue_fixed::exact_raw_f64(x.into())?;
    (raw == 1).then_some(-fractional)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::float::{HgqQuantizer, QuantizedBitsArgs};

    fn bits(bits: i64, integer: i64, symmetric: i64, keep_negative: bool) -> QuantizedBits {
        QuantizedBits {
            bits,
            integer,
            symmetric,
            keep_negative,
            alpha: Alpha::Number(1.0),
            ..QuantizedBits::default()
        }
    }

    /// Over whole input grids: wherever the proof holds, the literal float32 operations and the
    /// exact cast agree; and the proof does hold somewhere.
    #[test]
    fn proof_holds_for_the_literal_operations() {
        let mut proven = 0;
        for (b, i, s, kn) in
            [(6, 0, 0, true), (6, 0, 1, true), (5, 2, 0, false), (1, 1, 0, false), (8, 9, 0, true)]
        {
            let q = bits(b, i, s, kn);
            let target = bits_cast(&q).expect("a plain quantizer");
            let literal = crate::float::QuantizedBits::new(&QuantizedBitsArgs {
                bits: b as u32,
                integer: i as i32,
                symmetric: s == 1,
                keep_negative: kn,
                scale: 1.0,
                qnoise_factor: 1.0,
            })
            .expect("legal arguments");
            let hgq = HgqQuantizer::new(
                kn,
                b as u32,
                i as i32 + i32::from(kn),
                target.rounding,
                target.overflow,
            )
            .expect("legal arguments");
            for fractional in [-3, 0, 4, 7, 12] {
                for max_abs in [1_i64 << 10, 1 << 15] {
                    let literal_proven = saturating_cast_is_exact(target, fractional, max_abs);
                    let hgq_proven = hgq_cast_is_exact(target, fractional, max_abs);
                    proven += i32::from(literal_proven && hgq_proven);
                    for raw in -max_abs..=max_abs {
                        let x = raw as f32 * 2f32.powi(-fractional);
                        let code = target
                            .convert(raw.into(), fractional, bittrue_fixed::Dialect::Hgq)
                            .expect("a plain type");
                        let meant = target.value(code);
                        if literal_proven {
                            assert_eq!(f64::from(literal.apply(x)), meant, "{target} of {x}");
                        }
                        if hgq_proven {
                            assert_eq!(f64::from(hgq.apply(x)), meant, "{target} of {x}");
                        }
                    }
                }
            }
        }
        assert!(proven >= 30, "{proven}");
    }

    #[test]
    fn proof_fails_where_the_sum_is_damaged() {
        let target = bits_cast(&bits(16, 0, 0, true)).expect("a plain quantizer");
        // 600 has LSBs coarser than 2^-15 · 2^-24 allows.
        assert!(!saturating_cast_is_exact(target, 0, 600));
        assert!(saturating_cast_is_exact(target, 0, 511));
    }
}
