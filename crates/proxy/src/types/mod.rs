//! Proxy model → typed graph: which edges have a fixed type, and where arithmetic is exact.

mod exact;
mod graph;
pub(crate) mod hls4ml;
mod operations;
mod quantizer;

pub use graph::types;
pub use hls4ml::{
    FIRMWARE_RULES, FirmwareRule, FirmwareTypes, Precision, firmware, firmware_rules_markdown,
    firmware_types,
};
