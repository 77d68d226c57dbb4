//! Saving the events that differ.

use std::path::PathBuf;

use clap::Args;

/// Saving the events that differ.
#[derive(Debug, Args)]
pub(crate) struct SaveArgs {
    /// Write the events that differ, in the order of the file: for csim, the board, or a bug report
    ///
    /// Those with a mismatch at an output of any target; with --strict-layers, in any layer. The
    /// extension says how: .h5 (a dataset for each input, and their rows as event_rows), .npy (one
    /// input), .npz, or .dat (hls4ml's tb_data: one event a line, all inputs flattened). When no
    /// event differs the file holds none.
    #[arg(long, value_name = "FILE")]
    pub(crate) save_events: Option<PathBuf>,

    /// Save at most this many events, the first ones
    #[arg(long, value_name = "N", allow_negative_numbers = true, requires = "save_events", value_parser = count)]
    pub(crate) max_saved: Option<u64>,
}

/// Reads a number of events that is not 0.
fn count(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(n) if n > 0 => Ok(n),
        _ => Err("give a whole number of events, such as 100".to_owned()),
    }
}
