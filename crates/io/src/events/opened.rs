//! All inputs of a model in one file.

use std::path::{Path, PathBuf};

use bittrue_block::{EventBlock, InputEvents};

use super::catalogue::Entry;
use super::columns;
use super::container::Container;
use super::joined::Joined;
use super::mapping::{self, Choice, MappingError};
use super::row::product;
use super::source::{EventOptions, InputSpec};
use super::stream::Stream;
use crate::{IoError, IoErrorKind};

/// An open file, with what feeds each input.
#[derive(Debug)]
pub(super) struct Opened {
    path: PathBuf,
    inputs: Vec<Input>,
    rows: usize,
}

#[derive(Debug)]
struct Input {
    dataset: String,
    stream: Stream,
}

impl Opened {
    pub(super) fn open(
        path: &Path,
        inputs: &[InputSpec],
        options: &EventOptions,
    ) -> Result<Self, IoError> {
        let container = Container::open(path)?;
        let error = |what: String| IoError::new(IoErrorKind::Events, path, what);
        let entries = container.entries().map_err(error)?;
        let chosen = choose(inputs, &entries, options).map_err(|e| {
            let failed = error(e.what);
            match e.help {
                Some(help) => failed.with_help(help),
                None => failed,
            }
        })?;
        let mut opened = Vec::with_capacity(inputs.len());
        let mut rows: Option<(&str, usize)> = None;
        for (input, parts) in inputs.iter().zip(&chosen) {
            let mut streams = Vec::with_capacity(parts.len());
            let mut names = Vec::with_capacity(parts.len());
            for Choice { index, pick } in parts {
                let entry = &entries[*index];
                let place = |what: String| error(format!("dataset {}: {what}", entry.path));
                let count = entry.shape.first().copied().unwrap_or(0);
                match rows {
                    Some((other, n)) if n != count => {
                        return Err(place(format!("has {count} events, but {other} has {n}"))
                            .with_help("all inputs of an event must be in the same row"));
                    }
                    _ => rows = Some((&entry.path, count)),
                }
                streams.push(container.stream(*index, entry, pick).map_err(place)?);
                names.push(format!("/{}{}", entry.path, pick.suffix(entry)));
            }
            let dataset = names.join(", ");
            let stream = match <[Stream; 1]>::try_from(streams) {
                Ok([stream]) => stream,
                Err(streams) => {
                    let outer = input.shape.split_last().and_then(|(_, outer)| product(outer));
                    Stream::Joined(Box::new(Joined::new(streams, outer.unwrap_or(1))))
                }
            };
            opened.push(Input { dataset, stream });
        }
        let Some((dataset, rows)) = rows else {
            return Err(error("cannot feed a model without inputs".to_owned()));
        };
        if rows == 0 {
            return Err(error(format!("dataset {dataset} holds 0 events"))
                .with_help("record some, or name another dataset with --dataset INPUT=PATH"));
        }
        Ok(Self { path: path.to_owned(), inputs: opened, rows })
    }

    /// Events in the file.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Values of one event, over all inputs.
    pub(super) fn elements(&self) -> usize {
        self.inputs.iter().map(|input| input.stream.elements()).sum()
    }

    /// The path of each input's dataset, and what is taken of it.
    pub(super) fn datasets(&self) -> impl Iterator<Item = &str> {
        self.inputs.iter().map(|input| input.dataset.as_str())
    }

    /// Rows `start..end`, which must be in the file. The first of them gets number `first`.
    pub(super) fn read(
        &mut self,
        start: usize,
        end: usize,
        first: u64,
    ) -> Result<EventBlock, IoError> {
        let mut inputs = Vec::with_capacity(self.inputs.len());
        for input in &mut self.inputs {
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
        Ok(EventBlock { first, count: end - start, inputs })
    }
}

/// What feeds each input: columns that the user names, or a dataset.
fn choose(
    inputs: &[InputSpec],
    entries: &[Entry],
    options: &EventOptions,
) -> Result<Vec<Vec<Choice>>, MappingError> {
    let mut by_columns: Vec<Option<Vec<Choice>>> = vec![None; inputs.len()];
    for (input, names) in &options.columns {
        let at = mapping::input_index(inputs, input.as_deref())?;
        if by_columns[at].is_some() {
            let what = format!("input `{}` is given columns twice", inputs[at].name);
            return Err(MappingError::new(what)
                .with_help("name all columns of an input in one --columns".to_owned()));
        }
        let place = options.datasets.iter().find_map(|(name, path)| {
            let same = name.as_ref().map_or(inputs.len() == 1, |name| *name == inputs[at].name);
            same.then_some(path.as_str())
        });
        by_columns[at] = Some(columns::by_columns(&inputs[at], entries, place, names)?);
    }
    let is_open = |input: &InputSpec| {
        inputs.iter().zip(&by_columns).any(|(i, c)| i.name == input.name && c.is_none())
    };
    let others: Vec<InputSpec> = inputs.iter().filter(|i| is_open(i)).cloned().collect();
    let datasets: Vec<_> = options
        .datasets
        .iter()
        .filter(|(name, _)| match name {
            // An input that does not exist is told by its own message.
            Some(name) => !inputs.iter().any(|i| i.name == *name && !is_open(i)),
            None => !others.is_empty(),
        })
        .cloned()
        .collect();
    let mut rest = mapping::choose(&others, entries, &datasets)?.into_iter();
    Ok(by_columns
        .into_iter()
        .map(|columns| columns.unwrap_or_else(|| rest.next().into_iter().collect()))
        .collect())
}
