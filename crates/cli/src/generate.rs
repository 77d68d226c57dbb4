//! Shell completions and the man page, from the same definition as `--help`.

use bittrue_record::ExitCode;
use clap::CommandFactory;

use crate::args::{Cli, CompletionsArgs};
use crate::failure::Failure;

/// `verify completions SHELL`.
pub(crate) fn completions(args: &CompletionsArgs) -> Result<ExitCode, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "verify", &mut text);
    crate::print(&String::from_utf8_lossy(&text))?;
    Ok(ExitCode::Success)
}

/// `verify man`.
pub(crate) fn man() -> Result<ExitCode, Failure> {
    let mut text = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut text).map_err(|e| {
        Failure::new(ExitCode::Internal, format!("the man page cannot be rendered: {e}"))
    })?;
    crate::print(&String::from_utf8_lossy(&text))?;
    Ok(ExitCode::Success)
}
