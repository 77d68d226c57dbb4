//! Events that threads read for themselves.

use std::fs::File;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use bittrue_block::{EventBlock, EventData, InputEvents};

use super::chunks::Scratch;
use super::direct::Direct;
use crate::{IoError, IoErrorKind};

/// Most bytes of events that are unpacked together.
const MAX_PIECE: usize = 32 << 20;

/// The next events of a source.
#[derive(Debug)]
pub enum Batch {
    /// They were read.
    Read(EventBlock),
    /// They are read by whoever wants them.
    Pending(Pending),
}

impl Batch {
    /// Number of events.
    pub fn count(&self) -> usize {
        match self {
            Self::Read(block) => block.count,
            Self::Pending(pending) => pending.count(),
        }
    }
}

/// A file whose inputs are all read past the HDF5 library.
#[derive(Debug)]
pub(super) struct DirectFile {
    path: PathBuf,
    file: Arc<File>,
    /// Bytes of the file when it was opened.
    bytes: u64,
    form: &'static str,
    /// What is read, and how messages call it.
    inputs: Vec<(String, Direct)>,
    /// Events that are unpacked together.
    unit: usize,
}

impl DirectFile {
    /// `None` where the inputs have no pieces of reasonable size in common.
    pub(super) fn new(
        path: PathBuf,
        file: Arc<File>,
        bytes: u64,
        form: &'static str,
        inputs: Vec<(String, Direct)>,
    ) -> Option<Self> {
        let size = |(_, input): &(_, Direct)| {
            input.elements().checked_mul(8).map(|n| n.max(input.row_bytes()))
        };
        let row = inputs.iter().try_fold(0usize, |n, input| n.checked_add(size(input)?))?;
        let common = |a: usize, b: usize| a.checked_mul(b / gcd(a, b));
        let unit = inputs.iter().try_fold(1, |n, (_, input)| common(n, input.unit()))?;
        unit.checked_mul(row).filter(|&n| n <= MAX_PIECE)?;
        Some(Self { path, file, bytes, form, inputs, unit })
    }

    /// Bytes that an event needs while it is read, the most of any form.
    pub(super) fn row_bytes(&self) -> usize {
        self.inputs.iter().map(|(_, input)| input.row_bytes().max(8 * input.elements())).sum()
    }

    /// Where a batch ends that starts at `row` and should end at `wanted`: with a whole unit.
    pub(super) fn end(&self, row: usize, wanted: usize) -> usize {
        match wanted / self.unit * self.unit {
            end if end > row => end,
            _ => (row / self.unit + 1).saturating_mul(self.unit),
        }
    }
}

fn gcd(a: usize, b: usize) -> usize {
    match b {
        0 => a.max(1),
        _ => gcd(b, a % b),
    }
}

/// Events that are still in their file. Any number of threads may read them at a time.
#[derive(Debug)]
pub struct Pending {
    file: Arc<DirectFile>,
    /// Number of the file's first event, counted through all files.
    first: u64,
    /// Rows of the file.
    rows: Range<usize>,
}

impl Pending {
    pub(super) fn new(file: Arc<DirectFile>, first: u64, rows: Range<usize>) -> Self {
        Self { file, first, rows }
    }

    /// Number of events.
    pub fn count(&self) -> usize {
        self.rows.len()
    }

    /// The events in pieces of about `wanted` that are best read as a whole, as rows of the file.
    pub fn pieces(&self, wanted: usize) -> Vec<Range<usize>> {
        let length = wanted.max(1).next_multiple_of(self.file.unit);
        let mut pieces = Vec::new();
        let mut start = self.rows.start;
        while start < self.rows.end {
            let end = ((start / length + 1).saturating_mul(length)).min(self.rows.end);
            pieces.push(start..end);
            start = end;
        }
        pieces
    }

    /// Reads one of [`pieces`](Self::pieces) into `held`, which may have been used for others.
    ///
    /// # Errors
    /// [`IoErrorKind::Events`]: the file is damaged, or has become shorter since it was opened.
    pub fn read<'a>(
        &self,
        piece: Range<usize>,
        held: &'a mut Held,
    ) -> Result<&'a EventBlock, IoError> {
        let DirectFile { path, file, bytes, form, inputs, .. } = self.file.as_ref();
        let error = |what: String| IoError::new(IoErrorKind::Events, path, what);
        let Held { block, scratch } = held;
        block.first = self.first + piece.start as u64;
        block.count = piece.len();
        block.inputs.truncate(inputs.len());
        let mut failure = None;
        for (n, (name, input)) in inputs.iter().enumerate() {
            let empty = input.empty();
            match block.inputs.get_mut(n) {
                None => block.inputs.push(InputEvents { elements: 0, data: empty }),
                // Of another file, perhaps.
                Some(held)
                    if std::mem::discriminant(&held.data) != std::mem::discriminant(&empty) =>
                {
                    held.data = empty;
                }
                Some(_) => {}
            }
            let into = &mut block.inputs[n];
            into.elements = input.elements();
            if let Err(why) = input.read(piece.clone(), scratch, &mut into.data) {
                let (from, to) = (piece.start, piece.end - 1);
                failure =
                    Some(format!("dataset {name}: events {from} to {to} cannot be read: {why}"));
                break;
            }
        }
        // Checked after the reading: what was there then was read.
        let now = file.metadata().map_err(|e| error(e.to_string()))?.len();
        if now < *bytes {
            return Err(super::part::shrunk(path, *bytes, now));
        }
        match failure {
            None => Ok(block),
            Some(what) => Err(error(what).with_help(super::part::damaged(form))),
        }
    }
}

/// Memory that events are read into, used again and again.
#[derive(Debug)]
pub struct Held {
    block: EventBlock,
    scratch: Scratch,
}

impl Held {
    /// Room for `count` events of float32 with so many elements in each input. Values may be left
    /// from before.
    pub fn float32(&mut self, first: u64, count: usize, elements: &[usize]) -> &mut EventBlock {
        let block = &mut self.block;
        (block.first, block.count) = (first, count);
        let held = std::mem::take(&mut block.inputs);
        let mut held = held.into_iter().map(|input| input.data);
        let input = |&elements: &usize| {
            let mut values = match held.next() {
                Some(EventData::F32(values)) => values,
                _ => Vec::new(),
            };
            values.resize(count * elements, 0.0);
            InputEvents { elements, data: EventData::F32(values) }
        };
        block.inputs = elements.iter().map(input).collect();
        block
    }
}

impl Default for Held {
    fn default() -> Self {
        let block = EventBlock { first: 0, count: 0, inputs: Vec::new() };
        Self { block, scratch: Scratch::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_divisors() {
        for (a, b, expected) in [(1, 1, 1), (12, 18, 6), (7, 5, 1), (0, 4, 4), (4, 0, 4), (0, 0, 1)]
        {
            assert_eq!(gcd(a, b), expected);
        }
    }
}
