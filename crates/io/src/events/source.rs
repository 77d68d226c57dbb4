//! All files in their order, as event blocks.

use std::path::{Path, PathBuf};

use bittrue_block::EventBlock;

use super::opened::Opened;
use crate::{IoError, IoErrorKind};

/// An input of the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputSpec {
    /// Name of the InputLayer.
    pub name: String,
    /// Shape of one event, without the batch dimension.
    pub shape: Vec<usize>,
}

/// Which events to read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventOptions {
    /// Datasets that the user assigns to inputs: input name (not needed when the model has one
    /// input) and path in the file. Behind the path there may be `[a:b]`, columns of the last
    /// axis as in Python, or `[name,…]`, fields of a compound dataset, which make the last axis.
    /// The path may be empty when the file holds one dataset.
    pub datasets: Vec<(Option<String>, String)>,
    /// Columns that make up an input, in this order: names of datasets in one group, of fields of a
    /// compound dataset, or of columns of a text file. Where the input has an entry in
    /// [`EventOptions::datasets`] too, that is the group, the dataset or the table.
    pub columns: Vec<(Option<String>, Vec<String>)>,
    /// Events to leave out at the beginning.
    pub skip: u64,
    /// Most events to read, all if absent.
    pub max_events: Option<u64>,
}

/// One of the files that events come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventFile {
    /// Its path.
    pub path: PathBuf,
    /// Events in it.
    pub events: u64,
}

/// The events of some files, as a stream of blocks. Their numbers count through all files.
///
/// Memory does not grow with the files: each input holds one buffer of at most 16,384 events or
/// 32 MiB, or one row of the dataset's chunks where that is more. For a chunked compound dataset
/// the places of its chunks are kept too.
#[derive(Debug)]
pub struct EventSource {
    files: Vec<EventFile>,
    inputs: Vec<InputSpec>,
    options: EventOptions,
    /// The file that is read, and the events in the files before it.
    current: Opened,
    index: usize,
    before: u64,
    next: u64,
    end: u64,
}

impl EventSource {
    /// Opens files and finds in each the dataset `[event, …]` of each input: the one that
    /// [`EventOptions::datasets`] names, else the one named like the input, else the only one
    /// whose shape fits. Groups are searched too.
    ///
    /// A file is HDF5, a `.npy` array (named `arr_0`), a `.npz` archive of arrays, or text with one
    /// event a line, whatever its name. Deflated arrays and text are read forward only: events that
    /// are skipped are read too.
    ///
    /// # Errors
    /// [`IoErrorKind::Events`]: unreadable file; no dataset, or more than one, that fits an input;
    /// a dataset of wrong shape or without numbers; columns or fields that are not there; inputs of
    /// different counts; no event left after [`EventOptions::skip`].
    pub fn open(
        paths: &[impl AsRef<Path>],
        inputs: &[InputSpec],
        options: &EventOptions,
    ) -> Result<Self, IoError> {
        let error = |what: String| {
            let path = paths.first().map_or(Path::new(""), AsRef::as_ref);
            IoError::new(IoErrorKind::Events, path, what)
        };
        let mut files = Vec::with_capacity(paths.len());
        let mut first = None;
        for path in paths {
            // All are looked at before any event is run; only one is open at a time.
            let path = path.as_ref();
            let opened = Opened::open(path, inputs, options)?;
            files.push(EventFile { path: path.to_owned(), events: opened.rows() as u64 });
            first.get_or_insert(opened);
        }
        let Some(current) = first else {
            return Err(error("no file is given".to_owned()));
        };
        let total: u64 = files.iter().map(|f| f.events).sum();
        if options.skip >= total {
            let holds = match files.len() {
                1 => format!("dataset {} holds", current.datasets().next().unwrap_or_default()),
                n => format!("the first of {n} files, which hold"),
            };
            return Err(error(format!(
                "{holds} {total} events, and {} are to be skipped",
                options.skip
            ))
            .with_help("skip fewer events"));
        }
        let most = options.max_events.unwrap_or(u64::MAX);
        let end = options.skip.saturating_add(most).min(total);
        if end == options.skip {
            return Err(error("no events are to be read".to_owned())
                .with_help("ask for at least one event"));
        }
        Ok(Self {
            files,
            inputs: inputs.to_vec(),
            options: options.clone(),
            current,
            index: 0,
            before: 0,
            next: options.skip,
            end,
        })
    }

    /// Events that are still to be read.
    pub fn count(&self) -> u64 {
        self.end - self.next
    }

    /// Values of one event, over all inputs.
    pub fn elements(&self) -> usize {
        self.current.elements()
    }

    /// Events left out at the beginning.
    pub fn skipped(&self) -> u64 {
        self.options.skip
    }

    /// The files in their order.
    pub fn files(&self) -> &[EventFile] {
        &self.files
    }

    /// The path of each input's dataset in the file that is read, and what is taken of it in brackets,
    /// in the model's input order.
    pub fn datasets(&self) -> impl Iterator<Item = &str> {
        self.current.datasets()
    }

    /// The next events, at most `max` (and at least one), of one file; `None` after the last one.
    ///
    /// # Errors
    /// [`IoErrorKind::Events`]: a file is damaged, or not the one that was opened any more.
    pub fn next_block(&mut self, max: usize) -> Result<Option<EventBlock>, IoError> {
        if self.next == self.end {
            return Ok(None);
        }
        while self.next >= self.before + self.files[self.index].events {
            self.before += self.files[self.index].events;
            self.index += 1;
            let file = &self.files[self.index];
            self.current = Opened::open(&file.path, &self.inputs, &self.options)?;
            if self.current.rows() as u64 != file.events {
                let what = format!(
                    "holds {} events now, and held {} when it was opened first",
                    self.current.rows(),
                    file.events
                );
                return Err(IoError::new(IoErrorKind::Events, &file.path, what)
                    .with_help("wait until nothing writes to the file any more"));
            }
        }
        let in_file = self.end.min(self.before + self.files[self.index].events) - self.next;
        let count = (max.max(1) as u64).min(in_file);
        let start = (self.next - self.before) as usize;
        let block = self.current.read(start, start + count as usize, self.next)?;
        self.next += count;
        Ok(Some(block))
    }
}
