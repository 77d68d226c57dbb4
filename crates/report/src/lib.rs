//! Renderers of a [`Report`](bittrue_record::Report): [`text()`] for people at a terminal,
//! [`json()`] for programs, [`junit()`] for continuous integration, [`markdown()`] for discussions; and
//! of the difference of two reports.
//!
//! A renderer states what the report states and computes nothing anew: it sees no model, no event
//! and no engine. It prints nothing either; it returns text.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod bench;
mod diff;
mod failure;
mod json;
mod junit;
mod markdown;
mod text;

pub use bench::{bench_json, bench_svg, bench_text};
pub use diff::{diff_json, diff_text};
pub use failure::RunFailure;
pub use json::{explanation_json, json};
pub use junit::{junit, junit_failure};
pub use markdown::{markdown, markdown_failure};
pub use text::{TextOptions, clean, explanation, text};
