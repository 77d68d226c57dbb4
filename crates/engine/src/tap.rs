//! One event with the tensors of all nodes, not only of the aligned layers.

use std::sync::Arc;

use bittrue_block::{EventBlock, InputEvents, LaneBlock, Lanes, RealLanes};
use bittrue_model::NodeId;

use crate::kernel::Kernel;
use crate::{Engine, Selection};

/// What one leg computes for one event, by node of its typed graph.
#[derive(Debug)]
pub struct NodeValues {
    results: Vec<Arc<LaneBlock>>,
    feeds: Vec<Arc<LaneBlock>>,
    events: Vec<Vec<f64>>,
}

impl NodeValues {
    /// The result of a node; it has one lane.
    pub fn result(&self, node: NodeId) -> &LaneBlock {
        &self.results[node.0]
    }

    /// What the readers of a node see, which is its result unless TensorFlow computes the node
    /// inside another one for them.
    pub fn feed(&self, node: NodeId) -> &LaneBlock {
        &self.feeds[node.0]
    }

    /// The values of the event for input `index`, as read.
    pub fn event(&self, index: usize) -> &[f64] {
        &self.events[index]
    }
}

impl Engine {
    /// Runs a leg on event `row` of a block and keeps every tensor; `careful` says whether the event
    /// left the proven domain, so that [`Engine::run`] gave it a part of its own.
    pub fn nodes(
        &self,
        leg: usize,
        selection: Selection,
        events: &EventBlock,
        row: usize,
        careful: bool,
    ) -> NodeValues {
        let leg = &self.legs[leg];
        let program = if careful { &leg.careful } else { &leg.fast };
        let batch = [selection.in_batch(events.first + row as u64)];
        // What leaves the domain was found by `run` already.
        let mut exceptional = [false];
        let mut slots: Vec<Option<Arc<LaneBlock>>> = vec![None; program.slots()];
        for step in &program.steps {
            let result = match &self.kernels[step.kernel] {
                Kernel::Input { index } => input(events, *index, row),
                Kernel::FirmwareInput(input) => input.read(events, &[row]),
                kernel => {
                    let arguments: Vec<&LaneBlock> =
                        step.inputs.iter().filter_map(|&s| slots[s].as_deref()).collect();
                    kernel.apply(&arguments, &batch, &mut exceptional)
                }
            };
            slots[step.output] = Some(Arc::new(result));
        }
        // Every slot is some step's output.
        let of = |wanted: &[usize]| wanted.iter().filter_map(|&s| slots[s].clone()).collect();
        let read = |input: &InputEvents| {
            let elements = row * input.elements..(row + 1) * input.elements;
            elements.map(|at| input.data.as_f64(at)).collect()
        };
        NodeValues {
            results: of(program.nodes()),
            feeds: of(program.node_feeds()),
            events: events.inputs.iter().map(read).collect(),
        }
    }
}

/// One event of an input as float32.
fn input(events: &EventBlock, index: usize, row: usize) -> LaneBlock {
    let input = &events.inputs[index];
    let elements = row * input.elements..(row + 1) * input.elements;
    let value = elements.map(|at| f64::from(input.data.as_f32(at))).collect();
    let data = Lanes::Real(RealLanes { value, band: None });
    LaneBlock { elements: input.elements, lanes: 1, data }
}
