//! The reference: what Keras `predict` of a QKeras model computes.
//!
//! * [`float`]: every float32 function as TensorFlow, QKeras and HGQ evaluate it, each one pure
//!   function that needs no graph;
//! * [`weights`]: quantised kernels and biases;
//! * [`exact`]: where a float32 function is proven to be a cast to a fixed type;
//! * [`reference`](mod@reference): the typed graph of the reference leg.
#![forbid(unsafe_code)]

pub mod exact;
pub mod float;
mod prepare;
pub mod reference;
pub mod weights;

pub use prepare::{prepare_bits, prepare_curve, prepare_relu};
