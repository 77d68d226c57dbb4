//! Traces: the values of every layer of one leg.
//!
//! | path | contents |
//! |---|---|
//! | `/` | attributes `bittrue_format` = 1, `leg`, `model`, `events` |
//! | `/layers/<name>` | float64 `[event, …]`; attribute `type`, absent where the layer has none |
//! | `/flags/<name>` | uint16 `[event, …]`, one bit per flag; attribute `names`, by bit |
//! | `/event_rows` | int64 `[event]`, only in a trace of chosen events: their rows in the event file; attribute `differ_from`, the leg that they differ from |
//! | `/bands/<name>` | float64 `[event, …, 2]`: lowest and highest value that the real software may give |
//!
//! Flags and bands are there only for layers with any flag. A layer's name is the name of its
//! datasets, with `%` as `%25` and `/`, which HDF5 takes for a group, as `%2F`.

pub(crate) mod column;
mod name;
mod recorded;
mod writer;

pub(crate) use name::unescape;
pub use recorded::{
    CodeType, Column, ColumnError, Precision, RecordedBands, RecordedNames, RecordedRows,
    RecordedTensor, RecordedTrace, TraceOptions,
};
pub(crate) use writer::EVENT_ROWS;
pub use writer::{TraceBands, TraceLayer, TraceMeta, TraceWriter};
