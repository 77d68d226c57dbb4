//! Which events.

use std::path::PathBuf;

use bittrue_io::EventOptions;
use clap::Args;

/// Events.
#[derive(Debug, Args)]
pub(crate) struct EventArgs {
    /// The recorded events: HDF5, NumPy .npy or .npz, or text with one event a line (.csv, .dat)
    ///
    /// Several files follow each other, and events are counted through all of them. A pattern in
    /// quotes, such as 'run*.h5', stands for the files that it matches, run2 before run10.
    ///
    /// A line of text has the values of all inputs, one input after the other, in C order;
    /// commas, semicolons, tabs or blanks separate them. A first line may name the columns, and
    /// lines that start with # are left out. docs/events.md has every form with an example.
    ///
    /// gen:uniform,seed=1,n=1e6 makes events instead (also gen:normal, gen:ties), the same for a seed
    /// whatever the machine and the number of threads.
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    pub(crate) events: Vec<PathBuf>,
}

/// Which of them.
#[derive(Debug, Args)]
pub(crate) struct ChoiceArgs {
    /// Which dataset feeds an input; needed when names and shapes leave a choice
    ///
    /// PATH is the dataset's path in the file, such as /calo/left; a model with one input takes it
    /// without INPUT=. By default an input is fed by the dataset of its own name, else by the only
    /// one whose shape fits.
    ///
    /// `PATH[a:b]` takes columns of the last axis, as in Python; `PATH[name,…]` takes fields of a
    /// compound dataset, in that order. The array of a .npy file is called arr_0, a text
    /// table; where a file holds one dataset PATH may be left out, as in `[0:16]`.
    #[arg(long, value_name = "[INPUT=]PATH")]
    pub(crate) dataset: Vec<String>,

    /// Columns that make the last axis of an input, in the order that the model was trained with
    ///
    /// They are the datasets of an HDF5 group, one for each feature, or fields of a compound
    /// dataset, or names in the header of a text. They are looked for in the whole file;
    /// --dataset [INPUT=]/GROUP says where, if several groups have them.
    #[arg(long, value_name = "[INPUT=]a,b,…")]
    pub(crate) columns: Vec<String>,

    /// Leave out this many events at the start of the file
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true, value_parser = count)]
    pub(crate) skip: u64,

    /// Read at most this many events
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = count_from_1)]
    pub(crate) max_events: Option<u64>,
}

impl ChoiceArgs {
    /// The options for the reader.
    pub(crate) fn options(&self) -> EventOptions {
        let datasets = self.dataset.iter().map(|d| of_input(d)).collect();
        let names = |list: String| list.split(',').map(|name| name.trim().to_owned()).collect();
        let columns = self.columns.iter().map(|c| of_input(c));
        let columns = columns.map(|(input, list)| (input, names(list))).collect();
        EventOptions { datasets, columns, skip: self.skip, max_events: self.max_events }
    }
}

/// Takes `INPUT=…` apart; the input may be left out.
fn of_input(text: &str) -> (Option<String>, String) {
    match text.split_once('=') {
        Some((input, rest)) => (Some(input.to_owned()), rest.to_owned()),
        None => (None, text.to_owned()),
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
    use std::path::PathBuf;

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
            "--columns",
            "a=pt, eta",
            "--columns",
            "x",
        ])
        .expect("valid flags");
        assert!(cli.run.events.is_some());
        let choice = &cli.run.choice;
        assert_eq!(
            choice.options().datasets,
            [(Some("a".to_owned()), "/x/y".to_owned()), (None, "z".to_owned())]
        );
        let names = |list: &[&str]| list.iter().map(|&n| n.to_owned()).collect::<Vec<_>>();
        assert_eq!(
            choice.options().columns,
            [(Some("a".to_owned()), names(&["pt", "eta"])), (None, names(&["x"]))]
        );
    }

    #[test]
    fn several_files() {
        let base = ["verify", "--model", "m.h5", "--events", "a.h5", "b.h5", "--events", "c.csv"];
        let cli = Cli::try_parse_from(base.into_iter().chain(["--skip", "3"])).expect("valid");
        let events = cli.run.events.as_ref().expect("events");
        assert_eq!(events.events, ["a.h5", "b.h5", "c.csv"].map(PathBuf::from));
        assert!(Cli::try_parse_from(["verify", "--model", "m.h5", "--events"]).is_err());
    }
}
