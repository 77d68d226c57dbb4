//! The nodes of the typed graph.

use bittrue_fixed::{Dialect, FixedType};
use bittrue_model::{
    AlignedLayer, CallId, EdgeType, NodeId, Op, Rounding32, Rules, TypedModel, TypedNode,
};

use super::operations::{self, Subject};
use crate::{ConvertError, Converted};

/// The typed graph of a proxy, as leg `leg`.
///
/// Arithmetic is exact where every argument has a fixed type and every constant lies on a
/// power-of-two grid ([`Converted::declared`]); elsewhere it is TensorFlow's float32.
///
/// `input_types` has one entry for each input of the model: the type that its values are cast to
/// before anything reads them, if any. The cast is the input layer's own aligned tensor.
///
/// # Errors
///
/// For a quantizer whose type cannot be expressed, and a table whose entries have no such type.
pub fn types(
    converted: &Converted,
    leg: &str,
    input_types: &[Option<FixedType>],
) -> Result<TypedModel, ConvertError> {
    let model = &converted.model;
    let mut builder = Builder { nodes: Vec::new(), fixed: Vec::new() };
    let mut node_of: Vec<NodeId> = Vec::new();
    for id in model.call_ids() {
        let call = model.call(id);
        let mut arguments: Vec<NodeId> = call.inputs.iter().map(|a| node_of[a.0]).collect();
        let layer = model.layer_of(id);
        let input = model.inputs.iter().position(|&i| i == id);
        let cast = input.and_then(|i| input_types.get(i).copied().flatten());
        let context =
            Context { name: &layer.name, shape: &call.shape, origin: converted.origins[id.0] };
        let subject = Subject {
            layer,
            input: input.unwrap_or_default(),
            arguments: call.inputs.len(),
            argument: call.inputs.first().map_or(&[], |a| &model.call(*a).shape),
            shape: &call.shape,
            declared: converted.declared[call.layer],
        };
        for step in operations::of(&subject)? {
            let exact = step.exact && arguments.iter().all(|a| builder.fixed[a.0]);
            let node = builder.add(step.op, arguments, step.edge, exact, &context);
            arguments = vec![node];
        }
        // A layer that does nothing is its argument.
        let mut node = arguments.first().copied().unwrap_or(NodeId(0));
        if let Some(target) = cast {
            node = builder.input_cast(target, node, &context);
        }
        node_of.push(node);
    }
    let find = |c: &CallId| node_of[c.0];
    Ok(TypedModel {
        unformed: Vec::new(),
        leg: leg.to_owned(),
        nodes: builder.nodes,
        inputs: model.inputs.iter().map(find).collect(),
        outputs: model.outputs.iter().map(find).collect(),
        aligned: converted
            .aligned
            .iter()
            .map(|call| call.as_ref().map(|c| AlignedLayer { node: find(c) }))
            .collect(),
    })
}

struct Builder {
    nodes: Vec<TypedNode>,
    /// For each node: whether its values have a fixed type, so that exact arithmetic applies.
    fixed: Vec<bool>,
}

/// What all nodes of one layer share.
struct Context<'a> {
    name: &'a str,
    shape: &'a [usize],
    origin: CallId,
}

impl Builder {
    /// Adds a node. `exact` says whether its arithmetic is exact; a declared type makes its values
    /// fixed in any case.
    fn add(
        &mut self,
        op: Op,
        inputs: Vec<NodeId>,
        edge: EdgeType,
        exact: bool,
        context: &Context<'_>,
    ) -> NodeId {
        let arithmetic = if exact { Rounding32::Exact } else { Rounding32::Float32 };
        self.fixed.push(exact || !matches!(edge, EdgeType::Derived));
        self.nodes.push(TypedNode {
            name: context.name.to_owned(),
            shape: op.shape_within(context.shape),
            op,
            inputs,
            edge,
            rules: Rules { dialect: Dialect::Hgq, arithmetic },
            origin: context.origin,
        });
        NodeId(self.nodes.len() - 1)
    }

    /// The cast of an input: exact, as a wire of that width would be.
    fn input_cast(&mut self, target: FixedType, input: NodeId, context: &Context<'_>) -> NodeId {
        self.add(Op::Quantize(target), vec![input], EdgeType::Uniform(target), true, context)
    }
}
