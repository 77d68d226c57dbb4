//! The cast of raws to a fixed type: round, then overflow.

use bittrue_block::{LaneInt, Storage};
use bittrue_fixed::{Dialect, FixedType, Overflow, Rounding, TypeError};

use crate::{Cast32, Simd};

/// A cast with everything that does not depend on the value computed once.
#[derive(Debug, Clone, PartialEq)]
pub struct Requantize {
    target: FixedType,
    fractional: i32,
    dialect: Dialect,
    /// Bits to drop, where the fast loops apply.
    shift: Option<u32>,
    /// The same cast for raws of at most 32 bits.
    narrow: Option<Cast32>,
}

impl Requantize {
    /// The cast of raws with `fractional` bits and at most 2^40 in magnitude to `target`.
    pub fn new(fractional: i32, target: FixedType, dialect: Dialect) -> Self {
        let drop = fractional - target.fractional();
        let plain = target.saturation_bits == 0
            && !matches!(target.overflow, Overflow::WrapSm)
            && (2..=40).contains(&target.width);
        let shift = (plain && (0..=40).contains(&drop)).then_some(drop as u32);
        // The dialects differ only in types that have no such cast.
        let narrow = Cast32::new(fractional, target);
        Self { target, fractional, dialect, shift, narrow }
    }

    /// The same cast of raws of at most 32 bits, if it has 32-bit arithmetic.
    pub fn narrow(&self) -> Option<Cast32> {
        self.narrow
    }

    /// The type that values are cast to.
    pub fn target(&self) -> FixedType {
        self.target
    }

    /// The cast of one raw by definition, for ranges and for the rare formats.
    ///
    /// # Errors
    ///
    /// Where the type itself does not exist (unsigned `WRAP_SM` in `ap_fixed`).
    pub fn convert(&self, raw: i64) -> Result<i64, TypeError> {
        self.target
            .convert(raw.into(), self.fractional, self.dialect)
            .map(|r| i64::try_from(r).unwrap_or(if r < 0 { i64::MIN } else { i64::MAX }))
    }
}

/// Casts every raw of `x`. The caller proves that the target's codes fit `O` and has tried
/// [`Requantize::convert`] once, so that the type exists.
pub fn requantize<X: LaneInt, O: LaneInt>(cast: &Requantize, x: &[X]) -> Vec<O> {
    if let (Some(narrow), Storage::I16 | Storage::I32) = (&cast.narrow, X::STORAGE) {
        return narrow.all(Simd::chosen(), x);
    }
    let Some(shift) = cast.shift else {
        return x
            .iter()
            .map(|&v| O::truncate(cast.convert(v.into()).unwrap_or_default()))
            .collect();
    };
    let mut rounded: Vec<i64> = x.iter().map(|&v| v.into()).collect();
    if shift > 0 {
        round(&mut rounded, shift, cast.target.rounding);
    }
    let (min, max) = (cast.target.raw_min() as i64, cast.target.raw_max() as i64);
    let bits = cast.target.width;
    match cast.target.overflow {
        Overflow::Sat => clamp(&rounded, min, max),
        Overflow::SatSym => clamp(&rounded, if cast.target.signed { -max } else { 0 }, max),
        Overflow::SatZero => {
            rounded.iter().map(|&v| O::truncate(if v < min || v > max { 0 } else { v })).collect()
        }
        Overflow::Wrap | Overflow::WrapSm => {
            let up = 64 - bits;
            if cast.target.signed {
                rounded.iter().map(|&v| O::truncate((v << up) >> up)).collect()
            } else {
                let mask = (1_i64 << bits) - 1;
                rounded.iter().map(|&v| O::truncate(v & mask)).collect()
            }
        }
    }
}

fn clamp<O: LaneInt>(x: &[i64], min: i64, max: i64) -> Vec<O> {
    x.iter().map(|&v| O::truncate(v.clamp(min, max))).collect()
}

/// Divides by `2^shift` (shift ≥ 1) and rounds to an integer.
fn round(x: &mut [i64], shift: u32, mode: Rounding) {
    let half = 1_i64 << (shift - 1);
    let each = |x: &mut [i64], f: &dyn Fn(i64) -> i64| x.iter_mut().for_each(|v| *v = f(*v));
    match mode {
        // The mode of every QKeras activation has its own loop, without a call per element.
        Rounding::RndConv => {
            for v in x {
                let odd = (*v >> shift) & 1;
                *v = (*v + half - 1 + odd) >> shift;
            }
        }
        Rounding::Trn => {
            for v in x {
                *v >>= shift;
            }
        }
        Rounding::Rnd => each(x, &|v| (v + half) >> shift),
        Rounding::RndMinInf => each(x, &|v| (v + half - 1) >> shift),
        Rounding::TrnZero => each(x, &|v| if v < 0 { -(-v >> shift) } else { v >> shift }),
        Rounding::RndInf => {
            each(x, &|v| if v < 0 { -((-v + half) >> shift) } else { (v + half) >> shift });
        }
        Rounding::RndZero => {
            each(x, &|v| {
                if v < 0 { -((-v + half - 1) >> shift) } else { (v + half - 1) >> shift }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every mode, every width that has a fast loop up to 8, every source value, against the
    /// definition in `bittrue-fixed`.
    #[test]
    fn equals_definition() {
        let source: Vec<i32> = (-1100..1100).collect();
        let mut casts = 0;
        for signed in [false, true] {
            for width in 1..=8 {
                for rounding in Rounding::ALL {
                    for overflow in Overflow::ALL {
                        for drop in -3..=9 {
                            let target = FixedType::new(signed, width, 3, rounding, overflow)
                                .expect("a small type");
                            let cast =
                                Requantize::new(target.fractional() + drop, target, Dialect::Hgq);
                            let Ok(expected) = source
                                .iter()
                                .map(|&v| cast.convert(v.into()))
                                .collect::<Result<Vec<_>, _>>()
                            else {
                                continue;
                            };
                            let wide: Vec<i64> = source.iter().map(|&v| v.into()).collect();
                            let got = [
                                requantize::<i32, i16>(&cast, &source),
                                requantize::<i64, i16>(&cast, &wide),
                            ];
                            for got in got {
                                let got: Vec<i64> = got.into_iter().map(i64::from).collect();
                                assert_eq!(got, expected, "{target} from {drop} more bits");
                            }
                            casts += 1;
                        }
                    }
                }
            }
        }
        assert_eq!(casts, 2 * 8 * 7 * 5 * 13);
    }
}
