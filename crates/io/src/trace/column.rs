//! A dataset that grows by rows.

use hdf5::{Dataset, Group, H5Type};
use ndarray::ArrayD;

use crate::number::selected_rows;

/// Size of a chunk in bytes: large enough to compress, small enough to read a few events.
const CHUNK_BYTES: usize = 1 << 18;

/// A dataset `[event, …]` to which rows are appended. Rows are gathered until a chunk is full, so
/// that each chunk is compressed once.
#[derive(Debug)]
pub(crate) struct Column<T> {
    dataset: Dataset,
    /// Shape of one row.
    row: Vec<usize>,
    chunk_rows: usize,
    written: usize,
    pending: Vec<T>,
}

impl<T: H5Type + Copy> Column<T> {
    /// Creates an empty dataset.
    pub(crate) fn create(group: &Group, name: &str, row: &[usize]) -> Result<Self, hdf5::Error> {
        let elements = row.iter().product::<usize>().max(1);
        let chunk_rows = (CHUNK_BYTES / (elements * size_of::<T>())).max(1);
        let mut shape: Vec<hdf5::Extent> = vec![hdf5::Extent::resizable(0)];
        shape.extend(row.iter().map(|&d| hdf5::Extent::fixed(d)));
        let mut chunk = vec![chunk_rows];
        chunk.extend_from_slice(row);
        let dataset =
            group.new_dataset::<T>().shape(shape).chunk(chunk).shuffle().deflate(4).create(name)?;
        Ok(Self { dataset, row: row.to_vec(), chunk_rows, written: 0, pending: Vec::new() })
    }

    /// The dataset, for its attributes.
    pub(crate) fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    /// Values of one row.
    pub(crate) fn elements(&self) -> usize {
        self.row.iter().product()
    }

    /// Rows so far.
    pub(crate) fn rows(&self) -> usize {
        self.written + self.pending.len() / self.elements().max(1)
    }

    /// Appends whole rows.
    pub(crate) fn append(
        &mut self,
        values: impl IntoIterator<Item = T>,
    ) -> Result<(), hdf5::Error> {
        self.pending.extend(values);
        let full = self.chunk_rows * self.elements();
        let whole = self.pending.len() / full * full;
        if whole > 0 {
            let rest = self.pending.split_off(whole);
            let ready = std::mem::replace(&mut self.pending, rest);
            self.write(ready)?;
        }
        Ok(())
    }

    /// Writes what is gathered.
    pub(crate) fn flush(&mut self) -> Result<(), hdf5::Error> {
        match self.pending.is_empty() {
            true => Ok(()),
            false => {
                let ready = std::mem::take(&mut self.pending);
                self.write(ready)
            }
        }
    }

    fn write(&mut self, values: Vec<T>) -> Result<(), hdf5::Error> {
        let start = self.written;
        let end = start + values.len() / self.elements();
        let mut shape = vec![end];
        shape.extend_from_slice(&self.row);
        self.dataset.resize(shape.clone())?;
        shape[0] = end - start;
        let array = ArrayD::from_shape_vec(shape, values)?;
        self.dataset.write_slice(&array, selected_rows(self.row.len() + 1, start, end))?;
        self.written = end;
        Ok(())
    }
}
