//! One event through all layers of all legs.

mod bits;
mod cast;
mod event;
mod layer;
mod select;

pub use event::{ExplainConfig, explain};
pub use select::Elements;
