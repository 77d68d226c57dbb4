//! All inputs of a model together.

use std::fs::File;
use std::path::{Path, PathBuf};

use bittrue_block::{EventBlock, InputEvents};

use super::container::Container;
use super::mapping::{self, Choice};
use super::stream::Stream;
use crate::{IoError, IoErrorKind, watch};

/// Most bytes of a block, unless one event is larger.
const BLOCK_BYTES: usize = 128 << 20;

/// Most bytes that all inputs together keep in memory while they are read.
const MAX_BUFFER_BYTES: usize = 1 << 30;

/// Largest event, all inputs together, in values.
const MAX_EVENT: usize = 1 << 26;

/// Blocks end at whole batches of Keras where they can.
const BATCH: usize = 32;

/// What helps where nothing else is known.
const AGAIN: &str =
    "copy the file again, or write the events again; `h5ls -rv FILE` lists an HDF5 file";

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
    /// Events to leave out at the beginning.
    pub skip: u64,
    /// Most events to read, all if absent.
    pub max_events: Option<u64>,
}

/// The events of a file, as a stream of blocks.
///
/// Memory does not grow with the file: each input holds one buffer of at most 16,384 events or
/// 32 MiB, or one row of the dataset's chunks where that is more. For a chunked compound dataset
/// the places of its chunks are kept too.
#[derive(Debug)]
pub struct EventSource {
    path: PathBuf,
    /// The file, and its length when it was opened.
    on_disk: File,
    bytes: u64,
    inputs: Vec<Input>,
    skipped: u64,
    next: usize,
    end: usize,
}

#[derive(Debug)]
struct Input {
    dataset: String,
    stream: Stream,
}

impl EventSource {
    /// Opens a file and finds the dataset `[event, …]` of each input: the one that
    /// [`EventOptions::datasets`] names, else the one named like the input, else the only one
    /// whose shape fits. Groups are searched too.
    ///
    /// The file is HDF5, a `.npy` array (named `arr_0`) or a `.npz` archive of arrays, whatever
    /// its name. Deflated arrays are read forward only: events that are skipped are inflated too.
    ///
    /// # Errors
    /// [`IoErrorKind::Events`]: unreadable file; no dataset, or more than one, that fits an input;
    /// a dataset of wrong shape or without numbers; columns or fields that are not there; inputs of different counts; no event left
    /// after [`EventOptions::skip`].
    pub fn open(
        path: &Path,
        inputs: &[InputSpec],
        options: &EventOptions,
    ) -> Result<Self, IoError> {
        let _reading = watch::reading(IoErrorKind::Events, path);
        let container = Container::open(path)?;
        let error = |what: String| IoError::new(IoErrorKind::Events, path, what);
        let entries = container.entries().map_err(|what| error(what).with_help(AGAIN))?;
        let chosen = mapping::choose(inputs, &entries, &options.datasets).map_err(|e| {
            let failed = error(e.what);
            match e.help {
                Some(help) => failed.with_help(help),
                None => failed,
            }
        })?;
        let mut streams: Vec<Input> = Vec::with_capacity(inputs.len());
        let (mut values, mut buffers) = (0_usize, 0_usize);
        let mut rows: Option<(&str, usize)> = None;
        for Choice { index, pick } in &chosen {
            let entry = &entries[*index];
            let place =
                |what: String| error(format!("dataset {}: {what}", entry.path)).with_help(AGAIN);
            let count = entry.shape.first().copied().unwrap_or(0);
            match rows {
                Some((other, n)) if n != count => {
                    return Err(place(format!("has {count} events, but {other} has {n}"))
                        .with_help("all inputs of an event must be in the same row"));
                }
                _ => rows = Some((&entry.path, count)),
            }
            watch::step();
            let stream = container.stream(*index, entry, pick).map_err(place)?;
            values = values.saturating_add(stream.elements());
            buffers = buffers.saturating_add(stream.buffer_bytes());
            if values > MAX_EVENT || buffers > MAX_BUFFER_BYTES {
                return Err(place(format!(
                    "the inputs so far need {values} values per event and {buffers} bytes of \
                     memory; supported are {MAX_EVENT} and {MAX_BUFFER_BYTES}"
                ))
                .with_help("store the events in smaller chunks (h5repack -l)"));
            }
            let dataset = format!("/{}{}", entry.path, pick.suffix(entry));
            streams.push(Input { dataset, stream });
        }
        let Some((dataset, total)) = rows else {
            return Err(error("cannot feed a model without inputs".to_owned()));
        };
        if total == 0 {
            return Err(error(format!("dataset {dataset} holds 0 events"))
                .with_help("record some, or name another dataset with --dataset INPUT=PATH"));
        }
        let skip = usize::try_from(options.skip).ok().filter(|&skip| skip < total);
        let Some(next) = skip else {
            return Err(error(format!(
                "dataset {dataset} holds {total} events, and {} are to be skipped",
                options.skip
            ))
            .with_help("skip fewer events"));
        };
        let most = options.max_events.unwrap_or(u64::MAX);
        let end = next.saturating_add(usize::try_from(most).unwrap_or(usize::MAX)).min(total);
        if end == next {
            return Err(error("no events are to be read".to_owned())
                .with_help("ask for at least one event"));
        }
        for input in &streams {
            input.stream.check_rows(&(next..end)).map_err(|what| {
                error(format!("dataset {}: {what}", input.dataset)).with_help(
                    "copy the file again; or read only what was written, with --max-events, or \
                     another dataset",
                )
            })?;
        }
        let on_disk = File::open(path).map_err(|e| error(e.to_string()).with_help(AGAIN))?;
        let bytes = on_disk.metadata().map_or(0, |m| m.len());
        let (path, inputs) = (path.to_owned(), streams);
        Ok(Self { path, on_disk, bytes, inputs, skipped: options.skip, next, end })
    }

    /// Events that are still to be read.
    pub fn count(&self) -> u64 {
        (self.end - self.next) as u64
    }

    /// Events left out at the beginning of the file.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// The path of each input's dataset in the file, and what is taken of it in brackets, in the
    /// model's input order.
    pub fn datasets(&self) -> impl Iterator<Item = &str> {
        self.inputs.iter().map(|input| input.dataset.as_str())
    }

    /// The next events, at most `max` (and at least one), and fewer where events are large; `None`
    /// after the last one.
    ///
    /// # Errors
    /// [`IoErrorKind::Events`]: the file is damaged.
    pub fn next_block(&mut self, max: usize) -> Result<Option<EventBlock>, IoError> {
        let event_bytes: usize = self.inputs.iter().map(|i| i.stream.elements() * 8).sum();
        let most = match BLOCK_BYTES / event_bytes.max(1) {
            0 => 1,
            few if few < BATCH => few,
            many => many / BATCH * BATCH,
        };
        let count = max.clamp(1, most).min(self.end - self.next);
        if count == 0 {
            return Ok(None);
        }
        let _reading = watch::reading(IoErrorKind::Events, &self.path);
        let (start, end) = (self.next, self.next + count);
        let mut inputs = Vec::with_capacity(self.inputs.len());
        for input in &mut self.inputs {
            watch::step();
            let elements = input.stream.elements();
            let data = input.stream.read(start, end).map_err(|what| {
                let what = format!("dataset {}: {what}", input.dataset);
                IoError::new(IoErrorKind::Events, &self.path, what).with_help(
                    "the file is damaged, or compressed with a filter other than gzip, \
                                lzf or shuffle; h5repack -f NONE removes filters",
                )
            })?;
            inputs.push(InputEvents { elements, data });
        }
        // The library reads zeros beyond the end of a file.
        if self.on_disk.metadata().is_ok_and(|m| m.len() < self.bytes) {
            let what = format!("has become shorter than {} bytes while it was read", self.bytes);
            return Err(IoError::new(IoErrorKind::Events, &self.path, what).with_help(AGAIN));
        }
        self.next = end;
        Ok(Some(EventBlock { first: start as u64, count, inputs }))
    }
}
