//! `verify trace`.

use std::path::PathBuf;

use clap::Args;

use super::input_type::InputTypeArgs;
use super::{ChoiceArgs, EventArgs, HlsConfigArgs, ModelArgs, SimdArgs};

/// `verify trace`.
#[derive(Debug, Args)]
pub(crate) struct TraceArgs {
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

    /// The leg to trace: qkeras, proxy:sat, proxy:wrap, proxy, hls4ml:sat, hls4ml:wrap or hls4ml
    #[arg(long, value_name = "LEG")]
    pub(crate) semantics: String,

    /// The HDF5 file to write
    ///
    /// /layers/NAME holds the values of a layer, float64 [event, …], with its fixed-point type as
    /// attribute `type`. A layer in which the real software is not one number has /flags/NAME, a
    /// set of bits named by the attribute `names`, and /bands/NAME [event, …, 2], the lowest and
    /// the highest value that it may give. With --only-differing, /event_rows holds the rows of
    /// the events in the file.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,

    /// Write the types that hls4ml gives to every node as JSON too, for hls4ml:sat, hls4ml:wrap or
    /// hls4ml (docs/firmware.md)
    #[arg(long, value_name = "FILE")]
    pub(crate) types: Option<PathBuf>,

    /// Write only the events in which the leg differs from another one, at an output of the model
    #[arg(long)]
    pub(crate) only_differing: bool,

    /// The leg that --only-differing compares with
    #[arg(long, value_name = "LEG", default_value = "qkeras", requires = "only_differing")]
    pub(crate) reference: String,

    /// With --only-differing, let a difference in any layer count, not only at an output
    #[arg(long, requires = "only_differing")]
    pub(crate) strict_layers: bool,

    #[command(flatten)]
    pub(crate) simd: SimdArgs,
}
