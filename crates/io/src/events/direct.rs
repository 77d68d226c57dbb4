//! Rows of a dataset, read past the HDF5 library.
//!
//! The library does one thing at a time, whoever asks. Where a dataset lies in its file in a form that
//! is known here (contiguous, or in chunks with known filters), its rows are read and unpacked by any
//! thread for itself. What the library reads of the first events decides whether that is so.

use std::fs::File;
use std::ops::Range;
use std::sync::Arc;

use bittrue_block::EventData;
use hdf5::dataset::Layout;
use hdf5::{Dataset, Datatype};

use super::chunks::{Chunks, Scratch, read_at};
use super::row::{Row, Scalar};
use super::stream::Stream;
use crate::number::Dtype;
use crate::storage;

/// Events that the library reads too.
const COMPARED: usize = 4;

/// A dataset whose rows any thread reads for itself.
#[derive(Debug)]
pub(super) struct Direct {
    file: Arc<File>,
    row: Row,
    store: Store,
}

/// Where the bytes of rows are.
#[derive(Debug)]
enum Store {
    /// One after the other from here.
    Contiguous(u64),
    Chunked(Chunks),
}

/// How a dataset's numbers lie in its file, if it is as this machine has them.
pub(super) fn native(dataset: &Dataset, dtype: Dtype) -> Option<Scalar> {
    let found = dataset.dtype().ok()?;
    let same = Datatype::from_descriptor(&found.to_descriptor().ok()?).ok()? == found;
    same.then_some(Scalar { dtype, big_endian: cfg!(target_endian = "big") })
}

impl Direct {
    /// The rows of an HDF5 dataset of shape `[event, …]` with elements of so many bytes; `None` where
    /// the library has to read them.
    pub(super) fn hdf5(
        file: Arc<File>,
        dataset: &Dataset,
        shape: &[usize],
        element: usize,
        row: Row,
    ) -> Option<Self> {
        storage::check(dataset, shape.len()).ok()?;
        let create = dataset.dcpl().ok()?;
        let store = match create.get_layout().ok()? {
            Layout::Contiguous => Store::Contiguous(dataset.offset()?),
            Layout::Chunked => Store::Chunked(Chunks::new(dataset, &create, shape, element)?),
            _ => return None,
        };
        Some(Self { file, row, store })
    }

    /// Rows that follow each other from some place on.
    pub(super) fn contiguous(file: Arc<File>, start: u64, row: Row) -> Self {
        Self { file, row, store: Store::Contiguous(start) }
    }

    /// Whether the first of `rows` events are what `stream` reads: the library's word for how the file
    /// is to be understood.
    pub(super) fn agrees(&self, stream: &mut Stream, rows: usize) -> bool {
        let rows = rows.min(COMPARED);
        let mut found = self.empty();
        self.read(0..rows, &mut Scratch::default(), &mut found).is_ok()
            && stream.first(rows).is_ok_and(|expected| same(&expected, &found))
    }

    /// Values of an event.
    pub(super) fn elements(&self) -> usize {
        self.row.elements()
    }

    /// Bytes of an event in the file.
    pub(super) fn row_bytes(&self) -> usize {
        self.row.bytes()
    }

    /// Events that are unpacked together.
    pub(super) fn unit(&self) -> usize {
        match &self.store {
            Store::Contiguous(_) => 1,
            Store::Chunked(chunks) => chunks.rows(),
        }
    }

    /// A list of the right kind.
    pub(super) fn empty(&self) -> EventData {
        self.row.empty()
    }

    /// Reads some events into `into`, which is of the right kind and loses what it held.
    pub(super) fn read(
        &self,
        rows: Range<usize>,
        scratch: &mut Scratch,
        into: &mut EventData,
    ) -> Result<(), String> {
        let size = self.row.bytes();
        let as_stored = self.row.is_as_stored();
        match as_stored {
            true => self.row.resize(rows.len(), into),
            false => clear(into),
        }
        let mut done = 0;
        while done < rows.len() {
            let first = rows.start + done;
            // The events that lie together, and where.
            let (count, place) = match &self.store {
                Store::Contiguous(start) => {
                    let at = (first as u64).checked_mul(size as u64);
                    let at = at.and_then(|at| at.checked_add(*start));
                    (rows.len() - done, Some(at.ok_or("they are too far away")?))
                }
                Store::Chunked(chunks) => {
                    let inside = first % chunks.rows();
                    let count = (chunks.rows() - inside).min(rows.len() - done);
                    let place = chunks.plain(first / chunks.rows());
                    (count, place.and_then(|at| at.checked_add((inside * size) as u64)))
                }
            };
            let events = done..done + count;
            match (&self.store, place) {
                (_, Some(place)) if as_stored => {
                    read_at(&self.file, place, self.row.stored(events, into))?;
                }
                (_, Some(place)) => {
                    scratch.events.resize(count * size, 0);
                    read_at(&self.file, place, &mut scratch.events)?;
                    self.row.decode(&scratch.events, into)?;
                }
                (Store::Chunked(chunks), None) => {
                    let n = first / chunks.rows();
                    if as_stored {
                        let out = self.row.stored(events.clone(), into);
                        if chunks.band_to(&self.file, n, scratch, out)? {
                            done += count;
                            continue;
                        }
                    }
                    let band = chunks.band(&self.file, n, scratch)?;
                    let from = first % chunks.rows() * size;
                    let bytes = &band[from..from + count * size];
                    match as_stored {
                        true => self.row.stored(events, into).copy_from_slice(bytes),
                        false => self.row.decode(bytes, into)?,
                    }
                }
                (Store::Contiguous(_), None) => return Err("they are nowhere".to_owned()),
            }
            done += count;
        }
        Ok(())
    }
}

fn clear(data: &mut EventData) {
    match data {
        EventData::F32(v) => v.clear(),
        EventData::F64(v) => v.clear(),
        EventData::I64(v) => v.clear(),
        EventData::U64(v) => v.clear(),
    }
}

/// Whether two lists are the same bits.
fn same(a: &EventData, b: &EventData) -> bool {
    match (a, b) {
        (EventData::F32(a), EventData::F32(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits())
        }
        (EventData::F64(a), EventData::F64(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits())
        }
        (a, b) => a == b,
    }
}
