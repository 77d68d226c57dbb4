//! HGQ 0.2.6's `to_proxy_model`, rule by rule.
//!
//! The reference for HGQ's behaviour is a source model reloaded from its `.h5` file in a fresh
//! process.

mod activation;
mod dense;
mod names;
mod walk;

use bittrue_model::{CallId, Model};

pub use walk::convert;

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
    /// For each call of the source: the proxy call that replaces its output; `None` when the call
    /// is on no path to an output, so that the proxy leaves it out.
    pub aligned: Vec<Option<CallId>>,
    /// For each layer of the proxy: what its source declared of its constants' grid.
    pub declared: Vec<DeclaredGrid>,
    /// What the user should know although the conversion succeeds.
    pub warnings: Vec<Warning>,
}

/// Whether the quantizers of the source declare a power-of-two grid for the constants of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeclaredGrid {
    /// The kernel's quantizer declares one.
    pub kernel: bool,
    /// The bias' quantizer declares one.
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
