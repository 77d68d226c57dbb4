//! What TensorFlow's graph optimiser merges across layers, as far as it moves bits.
//!
//! * Additions: an addition whose only reader is another addition disappears into it, and the
//!   leaves are added in another order. The straight-through sum `x + (y − x)` of a quantizer, the
//!   bias of a dense layer, what a normalisation of rank 2 or 3 adds and a chain of Add layers are
//!   such additions. Where every order gives the
//!   same sum nothing is lost; elsewhere the result is banded. Readers that the model has besides
//!   do not count: a layer's value is that of the sub-model which ends in it, where they are absent.
//! * An addition that reads one tensor more than once is regrouped as well: `x + y + x` may become
//!   `(x + x) + y`. Layers without constants that do the same to the same tensor are one.
//! * A batch normalisation behind a two-dimensional convolution without bias is computed inside its
//!   kernel, which rounds in another order; but not where a model ends in the normalisation, and
//!   not where anything else reads what is between the two: banded, as other sub-models have no such
//!   reader. A Reshape to the same shape between them is taken away only where TensorFlow knows the
//!   shape, which it does not behind a quantizer of HGQ: banded too.
//! * tanh, sigmoid and ELU behind a dense layer with a bias, and ELU behind a two-dimensional
//!   convolution with one, are computed inside its kernel, by another approximation of the function:
//!   banded. A Dropout between them does not matter; a Flatten or Reshape does.
//! * A convolution may begin with its bias or add it last. That depends on the shapes and on the
//!   processor (seen with kernels three columns wider than their argument on AVX-512, and with most
//!   on AVX2): banded where the two differ.
//! * `x · sigmoid(x)` becomes one operation for its readers, by another approximation: banded.
//! * The factors of a normalisation behind a product go into the product: banded.
//!
//! Not followed: a relu computed inside the kernel of a product with bias makes zero of NaN for its
//! readers, while by itself it keeps NaN. Here NaN stays NaN, and is flagged as not finite.

use std::collections::HashMap;

use bittrue_keras::float::BatchNormKind;
use bittrue_model::{BatchNorm, CallId, MergeKind, NodeId, Op, Rounding32, TypedModel};
use ndarray::ArrayD;

/// A leg's graph, and what would be searched for again and again.
#[derive(Debug)]
pub(crate) struct Graph<'t> {
    pub(crate) typed: &'t TypedModel,
    /// For each node the number of nodes that read it.
    readers: Vec<usize>,
    /// For each call of the source model the nodes that came from it, in order.
    of_call: Vec<Vec<usize>>,
    /// For each node the first one that does the same to the same tensors.
    same: Vec<NodeId>,
}

impl<'t> Graph<'t> {
    pub(crate) fn new(typed: &'t TypedModel) -> Self {
        let mut readers = vec![0; typed.nodes.len()];
        let mut of_call: Vec<Vec<usize>> = vec![Vec::new(); typed.aligned.len()];
        for (id, node) in typed.nodes.iter().enumerate() {
            for (n, argument) in node.inputs.iter().enumerate() {
                // A node that reads another one twice is one reader.
                if !node.inputs[..n].contains(argument) {
                    readers[argument.0] += 1;
                }
            }
            if let Some(nodes) = of_call.get_mut(node.origin.0) {
                nodes.push(id);
            }
        }
        Self { typed, readers, of_call, same: same(typed) }
    }

    /// The nodes that came from a call.
    pub(crate) fn of_call(&self, call: CallId) -> &[usize] {
        &self.of_call[call.0]
    }

    /// Whether exactly one node needs the result of this one.
    fn has_one_reader(&self, id: NodeId) -> bool {
        self.readers[id.0] == 1 && !self.typed.outputs.contains(&id)
    }

    /// The tensor of which a node has the elements, in their order.
    fn elements_of(&self, mut id: NodeId) -> NodeId {
        while let (Op::Reshape | Op::Identity, Some(&argument)) =
            (&self.typed.nodes[id.0].op, self.typed.nodes[id.0].inputs.first())
        {
            id = argument;
        }
        self.same[id.0]
    }

    /// Whether a node gives its argument as it is.
    fn does_nothing(&self, id: NodeId) -> bool {
        let node = &self.typed.nodes[id.0];
        match (&node.op, node.inputs.first()) {
            (Op::Identity, Some(_)) => true,
            (Op::Reshape, Some(argument)) => self.typed.nodes[argument.0].shape == node.shape,
            _ => false,
        }
    }
}

/// For each node the first one that does the same to the same tensors. Layers with constants read
/// variables of their own, and are never the same.
fn same(typed: &TypedModel) -> Vec<NodeId> {
    let mut same: Vec<NodeId> = Vec::with_capacity(typed.nodes.len());
    let mut by_inputs: HashMap<Vec<NodeId>, Vec<NodeId>> = HashMap::new();
    for (id, node) in typed.nodes.iter().enumerate() {
        let id = NodeId(id);
        let inputs: Vec<NodeId> = node.inputs.iter().map(|n| same[n.0]).collect();
        let constants = matches!(
            node.op,
            Op::Input { .. }
                | Op::Dense { .. }
                | Op::Conv { .. }
                | Op::BatchNorm(_)
                | Op::Firmware(_)
        );
        if constants || inputs.is_empty() {
            same.push(id);
            continue;
        }
        let others = by_inputs.entry(inputs).or_default();
        let equal = |o: &&NodeId| {
            let other = &typed.nodes[o.0];
            other.op == node.op && other.shape == node.shape && other.rules == node.rules
        };
        let first = others.iter().find(equal).copied();
        if first.is_none() {
            others.push(id);
        }
        same.push(first.unwrap_or(id));
    }
    same
}

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
pub(crate) fn regrouped(graph: &Graph<'_>, id: NodeId) -> Option<Vec<Term>> {
    let typed = graph.typed;
    let node = &typed.nodes[id.0];
    let sum = matches!(node.op, Op::Merge(MergeKind::Add | MergeKind::Average));
    if !sum || node.rules.arithmetic == Rounding32::Exact {
        return None;
    }
    let readers = readers_in_sub_model(graph, id);
    let mut terms = Vec::new();
    let repeats = |(n, argument): (usize, &NodeId)| {
        node.inputs[..n].iter().any(|other| graph.same[other.0] == graph.same[argument.0])
    };
    let mut any = node.inputs.iter().enumerate().any(repeats);
    let mut open: Vec<NodeId> = node.inputs.iter().rev().copied().collect();
    while let Some(argument) = open.pop() {
        let a = &typed.nodes[argument.0];
        match &a.op {
            _ if readers[&graph.same[argument.0]] != 1 => terms.push(Term::Node(argument)),
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
            Op::BatchNorm(norm) if is_composed(norm, &a.shape) => {
                any = true;
                let plus = added(norm, &a.shape);
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

/// Whether TensorFlow computes a normalisation as a product and an addition.
fn is_composed(norm: &BatchNorm, shape: &[usize]) -> bool {
    let axes: Vec<usize> = norm.axes.iter().map(|a| a + 1).collect();
    BatchNormKind::of(shape.len() + 1, &axes) == BatchNormKind::Composed
}

/// What such a normalisation adds to each element of an event, up to a rounding.
fn added(norm: &BatchNorm, shape: &[usize]) -> Vec<f32> {
    let len = norm.mean.len();
    let flat = |values: Option<&ArrayD<f32>>, none: f32| -> Vec<f64> {
        values.map_or(vec![none.into(); len], |v| v.iter().map(|&v| v.into()).collect())
    };
    let (gamma, beta) = (flat(norm.gamma.as_ref(), 1.0), flat(norm.beta.as_ref(), 0.0));
    let (mean, variance) = (flat(Some(&norm.mean), 0.0), flat(Some(&norm.variance), 0.0));
    let factors = gamma.iter().zip(variance).map(|(g, v)| g / (v + norm.epsilon).sqrt());
    let terms = factors.zip(mean).zip(beta);
    let of_parameter: Vec<f32> = terms.map(|((f, m), b)| (b - m * f) as f32).collect();
    let value = |c: u32| of_parameter.get(c as usize).copied().unwrap_or(0.0);
    norm.parameter_of(shape).into_iter().map(value).collect()
}

/// For each node of the sub-model that ends in `id` how many nodes of it read it.
fn readers_in_sub_model(graph: &Graph<'_>, id: NodeId) -> HashMap<NodeId, usize> {
    let mut readers = HashMap::from([(graph.same[id.0], 0)]);
    let mut open = vec![graph.same[id.0]];
    while let Some(id) = open.pop() {
        let inputs: Vec<NodeId> =
            graph.typed.nodes[id.0].inputs.iter().map(|n| graph.same[n.0]).collect();
        for (n, &argument) in inputs.iter().enumerate() {
            if inputs[..n].contains(&argument) {
                continue;
            }
            let count = readers.entry(argument).or_insert_with(|| {
                open.push(argument);
                0
            });
            *count += 1;
        }
    }
    readers
}

/// Whether a node is the product of a tensor and its sigmoid. Operations that do nothing do not matter.
pub(crate) fn is_swish(graph: &Graph<'_>, id: NodeId) -> bool {
    let typed = graph.typed;
    let node = &typed.nodes[id.0];
    let (Op::Merge(MergeKind::Multiply), [a, b]) = (&node.op, node.inputs.as_slice()) else {
        return false;
    };
    let is_sigmoid_of = |s: NodeId, x: NodeId| {
        let mut s = s;
        while graph.does_nothing(s) {
            s = typed.nodes[s.0].inputs[0];
        }
        let s = &typed.nodes[s.0];
        let argument = s.inputs.first().map(|&n| graph.elements_of(n));
        matches!(s.op, Op::Sigmoid) && argument == Some(graph.elements_of(x))
    };
    is_sigmoid_of(*a, *b) || is_sigmoid_of(*b, *a)
}

/// Whether a node's first argument is a product of tensors.
pub(crate) fn behind_product(typed: &TypedModel, id: NodeId) -> bool {
    let mut before = typed.nodes[id.0].inputs.first();
    while let Some(id) = before {
        let node = &typed.nodes[id.0];
        match node.op {
            Op::Merge(MergeKind::Multiply) => return true,
            Op::Reshape | Op::Identity => before = node.inputs.first(),
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
pub(crate) fn normalised(graph: &Graph<'_>, id: NodeId) -> Normalised {
    let typed = graph.typed;
    let node = &typed.nodes[id.0];
    let Op::BatchNorm(norm) = &node.op else { return Normalised::Alone };
    if node.shape.len() != 3 || !matches!(norm.axes.as_slice(), [0] | [2]) {
        return Normalised::Alone;
    }
    // Where the model ends in the normalisation it is by itself for its other readers too; but in the
    // sub-models that end in these it is not.
    let mut certain = !typed.outputs.contains(&id);
    let mut conv = node.inputs[0];
    while graph.does_nothing(conv) {
        certain &= graph.has_one_reader(conv) && matches!(typed.nodes[conv.0].op, Op::Identity);
        conv = typed.nodes[conv.0].inputs[0];
    }
    let Op::Conv { window, compiled: false, bias: None, .. } = &typed.nodes[conv.0].op else {
        return Normalised::Alone;
    };
    if window.size.len() != 2 || window.dilation.iter().any(|&d| d != 1) {
        return Normalised::Alone;
    }
    match certain && graph.has_one_reader(conv) {
        true => Normalised::Within(conv),
        false => Normalised::Either(conv),
    }
}

/// Whether a normalisation is an output of the model, and has readers for which it is fused: then it
/// depends on what else is fetched.
pub(crate) fn is_output_and_fused(graph: &Graph<'_>, id: NodeId) -> bool {
    graph.readers[id.0] > 0
        && graph.typed.outputs.contains(&id)
        && normalised(graph, id) != Normalised::Alone
}

/// Whether the node is a function that may be computed inside the kernel of the sums before it.
pub(crate) fn inside_linear(typed: &TypedModel, id: NodeId) -> bool {
    let node = &typed.nodes[id.0];
    let mut before = &typed.nodes[node.inputs.first().map_or(0, |n| n.0)];
    while let (Op::Identity, Some(&argument)) = (&before.op, before.inputs.first()) {
        before = &typed.nodes[argument.0];
    }
    match (&node.op, &before.op) {
        (Op::Sigmoid | Op::Tanh | Op::Elu { .. }, Op::Dense { bias: Some(_), .. }) => {
            before.shape.len() == 1
        }
        // Quantized, but the function itself.
        (Op::QuantizedCurve(q), Op::Dense { bias: Some(_), .. }) => {
            q.real && before.shape.len() == 1
        }
        (Op::Elu { .. }, Op::Conv { window, bias: Some(_), .. }) => {
            window.size.len() == 2 && window.dilation.iter().all(|&d| d == 1)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use bittrue_fixed::Dialect;
    use bittrue_model::{BatchNorm, Constant, EdgeType, Padding, Rules, TypedNode, Window};
    use ndarray::{ArrayD, IxDyn};

    use super::*;

    /// Nodes over events of one shape, `[3, 3, 4]`.
    fn graph(nodes: Vec<(Op, Vec<usize>)>, outputs: &[usize]) -> TypedModel {
        let node = |(n, (op, inputs)): (usize, (Op, Vec<usize>))| TypedNode {
            name: format!("n{n}"),
            op,
            inputs: inputs.into_iter().map(NodeId).collect(),
            shape: vec![3, 3, 4],
            edge: EdgeType::Derived,
            rules: Rules { dialect: Dialect::Hgq, arithmetic: Rounding32::Float32 },
            origin: CallId(n),
        };
        let nodes: Vec<TypedNode> = nodes.into_iter().enumerate().map(node).collect();
        TypedModel {
            unformed: Vec::new(),
            leg: "test".to_owned(),
            aligned: vec![None; nodes.len()],
            nodes,
            inputs: vec![NodeId(0)],
            outputs: outputs.iter().copied().map(NodeId).collect(),
        }
    }

    fn conv(groups: usize, compiled: bool) -> Op {
        let window = Window {
            size: vec![1, 1],
            strides: vec![1, 1],
            dilation: vec![1, 1],
            padding: Padding::Valid,
        };
        let values = ArrayD::zeros(IxDyn(&[1, 1, 4 / groups, 4]));
        let kernel = Constant { values, on_grid: true };
        Op::Conv { window, groups, compiled, kernel, bias: None }
    }

    fn norm() -> Op {
        let four = || ArrayD::ones(IxDyn(&[4]));
        let (gamma, beta) = (Some(four()), Some(four()));
        let (mean, variance) = (four(), four());
        Op::BatchNorm(BatchNorm { axes: vec![2], epsilon: 1e-3, gamma, beta, mean, variance })
    }

    fn relu() -> Op {
        Op::Relu { max_value: None, negative_slope: 0.0, threshold: 0.0 }
    }

    /// Input, convolution, `between`, normalisation, relu, and what else reads.
    fn seen(conv: Op, between: Op, reads: Option<usize>, outputs: &[usize]) -> Normalised {
        let mut nodes = vec![
            (Op::Input { index: 0 }, vec![]),
            (conv, vec![0]),
            (between, vec![1]),
            (norm(), vec![2]),
            (relu(), vec![3]),
        ];
        nodes.extend(reads.map(|at| (Op::Tanh, vec![at])));
        normalised(&Graph::new(&graph(nodes, outputs)), NodeId(3))
    }

    #[test]
    fn a_normalisation_and_what_reads_before_it() {
        let (within, either) = (Normalised::Within(NodeId(1)), Normalised::Either(NodeId(1)));
        let plain = || conv(1, false);
        assert_eq!(seen(plain(), Op::Identity, None, &[4]), within);
        assert_eq!(seen(plain(), Op::Identity, Some(3), &[4]), within);
        for read in [1, 2] {
            assert_eq!(seen(plain(), Op::Identity, Some(read), &[4]), either, "read {read}");
        }
        for output in 1..=3 {
            assert_eq!(seen(plain(), Op::Identity, None, &[4, output]), either, "output {output}");
        }
        assert_eq!(seen(plain(), Op::Reshape, None, &[4]), either);
        assert_eq!(seen(plain(), Op::Tanh, None, &[4]), Normalised::Alone);
        assert_eq!(seen(conv(2, false), Op::Identity, None, &[4]), within);
        assert_eq!(seen(conv(2, true), Op::Identity, None, &[4]), Normalised::Alone);
    }

    #[test]
    fn layers_that_do_the_same() {
        let sum = |a, b, c| (Op::Merge(MergeKind::Add), vec![a, b, c]);
        let input = || (Op::Input { index: 0 }, vec![]);
        let of = |third: Op| {
            let nodes =
                vec![input(), (Op::Tanh, vec![0]), (Op::Sigmoid, vec![0]), (third, vec![0])];
            let nodes = nodes.into_iter().chain([sum(1, 2, 3)]).collect();
            regrouped(&Graph::new(&graph(nodes, &[4])), NodeId(4)).is_some()
        };
        assert!(of(Op::Tanh));
        assert!(!of(relu()));
        // Each has a kernel of its own.
        assert!(!of(conv(1, false)));
    }

    #[test]
    fn a_swish_through_what_does_nothing() {
        let product = |a, b| (Op::Merge(MergeKind::Multiply), vec![a, b]);
        let of = |ops: Vec<(Op, Vec<usize>)>| {
            let nodes: Vec<_> =
                std::iter::once((Op::Input { index: 0 }, vec![])).chain(ops).collect();
            let last = NodeId(nodes.len() - 1);
            is_swish(&Graph::new(&graph(nodes, &[last.0])), last)
        };
        assert!(of(vec![(Op::Sigmoid, vec![0]), product(1, 0)]));
        assert!(of(vec![(Op::Identity, vec![0]), (Op::Sigmoid, vec![1]), product(0, 2)]));
        assert!(of(vec![(Op::Sigmoid, vec![0]), (Op::Reshape, vec![1]), product(2, 0)]));
        assert!(!of(vec![(relu(), vec![0]), (Op::Sigmoid, vec![1]), product(2, 0)]));
    }
}
