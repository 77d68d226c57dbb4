//! Programs: kernels in order, over slots that hold tensors.

use std::collections::HashMap;

use bittrue_block::Storage;
use bittrue_fixed::Kif;
use bittrue_model::{CallId, Model, NodeId, Op, Place};

use crate::PlanError;
use crate::edge::{Edge, Repr};
use crate::fusion::{self, Graph, Normalised};
use crate::kernel::Kernel;
use crate::lower::linear::Analyses;
use crate::lower::{Care, Neighbours, lower, norm};
use crate::real;

/// Keeps each kernel once, so that equal ones of different legs share their results.
#[derive(Debug, Default)]
pub(crate) struct Interner {
    kernels: Vec<Kernel>,
    analyses: Analyses,
}

impl Interner {
    fn intern(&mut self, kernel: Kernel) -> usize {
        match self.kernels.iter().position(|k| *k == kernel) {
            Some(id) => id,
            None => {
                self.kernels.push(kernel);
                self.kernels.len() - 1
            }
        }
    }

    pub(crate) fn finish(self) -> Vec<Kernel> {
        self.kernels
    }
}

/// One application of a kernel.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Step {
    /// Index into the engine's kernels.
    pub(crate) kernel: usize,
    /// Slots of the arguments.
    pub(crate) inputs: Vec<usize>,
    /// Slot of the result.
    pub(crate) output: usize,
}

/// The steps of one leg.
#[derive(Debug, Default)]
pub(crate) struct Program {
    pub(crate) steps: Vec<Step>,
    /// What is known of each slot.
    edges: Vec<Edge>,
    /// Elements of each slot.
    elements: Vec<usize>,
    /// For each node of the leg: the slot of its result.
    nodes: Vec<usize>,
    /// For each node of the leg: the slot of what its readers see.
    node_feeds: Vec<usize>,
    /// For each call of the source model: the slot of its aligned tensor.
    pub(crate) aligned: Vec<Option<usize>>,
    /// For each call of the source model: the slot of what its readers see.
    pub(crate) feeds: Vec<Option<usize>>,
    /// For each slot: the first call that it is the aligned tensor of.
    pub(crate) call_of_slot: Vec<Option<CallId>>,
}

/// How a tensor is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EdgeInfo {
    /// Its storage in the fast program: integers where everything is proven, else reals.
    pub storage: Storage,
    /// Whether its values are exact rather than results of float32 rounding.
    pub exact: bool,
}

impl Program {
    /// The program of a whole leg.
    pub(crate) fn new(
        graph: &Graph<'_>,
        care: Care,
        interner: &mut Interner,
    ) -> Result<Self, PlanError> {
        let typed = graph.typed;
        let mut program = Self::default();
        let mut slot_of: Vec<usize> = Vec::with_capacity(typed.nodes.len());
        // What the readers of a node see, which is not always its own result.
        let mut feed_of: Vec<usize> = Vec::with_capacity(typed.nodes.len());
        for id in 0..typed.nodes.len() {
            let inputs = typed.nodes[id].inputs.iter().map(|n| feed_of[n.0]).collect();
            let known = |n: NodeId| feed_of.get(n.0).copied();
            let slot = program.node(graph, NodeId(id), inputs, &known, care, interner)?;
            slot_of.push(slot);
            let feed = program.feed(graph, NodeId(id), &feed_of, interner)?;
            feed_of.push(feed.unwrap_or(slot));
        }
        program.aligned = typed.aligned.iter().map(|a| a.map(|a| slot_of[a.node.0])).collect();
        program.feeds = typed.aligned.iter().map(|a| a.map(|a| feed_of[a.node.0])).collect();
        program.nodes = slot_of;
        program.node_feeds = feed_of;
        program.call_of_slot = vec![None; program.edges.len()];
        for (call, slot) in program.aligned.iter().enumerate().rev() {
            if let Some(slot) = *slot {
                program.call_of_slot[slot] = Some(CallId(call));
            }
        }
        Ok(program)
    }

    /// Adds the steps of one node and returns the slot of its result. `known` gives the slots of
    /// nodes before it, as far as this program has them.
    fn node(
        &mut self,
        graph: &Graph<'_>,
        id: NodeId,
        inputs: Vec<usize>,
        known: &dyn Fn(NodeId) -> Option<usize>,
        care: Care,
        interner: &mut Interner,
    ) -> Result<usize, PlanError> {
        let typed = graph.typed;
        let node = &typed.nodes[id.0];
        let shapes: Vec<&[usize]> =
            node.inputs.iter().map(|n| typed.nodes[n.0].shape.as_slice()).collect();
        let edges: Vec<&Edge> = inputs.iter().map(|&s| &self.edges[s]).collect();
        let (regrouped, extra) = terms(graph, id, &inputs, known).unwrap_or_default();
        let neighbours = Neighbours {
            inside_linear: fusion::inside_linear(typed, id),
            either: fusion::is_output_and_fused(graph, id),
            swish: fusion::is_swish(graph, id),
            behind_product: fusion::behind_product(typed, id),
            regrouped,
            extra: extra.iter().map(|&s| &self.edges[s]).collect(),
        };
        let lowered = lower(node, &edges, &shapes, neighbours, care, &mut interner.analyses)?;
        let elements: usize = node.shape.iter().product();
        let mut arguments = inputs;
        if lowered.kernels.iter().any(|k| matches!(k, Kernel::RealMerge { .. })) {
            arguments.extend(extra);
        }
        let last = lowered.kernels.len().checked_sub(1);
        for (n, kernel) in lowered.kernels.into_iter().enumerate() {
            let kernel = interner.intern(kernel);
            // Only the last result of a node is an edge of the graph; what is between has no
            // reader that asks for its edge.
            let edge = if Some(n) == last { lowered.edge.clone() } else { Edge::real(false) };
            let output = self.slot(edge, elements);
            self.steps.push(Step { kernel, inputs: std::mem::take(&mut arguments), output });
            arguments = vec![output];
        }
        arguments.first().copied().ok_or_else(|| {
            PlanError::new(Place::layer(&node.name), "an operation without arguments")
        })
    }

    /// Adds what the readers of a node see, where that is not its own result.
    fn feed(
        &mut self,
        graph: &Graph<'_>,
        id: NodeId,
        feed_of: &[usize],
        interner: &mut Interner,
    ) -> Result<Option<usize>, PlanError> {
        let node = &graph.typed.nodes[id.0];
        let (conv, form) = match fusion::normalised(graph, id) {
            Normalised::Alone => return Ok(None),
            Normalised::Within(conv) => (conv, norm::Form::Within),
            Normalised::Either(conv) => (conv, norm::Form::Either),
        };
        let Op::BatchNorm(parameters) = &node.op else { return Ok(None) };
        let place = Place::layer(&node.name);
        if parameters.axes != [2] {
            let what = "a BatchNormalization over the first axis behind a convolution without bias: \
                        TensorFlow fuses the two and applies the parameters along the channels, \
                        which is no function of the model as written";
            return Err(PlanError::new(place, what).with_help(
                "normalise over the channels (axis=-1), or give the convolution a bias",
            ));
        }
        let lowered = norm::lower(parameters, &node.shape, form, false, &place)?;
        let mut arguments = vec![feed_of[conv.0]];
        for kernel in lowered.kernels {
            let kernel = interner.intern(kernel);
            let output = self.slot(lowered.edge.clone(), node.shape.iter().product());
            self.steps.push(Step { kernel, inputs: arguments, output });
            arguments = vec![output];
        }
        Ok(arguments.first().copied())
    }

    fn slot(&mut self, edge: Edge, elements: usize) -> usize {
        self.edges.push(edge);
        self.elements.push(elements);
        self.edges.len() - 1
    }

    /// For each node of the leg: the slot of its result.
    pub(crate) fn nodes(&self) -> &[usize] {
        &self.nodes
    }

    /// For each node of the leg: the slot of what its readers see.
    pub(crate) fn node_feeds(&self) -> &[usize] {
        &self.node_feeds
    }

    /// Number of slots.
    pub(crate) fn slots(&self) -> usize {
        self.edges.len()
    }

    /// How a slot is stored.
    pub(crate) fn repr(&self, slot: usize) -> Repr {
        self.edges[slot].repr
    }

    /// Elements of the widest tensor.
    pub(crate) fn widest(&self) -> usize {
        self.elements.iter().copied().max().unwrap_or(1)
    }

    pub(crate) fn edge_info(&self, call: CallId) -> Option<EdgeInfo> {
        Some(self.info(self.aligned[call.0]?))
    }

    /// How the result of a node is computed.
    pub(crate) fn node_info(&self, node: NodeId) -> EdgeInfo {
        self.info(self.nodes[node.0])
    }

    fn info(&self, slot: usize) -> EdgeInfo {
        let edge = &self.edges[slot];
        let storage = match edge.repr {
            Repr::Int { storage, .. } => storage,
            Repr::Real { .. } => Storage::Real,
        };
        EdgeInfo { storage, exact: edge.is_exact() }
    }

    /// The smallest type that holds everything an aligned tensor can be, element by element.
    pub(crate) fn exact_kif(&self, call: CallId) -> Option<Kif> {
        let edge = &self.edges[self.aligned[call.0]?];
        edge.ranges.as_ref()?.iter().map(bittrue_fixed::QInterval::min_kif).reduce(|a, b| Kif {
            keep_negative: a.keep_negative || b.keep_negative,
            integer: a.integer.max(b.integer),
            fractional: a.fractional.max(b.fractional),
        })
    }
}

/// The terms of a sum that may be regrouped, by argument of its kernel, and the slots of the
/// arguments that stand behind the node's own. `None` where nothing is regrouped, or where the
/// program does not have all terms.
fn terms(
    graph: &Graph<'_>,
    id: NodeId,
    inputs: &[usize],
    known: &dyn Fn(NodeId) -> Option<usize>,
) -> Option<(Vec<real::Term>, Vec<usize>)> {
    let mut extra: Vec<usize> = Vec::new();
    let mut argument = |node: NodeId| -> Option<usize> {
        let slot = known(node)?;
        if let Some(own) = inputs.iter().position(|&s| s == slot) {
            return Some(own);
        }
        let at = extra.iter().position(|&s| s == slot).unwrap_or_else(|| {
            extra.push(slot);
            extra.len() - 1
        });
        Some(inputs.len() + at)
    };
    let terms = fusion::regrouped(graph, id)?
        .into_iter()
        .map(|term| match term {
            fusion::Term::Node(n) => argument(n).map(real::Term::Value),
            fusion::Term::Difference(y, x) => {
                Some(real::Term::Difference(argument(y)?, argument(x)?))
            }
            fusion::Term::Constant(values) => Some(real::Term::Constant(values)),
        })
        .collect::<Option<Vec<_>>>()?;
    Some((terms, extra))
}

/// One layer of a target, to be fed the reference's inputs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OwnProgram {
    /// Slots that take what the readers of a call see in the reference.
    pub(crate) feeds: Vec<(usize, CallId)>,
    /// The steps.
    pub(crate) steps: Vec<Step>,
    /// Number of slots.
    pub(crate) slots: usize,
    /// Slot of the result.
    pub(crate) output: usize,
}

impl OwnProgram {
    /// The steps that the target takes for `call`, or `None` where it never forms its tensor or
    /// the call has no arguments.
    pub(crate) fn new(
        model: &Model,
        graph: &Graph<'_>,
        reference: &Program,
        call: CallId,
        care: Care,
        interner: &mut Interner,
    ) -> Result<Option<Self>, PlanError> {
        let typed = graph.typed;
        let Some(aligned) = typed.aligned[call.0] else { return Ok(None) };
        let parents = &model.call(call).inputs;
        let mut program = Program::default();
        let mut feeds = Vec::new();
        for &parent in parents {
            let Some(slot) = reference.feeds[parent.0] else { return Ok(None) };
            let edge = reference.edges[slot].clone();
            feeds.push((program.slot(edge, reference.elements[slot]), parent));
        }
        if feeds.is_empty() {
            return Ok(None);
        }
        // The node of the leg that a parent's tensor stands for.
        let feed_of = |node: NodeId| {
            let stands = |p: &CallId| {
                let formed = typed.aligned[p.0].map(|a| a.node);
                formed.or(typed.unformed.get(p.0).copied().flatten()) == Some(node)
            };
            parents.iter().position(stands)
        };
        let mut slot_of: HashMap<usize, usize> = HashMap::new();
        for &id in graph.of_call(call) {
            let mut inputs = Vec::new();
            for &n in &typed.nodes[id].inputs {
                let known = slot_of.get(&n.0).copied().or_else(|| feed_of(n).map(|f| feeds[f].0));
                if let Some(slot) = known {
                    inputs.push(slot);
                    continue;
                }
                // HGQ may have it read another output of a nested model than the source does.
                let stands = |c: &CallId| typed.aligned[c.0].is_some_and(|a| a.node == n);
                let call = model.call_ids().find(stands).ok_or_else(|| {
                    PlanError::new(
                        Place::layer(&typed.nodes[id].name),
                        "its argument belongs to no aligned layer",
                    )
                })?;
                let Some(slot) = reference.feeds[call.0] else { return Ok(None) };
                let edge = reference.edges[slot].clone();
                feeds.push((program.slot(edge, reference.elements[slot]), call));
                inputs.push(feeds[feeds.len() - 1].0);
            }
            let known = |n: NodeId| slot_of.get(&n.0).copied();
            let slot = program.node(graph, NodeId(id), inputs, &known, care, interner)?;
            slot_of.insert(id, slot);
        }
        // A layer that vanished passes its first argument on.
        let output = slot_of.get(&aligned.node.0).copied().unwrap_or(feeds[0].0);
        let slots = program.slots();
        Ok(Some(Self { feeds, steps: program.steps, slots, output }))
    }
}
