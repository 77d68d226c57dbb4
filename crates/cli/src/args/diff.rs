//! `verify diff`.

use std::path::PathBuf;

use clap::Args;

/// `verify diff`.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes:
  0  nothing is worse: the same, better, or changed in what is neither
  1  something is worse: it differs and did not, differs more, or is not compared any more
  2  wrong flags
  5  a report cannot be read: no JSON, truncated, or in another format_version
  7  the output file cannot be written
docs/nightly.md has the rule in full.")]
pub(crate) struct DiffArgs {
    /// The earlier report, written with --json
    #[arg(value_name = "BEFORE")]
    pub(crate) before: PathBuf,

    /// The later report
    #[arg(value_name = "AFTER")]
    pub(crate) after: PathBuf,

    /// Write the difference as JSON too (docs/nightly.md)
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}
