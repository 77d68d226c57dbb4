//! The outputs of one leg, as quickly as they can be had: emulation rather than comparison.

use std::ops::Range;

use bittrue_block::{EventBlock, LaneBlock, Lanes};
use bittrue_model::CallId;

use super::plan::Stream;
use super::run::Tensor;
use super::values::Graph;
use crate::kernel::Kernel;
use crate::plan::LegPlan;
use crate::{Engine, Selection};

/// The plan that emulates one leg.
#[derive(Debug)]
pub(crate) struct Emulation {
    stream: Stream,
    /// The value of each output of the model.
    outputs: Vec<usize>,
    /// For each value the layer call that it is the aligned tensor of.
    calls: Vec<Option<CallId>>,
}

/// One step of an emulation, for people and for benches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamStep {
    /// The layer calls whose tensors it computes, or computes in passing.
    pub calls: Vec<CallId>,
    /// The loop.
    pub kernel: String,
    /// How the result is stored.
    pub storage: String,
    /// What sums are formed in.
    pub accumulator: String,
    /// Why storage and accumulator hold everything.
    pub proof: String,
    /// Multiplications of one event.
    pub macs: u64,
    /// Terms of the longest sum.
    pub terms: usize,
}

/// Nanoseconds of each step over some events.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Timing {
    /// By step, as [`Engine::emulation`] lists them.
    pub steps: Vec<u64>,
    /// Events.
    pub events: u64,
}

impl Emulation {
    /// The plan of a leg; `None` where it does not compute on integers behind its inputs.
    pub(crate) fn new(kernels: &[Kernel], leg: &LegPlan, outputs: &[CallId]) -> Option<Self> {
        let mut graph = Graph::new(kernels);
        let known = graph.steps(&leg.fast.steps, vec![None; leg.fast.slots()])?;
        let of = |call: &CallId| known[leg.fast.aligned[call.0]?];
        let outputs = outputs.iter().map(of).collect::<Option<Vec<_>>>()?;
        let mut calls = vec![None; graph.values.len()];
        for (slot, value) in known.iter().enumerate() {
            if let (Some(value), Some(call)) = (value, leg.fast.call_of_slot[slot]) {
                calls[*value].get_or_insert(call);
            }
        }
        Some(Self { stream: Stream::new(kernels, &graph.values, &outputs), outputs, calls })
    }
}

impl Engine {
    /// Events that [`Engine::emulate`] runs together.
    pub fn emulated_lanes(&self, leg: usize) -> usize {
        self.emulations[leg].as_ref().map_or(self.lanes(), |e| e.stream.lanes())
    }

    /// The steps by which a leg's outputs are computed; `None` where the leg computes on reals, layer
    /// by layer.
    pub fn emulation(&self, leg: usize) -> Option<Vec<StreamStep>> {
        let emulation = self.emulations[leg].as_ref()?;
        let step = |op: &super::plan::StreamOp| StreamStep {
            calls: op.covers.iter().filter_map(|&v| emulation.calls[v]).collect(),
            kernel: op.about.kernel.clone(),
            storage: op.about.storage.clone(),
            accumulator: op.about.accumulator.clone(),
            proof: op.about.proof.clone(),
            macs: op.about.macs,
            terms: op.about.terms,
        };
        Some(emulation.stream.steps.iter().map(step).collect())
    }

    /// Values of one event's outputs.
    pub fn output_values(&self) -> usize {
        self.output_elements.iter().sum()
    }

    /// The outputs of a leg for the events of `span`, `[event, value]` as float32 with the model's outputs
    /// behind each other: what Keras `predict` returns, where the leg is exact. `out` has room for
    /// all. Events outside the proven domain are computed carefully, as by [`Engine::run`].
    ///
    /// # Panics
    /// When `out` has another size.
    pub fn emulate(
        &self,
        leg: usize,
        selection: Selection,
        events: &EventBlock,
        span: Range<usize>,
        out: &mut [f32],
        mut timing: Option<&mut Timing>,
    ) {
        let width = self.output_values();
        assert_eq!(out.len(), span.len() * width, "room for the outputs");
        let Some(emulation) = &self.emulations[leg] else {
            for start in span.clone().step_by(self.lanes().max(1)) {
                let rows: Vec<usize> = (start..(start + self.lanes()).min(span.end)).collect();
                let from = (start - span.start) * width;
                self.by_programs(leg, selection, events, &rows, &mut out[from..]);
            }
            return;
        };
        let steps = emulation.stream.steps.len();
        if let Some(timing) = &mut timing {
            timing.steps.resize(steps, 0);
            timing.events += span.len() as u64;
        }
        let lanes = emulation.stream.lanes();
        for start in span.clone().step_by(lanes) {
            let block = start..(start + lanes).min(span.end);
            let mut failed = vec![false; block.len()];
            let times = timing.as_mut().map(|t| t.steps.as_mut_slice());
            let values = emulation.stream.run(&self.kernels, events, &block, &mut failed, times);
            let from = (start - span.start) * width;
            let mut column = 0;
            for (&value, &elements) in emulation.outputs.iter().zip(&self.output_elements) {
                if let Some(tensor) = &values[value] {
                    let to = &mut out[from..from + block.len() * width];
                    spread(tensor, (width, column), to);
                }
                column += elements;
            }
            for (lane, _) in failed.iter().enumerate().filter(|(_, failed)| **failed) {
                let at = from + lane * width;
                self.by_programs(leg, selection, events, &[start + lane], &mut out[at..]);
            }
        }
    }

    /// The outputs by the leg's programs, which keep every layer.
    fn by_programs(
        &self,
        leg: usize,
        selection: Selection,
        events: &EventBlock,
        rows: &[usize],
        out: &mut [f32],
    ) {
        let width = self.output_values();
        let (fast, skip) = self.leg_part(leg, selection, events, rows, true);
        let put = |outputs: &[std::sync::Arc<LaneBlock>], lane: usize, out: &mut [f32]| {
            let mut at = 0;
            for output in outputs {
                for element in 0..output.elements {
                    out[at] = output.value(element, lane) as f32;
                    at += 1;
                }
            }
        };
        let careful: Vec<usize> =
            rows.iter().zip(&skip).filter(|(_, s)| **s).map(|(&row, _)| row).collect();
        for lane in (0..rows.len()).filter(|&l| !skip[l]) {
            put(&fast, lane, &mut out[lane * width..(lane + 1) * width]);
        }
        if careful.is_empty() {
            return;
        }
        let (values, _) = self.leg_part(leg, selection, events, &careful, false);
        let lanes = (0..rows.len()).filter(|&l| skip[l]);
        for (n, lane) in lanes.enumerate() {
            put(&values, n, &mut out[lane * width..(lane + 1) * width]);
        }
    }
}

/// Writes a tensor to the columns from `column` of rows of `width` values.
fn spread(tensor: &Tensor, (width, column): (usize, usize), out: &mut [f32]) {
    fn raws<T: Copy + Into<i64>>(
        raw: &[T],
        fractional: i32,
        (width, column): (usize, usize),
        out: &mut [f32],
    ) {
        let lanes = out.len() / width.max(1);
        let (half, rest) = (2f64.powi(-fractional / 2), 2f64.powi(-fractional - -fractional / 2));
        for (element, raw) in raw.chunks_exact(lanes.max(1)).enumerate() {
            let column = column + element;
            for (row, &raw) in out.chunks_exact_mut(width).zip(raw) {
                let raw: i64 = raw.into();
                row[column] = (raw as f64 * half * rest) as f32;
            }
        }
    }
    let at = (width, column);
    let lanes = out.len() / width.max(1);
    match tensor {
        Tensor::Block(block) => match &block.data {
            Lanes::I16 { raw, fractional } => raws(raw, *fractional, at, out),
            Lanes::I32 { raw, fractional } => raws(raw, *fractional, at, out),
            Lanes::I64 { raw, fractional } => raws(raw, *fractional, at, out),
            Lanes::Real(_) => {}
        },
        bytes => spread(&Tensor::Block(bytes.block(lanes)), at, out),
    }
}
