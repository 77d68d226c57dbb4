//! Raws of up to 8 bits.
//!
//! | file | one idea |
//! |---|---|
//! | `cast` | sums to bytes |
//! | `linear` | sums of products of bytes |
//! | `vectors` | the same with vector instructions |

mod cast;
mod linear;
#[cfg(target_arch = "x86_64")]
mod vectors;

pub use cast::{ByteCast, SIGNED};
pub use linear::ByteLinear;
