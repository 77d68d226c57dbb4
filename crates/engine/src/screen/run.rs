//! Finding the events of a block in which legs may differ.

use std::ops::Range;

use bittrue_block::{EventBlock, LaneBlock, Lanes};

use super::Screen;
use crate::kernel::Kernel;
use crate::stream::Tensor;

impl Screen {
    /// Marks the events of `span` in which legs may differ, or that leave the proven domain.
    pub(crate) fn run(
        &self,
        kernels: &[Kernel],
        events: &EventBlock,
        span: &Range<usize>,
    ) -> Vec<bool> {
        let mut failed = vec![false; span.len()];
        let lanes = self.stream.lanes();
        for (n, failed) in failed.chunks_mut(lanes).enumerate() {
            let start = span.start + n * lanes;
            let block = start..start + failed.len();
            let values = self.stream.run(kernels, events, &block, failed, None);
            for &(reference, target) in &self.checks {
                match (&values[reference], &values[target]) {
                    (Some(Tensor::Block(a)), Some(Tensor::Block(b))) => compare(a, b, failed),
                    (Some(a), Some(b)) => {
                        compare(&a.block(failed.len()), &b.block(failed.len()), failed);
                    }
                    _ => unreachable!("what is checked is computed"),
                }
            }
        }
        failed
    }
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
