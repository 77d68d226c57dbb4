//! One of the files that events come in.

use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use bittrue_block::InputEvents;

use super::catalogue::{Entry, Kind};
use super::container::Container;
use super::mapping::{self, Choice};
use super::pending::DirectFile;
use super::select::Pick;
use super::source::{EventOptions, InputSpec};
use super::stream::Stream;
use crate::number::Wide;
use crate::{IoError, IoErrorKind, watch};

/// Most bytes that all inputs together keep in memory while they are read.
const MAX_BUFFER_BYTES: usize = 1 << 30;

/// Largest event, all inputs together, in values.
const MAX_EVENT: usize = 1 << 26;

/// What helps where nothing else is known.
const AGAIN: &str =
    "copy the file again, or write the events again; `h5ls -rv FILE` lists an HDF5 file";

/// An open file, and what in it feeds each input.
#[derive(Debug)]
pub(super) struct Part {
    inputs: Vec<Input>,
    events: usize,
    /// For its length, and for what is read past the library.
    file: Arc<File>,
    bytes: u64,
    form: &'static str,
    /// The same inputs for any number of threads, where that is possible.
    direct: Option<Arc<DirectFile>>,
}

#[derive(Debug)]
struct Input {
    /// Path of the dataset in the file, and what is taken of it.
    dataset: String,
    /// The names of a table's columns, where all are taken.
    header: Option<Vec<String>>,
    stream: Stream,
}

impl Part {
    /// Opens a file and finds what feeds each input; see [`EventSource::open`].
    ///
    /// [`EventSource::open`]: super::EventSource::open
    pub(super) fn open(
        path: &Path,
        inputs: &[InputSpec],
        options: &EventOptions,
    ) -> Result<Self, IoError> {
        let _reading = watch::reading(IoErrorKind::Events, path);
        let container = Container::open(path)?;
        let error = |what: String| IoError::new(IoErrorKind::Events, path, what);
        // The library gives zeros for what a file has lost since it was opened.
        let file = File::open(path).map_err(|e| error(e.to_string()).with_help(AGAIN))?;
        let file = Arc::new(file);
        let bytes = file.metadata().map_err(|e| error(e.to_string()))?.len();
        let entries = container.entries().map_err(|what| error(what).with_help(AGAIN))?;
        let chosen = mapping::choose(inputs, &entries, &options.datasets, &options.columns)
            .map_err(|e| {
                let failed = error(e.what);
                match e.help {
                    Some(help) => failed.with_help(help),
                    None => failed,
                }
            })?;
        let mut found = Vec::with_capacity(inputs.len());
        let (mut values, mut buffers) = (0_usize, 0_usize);
        let mut rows: Option<(&str, usize)> = None;
        let mut direct = Some(Vec::new());
        for choice in &chosen {
            for entry in choice.indices().iter().map(|&i| &entries[i]) {
                let count = entry.shape.first().copied().unwrap_or(0);
                match rows {
                    Some((other, n)) if n != count => {
                        let what = format!("has {count} events, but {other} has {n}");
                        return Err(error(format!("dataset {}: {what}", entry.path))
                            .with_help("all inputs of an event must be in the same row"));
                    }
                    _ => rows = Some((&entry.path, count)),
                }
            }
            let (dataset, header) = describe(&entries, choice);
            let place = |what: String| {
                error(format!("dataset {}: {what}", dataset.trim_matches('/'))).with_help(AGAIN)
            };
            watch::step();
            let mut stream = container.stream(&entries, choice).map_err(place)?;
            values = values.saturating_add(stream.elements());
            buffers = buffers.saturating_add(stream.buffer_bytes());
            if values > MAX_EVENT || buffers > MAX_BUFFER_BYTES {
                return Err(place(format!(
                    "the inputs so far need {values} values per event and {buffers} bytes of \
                     memory; supported are {MAX_EVENT} and {MAX_BUFFER_BYTES}"
                ))
                .with_help("store the events in smaller chunks (h5repack -l)"));
            }
            direct = direct.and_then(|mut inputs| {
                let input = container.direct(&file, &entries, choice)?;
                watch::step();
                // NumPy's files this crate reads itself, forward only.
                let agrees = !matches!(container, Container::Hdf5(..))
                    || input.agrees(&mut stream, rows.map_or(0, |(_, n)| n));
                agrees.then(|| inputs.push((dataset.clone(), input)))?;
                Some(inputs)
            });
            found.push(Input { dataset, header, stream });
        }
        let Some((dataset, events)) = rows else {
            return Err(error("cannot feed a model without inputs".to_owned()));
        };
        if events == 0 {
            return Err(error(format!("dataset {dataset} holds 0 events"))
                .with_help("record some, or name another dataset with --dataset INPUT=PATH"));
        }
        let form = container.form();
        let direct = direct.and_then(|inputs| {
            DirectFile::new(path.to_owned(), Arc::clone(&file), bytes, form, inputs).map(Arc::new)
        });
        Ok(Self { inputs: found, events, file, bytes, form, direct })
    }

    /// The file for any number of threads, where that is possible.
    pub(super) fn direct(&self) -> Option<&Arc<DirectFile>> {
        self.direct.as_ref()
    }

    /// Events in the file.
    pub(super) fn events(&self) -> usize {
        self.events
    }

    /// Bytes of the file.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What feeds each input.
    pub(super) fn datasets(&self) -> impl Iterator<Item = &str> {
        self.inputs.iter().map(|input| input.dataset.as_str())
    }

    /// What keeps another file of events from following this one, and what to do; `None` where
    /// both mean the same.
    pub(super) fn differs(
        &self,
        inputs: &[InputSpec],
        other: &Self,
        other_path: &Path,
    ) -> Option<(String, String)> {
        for (n, input) in inputs.iter().enumerate() {
            let (Some(here), Some(there)) = (self.inputs.get(n), other.inputs.get(n)) else {
                continue;
            };
            if self.form == other.form && here.dataset != there.dataset {
                let what = format!(
                    "input `{}` would be fed by {}, but in {} by {}",
                    input.name,
                    here.dataset,
                    other_path.display(),
                    there.dataset
                );
                let help = format!("say which dataset it is, --dataset {}=PATH", input.name);
                return Some((what, help));
            }
            if let (Some(a), Some(b)) = (&here.header, &there.header)
                && let Some(column) = (0..a.len().max(b.len())).find(|&c| a.get(c) != b.get(c))
            {
                let name = |names: &[String]| names.get(column).cloned().unwrap_or_default();
                let what = format!(
                    "its column {} is `{}`, but in {} it is `{}`",
                    column + 1,
                    name(a),
                    other_path.display(),
                    name(b)
                );
                let help = "name the columns in the model's order with --columns a,b,…";
                return Some((what, help.to_owned()));
            }
        }
        None
    }

    /// Values of one event, over all inputs.
    pub(super) fn elements(&self) -> usize {
        self.inputs.iter().map(|input| input.stream.elements()).sum()
    }

    /// The dtype of each input's values.
    pub(super) fn dtypes(&self) -> impl Iterator<Item = Wide> {
        self.inputs.iter().map(|input| input.stream.dtype())
    }

    /// Refuses events that the file does not hold, although it claims to.
    pub(super) fn check_rows(&self, path: &Path, rows: Range<usize>) -> Result<(), IoError> {
        let _reading = watch::reading(IoErrorKind::Events, path);
        for input in &self.inputs {
            input.stream.check_rows(&rows).map_err(|what| {
                let dataset = input.dataset.trim_matches('/');
                IoError::new(IoErrorKind::Events, path, format!("dataset {dataset}: {what}"))
                    .with_help(
                        "copy the file again; or read only what was written, with --max-events, or \
                         another dataset",
                    )
            })?;
        }
        Ok(())
    }

    /// Events `start..end` of the file, for each input.
    pub(super) fn read(
        &mut self,
        path: &Path,
        start: usize,
        end: usize,
    ) -> Result<Vec<InputEvents>, IoError> {
        let _reading = watch::reading(IoErrorKind::Events, path);
        let error = |what: String| IoError::new(IoErrorKind::Events, path, what);
        let mut events = Vec::with_capacity(self.inputs.len());
        let mut failure = None;
        for input in &mut self.inputs {
            watch::step();
            let elements = input.stream.elements();
            match input.stream.read(start, end) {
                Ok(data) => events.push(InputEvents { elements, data }),
                Err(what) => {
                    failure = Some(format!("dataset {}: {what}", input.dataset));
                    break;
                }
            }
        }
        // Checked after the reading: what was there then was read.
        let now = self.file.metadata().map_err(|e| error(e.to_string()))?.len();
        if now < self.bytes {
            return Err(shrunk(path, self.bytes, now));
        }
        match failure {
            None => Ok(events),
            Some(what) => Err(error(what).with_help(damaged(self.form))),
        }
    }
}

/// What helps against a file of this form that cannot be read.
pub(super) fn damaged(form: &str) -> &'static str {
    match form {
        "HDF5" => {
            "the file is damaged, or compressed with a filter other than gzip, lzf or shuffle; \
             h5repack -f NONE removes filters"
        }
        "text" => "the file was changed while it was read; run again when it is complete",
        _ => "the file is damaged; write it again with numpy.save or numpy.savez",
    }
}

/// The error of a file that has become shorter.
pub(super) fn shrunk(path: &Path, before: u64, now: u64) -> IoError {
    let what = format!("has shrunk from {before} to {now} bytes while it was read");
    IoError::new(IoErrorKind::Events, path, what)
        .with_help("something writes to it; run again when the file is complete")
}

/// How a choice is called, and the header that it depends on.
fn describe(entries: &[Entry], choice: &Choice) -> (String, Option<Vec<String>>) {
    match choice {
        Choice::One { index, pick } => {
            let entry = &entries[*index];
            let header = match (&entry.kind, pick) {
                (Kind::Text(columns), Pick::All | Pick::Columns(_)) => {
                    columns.names.as_ref().map(|names| {
                        let picked = pick.columns_of_table(names.len());
                        picked.iter().filter_map(|&c| names.get(c).cloned()).collect()
                    })
                }
                _ => None,
            };
            (format!("/{}{}", entry.path, pick.suffix(entry)), header)
        }
        Choice::Joined { group, indices, .. } => {
            let name = |&i: &usize| {
                let path = entries[i].path.as_str();
                path.strip_prefix(group.as_str()).unwrap_or(path).trim_matches('/')
            };
            let names: Vec<&str> = indices.iter().map(name).collect();
            (format!("/{group}[{}]", names.join(",")), None)
        }
    }
}
