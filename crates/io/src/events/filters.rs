//! The filters of an HDF5 chunk, undone.
//!
//! The library undoes them itself for numbers; the bytes of structs it does not hand out, so that
//! they are read past it.

use flate2::{Decompress, FlushDecompress, Status};
use hdf5::filters::Filter;

/// Whether [`undo`] knows all filters, else what is said of the first that it does not know.
pub(super) fn check(filters: &[Filter]) -> Result<(), String> {
    let known = |f: &&Filter| {
        matches!(f, Filter::Deflate(_) | Filter::Shuffle | Filter::Fletcher32 | Filter::LZF)
    };
    match filters.iter().find(|f| !known(f)) {
        None => Ok(()),
        Some(other) => Err(format!(
            "is compressed with {other:?}; supported are gzip, lzf, shuffle and fletcher32"
        )),
    }
}

/// What chunks are read and unpacked in, used again and again.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    /// A chunk as it lies in the file, and in the end its elements.
    pub(super) bytes: Vec<u8>,
    spare: Vec<u8>,
    inflater: Option<Decompress>,
}

/// The `length` bytes of a chunk of elements of `size` bytes each. Bit n of `skipped` says that
/// filter n was not applied.
pub(super) fn undo(
    filters: &[Filter],
    skipped: u32,
    size: usize,
    length: usize,
    chunk: Vec<u8>,
) -> Result<Vec<u8>, String> {
    let mut buffers = Buffers { bytes: chunk, ..Buffers::default() };
    undo_in(filters, skipped, size, length, &mut buffers)?;
    Ok(buffers.bytes)
}

/// The same for the chunk in `buffers`, in its place.
pub(super) fn undo_in(
    filters: &[Filter],
    skipped: u32,
    size: usize,
    length: usize,
    buffers: &mut Buffers,
) -> Result<(), String> {
    // A checksum in front of the compression is part of what was compressed.
    let most = length.saturating_add(4 * filters.len());
    for (n, filter) in filters.iter().enumerate().rev() {
        if n < 32 && skipped >> n & 1 == 1 {
            continue;
        }
        let Buffers { bytes, spare, inflater } = &mut *buffers;
        match filter {
            Filter::Deflate(_) => {
                let inflater = inflater.get_or_insert_with(|| Decompress::new(true));
                inflate(inflater, bytes, most, spare)?;
            }
            Filter::LZF => unlzf(bytes, most, spare).ok_or("a chunk is no lzf data")?,
            Filter::Shuffle => unshuffle(bytes, size, spare),
            Filter::Fletcher32 => {
                unchecked(bytes)?;
                continue;
            }
            other => return Err(format!("unknown filter {other:?}")),
        }
        std::mem::swap(bytes, spare);
    }
    match buffers.bytes.len() == length {
        true => Ok(()),
        false => Err(format!("a chunk holds {} bytes instead of {length}", buffers.bytes.len())),
    }
}

/// The chunk in `buffers`, unpacked into `out`, which is as long as the chunk. Common filters give their
/// last bytes without another copy.
pub(super) fn undo_to(
    filters: &[Filter],
    skipped: u32,
    size: usize,
    buffers: &mut Buffers,
    out: &mut [u8],
) -> Result<(), String> {
    match filters {
        [Filter::Shuffle, others @ ..] if skipped & 1 == 0 => {
            undo_in(others, skipped >> 1, size, out.len(), buffers)?;
            unshuffle_to(&buffers.bytes, size, out);
        }
        [Filter::Deflate(_)] if skipped & 1 == 0 => {
            let Buffers { bytes, inflater, .. } = buffers;
            let inflater = inflater.get_or_insert_with(|| Decompress::new(true));
            inflater.reset(true);
            let status = inflater
                .decompress(bytes, out, FlushDecompress::Finish)
                .map_err(|e| format!("a chunk is no gzip data: {e}"))?;
            let found = inflater.total_out();
            if status != Status::StreamEnd {
                return Err(match found < out.len() as u64 {
                    true => "a chunk is no gzip data: it ends too early".to_owned(),
                    false => format!("a chunk holds more than {} bytes", out.len()),
                });
            }
            if found != out.len() as u64 {
                return Err(format!("a chunk holds {found} bytes instead of {}", out.len()));
            }
        }
        _ => {
            undo_in(filters, skipped, size, out.len(), buffers)?;
            out.copy_from_slice(&buffers.bytes);
        }
    }
    Ok(())
}

/// Inflates into `into`, which becomes longer than `most` where there is more.
fn inflate(
    inflater: &mut Decompress,
    bytes: &[u8],
    most: usize,
    into: &mut Vec<u8>,
) -> Result<(), String> {
    inflater.reset(true);
    into.resize(most.saturating_add(1), 0);
    let status = inflater
        .decompress(bytes, into, FlushDecompress::Finish)
        .map_err(|e| format!("a chunk is no gzip data: {e}"))?;
    let found = usize::try_from(inflater.total_out()).unwrap_or(usize::MAX);
    if status != Status::StreamEnd && found <= most {
        return Err("a chunk is no gzip data: it ends too early".to_owned());
    }
    into.truncate(found);
    Ok(())
}

/// LZF: a control byte below 32 is the length of a literal run, less one; any other is a copy of
/// bytes that came before.
fn unlzf(bytes: &[u8], most: usize, into: &mut Vec<u8>) -> Option<()> {
    into.clear();
    let mut rest = bytes;
    while let Some((&control, tail)) = rest.split_first() {
        rest = tail;
        if control < 32 {
            let literal;
            (literal, rest) = rest.split_at_checked(usize::from(control) + 1)?;
            into.extend_from_slice(literal);
        } else {
            let mut next = || {
                let (&byte, tail) = rest.split_first()?;
                rest = tail;
                Some(usize::from(byte))
            };
            let mut length = usize::from(control >> 5) + 2;
            if length == 9 {
                length += next()?;
            }
            let back = (usize::from(control & 31) << 8) + next()? + 1;
            let from = into.len().checked_sub(back)?;
            if back >= length {
                into.extend_from_within(from..from + length);
            } else {
                // The copy runs into what it writes.
                for at in from..from + length {
                    into.push(*into.get(at)?);
                }
            }
        }
        if into.len() > most {
            return None;
        }
    }
    Some(())
}

/// Shuffled bytes are sorted by their place in the element; what is left over follows as it was.
fn unshuffle(bytes: &[u8], size: usize, into: &mut Vec<u8>) {
    into.resize(bytes.len(), 0);
    unshuffle_to(bytes, size, into);
}

/// The same into memory of the same length.
fn unshuffle_to(bytes: &[u8], size: usize, into: &mut [u8]) {
    /// One loop for each size, which the compiler turns into vector instructions.
    fn elements<const N: usize>(bytes: &[u8], count: usize, into: &mut [u8]) {
        let planes: [&[u8]; N] = std::array::from_fn(|p| &bytes[p * count..(p + 1) * count]);
        for (n, element) in into.as_chunks_mut::<N>().0[..count].iter_mut().enumerate() {
            *element = std::array::from_fn(|p| planes[p][n]);
        }
    }
    let count = bytes.len().checked_div(size).unwrap_or(0);
    let whole = count.saturating_mul(size);
    into[whole..].copy_from_slice(&bytes[whole..]);
    match size {
        2 => elements::<2>(bytes, count, into),
        4 => elements::<4>(bytes, count, into),
        8 => elements::<8>(bytes, count, into),
        _ if count > 0 => {
            for (place, plane) in bytes[..whole].chunks_exact(count).enumerate() {
                for (element, &byte) in plane.iter().enumerate() {
                    into[element * size + place] = byte;
                }
            }
        }
        _ => {}
    }
}

/// Takes the checksum off the end.
fn unchecked(bytes: &mut Vec<u8>) -> Result<(), String> {
    let short = "a chunk is too short for its checksum";
    let at = bytes.len().checked_sub(4).ok_or(short)?;
    let stored = bytes.split_off(at);
    match stored == fletcher32(bytes).to_le_bytes() {
        true => Ok(()),
        false => Err("the checksum of a chunk is wrong".to_owned()),
    }
}

/// HDF5's Fletcher-32: of big-endian pairs of bytes, an odd byte being the upper one of its pair.
fn fletcher32(bytes: &[u8]) -> u32 {
    let (mut low, mut high) = (0u32, 0u32);
    // Sums of 16-bit numbers that are folded, not reduced: 0xffff stays.
    let fold = |sum: u32| (sum & 0xffff) + (sum >> 16);
    // So many pairs cannot overflow.
    for part in bytes.chunks(720) {
        for pair in part.chunks(2) {
            let upper = u32::from(pair[0]) << 8;
            low += upper | pair.get(1).map_or(0, |&b| u32::from(b));
            high += low;
        }
        (low, high) = (fold(low), fold(high));
    }
    fold(high) << 16 | fold(low)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use proptest::prelude::*;

    fn unlzf(bytes: &[u8], most: usize) -> Option<Vec<u8>> {
        let mut found = vec![9; 3];
        super::unlzf(bytes, most, &mut found).map(|()| found)
    }

    fn unshuffle(bytes: &[u8], size: usize) -> Vec<u8> {
        let mut found = vec![9; 30];
        super::unshuffle(bytes, size, &mut found);
        found
    }

    #[test]
    fn lzf() {
        // A literal "abc", a copy of 3 that overlaps nothing, a long copy that overlaps itself.
        let packed = [2, b'a', b'b', b'c', 0x20, 2, 0xe0, 3, 0];
        let expected = [b"abcabc".as_slice(), &[b'c'; 12]].concat();
        assert_eq!(unlzf(&packed, 100), Some(expected));
        for wrong in [&[5, 1][..], &[0x20], &[0x20, 0], &[0, 1, 0x20, 1], &[0xe0, 9]] {
            assert_eq!(unlzf(wrong, 100), None, "{wrong:?}");
        }
        assert_eq!(unlzf(&packed, 17), None);
    }

    #[test]
    fn shuffle() {
        assert_eq!(unshuffle(&[1, 4, 2, 5, 3, 6, 7], 3), [1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(unshuffle(&[1, 2], 3), [1, 2]);
        assert_eq!(unshuffle(&[1, 2], 0), [1, 2]);
    }

    #[test]
    fn filters_in_reverse_order() {
        let filters = [Filter::Shuffle, Filter::Fletcher32];
        let mut chunk = vec![1, 3, 2, 4];
        chunk.extend(fletcher32(&[1, 3, 2, 4]).to_le_bytes());
        assert_eq!(undo(&filters, 0, 2, 4, chunk.clone()), Ok(vec![1, 2, 3, 4]));
        assert_eq!(undo(&filters, 1, 2, 4, chunk.clone()), Ok(vec![1, 3, 2, 4]));
        assert!(undo(&filters, 2, 2, 4, chunk.clone()).unwrap_err().contains("holds 8 bytes"));
        assert!(undo(&filters, 0, 2, 5, chunk.clone()).unwrap_err().contains("instead of 5"));
        chunk[0] ^= 1;
        assert!(undo(&filters, 0, 2, 4, chunk).unwrap_err().contains("checksum"));
        assert!(undo(&filters, 0, 2, 4, vec![1, 2]).unwrap_err().contains("too short"));
        assert!(undo(&[Filter::Deflate(4)], 0, 2, 4, vec![1, 2]).unwrap_err().contains("gzip"));
    }

    /// What each filter does, by the book.
    fn apply(filter: &Filter, size: usize, bytes: &[u8]) -> Vec<u8> {
        match filter {
            Filter::Shuffle => {
                let count = bytes.len().checked_div(size).unwrap_or(0);
                let planes = (0..size).flat_map(|p| (0..count).map(move |e| bytes[e * size + p]));
                planes.chain(bytes[count * size..].iter().copied()).collect()
            }
            Filter::Fletcher32 => [bytes, &fletcher32(bytes).to_le_bytes()].concat(),
            Filter::Deflate(_) => {
                let mut packed = Vec::new();
                let mut encoder =
                    flate2::read::ZlibEncoder::new(bytes, flate2::Compression::fast());
                encoder.read_to_end(&mut packed).expect("memory");
                packed
            }
            // Literals, and a copy wherever four equal bytes stand.
            _ => {
                let mut packed = Vec::new();
                let mut at = 0;
                while at < bytes.len() {
                    let run = bytes[at..].iter().take_while(|b| **b == bytes[at]).count().min(265);
                    if run >= 4 {
                        packed.extend([0, bytes[at]]);
                        match run - 1 {
                            short @ ..9 => packed.push(((short - 2) as u8) << 5),
                            long => packed.extend([7 << 5, (long - 9) as u8]),
                        }
                        packed.push(0);
                        at += run;
                    } else {
                        packed.extend([0, bytes[at]]);
                        at += 1;
                    }
                }
                packed
            }
        }
    }

    fn filter() -> impl Strategy<Value = Filter> {
        prop_oneof![
            Just(Filter::Shuffle),
            Just(Filter::Fletcher32),
            Just(Filter::Deflate(1)),
            Just(Filter::LZF)
        ]
    }

    proptest! {
        #[test]
        fn what_was_applied_is_undone(
            filters in prop::collection::vec(filter(), 0..4),
            skipped in 0..8u32,
            size in 0..9usize,
            bytes in prop::collection::vec(prop_oneof![Just(7u8), any::<u8>()], 0..600),
        ) {
            // A checksum behind a compression is undone first, and so on.
            let mut chunk = bytes.clone();
            for (n, filter) in filters.iter().enumerate() {
                if skipped >> n & 1 == 0 {
                    chunk = apply(filter, size, &chunk);
                }
            }
            // Data that cannot be packed grows; then only a limit is met.
            let packed = chunk.clone();
            let found = undo(&filters, skipped, size, bytes.len(), chunk);
            let packings =
                filters.iter().filter(|f| matches!(f, Filter::LZF | Filter::Deflate(_))).count();
            let mut out = vec![9; bytes.len()];
            let mut buffers = Buffers { bytes: packed, ..Buffers::default() };
            let to = undo_to(&filters, skipped, size, &mut buffers, &mut out);
            prop_assert_eq!(to.is_ok(), found.is_ok());
            match found {
                Ok(found) => {
                    prop_assert_eq!(&found, &bytes);
                    prop_assert_eq!(out, bytes);
                }
                Err(_) => prop_assert!(packings > 1),
            }
        }

        #[test]
        fn any_bytes_are_data_or_an_error(
            filters in prop::collection::vec(filter(), 0..4),
            skipped: u32,
            size in 0..9usize,
            length in 0..300usize,
            bytes in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let mut buffers = Buffers { bytes: bytes.clone(), ..Buffers::default() };
            let mut out = vec![9; length];
            let to = undo_to(&filters, skipped, size, &mut buffers, &mut out);
            match undo(&filters, skipped, size, length, bytes) {
                Ok(found) => prop_assert_eq!((to, out), (Ok(()), found)),
                Err(_) => prop_assert!(to.is_err()),
            }
        }
    }

    #[test]
    fn what_is_not_known_is_refused() {
        assert_eq!(check(&[Filter::Shuffle, Filter::Deflate(9), Filter::LZF]), Ok(()));
        let error = check(&[Filter::Shuffle, Filter::NBit]).unwrap_err();
        assert!(error.contains("NBit; supported are gzip"), "{error}");
    }
}
