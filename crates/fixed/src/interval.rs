//! Intervals of raws: the range half of a format.

use crate::{Kif, exact_raw_f64};

/// A closed interval of raws on the grid `2^-fractional`.
///
/// Its values are `raw · 2^-fractional` for every `raw` in `[min, max]`. Range and format are separate
/// ideas: the arithmetic here keeps exact bounds, [`min_kif`](Self::min_kif) says which format holds them.
///
/// All arithmetic is checked and exact: a result whose raws do not fit `i128` is `None`, never a wrapped
/// or rounded bound.
///
/// ```
/// use bittrue_fixed::{FixedType, Kif, QInterval};
///
/// // The sum of two ap_fixed<8,4> needs one more integer bit.
/// let x = "ap_fixed<8,4>".parse::<FixedType>()?.interval();
/// let sum = x.add(&x).ok_or("overflow")?;
/// assert_eq!((sum.min, sum.max, sum.fractional), (-256, 254, 4));
/// assert_eq!(sum.min_kif(), Kif { keep_negative: true, integer: 4, fractional: 4 });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct QInterval {
    /// The smallest raw.
    pub min: i128,
    /// The largest raw.
    pub max: i128,
    /// The number of fractional bits of the grid; may be negative.
    pub fractional: i32,
}

/// An interval that does not exist, or cannot be moved to another grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IntervalError {
    /// The bounds are in the wrong order.
    #[error("the interval's smallest raw {min} is above its largest raw {max}")]
    Empty {
        /// The lower bound given.
        min: i128,
        /// The upper bound given.
        max: i128,
    },
    /// A bound is not on the coarser grid.
    #[error("the interval's bounds are not multiples of 2^-{fractional}")]
    LosesBits {
        /// The fractional bits asked for.
        fractional: i32,
    },
    /// A raw on the finer grid does not fit.
    #[error("the interval's raws on the grid 2^-{fractional} do not fit 128 bits")]
    Overflow {
        /// The fractional bits asked for.
        fractional: i32,
    },
}

impl QInterval {
    /// The interval `[min, max] · 2^-fractional`.
    ///
    /// # Errors
    ///
    /// [`IntervalError::Empty`] when `min > max`.
    pub fn new(min: i128, max: i128, fractional: i32) -> Result<Self, IntervalError> {
        if min > max {
            return Err(IntervalError::Empty { min, max });
        }
        Ok(Self { min, max, fractional })
    }

    /// The single value `x`, on the coarsest grid that holds it; `None` for NaN and infinities.
    pub fn from_value_exact(x: f64) -> Option<Self> {
        let (raw, fractional) = exact_raw_f64(x)?;
        Some(Self { min: raw, max: raw, fractional })
    }

    /// Whether the value `raw · 2^-fractional` is on this interval's grid and within its bounds.
    pub fn contains(&self, raw: i128, fractional: i32) -> bool {
        move_raw(raw, fractional, self.fractional)
            .is_ok_and(|raw| (self.min..=self.max).contains(&raw))
    }

    /// All sums of a value of `self` and one of `other`, on the finer of the two grids.
    pub fn add(&self, other: &Self) -> Option<Self> {
        let (a, b) = self.on_common_grid(other)?;
        Some(Self {
            min: a.min.checked_add(b.min)?,
            max: a.max.checked_add(b.max)?,
            fractional: a.fractional,
        })
    }

    /// All differences of a value of `self` and one of `other`, on the finer of the two grids.
    pub fn sub(&self, other: &Self) -> Option<Self> {
        let (a, b) = self.on_common_grid(other)?;
        Some(Self {
            min: a.min.checked_sub(b.max)?,
            max: a.max.checked_sub(b.min)?,
            fractional: a.fractional,
        })
    }

    /// The hull of all products of a value of `self` and one of `other`; the fractional bits add up.
    pub fn mul(&self, other: &Self) -> Option<Self> {
        let fractional = self.fractional.checked_add(other.fractional)?;
        let first = self.min.checked_mul(other.min)?;
        let (mut min, mut max) = (first, first);
        for (a, b) in [(self.min, other.max), (self.max, other.min), (self.max, other.max)] {
            let product = a.checked_mul(b)?;
            min = min.min(product);
            max = max.max(product);
        }
        Some(Self { min, max, fractional })
    }

    /// All negated values.
    pub fn neg(&self) -> Option<Self> {
        Some(Self {
            min: self.max.checked_neg()?,
            max: self.min.checked_neg()?,
            fractional: self.fractional,
        })
    }

    /// The smallest interval that holds both, on the finer of the two grids.
    pub fn union(&self, other: &Self) -> Option<Self> {
        let (a, b) = self.on_common_grid(other)?;
        Some(Self { min: a.min.min(b.min), max: a.max.max(b.max), fractional: a.fractional })
    }

    /// The hull of all values times the integer `factor`, on the same grid.
    pub fn scale(&self, factor: i128) -> Option<Self> {
        let (a, b) = (self.min.checked_mul(factor)?, self.max.checked_mul(factor)?);
        Some(Self { min: a.min(b), max: a.max(b), fractional: self.fractional })
    }

    /// The same bounds on the grid `2^-fractional`.
    ///
    /// # Errors
    ///
    /// [`IntervalError::LosesBits`] when a bound is not on that grid, [`IntervalError::Overflow`] when a raw
    /// does not fit.
    pub fn rescale(&self, fractional: i32) -> Result<Self, IntervalError> {
        Ok(Self {
            min: move_raw(self.min, self.fractional, fractional)?,
            max: move_raw(self.max, self.fractional, fractional)?,
            fractional,
        })
    }

    /// The smallest format that holds every value of the interval.
    ///
    /// For a single value (`min = max`) that is hls4ml's `minimal_kif` without its limit of 32
    /// fractional bits: trailing zeros are dropped, and zero is `(0, 0, 0)`. Otherwise neighbouring codes are both
    /// in the interval and its LSB is needed. A bit count outside `i32` is cut to it.
    pub fn min_kif(&self) -> Kif {
        let (mut min, mut max, mut fractional) = (self.min, self.max, i64::from(self.fractional));
        if min == max {
            if min == 0 {
                return Kif { keep_negative: false, integer: 0, fractional: 0 };
            }
            let zeros = min.trailing_zeros();
            min >>= zeros;
            max >>= zeros;
            fractional -= i64::from(zeros);
        }
        let bits = magnitude_bits(min).max(magnitude_bits(max));
        let cut = |count: i64| {
            i32::try_from(count).unwrap_or(if count < 0 { i32::MIN } else { i32::MAX })
        };
        Kif {
            keep_negative: min < 0,
            integer: cut(i64::from(bits) - fractional),
            fractional: cut(fractional),
        }
    }

    /// The largest magnitude of a raw, in LSB.
    pub fn max_abs(&self) -> u128 {
        self.min.unsigned_abs().max(self.max.unsigned_abs())
    }

    /// Both intervals on the finer of their grids; `None` when a raw does not fit there.
    fn on_common_grid(&self, other: &Self) -> Option<(Self, Self)> {
        let fractional = self.fractional.max(other.fractional);
        Some((self.rescale(fractional).ok()?, other.rescale(fractional).ok()?))
    }
}

/// The bits below the sign bit that a two's complement raw needs.
fn magnitude_bits(raw: i128) -> u32 {
    let folded = if raw < 0 { !raw } else { raw };
    128 - folded.leading_zeros()
}

/// The raw of the same value on another grid.
fn move_raw(raw: i128, from: i32, to: i32) -> Result<i128, IntervalError> {
    if raw == 0 {
        return Ok(0);
    }
    let left = i64::from(to) - i64::from(from);
    if left < 0 {
        let right = left.unsigned_abs();
        return if u64::from(raw.trailing_zeros()) >= right {
            Ok(raw >> right)
        } else {
            Err(IntervalError::LosesBits { fractional: to })
        };
    }
    let moved = if left < 128 { raw << left } else { 0 };
    if left < 128 && moved >> left == raw {
        Ok(moved)
    } else {
        Err(IntervalError::Overflow { fractional: to })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(min: i128, max: i128, fractional: i32) -> QInterval {
        QInterval::new(min, max, fractional).unwrap()
    }

    fn kif(keep_negative: bool, integer: i32, fractional: i32) -> Kif {
        Kif { keep_negative, integer, fractional }
    }

    #[test]
    fn bounds_are_checked() {
        assert_eq!(QInterval::new(1, 0, 3), Err(IntervalError::Empty { min: 1, max: 0 }));
        assert!(QInterval::new(0, 0, 3).is_ok());
    }

    #[test]
    fn single_values() {
        assert_eq!(QInterval::from_value_exact(-0.375), Some(interval(-3, -3, 3)));
        assert_eq!(QInterval::from_value_exact(f64::INFINITY), None);
    }

    #[test]
    fn contains_looks_at_bounds_and_grid() {
        let x = interval(-4, 3, 1);
        assert!(x.contains(-4, 1) && x.contains(3, 1) && x.contains(1, 0) && x.contains(-8, 2));
        assert!(!x.contains(-5, 1) && !x.contains(4, 1) && !x.contains(1, 2) && !x.contains(2, 0));
        assert!(x.contains(0, i32::MAX) && !x.contains(1, i32::MIN));
    }

    #[test]
    fn arithmetic_on_different_grids() {
        let (x, y) = (interval(-4, 3, 1), interval(-1, 2, -1));
        assert_eq!(x.add(&y), Some(interval(-8, 11, 1)));
        assert_eq!(x.sub(&y), Some(interval(-12, 7, 1)));
        assert_eq!(x.mul(&y), Some(interval(-8, 6, 0)));
        assert_eq!(x.neg(), Some(interval(-3, 4, 1)));
        assert_eq!(x.union(&y), Some(interval(-4, 8, 1)));
        assert_eq!(x.scale(-3), Some(interval(-9, 12, 1)));
        assert_eq!(x.max_abs(), 4);
    }

    #[test]
    fn arithmetic_never_wraps() {
        let all = interval(i128::MIN, i128::MAX, 0);
        let one = interval(1, 1, 0);
        assert_eq!(all.add(&one), None);
        assert_eq!(all.sub(&one), None);
        assert_eq!(all.neg(), None);
        assert_eq!(all.mul(&interval(2, 2, 0)), None);
        assert_eq!(all.scale(-1), None);
        assert_eq!(all.union(&interval(1, 1, 1)), None);
        assert_eq!(one.mul(&interval(1, 1, i32::MAX)).unwrap().fractional, i32::MAX);
        assert_eq!(interval(1, 1, 1).mul(&interval(1, 1, i32::MAX)), None);
        assert_eq!(all.max_abs(), 1 << 127);
    }

    #[test]
    fn rescale_is_exact_or_refused() {
        let x = interval(-4, 12, 2);
        assert_eq!(x.rescale(0), Ok(interval(-1, 3, 0)));
        assert_eq!(x.rescale(-1), Err(IntervalError::LosesBits { fractional: -1 }));
        assert_eq!(x.rescale(5), Ok(interval(-32, 96, 5)));
        assert_eq!(x.rescale(126), Err(IntervalError::Overflow { fractional: 126 }));
        assert_eq!(interval(-1, -1, 0).rescale(127), Ok(interval(i128::MIN, i128::MIN, 127)));
        assert_eq!(
            interval(1, 1, 0).rescale(127),
            Err(IntervalError::Overflow { fractional: 127 })
        );
        assert_eq!(interval(0, 0, 0).rescale(i32::MIN), Ok(interval(0, 0, i32::MIN)));
    }

    #[test]
    fn smallest_containers() {
        assert_eq!(interval(-128, 127, 4).min_kif(), kif(true, 3, 4));
        assert_eq!(interval(-129, 127, 4).min_kif(), kif(true, 4, 4));
        assert_eq!(interval(-1, 128, 4).min_kif(), kif(true, 4, 4));
        assert_eq!(interval(0, 255, 4).min_kif(), kif(false, 4, 4));
        assert_eq!(interval(-1, 0, 4).min_kif(), kif(true, -4, 4));
        assert_eq!(interval(0, 0, 9).min_kif(), kif(false, 0, 0));
        // Single values: 4 is one bit with LSB 4, -4 a sign bit with LSB 4.
        assert_eq!(interval(16, 16, 2).min_kif(), kif(false, 3, -2));
        assert_eq!(interval(-16, -16, 2).min_kif(), kif(true, 2, -2));
        assert_eq!(interval(12, 12, 5).min_kif(), kif(false, -1, 3));
        assert_eq!(interval(i128::MIN, i128::MAX, 0).min_kif(), kif(true, 127, 0));
        assert_eq!(interval(0, 1, i32::MIN).min_kif(), kif(false, i32::MAX, i32::MIN));
    }
}
