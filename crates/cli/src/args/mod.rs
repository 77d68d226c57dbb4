//! Flags, with the help that teaches them: one file for each subcommand, and for what they share.

mod bench;
mod command;
mod completions;
mod diff;
mod events;
mod explain;
mod hls_config;
mod input_type;
mod inspect;
mod lint;
mod model;
mod proxy;
mod recorded;
mod run;
mod save;
mod simd;
mod trace;

pub(crate) use bench::BenchArgs;
pub(crate) use command::{Cli, Command};
pub(crate) use completions::CompletionsArgs;
pub(crate) use diff::DiffArgs;
pub(crate) use events::{ChoiceArgs, EventArgs};
pub(crate) use explain::ExplainArgs;
pub(crate) use hls_config::HlsConfigArgs;
pub(crate) use inspect::InspectArgs;
pub(crate) use lint::{DenyArgs, LintArgs};
pub(crate) use model::ModelArgs;
pub(crate) use proxy::ProxyArgs;
pub(crate) use recorded::RecordedArgs;
pub(crate) use run::{Color, FailOn, RunArgs};
pub(crate) use save::SaveArgs;
pub(crate) use simd::SimdArgs;
pub(crate) use trace::TraceArgs;
