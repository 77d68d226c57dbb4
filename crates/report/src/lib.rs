//! Renderers of a [`Report`](bittrue_record::Report): [`text()`] for people at a terminal,
//! [`json()`] for programs.
//!
//! A renderer states what the report states and computes nothing anew: it sees no model, no event
//! and no engine. It prints nothing either; it returns text.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod json;
mod text;

pub use json::json;
pub use text::{TextOptions, clean, text};
