//! `ap_fixed<W,I,Q,O,N>` as data.

use serde::{Deserialize, Serialize};

use crate::convert::convert_raw;
use crate::float::{nearest_f64, power_of_two};
use crate::{Dialect, Kif, Overflow, QInterval, Rounding, TypeError, exact_raw_f64};

/// A fixed-point type, `ap_fixed<W,I,Q,O,N>` or `ap_ufixed<W,I,Q,O,N>`.
///
/// Its values are `raw · 2^-(W - I)`, with `raw` in `[-2^(W-1), 2^(W-1))` when signed and `[0, 2^W)` when
/// not. `I` may lie outside `0…W`.
///
/// **`I` counts the sign bit**; the `i` of [`Kif`] does not: `ap_fixed<8,4>` reaches from -8 to just
/// below 8 and is `kif = (1, 3, 4)`.
///
/// The text form (also in serde) is `ap_fixed<8,4,RND_CONV,SAT>`; see [`FromStr`](std::str::FromStr).
///
/// The fields are public so that a mode can be exchanged in place. A type put together by hand outside the
/// limits of [`new`](Self::new) is refused by the conversions; nothing panics.
///
/// ```
/// use bittrue_fixed::{Dialect, FixedType};
///
/// // 0.28125 = 9 · 2^-5 lies in the middle between the codes 4 and 5 of a type with LSB 2^-4.
/// let even: FixedType = "ap_fixed<8,4,RND_CONV,SAT>".parse()?;
/// let up: FixedType = "ap_fixed<8,4,RND,SAT>".parse()?;
/// assert_eq!(even.convert(9, 5, Dialect::ApFixed)?, 4);
/// assert_eq!(up.convert(9, 5, Dialect::ApFixed)?, 5);
///
/// // 100 does not fit: SAT stops at the largest code, 127 · 2^-4, WRAP keeps the low eight bits.
/// let wrap: FixedType = "ap_fixed<8,4>".parse()?;
/// assert_eq!(even.value(even.convert_f64(100.0, Dialect::ApFixed)?), 7.9375);
/// assert_eq!(wrap.value(wrap.convert_f64(100.0, Dialect::ApFixed)?), 4.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FixedType {
    /// Whether there is a sign bit (`ap_fixed`) or not (`ap_ufixed`).
    pub signed: bool,
    /// Width `W` in bits, the sign bit counted.
    pub width: u32,
    /// Integer bits `I`, **the sign bit counted**; may be negative or above the width.
    pub integer: i32,
    /// Rounding mode `Q`.
    pub rounding: Rounding,
    /// Overflow mode `O`.
    pub overflow: Overflow,
    /// Saturation bits `N` of the wrapping modes; the other modes ignore them.
    pub saturation_bits: u32,
}

impl FixedType {
    /// The largest width in bits. Raws live in `i128`; two bits are kept free for rounding and reflection.
    pub const MAX_WIDTH: u32 = 126;

    /// The largest `|I|`.
    pub const MAX_INTEGER: i32 = 1024;

    /// A type without saturation bits.
    ///
    /// `integer` is the `I` of `ap_fixed<W,I>` and counts the sign bit.
    ///
    /// # Errors
    ///
    /// [`TypeError::Width`] above [`MAX_WIDTH`](Self::MAX_WIDTH), [`TypeError::Integer`] beyond
    /// ±[`MAX_INTEGER`](Self::MAX_INTEGER).
    pub fn new(
        signed: bool,
        width: u32,
        integer: i32,
        rounding: Rounding,
        overflow: Overflow,
    ) -> Result<Self, TypeError> {
        let new = Self { signed, width, integer, rounding, overflow, saturation_bits: 0 };
        new.check()?;
        Ok(new)
    }

    /// The same type with `n` saturation bits.
    ///
    /// # Errors
    ///
    /// [`TypeError::SaturationBits`] when `n` is above the width.
    pub fn with_saturation_bits(self, n: u32) -> Result<Self, TypeError> {
        let new = Self { saturation_bits: n, ..self };
        new.check()?;
        Ok(new)
    }

    /// The type with the numbers of `kif`, whose integer bits do not count the sign bit.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new); also [`TypeError::Width`] when the parts sum to less than zero.
    pub fn from_kif(kif: Kif, rounding: Rounding, overflow: Overflow) -> Result<Self, TypeError> {
        let integer = i64::from(kif.keep_negative) + i64::from(kif.integer);
        let width = integer + i64::from(kif.fractional);
        Self::new(
            kif.keep_negative,
            u32::try_from(width).map_err(|_| TypeError::Width { width })?,
            i32::try_from(integer).map_err(|_| TypeError::Integer { integer })?,
            rounding,
            overflow,
        )
    }

    /// The format without the modes; its integer bits do not count the sign bit.
    pub fn kif(&self) -> Kif {
        Kif {
            keep_negative: self.signed,
            integer: self.integer.saturating_sub(i32::from(self.signed)),
            fractional: self.fractional(),
        }
    }

    /// Fractional bits `W - I`; negative when the LSB is above one.
    pub fn fractional(&self) -> i32 {
        let fractional = i64::from(self.width) - i64::from(self.integer);
        i32::try_from(fractional).unwrap_or(i32::MAX)
    }

    /// The smallest raw that the bits can hold: `-2^(W-1)`, or 0 when unsigned.
    pub fn raw_min(&self) -> i128 {
        if self.signed && self.width > 0 { -self.raw_max() - 1 } else { 0 }
    }

    /// The largest raw that the bits can hold: `2^(W-1) - 1`, or `2^W - 1` when unsigned.
    pub fn raw_max(&self) -> i128 {
        let magnitude_bits = self.width.min(Self::MAX_WIDTH).saturating_sub(u32::from(self.signed));
        (1 << magnitude_bits) - 1
    }

    /// The value of one LSB, `2^-(W-I)`. Exact within the limits of [`new`](Self::new) while `W - I` is at
    /// most 1074; below that no double is small enough and the result is 0.
    pub fn lsb(&self) -> f64 {
        power_of_two(-i64::from(self.fractional()))
    }

    /// All codes that a conversion can produce.
    ///
    /// With `SAT_SYM` a signed type reaches down to `-raw_max` only; a single bit reaches -1, which is what
    /// [`Dialect::ApFixed`] makes of it (see [`Dialect`]).
    pub fn interval(&self) -> QInterval {
        let min = match self.overflow {
            Overflow::SatSym if self.signed && self.width > 1 => -self.raw_max(),
            _ => self.raw_min(),
        };
        QInterval { min, max: self.raw_max(), fractional: self.fractional() }
    }

    /// Converts the value `raw · 2^-fractional` to this type and returns its raw.
    ///
    /// Exact for every `raw` and every shift: the value is rounded once, as a rational number, and then
    /// reduced to the width. (For rounding modes other than `TRN` the C++ headers abort when half the
    /// target's LSB lies above the source's sign bit; here such values are rounded like any other.)
    ///
    /// # Errors
    ///
    /// Never because of the value. [`TypeError::UnsignedWrapSm`] and [`TypeError::ZeroWidth`] in
    /// [`Dialect::ApFixed`], where the C++ type refuses; the errors of [`new`](Self::new) for a type put
    /// together by hand outside its limits.
    ///
    /// ```
    /// use bittrue_fixed::{Dialect, FixedType};
    ///
    /// // A single signed bit under SAT_SYM: the dialects differ.
    /// let bit: FixedType = "ap_fixed<1,1,TRN,SAT_SYM>".parse()?;
    /// assert_eq!(bit.convert(-5, 0, Dialect::ApFixed)?, -1);
    /// assert_eq!(bit.convert(-5, 0, Dialect::Hgq)?, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn convert(&self, raw: i128, fractional: i32, dialect: Dialect) -> Result<i128, TypeError> {
        self.check()?;
        match (self.width, dialect) {
            (0, Dialect::Hgq) => Ok(0),
            (0, Dialect::ApFixed) => Err(TypeError::ZeroWidth),
            _ => convert_raw(raw, fractional, self, dialect),
        }
    }

    /// Converts a double, taken as the exact binary fraction that it is.
    ///
    /// Denormal doubles too, which the C++ headers misread; that shows only in types with an LSB below
    /// `2^-1000`, of any other the headers see a value next to zero as well.
    ///
    /// # Errors
    ///
    /// [`TypeError::NotFinite`] for NaN and infinities; otherwise as [`convert`](Self::convert).
    pub fn convert_f64(&self, x: f64, dialect: Dialect) -> Result<i128, TypeError> {
        let (raw, fractional) = exact_raw_f64(x).ok_or(TypeError::NotFinite)?;
        self.convert(raw, fractional, dialect)
    }

    /// Converts a float32, taken as the exact binary fraction that it is.
    ///
    /// # Errors
    ///
    /// As [`convert_f64`](Self::convert_f64).
    pub fn convert_f32(&self, x: f32, dialect: Dialect) -> Result<i128, TypeError> {
        self.convert_f64(f64::from(x), dialect)
    }

    /// The value `raw · 2^-(W-I)` of a raw.
    ///
    /// Exact when the raw has at most 53 significant bits and the value is a normal double, so for every
    /// code of a type with at most 53 bits and `|I|` up to 900. Otherwise the nearest double, ties to even.
    pub fn value(&self, raw: i128) -> f64 {
        nearest_f64(raw, self.fractional())
    }

    /// Whether the fields respect the limits of [`new`](Self::new).
    fn check(&self) -> Result<(), TypeError> {
        if self.width > Self::MAX_WIDTH {
            return Err(TypeError::Width { width: i64::from(self.width) });
        }
        if !(-Self::MAX_INTEGER..=Self::MAX_INTEGER).contains(&self.integer) {
            return Err(TypeError::Integer { integer: i64::from(self.integer) });
        }
        if self.saturation_bits > self.width {
            return Err(TypeError::SaturationBits {
                bits: self.saturation_bits,
                width: self.width,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ty(text: &str) -> FixedType {
        text.parse().unwrap()
    }

    #[test]
    fn the_sign_bit_counts_in_i_and_not_in_kif() {
        let kif = Kif { keep_negative: true, integer: 3, fractional: 4 };
        let signed = FixedType::from_kif(kif, Rounding::Trn, Overflow::Wrap).unwrap();
        assert_eq!(signed, ty("ap_fixed<8,4>"));
        assert_eq!(signed.kif(), kif);
        let unsigned = ty("ap_ufixed<8,4>");
        assert_eq!(unsigned.kif(), Kif { keep_negative: false, integer: 4, fractional: 4 });
    }

    #[test]
    fn ranges() {
        let ends = |text| (ty(text).raw_min(), ty(text).raw_max());
        assert_eq!(ends("ap_fixed<8,4>"), (-128, 127));
        assert_eq!(ends("ap_ufixed<8,4>"), (0, 255));
        assert_eq!(ends("ap_fixed<1,1>"), (-1, 0));
        assert_eq!(ends("ap_fixed<0,0>"), (0, 0));
        assert_eq!(ends("ap_ufixed<0,0>"), (0, 0));
        assert_eq!(ends("ap_fixed<126,4>"), (-(1 << 125), (1 << 125) - 1));
        assert_eq!(ends("ap_ufixed<126,4>"), (0, (1 << 126) - 1));
    }

    #[test]
    fn intervals_are_what_conversions_reach() {
        let ends = |text| {
            let QInterval { min, max, fractional } = ty(text).interval();
            (min, max, fractional)
        };
        assert_eq!(ends("ap_fixed<4,6>"), (-8, 7, -2));
        assert_eq!(ends("ap_fixed<4,1,RND,SAT_SYM>"), (-7, 7, 3));
        assert_eq!(ends("ap_ufixed<4,1,RND,SAT_SYM>"), (0, 15, 3));
        assert_eq!(ends("ap_fixed<1,1,RND,SAT_SYM>"), (-1, 0, 0));
    }

    #[test]
    fn limits() {
        let new =
            |width, integer| FixedType::new(true, width, integer, Rounding::Trn, Overflow::Wrap);
        assert!(new(126, 1024).is_ok() && new(0, -1024).is_ok());
        assert_eq!(new(127, 0), Err(TypeError::Width { width: 127 }));
        assert_eq!(new(u32::MAX, 0), Err(TypeError::Width { width: 4294967295 }));
        assert_eq!(new(8, 1025), Err(TypeError::Integer { integer: 1025 }));
        assert_eq!(new(8, i32::MIN), Err(TypeError::Integer { integer: -2147483648 }));
        let bits = |n| ty("ap_fixed<8,4>").with_saturation_bits(n);
        assert_eq!(bits(8).unwrap().saturation_bits, 8);
        assert_eq!(bits(9), Err(TypeError::SaturationBits { bits: 9, width: 8 }));

        let from_kif = |keep_negative, integer, fractional| {
            FixedType::from_kif(
                Kif { keep_negative, integer, fractional },
                Rounding::Trn,
                Overflow::Wrap,
            )
        };
        assert_eq!(from_kif(true, -3, 2), Ok(ty("ap_fixed<0,-2>")));
        assert_eq!(from_kif(true, -4, 2), Err(TypeError::Width { width: -1 }));
        assert_eq!(
            from_kif(true, i32::MAX, i32::MIN),
            Err(TypeError::Integer { integer: 1 << 31 })
        );
        assert_eq!(
            from_kif(false, i32::MAX, i32::MAX),
            Err(TypeError::Width { width: 2 * i64::from(i32::MAX) })
        );
    }

    #[test]
    fn values_and_lsb() {
        assert_eq!(ty("ap_fixed<8,4>").lsb(), 0.0625);
        assert_eq!(ty("ap_ufixed<2,32>").lsb(), 1073741824.0);
        assert_eq!(ty("ap_ufixed<2,32>").value(3), 3221225472.0);
        assert_eq!(ty("ap_fixed<8,4>").value(-128), -8.0);
        assert_eq!(ty("ap_fixed<126,-1024>").lsb(), 0.0);
    }

    #[test]
    fn floats_are_taken_exactly() {
        let f32_tenth = ty("ap_fixed<60,4>").convert_f32(0.1, Dialect::ApFixed).unwrap();
        let f64_tenth = ty("ap_fixed<60,4>").convert_f64(0.1, Dialect::ApFixed).unwrap();
        assert_eq!(f32_tenth, 0xcccccd << 29);
        assert_eq!(f64_tenth, 0x1999999999999a);
        for x in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let refused = ty("ap_fixed<8,4>").convert_f32(x, Dialect::ApFixed);
            assert_eq!(refused, Err(TypeError::NotFinite));
        }
        assert_eq!(ty("ap_fixed<8,4>").convert_f64(-f64::MIN_POSITIVE, Dialect::ApFixed), Ok(-1));
        assert_eq!(ty("ap_fixed<8,4>").convert_f64(-0.0, Dialect::ApFixed), Ok(0));
    }

    #[test]
    fn a_type_outside_the_limits_is_refused() {
        let wild = FixedType { width: 200, ..ty("ap_fixed<8,4>") };
        let refused = wild.convert(1, 0, Dialect::Hgq);
        assert_eq!(refused, Err(TypeError::Width { width: 200 }));
        assert!(wild.raw_max() > 0 && wild.raw_min() < 0);
    }
}
