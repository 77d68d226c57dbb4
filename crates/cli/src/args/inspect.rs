//! `verify inspect`.

use clap::Args;

use super::ModelArgs;

/// `verify inspect`.
#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,
}
