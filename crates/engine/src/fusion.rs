//! What TensorFlow's graph optimiser merges across layers, as far as it moves bits.
//!
//! * Additions: an addition whose only reader is another addition disappears into it, and the
//!   leaves are added in another order. The straight-through sum `x + (y − x)` of a quantizer, the
//!   bias of a dense layer and a chain of Add layers are such additions. Where every order gives the
//!   same sum nothing is lost; elsewhere the result is banded.
//! * A convolution without bias, a batch normalisation and a relu are one kernel, which rounds in
//!   another order than the three by themselves.
//! * tanh and sigmoid directly behind a dense layer with a bias are computed inside its kernel, by
//!   another approximation of the function: banded.

use bittrue_model::{BatchNorm, MergeKind, NodeId, Op, Rounding32, TypedModel};

/// One term of a sum that may be regrouped.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Term {
    /// The value of a node.
    Node(NodeId),
    /// What a quantizer adds to its argument: the first node minus the second.
    Difference(NodeId, NodeId),
    /// A constant for each element (a bias, repeated over the leading axes).
    Constant(Vec<f32>),
}

/// The terms of the sum `id`, if some of its arguments are sums that disappear into it.
pub(crate) fn regrouped(typed: &TypedModel, id: NodeId) -> Option<Vec<Term>> {
    let node = &typed.nodes[id.0];
    let sum = matches!(node.op, Op::Merge(MergeKind::Add | MergeKind::Average));
    if !sum || node.rules.arithmetic == Rounding32::Exact {
        return None;
    }
    let mut terms = Vec::new();
    let mut any = false;
    let mut open: Vec<NodeId> = node.inputs.iter().rev().copied().collect();
    while let Some(argument) = open.pop() {
        let a = &typed.nodes[argument.0];
        let readers = typed.nodes.iter().filter(|n| n.inputs.contains(&argument)).count();
        match &a.op {
            _ if readers != 1 => terms.push(Term::Node(argument)),
            Op::QuantizedBits(_) | Op::QuantizedRelu(_) => {
                any = true;
                terms.push(Term::Node(a.inputs[0]));
                terms.push(Term::Difference(argument, a.inputs[0]));
            }
            Op::Dense { bias: Some(bias), .. } | Op::Conv { bias: Some(bias), .. } => {
                any = true;
                let plus: Vec<f32> = bias.values.iter().copied().collect();
                let minus = plus.iter().map(|b| -b).collect();
                terms.extend([Term::Node(argument), Term::Constant(plus), Term::Constant(minus)]);
            }
            Op::Merge(MergeKind::Add) => {
                any = true;
                open.extend(a.inputs.iter().rev());
            }
            _ => terms.push(Term::Node(argument)),
        }
    }
    any.then_some(terms)
}

/// The convolution and the normalisation that are computed together with the relu `id`.
pub(crate) fn normalised(typed: &TypedModel, id: NodeId) -> Option<(NodeId, &BatchNorm)> {
    let relu = matches!(
        typed.nodes[id.0].op,
        Op::Relu { max_value: None, negative_slope: 0.0, threshold: 0.0 } | Op::QuantizedRelu(_)
    );
    let norm = relu.then(|| typed.nodes[id.0].inputs.first()).flatten()?;
    let Op::BatchNorm(parameters) = &typed.nodes[norm.0].op else { return None };
    let conv = typed.nodes[norm.0].inputs[0];
    let Op::Conv { window, bias: None, .. } = &typed.nodes[conv.0].op else { return None };
    (window.size.len() == 2 && parameters.axes == [2]).then_some((conv, parameters))
}

/// Whether the node is a function that is computed inside the dense kernel before it.
pub(crate) fn inside_linear(typed: &TypedModel, id: NodeId) -> bool {
    let node = &typed.nodes[id.0];
    matches!(node.op, Op::Sigmoid | Op::Tanh | Op::Elu { .. })
        && matches!(
            typed.nodes[node.inputs[0].0].op,
            Op::Dense { bias: Some(_), .. } | Op::Conv { bias: Some(_), .. }
        )
}
