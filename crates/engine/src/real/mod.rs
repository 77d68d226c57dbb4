//! Operations on reals: float32 as the real software runs it, or exact, with bands.

mod elem;
mod function;
mod linear;
mod merge;
mod norm;
mod quantize;
mod window;

pub(crate) use function::{Function, InBatch, function, softmax};
pub(crate) use linear::{RealLinear, linear};
pub(crate) use merge::{Term, concatenate, merge, swish};
pub(crate) use norm::{RealNorm, normalise};
pub(crate) use quantize::{Quantizers, RealQuantizer, quantize, to_int};
pub(crate) use window::{gather, pool};
