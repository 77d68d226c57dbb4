//! The quickest way through integer kernels: only what is asked for is kept.
//!
//! A program keeps every layer's tensor, for it is compared. Where only some results are asked for,
//! a sum and the cast behind it become one kernel, raws of up to 8 bits are stored in bytes, and a
//! tensor is dropped when its last reader has read it.
//!
//! | file | one idea |
//! |---|---|
//! | `values` | tensors by how they are computed |
//! | `bounds` | what their raws can be |
//! | `plan` | kernels joined, storage chosen, with the proof |
//! | `run` | a block of events |
//! | `emulate` | the outputs of one leg |

mod bounds;
mod emulate;
mod plan;
mod run;
mod values;

pub(crate) use emulate::Emulation;
pub use emulate::{StreamStep, Timing};
pub(crate) use plan::Stream;
pub(crate) use run::Tensor;
pub(crate) use values::{Graph, SharedCast, Value, Values};
