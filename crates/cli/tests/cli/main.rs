//! The program as its users meet it: the real binary, its output, its exit codes.
//!
//! Snapshots hold whole messages; after a wanted change, run once with `INSTA_UPDATE=always` and
//! read the difference.

mod bad_inputs;
mod bad_outputs;
mod bench;
mod diff;
mod explain;
mod help;
mod inspect;
mod interrupt;
mod nightly;
mod run;
mod simd;
mod support;
mod trace;
mod usage;
