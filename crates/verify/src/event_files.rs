//! What a report says of the event files.

use std::path::PathBuf;

use bittrue_io::{EventOptions, IoErrorKind, sha256_file};
use bittrue_record::{EventFileInfo, EventsInfo};

use crate::Error;
use crate::source::Source;

/// The files as one text, for a report or a trace.
pub(crate) fn joined(files: &[PathBuf]) -> String {
    let names: Vec<String> = files.iter().map(|f| f.display().to_string()).collect();
    names.join(", ")
}

/// Describes the files of a source, before its events are counted; with their SHA-256, which reads
/// them once more, if `hash`.
///
/// # Errors
///
/// When a file cannot be read any more.
pub(crate) fn describe(
    paths: &[PathBuf],
    source: &Source,
    options: &EventOptions,
    hash: bool,
) -> Result<EventsInfo, Error> {
    let mut files = Vec::new();
    for file in source.files() {
        let sha256 = match hash && !source.is_generated() {
            true => Some(sha256_file(&file.path, IoErrorKind::Events)?),
            false => None,
        };
        let path = file.path.display().to_string();
        files.push(EventFileInfo { path, size: file.bytes, count: 0, sha256 });
    }
    let size = files.iter().map(|f| f.size).sum();
    let (skipped, count) = (source.skipped(), 0);
    let (sha256, files) = match files.as_mut_slice() {
        [one] => (one.sha256.take(), Vec::new()),
        _ => (None, files),
    };
    let of_input = |(input, what): (&Option<String>, String)| match input {
        Some(input) => format!("{input}={what}"),
        None => what,
    };
    let datasets = options.datasets.iter().map(|(i, path)| of_input((i, path.clone()))).collect();
    let columns = options.columns.iter().map(|(i, names)| of_input((i, names.join(",")))).collect();
    Ok(EventsInfo { path: joined(paths), size, count, skipped, sha256, files, datasets, columns })
}

/// Fills in how many events were compared, of all files and of each.
pub(crate) fn count(info: &mut EventsInfo, source: &Source, compared: u64) {
    info.count = compared;
    let end = info.skipped + compared;
    for (file, found) in info.files.iter_mut().zip(source.files()) {
        let from = found.first.max(info.skipped);
        let to = (found.first + found.events).min(end);
        file.count = to.saturating_sub(from);
    }
}
