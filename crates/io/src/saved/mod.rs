//! Chosen events, written so that they can be read again: by this program, by NumPy, by hls4ml's C
//! simulation.
//!
//! | file | contents |
//! |---|---|
//! | `.h5`, `.hdf5` | a dataset `[event, …]` for each input, named like it, and `event_rows` |
//! | `.npy` | the array of the only input |
//! | `.npz` | an array for each input, named like it, and `event_rows` |
//! | `.dat` | one event a line, all inputs flattened, one behind the other: hls4ml's `tb_data` |
//!
//! `event_rows` (int64) are the rows of the events in the file that they come from. The dtype is the
//! narrowest of float32, float64, int64 and uint64 that holds that file's dtype, and with several files
//! those of all; a 64-bit integer that float64 does not hold is an error there.

mod cast;
mod format;
mod hdf5_file;
mod npy;
mod text;
mod writer;

pub use format::SavedFormat;
pub use writer::EventWriter;
