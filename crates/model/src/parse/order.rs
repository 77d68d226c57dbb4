//! The order in which calls are reported.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::topology::{CallRef, RawLayer};
use crate::{ModelError, Place};

/// All calls so that arguments come first: Kahn's algorithm, and among the calls that are ready
/// the first in file order (then in node order). A file that is already topological keeps its
/// order.
pub(super) fn report_order(layers: &[RawLayer<'_>]) -> Result<Vec<CallRef>, ModelError> {
    let mut waiting: Vec<Vec<usize>> = Vec::with_capacity(layers.len());
    let mut consumers: Vec<Vec<Vec<CallRef>>> =
        layers.iter().map(|layer| vec![Vec::new(); layer.calls.len()]).collect();
    let mut ready = BinaryHeap::new();
    for (index, layer) in layers.iter().enumerate() {
        let mut arguments = Vec::with_capacity(layer.calls.len());
        for (node, inputs) in layer.calls.iter().enumerate() {
            for (from, at) in inputs.iter().map(|tensor| tensor.call) {
                consumers[from][at].push((index, node));
            }
            if inputs.is_empty() {
                ready.push(Reverse((index, node)));
            }
            arguments.push(inputs.len());
        }
        waiting.push(arguments);
    }
    let mut order = Vec::new();
    while let Some(Reverse((index, node))) = ready.pop() {
        order.push((index, node));
        for &(to, at) in &consumers[index][node] {
            waiting[to][at] -= 1;
            if waiting[to][at] == 0 {
                ready.push(Reverse((to, at)));
            }
        }
    }
    let stuck = layers.iter().zip(&waiting).find(|(_, w)| w.iter().any(|&n| n > 0));
    match stuck {
        None => Ok(order),
        Some((layer, _)) => Err(ModelError::new(
            Place::layer(&layer.path).attribute("inbound_nodes"),
            "the layer depends on its own result".to_owned(),
        )),
    }
}
