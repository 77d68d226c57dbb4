//! The float32 functions of TensorFlow 2.15, QKeras 0.9.0 and HGQ 0.2.6, one pure function each over
//! scalars and plain slices.
//!
//! They follow the operations that the real software runs on a CPU, one rounding after the other, so
//! their results are equal bit for bit. Where the real result depends on something unknown (the order
//! of a sum, the place in a tensor, the vector length of the CPU) the result carries a band: the lowest
//! and the highest value that the real software may give.
//!
//! Keras `predict` is the reference; where a direct call of the model gives other bits, the function takes a
//! [`Mode`].

pub mod activations;
pub mod batch_norm;
pub mod dot;
mod eigen;
mod error;
mod ftz;
mod hgq_quantizer;
pub mod kernel;
mod libm;
mod onednn;
pub mod pool;
mod quantized_bits;
mod quantized_curve;
mod quantized_relu;
mod reduce;
mod round;
pub mod softmax;

pub use activations::{Banded, Position};
pub use batch_norm::{BatchNorm, BatchNormKind, PreparedBatchNorm};
pub use dot::{Dot, DotKernel, DotRow, dot};
pub use error::ArgumentError;
pub use ftz::{add, div, fma, ftz, mul, sub};
pub use hgq_quantizer::HgqQuantizer;
pub use kernel::Mode;
pub use quantized_bits::{QuantizedBits, QuantizedBitsArgs};
pub use quantized_curve::{CurveFunction, QuantizedCurve, QuantizedCurveArgs, hard_tanh};
pub use quantized_relu::{QuantizedRelu, QuantizedReluArgs, hard_sigmoid};
