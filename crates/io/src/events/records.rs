//! Events that are read as bytes: arrays of NumPy, and structs.

use std::fmt;
use std::ops::Range;

use bittrue_block::EventData;

use super::row::Row;
use crate::number::Wide;

/// Most bytes that are read at once, unless one event is larger.
const BUFFER_BYTES: usize = 4 << 20;

/// Where the bytes of events come from.
pub(super) trait RowBytes: fmt::Debug + Send {
    /// Fills `into`, which is of whole events, with the events from `row` on. Rows are asked for
    /// in ascending order.
    fn read(&mut self, row: usize, into: &mut [u8]) -> Result<(), String>;

    /// Bytes that the source itself keeps in memory.
    fn held_bytes(&self) -> usize {
        0
    }
}

/// Events as bytes, and where in them the numbers are.
#[derive(Debug)]
pub(super) struct Records {
    row: Row,
    source: Box<dyn RowBytes>,
    buffer: Vec<u8>,
}

impl Records {
    pub(super) fn new(row: Row, source: Box<dyn RowBytes>) -> Self {
        Self { row, source, buffer: Vec::new() }
    }

    /// Numbers per event.
    pub(super) fn elements(&self) -> usize {
        self.row.elements()
    }

    /// The dtype of its values.
    pub(super) fn dtype(&self) -> Wide {
        self.row.dtype()
    }

    /// Bytes that are kept in memory while it is read, the source's own included.
    pub(super) fn buffer_bytes(&self) -> usize {
        let event = self.row.bytes();
        (BUFFER_BYTES / event).max(1).saturating_mul(event).saturating_add(self.source.held_bytes())
    }

    /// The numbers of some events.
    pub(super) fn read(&mut self, events: Range<usize>) -> Result<EventData, String> {
        let mut data = self.row.empty();
        let most = (BUFFER_BYTES / self.row.bytes()).max(1);
        let mut next = events.start;
        while next < events.end {
            let count = most.min(events.end - next);
            self.buffer.resize(count * self.row.bytes(), 0);
            let failed =
                |why| format!("events {next} to {} cannot be read: {why}", next + count - 1);
            self.source.read(next, &mut self.buffer).map_err(failed)?;
            self.row.decode(&self.buffer, &mut data).map_err(failed)?;
            next += count;
        }
        Ok(data)
    }
}
