//! Exact passage between binary floating point and raws.

/// Splits a finite double into an odd integer (or 0) and a number of fractional bits, exactly.
///
/// Returns `(raw, fractional)` with `x = raw · 2^-fractional`; zero of either sign is `(0, 0)`. The raw has
/// at most 53 bits and `fractional` lies between -1023 and 1074. `None` for NaN and infinities.
///
/// ```
/// use bittrue_fixed::exact_raw_f64;
///
/// assert_eq!(exact_raw_f64(-0.75), Some((-3, 2)));
/// assert_eq!(exact_raw_f64(40.0), Some((5, -3)));
/// assert_eq!(exact_raw_f64(f64::NAN), None);
/// ```
pub fn exact_raw_f64(x: f64) -> Option<(i128, i32)> {
    if !x.is_finite() {
        return None;
    }
    let bits = x.to_bits();
    let biased = (bits >> 52 & 0x7ff) as i32;
    let stored = i128::from(bits & ((1 << 52) - 1));
    // Denormals share the smallest normal exponent and have no implicit leading bit.
    let (mantissa, exponent) = match biased {
        0 => (stored, -1074),
        _ => (stored | 1 << 52, biased - 1075),
    };
    if mantissa == 0 {
        return Some((0, 0));
    }
    let zeros = mantissa.trailing_zeros();
    let odd = mantissa >> zeros;
    Some((if x < 0.0 { -odd } else { odd }, -(exponent + zeros as i32)))
}

/// The double nearest to `raw · 2^-fractional`, ties to even; infinite beyond the largest double.
pub(crate) fn nearest_f64(raw: i128, fractional: i32) -> f64 {
    let magnitude = raw.unsigned_abs();
    if magnitude == 0 {
        return 0.0;
    }
    let length = i64::from(128 - magnitude.leading_zeros());
    let top = length - 1 - i64::from(fractional);
    if top > 1023 {
        return if raw < 0 { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    // A double has 53 bits, and fewer below 2^-1022. Rounding happens once, here; what follows is exact.
    let kept = 53.min(top + 1075);
    if kept < 0 {
        return if raw < 0 { -0.0 } else { 0.0 };
    }
    let dropped = (length - kept).max(0);
    let mantissa = match dropped {
        0 => magnitude,
        1..=128 => {
            let half = 1_u128 << (dropped - 1);
            let floor = magnitude >> (dropped - 1) >> 1;
            let remainder = magnitude & (half | (half - 1));
            floor + u128::from(remainder > half || remainder == half && floor & 1 == 1)
        }
        // `kept` is not negative, so at most all 128 bits are dropped.
        _ => 0,
    };
    let nearest = mantissa as f64 * power_of_two(dropped - i64::from(fractional));
    if raw < 0 { -nearest } else { nearest }
}

/// `2^exponent`: zero below the smallest double, infinite above the largest.
pub(crate) fn power_of_two(exponent: i64) -> f64 {
    match exponent {
        ..-1074 => 0.0,
        -1074..-1022 => f64::from_bits(1 << (exponent + 1074)),
        -1022..1024 => f64::from_bits(((exponent + 1023) as u64) << 52),
        _ => f64::INFINITY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_split_exactly() {
        for (x, expected) in [
            (0.0, (0, 0)),
            (-0.0, (0, 0)),
            (1.0, (1, 0)),
            (-6.0, (-3, -1)),
            (0.1, (0x1999999999999a >> 1, 55)),
            (f64::MAX, ((1 << 53) - 1, -971)),
            (f64::MIN_POSITIVE, (1, 1022)),
            (f64::from_bits(1), (1, 1074)),
            (f64::from_bits((1 << 52) - 1), ((1 << 52) - 1, 1074)),
            (-f64::from_bits(6), (-3, 1073)),
            (2.0_f64.powi(1023), (1, -1023)),
        ] {
            assert_eq!(exact_raw_f64(x), Some(expected), "{x:e}");
            assert_eq!(nearest_f64(expected.0, expected.1), x, "{x:e}");
        }
        for x in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(exact_raw_f64(x), None);
        }
    }

    #[test]
    fn long_raws_round_to_nearest_even() {
        let ulp = 1_i128 << 53;
        assert_eq!(nearest_f64(ulp + 1, 0), ulp as f64);
        assert_eq!(nearest_f64(ulp + 3, 0), (ulp + 4) as f64);
        assert_eq!(nearest_f64(-(ulp + 1), 0), -(ulp as f64));
        for raw in [i128::MAX, i128::MIN, i128::MIN + 1, 0x1234_5678_9abc_def0_1234_5678_9abc_def0]
        {
            assert_eq!(nearest_f64(raw, 0), raw as f64);
            assert_eq!(nearest_f64(raw, 64), raw as f64 / 2.0_f64.powi(64));
        }
    }

    #[test]
    fn the_ends_of_the_exponent_range() {
        let smallest = f64::from_bits(1);
        assert_eq!(nearest_f64(1, 1075), 0.0);
        assert_eq!(nearest_f64(3, 1075), f64::from_bits(2));
        assert_eq!(nearest_f64(3, 1076), smallest);
        assert_eq!(nearest_f64(-1, 1074), -smallest);
        assert_eq!(nearest_f64(i128::MAX, 1074 + 127), smallest);
        assert_eq!(nearest_f64(i128::MIN, 1074 + 128), 0.0);
        assert_eq!(nearest_f64(1, i32::MAX), 0.0);
        assert_eq!(nearest_f64(1, -1024), f64::INFINITY);
        assert_eq!(nearest_f64(-1, i32::MIN), f64::NEG_INFINITY);
        assert_eq!(nearest_f64(1, -1023), 2.0_f64.powi(1023));
        assert_eq!(nearest_f64((1 << 54) - 1, -970), f64::INFINITY);
        assert_eq!(nearest_f64(0, i32::MIN), 0.0);
    }

    #[test]
    fn powers_of_two() {
        assert_eq!(power_of_two(0), 1.0);
        assert_eq!(power_of_two(-3), 0.125);
        assert_eq!(power_of_two(-1022), f64::MIN_POSITIVE);
        assert_eq!(power_of_two(-1023), f64::MIN_POSITIVE / 2.0);
        assert_eq!(power_of_two(-1074), f64::from_bits(1));
        assert_eq!(power_of_two(-1075), 0.0);
        assert_eq!(power_of_two(1023), 2.0_f64.powi(1023));
        assert_eq!(power_of_two(1024), f64::INFINITY);
    }
}
