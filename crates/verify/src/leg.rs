//! The legs by their spelling.

use std::fmt;
use std::str::FromStr;

use crate::RecordedTarget;

/// A leg that can be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leg {
    /// Keras `predict` of the model.
    Qkeras,
    /// The proxy built with `aggressive=False`.
    ProxySat,
    /// The proxy built with `aggressive=True`.
    ProxyWrap,
    /// The proxy of a file, with its own modes.
    Proxy,
    /// hls4ml's C simulation of the proxy built with `aggressive=False`.
    Hls4mlSat,
    /// hls4ml's C simulation of the proxy built with `aggressive=True`.
    Hls4mlWrap,
    /// hls4ml's C simulation of the proxy of a file.
    Hls4ml,
}

impl Leg {
    /// Every leg that can be run.
    pub const ALL: [Self; 7] = [
        Self::Qkeras,
        Self::ProxySat,
        Self::ProxyWrap,
        Self::Proxy,
        Self::Hls4mlSat,
        Self::Hls4mlWrap,
        Self::Hls4ml,
    ];

    /// Spellings of legs that are planned but cannot be run yet.
    const KNOWN: [&'static str; 2] = ["hls4ml:direct", "hls4ml:direct-bit-exact"];

    /// The spelling in flags, reports and traces.
    pub fn name(self) -> &'static str {
        match self {
            Self::Qkeras => "qkeras",
            Self::ProxySat => "proxy:sat",
            Self::ProxyWrap => "proxy:wrap",
            Self::Proxy => "proxy",
            Self::Hls4mlSat => "hls4ml:sat",
            Self::Hls4mlWrap => "hls4ml:wrap",
            Self::Hls4ml => "hls4ml",
        }
    }

    /// The proxy that the leg simulates; `None` where it is not hls4ml's.
    pub fn simulated(self) -> Option<Self> {
        match self {
            Self::Hls4mlSat => Some(Self::ProxySat),
            Self::Hls4mlWrap => Some(Self::ProxyWrap),
            Self::Hls4ml => Some(Self::Proxy),
            Self::Qkeras | Self::ProxySat | Self::ProxyWrap | Self::Proxy => None,
        }
    }

    /// Whether the leg reads a proxy file.
    pub fn reads_proxy(self) -> bool {
        matches!(self, Self::Proxy | Self::Hls4ml)
    }

    /// The names of all legs that can be run, for messages.
    pub fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}

impl fmt::Display for Leg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A spelling that is no leg that can be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LegError {
    /// No such leg.
    #[error("unknown leg `{0}`; the legs are {legs}", legs = Leg::names())]
    Unknown(String),
    /// A leg that this version cannot run.
    #[error("this version cannot run the leg `{0}`; it can run {legs}", legs = Leg::names())]
    NotYet(String),
    /// A file, of which a leg cannot be computed.
    #[error("`{0}` is a recorded trace, which can only be a target of a comparison")]
    Recorded(String),
}

impl FromStr for Leg {
    type Err = LegError;

    fn from_str(s: &str) -> Result<Self, LegError> {
        if let Some(leg) = Self::ALL.into_iter().find(|l| l.name() == s) {
            return Ok(leg);
        }
        if s.starts_with(RecordedTarget::PREFIX) {
            return Err(LegError::Recorded(s.to_owned()));
        }
        if Self::KNOWN.contains(&s) {
            return Err(LegError::NotYet(s.to_owned()));
        }
        Err(LegError::Unknown(s.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        for leg in Leg::ALL {
            assert_eq!(leg.name().parse(), Ok(leg));
        }
        assert!(matches!("hls4ml:direct".parse::<Leg>(), Err(LegError::NotYet(_))));
        assert!(matches!("proxy:SAT".parse::<Leg>(), Err(LegError::Unknown(_))));
    }
}
