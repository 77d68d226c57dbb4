//! Proxy model → typed graph: which edges have a fixed type, and where arithmetic is exact.

mod exact;
mod graph;
mod operations;
mod quantizer;

pub use graph::types;
