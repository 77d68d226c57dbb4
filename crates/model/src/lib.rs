//! Models: the Keras graph as written in a file ([`Model`]), and the small typed graph that the
//! engine runs ([`TypedModel`]).
//!
//! A [`Model`] is what the file says and no more: layers as one exhaustive enum, quantizers with
//! the arguments as read, and a [`Ledger`] that accounts for every configuration key. What a layer
//! *computes* is decided by whoever turns it into a [`TypedModel`]: the reference semantics and
//! the proxy conversion are crates of their own.
#![forbid(unsafe_code)]

mod error;
mod firmware;
mod graph;
mod layer;
mod ledger;
pub mod parse;
mod quantizer;
mod typed;
mod window;
mod written;

pub use error::{ModelError, Place};
pub use firmware::{
    Firmware, FirmwarePool, FirmwareSoftmax, FirmwareSum, OUTSIDE, Raws, SoftmaxForm,
};
pub use graph::{Call, CallId, Layer, Model, ModelClass, NestedCall};
pub use layer::{
    Activation, BatchNorm, Concatenate, Conv, Dense, FixedPointQuantizer, LayerKind, MergeKind,
    Pool, PoolKind, Relu, SeparableConv, UnaryLut,
};
pub use ledger::{Ledger, LedgerEntry, LedgerUse};
pub use quantizer::{
    Alpha, Curve, QuantizedBits, QuantizedCurve, QuantizedPo2, QuantizedRelu, Quantizer,
};
pub use typed::{
    AlignedLayer, Constant, EdgeType, NodeId, Op, Rounding32, Rules, TypedModel, TypedNode,
};
pub use window::{Padding, Window};
pub use written::{KerasDocument, Weight, WeightGroup};
