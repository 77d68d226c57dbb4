//! Events from HDF5 and NumPy files and from text.
//!
//! | file | one idea |
//! |---|---|
//! | `container` | the kinds of file |
//! | `catalogue` | which datasets an HDF5 file holds |
//! | `numpy` | arrays in `.npy` and `.npz` files |
//! | `table` | text with one event a line |
//! | `mapping` | which dataset feeds which input |
//! | `columns` | columns by name |
//! | `select` | columns and fields of a dataset |
//! | `row` | numbers in the bytes of a row |
//! | `records` | rows of bytes, read in blocks |
//! | `packed`, `filters` | the bytes of a compound dataset in an HDF5 file |
//! | `stream` | one dataset, read in blocks of rows |
//! | `joined` | datasets beside each other |
//! | `opened` | all inputs of one file |
//! | `source` | all files in their order, as event blocks |

mod catalogue;
mod columns;
mod container;
mod filters;
mod joined;
mod mapping;
mod numpy;
mod opened;
mod packed;
mod records;
mod row;
mod select;
mod source;
mod stream;
mod table;

pub use source::{EventFile, EventOptions, EventSource, InputSpec};
