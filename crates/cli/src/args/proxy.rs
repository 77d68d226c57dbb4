//! `verify proxy`.

use std::path::PathBuf;

use bittrue_proxy::Mode;
use clap::{Args, ValueEnum};

/// `verify proxy`.
#[derive(Debug, Args)]
pub(crate) struct ProxyArgs {
    /// The QKeras model, as written by model.save("m.h5") with Keras 2
    #[arg(long, value_name = "FILE")]
    pub(crate) model: PathBuf,

    /// What signed quantizers do with values outside their range
    ///
    /// wrap is HGQ's own default, to_proxy_model(model): it costs no logic, and a value just above
    /// the range comes out at its lower end. sat is to_proxy_model(model, aggressive=False), which
    /// HGQ's manual advises for QKeras models: QKeras saturates too. A quantized_relu saturates, and
    /// a symmetric quantizer saturates symmetrically, in both.
    #[arg(long, value_name = "MODE", value_enum, default_value_t = Overflow::Wrap)]
    pub(crate) overflow: Overflow,

    /// Make tables of sigmoid, tanh and ELU whose arguments have few bits: at most N entries each
    ///
    /// HGQ's unary_lut_max_table_size, whose default is no tables; it makes none of 4096 entries or
    /// more. hls4ml takes such a table as it is, so that these functions are exact. HGQ also takes
    /// bits away from quantizers in front of them that have more than they need. relu stays relu;
    /// where the package tf_keras is loaded beside Keras, HGQ by mistake makes tables of it too.
    #[arg(long, value_name = "N", default_value_t = -1, allow_negative_numbers = true, hide_default_value = true)]
    pub(crate) unary_lut_max_table_size: i64,

    /// Write the precisions into the file, as to_proxy_model(…, skip_precision_reg=False) does
    ///
    /// For hls4ml before 1.2; later releases derive types themselves and ignore these. HGQ also takes
    /// bits away from quantizers that have more than they need, which changes values where such a
    /// quantizer saturates.
    #[arg(long)]
    pub(crate) register_precisions: bool,

    /// HGQ's accum_fp_max_offset: fractional bits of accumulators beyond those of the result
    #[arg(long, value_name = "N", allow_negative_numbers = true, requires = "register_precisions")]
    pub(crate) accum_fp_max_offset: Option<i64>,

    /// The Keras 2 .h5 file to write: what HGQ 0.2.6 would have saved
    ///
    /// Keras loads it when HGQ.proxy is imported, and hls4ml converts it. `verify --proxy FILE`
    /// compares it with the model. Without --out the proxy is only shown.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,

    /// Write the types that hls4ml 1.3.0 gives to every node of the proxy as JSON too (docs/firmware.md)
    ///
    /// {node: {class, inputs, result_t, accum_t, weight_t, bias_t, scale_t, param_t, table_t,
    /// table_size, quantizer}}, the keys that a node has, in hls4ml's spelling: ap_fixed<8,4> is
    /// fixed<8,4,TRN,WRAP,0>.
    #[arg(long, value_name = "FILE")]
    pub(crate) types: Option<PathBuf>,

    /// hls4ml's configuration, for --types: a hls4ml_config.yml, or an hls_config as YAML or JSON
    /// (docs/firmware.md)
    #[arg(long, value_name = "FILE", requires = "types")]
    pub(crate) hls_config: Option<PathBuf>,
}

/// Overflow mode of signed quantizers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Overflow {
    /// Saturate.
    Sat,
    /// Wrap around.
    Wrap,
}

impl Overflow {
    /// The mode of the conversion.
    pub(crate) fn mode(self) -> Mode {
        match self {
            Self::Sat => Mode::Sat,
            Self::Wrap => Mode::Wrap,
        }
    }
}
