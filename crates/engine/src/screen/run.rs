//! Finding the events of a block in which legs may differ.

use std::ops::Range;

use bittrue_block::{EventBlock, EventData, LaneBlock, LaneInt, Lanes, Storage};
use bittrue_kernels::InputCast;

use super::Screen;
use super::plan::{Action, SharedCast};
use crate::kernel::Kernel;

impl Screen {
    /// Marks the events of `span` in which legs may differ, or that leave the proven domain.
    pub(crate) fn run(
        &self,
        kernels: &[Kernel],
        events: &EventBlock,
        span: &Range<usize>,
    ) -> Vec<bool> {
        let mut failed = vec![false; span.len()];
        let mut slots: Vec<Option<LaneBlock>> = vec![None; self.slots];
        for step in &self.steps {
            match step {
                Action::Cast { cast, output } => {
                    slots[*output] = Some(load(cast, events, span, &mut failed));
                }
                Action::Apply { kernel, inputs, output } => {
                    let arguments: Vec<&LaneBlock> =
                        inputs.iter().filter_map(|&i| slots[i].as_ref()).collect();
                    // Integer kernels have no position and no exceptions.
                    let result = kernels[*kernel].apply(&arguments, &[], &mut failed);
                    slots[*output] = Some(result);
                }
                Action::Check { reference, target } => {
                    if let (Some(a), Some(b)) = (&slots[*reference], &slots[*target]) {
                        compare(a, b, &mut failed);
                    }
                }
            }
        }
        failed
    }
}

/// The events of an input as integers, events innermost.
fn load(
    shared: &SharedCast,
    events: &EventBlock,
    span: &Range<usize>,
    failed: &mut [bool],
) -> LaneBlock {
    fn column<O: LaneInt>(
        cast: &InputCast,
        (data, elements): (&EventData, usize),
        span: &Range<usize>,
        failed: &mut [bool],
    ) -> Vec<O> {
        let lanes = span.len();
        let mut raw = vec![O::default(); elements * lanes];
        if lanes == 0 || elements == 0 {
            return raw;
        }
        for (element, out) in raw.chunks_exact_mut(lanes).enumerate() {
            let first = span.start * elements + element;
            match data {
                EventData::F32(all) => {
                    let column = all[first..].iter().step_by(elements).copied();
                    cast.run(column, out, failed);
                }
                _ => {
                    let column = (0..lanes).map(|lane| data.as_f32(first + lane * elements));
                    cast.run(column, out, failed);
                }
            }
        }
        raw
    }
    let SharedCast { input, cast, out } = shared;
    let input = &events.inputs[*input];
    let (from, f) = ((&input.data, input.elements), out.fractional);
    let data = match out.storage {
        Storage::I16 => i16::wrap(column(cast, from, span, failed), f),
        Storage::I32 => i32::wrap(column(cast, from, span, failed), f),
        Storage::I64 | Storage::Real => i64::wrap(column(cast, from, span, failed), f),
    };
    LaneBlock { elements: input.elements, lanes: span.len(), data }
}

/// Marks the lanes in which two tensors differ.
fn compare(a: &LaneBlock, b: &LaneBlock, failed: &mut [bool]) {
    fn raws<T: PartialEq>(a: &[T], b: &[T], failed: &mut [bool]) {
        let lanes = failed.len();
        for (a, b) in a.chunks(lanes.max(1)).zip(b.chunks(lanes.max(1))) {
            for ((a, b), failed) in a.iter().zip(b).zip(&mut *failed) {
                *failed |= a != b;
            }
        }
    }
    match (&a.data, &b.data) {
        (Lanes::I16 { raw: x, fractional: f }, Lanes::I16 { raw: y, fractional: g }) if f == g => {
            raws(x, y, failed);
        }
        (Lanes::I32 { raw: x, fractional: f }, Lanes::I32 { raw: y, fractional: g }) if f == g => {
            raws(x, y, failed);
        }
        (Lanes::I64 { raw: x, fractional: f }, Lanes::I64 { raw: y, fractional: g }) if f == g => {
            raws(x, y, failed);
        }
        _ => {
            for element in 0..a.elements {
                for (lane, failed) in failed.iter_mut().enumerate() {
                    *failed |= a.value(element, lane) != b.value(element, lane);
                }
            }
        }
    }
}
