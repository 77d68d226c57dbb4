//! One reader for each layer class: its configuration keys, its weights, its shape rule.
//!
//! | file | one idea |
//! |---|---|
//! | `read` | which reader a class has |
//! | `simple` | inputs, activations, shapes, merges: layers without weights |
//! | `linear` | what `Dense` and the convolutions share; `Dense` itself |
//! | `conv` | convolutions, also separable ones |
//! | `window` | size, stride, dilation and padding of a sliding window |
//! | `pool` | poolings and zero padding |
//! | `norm` | batch normalisation |
//! | `proxy` | the layers of HGQ's proxy models |

mod conv;
mod linear;
mod norm;
mod pool;
mod proxy;
mod read;
mod simple;
mod window;

pub(super) use norm::settle as settle_batch_norm;
pub use read::SUPPORTED_CLASSES;
pub(super) use read::{Read, read, unsupported};
pub(super) use simple::{FIXED_SHAPE_HELP, input_shape};
