//! The chunks of an HDF5 dataset, read past the library: by any thread, while others do the same.

use std::fs::File;
use std::os::unix::fs::FileExt;

use hdf5::Dataset;
use hdf5::dataset::{ChunkOpts, DatasetCreate};
use hdf5::filters::Filter;

use super::filters::{self, Buffers};
use super::row::product;
use crate::watch;

/// Most chunks whose places are kept.
const MAX_PLACES: usize = 1 << 22;

/// Largest row of chunks that is unpacked by each thread for itself, in bytes.
const MAX_BAND: usize = 16 << 20;

/// Where a chunk is in the file.
#[derive(Debug, Clone, Copy)]
struct Place {
    address: u64,
    bytes: u64,
    skipped: u32,
}

/// A dataset in chunks. A *band* is a row of them: all chunks that share their first index.
#[derive(Debug)]
pub(super) struct Chunks {
    /// Bytes of an element.
    element: usize,
    /// Axes of an event, in elements.
    event: Vec<usize>,
    /// Events of a chunk; those of the last one may go beyond the data.
    rows: usize,
    /// The other axes of a chunk.
    inner: Vec<usize>,
    /// How many chunks there are along each of them.
    grid: Vec<usize>,
    filters: Vec<Filter>,
    /// In C order, the bands first.
    places: Vec<Option<Place>>,
}

impl Chunks {
    /// Prepares to read a dataset of that shape; `None` where the library has to do it.
    pub(super) fn new(
        dataset: &Dataset,
        create: &DatasetCreate,
        shape: &[usize],
        element: usize,
    ) -> Option<Self> {
        let filters = create.get_filters().ok()?;
        filters::check(&filters).ok()?;
        let options = create.get_chunk_opts().ok()?;
        if options.is_some_and(|o| o.contains(ChunkOpts::DONT_FILTER_PARTIAL_CHUNKS)) {
            return None;
        }
        let chunk = dataset.chunk()?;
        let ((&rows, inner), (&events, event)) = (chunk.split_first()?, shape.split_first()?);
        if chunk.contains(&0) || inner.len() != event.len() || element == 0 {
            return None;
        }
        let small = |n: &usize| *n <= MAX_BAND;
        let length = product(&chunk).and_then(|n| n.checked_mul(element)).filter(small)?;
        let band = product(event)?.checked_mul(rows)?.checked_mul(element);
        band.filter(small)?;
        let grid: Vec<usize> = event.iter().zip(inner).map(|(&e, &c)| e.div_ceil(c)).collect();
        let per_band = product(&grid)?;
        let count = events.div_ceil(rows).checked_mul(per_band).filter(|&n| n <= MAX_PLACES)?;
        let mut places = vec![None; count];
        // Compression makes no chunk much longer.
        let most = (length as u64).saturating_mul(2).saturating_add(1 << 16);
        let mut sound = true;
        dataset
            .chunks_visit(|info| {
                watch::step();
                let mut at = 0_usize;
                let axes = std::iter::once(events.div_ceil(rows)).chain(grid.iter().copied());
                for ((&offset, &size), axis) in info.offset.iter().zip(&chunk).zip(axes) {
                    let index = offset / size as u64;
                    // What lies beyond the data belongs to nobody.
                    let Some(index) = usize::try_from(index).ok().filter(|&i| i < axis) else {
                        return 0;
                    };
                    at = at * axis + index;
                }
                sound &= info.size <= most;
                let place =
                    Place { address: info.addr, bytes: info.size, skipped: info.filter_mask };
                if let Some(slot) = places.get_mut(at) {
                    *slot = Some(place);
                }
                i32::from(!sound)
            })
            .ok()?;
        let (event, inner) = (event.to_vec(), inner.to_vec());
        sound.then_some(Self { element, event, rows, inner, grid, filters, places })
    }

    /// Events of a band.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Bytes of a chunk.
    fn length(&self) -> usize {
        self.inner.iter().product::<usize>() * self.rows * self.element
    }

    /// Whether each chunk has whole events, one after the other.
    fn whole(&self) -> bool {
        self.inner == self.event
    }

    /// Where the bytes of a band lie in the file, if they lie there as they are.
    pub(super) fn plain(&self, band: usize) -> Option<u64> {
        let place = (*self.places.get(band)?)?;
        let plain = self.filters.is_empty() && self.whole() && place.bytes == self.length() as u64;
        plain.then_some(place.address)
    }

    /// The events of a band, one after the other.
    pub(super) fn band<'a>(
        &self,
        file: &File,
        band: usize,
        scratch: &'a mut Scratch,
    ) -> Result<&'a [u8], String> {
        let per_band: usize = self.grid.iter().product();
        if self.whole() {
            self.chunk(file, band, &mut scratch.chunk)?;
            return Ok(&scratch.chunk.bytes);
        }
        let events = self.event.iter().product::<usize>() * self.rows * self.element;
        scratch.band.resize(events, 0);
        for n in 0..per_band {
            self.chunk(file, band * per_band + n, &mut scratch.chunk)?;
            self.scatter(n, &scratch.chunk.bytes, &mut scratch.band);
        }
        Ok(&scratch.band)
    }

    /// The events of a band into `out`, if that is as long as the band and each chunk has whole events;
    /// `false` where [`band`](Self::band) has to do it.
    pub(super) fn band_to(
        &self,
        file: &File,
        band: usize,
        scratch: &mut Scratch,
        out: &mut [u8],
    ) -> Result<bool, String> {
        if !self.whole() || out.len() != self.length() {
            return Ok(false);
        }
        let skipped = self.packed(file, band, &mut scratch.chunk)?;
        filters::undo_to(&self.filters, skipped, self.element, &mut scratch.chunk, out)?;
        Ok(true)
    }

    /// Reads and unpacks a chunk.
    fn chunk(&self, file: &File, n: usize, buffers: &mut Buffers) -> Result<(), String> {
        let skipped = self.packed(file, n, buffers)?;
        filters::undo_in(&self.filters, skipped, self.element, self.length(), buffers)
    }

    /// Reads a chunk as it is; gives the filters that were not applied.
    fn packed(&self, file: &File, n: usize, buffers: &mut Buffers) -> Result<u32, String> {
        let place = self.places.get(n).copied().flatten();
        let place = place.ok_or("they were never written")?;
        // Not longer than twice the chunk, see `new`.
        buffers.bytes.resize(usize::try_from(place.bytes).unwrap_or(usize::MAX), 0);
        read_at(file, place.address, &mut buffers.bytes)?;
        Ok(place.skipped)
    }

    /// Copies chunk `n` of a band to its place among the events.
    fn scatter(&self, n: usize, chunk: &[u8], band: &mut [u8]) {
        // Where the chunk starts along each axis, and how much of it is inside of the data.
        let axes = self.grid.len();
        let (mut start, mut size) = (vec![0; axes], vec![0; axes]);
        let mut rest = n;
        for axis in (0..axes).rev() {
            start[axis] = rest % self.grid[axis] * self.inner[axis];
            rest /= self.grid[axis];
            size[axis] = self.inner[axis].min(self.event[axis].saturating_sub(start[axis]));
        }
        let Some((last, outer)) = size.split_last() else { return };
        let run = last * self.element;
        let lines: usize = outer.iter().product();
        for row in 0..self.rows {
            for line in 0..lines {
                let (mut index, mut from, mut to) = (line, 0, 0);
                let (mut step_from, mut step_to) = (self.inner[axes - 1], self.event[axes - 1]);
                for axis in (0..axes - 1).rev() {
                    let at = index % size[axis];
                    index /= size[axis];
                    from += at * step_from;
                    to += (start[axis] + at) * step_to;
                    step_from *= self.inner[axis];
                    step_to *= self.event[axis];
                }
                let from = (row * step_from + from) * self.element;
                let to = (row * step_to + to + start[axes - 1]) * self.element;
                band[to..to + run].copy_from_slice(&chunk[from..from + run]);
            }
        }
    }
}

/// What a thread reads with, used again and again.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    chunk: Buffers,
    band: Vec<u8>,
    /// Bytes of events that are no numbers yet.
    pub(super) events: Vec<u8>,
}

/// Fills `into` with what the file holds from some place on.
pub(super) fn read_at(file: &File, address: u64, into: &mut [u8]) -> Result<(), String> {
    file.read_exact_at(into, address).map_err(|e| match e.kind() {
        std::io::ErrorKind::UnexpectedEof => "the file ends too early".to_owned(),
        _ => e.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_come_to_their_places() {
        // Events of 3×5 bytes in chunks of 2 events × 2×2: the last ones go beyond the data.
        let chunks = Chunks {
            element: 1,
            event: vec![3, 5],
            rows: 2,
            inner: vec![2, 2],
            grid: vec![2, 3],
            filters: Vec::new(),
            places: Vec::new(),
        };
        let mut band = vec![0xff; 30];
        for n in 0..6 {
            let (y, x) = (n / 3 * 2, n % 3 * 2);
            let of = |row: usize, i: usize, j: usize| match y + i < 3 && x + j < 5 {
                true => (row * 15 + (y + i) * 5 + x + j) as u8,
                false => 0xee,
            };
            let chunk: Vec<u8> = (0..8).map(|b: usize| of(b / 4, b / 2 % 2, b % 2)).collect();
            chunks.scatter(n, &chunk, &mut band);
        }
        assert_eq!(band, (0..30).collect::<Vec<u8>>());
    }
}
