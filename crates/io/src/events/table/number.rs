//! What the text of a value means.

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value {
    /// An integer of at most 64 bits with sign.
    Integer,
    /// Another number.
    Real,
    /// No number.
    Other,
}

/// What a value is; everything that is a number here is read by [`real`], and every integer by
/// [`integer`].
pub(super) fn classify(text: &[u8]) -> Value {
    let unsigned = match text {
        [b'+' | b'-', rest @ ..] => rest,
        _ => text,
    };
    let digits = leading_digits(unsigned);
    if digits == unsigned.len() && digits > 0 {
        // -0 has a sign that no integer has.
        let negative_zero = text[0] == b'-' && unsigned.iter().all(|&b| b == b'0');
        return match !negative_zero && (digits < 19 || integer(text).is_some()) {
            true => Value::Integer,
            false => Value::Real,
        };
    }
    let decimal = || {
        let mut rest = &unsigned[digits..];
        let mut count = digits;
        if let [b'.', tail @ ..] = rest {
            let more = leading_digits(tail);
            count += more;
            rest = &tail[more..];
        }
        if let [b'e' | b'E', tail @ ..] = rest {
            let tail = match tail {
                [b'+' | b'-', tail @ ..] => tail,
                _ => tail,
            };
            let exponent = leading_digits(tail);
            return count > 0 && exponent > 0 && exponent == tail.len();
        }
        count > 0 && rest.is_empty()
    };
    match decimal() || is_special(unsigned) {
        true => Value::Real,
        false => Value::Other,
    }
}

fn leading_digits(text: &[u8]) -> usize {
    text.iter().take_while(|b| b.is_ascii_digit()).count()
}

/// NaN and infinity as NumPy and C write them, in any case.
fn is_special(text: &[u8]) -> bool {
    let is = |name: &str| text.eq_ignore_ascii_case(name.as_bytes());
    is("inf") || is("infinity") || is("nan") || is_nan_with_payload(text)
}

/// `nan(…)`, as C may write it.
fn is_nan_with_payload(text: &[u8]) -> bool {
    let Some((name, [b'(', payload @ .., b')'])) = text.split_at_checked(3) else { return false };
    let word = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
    name.eq_ignore_ascii_case(b"nan") && payload.iter().all(word)
}

/// The nearest float64 of a number, ties to even.
pub(super) fn real(text: &[u8]) -> Option<f64> {
    let number = std::str::from_utf8(text).ok().and_then(|t| t.parse().ok());
    number.or_else(|| {
        let unsigned = text.strip_prefix(b"-").or(text.strip_prefix(b"+")).unwrap_or(text);
        is_nan_with_payload(unsigned).then_some(f64::NAN)
    })
}

/// An integer.
pub(super) fn integer(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn integers() {
        for text in ["0", "-1", "+7", "007", "9223372036854775807", "-9223372036854775808"] {
            assert_eq!(classify(text.as_bytes()), Value::Integer, "{text}");
        }
        for text in ["-0", "-000", "9223372036854775808", "-9223372036854775809", "1."] {
            assert_eq!(classify(text.as_bytes()), Value::Real, "{text}");
        }
        assert_eq!(real(b"-0").map(f64::to_bits), Some((-0.0f64).to_bits()));
        assert_eq!(integer(b"-9223372036854775808"), Some(i64::MIN));
    }

    #[test]
    fn reals() {
        for (text, value) in [
            ("1.5", 1.5),
            (".5", 0.5),
            ("5.", 5.0),
            ("-1e3", -1000.0),
            ("+1.5E-1", 0.15),
            ("0.1", 0.1),
            ("1e400", f64::INFINITY),
            ("4.9e-324", f64::from_bits(1)),
            ("2.2250738585072011e-308", f64::from_bits(0x000f_ffff_ffff_ffff)),
            ("9007199254740993.0", 9_007_199_254_740_992.0),
            ("inf", f64::INFINITY),
            ("-Infinity", f64::NEG_INFINITY),
            ("+INF", f64::INFINITY),
        ] {
            assert_eq!(classify(text.as_bytes()), Value::Real, "{text}");
            assert_eq!(real(text.as_bytes()), Some(value), "{text}");
        }
        for text in ["nan", "NaN", "-nan", "+NAN", "nan(ind)", "-nan(0x8000000000000)", "NAN()"] {
            assert_eq!(classify(text.as_bytes()), Value::Real, "{text}");
            assert!(real(text.as_bytes()).is_some_and(f64::is_nan), "{text}");
        }
    }

    #[test]
    fn no_numbers() {
        for text in [
            "", "+", "-", ".", "e", "1e", "1e+", "1.2.3", "--1", "1 2", "1,5", "0x10", "1_000",
            "in", "infinit", "nano", "nan(", "nan(-)", "(nan)", "1f", "True", "\0", "1\0", "é",
            "−1", "1e5x", "∞", ".e1", "-.e1",
        ] {
            assert_eq!(classify(text.as_bytes()), Value::Other, "{text:?}");
        }
        assert_eq!(classify(b"1\xff"), Value::Other);
    }

    proptest! {
        /// Whatever is called a number can be read, and nothing else can.
        #[test]
        fn classes_are_what_can_be_read(text in "[+-]?[0-9.eEinfatyNAIF()x_ -]{0,12}|[+-]?[0-9]{17,21}") {
            let bytes = text.as_bytes();
            match classify(bytes) {
                Value::Integer => prop_assert!(integer(bytes).is_some()),
                Value::Real => prop_assert!(real(bytes).is_some()),
                Value::Other => prop_assert!(real(bytes).is_none()),
            }
        }

        #[test]
        fn every_float64_survives(bits in any::<u64>()) {
            let value = f64::from_bits(bits);
            for text in [format!("{value}"), format!("{value:e}"), format!("{value:?}")] {
                prop_assert_ne!(classify(text.as_bytes()), Value::Other);
                let read = real(text.as_bytes()).unwrap();
                prop_assert!(read.to_bits() == bits || read.is_nan() && value.is_nan());
            }
        }
    }
}
