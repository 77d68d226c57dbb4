//! `verify bench`.

use std::path::PathBuf;

use clap::Args;

use super::input_type::InputTypeArgs;
use super::{ChoiceArgs, HlsConfigArgs, ModelArgs, SimdArgs};

const AFTER: &str = "\
Examples:
  verify bench --model tagger.h5
      how many events a second, and where the time goes
  verify bench --model tagger.h5 --events jets.h5 --json bench.json --explain
      on recorded events, for machines too, and with the proof that allows each storage

Rates are those of the best pass over events in memory; docs/bench.md explains every number.";

/// `verify bench`.
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(crate) struct BenchArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,

    /// The events: files as for a comparison, or gen:uniform, gen:normal, gen:ties (docs/events.md)
    ///
    /// As many as fit into 256 MiB, at most 262,144, are read into memory and run again and again. Files
    /// are then read as a whole in each pass, to measure that too.
    #[arg(long, value_name = "FILE", num_args = 1.., default_value = "gen:uniform,seed=1,n=131072")]
    pub(crate) events: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) choice: ChoiceArgs,

    #[command(flatten)]
    pub(crate) input_type: InputTypeArgs,

    #[command(flatten)]
    pub(crate) hls_config: HlsConfigArgs,

    /// The leg that counts as right
    #[arg(long, value_name = "LEG", default_value = "qkeras")]
    pub(crate) reference: String,

    /// The leg that is emulated and compared [default: proxy:wrap, or proxy with --proxy]
    #[arg(long, value_name = "LEG")]
    pub(crate) target: Option<String>,

    /// How long each rate is measured
    #[arg(long, value_name = "S", default_value = "1", value_parser = seconds)]
    pub(crate) seconds: f64,

    /// Show what storage and accumulator were chosen for each step, and the proof that allows it
    #[arg(long)]
    pub(crate) explain: bool,

    /// Write the measurement as JSON too (docs/bench.md)
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,

    /// Draw time and EBOPs of each layer
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) simd: SimdArgs,
}

/// Reads a time.
fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(s) if (0.0..=3600.0).contains(&s) => Ok(s),
        _ => Err("give a number of seconds, such as 0.5".to_owned()),
    }
}
