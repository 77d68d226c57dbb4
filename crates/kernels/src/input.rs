//! The cast of recorded float32 values to a fixed type, the first thing that happens to an event.

use bittrue_block::LaneInt;
use bittrue_fixed::{FixedType, Overflow, Rounding};

/// A cast of float32 values with everything that does not depend on the value computed once.
///
/// Values below `2^22` LSB are cast exactly, as float32 arithmetic itself would: they are scaled by
/// a power of two, rounded to even and limited. All others, NaN among them, are not cast here but
/// reported.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InputCast {
    scale: f32,
    min: i32,
    max: i32,
    /// Bits to shift out on the left where the type wraps, and whether its sign comes back.
    wrap: Option<(u32, bool)>,
    /// Whether values that overflow are reported.
    strict: bool,
}

/// Above this the sum that rounds has no bits left for the integer.
const LIMIT: f32 = 4_194_304.0;

/// Adding it to a smaller number leaves the number's nearest integer, ties to even, in the low bits.
const ROUNDER: f32 = 12_582_912.0;

impl InputCast {
    /// The cast to `target`; `None` for types that have no fast cast.
    pub fn new(target: FixedType) -> Option<Self> {
        // Far from the ends of float32's exponents, so that scaling is exact.
        let fits = (2..=22).contains(&target.width)
            && target.fractional().abs() <= 100
            && target.saturation_bits == 0
            && target.rounding == Rounding::RndConv;
        if !fits {
            return None;
        }
        let (min, max) = (target.raw_min() as i32, target.raw_max() as i32);
        let (min, wrap) = match target.overflow {
            Overflow::Sat => (min, None),
            Overflow::SatSym => (if target.signed { -max } else { 0 }, None),
            Overflow::Wrap => (min, Some((32 - target.width, target.signed))),
            Overflow::SatZero | Overflow::WrapSm => return None,
        };
        Some(Self { scale: 2f32.powi(target.fractional()), min, max, wrap, strict: false })
    }

    /// A cast that stands for both where they agree, and reports the values where they may not: two
    /// casts that differ only in what they do on overflow.
    pub fn agreement(self, other: Self) -> Option<Self> {
        let same = (self.scale, self.min, self.max) == (other.scale, other.min, other.max);
        same.then_some(Self { wrap: None, strict: true, ..self })
    }

    /// Casts the values of `x` into `out`, and marks in `failed` those that it does not cast.
    pub fn run<O: LaneInt>(
        &self,
        x: impl Iterator<Item = f32>,
        out: &mut [O],
        failed: &mut [bool],
    ) {
        for ((x, out), failed) in x.zip(out).zip(failed) {
            let scaled = x * self.scale;
            let bits = (scaled + ROUNDER).to_bits().cast_signed();
            let raw = bits.wrapping_sub(ROUNDER.to_bits().cast_signed());
            let limited = raw.clamp(self.min, self.max);
            let cast = match self.wrap {
                None => limited,
                Some((up, true)) => raw << up >> up,
                Some((up, false)) => ((raw.cast_unsigned() << up) >> up).cast_signed(),
            };
            let in_domain = scaled.abs() < LIMIT;
            *failed |= !in_domain | (self.strict & (limited != raw));
            *out = O::truncate(cast.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use bittrue_fixed::Dialect;

    use super::*;

    #[test]
    fn equals_definition() {
        let mut x: Vec<f32> = (-5000..5000).map(|n| n as f32 * 0.03125 + 1e-4).collect();
        x.extend((-5000..5000).map(|n| n as f32 * 0.03125));
        x.extend([f32::NAN, f32::INFINITY, -3e38, 1e-40, -1e-40, -0.0, 1e6, -2e5]);
        let mut casts = 0;
        for signed in [false, true] {
            for width in 2..=10 {
                for overflow in [Overflow::Sat, Overflow::SatSym, Overflow::Wrap] {
                    let target = FixedType::new(signed, width, 5, Rounding::RndConv, overflow)
                        .expect("a type");
                    let cast = InputCast::new(target).expect("a plain type");
                    let (mut out, mut failed) = (vec![0_i16; x.len()], vec![false; x.len()]);
                    cast.run(x.iter().copied(), &mut out, &mut failed);
                    for ((x, out), failed) in x.iter().zip(out).zip(failed) {
                        let scaled = f64::from(*x) * 2f64.powi(target.fractional());
                        assert_eq!(failed, x.is_nan() || scaled.abs() >= 4_194_304.0, "{x}");
                        if !failed {
                            let expected = target.convert_f64((*x).into(), Dialect::Hgq);
                            assert_eq!(Ok(i128::from(out)), expected, "{x} as {target}");
                        }
                    }
                    casts += 1;
                }
            }
        }
        assert_eq!(casts, 2 * 9 * 3);
    }

    #[test]
    fn two_casts_agree_where_nothing_overflows() {
        let cast = |overflow| {
            let target = FixedType::new(true, 4, 4, Rounding::RndConv, overflow).expect("a type");
            InputCast::new(target).expect("a plain type")
        };
        let both =
            cast(Overflow::Sat).agreement(cast(Overflow::Wrap)).expect("they differ only there");
        let (mut out, mut failed) = ([0_i32; 4], [false; 4]);
        both.run([7.5, 7.4, -8.5, -8.6].into_iter(), &mut out, &mut failed);
        assert_eq!(failed, [true, false, false, true]);
        assert_eq!(out[1..3], [7, -8]);
        assert_eq!(cast(Overflow::Sat).agreement(cast(Overflow::SatSym)), None);
    }

    #[test]
    fn types_without_a_fast_cast() {
        for text in
            ["ap_fixed<8,4>", "ap_fixed<8,4,RND_CONV,WRAP_SM>", "ap_fixed<23,4,RND_CONV,SAT>"]
        {
            assert_eq!(InputCast::new(text.parse().expect("a type")), None, "{text}");
        }
    }
}
