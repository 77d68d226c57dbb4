//! Values of a tensor, and conversions.

use bittrue_fixed::{Dialect, FixedType};

/// One tensor for some events: `raw[element * lanes + lane] · 2^-fractional`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tensor {
    /// The integers, events innermost.
    pub raw: Vec<i128>,
    /// Fractional bits of all of them.
    pub fractional: i32,
    /// Events.
    pub lanes: usize,
}

impl Tensor {
    /// Elements of one event.
    pub fn elements(&self) -> usize {
        self.raw.len().checked_div(self.lanes).unwrap_or(0)
    }

    /// The lanes of an element.
    pub(crate) fn lanes_of(&self, element: usize) -> &[i128] {
        &self.raw[element * self.lanes..(element + 1) * self.lanes]
    }

    /// The same values with `fractional` bits, at least as many as now.
    pub(crate) fn finer(&self, fractional: i32) -> Vec<i128> {
        let up = fractional - self.fractional;
        self.raw.iter().map(|&v| up_shift(v, up)).collect()
    }

    /// Every value by itself.
    pub(crate) fn map(&self, fractional: i32, f: impl Fn(i128) -> i128) -> Self {
        Self { raw: self.raw.iter().map(|&v| f(v)).collect(), fractional, lanes: self.lanes }
    }
}

/// `v · 2^up`; what does not fit has no type that could hold it.
pub(crate) fn up_shift(v: i128, up: i32) -> i128 {
    match u32::try_from(up) {
        Ok(up) if up < 127 => v.wrapping_shl(up),
        Ok(_) => 0,
        Err(_) => v >> up.unsigned_abs().min(127),
    }
}

/// A conversion as the C++ does it, also where an assertion of the C++ fails (M17). The plan has tried
/// the type, so that it exists.
pub(crate) fn convert(t: &FixedType, raw: i128, fractional: i32) -> i128 {
    t.convert(raw, fractional, Dialect::ApFixed).unwrap_or(0)
}

/// The conversion of a double, which is exact: nothing is added to it in float32 to round it (M11).
///
/// The C++ takes exponent and mantissa as they are, so an infinity is `2^1024` and a NaN something
/// beyond, with its sign (M23): the largest or lowest value under saturation and 0 under wrapping.
pub fn input(target: &FixedType, x: f64) -> i128 {
    if x.is_finite() {
        return target.convert_f64(x, Dialect::ApFixed).unwrap_or(0);
    }
    let mantissa = i128::from((x.to_bits() & ((1 << 52) - 1)) | (1 << 52));
    let raw = if x.is_sign_negative() { -mantissa } else { mantissa };
    convert(target, raw, 52 - 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ty(text: &str) -> FixedType {
        text.parse().expect(text)
    }

    /// M23.
    #[test]
    fn infinities_and_nan_are_large_numbers() {
        let sat = ty("ap_fixed<8,4,RND_CONV,SAT>");
        let wrap = ty("ap_fixed<8,4,RND_CONV,WRAP>");
        assert_eq!(input(&sat, f64::NAN), 127);
        assert_eq!(input(&sat, f64::from_bits(f64::NAN.to_bits() | 1 << 63)), -128);
        assert_eq!(input(&sat, f64::INFINITY), 127);
        assert_eq!(input(&sat, f64::NEG_INFINITY), -128);
        for x in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(input(&wrap, x), 0);
        }
        assert_eq!(input(&sat, 0.40625), 6);
        assert_eq!(input(&ty("ap_fixed<8,4>"), 100.0), 64);
    }

    /// M16: an input that no fused quantizer types keeps 24 fractional bits, rounded down.
    #[test]
    fn an_unfused_input_is_truncated() {
        let t = ty("ap_fixed<28,4,TRN,SAT>");
        assert_eq!(input(&t, 1.0 + 2f64.powi(-25)), 1 << 24);
        assert_eq!(input(&t, -2f64.powi(-40)), -1);
    }
}
