//! Which vector instructions.

use bittrue_engine::{Level, Simd};
use bittrue_record::ExitCode;
use clap::Args;

use crate::failure::Failure;

/// Vector instructions.
#[derive(Debug, Args)]
pub(crate) struct SimdArgs {
    /// Use no wider vector instructions than scalar, avx2, avx512bw or avx512vnni [default: the widest
    /// that this machine has]
    ///
    /// The results are the same bits at every level. Without the flag the environment variable
    /// BITTRUE_SIMD may name one.
    #[arg(long, value_name = "LEVEL")]
    simd: Option<String>,
}

impl SimdArgs {
    /// Fixes the level for the rest of the run.
    pub(crate) fn choose(&self) -> Result<(), Failure> {
        let (given, text) = match (&self.simd, std::env::var(Simd::VARIABLE)) {
            (Some(text), _) => ("--simd", text.clone()),
            (None, Ok(text)) => (Simd::VARIABLE, text),
            (None, Err(_)) => return Ok(()),
        };
        let wrong = |what: String| {
            Failure::new(ExitCode::Usage, format!("{given}: {what}"))
                .with_help(format!("this machine has {}", Simd::names()))
        };
        let level: Level = text.parse().map_err(wrong)?;
        let simd = Simd::new(level)
            .ok_or_else(|| wrong(format!("this machine does not have `{level}`")))?;
        match simd.choose() {
            true => Ok(()),
            false => Err(Failure::bug()),
        }
    }
}
