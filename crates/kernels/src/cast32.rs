//! The cast of 32-bit raws to a fixed type in 32-bit arithmetic, for the inner loops.

use bittrue_block::LaneInt;
use bittrue_fixed::{FixedType, Overflow, Rounding};

use crate::Simd;

/// A cast that never leaves 32 bits, whatever the raw is.
///
/// With `q = v >> shift` and the remainder `r`, every rounding mode here is `q + ((r + add + (q & even))
/// >> shift)`: nothing overflows, as `r < 2^shift` and `add < 2^(shift-1)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cast32 {
    pub(crate) shift: u32,
    pub(crate) add: i32,
    pub(crate) even: i32,
    /// Whether negative raws become zero before they are rounded.
    pub(crate) relu: bool,
    pub(crate) limit: Limit,
}

/// What happens to a rounded raw that does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    /// It becomes the nearest of these.
    Clamp(i32, i32),
    /// Its upper bits are shifted out; the sign comes back.
    WrapSigned(u32),
    /// Its upper bits are shifted out.
    WrapUnsigned(u32),
}

impl Cast32 {
    /// The cast of raws with `fractional` bits to `target`; `None` for types that have no such cast.
    pub fn new(fractional: i32, target: FixedType) -> Option<Self> {
        let shift = u32::try_from(fractional.checked_sub(target.fractional())?).ok()?;
        if shift > 30 || !(2..=31).contains(&target.width) || target.saturation_bits != 0 {
            return None;
        }
        let half = if shift == 0 { 0 } else { 1 << (shift - 1) };
        let (add, even) = match target.rounding {
            _ if shift == 0 => (0, 0),
            Rounding::Trn => (0, 0),
            Rounding::RndConv => (half - 1, 1),
            Rounding::RndMinInf => (half - 1, 0),
            Rounding::Rnd => (half, 0),
            Rounding::TrnZero | Rounding::RndInf | Rounding::RndZero => return None,
        };
        let (min, max) = (target.raw_min() as i32, target.raw_max() as i32);
        let up = 32 - target.width;
        let limit = match target.overflow {
            Overflow::Sat => Limit::Clamp(min, max),
            Overflow::SatSym => Limit::Clamp(if target.signed { -max } else { 0 }, max),
            Overflow::Wrap if target.signed => Limit::WrapSigned(up),
            Overflow::Wrap => Limit::WrapUnsigned(up),
            Overflow::SatZero | Overflow::WrapSm => return None,
        };
        Some(Self { shift, add, even, relu: false, limit })
    }

    /// The same cast of `max(v, 0)`.
    #[must_use]
    pub fn behind_relu(self) -> Self {
        Self { relu: true, ..self }
    }

    /// Lowest and highest result; `None` where 32 bits do not hold them.
    pub(crate) fn range(&self) -> Option<(i32, i32)> {
        match self.limit {
            Limit::Clamp(min, max) => Some((min, max)),
            Limit::WrapSigned(up) => Some((i32::MIN >> up, i32::MAX >> up)),
            Limit::WrapUnsigned(up) => Some((0, i32::try_from(u32::MAX >> up).ok()?)),
        }
    }

    /// Casts one raw.
    #[inline(always)]
    pub(crate) fn one(&self, v: i32) -> i32 {
        let rounded = self.round(if self.relu { v.max(0) } else { v });
        match self.limit {
            Limit::Clamp(min, max) => rounded.clamp(min, max),
            Limit::WrapSigned(up) => rounded << up >> up,
            Limit::WrapUnsigned(up) => unsigned(rounded, up),
        }
    }

    /// Casts all raws of `x`, which have at most 32 bits. The caller proves that results fit `O`.
    pub fn all<X: LaneInt, O: LaneInt>(&self, simd: Simd, x: &[X]) -> Vec<O> {
        // One loop for each kind of limit, so that none is asked for in a loop.
        match self.limit {
            // `clamp` would ask in the loop whether its ends are in order.
            Limit::Clamp(min, max) => self.each(
                simd,
                x,
                #[inline(always)]
                move |v| v.max(min).min(max),
            ),
            Limit::WrapSigned(up) => self.each(
                simd,
                x,
                #[inline(always)]
                move |v| v << up >> up,
            ),
            Limit::WrapUnsigned(up) => self.each(
                simd,
                x,
                #[inline(always)]
                move |v| unsigned(v, up),
            ),
        }
    }

    #[inline(always)]
    fn each<X: LaneInt, O: LaneInt>(
        &self,
        simd: Simd,
        x: &[X],
        limit: impl Fn(i32) -> i32,
    ) -> Vec<O> {
        let cast = *self;
        let floor = if cast.relu { 0 } else { i32::MIN };
        let mut all = vec![O::default(); x.len()];
        let out = all.as_mut_slice();
        // What the loop reads is moved into it: behind references it might be what is written.
        simd.vectorize(
            #[inline(always)]
            move || {
                let (cast, floor, limit) = (cast, floor, limit);
                for (out, &v) in out.iter_mut().zip(x) {
                    let v: i64 = v.into();
                    *out = O::truncate(limit(cast.round((v as i32).max(floor))).into());
                }
            },
        );
        all
    }

    #[inline(always)]
    fn round(&self, v: i32) -> i32 {
        let q = v >> self.shift;
        let remainder = v & ((1 << self.shift) - 1);
        q + ((remainder + self.add + (q & self.even)) >> self.shift)
    }
}

#[inline(always)]
fn unsigned(v: i32, up: u32) -> i32 {
    ((v.cast_unsigned() << up) >> up).cast_signed()
}

#[cfg(test)]
mod tests {
    use bittrue_fixed::Dialect;

    use super::*;

    #[test]
    fn equals_definition() {
        let mut source: Vec<i32> = (-700..700).collect();
        source.extend([i32::MIN, i32::MIN + 1, i32::MAX, i32::MAX - 1, 1 << 30, -(1 << 30)]);
        let mut casts = 0;
        for signed in [false, true] {
            for width in 2..=9 {
                for rounding in Rounding::ALL {
                    for overflow in Overflow::ALL {
                        for drop in [0, 1, 2, 5, 30] {
                            let target = FixedType::new(signed, width, 3, rounding, overflow)
                                .expect("a small type");
                            let from = target.fractional() + drop;
                            let Some(cast) = Cast32::new(from, target) else { continue };
                            casts += 1;
                            let convert = |v: i32| {
                                target.convert(v.into(), from, Dialect::Hgq).expect("a type") as i32
                            };
                            let plain: Vec<i32> = source.iter().map(|&v| convert(v)).collect();
                            let relu: Vec<i32> =
                                source.iter().map(|&v| convert(v.max(0))).collect();
                            for simd in Simd::all() {
                                assert_eq!(cast.all::<_, i32>(simd, &source), plain, "{target}");
                                let behind = cast.behind_relu();
                                assert_eq!(behind.all::<_, i32>(simd, &source), relu, "{target}");
                            }
                        }
                    }
                }
            }
        }
        // Three overflow modes; four rounding modes, and all where nothing is dropped.
        assert_eq!(casts, 2 * 8 * 3 * (4 * 4 + 7));
    }
}
