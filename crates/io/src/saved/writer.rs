//! Events of chosen rows, appended in the order of the file.

use std::path::{Path, PathBuf};

use bittrue_block::EventData;

use super::SavedFormat;
use super::cast::cast;
use super::hdf5_file::Hdf5Events;
use super::npy::{NpyEvents, NpzEvents};
use super::text::TextEvents;
use crate::beside::Temporary;
use crate::number::Wide;
use crate::{InputSpec, IoError, IoErrorKind};

/// Writes events to a file, which appears under its name when [`EventWriter::finish`] succeeds.
/// Memory does not grow with the number of events.
#[derive(Debug)]
pub struct EventWriter {
    path: PathBuf,
    // Dropped before the file is removed.
    file: Form,
    temporary: Temporary,
    inputs: Vec<(String, Wide)>,
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
    /// Creates a file for events of these inputs; `dtypes` are those of their values, one for each
    /// input, see [`EventSource::dtypes`](crate::EventSource::dtypes).
    ///
    /// # Errors
    /// [`IoErrorKind::Output`]: the file cannot be created there, or the format has no room for the
    /// inputs.
    pub fn create(
        path: &Path,
        format: SavedFormat,
        inputs: &[InputSpec],
        dtypes: &[Wide],
    ) -> Result<Self, IoError> {
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
        let inputs = inputs.iter().zip(dtypes).map(|(i, &d)| (i.name.clone(), d)).collect();
        Ok(Self { path: path.to_owned(), file, temporary, inputs, written: 0 })
    }

    /// Events so far.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Appends all events of a block; `rows` are their rows in the file that they come from.
    ///
    /// # Errors
    /// [`IoErrorKind::Output`]: the disk is full, or the dtype that an input has in all files does not
    /// hold one of its values. A text has no dtype, and holds every value.
    pub fn append(&mut self, rows: &[u64], inputs: &[EventData]) -> Result<(), IoError> {
        if rows.is_empty() {
            return Ok(());
        }
        let cast = match self.file {
            Form::Text(_) => None,
            _ => Some(self.cast(rows, inputs)?),
        };
        let inputs = cast.as_deref().unwrap_or(inputs);
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

    fn cast(&self, rows: &[u64], inputs: &[EventData]) -> Result<Vec<EventData>, IoError> {
        let mut found = Vec::with_capacity(inputs.len());
        for (data, (name, dtype)) in inputs.iter().zip(&self.inputs) {
            let cast = cast(data, *dtype).map_err(|at| {
                let row = rows[at / (data.len() / rows.len()).max(1)];
                let what = format!(
                    "cannot hold event {row}: a 64-bit integer of input `{name}` is no {dtype}, \
                     which the other event files need"
                );
                IoError::new(IoErrorKind::Output, &self.path, what)
                    .with_help("compare files of the same dtype in one run")
            })?;
            found.push(cast.into_owned());
        }
        Ok(found)
    }

    fn failed(&self, e: &str) -> IoError {
        IoError::new(IoErrorKind::Output, &self.path, format!("cannot be written: {e}"))
            .with_help("free some space, or choose another disk")
    }
}
