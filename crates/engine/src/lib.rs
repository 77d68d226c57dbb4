//! The engine: one plan for all legs.
//!
//! An [`Engine`] is built from the typed graphs of one reference and any number of targets. For
//! each it makes two programs:
//!
//! * the *fast* one computes on integers wherever interval analysis proves that the real
//!   software's float32 is exact there (or that the leg is exact by definition), with events
//!   innermost;
//! * the *careful* one computes on reals with bands, and takes the few events that leave the
//!   proven domain: NaN, straight-through artefacts, a function's band across a rounding threshold.
//!
//! A third one, the *screen*, finds the events in which legs may differ at all; only these go through
//! every leg.
//!
//! A block of events goes through all legs in lock-step. An operation that was already applied to
//! the same tensors is not applied again, so legs share their work until they differ.
#![forbid(unsafe_code)]

mod edge;
mod firmware;
mod fusion;
mod int;
mod kernel;
mod lower;
mod plan;
mod program;
mod real;
mod run;
mod screen;
mod stream;
mod tap;
mod taps;
#[cfg(test)]
mod tests;

pub use bittrue_kernels::{Level, Peak, Simd, peaks};
pub use plan::{Engine, PlanError};
pub use program::EdgeInfo;
pub use run::{BlockResult, LegValues, Selection};
pub use stream::{StreamStep, Timing};
pub use tap::NodeValues;
