//! The arrays of a file, for those who do not know its names beforehand.

use std::path::Path;

use super::catalogue::Kind;
use super::container::Container;
use crate::number::Dtype;
use crate::{IoError, IoErrorKind, watch};

/// An array of numbers in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Array {
    /// Path from the root, without a leading `/`.
    pub(crate) path: String,
    /// `[event, …]`.
    pub(crate) shape: Vec<usize>,
    /// Bits of the significand that its numbers have; `None` where they are integers.
    pub(crate) significand: Option<u32>,
}

/// Every array of numbers in an HDF5, `.npy` or `.npz` file; `None` where the file is text.
///
/// # Errors
/// [`IoErrorKind::Events`]: unreadable file.
pub(crate) fn arrays(path: &Path) -> Result<Option<Vec<Array>>, IoError> {
    let _reading = watch::reading(IoErrorKind::Events, path);
    let container = Container::open(path)?;
    if matches!(container, Container::Text(_)) {
        return Ok(None);
    }
    let entries = container.entries().map_err(|w| IoError::new(IoErrorKind::Events, path, w))?;
    let arrays = entries.into_iter().filter_map(|entry| {
        let Kind::Numbers(dtype) = entry.kind else { return None };
        let significand = match dtype {
            Dtype::F16 => Some(11),
            Dtype::F32 => Some(24),
            Dtype::F64 => Some(53),
            Dtype::Bool | Dtype::Int { .. } => None,
        };
        Some(Array { path: entry.path, shape: entry.shape, significand })
    });
    Ok(Some(arrays.collect()))
}
