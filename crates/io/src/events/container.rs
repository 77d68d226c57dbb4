//! The files that events come in.

use std::path::{Path, PathBuf};

use super::catalogue::{self, Entry, Kind};
use super::numpy::{Npy, Npz};
use super::packed::Packed;
use super::records::Records;
use super::select::Pick;
use super::stream::Stream;
use super::table::{self, Table};
use crate::file::{self, Content};
use crate::{IoError, IoErrorKind};

/// An open file of events.
#[derive(Debug)]
pub(super) enum Container {
    Hdf5(PathBuf, hdf5::File),
    Npy(Npy),
    Npz(Npz),
    Table(Table),
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
            Content::Other if file::head(path).is_ok_and(|head| table::is_text(&head)) => {
                Table::open(path).map(Self::Table).map_err(|what| {
                    IoError::new(IoErrorKind::Events, path, what).with_help(
                        "a text file of events has one event a line, numbers with one separator \
                         (comma, semicolon, tab or blanks), and may begin with a line of names",
                    )
                })
            }
            _ => file::open(IoErrorKind::Events, path).map(|f| Self::Hdf5(path.to_owned(), f)),
        }
    }

    /// All datasets.
    pub(super) fn entries(&self) -> Result<Vec<Entry>, String> {
        match self {
            Self::Hdf5(_, file) => catalogue::list(file),
            Self::Npy(npy) => Ok(npy.entries()),
            Self::Npz(npz) => Ok(npz.entries()),
            Self::Table(table) => Ok(vec![table.entry()]),
        }
    }

    /// What is picked of the dataset that `entries` lists at an index.
    pub(super) fn stream(
        &self,
        index: usize,
        entry: &Entry,
        pick: &Pick,
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
                        Stream::new(dataset, *dtype, &entry.shape, columns)
                    }
                    Kind::Record(record) => {
                        let row = pick.row_of_fields(&entry.shape, record)?;
                        let bytes =
                            Packed::new(path, &dataset, &entry.shape, record.size, row.bytes())?;
                        Ok(Stream::Records(Records::new(row, Box::new(bytes))))
                    }
                    kind @ (Kind::Table(_) | Kind::Other(_)) => Err(format!("holds {kind}")),
                }
            }
            Self::Npy(npy) => npy.records(pick).map(Stream::Records),
            Self::Npz(npz) => npz.records(index, pick).map(Stream::Records),
            Self::Table(table) => table.records(pick).map(Stream::Records),
        }
    }
}
