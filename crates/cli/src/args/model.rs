//! Which model, which proxy.

use std::path::PathBuf;

use clap::Args;

/// A model.
#[derive(Debug, Args)]
pub(crate) struct ModelArgs {
    /// The QKeras model, as written by model.save("m.h5") with Keras 2
    #[arg(long, value_name = "FILE")]
    pub(crate) model: PathBuf,

    /// The proxy that HGQ made of the model, for the leg `proxy`
    ///
    /// A Keras 2 .h5 file written from HGQ 0.2.6's to_proxy_model: what really goes to the FPGA. It
    /// has to be a proxy of this very model. Without --target it is compared with qkeras. --model
    /// may also be a proxy file itself, for `verify trace --semantics proxy`.
    #[arg(long, value_name = "FILE")]
    pub(crate) proxy: Option<PathBuf>,
}
