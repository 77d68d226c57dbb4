//! Events from HDF5 and NumPy files.
//!
//! | file | one idea |
//! |---|---|
//! | `container` | the kinds of file |
//! | `catalogue` | which datasets an HDF5 file holds |
//! | `numpy` | arrays in `.npy` and `.npz` files |
//! | `mapping` | which dataset feeds which input |
//! | `select` | columns and fields of a dataset |
//! | `row` | numbers in the bytes of a row |
//! | `records` | rows of bytes, read in blocks |
//! | `packed`, `filters` | the bytes of a compound dataset in an HDF5 file |
//! | `stream` | one dataset, read in blocks of rows |
//! | `source` | all inputs together, as event blocks |

mod catalogue;
mod container;
mod filters;
mod mapping;
mod numpy;
mod packed;
mod records;
mod row;
mod select;
mod source;
mod stream;

pub use source::{EventOptions, EventSource, InputSpec};
