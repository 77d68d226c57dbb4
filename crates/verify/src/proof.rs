//! Which values of the reference are proven before any event is read.

use bittrue_block::Storage;
use bittrue_engine::{Engine, PlanError};
use bittrue_model::{AlignedLayer, CallId, Model, NodeId, Op, TypedModel};

/// For each call of `model`, whether the reference's value is proven for every event: the engine
/// has it on integers, and all that it is computed from too, down to the inputs.
///
/// Integers alone prove nothing behind float32: a quantizer gives integers for a sum whose value
/// depends on the order, and rounds an event that lies close to a threshold up or down with it.
///
/// # Errors
///
/// Those of [`Engine::new`].
pub(crate) fn proven(model: &Model, reference: &TypedModel) -> Result<Vec<bool>, PlanError> {
    let integers = on_integers(model, reference)?;
    let mut proven: Vec<bool> = Vec::with_capacity(reference.nodes.len());
    for (node, integers) in reference.nodes.iter().zip(integers) {
        let upstream = node.inputs.iter().all(|input| proven[input.0]);
        proven.push(match node.op {
            // What is read is what Keras reads.
            Op::Input { .. } => true,
            Op::Reshape => upstream,
            _ => integers && upstream,
        });
    }
    let aligned = reference.aligned.iter();
    Ok(aligned.map(|call| call.is_some_and(|layer| proven[layer.node.0])).collect())
}

/// For each node of the reference whether the engine computes it on integers.
fn on_integers(model: &Model, reference: &TypedModel) -> Result<Vec<bool>, PlanError> {
    // An engine tells of the tensors that stand for a call. A layer may have more of them inside,
    // such as the sum before its activation, so this plan gives every node a number of its own.
    let nodes = reference.nodes.len();
    let mut every = reference.clone();
    every.aligned = (0..nodes.max(model.calls.len()))
        .map(|n| (n < nodes).then_some(AlignedLayer { node: NodeId(n) }))
        .collect();
    let engine = Engine::new(model, &every, &[])?;
    let integers = |n| engine.edge(0, CallId(n)).is_some_and(|e| e.storage != Storage::Real);
    Ok((0..nodes).map(integers).collect())
}
