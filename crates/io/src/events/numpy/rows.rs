//! Rows of an array, read forward.

use std::io::{self, Read, Seek, SeekFrom};

use super::header::Array;
use crate::events::catalogue::{Entry, Kind};
use crate::events::records::{Records, RowBytes};
use crate::events::row::{Row, Scalar};
use crate::events::select::Pick;

/// Something that is read from its start to its end.
pub(super) trait Forward: Read {
    /// Leaves out some bytes.
    fn skip(&mut self, bytes: u64) -> io::Result<()>;
}

impl<T: Read + Seek> Forward for io::BufReader<T> {
    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        let bytes = i64::try_from(bytes).map_err(|_| io::ErrorKind::InvalidInput)?;
        self.seek(SeekFrom::Current(bytes)).map(|_| ())
    }
}

/// The elements of an array, of which `next` is the first byte that has not been read.
#[derive(Debug)]
struct Elements<R> {
    reader: R,
    row_bytes: usize,
    next: u64,
}

impl<R: Forward + std::fmt::Debug + Send> RowBytes for Elements<R> {
    fn read(&mut self, row: usize, into: &mut [u8]) -> Result<(), String> {
        let wanted = (row as u64).checked_mul(self.row_bytes as u64);
        let gap = wanted.and_then(|at| at.checked_sub(self.next));
        let gap = gap.ok_or_else(|| format!("event {row} has been passed"))?;
        let failed = |e: io::Error| match e.kind() {
            io::ErrorKind::UnexpectedEof => "the file ends too early".to_owned(),
            _ => e.to_string(),
        };
        self.reader.skip(gap).map_err(failed)?;
        self.next += gap;
        self.reader.read_exact(into).map_err(failed)?;
        self.next += into.len() as u64;
        Ok(())
    }
}

impl Array {
    /// The array as a dataset of that name.
    pub(super) fn entry(&self, path: &str) -> Entry {
        Entry { path: path.to_owned(), shape: self.shape.clone(), kind: self.kind.clone() }
    }

    /// Where what is picked lies in each row.
    pub(super) fn row(&self, pick: &Pick) -> Result<Row, String> {
        match &self.kind {
            Kind::Numbers(dtype) => {
                let scalar = Scalar { dtype: *dtype, big_endian: self.big_endian };
                pick.row_of_numbers(&self.shape, scalar)
            }
            Kind::Record(record) => pick.row_of_fields(&self.shape, record),
            Kind::Text(_) | Kind::Other(_) => Err(format!("holds {}", self.kind)),
        }
    }

    /// What is picked of the array; `reader` stands at its first element.
    pub(super) fn records(
        &self,
        pick: &Pick,
        reader: impl Forward + std::fmt::Debug + Send + 'static,
    ) -> Result<Records, String> {
        let row = self.row(pick)?;
        let elements = Elements { reader, row_bytes: row.bytes(), next: 0 };
        Ok(Records::new(row, Box::new(elements)))
    }
}

/// Whether a file of so many bytes is the array that it claims to hold.
pub(super) fn check_length(array: &Array, file: u64) -> Result<(), String> {
    // Pickled objects are of any length.
    if matches!(array.kind, Kind::Other(_)) {
        return Ok(());
    }
    let wanted = array.start.checked_add(array.bytes);
    match wanted.map(|wanted| file.cmp(&wanted)) {
        Some(std::cmp::Ordering::Equal) => Ok(()),
        Some(std::cmp::Ordering::Greater) => Err(format!(
            "holds {file} bytes, more than its shape {:?} needs; several arrays in a row cannot \
             be read",
            array.shape
        )),
        _ => Err(format!(
            "is truncated: it holds {file} bytes, fewer than its shape {:?} needs",
            array.shape
        )),
    }
}
