//! A `.npy` file.

use std::fs::File;
use std::io::{BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::header::{self, Array};
use super::rows::check_length;
use crate::events::catalogue::Entry;
use crate::events::records::Records;
use crate::events::row::Row;
use crate::events::select::Pick;

/// The name that NumPy gives an array without a name.
const NAME: &str = "arr_0";

/// An open `.npy` file.
#[derive(Debug)]
pub(in crate::events) struct Npy {
    path: PathBuf,
    array: Array,
}

impl Npy {
    pub(in crate::events) fn open(path: &Path) -> Result<Self, String> {
        let wrong = |e: std::io::Error| format!("is a NumPy file that cannot be read: {e}");
        let file = File::open(path).map_err(wrong)?;
        let length = file.metadata().map_err(wrong)?.len();
        let array = header::read(BufReader::new(file))
            .map_err(|what| format!("is a NumPy file whose header {what}"))?;
        check_length(&array, length).map_err(|what| format!("is a NumPy file that {what}"))?;
        Ok(Self { path: path.to_owned(), array })
    }

    pub(in crate::events) fn entries(&self) -> Vec<Entry> {
        vec![self.array.entry(NAME)]
    }

    pub(in crate::events) fn records(&self, pick: &Pick) -> Result<Records, String> {
        let mut reader = BufReader::new(File::open(&self.path).map_err(|e| e.to_string())?);
        reader.seek(SeekFrom::Start(self.array.start)).map_err(|e| e.to_string())?;
        self.array.records(pick, reader)
    }

    /// Where the rows start, and where in each is what is picked.
    pub(in crate::events) fn rows(&self, pick: &Pick) -> Option<(u64, Row)> {
        Some((self.array.start, self.array.row(pick).ok()?))
    }
}
