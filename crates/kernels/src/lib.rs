//! Integer kernels over lanes: events innermost, every element of a row belongs to one event.
//!
//! These loops know no graph and check nothing: the plan that calls them has proven from interval
//! analysis that no accumulator and no result leaves its machine type. They are written once,
//! generic over the storage of their lanes.
#![deny(unsafe_op_in_unsafe_fn)]
#![cfg_attr(
    not(target_arch = "x86_64"),
    expect(dead_code, reason = "vector instructions are those of x86-64; elsewhere loops are")
)]

mod bytes;
mod cast32;
mod elementwise;
mod input;
mod isa;
mod linear;
mod pairs;
mod probe;
mod requantize;
mod simd;
mod window;

pub use bytes::{ByteCast, ByteLinear, SIGNED};
pub use cast32::Cast32;
pub use elementwise::{add_scaled, align, leaky_relu, maximum, minimum, multiply, relu};
pub use input::InputCast;
pub use linear::{LinearShape, PADDING, linear};
pub use pairs::PairLinear;
pub use probe::{Peak, peaks};
pub use requantize::{Requantize, requantize};
pub use simd::{Level, Simd};
pub use window::{
    gather, gather_bytes, pool_max, pool_max_bytes, pool_sum, pool_sum_bytes, to_bytes,
};
