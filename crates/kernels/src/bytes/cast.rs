//! The cast of sums to raws of up to 8 bits.

use crate::Simd;
use crate::cast32::Cast32;

/// What is added to raws with a sign so that they are bytes without one.
pub const SIGNED: u8 = 128;

/// A cast of sums to bytes. The sums begin with [`Cast32`]'s `add`, so that rounding is a shift; `t + odd`
/// carries exactly where `v + add + odd` does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ByteCast {
    pub(super) cast: Cast32,
    /// Added to the results.
    pub(super) zero: u8,
    /// Whether the sums fit into 16 bits.
    pub(super) narrow: bool,
}

impl ByteCast {
    /// The cast of sums from `low` to `high` to bytes, those of a signed type with [`SIGNED`] added; `None`
    /// where results are no bytes.
    pub fn new(cast: Cast32, low: i64, high: i64) -> Option<Self> {
        let (min, max) = cast.range()?;
        let zero = if min < 0 { SIGNED } else { 0 };
        let (from, to) = (min + i32::from(zero), max + i32::from(zero));
        let add = i64::from(cast.add);
        let within = |v: i64, limit: i64| -limit <= v && v < limit - 1;
        let fits = |limit| within(low + add, limit) && within(high + add, limit);
        if from < 0 || to > 255 || !fits(1 << 31) {
            return None;
        }
        Some(Self { cast, zero, narrow: fits(1 << 15) && cast.shift < 15 })
    }

    /// The byte of a raw 0.
    pub fn zero(&self) -> u8 {
        self.zero
    }

    /// Whether it is computed in 16 bits.
    pub fn is_narrow(&self) -> bool {
        self.narrow
    }

    /// Casts one sum.
    pub(super) fn one(&self, sum: i32) -> u8 {
        (self.cast.one(sum) + i32::from(self.zero)) as u8
    }

    /// Casts sums that were computed elsewhere.
    pub fn all(&self, simd: Simd, sums: &[i32]) -> Vec<u8> {
        simd.vectorize(
            #[inline(always)]
            || sums.iter().map(|&s| self.one(s)).collect(),
        )
    }
}
