//! Files in and out: the only crate that knows HDF5.
//!
//! * [`read_keras`] takes a Keras model file apart into a
//!   [`KerasFile`](bittrue_model::parse::KerasFile), without interpreting it; [`write_keras`] writes one;
//! * [`EventSource`] finds the event datasets of a model's inputs, in HDF5, NumPy or text files,
//!   and streams them as [`EventBlock`](bittrue_block::EventBlock)s in bounded memory;
//! * [`GeneratedEvents`] makes events from a description, without a file;
//! * [`EventWriter`] writes chosen events;
//! * [`TraceWriter`] writes the layer-by-layer values of a leg; [`read_datasets`] reads such values;
//! * [`RecordedTrace`] reads what simulations and boards have recorded;
//! * [`sha256_file`] identifies a file in a report.
//!
//! Files are opened read-only. HDF5 takes a shared lock while it reads, which needs no write
//! permission on the file or its directory; on a file system without locks the library can be
//! told to do without by the environment variable `HDF5_USE_FILE_LOCKING=FALSE`.
//!
//! What a file claims is bounded before memory is reserved for it: text attributes are read up to
//! 16 MiB, weights up to 2^26 values, events in blocks of bounded size, lines of text up to 64 MiB,
//! and the search for datasets stops after a fixed number of objects. Beneath that is the HDF5 C
//! library, which is not made for hostile files: a single changed byte in a file's internal tables can
//! keep it busy for ever, or crash it. [`watch`] is how a program notices; `docs/security.md` has all
//! limits.
#![forbid(unsafe_code)]

mod beside;
mod datasets;
mod error;
mod events;
mod file;
mod generated;
mod hash;
mod keras;
mod keras_writer;
mod number;
mod output;
mod saved;
mod storage;
mod text;
mod trace;
pub mod watch;

pub use datasets::read_datasets;
pub use error::{IoError, IoErrorKind};
pub use events::{Batch, EventFile, EventOptions, EventSource, Held, InputSpec, Pending};
pub use generated::GeneratedEvents;
pub use hash::sha256_file;
pub use keras::read_keras;
pub use keras_writer::write_keras;
pub use number::Wide as EventDtype;
pub use saved::{EventWriter, SavedFormat};
pub use trace::{
    CodeType, Column, ColumnError, Precision, RecordedBands, RecordedNames, RecordedRows,
    RecordedTensor, RecordedTrace, TraceBands, TraceLayer, TraceMeta, TraceOptions, TraceWriter,
};
