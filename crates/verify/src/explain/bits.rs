//! Numbers in two's complement, as text.

use bittrue_fixed::{FixedType, exact_raw_f64};

/// The bit of `raw · 2^-fractional` that stands for `2^exponent`, in two's complement without end.
fn bit(raw: i128, fractional: i32, exponent: i64) -> bool {
    match exponent + i64::from(fractional) {
        ..0 => false,
        place => raw >> place.min(127) & 1 == 1,
    }
}

fn digits(raw: i128, fractional: i32, from: i64, to: i64) -> String {
    (to..=from).rev().map(|e| if bit(raw, fractional, e) { '1' } else { '0' }).collect()
}

/// The bits of `raw · 2^-fractional` that `target` has, with the binary point. Where the point lies
/// outside of them, the power of two of the lowest bit follows instead.
fn window(raw: i128, fractional: i32, target: FixedType) -> String {
    let top = i64::from(target.integer) - 1;
    let lowest = -i64::from(target.fractional());
    let text = digits(raw, fractional, top, lowest);
    match (usize::try_from(target.integer), text.len()) {
        (Ok(point), n) if point < n => format!("{}.{}", &text[..point], &text[point..]),
        (Ok(point), n) if point == n => text,
        _ => format!("{text}*2^{lowest}"),
    }
}

/// A raw of `target` in two's complement, all its bits.
pub(crate) fn of_raw(raw: i128, target: FixedType) -> String {
    window(raw, target.fractional(), target)
}

/// The raw of a value that is a code of `target`.
pub(crate) fn raw_of(value: f64, target: FixedType) -> Option<i128> {
    let (raw, fractional) = exact_raw_f64(value)?;
    let up = u32::try_from(target.fractional().checked_sub(fractional)?);
    let raw = if raw == 0 { 0 } else { raw.checked_mul(1_i128.checked_shl(up.ok()?)?)? };
    (target.raw_min()..=target.raw_max()).contains(&raw).then_some(raw)
}

/// A value cut where a type's bits begin and end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cut {
    /// The bits above, down from the sign; none where they only repeat the sign.
    pub(crate) above: String,
    /// The bits that the type has, with the binary point.
    pub(crate) kept: String,
    /// The bits below.
    pub(crate) below: String,
}

/// Cuts `raw · 2^-fractional` at the ends of `target`.
pub(crate) fn cut(raw: i128, fractional: i32, target: FixedType) -> Cut {
    let magnitude = if raw < 0 { !raw } else { raw };
    // The lowest place that holds nothing but the sign.
    let sign = i64::from(128 - magnitude.leading_zeros()) - i64::from(fractional);
    let first = i64::from(target.integer);
    let needed = match (target.signed, raw < 0) {
        (true, _) => sign >= first,
        (false, false) => sign > first,
        (false, true) => true,
    };
    let above =
        if needed { digits(raw, fractional, sign.max(first), first) } else { String::new() };
    let (highest, lowest) = (-i64::from(target.fractional()) - 1, -i64::from(fractional));
    let below = if raw == 0 { String::new() } else { digits(raw, fractional, highest, lowest) };
    Cut { above, kept: window(raw, fractional, target), below }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ty(text: &str) -> FixedType {
        text.parse().expect("a type")
    }

    fn parts(value: f64, target: &str) -> (String, String, String) {
        let (raw, fractional) = exact_raw_f64(value).expect("finite");
        let Cut { above, kept, below } = cut(raw, fractional, ty(target));
        (above, kept, below)
    }

    fn expect(above: &str, kept: &str, below: &str) -> (String, String, String) {
        (above.to_owned(), kept.to_owned(), below.to_owned())
    }

    #[test]
    fn raws_with_the_binary_point() {
        let text = |raw, target| of_raw(raw, ty(target));
        assert_eq!(text(-56, "ap_fixed<8,4>"), "1100.1000");
        assert_eq!(text(5, "ap_fixed<4,4>"), "0101");
        assert_eq!(text(63, "ap_ufixed<6,0>"), ".111111");
        assert_eq!(text(3, "ap_ufixed<3,-2>"), "011*2^-5");
        assert_eq!(text(-2, "ap_fixed<3,5>"), "110*2^2");
        assert_eq!(text(0, "ap_fixed<0,0>"), "");
    }

    #[test]
    fn values_are_cut_where_the_type_ends() {
        assert_eq!(parts(12.5, "ap_fixed<8,4>"), expect("0", "1100.1000", ""));
        assert_eq!(parts(-12.5, "ap_fixed<8,4>"), expect("1", "0011.1000", ""));
        assert_eq!(parts(7.5, "ap_fixed<8,4>"), expect("", "0111.1000", ""));
        assert_eq!(parts(-0.03125, "ap_fixed<8,4>"), expect("", "1111.1111", "1"));
        assert_eq!(parts(40.09375, "ap_fixed<8,4>"), expect("010", "1000.0001", "1"));
        assert_eq!(parts(0.984375, "ap_ufixed<6,0>"), expect("", ".111111", ""));
        assert_eq!(parts(1.0, "ap_ufixed<6,0>"), expect("01", ".000000", ""));
        assert_eq!(parts(-0.5, "ap_ufixed<6,0>"), expect("1", ".100000", ""));
        assert_eq!(parts(0.0, "ap_fixed<8,4>"), expect("", "0000.0000", ""));
        // A tiny value, and one that is far above.
        assert_eq!(parts(2f64.powi(-149), "ap_fixed<2,2>").2.len(), 149);
        assert_eq!(parts(2f64.powi(200), "ap_fixed<2,2>").0, format!("01{}", "0".repeat(198)));
    }

    #[test]
    fn values_off_the_grid_have_no_raw() {
        let t = ty("ap_fixed<8,4>");
        assert_eq!(raw_of(-3.5, t), Some(-56));
        assert_eq!((raw_of(8.0, t), raw_of(0.03125, t), raw_of(f64::NAN, t)), (None, None, None));
        assert_eq!(raw_of(-0.0, t), Some(0));
        assert_eq!(raw_of(2f64.powi(900), t), None);
    }
}
