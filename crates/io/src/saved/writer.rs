//! Events of chosen rows, appended in the order of the file.

use std::path::{Path, PathBuf};

use bittrue_block::EventData;

use super::SavedFormat;
use super::hdf5_file::Hdf5Events;
use super::npy::{NpyEvents, NpzEvents};
use super::text::TextEvents;
use crate::beside::Temporary;
use crate::{InputSpec, IoError, IoErrorKind};

/// Writes events to a file, which appears under its name when [`EventWriter::finish`] succeeds.
/// Memory does not grow with the number of events.
#[derive(Debug)]
pub struct EventWriter {
    path: PathBuf,
    // Dropped before the file is removed.
    file: Form,
    temporary: Temporary,
    written: u64,
}

#[derive(Debug)]
enum Form {
    Hdf5(Hdf5Events),
    Npy(NpyEvents),
    Npz(NpzEvents),
    Text(TextEvents),
}

impl EventWriter {
    /// Creates a file for events of these inputs. Their dtypes follow from the first events.
    ///
    /// # Errors
    /// [`IoErrorKind::Output`]: the file cannot be created there, or the format has no room for the
    /// inputs.
    pub fn create(path: &Path, format: SavedFormat, inputs: &[InputSpec]) -> Result<Self, IoError> {
        let error = |what: String| IoError::new(IoErrorKind::Output, path, what);
        if !format.holds(inputs.len()) {
            let what =
                format!("a .npy file holds one array, and the model has {} inputs", inputs.len());
            return Err(error(what).with_help("save to a .npz or .h5 file"));
        }
        let temporary = Temporary::beside(path)?;
        let at = &temporary.path;
        let file = match format {
            SavedFormat::Hdf5 => Hdf5Events::create(at, inputs).map(Form::Hdf5),
            SavedFormat::Npy => NpyEvents::create(at, &inputs[0].shape).map(Form::Npy),
            SavedFormat::Npz => NpzEvents::create(at, inputs).map(Form::Npz),
            SavedFormat::Dat => TextEvents::create(at).map(Form::Text),
        };
        let file = file.map_err(|e| error(format!("cannot be written: {e}")))?;
        Ok(Self { path: path.to_owned(), file, temporary, written: 0 })
    }

    /// Events so far.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Appends all events of a block; `rows` are their rows in the file that they come from.
    ///
    /// # Errors
    /// [`IoErrorKind::Output`]: the disk is full.
    pub fn append(&mut self, rows: &[u64], inputs: &[EventData]) -> Result<(), IoError> {
        if rows.is_empty() {
            return Ok(());
        }
        let appended = match &mut self.file {
            Form::Hdf5(f) => f.append(rows, inputs),
            Form::Npy(f) => inputs.first().map_or(Ok(()), |input| f.append(input)),
            Form::Npz(f) => f.append(rows, inputs),
            Form::Text(f) => f.append(rows.len(), inputs),
        };
        appended.map_err(|e| self.failed(&e))?;
        self.written += rows.len() as u64;
        Ok(())
    }

    /// Completes the file and gives it its name.
    ///
    /// # Errors
    /// [`IoErrorKind::Output`]: the disk is full.
    pub fn finish(self) -> Result<(), IoError> {
        let Self { path, file, temporary, .. } = self;
        let finished = match file {
            Form::Hdf5(f) => f.finish(),
            Form::Npy(f) => f.finish().map(drop),
            Form::Npz(f) => f.finish(),
            Form::Text(f) => f.finish(),
        };
        finished.map_err(|e| {
            IoError::new(IoErrorKind::Output, &path, format!("cannot be written: {e}"))
        })?;
        temporary.keep()
    }

    fn failed(&self, e: &str) -> IoError {
        IoError::new(IoErrorKind::Output, &self.path, format!("cannot be written: {e}"))
            .with_help("free some space, or choose another disk")
    }
}
