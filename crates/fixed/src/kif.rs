//! `kif`: a number format without modes.

use serde::{Deserialize, Serialize};

/// A number format: sign bit, integer bits **without** the sign, fractional bits.
///
/// The numbers are all `raw · 2^-fractional` in `[-k·2^integer, 2^integer)`. Integer or fractional bits
/// may be negative: `i = -2` leaves out the two bits below the binary point, `f = -2` the two lowest
/// integer bits.
///
/// `integer` here does **not** count the sign bit; the `I` of `ap_fixed<W,I>` does. See
/// [`FixedType::from_kif`](crate::FixedType::from_kif).
///
/// ```
/// use bittrue_fixed::{FixedType, Kif};
///
/// let kif = Kif { keep_negative: true, integer: 3, fractional: 4 };
/// assert_eq!(kif.width(), 8);
/// assert_eq!("ap_fixed<8,4>".parse::<FixedType>()?.kif(), kif);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Kif {
    /// Whether there is a sign bit (`k`).
    pub keep_negative: bool,
    /// Integer bits without the sign bit (`i`); may be negative.
    pub integer: i32,
    /// Fractional bits (`f`); may be negative.
    pub fractional: i32,
}

impl Kif {
    /// The width `k + i + f` in bits, not positive for a format that holds no number but zero.
    ///
    /// A sum outside `i32`, which no format of use has, is cut to the nearest `i32`.
    pub fn width(&self) -> i32 {
        let width =
            i64::from(self.keep_negative) + i64::from(self.integer) + i64::from(self.fractional);
        i32::try_from(width).unwrap_or(if width < 0 { i32::MIN } else { i32::MAX })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn width_is_the_sum_of_the_parts() {
        let width =
            |keep_negative, integer, fractional| Kif { keep_negative, integer, fractional }.width();
        assert_eq!(width(true, 3, 4), 8);
        assert_eq!(width(false, 3, 4), 7);
        assert_eq!(width(true, -2, 6), 5);
        assert_eq!(width(false, 32, -30), 2);
        assert_eq!(width(true, i32::MAX, i32::MAX), i32::MAX);
        assert_eq!(width(false, i32::MIN, i32::MIN), i32::MIN);
    }
}
