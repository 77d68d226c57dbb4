//! From hls4ml's graph to the typed graph that the engine runs.

use std::collections::HashMap;
use std::sync::Arc;

use bittrue_fixed::{Dialect, FixedType};
use bittrue_model::{
    AlignedLayer, CallId, EdgeType, Firmware, NodeId, Op, Place, Rounding32, Rules, TypedModel,
    TypedNode,
};

use super::build::refuse;
use super::graph::{Closest, Kind, Node};
use super::inputs::quantised;
use super::operations::{narrowest, operation};
use super::result::{FirmwareTypes, firmware_types};
use crate::{ConvertError, Converted, HlsConfig};

/// Widest raw that the simulation holds.
const WIDEST: u32 = 63;

/// The typed graph of the C simulation of a proxy, as leg `leg`, and hls4ml's own warnings that
/// tell of wrong results.
///
/// `input_types` has an entry for each input of the model: the type that it is cast to, if any. For
/// an input that hls4ml would refuse because no quantizer follows it, that is the quantizer.
///
/// # Errors
///
/// Where hls4ml refuses the proxy, for a type that this program cannot hold, and where the C++
/// would not run.
pub fn firmware(
    converted: &Converted,
    leg: &str,
    input_types: &[Option<FixedType>],
    config: &HlsConfig,
) -> Result<(TypedModel, FirmwareTypes), ConvertError> {
    let (converted, casts) = quantised(converted, input_types);
    let types = firmware_types(&converted.model, config)?;
    let typed = typed(&converted, &types, leg, &casts)?;
    Ok((typed, types))
}

fn typed(
    converted: &Converted,
    types: &FirmwareTypes,
    leg: &str,
    input_types: &[Option<FixedType>],
) -> Result<TypedModel, ConvertError> {
    let mut builder =
        Builder { converted, nodes: Vec::new(), exact: HashMap::new(), result: HashMap::new() };
    let graph = &types.graph;
    let mut casts: HashMap<CallId, NodeId> = HashMap::new();
    for &id in &graph.order {
        let node = &graph.nodes[id];
        let place = || Place::layer(&node.name);
        let inputs: Vec<NodeId> = node.inputs.iter().map(|n| builder.result[n]).collect();
        let arguments: Vec<&Node> = node.inputs.iter().map(|&n| &graph.nodes[n]).collect();
        let target = narrowest(node, &arguments);
        let fixed = target.and_then(|t| t.fixed()).filter(|t| t.width <= WIDEST);
        let fixed = fixed.ok_or_else(|| {
            let text = target.map(|t| t.to_string()).unwrap_or_default();
            refuse(
                place(),
                format!("its type {text} has more than {WIDEST} bits, which cannot be simulated"),
                "quantise its result",
            )
        })?;
        match node.kind {
            Kind::Input { index } => {
                let cast = input_types.get(index).copied().flatten();
                let own = |t| Op::Firmware(Arc::new(Firmware::Input { index, target: t }));
                let last = match cast {
                    None => builder.push(node, own(fixed), vec![], Some(fixed), node.cast),
                    Some(t) => {
                        let first = builder.push(node, own(t), vec![], Some(t), node.call);
                        casts.insert(node.call, first);
                        let op = Op::Firmware(Arc::new(Firmware::Cast(fixed)));
                        builder.push(node, op, vec![first], Some(fixed), node.cast)
                    }
                };
                builder.result.insert(id, last);
            }
            Kind::Reshape => {
                let mut last = builder.push(node, Op::Reshape, inputs, None, node.cast);
                let argument = arguments.first().and_then(|a| a.types.result);
                if node.types.result != argument {
                    // Packed anew, in its own type.
                    let op = Op::Firmware(Arc::new(Firmware::Cast(fixed)));
                    last = builder.push(node, op, vec![last], Some(fixed), node.cast);
                }
                builder.result.insert(id, last);
            }
            Kind::Clone { .. } => {
                let argument = arguments.first().and_then(|a| a.types.result);
                let mut last = builder.result[&node.inputs[0]];
                if node.types.result != argument {
                    let op = Op::Firmware(Arc::new(Firmware::Cast(fixed)));
                    last = builder.push(node, op, vec![last], Some(fixed), node.cast);
                }
                builder.result.insert(id, last);
            }
            _ => {
                let op = Op::Firmware(Arc::new(operation(node, &arguments)?));
                let exact = builder.push(node, op, inputs, None, node.call);
                builder.exact.insert(id, exact);
                let op = Op::Firmware(Arc::new(Firmware::Cast(fixed)));
                let last = builder.push(node, op, vec![exact], Some(fixed), node.cast);
                builder.result.insert(id, last);
            }
        }
    }
    // Which node gives, or would give, the value of a call of the proxy.
    let mut formed: HashMap<CallId, NodeId> = casts;
    for &id in &graph.order {
        for &call in &graph.nodes[id].forms {
            formed.entry(call).or_insert(builder.result[&id]);
        }
    }
    let lost: HashMap<CallId, Closest> = graph.lost.iter().copied().collect();
    let closest = |call: &CallId| match *lost.get(call)? {
        Closest::BeforeCast(id) => builder.exact.get(&id).copied(),
        Closest::Result(id) => builder.result.get(&id).copied(),
    };
    let aligned = &converted.aligned;
    let inputs = converted.model.inputs.iter();
    Ok(TypedModel {
        leg: leg.to_owned(),
        inputs: inputs
            .filter_map(|call| {
                let of_call = |n: &&usize| graph.nodes[**n].call == *call;
                graph.order.iter().find(of_call).map(|n| builder.result[n])
            })
            .collect(),
        outputs: graph.outputs.iter().map(|n| builder.result[n]).collect(),
        aligned: aligned
            .iter()
            .map(|call| formed.get(call.as_ref()?).map(|&node| AlignedLayer { node }))
            .collect(),
        unformed: aligned.iter().map(|call| closest(call.as_ref()?)).collect(),
        nodes: builder.nodes,
    })
}

struct Builder<'a> {
    converted: &'a Converted,
    nodes: Vec<TypedNode>,
    /// For each node of hls4ml's graph the node before the cast to its type.
    exact: HashMap<usize, NodeId>,
    /// And the one of its result.
    result: HashMap<usize, NodeId>,
}

impl Builder<'_> {
    fn push(
        &mut self,
        node: &Node,
        op: Op,
        inputs: Vec<NodeId>,
        target: Option<FixedType>,
        call: CallId,
    ) -> NodeId {
        self.nodes.push(TypedNode {
            name: node.name.clone(),
            op,
            inputs,
            shape: node.shape.clone(),
            edge: target.map_or(EdgeType::Derived, EdgeType::Uniform),
            rules: Rules { dialect: Dialect::ApFixed, arithmetic: Rounding32::Exact },
            origin: self.converted.origins[call.0],
        });
        NodeId(self.nodes.len() - 1)
    }
}
