//! What a fixed-point type has to hold to carry recorded events exactly.

use std::collections::BTreeMap;
use std::ops::Range;

use bittrue_block::{EventBlock, InputEvents};
use bittrue_fixed::{FixedType, Overflow, Rounding, exact_raw_f64};

/// The widest type that is chosen by itself.
const WIDEST: u32 = 32;

/// The values of one input, as far as the choice of a type needs them. Merging is commutative.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct InputRange {
    low: f64,
    high: f64,
    /// How many values need how many fractional bits.
    fractional: BTreeMap<i32, u64>,
    not_finite: u64,
}

impl InputRange {
    /// The ranges of all inputs over some events.
    pub(crate) fn of(block: &EventBlock, span: &Range<usize>) -> Vec<Self> {
        block.inputs.iter().map(|input| Self::of_input(input, span)).collect()
    }

    fn of_input(input: &InputEvents, span: &Range<usize>) -> Self {
        let mut range = Self::default();
        for i in span.start * input.elements..span.end * input.elements {
            let value = f64::from(input.data.as_f32(i));
            match exact_raw_f64(value) {
                None => range.not_finite += 1,
                Some((0, _)) => {}
                Some((_, fractional)) => {
                    *range.fractional.entry(fractional).or_default() += 1;
                    range.low = range.low.min(value);
                    range.high = range.high.max(value);
                }
            }
        }
        range
    }

    /// Adds another range.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.low = self.low.min(other.low);
        self.high = self.high.max(other.high);
        self.not_finite += other.not_finite;
        for (&fractional, &count) in &other.fractional {
            *self.fractional.entry(fractional).or_default() += count;
        }
    }

    /// Merges the ranges of all inputs.
    pub(crate) fn merge_all(into: &mut Vec<Self>, other: &[Self]) {
        into.resize_with(into.len().max(other.len()), Self::default);
        for (a, b) in into.iter_mut().zip(other) {
            a.merge(b);
        }
    }

    /// Integer bits, the sign included, that the values need.
    fn integer(&self) -> i32 {
        let signed = self.low < 0.0;
        // The smallest i with high < 2^i and low >= -2^i.
        let mut i = -1074_i32;
        while self.high >= 2f64.powi(i) || self.low < -(2f64.powi(i)) {
            i += 1;
        }
        i + i32::from(signed)
    }

    /// The smallest type that holds every value exactly.
    ///
    /// # Errors
    ///
    /// Why there is none of at most 32 bits.
    pub(crate) fn smallest(&self) -> Result<FixedType, String> {
        if self.not_finite > 0 {
            return Err(format!("{} values are NaN or infinite", self.not_finite));
        }
        let Some((&fractional, _)) = self.fractional.last_key_value() else {
            // Nothing but zeros: one bit holds them.
            return FixedType::new(false, 1, 1, Rounding::Trn, Overflow::Wrap)
                .map_err(|e| e.to_string());
        };
        let integer = self.integer();
        let width = u32::try_from(integer + fractional).unwrap_or(0).max(1);
        if width > WIDEST {
            return Err(format!(
                "the values need {integer} integer bits (sign included) and {fractional} fractional \
                 bits, {width} in all; ap_fixed<16,{integer}> would round {} of them",
                self.rounded_by(16 - integer)
            ));
        }
        FixedType::new(self.low < 0.0, width, integer, Rounding::Trn, Overflow::Wrap)
            .map_err(|e| e.to_string())
    }

    /// Values that need more than this many fractional bits.
    fn rounded_by(&self, fractional: i32) -> u64 {
        self.fractional.range(fractional + 1..).map(|(_, count)| count).sum()
    }
}

#[cfg(test)]
mod tests {
    use bittrue_block::EventData;

    use super::*;

    fn range(values: &[f32]) -> InputRange {
        let input = InputEvents { elements: 1, data: EventData::F32(values.to_vec()) };
        InputRange::of_input(&input, &(0..values.len()))
    }

    fn smallest(values: &[f32]) -> String {
        range(values).smallest().map_or_else(|e| e, |t| t.to_string())
    }

    #[test]
    fn smallest_types() {
        assert_eq!(smallest(&[0.5, 3.0]), "ap_ufixed<3,2,TRN,WRAP>");
        assert_eq!(smallest(&[-4.0, 3.5]), "ap_fixed<4,3,TRN,WRAP>");
        // -4 is representable with 3 integer bits, +4 is not.
        assert_eq!(smallest(&[-4.0, 4.0]), "ap_fixed<2,4,TRN,WRAP>");
        assert_eq!(smallest(&[-4.0, 4.0, 0.5]), "ap_fixed<5,4,TRN,WRAP>");
        assert_eq!(smallest(&[96.0]), "ap_ufixed<2,7,TRN,WRAP>");
        assert_eq!(smallest(&[-0.25]), "ap_fixed<1,-1,TRN,WRAP>");
        assert_eq!(smallest(&[0.0]), "ap_ufixed<1,1,TRN,WRAP>");
    }

    #[test]
    fn no_type() {
        assert!(smallest(&[1.0, f32::NAN]).contains("1 values are NaN"));
        let text = smallest(&[1e9, 0.1, 0.5]);
        assert!(text.contains("30 integer bits") && text.contains("would round"), "{text}");
    }

    #[test]
    fn merging_is_counting_together() {
        let (a, b) = (range(&[0.5, -3.0]), range(&[100.0, 0.125]));
        let mut ab = a.clone();
        ab.merge(&b);
        let mut ba = b;
        ba.merge(&a);
        assert_eq!(ab, ba);
        assert_eq!(ab, range(&[0.5, -3.0, 100.0, 0.125]));
    }
}
