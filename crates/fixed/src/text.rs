//! The text form of a type: the C++ spelling, read and written.

use std::fmt;
use std::num::IntErrorKind;
use std::str::FromStr;

use crate::{FixedType, Overflow, ParseModeError, Rounding, TypeError};

/// Text that is not a fixed-point type.
///
/// Displays as `"<text>" is not a fixed-point type: <reason>`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not a fixed-point type: {kind}")]
pub struct ParseTypeError {
    text: String,
    #[source]
    kind: ParseTypeErrorKind,
}

impl ParseTypeError {
    /// The text that was parsed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What is wrong with it.
    pub fn kind(&self) -> &ParseTypeErrorKind {
        &self.kind
    }
}

/// What is wrong with the text of a type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseTypeErrorKind {
    /// The word before `<` is not one of the supported ones.
    #[error(
        "unknown name `{name}`; supported are ap_fixed, ap_ufixed, ap_int, ap_uint, also without ap_"
    )]
    Name {
        /// The word before `<`.
        name: String,
    },
    /// There is no `<…>` around the arguments, or text after it.
    #[error("the arguments must stand between `<` and a final `>`")]
    Brackets,
    /// Too few or too many arguments.
    #[error("{found} arguments; {expected}")]
    Arguments {
        /// How many there are.
        found: usize,
        /// What the name takes.
        expected: &'static str,
    },
    /// An argument that must be a whole number is not.
    #[error("{argument} is `{text}`, which is not a whole number of bits")]
    Number {
        /// Which argument: `W`, `I` or `N`.
        argument: &'static str,
        /// Its text.
        text: String,
    },
    /// An unknown rounding or overflow mode.
    #[error(transparent)]
    Mode(#[from] ParseModeError),
    /// The numbers are outside the supported range.
    #[error(transparent)]
    Type(#[from] TypeError),
}

/// Writes `ap_fixed<W,I,Q,O>` with all four arguments, and `N` when it is not 0.
impl fmt::Display for FixedType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { signed, width, integer, rounding, overflow, saturation_bits } = self;
        let mut text = format!(
            "ap_{}fixed<{width},{integer},{rounding},{overflow}",
            if *signed { "" } else { "u" }
        );
        if *saturation_bits != 0 {
            text.push_str(&format!(",{saturation_bits}"));
        }
        text.push('>');
        f.pad(&text)
    }
}

/// Reads the C++ spelling and hls4ml's.
///
/// Accepted are `ap_fixed<W,I[,Q[,O[,N]]]>`, `ap_ufixed<…>`, `ap_int<W>` and `ap_uint<W>` (`I = W`), each with
/// or without the prefix `ap_`; modes with or without `AP_`; blanks anywhere between the parts. What is
/// left out is `TRN`, `WRAP`, `0`.
///
/// ```
/// use bittrue_fixed::FixedType;
///
/// let short: FixedType = "fixed<10,4>".parse()?;
/// let long: FixedType = "ap_fixed< 10, 4, AP_TRN, AP_WRAP, 0 >".parse()?;
/// assert_eq!(short, long);
/// assert_eq!(short.to_string(), "ap_fixed<10,4,TRN,WRAP>");
/// assert_eq!("ap_uint<6>".parse::<FixedType>()?.to_string(), "ap_ufixed<6,6,TRN,WRAP>");
///
/// let error = "ap_fixed<10,4,ROUND>".parse::<FixedType>().unwrap_err();
/// assert!(error.to_string().contains("unknown rounding mode `ROUND`"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl FromStr for FixedType {
    type Err = ParseTypeError;

    fn from_str(text: &str) -> Result<Self, ParseTypeError> {
        parse(text).map_err(|kind| ParseTypeError { text: text.to_owned(), kind })
    }
}

impl TryFrom<String> for FixedType {
    type Error = ParseTypeError;

    fn try_from(text: String) -> Result<Self, ParseTypeError> {
        text.parse()
    }
}

impl From<FixedType> for String {
    fn from(ty: FixedType) -> Self {
        ty.to_string()
    }
}

fn parse(text: &str) -> Result<FixedType, ParseTypeErrorKind> {
    let (name, rest) = match text.split_once('<') {
        Some((name, rest)) => (name.trim(), Some(rest)),
        None => (text.trim(), None),
    };
    let (signed, is_fixed) = match name.strip_prefix("ap_").unwrap_or(name) {
        "fixed" => (true, true),
        "ufixed" => (false, true),
        "int" => (true, false),
        "uint" => (false, false),
        _ => {
            return Err(ParseTypeErrorKind::Name { name: name.to_owned() });
        }
    };
    let arguments = rest
        .and_then(|rest| rest.trim_end().strip_suffix('>'))
        .filter(|arguments| !arguments.contains(['<', '>']))
        .ok_or(ParseTypeErrorKind::Brackets)?;
    let arguments: Vec<&str> = arguments.split(',').map(str::trim).collect();
    if is_fixed {
        parse_fixed(signed, &arguments)
    } else {
        let [width] = arguments[..] else {
            return Err(ParseTypeErrorKind::Arguments {
                found: arguments.len(),
                expected: "an integer type takes one, W",
            });
        };
        let width = number("W", width)?;
        build(signed, width, width, Rounding::Trn, Overflow::Wrap, 0)
    }
}

fn parse_fixed(signed: bool, arguments: &[&str]) -> Result<FixedType, ParseTypeErrorKind> {
    let (width, integer, modes) = match *arguments {
        [width, integer, ref modes @ ..] if modes.len() <= 3 => (width, integer, modes),
        _ => {
            return Err(ParseTypeErrorKind::Arguments {
                found: arguments.len(),
                expected: "a fixed-point type takes two to five: W,I,Q,O,N",
            });
        }
    };
    build(
        signed,
        number("W", width)?,
        number("I", integer)?,
        modes.first().map_or(Ok(Rounding::Trn), |mode| mode.parse())?,
        modes.get(1).map_or(Ok(Overflow::Wrap), |mode| mode.parse())?,
        modes.get(2).map_or(Ok(0), |bits| number("N", bits))?,
    )
}

/// Checks the limits; the numbers are wide so that the error can name them as written.
fn build(
    signed: bool,
    width: i64,
    integer: i64,
    rounding: Rounding,
    overflow: Overflow,
    saturation_bits: i64,
) -> Result<FixedType, ParseTypeErrorKind> {
    let ty = FixedType::new(
        signed,
        u32::try_from(width).map_err(|_| TypeError::Width { width })?,
        i32::try_from(integer).map_err(|_| TypeError::Integer { integer })?,
        rounding,
        overflow,
    )?;
    let bits = u32::try_from(saturation_bits).map_err(|_| ParseTypeErrorKind::Number {
        argument: "N",
        text: saturation_bits.to_string(),
    })?;
    Ok(ty.with_saturation_bits(bits)?)
}

/// A decimal whole number; one beyond `i64` is cut to it, since the limits are refused later anyway.
fn number(argument: &'static str, text: &str) -> Result<i64, ParseTypeErrorKind> {
    text.parse().or_else(|error: std::num::ParseIntError| match error.kind() {
        IntErrorKind::PosOverflow => Ok(i64::MAX),
        IntErrorKind::NegOverflow => Ok(i64::MIN),
        _ => Err(ParseTypeErrorKind::Number { argument, text: text.to_owned() }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reprint(text: &str) -> String {
        text.parse::<FixedType>().unwrap().to_string()
    }

    #[test]
    fn all_spellings_print_in_one_form() {
        for (text, printed) in [
            ("ap_fixed<10,4,RND_CONV,WRAP>", "ap_fixed<10,4,RND_CONV,WRAP>"),
            ("fixed<10,4,RND_CONV,WRAP,0>", "ap_fixed<10,4,RND_CONV,WRAP>"),
            ("ufixed<6,0,AP_RND_CONV,AP_SAT>", "ap_ufixed<6,0,RND_CONV,SAT>"),
            (" ap_fixed < 8 , -2 , RND > ", "ap_fixed<8,-2,RND,WRAP>"),
            ("ap_ufixed<2,32>", "ap_ufixed<2,32,TRN,WRAP>"),
            ("fixed<8,4,trn_zero,ap_sat_sym>", "ap_fixed<8,4,TRN_ZERO,SAT_SYM>"),
            ("ap_fixed<8,4,TRN,WRAP_SM,3>", "ap_fixed<8,4,TRN,WRAP_SM,3>"),
            ("ap_int<7>", "ap_fixed<7,7,TRN,WRAP>"),
            ("uint< 1 >", "ap_ufixed<1,1,TRN,WRAP>"),
            ("ap_fixed<0,0>", "ap_fixed<0,0,TRN,WRAP>"),
            ("ap_fixed<126,-1024>", "ap_fixed<126,-1024,TRN,WRAP>"),
        ] {
            assert_eq!(reprint(text), printed);
            assert_eq!(reprint(printed), printed);
        }
    }

    #[test]
    fn errors_say_what_is_wrong() {
        for (text, reason) in [
            ("", "unknown name ``"),
            ("float", "unknown name `float`"),
            ("ac_fixed<8,4,true>", "unknown name `ac_fixed`; supported are ap_fixed"),
            ("ap_ap_fixed<8,4>", "unknown name"),
            ("ap_fixed", "between `<` and a final `>`"),
            ("ap_fixed<8,4", "between `<` and a final `>`"),
            ("ap_fixed<8,4>x", "between `<` and a final `>`"),
            ("ap_fixed<8,4>>", "between `<` and a final `>`"),
            ("ap_fixed<8>", "1 arguments; a fixed-point type takes two to five: W,I,Q,O,N"),
            ("ap_fixed<8,4,RND,SAT,0,0>", "6 arguments"),
            ("ap_int<8,4>", "2 arguments; an integer type takes one, W"),
            ("ap_fixed<,4>", "W is ``, which is not a whole number of bits"),
            ("ap_fixed<8,4.5>", "I is `4.5`, which is not a whole number of bits"),
            ("ap_fixed<8,4,RND,SAT,x>", "N is `x`"),
            ("ap_fixed<8,4,RND,SAT,-1>", "N is `-1`"),
            ("ap_fixed<8,4,SAT,RND>", "unknown rounding mode `SAT`; supported are TRN"),
            ("ap_fixed<8,4,RND,SAT_SM>", "unknown overflow mode `SAT_SM`; supported are WRAP"),
            ("ap_fixed<200,4>", "width 200 is not supported: a type has 0 to 126 bits"),
            ("ap_fixed<-8,4>", "width -8 is not supported"),
            ("ap_int<99999999999999999999>", "is not supported: a type has 0 to 126 bits"),
            ("ap_fixed<8,2000>", "integer bits 2000 are not supported"),
            ("ap_fixed<8,-99999999999>", "integer bits -99999999999 are not supported"),
            ("ap_fixed<8,4,RND,WRAP,9>", "saturation bits 9 are not supported"),
        ] {
            let error = text.parse::<FixedType>().unwrap_err();
            let message = error.to_string();
            assert!(message.contains(reason), "{message}");
            assert!(message.starts_with(&format!("\"{text}\" is not a fixed-point type: ")));
            assert_eq!(error.text(), text);
        }
    }

    #[test]
    fn kinds_can_be_told_apart() {
        let kind = |text: &str| text.parse::<FixedType>().unwrap_err().kind().clone();
        assert_eq!(kind("ap_fixed<8,4"), ParseTypeErrorKind::Brackets);
        assert_eq!(
            kind("ap_fixed<127,4>"),
            ParseTypeErrorKind::Type(TypeError::Width { width: 127 })
        );
        assert!(matches!(kind("ap_fixed<8,4,X>"), ParseTypeErrorKind::Mode(_)));
    }

    #[test]
    fn serde_is_the_text() {
        let ty: FixedType = serde_json::from_str(r#""fixed<8,4>""#).unwrap();
        assert_eq!(serde_json::to_string(&ty).unwrap(), r#""ap_fixed<8,4,TRN,WRAP>""#);
        let error = serde_json::from_str::<FixedType>(r#""ap_fixed<8>""#).unwrap_err();
        assert!(error.to_string().contains("two to five"));
    }

    #[test]
    fn printing_pads() {
        let ty: FixedType = "ap_int<3>".parse().unwrap();
        assert_eq!(format!("{ty:>24}|"), "  ap_fixed<3,3,TRN,WRAP>|");
    }
}
