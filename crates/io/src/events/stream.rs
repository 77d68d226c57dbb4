//! One dataset, read in blocks of rows.

use std::ops::Range;

use bittrue_block::EventData;
use hdf5::{Dataset, H5Type};

use super::joined::Joined;
use super::records::Records;
use super::row::product;
use super::table;
use crate::number::{Dtype, Wide, read_rows};
use crate::storage::{self, MAX_CHUNK_BYTES};

/// Rows that are read at once where their size allows it.
const BUFFER_ROWS: usize = 16 << 10;

/// Most bytes that are read at once, unless one row of chunks is larger.
const BUFFER_BYTES: usize = 32 << 20;

/// The events of one input, in the dtype that holds the file's without loss.
#[derive(Debug)]
pub(super) enum Stream {
    F32(Column<f32>),
    F64(Column<f64>),
    I64(Column<i64>),
    U64(Column<u64>),
    /// What the HDF5 library does not read itself.
    Records(Records),
    /// Columns of a text.
    Text(table::Rows),
    /// Datasets of one feature each.
    Joined(Joined),
}

impl Stream {
    /// Prepares to read an HDF5 dataset of shape `[rows, …]`, or some columns of its last axis.
    /// `share` is how many streams share the memory of one.
    pub(super) fn new(
        dataset: Dataset,
        dtype: Dtype,
        shape: &[usize],
        columns: Option<Range<usize>>,
        share: usize,
    ) -> Result<Self, String> {
        match dtype.wide() {
            Wide::F32 => Column::new(dataset, shape, columns, share).map(Self::F32),
            Wide::F64 => Column::new(dataset, shape, columns, share).map(Self::F64),
            Wide::I64 => Column::new(dataset, shape, columns, share).map(Self::I64),
            Wide::U64 => Column::new(dataset, shape, columns, share).map(Self::U64),
        }
    }

    /// Values per event.
    pub(super) fn elements(&self) -> usize {
        match self {
            Self::F32(c) => c.elements,
            Self::F64(c) => c.elements,
            Self::I64(c) => c.elements,
            Self::U64(c) => c.elements,
            Self::Records(r) => r.elements(),
            Self::Text(r) => r.elements(),
            Self::Joined(j) => j.elements(),
        }
    }

    /// The dtype of its values.
    pub(super) fn dtype(&self) -> Wide {
        match self {
            Self::F32(_) => Wide::F32,
            Self::F64(_) => Wide::F64,
            Self::I64(_) => Wide::I64,
            Self::U64(_) => Wide::U64,
            Self::Records(r) => r.dtype(),
            Self::Text(r) => r.dtype(),
            Self::Joined(j) => j.dtype(),
        }
    }

    /// Bytes that are kept in memory while it is read.
    pub(super) fn buffer_bytes(&self) -> usize {
        match self {
            Self::F32(c) => c.buffer_bytes(),
            Self::F64(c) => c.buffer_bytes(),
            Self::I64(c) => c.buffer_bytes(),
            Self::U64(c) => c.buffer_bytes(),
            Self::Records(r) => r.buffer_bytes(),
            Self::Text(_) => 0,
            Self::Joined(j) => j.buffer_bytes(),
        }
    }

    /// Refuses rows that the file does not hold, although it claims to.
    pub(super) fn check_rows(&self, rows: &Range<usize>) -> Result<(), String> {
        match self {
            Self::F32(c) => c.check_rows(rows),
            Self::F64(c) => c.check_rows(rows),
            Self::I64(c) => c.check_rows(rows),
            Self::U64(c) => c.check_rows(rows),
            Self::Joined(j) => j.check_rows(rows),
            // These are missed when they are read.
            Self::Records(_) | Self::Text(_) => Ok(()),
        }
    }

    /// The first rows, of which there must be so many; no others are read with them.
    pub(super) fn first(&mut self, rows: usize) -> Result<EventData, String> {
        match self {
            Self::F32(c) => c.first(rows).map(EventData::F32),
            Self::F64(c) => c.first(rows).map(EventData::F64),
            Self::I64(c) => c.first(rows).map(EventData::I64),
            Self::U64(c) => c.first(rows).map(EventData::U64),
            Self::Records(_) | Self::Text(_) | Self::Joined(_) => self.read(0, rows),
        }
    }

    /// Rows `start..end`, which must lie in the dataset.
    pub(super) fn read(&mut self, start: usize, end: usize) -> Result<EventData, String> {
        match self {
            Self::F32(c) => c.read(start, end).map(EventData::F32),
            Self::F64(c) => c.read(start, end).map(EventData::F64),
            Self::I64(c) => c.read(start, end).map(EventData::I64),
            Self::U64(c) => c.read(start, end).map(EventData::U64),
            Self::Records(r) => r.read(start..end),
            Self::Text(r) => r.read(start..end),
            Self::Joined(j) => j.read(start..end),
        }
    }
}

/// Rows are read forward, in units of whole rows of chunks, so that no chunk is inflated twice
/// however small the blocks are that the caller asks for.
#[derive(Debug)]
pub(super) struct Column<T> {
    dataset: Dataset,
    shape: Vec<usize>,
    /// The part of the last axis that is read, if not all of it.
    columns: Option<Range<usize>>,
    elements: usize,
    rows: usize,
    /// Rows that are read at once.
    unit: usize,
    buffer: Vec<T>,
    /// Rows in the buffer: from, to.
    filled: (usize, usize),
}

impl<T: H5Type + Copy> Column<T> {
    fn new(
        dataset: Dataset,
        shape: &[usize],
        columns: Option<Range<usize>>,
        share: usize,
    ) -> Result<Self, String> {
        storage::check(&dataset, shape.len())?;
        let out_of_bounds = || format!("shape {shape:?} is out of bounds");
        let (&rows, event) = shape.split_first().ok_or_else(out_of_bounds)?;
        let elements = product(event).filter(|&n| n > 0).ok_or_else(out_of_bounds)?;
        // Chunks come whole, even if only some of their columns are wanted.
        let row_bytes = elements.checked_mul(size_of::<T>()).ok_or_else(out_of_bounds)?;
        let elements = match (&columns, event.last()) {
            (Some(columns), Some(last)) => elements / last * columns.len(),
            _ => elements,
        };
        // A chunk may be longer than the data.
        let chunk = dataset.chunk().and_then(|c| c.first().copied()).unwrap_or(1);
        let chunk = chunk.clamp(1, rows.max(1));
        if chunk.checked_mul(row_bytes).is_none_or(|bytes| bytes > MAX_CHUNK_BYTES) {
            return Err(format!(
                "{chunk} events of shape {event:?} cannot be read one by one and need more than \
                 {MAX_CHUNK_BYTES} bytes; store them in smaller chunks (h5repack -l)"
            ));
        }
        let wanted = BUFFER_ROWS.min(BUFFER_BYTES / share.max(1) / row_bytes);
        let unit = (wanted / chunk).max(1) * chunk;
        let (buffer, filled) = (Vec::new(), (0, 0));
        Ok(Self { dataset, shape: shape.to_vec(), columns, elements, rows, unit, buffer, filled })
    }

    fn read(&mut self, start: usize, end: usize) -> Result<Vec<T>, String> {
        let mut result = Vec::with_capacity((end - start) * self.elements);
        let mut row = start;
        while row < end {
            if !(self.filled.0..self.filled.1).contains(&row) {
                self.fill(row)?;
            }
            let upto = end.min(self.filled.1);
            let from = (row - self.filled.0) * self.elements;
            let to = (upto - self.filled.0) * self.elements;
            result.extend_from_slice(&self.buffer[from..to]);
            row = upto;
        }
        Ok(result)
    }

    fn first(&self, rows: usize) -> Result<Vec<T>, String> {
        read_rows(&self.dataset, self.shape.len(), 0..rows, self.columns.as_ref())
            .map_err(|e| e.to_string())
    }

    fn check_rows(&self, rows: &Range<usize>) -> Result<(), String> {
        storage::check_rows(&self.dataset, &self.shape, rows)
    }

    fn buffer_bytes(&self) -> usize {
        self.unit.saturating_mul(self.elements).saturating_mul(size_of::<T>())
    }

    /// Reads from `row` to the end of its unit.
    fn fill(&mut self, row: usize) -> Result<(), String> {
        let end = ((row / self.unit + 1) * self.unit).min(self.rows);
        let failed = |why: String| format!("events {row} to {} cannot be read: {why}", end - 1);
        let buffer = read_rows(&self.dataset, self.shape.len(), row..end, self.columns.as_ref())
            .map_err(|e| failed(e.to_string()))?;
        let expected = (end - row) * self.elements;
        if buffer.len() != expected {
            return Err(failed(format!("{} values instead of {expected}", buffer.len())));
        }
        self.buffer = buffer;
        self.filled = (row, end);
        Ok(())
    }
}
