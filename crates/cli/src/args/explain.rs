//! `verify explain`.

use std::path::PathBuf;

use clap::Args;

use super::input_type::InputTypeArgs;
use super::{ChoiceArgs, Color, EventArgs, HlsConfigArgs, ModelArgs};

const AFTER: &str = "\
Examples:
  verify explain --model tagger.h5 --events jets.h5 --event 255
      what every layer makes of event 255, and which elements differ, wrap or saturate
  verify explain --model tagger.h5 --events jets.h5 --event 255 --layer q_in --all
      every element of one layer
  verify explain --model tagger.h5 --events jets.h5 --event 255 --element 15 --target proxy:wrap
      element 15 of every layer, in two legs

Bits are two's complement, all bits of the type, with the binary point. docs/explain.md has an example.
The exit code is 0 whether the legs differ or not.";

/// `verify explain`.
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) events: EventArgs,
    #[command(flatten)]
    pub(crate) choice: ChoiceArgs,

    #[command(flatten)]
    pub(crate) input_type: InputTypeArgs,

    #[command(flatten)]
    pub(crate) hls_config: HlsConfigArgs,

    /// The event: its row in the file, counted from 0, as in the report
    #[arg(long, value_name = "K", allow_negative_numbers = true, value_parser = number)]
    pub(crate) event: u64,

    /// The leg that counts as right
    #[arg(long, value_name = "LEG", default_value = "qkeras")]
    pub(crate) reference: String,

    /// A leg to explain; may be given several times [default: proxy:sat and proxy:wrap, or proxy
    /// with --proxy]
    #[arg(long, value_name = "LEG")]
    pub(crate) target: Vec<String>,

    /// Show only this layer; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) layer: Vec<String>,

    /// Show this element, by its flat index, where a layer has it; may be given several times
    #[arg(long, value_name = "I", allow_negative_numbers = true, value_parser = number)]
    pub(crate) element: Vec<u64>,

    /// Show every element, not only those that differ, wrap or saturate
    #[arg(long, conflicts_with_all = ["element", "max_elements"])]
    pub(crate) all: bool,

    /// Show at most this many elements of each layer: wraps first, then other differences, then
    /// saturations
    #[arg(long, value_name = "N", default_value_t = 3, allow_negative_numbers = true, value_parser = number, conflicts_with = "element")]
    pub(crate) max_elements: u64,

    /// Write the explanation as JSON too (docs/explain.md)
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,

    /// When to colour the text
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub(crate) color: Color,
}

/// Reads a row or an index.
fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "give a whole number, counted from 0".to_owned())
}
