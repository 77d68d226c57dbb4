//! The files that events come in.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::catalogue::{self, Entry, Kind};
use super::direct::{Direct, native};
use super::joined::Joined;
use super::mapping::Choice;
use super::numpy::{Npy, Npz};
use super::packed::Packed;
use super::records::Records;
use super::select::Pick;
use super::stream::Stream;
use super::table::{Rows, Table};
use crate::file::{self, Content};
use crate::{IoError, IoErrorKind};

/// An open file of events.
#[derive(Debug)]
pub(super) enum Container {
    Hdf5(PathBuf, hdf5::File),
    Npy(Npy),
    Npz(Npz),
    Text(Arc<Table>),
}

impl Container {
    pub(super) fn open(path: &Path) -> Result<Self, IoError> {
        let error = |what: String| {
            IoError::new(IoErrorKind::Events, path, what)
                .with_help("write it with numpy.save or numpy.savez, without pickled objects")
        };
        match file::probe(IoErrorKind::Events, path)? {
            Content::Numpy => Npy::open(path).map(Self::Npy).map_err(error),
            Content::Zip => Npz::open(path).map(Self::Npz).map_err(error),
            Content::Text => {
                let table = Table::open(path).map_err(|what| {
                    IoError::new(
                        IoErrorKind::Events,
                        path,
                        format!("is text that cannot be read as events: {what}"),
                    )
                    .with_help(
                        "a table has one event a line, numbers that are separated by commas, \
                         semicolons, tabs or blanks, and perhaps a line of column names first",
                    )
                })?;
                Ok(Self::Text(Arc::new(table)))
            }
            _ => file::open(IoErrorKind::Events, path).map(|f| Self::Hdf5(path.to_owned(), f)),
        }
    }

    /// The kind of file.
    pub(super) fn form(&self) -> &'static str {
        match self {
            Self::Hdf5(..) => "HDF5",
            Self::Npy(_) => "npy",
            Self::Npz(_) => "npz",
            Self::Text(_) => "text",
        }
    }

    /// All datasets.
    pub(super) fn entries(&self) -> Result<Vec<Entry>, String> {
        match self {
            Self::Hdf5(_, file) => catalogue::list(file),
            Self::Npy(npy) => Ok(npy.entries()),
            Self::Npz(npz) => Ok(npz.entries()),
            Self::Text(table) => Ok(table.entries()),
        }
    }

    /// What feeds an input, of the datasets that `entries` gives.
    pub(super) fn stream(&self, entries: &[Entry], choice: &Choice) -> Result<Stream, String> {
        match choice {
            Choice::One { index, pick } => self.part(*index, &entries[*index], pick, 1),
            Choice::Joined { indices, layout, .. } => {
                let mut parts = Vec::with_capacity(indices.len());
                let mut dtypes = Vec::with_capacity(indices.len());
                for &index in indices {
                    let Kind::Numbers(dtype) = &entries[index].kind else {
                        return Err(format!("{} holds no numbers", entries[index]));
                    };
                    dtypes.push(*dtype);
                    parts.push(self.part(index, &entries[index], &Pick::All, indices.len())?);
                }
                Joined::new(parts, &dtypes, layout).map(Stream::Joined)
            }
        }
    }

    /// What is picked of the dataset that `entries` gives at an index; `share` streams share the
    /// memory of one.
    fn part(
        &self,
        index: usize,
        entry: &Entry,
        pick: &Pick,
        share: usize,
    ) -> Result<Stream, String> {
        match self {
            Self::Hdf5(path, file) => {
                let dataset = file.dataset(&entry.path).map_err(|e| e.to_string())?;
                match &entry.kind {
                    Kind::Numbers(dtype) => {
                        let columns = match pick {
                            Pick::Columns(columns) => Some(columns.clone()),
                            _ => None,
                        };
                        Stream::new(dataset, *dtype, &entry.shape, columns, share)
                    }
                    Kind::Record(record) => {
                        let row = pick.row_of_fields(&entry.shape, record)?;
                        let bytes =
                            Packed::new(path, &dataset, &entry.shape, record.size, row.bytes())?;
                        Ok(Stream::Records(Records::new(row, Box::new(bytes))))
                    }
                    Kind::Text(_) | Kind::Other(_) => Err(format!("holds {}", entry.kind)),
                }
            }
            Self::Npy(npy) => npy.records(pick).map(Stream::Records),
            Self::Npz(npz) => npz.records(index, pick).map(Stream::Records),
            Self::Text(table) => {
                let columns = pick.columns_of_table(entry.shape.get(1).copied().unwrap_or(0));
                Rows::new(Arc::clone(table), &columns).map(Stream::Text)
            }
        }
    }

    /// The same for any number of threads; `None` where only one at a time can read it.
    pub(super) fn direct(
        &self,
        file: &Arc<File>,
        entries: &[Entry],
        choice: &Choice,
    ) -> Option<Direct> {
        let Choice::One { index, pick } = choice else { return None };
        let entry = entries.get(*index)?;
        let file = Arc::clone(file);
        match (self, &entry.kind) {
            (Self::Hdf5(_, hdf5), Kind::Numbers(dtype)) => {
                let dataset = hdf5.dataset(&entry.path).ok()?;
                let scalar = native(&dataset, *dtype)?;
                let row = pick.row_of_numbers(&entry.shape, scalar).ok()?;
                Direct::hdf5(file, &dataset, &entry.shape, dtype.size(), row)
            }
            (Self::Hdf5(_, hdf5), Kind::Record(record)) => {
                let dataset = hdf5.dataset(&entry.path).ok()?;
                let row = pick.row_of_fields(&entry.shape, record).ok()?;
                Direct::hdf5(file, &dataset, &entry.shape, record.size, row)
            }
            (Self::Npy(npy), _) => {
                let (start, row) = npy.rows(pick)?;
                Some(Direct::contiguous(file, start, row))
            }
            _ => None,
        }
    }
}
