//! The report as text for a terminal.

mod audit;
mod conclusion;
mod explain;
mod format;
mod header;
mod layout;
mod paint;
mod table;

pub use explain::explanation;
pub use layout::{TextOptions, text};
