//! Operations on reals: float32 as the real software runs it, or exact, with bands.

mod dense;
mod elem;
mod function;
mod merge;
mod quantize;

pub(crate) use dense::{RealDense, dense};
pub(crate) use function::{Function, InBatch, function, softmax};
pub(crate) use merge::{Term, concatenate, merge};
pub(crate) use quantize::{RealQuantizer, quantize, to_int};
