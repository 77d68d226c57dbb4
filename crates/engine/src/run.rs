//! Running a block of events through all legs.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use bittrue_block::{EventBlock, LaneBlock, Lanes, RealLanes};

use crate::Engine;
use crate::kernel::Kernel;
use crate::program::{OwnProgram, Program, Step};
use crate::real::InBatch;

/// The tensors of all legs for some events.
#[derive(Debug)]
pub struct BlockResult {
    /// For each lane the row of its event in the file.
    pub rows: Vec<u64>,
    /// Lanes that left the proven domain: their values here mean nothing, and are found in the
    /// block that follows.
    pub skip: Vec<bool>,
    /// The legs, the reference first.
    pub legs: Vec<LegValues>,
}

/// The tensors of one leg, by call of the source model.
#[derive(Debug)]
pub struct LegValues {
    /// The aligned tensors; `None` where the leg never forms one.
    pub aligned: Vec<Option<Arc<LaneBlock>>>,
    /// What the leg's layer gives when it is fed the reference's inputs (for an input: what it is
    /// cast to); `None` in the reference, and where the leg never forms the tensor.
    pub own: Vec<Option<Arc<LaneBlock>>>,
}

/// Which events of the file are run: Keras' batches count from the first of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selection {
    /// Row of the first event.
    pub first: u64,
    /// Number of events.
    pub count: u64,
}

impl Selection {
    /// Rows of one batch of Keras `predict`.
    const BATCH: u64 = 32;

    /// Where a row stands in its batch, and how many rows the batch has.
    pub(crate) fn in_batch(&self, row: u64) -> InBatch {
        let n = row.saturating_sub(self.first);
        let start = n - n % Self::BATCH;
        let rows = self.count.saturating_sub(start).min(Self::BATCH);
        ((n - start) as usize, rows as usize)
    }
}

impl Engine {
    /// The events among `span` that have to be run: those in which legs may differ, and those that
    /// have to be computed carefully. In all others every leg gives the same in every layer, also
    /// when it is fed the reference's inputs, without a band or a flag.
    pub fn screen(&self, events: &EventBlock, span: Range<usize>) -> Vec<usize> {
        match &self.screen {
            Some(screen) => {
                let failed = screen.run(&self.kernels, events, &span);
                span.zip(failed).filter(|(_, failed)| *failed).map(|(row, _)| row).collect()
            }
            None => span.collect(),
        }
    }

    /// Runs the events `rows` of a block (at most a few hundred: see [`Engine::lanes`]).
    ///
    /// The result has one part for all events and, when some left the proven domain, a second one
    /// that holds just those, computed carefully.
    pub fn run(
        &self,
        selection: Selection,
        events: &EventBlock,
        rows: &[usize],
    ) -> Vec<BlockResult> {
        let (fast, skip) = self.part(selection, events, rows, true);
        let careful: Vec<usize> =
            rows.iter().zip(&skip).filter(|(_, s)| **s).map(|(&row, _)| row).collect();
        let in_file =
            |selected: &[usize]| selected.iter().map(|&r| events.first + r as u64).collect();
        let mut parts = vec![BlockResult { rows: in_file(rows), skip, legs: fast }];
        if !careful.is_empty() {
            let (legs, skip) = self.part(selection, events, &careful, false);
            parts.push(BlockResult { rows: in_file(&careful), skip, legs });
        }
        parts
    }

    /// The outputs of one leg for some events, and which events left the proven domain.
    pub(crate) fn leg_part(
        &self,
        leg: usize,
        selection: Selection,
        events: &EventBlock,
        rows: &[usize],
        fast: bool,
    ) -> (Vec<Arc<LaneBlock>>, Vec<bool>) {
        let mut runner = self.runner(selection, events, rows);
        let leg = &self.legs[leg];
        let (aligned, _) = runner.program(if fast { &leg.fast } else { &leg.careful }, None);
        let outputs = self.outputs.iter().filter_map(|c| aligned[c.0].clone()).collect();
        (outputs, runner.exceptional)
    }

    fn runner<'a>(
        &'a self,
        selection: Selection,
        events: &'a EventBlock,
        rows: &'a [usize],
    ) -> Runner<'a> {
        Runner {
            kernels: &self.kernels,
            events,
            rows,
            batch: rows.iter().map(|&r| selection.in_batch(events.first + r as u64)).collect(),
            exceptional: vec![false; rows.len()],
            memo: HashMap::new(),
        }
    }

    pub(crate) fn part(
        &self,
        selection: Selection,
        events: &EventBlock,
        rows: &[usize],
        fast: bool,
    ) -> (Vec<LegValues>, Vec<bool>) {
        let mut runner = self.runner(selection, events, rows);
        let mut legs: Vec<LegValues> = Vec::new();
        // What the readers of each call see in the reference.
        let mut seen: Vec<Option<Arc<LaneBlock>>> = Vec::new();
        for leg in &self.legs {
            let (program, own) =
                if fast { (&leg.fast, &leg.own_fast) } else { (&leg.careful, &leg.own_careful) };
            let reference = legs.first().map(|l| l.aligned.as_slice());
            let (aligned, feeds) = runner.program(program, reference);
            let own = match reference {
                Some(_) => own
                    .iter()
                    .zip(&aligned)
                    .map(|(own, aligned)| match own {
                        Some(own) => runner.own(own, &seen),
                        // An input is fed by the events in every leg.
                        None => aligned.clone(),
                    })
                    .collect(),
                None => {
                    seen = feeds;
                    vec![None; aligned.len()]
                }
            };
            legs.push(LegValues { aligned, own });
        }
        (legs, runner.exceptional)
    }
}

/// Tensors by call of the source model.
type Tensors = Vec<Option<Arc<LaneBlock>>>;

struct Runner<'a> {
    kernels: &'a [Kernel],
    events: &'a EventBlock,
    rows: &'a [usize],
    batch: Vec<InBatch>,
    exceptional: Vec<bool>,
    /// Results by kernel and arguments. It keeps every tensor alive, so an address stands for one.
    memo: HashMap<(usize, Vec<*const LaneBlock>), Arc<LaneBlock>>,
}

impl Runner<'_> {
    /// Runs a leg: the aligned tensors, and what their readers see. Tensors equal to the
    /// reference's are replaced by it, so that what follows is shared.
    fn program(
        &mut self,
        program: &Program,
        reference: Option<&[Option<Arc<LaneBlock>>]>,
    ) -> (Tensors, Tensors) {
        let mut slots: Vec<Option<Arc<LaneBlock>>> = vec![None; program.slots()];
        for step in &program.steps {
            let mut result = self.step(step, &slots);
            if let (Some(reference), Some(call)) = (reference, program.call_of_slot[step.output])
                && let Some(same) = &reference[call.0]
                && !Arc::ptr_eq(same, &result)
                && **same == *result
            {
                result = Arc::clone(same);
            }
            slots[step.output] = Some(result);
        }
        let of = |calls: &[Option<usize>]| {
            calls.iter().map(|slot| slot.and_then(|s| slots[s].clone())).collect()
        };
        (of(&program.aligned), of(&program.feeds))
    }

    /// Runs one layer on what it would read in the reference.
    fn own(
        &mut self,
        own: &OwnProgram,
        reference: &[Option<Arc<LaneBlock>>],
    ) -> Option<Arc<LaneBlock>> {
        let mut slots: Vec<Option<Arc<LaneBlock>>> = vec![None; own.slots];
        for &(slot, call) in &own.feeds {
            slots[slot].clone_from(&reference[call.0]);
        }
        for step in &own.steps {
            let result = self.step(step, &slots);
            slots[step.output] = Some(result);
        }
        slots[own.output].clone()
    }

    fn step(&mut self, step: &Step, slots: &[Option<Arc<LaneBlock>>]) -> Arc<LaneBlock> {
        let arguments: Vec<&Arc<LaneBlock>> =
            step.inputs.iter().filter_map(|&s| slots[s].as_ref()).collect();
        let key = (step.kernel, arguments.iter().map(|a| Arc::as_ptr(a)).collect());
        if let Some(known) = self.memo.get(&key) {
            return Arc::clone(known);
        }
        let result = match &self.kernels[step.kernel] {
            Kernel::Input { index } => self.input(*index),
            Kernel::FirmwareInput(input) => input.read(self.events, self.rows),
            kernel => {
                let blocks: Vec<&LaneBlock> = arguments.iter().map(|a| a.as_ref()).collect();
                kernel.apply(&blocks, &self.batch, &mut self.exceptional)
            }
        };
        let result = Arc::new(result);
        self.memo.insert(key, Arc::clone(&result));
        result
    }

    /// The selected events as float32, events innermost.
    fn input(&self, index: usize) -> LaneBlock {
        let input = &self.events.inputs[index];
        let mut value = Vec::with_capacity(input.elements * self.rows.len());
        for element in 0..input.elements {
            for &row in self.rows {
                value.push(f64::from(input.data.as_f32(row * input.elements + element)));
            }
        }
        LaneBlock {
            elements: input.elements,
            lanes: self.rows.len(),
            data: Lanes::Real(RealLanes { value, band: None }),
        }
    }
}
