//! `verify` without a subcommand: a comparison.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::input_type::InputTypeArgs;
use super::{
    ChoiceArgs, DenyArgs, EventArgs, HlsConfigArgs, ModelArgs, RecordedArgs, SaveArgs, SimdArgs,
};

/// `verify --model … --events …`.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    // Required too, but a subcommand takes them itself: so clap may leave them out here.
    #[command(flatten)]
    pub(crate) model: Option<ModelArgs>,
    #[command(flatten)]
    pub(crate) events: Option<EventArgs>,
    #[command(flatten)]
    pub(crate) choice: ChoiceArgs,

    #[command(flatten)]
    pub(crate) input_type: InputTypeArgs,

    #[command(flatten)]
    pub(crate) hls_config: HlsConfigArgs,

    /// The leg that counts as right
    #[arg(long, value_name = "LEG", default_value = "qkeras")]
    pub(crate) reference: String,

    /// A leg to check, or trace:FILE for values that were recorded elsewhere (docs/traces.md); may be
    /// given several times [default: proxy:sat and proxy:wrap, or proxy with --proxy]
    #[arg(long, value_name = "LEG")]
    pub(crate) target: Vec<String>,

    #[command(flatten)]
    pub(crate) recorded: RecordedArgs,

    /// Let every layer count in the verdict, not only the model's outputs
    #[arg(long)]
    pub(crate) strict_layers: bool,

    #[command(flatten)]
    pub(crate) deny: DenyArgs,

    /// Put the SHA-256 of the events file into the report
    #[arg(long)]
    pub(crate) hash: bool,

    /// Write the report as JSON too (schema/report-v1.schema.json, docs/report.md)
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,

    /// Write the report as JUnit XML too, for CI (docs/nightly.md); a run that fails leaves one too
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,

    /// Write the report as Markdown too, for a merge request or a job summary; a run that fails
    /// leaves one too
    #[arg(long, value_name = "FILE")]
    pub(crate) markdown: Option<PathBuf>,

    /// Print nothing but errors, and show no progress; the exit code and the files say all
    #[arg(long)]
    pub(crate) quiet: bool,

    /// What ends in exit code 1; errors keep their codes
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = FailOn::Mismatch)]
    pub(crate) fail_on: FailOn,

    #[command(flatten)]
    pub(crate) save: SaveArgs,

    #[command(flatten)]
    pub(crate) simd: SimdArgs,

    /// When to colour the table
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub(crate) color: Color,
}

/// What makes a run fail that came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    /// A comparison that is a mismatch.
    Mismatch,
    /// Nothing: exit code 0 whatever the verdicts are.
    Never,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}
