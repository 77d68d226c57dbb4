//! The program as its users meet it: the real binary, its output, its exit codes.
//!
//! Snapshots hold whole messages; after a wanted change, run once with `INSTA_UPDATE=always` and
//! read the difference.

mod bad_inputs;
mod bad_outputs;
mod bad_table;
mod bench;
mod diff;
mod event_forms;
mod explain;
mod help;
mod hls_config;
mod hostile;
mod inspect;
mod interrupt;
mod lint;
mod nightly;
mod proxy;
mod run;
mod simd;
mod support;
mod trace;
mod usage;
