//! All inputs of a model together, from one file or several.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bittrue_block::EventBlock;

use super::part::Part;
use super::pending::{Batch, Pending};
use crate::number::Wide;
use crate::{IoError, IoErrorKind};

/// Most files that are kept open; others are opened again when their turn comes.
const MAX_OPEN: usize = 64;

/// Most bytes of a block, unless one event is larger.
const BLOCK_BYTES: usize = 128 << 20;

/// Blocks end at whole batches of Keras where they can.
const BATCH: usize = 32;

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
    /// axis as in Python, or `[name,…]`, fields of a compound dataset or columns of a table's
    /// header, which make the last axis. The path may be empty when the file holds one dataset.
    pub datasets: Vec<(Option<String>, String)>,
    /// Columns that make the last axis of an input, by name and in this order: columns of a
    /// table's header, fields of a compound dataset, or datasets of a group. Where they are is
    /// found, unless [`datasets`](Self::datasets) names the group or dataset.
    pub columns: Vec<(Option<String>, Vec<String>)>,
    /// Events to leave out at the beginning.
    pub skip: u64,
    /// Most events to read, all if absent.
    pub max_events: Option<u64>,
}

/// The events of a file, or of several in a row, as a stream of blocks.
///
/// Memory does not grow with the files: each input holds one buffer of at most 16,384 events or
/// 32 MiB, or one row of the dataset's chunks where that is more. For a chunked compound dataset
/// the places of its chunks are kept too, and for a text those of every 4,096th line.
#[derive(Debug)]
pub struct EventSource {
    files: Vec<Member>,
    inputs: Vec<InputSpec>,
    dtypes: Vec<Wide>,
    options: EventOptions,
    skipped: u64,
    next: usize,
    end: usize,
}

/// A file that events are read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventFile {
    /// Path as given.
    pub path: PathBuf,
    /// Size in bytes.
    pub bytes: u64,
    /// Number of its first event, counted through all files.
    pub first: u64,
    /// Events that it holds.
    pub events: u64,
}

impl EventFile {
    /// Its own rows among the events `from..to` of all files.
    fn rows(&self, from: usize, to: usize) -> Range<usize> {
        let first = self.first as usize;
        let end = first + self.events as usize;
        from.clamp(first, end) - first..to.clamp(first, end) - first
    }
}

/// A file, and whether it is open.
#[derive(Debug)]
struct Member {
    file: EventFile,
    part: Option<Part>,
}

impl EventSource {
    /// Opens a file and finds the dataset `[event, …]` of each input: the one that
    /// [`EventOptions::datasets`] names, else the one named like the input, else the only one
    /// whose shape fits. Groups are searched too.
    ///
    /// The file is HDF5, a `.npy` array (named `arr_0`), a `.npz` archive of arrays, or text with
    /// one event a line (named `table`, see below), whatever its name. Deflated arrays are read
    /// forward only: events that are skipped are inflated too.
    ///
    /// A line of text has the values of all inputs, one input after the other, each in C order.
    /// They are separated by commas, semicolons, tabs or blanks; a first line without numbers
    /// names the columns; lines that start with `#` are left out. A column of integers gives
    /// integers, others the nearest float64. The text is read once as a whole to count its lines
    /// and to check its columns.
    ///
    /// # Errors
    /// [`IoErrorKind::Events`]: unreadable file; no dataset, or more than one, that fits an input;
    /// a dataset of wrong shape or without numbers; columns or fields that are not there; inputs
    /// of different counts; a line of text with more or fewer values than the others; no event
    /// left after [`EventOptions::skip`].
    pub fn open(
        path: &Path,
        inputs: &[InputSpec],
        options: &EventOptions,
    ) -> Result<Self, IoError> {
        Self::open_all(&[path.to_owned()], inputs, options)
    }

    /// Opens files as one: their events follow each other, and [`EventOptions::skip`] and
    /// [`EventOptions::max_events`] count through all of them.
    ///
    /// # Errors
    /// As [`open`](Self::open), for each file; or when one feeds an input from another dataset,
    /// or from columns in another order, than the first one does.
    pub fn open_all(
        paths: &[PathBuf],
        inputs: &[InputSpec],
        options: &EventOptions,
    ) -> Result<Self, IoError> {
        let mut files: Vec<Member> = Vec::with_capacity(paths.len());
        let mut dtypes: Vec<Wide> = Vec::new();
        let mut total = 0usize;
        for path in paths {
            let part = Part::open(path, inputs, options)?;
            dtypes = match dtypes.is_empty() {
                true => part.dtypes().collect(),
                false => dtypes.iter().zip(part.dtypes()).map(|(a, b)| a.with(b)).collect(),
            };
            if let Some(Member { file, part: Some(first) }) = files.first()
                && let Some((what, help)) = part.differs(inputs, first, &file.path)
            {
                return Err(IoError::new(IoErrorKind::Events, path, what).with_help(help));
            }
            let (first, events) = (total as u64, part.events());
            total = total.checked_add(events).ok_or_else(|| {
                IoError::new(IoErrorKind::Events, path, "has more events than can be counted")
            })?;
            let file =
                EventFile { path: path.clone(), bytes: part.bytes(), first, events: events as u64 };
            files.push(Member { file, part: (files.len() < MAX_OPEN).then_some(part) });
        }
        let error = |what: String| match paths {
            [path] => IoError::new(IoErrorKind::Events, path, what),
            [first, ..] => {
                let last = paths.last().unwrap_or(first).display();
                let all = PathBuf::from(format!("{} … {last}", first.display()));
                IoError::new(IoErrorKind::Events, &all, what)
            }
            [] => IoError::new(IoErrorKind::Events, Path::new("events"), what),
        };
        if files.is_empty() {
            return Err(error("no file is given".to_owned()).with_help("name at least one"));
        }
        let skip = usize::try_from(options.skip).ok().filter(|&skip| skip < total);
        let Some(next) = skip else {
            let holds = match files.as_slice() {
                [Member { part: Some(part), .. }] => {
                    let dataset = part.datasets().next().unwrap_or_default();
                    format!("dataset {} holds", dataset.trim_start_matches('/'))
                }
                several => format!("these {} files hold", several.len()),
            };
            return Err(error(format!(
                "{holds} {total} events, and {} are to be skipped",
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
        for Member { file, part } in &files {
            let rows = file.rows(next, end);
            if let Some(part) = part.as_ref().filter(|_| !rows.is_empty()) {
                part.check_rows(&file.path, rows)?;
            }
        }
        let (inputs, options) = (inputs.to_vec(), options.clone());
        Ok(Self { files, inputs, dtypes, skipped: options.skip, options, next, end })
    }

    /// Events that are still to be read.
    pub fn count(&self) -> u64 {
        (self.end - self.next) as u64
    }

    /// Values of one event, over all inputs.
    pub fn elements(&self) -> usize {
        self.inputs.iter().map(|input| input.shape.iter().product::<usize>()).sum()
    }

    /// For each input the dtype that holds the values of all files, as far as there is one: see
    /// [`EventWriter::create`](crate::EventWriter::create).
    pub fn dtypes(&self) -> &[Wide] {
        &self.dtypes
    }

    /// Events left out at the beginning of the first file.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// The files, in the order in which they are read.
    pub fn files(&self) -> impl Iterator<Item = &EventFile> {
        self.files.iter().map(|member| &member.file)
    }

    /// The path of each input's dataset in the first file, and what is taken of it in brackets, in
    /// the model's input order; nothing once that file is read.
    pub fn datasets(&self) -> impl Iterator<Item = &str> {
        self.files.first().and_then(|m| m.part.as_ref()).into_iter().flat_map(Part::datasets)
    }

    /// The next events, at most `max` (and at least one), fewer where events are large, all of one
    /// file; `None` after the last one.
    ///
    /// # Errors
    /// [`IoErrorKind::Events`]: the file is damaged, or has become shorter since it was opened.
    pub fn next_block(&mut self, max: usize) -> Result<Option<EventBlock>, IoError> {
        self.advance(|part, file, rows| {
            let block = read(part, file, &rows, max)?;
            Ok((block.count, block))
        })
    }

    /// As [`next_block`](Self::next_block), but where the file allows it the events are left for
    /// threads to read: about `max` of them, whole chunks of the file.
    ///
    /// # Errors
    /// As for [`next_block`](Self::next_block).
    pub fn next_batch(&mut self, max: usize) -> Result<Option<Batch>, IoError> {
        self.advance(|part, file, rows| {
            let Some(direct) = part.direct() else {
                let block = read(part, file, &rows, max)?;
                return Ok((block.count, Batch::Read(block)));
            };
            let most = max.clamp(1, (BLOCK_BYTES / direct.row_bytes().max(1)).max(1));
            let end = direct.end(rows.start, rows.start.saturating_add(most)).min(rows.end);
            let rows = rows.start..end;
            Ok((rows.len(), Batch::Pending(Pending::new(Arc::clone(direct), file.first, rows))))
        })
    }

    /// Opens the file of the next events, and has `take` take some of its rows, all that are left
    /// of it at most.
    fn advance<T>(
        &mut self,
        take: impl FnOnce(&mut Part, &EventFile, Range<usize>) -> Result<(usize, T), IoError>,
    ) -> Result<Option<T>, IoError> {
        let next = self.next;
        if next >= self.end {
            return Ok(None);
        }
        let end_of = |file: &EventFile| (file.first + file.events) as usize;
        let Some(member) = self.files.iter_mut().find(|m| end_of(&m.file) > next) else {
            return Ok(None);
        };
        let file = &member.file;
        let (from, end_of_file) = (next - file.first as usize, end_of(file));
        let mut part = match member.part.take() {
            Some(part) => part,
            None => {
                let part = Part::open(&file.path, &self.inputs, &self.options)?;
                if part.events() as u64 != file.events || part.bytes() != file.bytes {
                    let what = format!(
                        "has changed: it had {} events in {} bytes, and now {} in {}",
                        file.events,
                        file.bytes,
                        part.events(),
                        part.bytes()
                    );
                    return Err(IoError::new(IoErrorKind::Events, &file.path, what)
                        .with_help("run again when the files are complete"));
                }
                part.check_rows(&file.path, file.rows(next, self.end))?;
                part
            }
        };
        let left = self.end.min(end_of_file) - next;
        let (taken, result) = take(&mut part, file, from..from + left)?;
        self.next = next + taken;
        // The next file needs the room.
        if self.next < end_of_file {
            member.part = Some(part);
        }
        Ok(Some(result))
    }
}

/// The first of some rows, at most `max` and at least one.
fn read(
    part: &mut Part,
    file: &EventFile,
    rows: &Range<usize>,
    max: usize,
) -> Result<EventBlock, IoError> {
    let most = match BLOCK_BYTES / (part.elements() * 8).max(1) {
        0 => 1,
        few if few < BATCH => few,
        many => many / BATCH * BATCH,
    };
    let count = max.clamp(1, most).min(rows.len());
    let inputs = part.read(&file.path, rows.start, rows.start + count)?;
    Ok(EventBlock { first: file.first + rows.start as u64, count, inputs })
}
