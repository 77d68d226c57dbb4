//! Which events.

use std::path::PathBuf;

use bittrue_io::EventOptions;
use bittrue_record::ExitCode;
use clap::Args;

use crate::failure::Failure;

/// Events.
#[derive(Debug, Args)]
pub(crate) struct EventArgs {
    /// The recorded events: HDF5 with datasets [event, …], NumPy .npy or .npz, or text (.csv, .dat)
    ///
    /// Several files are read in the order given, and their events counted through. A pattern in
    /// quotes, such as 'run*.h5', stands for the files that match it, in the order of their names,
    /// numbers in them by value. docs/events.md has all forms.
    ///
    /// gen:uniform,seed=1,n=1e6 makes events instead (also gen:normal, gen:ties), the same for a seed
    /// whatever the machine and the number of threads.
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    pub(crate) events: Vec<PathBuf>,

    /// Which dataset feeds an input; needed when names and shapes leave a choice
    ///
    /// PATH is the dataset's path in the file, such as /calo/left; a model with one input takes it
    /// without INPUT=. By default an input is fed by the dataset of its own name, else by the only
    /// one whose shape fits.
    ///
    /// `PATH[a:b]` takes columns of the last axis, as in Python; `PATH[name,…]` takes fields of a
    /// compound dataset, in that order. The array of a .npy file is called arr_0; where a file
    /// holds one dataset PATH may be left out, as in `[0:16]`.
    #[arg(long, value_name = "[INPUT=]PATH")]
    pub(crate) dataset: Vec<String>,

    /// Columns by name that make up an input, in its order: --columns pt,eta,phi
    ///
    /// They are datasets of one HDF5 group with one value for each event, as converters of ROOT files
    /// write them, or fields of a compound dataset, or columns of a text file. With --dataset
    /// [INPUT=]PATH they are looked for there only.
    #[arg(long, value_name = "[INPUT=]NAME,…")]
    pub(crate) columns: Vec<String>,

    /// Leave out this many events at the start of the file
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true, value_parser = count)]
    pub(crate) skip: u64,

    /// Read at most this many events
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = count_from_1)]
    pub(crate) max_events: Option<u64>,
}

impl EventArgs {
    /// The options for the reader.
    pub(crate) fn options(&self) -> EventOptions {
        let datasets = self
            .dataset
            .iter()
            .map(|d| match d.split_once('=') {
                Some((input, path)) => (Some(input.to_owned()), path.to_owned()),
                None => (None, d.clone()),
            })
            .collect();
        let names = |list: &str| list.split(',').map(|name| name.trim().to_owned()).collect();
        let columns = self
            .columns
            .iter()
            .map(|c| match c.split_once('=') {
                Some((input, list)) => (Some(input.to_owned()), names(list)),
                None => (None, names(c)),
            })
            .collect();
        EventOptions { datasets, columns, skip: self.skip, max_events: self.max_events }
    }

    /// The files, with patterns replaced by what they match.
    pub(crate) fn files(&self) -> Result<Vec<PathBuf>, Failure> {
        let mut all = Vec::new();
        for given in &self.events {
            match given.to_str() {
                Some(pattern) if pattern.contains(['*', '?', '[']) && !given.exists() => {
                    all.extend(matching(pattern)?);
                }
                _ => all.push(given.clone()),
            }
        }
        Ok(all)
    }
}

/// The files that match a pattern, in the order of their names.
fn matching(pattern: &str) -> Result<Vec<PathBuf>, Failure> {
    let failure = |what: String| {
        Failure::new(ExitCode::Events, format!("{pattern}: {what}"))
            .with_help("* stands for any characters, ? for one, [ab] for one of them")
    };
    let found = glob::glob(pattern).map_err(|e| failure(format!("is no pattern: {e}")))?;
    let mut files: Vec<PathBuf> =
        found.collect::<Result<_, _>>().map_err(|e| failure(e.to_string()))?;
    if files.is_empty() {
        return Err(failure("matches no file".to_owned()));
    }
    files.sort_by_cached_key(|path| natural(&path.to_string_lossy()));
    Ok(files)
}

/// A name taken apart, so that `run2` comes before `run10`.
fn natural(name: &str) -> Vec<(String, u128)> {
    let mut parts: Vec<(String, u128)> = vec![(String::new(), 0)];
    for c in name.chars() {
        let Some(last) = parts.last_mut() else { continue };
        match c.to_digit(10) {
            Some(digit) => last.1 = last.1.saturating_mul(10).saturating_add(digit.into()),
            None if last.1 == 0 => last.0.push(c),
            None => parts.push((c.to_string(), 0)),
        }
    }
    parts
}

/// Reads a number of events.
fn count(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "give a whole number of events, such as 1000".to_owned())
}

/// Reads a number of events that is not 0.
fn count_from_1(text: &str) -> Result<u64, String> {
    match count(text)? {
        0 => Err("nothing can be said of no events".to_owned()),
        n => Ok(n),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::Cli;

    #[test]
    fn numbers_in_names_by_value() {
        let mut names = ["run10.h5", "run2.h5", "run1b.h5", "run1.h5", "a3"];
        names.sort_by_cached_key(|n| natural(n));
        assert_eq!(names, ["a3", "run1.h5", "run1b.h5", "run2.h5", "run10.h5"]);
    }

    #[test]
    fn datasets() {
        let cli = Cli::try_parse_from([
            "verify",
            "--model",
            "m.h5",
            "--events",
            "e.h5",
            "--dataset",
            "a=/x/y",
            "--dataset",
            "z",
        ])
        .expect("valid flags");
        let events = cli.run.events.as_ref().expect("events");
        assert_eq!(
            events.options().datasets,
            [(Some("a".to_owned()), "/x/y".to_owned()), (None, "z".to_owned())]
        );
    }
}
