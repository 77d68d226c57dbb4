//! `verify lint`, and which of its findings are fatal.

use bittrue_proxy::lint::{CODES, code};
use clap::Args;

use super::ModelArgs;

/// `verify lint`.
#[derive(Debug, Args)]
pub(crate) struct LintArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) deny: DenyArgs,
}

/// Fatal findings.
#[derive(Debug, Args)]
pub(crate) struct DenyArgs {
    /// End with exit code 4 where this is found, before any event is run; may be given several times
    ///
    /// CODE is one of those of `verify lint` (docs/lint.md explains all), or all: every one but the
    /// notes.
    #[arg(long, value_name = "CODE", value_parser = known)]
    pub(crate) deny: Vec<String>,
}

fn known(text: &str) -> Result<String, String> {
    if text == "all" || code(text).is_some() {
        return Ok(text.to_owned());
    }
    let names: Vec<&str> = CODES.iter().map(|c| c.name).collect();
    Err(format!("no such code; there are all, {}", names.join(", ")))
}
