//! `verify trace`.

use std::path::PathBuf;

use clap::Args;

use super::input_type::InputTypeArgs;
use super::{EventArgs, ModelArgs};

/// `verify trace`.
#[derive(Debug, Args)]
pub(crate) struct TraceArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) events: EventArgs,

    #[command(flatten)]
    pub(crate) input_type: InputTypeArgs,

    /// The leg to trace: qkeras, proxy:sat, proxy:wrap, proxy, hls4ml:sat, hls4ml:wrap or hls4ml
    #[arg(long, value_name = "LEG")]
    pub(crate) semantics: String,

    /// The HDF5 file to write
    ///
    /// /layers/NAME holds the values of a layer, float64 [event, …], with its fixed-point type as
    /// attribute `type`. A layer in which the real software is not one number has /flags/NAME, a
    /// set of bits named by the attribute `names`, and /bands/NAME [event, …, 2], the lowest and
    /// the highest value that it may give.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}
