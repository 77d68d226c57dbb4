//! Rounding and overflow modes, and the two dialects in which they are read.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How a value between two codes becomes a code (the `Q` of `ap_fixed<W,I,Q,O,N>`).
///
/// Rounding never looks at the overflow mode: a value that rounds up past the largest code overflows.
/// The text forms are those of the C++ headers; parsers also accept the prefix `AP_` and lower case, as
/// hls4ml does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
pub enum Rounding {
    /// `TRN`: towards minus infinity. The default of the C++ types.
    Trn,
    /// `TRN_ZERO`: towards zero.
    TrnZero,
    /// `RND`: to the nearest code, ties towards plus infinity.
    Rnd,
    /// `RND_ZERO`: to the nearest code, ties towards zero.
    RndZero,
    /// `RND_INF`: to the nearest code, ties away from zero.
    RndInf,
    /// `RND_MIN_INF`: to the nearest code, ties towards minus infinity.
    RndMinInf,
    /// `RND_CONV`: to the nearest code, ties to the even code.
    RndConv,
}

/// What becomes of a rounded value outside the type's range (the `O` of `ap_fixed<W,I,Q,O,N>`).
///
/// Below, `hi` and `lo` are the largest and the smallest raw of the type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
pub enum Overflow {
    /// `WRAP`: the low bits are kept. The default of the C++ types. With `N ≥ 1` saturation bits the
    /// top `N` bits are forced on overflow: for a signed type the sign bit to the sign of the value and
    /// the `N - 1` bits below it to the opposite, for an unsigned type all to one, even on underflow.
    Wrap,
    /// `SAT`: `hi` or `lo`.
    Sat,
    /// `SAT_ZERO`: zero.
    SatZero,
    /// `SAT_SYM`: `hi` or `-hi`; for a signed type also the code `lo`, which is in range, becomes `-hi`.
    SatSym,
    /// `WRAP_SM`: sign-magnitude wrapping; the bits are inverted where plain wrapping would change the sign.
    WrapSm,
}

/// Which software's reading of a type is meant.
///
/// The two agree on every value, rounding and overflow mode, with these exceptions:
///
/// | case | `ApFixed` | `Hgq` |
/// |---|---|---|
/// | `SAT_SYM`, signed, width 1 | negative values give raw -1 | 0 |
/// | `WRAP_SM`, signed | looks at the *unrounded* value, and at `N` | reflects the *rounded* value |
/// | `WRAP_SM`, unsigned | error: the C++ constructor exits | reflects the rounded value |
/// | width 0 | error: the C++ conversion aborts or leaves bits that the type does not have | 0 |
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// The C++ `ap_types` headers shipped with hls4ml 1.3.0.
    ApFixed,
    /// The quantizer formula of HGQ 0.2.6 in exact arithmetic. HGQ has no saturation bits; a type that
    /// has them is read as in C++ for `WRAP`, and without them for `WRAP_SM`.
    Hgq,
}

/// A name that is not a rounding or overflow mode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {kind} mode `{text}`; supported are {supported}")]
pub struct ParseModeError {
    kind: &'static str,
    text: String,
    supported: &'static str,
}

impl Rounding {
    /// All seven modes.
    pub const ALL: [Self; 7] = [
        Self::Trn,
        Self::TrnZero,
        Self::Rnd,
        Self::RndZero,
        Self::RndInf,
        Self::RndMinInf,
        Self::RndConv,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Trn => "TRN",
            Self::TrnZero => "TRN_ZERO",
            Self::Rnd => "RND",
            Self::RndZero => "RND_ZERO",
            Self::RndInf => "RND_INF",
            Self::RndMinInf => "RND_MIN_INF",
            Self::RndConv => "RND_CONV",
        }
    }
}

impl Overflow {
    /// All five modes.
    pub const ALL: [Self; 5] = [Self::Wrap, Self::Sat, Self::SatZero, Self::SatSym, Self::WrapSm];

    const fn name(self) -> &'static str {
        match self {
            Self::Wrap => "WRAP",
            Self::Sat => "SAT",
            Self::SatZero => "SAT_ZERO",
            Self::SatSym => "SAT_SYM",
            Self::WrapSm => "WRAP_SM",
        }
    }
}

/// The mode's bare name in upper case: `ap_rnd ` is `RND`.
fn bare_name(text: &str) -> String {
    let upper = text.trim().to_ascii_uppercase();
    upper.strip_prefix("AP_").map(str::to_owned).unwrap_or(upper)
}

impl fmt::Display for Rounding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for Overflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Rounding {
    type Err = ParseModeError;

    fn from_str(text: &str) -> Result<Self, ParseModeError> {
        let name = bare_name(text);
        Self::ALL.into_iter().find(|mode| mode.name() == name).ok_or_else(|| ParseModeError {
            kind: "rounding",
            text: text.to_owned(),
            supported: "TRN, TRN_ZERO, RND, RND_ZERO, RND_INF, RND_MIN_INF, RND_CONV",
        })
    }
}

impl FromStr for Overflow {
    type Err = ParseModeError;

    fn from_str(text: &str) -> Result<Self, ParseModeError> {
        let name = bare_name(text);
        Self::ALL.into_iter().find(|mode| mode.name() == name).ok_or_else(|| ParseModeError {
            kind: "overflow",
            text: text.to_owned(),
            supported: "WRAP, SAT, SAT_ZERO, SAT_SYM, WRAP_SM",
        })
    }
}

impl TryFrom<String> for Rounding {
    type Error = ParseModeError;

    fn try_from(text: String) -> Result<Self, ParseModeError> {
        text.parse()
    }
}

impl TryFrom<String> for Overflow {
    type Error = ParseModeError;

    fn try_from(text: String) -> Result<Self, ParseModeError> {
        text.parse()
    }
}

impl From<Rounding> for &'static str {
    fn from(mode: Rounding) -> Self {
        mode.name()
    }
}

impl From<Overflow> for &'static str {
    fn from(mode: Overflow) -> Self {
        mode.name()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_with_and_without_prefix() {
        for mode in Rounding::ALL {
            assert_eq!(mode.to_string().parse(), Ok(mode));
            assert_eq!(format!(" AP_{mode} ").parse(), Ok(mode));
            assert_eq!(mode.to_string().to_lowercase().parse(), Ok(mode));
        }
        for mode in Overflow::ALL {
            assert_eq!(mode.to_string().parse(), Ok(mode));
            assert_eq!(format!("AP_{mode}").parse(), Ok(mode));
            assert_eq!(mode.to_string().to_lowercase().parse(), Ok(mode));
        }
    }

    #[test]
    fn all_lists_every_mode_once() {
        let mut names: Vec<_> = Rounding::ALL.iter().map(ToString::to_string).collect();
        names.extend(Overflow::ALL.iter().map(ToString::to_string));
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 12);
    }

    #[test]
    fn unknown_names_are_refused_with_the_choice() {
        for text in ["", "ROUND", "SAT", "RND CONV", "AP_AP_RND", "RND_"] {
            let message = text.parse::<Rounding>().unwrap_err().to_string();
            assert!(message.contains("RND_MIN_INF") && message.contains(&format!("`{text}`")));
        }
        let message = "TRN".parse::<Overflow>().unwrap_err().to_string();
        assert_eq!(
            message,
            "unknown overflow mode `TRN`; supported are WRAP, SAT, SAT_ZERO, SAT_SYM, WRAP_SM"
        );
        assert!("SAT_SM".parse::<Overflow>().is_err());
    }

    #[test]
    fn serde_uses_the_names() {
        let json = serde_json::to_string(&(Rounding::RndMinInf, Overflow::WrapSm)).unwrap();
        assert_eq!(json, r#"["RND_MIN_INF","WRAP_SM"]"#);
        let back: (Rounding, Overflow) = serde_json::from_str(&json).unwrap();
        assert_eq!(back, (Rounding::RndMinInf, Overflow::WrapSm));
        assert!(serde_json::from_str::<Rounding>(r#""SAT""#).is_err());
    }
}
