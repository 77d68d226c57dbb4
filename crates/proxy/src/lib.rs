//! The proxy builder, in two steps that do not know each other.
//!
//! * [`convert`]: QKeras model → proxy model, as HGQ 0.2.6's `to_proxy_model` does it: its rules,
//!   names, preconditions, and where each proxy layer came from;
//! * [`types`]: proxy model → the typed graph that the engine runs.
#![forbid(unsafe_code)]

mod convert;
mod error;
mod types;

pub use convert::{Converted, DeclaredGrid, Mode, Warning, convert};
pub use error::ConvertError;
pub use types::types;
