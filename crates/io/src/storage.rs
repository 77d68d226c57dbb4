//! How a dataset is stored, before anything of it is read.

use std::ops::Range;

use hdf5::Dataset;
use hdf5::dataset::Layout;

use crate::watch;

/// Largest chunk, and largest row of chunks, in bytes. It must be in memory as a whole, whatever
/// the block size.
pub(crate) const MAX_CHUNK_BYTES: usize = 256 << 20;

/// Most dimensions, the limit of HDF5.
pub(crate) const MAX_RANK: usize = 32;

/// Refuses what would need much memory or other files, whoever the dataset belongs to.
pub(crate) fn check(dataset: &Dataset, rank: usize) -> Result<(), String> {
    if rank > MAX_RANK {
        return Err(format!("has {rank} dimensions; supported are {MAX_RANK}"));
    }
    let failed = |e: hdf5::Error| format!("its layout cannot be read: {e}");
    let create = dataset.dcpl().map_err(failed)?;
    let layout = create.get_layout().map_err(failed)?;
    // The list of a damaged file is not worth reading where there can be none.
    let elsewhere = matches!(layout, Layout::Virtual)
        || (matches!(layout, Layout::Contiguous)
            && !create.get_external().map_err(failed)?.is_empty());
    if elsewhere {
        return Err(
            "is stored in other files, which are not read (h5repack copies it into one)".to_owned()
        );
    }
    if matches!(layout, Layout::Contiguous) && dataset.size() > 0 {
        // The library would read zeros.
        let Some(start) = dataset.offset() else {
            return Err("was never written".to_owned());
        };
        let end = start.checked_add(dataset.storage_size());
        if end.is_none_or(|end| end > file_size(dataset)) {
            return Err("is cut off: it goes beyond the end of the file".to_owned());
        }
    }
    if !matches!(layout, Layout::Chunked) {
        return Ok(());
    }
    let chunk = create.get_chunk().map_err(failed)?.unwrap_or_default();
    let element = dataset.dtype().map_err(failed)?.size();
    let bytes = chunk.iter().try_fold(element, |n, &d| n.checked_mul(d));
    match bytes.is_some_and(|n| n <= MAX_CHUNK_BYTES) {
        true => Ok(()),
        false => Err(format!(
            "has chunks of shape {chunk:?}, which need more than {MAX_CHUNK_BYTES} bytes; store it \
             in smaller chunks (h5repack -l)"
        )),
    }
}

/// Refuses rows in chunks that were never written, or that lie beyond the end of the file: the
/// library would read zeros.
pub(crate) fn check_rows(
    dataset: &Dataset,
    shape: &[usize],
    rows: &Range<usize>,
) -> Result<(), String> {
    let Some(chunk) = dataset.chunk() else { return Ok(()) };
    let (Some((&length, inner)), Some((_, event))) = (chunk.split_first(), shape.split_first())
    else {
        return Ok(());
    };
    let (first, end) = (rows.start / length.max(1), rows.end.div_ceil(length.max(1)));
    let per_row = event.iter().zip(inner).map(|(&n, &c)| n.div_ceil(c.max(1)));
    let needed = per_row.fold(end - first, usize::saturating_mul);
    let size = file_size(dataset);
    let (mut found, mut cut_off) = (0_usize, false);
    dataset
        .chunks_visit(|info| {
            watch::step();
            let row = info.offset.first().copied().unwrap_or(0) / (length.max(1) as u64);
            if (first as u64..end as u64).contains(&row) {
                found += 1;
                cut_off |= info.addr.checked_add(info.size).is_none_or(|end| end > size);
            }
            i32::from(cut_off)
        })
        .map_err(|e| format!("its chunks cannot be listed: {e}"))?;
    if cut_off {
        return Err("is cut off: some of its chunks lie beyond the end of the file".to_owned());
    }
    match found >= needed {
        true => Ok(()),
        false => Err(format!(
            "events {} to {} need {needed} chunks, of which only {found} were ever written",
            rows.start,
            rows.end - 1
        )),
    }
}

/// Bytes of the file that a dataset is in; 0 where that cannot be known.
fn file_size(dataset: &Dataset) -> u64 {
    dataset.file().map_or(0, |file| file.size())
}
