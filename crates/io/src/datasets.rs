//! All datasets of a group at once, for traces and expected values.

use std::path::Path;

use ndarray::ArrayD;

use crate::{IoError, IoErrorKind, file, number, storage, trace, watch};

/// Most values of one group that are read at once.
const MAX_VALUES: usize = 1 << 26;

/// Reads every dataset directly in a group, in float64, by name in alphabetical order. Names are
/// read as [`TraceWriter`](crate::TraceWriter) writes them.
///
/// # Errors
/// [`IoErrorKind::Events`]: unreadable file, no such group, a dataset that holds no numbers or
/// 64-bit integers, or more values than fit into memory.
pub fn read_datasets(path: &Path, group: &str) -> Result<Vec<(String, ArrayD<f64>)>, IoError> {
    let error = |what: String| IoError::new(IoErrorKind::Events, path, what);
    let _reading = watch::reading(IoErrorKind::Events, path);
    let file = file::open(IoErrorKind::Events, path)?;
    let parent = file.group(group).map_err(|_| error(format!("has no group {group}")))?;
    let names = parent.member_names().map_err(|e| error(format!("{group}: {e}")))?;
    let mut budget = MAX_VALUES;
    let mut found = Vec::with_capacity(names.len());
    for name in names {
        let place = |what: String| error(format!("{group}/{name}: {what}"));
        let Ok(dataset) = parent.dataset(&name) else {
            // A group inside the group.
            continue;
        };
        watch::step();
        let shape = dataset.get_shape().map_err(|e| place(e.to_string()))?;
        let size = shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
        let left = size.and_then(|n| budget.checked_sub(n));
        budget = left.ok_or_else(|| place(format!("more than {MAX_VALUES} values")))?;
        storage::check(&dataset, shape.len()).map_err(place)?;
        found.push((trace::unescape(&name), number::read_f64(&dataset).map_err(place)?));
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(found)
}
