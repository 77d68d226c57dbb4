//! What hls4ml 1.3.0's C simulation computes, node by node: pure functions on exact integers, read
//! from its `nnet_utils` headers (Vitis).
//!
//! A [`Tensor`] holds the values of one tensor for some events; [`Node`] is an operation of
//! [`bittrue_model::Firmware`] with its tables made.
#![forbid(unsafe_code)]

mod curves;
mod node;
mod pool;
mod reach;
mod softmax;
mod sum;
mod tensor;

pub use node::Node;
pub use tensor::{Tensor, input};
