//! Which events.

use std::path::PathBuf;

use bittrue_io::EventOptions;
use clap::Args;

/// Events.
#[derive(Debug, Args)]
pub(crate) struct EventArgs {
    /// The recorded events: an HDF5 file with datasets [event, …], or a NumPy .npy or .npz file
    #[arg(long, value_name = "FILE")]
    pub(crate) events: PathBuf,

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
        EventOptions { datasets, skip: self.skip, max_events: self.max_events }
    }
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

    use crate::args::Cli;

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
