//! The bytes of a compound dataset of an HDF5 file.
//!
//! The library converts structs only to types that the compiler knows. So it is asked where in
//! the file the rows are, and their bytes are read past it.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use hdf5::Dataset;
use hdf5::dataset::{ChunkOpts, Layout};
use hdf5::filters::Filter;

use super::filters;
use super::records::RowBytes;
use crate::storage::{self, MAX_CHUNK_BYTES};
use crate::watch;

/// Most chunks whose places are kept.
const MAX_CHUNKS: usize = 1 << 22;

/// The rows of a compound dataset.
#[derive(Debug)]
pub(super) struct Packed {
    file: File,
    row_bytes: usize,
    store: Store,
}

#[derive(Debug)]
enum Store {
    /// One after the other from here.
    Contiguous(u64),
    Chunked(Chunks),
}

#[derive(Debug)]
struct Chunks {
    /// Rows per chunk; the last one may go beyond the data.
    rows: usize,
    /// Bytes of a struct.
    record: usize,
    filters: Vec<Filter>,
    places: HashMap<usize, Place>,
    /// The chunk that was read last, and its bytes.
    current: Option<(usize, Vec<u8>)>,
}

/// Where a chunk is in the file.
#[derive(Debug, Clone, Copy)]
struct Place {
    address: u64,
    bytes: u64,
    skipped: u32,
}

impl Packed {
    /// Prepares to read a dataset of shape `[rows, …]` with structs of `record` bytes, of which
    /// `row_bytes` make a row.
    pub(super) fn new(
        path: &Path,
        dataset: &Dataset,
        shape: &[usize],
        record: usize,
        row_bytes: usize,
    ) -> Result<Self, String> {
        storage::check(dataset, shape.len())?;
        let failed = |e: hdf5::Error| format!("its layout cannot be read: {e}");
        let create = dataset.dcpl().map_err(failed)?;
        let store = match create.get_layout().map_err(failed)? {
            Layout::Contiguous => match dataset.offset() {
                Some(address) => Store::Contiguous(address),
                None => return Err("holds structs that were never written".to_owned()),
            },
            Layout::Chunked => {
                let filters = create.get_filters().map_err(failed)?;
                filters::check(&filters)?;
                let whole = create.get_chunk_opts().map_err(failed)?;
                let whole =
                    whole.is_none_or(|o| !o.contains(ChunkOpts::DONT_FILTER_PARTIAL_CHUNKS));
                if !whole && !filters.is_empty() {
                    return Err("has chunks without filters at its end; h5repack helps".to_owned());
                }
                Store::Chunked(Chunks::new(dataset, shape, record, row_bytes, filters)?)
            }
            other => {
                return Err(format!(
                    "holds structs in {other:?} layout; supported are contiguous and chunked \
                     (h5repack -l CONTI)"
                ));
            }
        };
        let file = File::open(path).map_err(|e| e.to_string())?;
        Ok(Self { file, row_bytes, store })
    }
}

impl Chunks {
    fn new(
        dataset: &Dataset,
        shape: &[usize],
        record: usize,
        row_bytes: usize,
        filters: Vec<Filter>,
    ) -> Result<Self, String> {
        let chunk = dataset.chunk().unwrap_or_default();
        let (Some((&rows, inner)), Some((_, event))) = (chunk.split_first(), shape.split_first())
        else {
            return Err("has no chunks".to_owned());
        };
        if inner != event {
            return Err(format!(
                "has chunks of shape {chunk:?}, which split events of shape {event:?}; store it \
                 in chunks of whole events (h5repack -l)"
            ));
        }
        if rows == 0 || rows.checked_mul(row_bytes).is_none_or(|n| n > MAX_CHUNK_BYTES) {
            return Err(format!(
                "has chunks of {rows} events, which need more than {MAX_CHUNK_BYTES} bytes; store \
                 it in smaller chunks (h5repack -l)"
            ));
        }
        let mut places = HashMap::new();
        dataset
            .chunks_visit(|info| {
                watch::step();
                let first = info.offset.first().copied().unwrap_or(0);
                let place =
                    Place { address: info.addr, bytes: info.size, skipped: info.filter_mask };
                if let Ok(first) = usize::try_from(first) {
                    places.insert(first / rows, place);
                }
                i32::from(places.len() >= MAX_CHUNKS)
            })
            .map_err(|e| format!("its chunks cannot be listed: {e}"))?;
        if places.len() >= MAX_CHUNKS {
            return Err(format!("has more than {MAX_CHUNKS} chunks; store it in larger ones"));
        }
        Ok(Self { rows, record, filters, places, current: None })
    }

    /// The bytes of a chunk.
    fn load(&mut self, file: &mut File, chunk: usize, row_bytes: usize) -> Result<&[u8], String> {
        let found = match self.current.take() {
            Some((n, bytes)) if n == chunk => bytes,
            _ => {
                let place = self.places.get(&chunk).ok_or("they were never written")?;
                let length = self.rows * row_bytes;
                // Compression makes no chunk much longer.
                let most = (length as u64).saturating_mul(2).saturating_add(1 << 16);
                if place.bytes > most {
                    return Err(format!("a chunk claims {} bytes", place.bytes));
                }
                let bytes = read_at(file, place.address, place.bytes)?;
                filters::undo(&self.filters, place.skipped, self.record, length, bytes)?
            }
        };
        Ok(&self.current.insert((chunk, found)).1)
    }
}

/// What a file holds from some place on, which is not reserved before it is there.
fn read_at(file: &mut File, address: u64, bytes: u64) -> Result<Vec<u8>, String> {
    file.seek(SeekFrom::Start(address)).map_err(|e| e.to_string())?;
    let mut found = Vec::new();
    file.take(bytes).read_to_end(&mut found).map_err(|e| e.to_string())?;
    match found.len() as u64 == bytes {
        true => Ok(found),
        false => Err("the file ends too early".to_owned()),
    }
}

impl RowBytes for Packed {
    fn held_bytes(&self) -> usize {
        match &self.store {
            Store::Contiguous(_) => 0,
            Store::Chunked(chunks) => chunks.rows.saturating_mul(self.row_bytes),
        }
    }

    fn read(&mut self, row: usize, into: &mut [u8]) -> Result<(), String> {
        let Self { file, row_bytes, store } = self;
        match store {
            Store::Contiguous(start) => {
                let at = (row as u64).checked_mul(*row_bytes as u64);
                let at = at.and_then(|n| n.checked_add(*start)).ok_or("they are too far away")?;
                let found = read_at(file, at, into.len() as u64)?;
                into.copy_from_slice(&found);
            }
            Store::Chunked(chunks) => {
                let (mut row, mut rest) = (row, into);
                while !rest.is_empty() {
                    let per_chunk = chunks.rows;
                    let bytes = chunks.load(file, row / per_chunk, *row_bytes)?;
                    let bytes = &bytes[row % per_chunk * *row_bytes..];
                    let count = bytes.len().min(rest.len());
                    let (part, others) = rest.split_at_mut(count);
                    part.copy_from_slice(&bytes[..count]);
                    row += count / *row_bytes;
                    rest = others;
                }
            }
        }
        Ok(())
    }
}
