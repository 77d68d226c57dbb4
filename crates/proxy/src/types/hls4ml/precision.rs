//! Types as hls4ml writes them.

use std::fmt;

use bittrue_fixed::{FixedType, Overflow, Rounding};

use super::kif::{Format, common_kif};

/// hls4ml's `FixedPrecisionType`: unlike [`FixedType`] of any width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Precision {
    /// Whether there is a sign bit.
    pub signed: bool,
    /// Bits, the sign counted.
    pub width: i32,
    /// Integer bits, the sign counted.
    pub integer: i32,
    /// Rounding mode.
    pub rounding: Rounding,
    /// Overflow mode.
    pub overflow: Overflow,
}

impl Precision {
    /// `fixed<width, integer>` with truncation and wrapping.
    pub(crate) fn plain(signed: bool, width: i32, integer: i32) -> Self {
        Self { signed, width, integer, rounding: Rounding::Trn, overflow: Overflow::Wrap }
    }

    /// hls4ml's `to_hls4ml_fixed`: a format without bits becomes `ufixed<2,32>`.
    pub(super) fn of([k, i, f]: Format) -> Self {
        let width = k + i + f;
        if width >= 1 { Self::plain(k != 0, width, k + i) } else { Self::plain(false, 2, 32) }
    }

    /// The type of constants.
    pub(super) fn constant(values: impl Iterator<Item = f64>) -> Self {
        Self::of(common_kif(values))
    }

    /// Fractional bits.
    pub fn fractional(&self) -> i32 {
        self.width - self.integer
    }

    /// The same type for arithmetic; `None` above its widest type.
    pub fn fixed(&self) -> Option<FixedType> {
        let width = u32::try_from(self.width).ok()?;
        FixedType::new(self.signed, width, self.integer, self.rounding, self.overflow).ok()
    }
}

/// hls4ml's spelling, e.g. `ufixed<6,0,RND_CONV,SAT,0>`.
impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { width, integer, rounding, overflow, .. } = self;
        let sign = if self.signed { "" } else { "u" };
        write!(f, "{sign}fixed<{width},{integer},{rounding},{overflow},0>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_a_type_too() {
        assert_eq!(Precision::of([0, 0, 0]).to_string(), "ufixed<2,32,TRN,WRAP,0>");
        assert_eq!(Precision::of([1, 3, 4]).to_string(), "fixed<8,4,TRN,WRAP,0>");
        assert_eq!(Precision::of([0, -1, 2]).to_string(), "ufixed<1,-1,TRN,WRAP,0>");
        let wide = Precision::of([1, 126, 126]);
        assert_eq!((wide.width, wide.fixed()), (253, None));
        assert_eq!(
            Precision::constant([0.5, -2.0].into_iter()).to_string(),
            "fixed<3,2,TRN,WRAP,0>"
        );
    }
}
