//! HGQ 0.2.6's `to_proxy_model`, rule by rule.
//!
//! The reference for HGQ's behaviour is a source model reloaded from its `.h5` file in a fresh
//! process.

mod activation;
mod checks;
mod constants;
mod layer;
mod names;
mod prune;
mod walk;

use bittrue_model::{CallId, Model};

pub(crate) use checks::is_qkeras;
pub use walk::convert;
pub(crate) use walk::replay;

/// Which overflow mode the conversion gives to signed quantizers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// `aggressive=False`: saturate, as QKeras does.
    Sat,
    /// `aggressive=True`, HGQ's default: wrap, which costs no logic.
    Wrap,
}

/// A proxy model, and where everything in it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Converted {
    /// The proxy: plain Keras layers and FixedPointQuantizers.
    pub model: Model,
    /// For each call of the proxy: the source call that it came from.
    pub origins: Vec<CallId>,
    /// For each call of the source: the proxy call that replaces its output; `None` when that is on
    /// no path to an output, so that the proxy leaves it out.
    pub aligned: Vec<Option<CallId>>,
    /// For each layer of the proxy: what its source declared of its constants' grid.
    pub declared: Vec<DeclaredGrid>,
    /// What the user should know although the conversion succeeds.
    pub warnings: Vec<Warning>,
}

/// Whether the constants of a layer lie on a power-of-two grid that exact arithmetic may use.
///
/// In a conversion the source's quantizers declare it; a constant that is not there does not
/// hinder. In a proxy file the values themselves show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeclaredGrid {
    /// The kernel, or the depthwise kernel of a separable convolution.
    pub kernel: bool,
    /// The pointwise kernel of a separable convolution.
    pub pointwise: bool,
    /// The bias.
    pub bias: bool,
}

/// Something that HGQ does silently, or with a message that is easily overlooked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Stable identifier.
    pub code: &'static str,
    /// Name of the source layer.
    pub layer: String,
    /// What happens and what to do.
    pub text: String,
}
