//! Integer kernels over lanes: events innermost, every element of a row belongs to one event.
//!
//! These loops know no graph and check nothing: the plan that calls them has proven from interval
//! analysis that no accumulator and no result leaves its machine type. They are written once,
//! generic over the storage of their lanes.
#![forbid(unsafe_code)]

mod elementwise;
mod input;
mod linear;
mod requantize;
mod window;

pub use elementwise::{add_scaled, align, leaky_relu, maximum, minimum, multiply, relu};
pub use input::InputCast;
pub use linear::{LinearShape, PADDING, linear};
pub use requantize::{Requantize, requantize};
pub use window::{gather, pool_max, pool_sum};
