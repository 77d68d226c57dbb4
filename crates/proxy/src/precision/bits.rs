//! Number formats with unlimited parts, and the types that HGQ makes of them.

use std::fmt;

use bittrue_fixed::{FixedType, Overflow, Rounding};

/// HGQ's number of bits that stands for no limit.
pub(super) const UNLIMITED: i64 = 65_535;

/// HGQ refuses types whose integer bits (without the sign) and fractional bits are more together.
const MAX_REGISTERED: i64 = 64;

/// Sign, integer bits without the sign, fractional bits. HGQ computes with 65535 bits where nothing
/// is known; sums with it stay as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bits {
    /// Whether there is a sign.
    pub keep_negative: bool,
    /// Integer bits without the sign.
    pub integer: i64,
    /// Fractional bits.
    pub fractional: i64,
}

impl Bits {
    pub(super) const ANYTHING: Self =
        Self { keep_negative: true, integer: UNLIMITED, fractional: UNLIMITED };

    /// Each part the larger of two.
    pub(super) fn union(self, other: Self) -> Self {
        Self {
            keep_negative: self.keep_negative || other.keep_negative,
            integer: self.integer.max(other.integer),
            fractional: self.fractional.max(other.fractional),
        }
    }

    /// Sign, integer and fractional bits together.
    pub fn width(self) -> i64 {
        i64::from(self.keep_negative) + self.integer + self.fractional
    }

    /// Whether a part is unlimited.
    pub fn is_unlimited(self) -> bool {
        // Additions to the number that stands for no limit leave it far beyond any format.
        self.integer.max(self.fractional) > UNLIMITED / 2
    }
}

/// A type as HGQ derives it, which may be too wide for anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WideType {
    /// The numbers.
    pub bits: Bits,
    /// Rounding.
    pub rounding: Rounding,
    /// Overflow.
    pub overflow: Overflow,
}

impl WideType {
    /// A type that cuts and wraps.
    pub(crate) fn cut(bits: Bits) -> Self {
        Self { bits, rounding: Rounding::Trn, overflow: Overflow::Wrap }
    }

    /// Whether HGQ refuses to register it ("huge bitwidth"): more than 64 integer and fractional
    /// bits.
    pub fn is_huge(&self) -> bool {
        self.bits.integer + self.bits.fractional > MAX_REGISTERED
    }

    /// The type, where it has one: some 1000 bits at most.
    pub fn fixed(&self) -> Option<FixedType> {
        let Bits { keep_negative, integer, .. } = self.bits;
        // Without any bit HGQ keeps one.
        let width = u32::try_from(self.bits.width().max(1)).ok()?;
        let integer = i32::try_from(integer + i64::from(keep_negative)).ok()?;
        FixedType::new(keep_negative, width, integer, self.rounding, self.overflow).ok()
    }

    /// HGQ's spelling; the modes are left out where the type is of weights or sums.
    pub(super) fn hgq_text(&self, modes: bool) -> String {
        let Bits { keep_negative, integer, .. } = self.bits;
        let (unsigned, k) = if keep_negative { ("", 1) } else { ("u", 0) };
        let modes =
            if modes { format!(",{},{}", self.rounding, self.overflow) } else { String::new() };
        format!("{unsigned}fixed<{},{}{modes}>", self.bits.width().max(1), integer + k)
    }
}

impl fmt::Display for WideType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.fixed() {
            Some(fixed) => fixed.to_string(),
            None if self.bits.is_unlimited() => "unlimited".to_owned(),
            None => format!("{} bits", self.bits.width()),
        };
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(keep_negative: bool, integer: i64, fractional: i64) -> WideType {
        WideType::cut(Bits { keep_negative, integer, fractional })
    }

    #[test]
    fn spellings() {
        let t = cut(true, 3, 4);
        assert_eq!(t.to_string(), "ap_fixed<8,4,TRN,WRAP>");
        assert_eq!(t.hgq_text(true), "fixed<8,4,TRN,WRAP>");
        assert_eq!(t.hgq_text(false), "fixed<8,4>");
        // No bits at all: HGQ keeps one.
        assert_eq!(cut(false, 0, 0).hgq_text(false), "ufixed<1,0>");
        assert_eq!(cut(false, 0, 0).to_string(), "ap_ufixed<1,0,TRN,WRAP>");
        assert_eq!(WideType::cut(Bits::ANYTHING).to_string(), "unlimited");
    }

    #[test]
    fn the_sign_does_not_count_as_huge() {
        assert!(!cut(true, 32, 32).is_huge());
        assert!(cut(false, 33, 32).is_huge());
    }
}
