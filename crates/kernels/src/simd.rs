//! Which vector instructions the machine has.
//!
//! A [`Simd`] is a token: it can only be had for a level that this machine's CPU has, so that holding
//! one proves that its instructions may be used. That is what every `unsafe` block of this crate rests
//! on.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

/// A set of vector instructions; each holds those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// What every machine of this architecture has.
    Scalar,
    /// AVX2, on x86-64.
    Avx2,
    /// AVX-512 F, BW, DQ and VL, on x86-64.
    Avx512,
    /// AVX-512 with VNNI, on x86-64.
    Vnni,
}

impl Level {
    /// All levels, the narrowest first.
    pub const ALL: [Self; 4] = [Self::Scalar, Self::Avx2, Self::Avx512, Self::Vnni];

    /// The spelling in flags and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512bw",
            Self::Vnni => "avx512vnni",
        }
    }

    /// Whether this machine has it.
    pub fn is_available(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2");
            let avx512 = avx2
                && is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl");
            match self {
                Self::Scalar => true,
                Self::Avx2 => avx2,
                Self::Avx512 => avx512,
                Self::Vnni => avx512 && is_x86_feature_detected!("avx512vnni"),
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            self == Self::Scalar
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|l| l.name() == text).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("there is no level `{text}`; there are {names}")
        })
    }
}

/// The proof that this machine has a level's instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Simd(Level);

/// The level that [`Simd::chosen`] gives, once it is fixed.
static CHOSEN: OnceLock<Simd> = OnceLock::new();

impl Simd {
    /// The environment variable that names a level, for programs that cannot be given one otherwise.
    pub const VARIABLE: &'static str = "BITTRUE_SIMD";

    /// The names of the levels that this machine has, the narrowest first.
    pub fn names() -> String {
        Self::all().map(|s| s.level().name()).collect::<Vec<_>>().join(", ")
    }

    /// The token of a level, if this machine has it.
    pub fn new(level: Level) -> Option<Self> {
        level.is_available().then_some(Self(level))
    }

    /// The tokens of all levels that this machine has, the narrowest first.
    pub fn all() -> impl Iterator<Item = Self> {
        Level::ALL.into_iter().filter_map(Self::new)
    }

    /// The level that kernels use: the widest, unless [`Simd::choose`] was called before, or
    /// [`Simd::VARIABLE`] names one that this machine has.
    pub fn chosen() -> Self {
        let named = || Self::new(std::env::var(Self::VARIABLE).ok()?.parse().ok()?);
        let widest = || Self::all().last().unwrap_or(Self(Level::Scalar));
        *CHOSEN.get_or_init(|| named().unwrap_or_else(widest))
    }

    /// Fixes the level that kernels use, for the whole process. `false` if it is fixed already to
    /// another one.
    pub fn choose(self) -> bool {
        *CHOSEN.get_or_init(|| self) == self
    }

    /// Which level it stands for.
    pub fn level(self) -> Level {
        self.0
    }

    /// Runs loops compiled for this level. What `f` calls has to be inlined into it.
    #[inline(always)]
    pub(crate) fn vectorize<R>(self, f: impl FnOnce() -> R) -> R {
        #[cfg(target_arch = "x86_64")]
        {
            #[target_feature(enable = "avx2")]
            fn avx2<R>(f: impl FnOnce() -> R) -> R {
                f()
            }
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
            fn avx512<R>(f: impl FnOnce() -> R) -> R {
                f()
            }
            match self.0 {
                Level::Scalar => f(),
                // SAFETY: the token proves that the machine has AVX2.
                Level::Avx2 => unsafe { avx2(f) },
                // SAFETY: the token proves that the machine has these parts of AVX-512.
                Level::Avx512 | Level::Vnni => unsafe { avx512(f) },
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            f()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_have_names() {
        for level in Level::ALL {
            assert_eq!(level.to_string().parse(), Ok(level));
        }
        assert!("sse".parse::<Level>().expect_err("unknown").contains("scalar, avx2"));
        assert_eq!(Simd::all().next().map(Simd::level), Some(Level::Scalar));
        assert!(Level::Avx2 < Level::Vnni);
    }

    #[test]
    fn vectorized_loops_are_the_same_loops() {
        let x: Vec<i32> = (0..1000).collect();
        let sums = Simd::all().map(|simd| simd.vectorize(|| x.iter().map(|v| v * 3).sum::<i32>()));
        assert!(sums.into_iter().all(|s| s == 3 * 999 * 500));
    }
}
