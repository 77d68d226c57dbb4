//! From a word of a text to a value.

use bittrue_fixed::FixedType;

use super::CodeType;

/// A code as bits, the lowest first; 1024 bits at most.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Code {
    /// With a sign, written in decimal.
    Decimal(i128),
    /// The digits of a hexadecimal word, the lowest first.
    Hexadecimal(Vec<u8>),
}

/// The value of a decimal number; `None` where the word is none.
pub(super) fn decimal(word: &str) -> Option<f64> {
    let lower = word.to_ascii_lowercase();
    let body = lower.trim_start_matches(['-', '+']);
    // Rust's own `infinity` and words such as `1e5_000` are no output of a C++ stream.
    let is_number = body.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    (is_number || matches!(body, "nan" | "inf")).then(|| lower.parse().ok()).flatten()
}

/// Significant digits that a decimal number is written with.
pub(super) fn digits(word: &str) -> u32 {
    let significand = word.split(['e', 'E']).next().unwrap_or(word);
    let all = significand.chars().filter(char::is_ascii_digit);
    let count = all.skip_while(|c| *c == '0').count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The value of which a word is the code.
pub(super) fn coded(word: &str, bits: Option<(u32, u32)>, code: &CodeType) -> Result<f64, String> {
    let t = &code.fixed_type;
    let raw = match (read(word, code.hexadecimal)?, bits) {
        (Code::Decimal(raw), None) => within(raw, t)
            .ok_or_else(|| format!("`{word}` is no code of {t}, which has {} bits", t.width))?,
        (Code::Decimal(raw), Some((high, low))) => {
            let raw = u128::try_from(raw)
                .map_err(|_| format!("`{word}` has a sign, so that no bits can be taken of it"))?;
            take(&nibbles(raw), high, low, t)?
        }
        (Code::Hexadecimal(nibbles), bits) => {
            if let Some((high, _)) = bits.filter(|(high, _)| *high as usize >= 4 * nibbles.len()) {
                let all = 4 * nibbles.len();
                return Err(format!("`{word}` has {all} bits, so there is no bit {high}"));
            }
            let used = nibbles
                .iter()
                .rposition(|&n| n != 0)
                .map_or(0, |at| 4 * at + 8 - nibbles[at].leading_zeros() as usize);
            if bits.is_none() && used > t.width as usize {
                return Err(format!("`{word}` is no code of {t}, which has {} bits", t.width));
            }
            let (high, low) = bits.unwrap_or((t.width.max(1) - 1, 0));
            take(&nibbles, high, low, t)?
        }
    };
    Ok(t.value(raw))
}

fn read(word: &str, hexadecimal: bool) -> Result<Code, String> {
    let prefixed = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X"));
    let digits = match prefixed {
        Some(digits) => digits,
        None if hexadecimal => word,
        None => {
            return word.parse().map(Code::Decimal).map_err(|_| {
                let hex = !word.is_empty() && word.bytes().all(|b| b.is_ascii_hexdigit());
                match hex {
                    true => format!("`{word}` is hexadecimal; write the type as hex:TYPE"),
                    false => format!("`{word}` is no integer, so it is no raw code"),
                }
            });
        }
    };
    if digits.is_empty() || digits.len() > 256 {
        return Err(format!("`{word}` is no hexadecimal word of 1 to 256 digits"));
    }
    let nibble = |c: char| c.to_digit(16).map(|d| d as u8);
    let nibbles: Option<Vec<u8>> = digits.chars().rev().map(nibble).collect();
    nibbles.map(Code::Hexadecimal).ok_or_else(|| format!("`{word}` is not hexadecimal"))
}

fn nibbles(raw: u128) -> Vec<u8> {
    (0..32).map(|n| (raw >> (4 * n) & 15) as u8).collect()
}

/// A code with a sign, or the bits of one that is negative as a number without sign.
fn within(raw: i128, t: &FixedType) -> Option<i128> {
    if t.raw_min() <= raw && raw <= t.raw_max() {
        return Some(raw);
    }
    let turn = 1i128 << t.width;
    (t.signed && raw > t.raw_max() && raw < turn).then(|| raw - turn)
}

/// Bits `high` to `low`, as a code of a type.
fn take(nibbles: &[u8], high: u32, low: u32, t: &FixedType) -> Result<i128, String> {
    if high - low + 1 != t.width {
        return Err(format!(
            "bits {high} to {low} are {} bits, and {t} has {}",
            high - low + 1,
            t.width
        ));
    }
    let mut raw = 0i128;
    for bit in (low..=high).rev() {
        let nibble = nibbles.get(bit as usize / 4).copied().unwrap_or(0);
        raw = raw << 1 | i128::from(nibble >> (bit % 4) & 1);
    }
    let negative = t.signed && t.width > 0 && raw >> (t.width - 1) & 1 == 1;
    Ok(if negative { raw - (1i128 << t.width) } else { raw })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str, hexadecimal: bool) -> CodeType {
        CodeType { hexadecimal, fixed_type: text.parse().expect("a type") }
    }

    #[test]
    fn codes_of_a_signed_type() {
        let t = code("ap_fixed<8,4>", true);
        for (word, value) in [("00", 0.0), ("7f", 7.9375), ("80", -8.0), ("FF", -0.0625)] {
            assert_eq!(coded(word, None, &t), Ok(value), "{word}");
            assert_eq!(coded(&format!("0x{word}"), None, &code("ap_fixed<8,4>", false)), Ok(value));
        }
        let decimal = code("ap_fixed<8,4>", false);
        for (word, value) in [("-128", -8.0), ("127", 7.9375), ("255", -0.0625), ("16", 1.0)] {
            assert_eq!(coded(word, None, &decimal), Ok(value), "{word}");
        }
        for wrong in ["256", "-129", "1.5", "ff", ""] {
            assert!(coded(wrong, None, &decimal).is_err(), "{wrong}");
        }
        assert!(coded("100", None, &t).is_err());
        // A longer word may have zeros in front, not ones.
        assert_eq!(coded("00ff", None, &t), Ok(-0.0625));
        assert!(coded("ffff", None, &t).is_err());
    }

    #[test]
    fn bits_of_a_word() {
        let t = code("ap_ufixed<4,0>", true);
        let word = "0123456789abcdef";
        for (n, digit) in word.chars().rev().enumerate() {
            let n = n as u32;
            let value = f64::from(digit.to_digit(16).expect("hexadecimal")) / 16.0;
            assert_eq!(coded(word, Some((4 * n + 3, 4 * n)), &t), Ok(value));
        }
        assert!(coded(word, Some((67, 64)), &t).is_err());
        assert!(coded(word, Some((4, 0)), &t).is_err());
    }

    #[test]
    fn decimal_numbers() {
        assert_eq!(decimal("-1.25e-3"), Some(-0.00125));
        assert!(decimal("nan").is_some_and(f64::is_nan));
        for wrong in ["", "x", "infinity", "0x1", "--1", "1,5"] {
            assert_eq!(decimal(wrong), None, "{wrong}");
        }
        let counts = ["0", "0.00125", "-12.5000", "1e-05", "123457"].map(digits);
        assert_eq!(counts, [0, 3, 6, 1, 6]);
    }
}
