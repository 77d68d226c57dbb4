//! Events from HDF5 and NumPy files, and from text.
//!
//! | file | one idea |
//! |---|---|
//! | `container` | the kinds of file |
//! | `catalogue` | which datasets an HDF5 file holds |
//! | `numpy` | arrays in `.npy` and `.npz` files |
//! | `table` | lines of numbers, as in `.csv` files |
//! | `listing` | the arrays of a file, for those who do not know its names |
//! | `mapping` | which dataset feeds which input |
//! | `columns` | which columns, fields or datasets of a group make an input |
//! | `text_inputs` | which columns of a text are which input |
//! | `select` | columns and fields of a dataset |
//! | `row` | numbers in the bytes of a row |
//! | `records` | rows of bytes, read in blocks |
//! | `packed`, `filters` | the bytes of a compound dataset in an HDF5 file |
//! | `direct`, `chunks` | rows of a dataset, read past the HDF5 library by any thread |
//! | `pending` | events that threads read for themselves |
//! | `joined` | datasets of one feature each, side by side |
//! | `stream` | one dataset, read in blocks of rows |
//! | `part` | one file with all inputs |
//! | `source` | all inputs and files together, as event blocks |

mod catalogue;
mod chunks;
mod columns;
mod container;
mod direct;
mod filters;
mod joined;
mod listing;
mod mapping;
mod numpy;
mod packed;
mod part;
mod pending;
mod records;
mod row;
mod select;
mod source;
mod stream;
mod table;
mod text_inputs;

pub(crate) use listing::{Array, arrays};
pub use pending::{Batch, Held, Pending};
pub use source::{EventFile, EventOptions, EventSource, InputSpec};
