//! The report as text for a terminal.

mod audit;
mod conclusion;
mod format;
mod header;
mod layout;
mod paint;
mod table;

pub use format::clean;
pub use layout::{TextOptions, text};
