//! Which values of the reference are proven before any event is read.

use bittrue_block::Storage;
use bittrue_engine::Engine;
use bittrue_model::{NodeId, Op, TypedModel};

/// For each call of the model, whether the value of the reference, leg 0 of `engine`, is proven for
/// every event: the engine has it on integers, and all that it is computed from too, down to the
/// inputs.
///
/// Integers alone prove nothing behind float32: a quantizer gives integers for a sum whose value
/// depends on the order, and rounds an event that lies close to a threshold up or down with it.
pub(crate) fn proven(engine: &Engine, reference: &TypedModel) -> Vec<bool> {
    let mut proven: Vec<bool> = Vec::with_capacity(reference.nodes.len());
    for (n, node) in reference.nodes.iter().enumerate() {
        let upstream = node.inputs.iter().all(|input| proven[input.0]);
        proven.push(match node.op {
            // What is read is what Keras reads.
            Op::Input { .. } => true,
            Op::Reshape | Op::Identity => upstream,
            _ => upstream && engine.node_edge(0, NodeId(n)).storage != Storage::Real,
        });
    }
    let aligned = reference.aligned.iter();
    aligned.map(|call| call.is_some_and(|layer| proven[layer.node.0])).collect()
}
