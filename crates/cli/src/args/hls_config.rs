//! `--hls-config`.

use std::path::PathBuf;

use clap::Args;

/// hls4ml's configuration.
#[derive(Debug, Args)]
pub(crate) struct HlsConfigArgs {
    /// hls4ml's configuration, for the legs that are its C simulation
    ///
    /// The hls4ml_config.yml of a project, or what is given to convert_from_keras_model as
    /// hls_config, as YAML or JSON. Tables and all of a softmax depend on it; hls4ml derives the other
    /// types of a proxy itself, whatever it says (docs/firmware.md). Without it hls4ml's own defaults
    /// apply: ap_fixed<16,6>, io_parallel, Vitis.
    #[arg(long, value_name = "FILE")]
    pub(crate) hls_config: Option<PathBuf>,
}
