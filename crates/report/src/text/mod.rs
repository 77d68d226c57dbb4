//! The report as text for a terminal.

pub(crate) mod audit;
pub(crate) mod between;
pub(crate) mod conclusion;
mod explain;
pub(crate) mod format;
mod header;
mod layout;
pub(crate) mod paint;
pub(crate) mod table;

pub use explain::explanation;
pub use format::clean;
pub use layout::{TextOptions, text};
