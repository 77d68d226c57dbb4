//! The derived graph for others to use.

use bittrue_model::Model;

use super::graph::Graph;
use super::{json, passes};
use crate::{ConvertError, HlsConfig};

/// What hls4ml 1.3.0 makes of a proxy: nodes and their types (backend Vitis).
#[derive(Debug)]
pub struct FirmwareTypes {
    pub(super) graph: Graph,
}

/// The nodes and types that hls4ml derives for a proxy with a configuration.
///
/// # Errors
///
/// Where hls4ml refuses the proxy; the error says what it raises and what to do.
pub fn firmware_types(proxy: &Model, config: &HlsConfig) -> Result<FirmwareTypes, ConvertError> {
    Ok(FirmwareTypes { graph: passes::derive(proxy, config)? })
}

impl FirmwareTypes {
    /// The types as JSON: `{node: {class, inputs, result_t, accum_t, weight_t, bias_t, scale_t,
    /// param_t, table_t, table_size, quantizer}}`, with the keys that each node has.
    pub fn to_json(&self) -> String {
        json::write(&self.graph)
    }

    /// hls4ml's own warnings that tell of wrong results: node and text.
    pub fn warnings(&self) -> impl Iterator<Item = (&str, &str)> {
        self.graph.warnings.iter().map(|(node, text)| (node.as_str(), text.as_str()))
    }
}
