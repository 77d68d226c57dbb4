//! What TensorFlow's graph optimiser merges across layers, as far as it moves bits.
//!
//! * Additions: an addition whose only reader is another addition disappears into it, and the
//!   leaves are added in another order. The straight-through sum `x + (y − x)` of a quantizer, the
//!   bias of a dense layer and a chain of Add layers are such additions. Where every order gives the
//!   same sum nothing is lost; elsewhere the result is banded. Readers that the model has besides
//!   do not count: a layer's value is that of the sub-model which ends in it, where they are absent.
//! * An addition that reads one tensor more than once is regrouped as well: `x + y + x` may become
//!   `(x + x) + y`.
//! * A batch normalisation behind a two-dimensional convolution without bias is computed inside its
//!   kernel, which rounds in another order; but not where a model ends in the normalisation.
//! * tanh, sigmoid and ELU directly behind a dense layer with a bias, and ELU behind a
//!   two-dimensional convolution with one, are computed inside its kernel, by another approximation
//!   of the function: banded.
//! * A two-dimensional convolution whose kernel is much wider than its argument is computed by a
//!   kernel that begins with the bias: banded.
//! * `x · sigmoid(x)` becomes one operation for its readers, by another approximation: banded.
//! * The factors of a normalisation behind a product go into the product: banded.
//!
//! Not followed: a relu computed inside the kernel of a product with bias makes zero of NaN for its
//! readers, while by itself it keeps NaN. Here NaN stays NaN, and is flagged as not finite.

use bittrue_model::{MergeKind, NodeId, Op, Rounding32, TypedModel, Window};

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

/// The terms of the sum `id`, if some of its arguments are sums that disappear into it, or if it reads
/// an argument more than once.
pub(crate) fn regrouped(typed: &TypedModel, id: NodeId) -> Option<Vec<Term>> {
    let node = &typed.nodes[id.0];
    let sum = matches!(node.op, Op::Merge(MergeKind::Add | MergeKind::Average));
    if !sum || node.rules.arithmetic == Rounding32::Exact {
        return None;
    }
    let part = sub_model(typed, id);
    let mut terms = Vec::new();
    let repeats = |(n, argument)| node.inputs[..n].contains(argument);
    let mut any = node.inputs.iter().enumerate().any(repeats);
    let mut open: Vec<NodeId> = node.inputs.iter().rev().copied().collect();
    while let Some(argument) = open.pop() {
        let a = &typed.nodes[argument.0];
        let readers = part.iter().filter(|n| typed.nodes[n.0].inputs.contains(&argument)).count();
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

/// The nodes of the sub-model that ends in `id`.
fn sub_model(typed: &TypedModel, id: NodeId) -> Vec<NodeId> {
    let mut inside = vec![false; typed.nodes.len()];
    let mut found = Vec::new();
    let mut open = vec![id];
    while let Some(id) = open.pop() {
        if !std::mem::replace(&mut inside[id.0], true) {
            found.push(id);
            open.extend(&typed.nodes[id.0].inputs);
        }
    }
    found
}

/// Whether a convolution over an event `[cell…, channel]` may begin with its bias. Seen where the kernel
/// has three columns more than the argument, and with some numbers of filters only.
pub(crate) fn bias_inside(window: &Window, shape: &[usize]) -> bool {
    match (window.size.as_slice(), shape) {
        ([_, _], [_, width, _]) => window.span(1) >= width + 3,
        _ => false,
    }
}

/// Whether a node is the product of a tensor and its sigmoid.
pub(crate) fn is_swish(typed: &TypedModel, id: NodeId) -> bool {
    let node = &typed.nodes[id.0];
    let (Op::Merge(MergeKind::Multiply), [a, b]) = (&node.op, node.inputs.as_slice()) else {
        return false;
    };
    let is_sigmoid_of = |s: &NodeId, x: &NodeId| {
        let s = &typed.nodes[s.0];
        matches!(s.op, Op::Sigmoid) && s.inputs.first() == Some(x)
    };
    is_sigmoid_of(a, b) || is_sigmoid_of(b, a)
}

/// Whether a node's first argument is a product of tensors.
pub(crate) fn behind_product(typed: &TypedModel, id: NodeId) -> bool {
    let mut before = typed.nodes[id.0].inputs.first();
    while let Some(id) = before {
        let node = &typed.nodes[id.0];
        match node.op {
            Op::Merge(MergeKind::Multiply) => return true,
            Op::Reshape => before = node.inputs.first(),
            _ => return false,
        }
    }
    false
}

/// How the readers of a normalisation see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Normalised {
    /// As its own result.
    Alone,
    /// Computed inside the kernel of this convolution.
    Within(NodeId),
    /// One or the other: that depends on what else is computed.
    Either(NodeId),
}

/// How the readers of node `id` see it, if it is a batch normalisation. Its own result, where it is
/// what a model ends in, is never fused.
pub(crate) fn normalised(typed: &TypedModel, id: NodeId) -> Normalised {
    let node = &typed.nodes[id.0];
    let Op::BatchNorm(norm) = &node.op else { return Normalised::Alone };
    if node.shape.len() != 3 || !matches!(norm.axes.as_slice(), [0] | [2]) {
        return Normalised::Alone;
    }
    // What does nothing is no obstacle.
    let mut conv = node.inputs[0];
    while matches!(typed.nodes[conv.0].op, Op::Reshape) && typed.nodes[conv.0].shape == node.shape {
        conv = typed.nodes[conv.0].inputs[0];
    }
    let Op::Conv { window, groups: 1, bias: None, .. } = &typed.nodes[conv.0].op else {
        return Normalised::Alone;
    };
    if window.size.len() != 2 || window.dilation.iter().any(|&d| d != 1) {
        return Normalised::Alone;
    }
    let readers = typed.nodes.iter().filter(|n| n.inputs.contains(&conv)).count();
    match readers == 1 && !typed.outputs.contains(&conv) {
        true => Normalised::Within(conv),
        false => Normalised::Either(conv),
    }
}

/// Whether a normalisation is an output of the model, and has readers for which it is fused: then it
/// depends on what else is fetched.
pub(crate) fn is_output_and_fused(typed: &TypedModel, id: NodeId) -> bool {
    typed.outputs.contains(&id)
        && typed.nodes.iter().any(|n| n.inputs.contains(&id))
        && normalised(typed, id) != Normalised::Alone
}

/// Whether the node is a function that may be computed inside the kernel of the sums before it.
pub(crate) fn inside_linear(typed: &TypedModel, id: NodeId) -> bool {
    let node = &typed.nodes[id.0];
    let before = &typed.nodes[node.inputs.first().map_or(0, |n| n.0)];
    match (&node.op, &before.op) {
        (Op::Sigmoid | Op::Tanh | Op::Elu { .. }, Op::Dense { bias: Some(_), .. }) => {
            before.shape.len() == 1
        }
        (Op::Elu { .. }, Op::Conv { window, bias: Some(_), .. }) => {
            window.size.len() == 2 && window.dilation.iter().all(|&d| d == 1)
        }
        _ => false,
    }
}
