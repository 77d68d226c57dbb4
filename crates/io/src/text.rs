//! Text attributes in the forms that h5py has written over the years.

use std::collections::HashSet;

use hdf5::types::{FixedAscii, FixedUnicode, IntSize, TypeDescriptor, VarLenAscii, VarLenUnicode};
use hdf5::{Attribute, H5Type, Location};

use crate::watch;

/// Longest text, or list of texts with all its parts, in bytes. Keras' own stay below a megabyte.
const MAX_BYTES: usize = 16 << 20;

/// Most memory for texts of fixed length, which are padded to the next length that is known here.
const MAX_PADDED_BYTES: usize = 64 << 20;

/// Most parts of a list that Keras has split over several attributes.
const MAX_PARTS: usize = 100_000;

/// The text of an attribute; `None` where there is no such attribute.
pub(crate) fn read(object: &Location, name: &str) -> Result<Option<String>, String> {
    match elements(object, &names(object, name)?, name)? {
        None => Ok(None),
        Some(mut list) if list.len() == 1 => Ok(list.pop()),
        Some(list) => Err(format!("attribute {name} holds {} texts, expected one", list.len())),
    }
}

/// A list of texts. Keras splits a list of more than 64 kB over attributes `name0`, `name1`, ….
pub(crate) fn read_list(object: &Location, name: &str) -> Result<Option<Vec<String>>, String> {
    let names = names(object, name)?;
    if let Some(list) = elements(object, &names, name)? {
        return Ok(Some(list));
    }
    let Some(mut list) = elements(object, &names, &format!("{name}0"))? else {
        return Ok(None);
    };
    let mut bytes: usize = list.iter().map(String::len).sum();
    for part in 1.. {
        if part > MAX_PARTS {
            return Err(format!("attribute {name} is split into more than {MAX_PARTS} parts"));
        }
        let Some(more) = elements(object, &names, &format!("{name}{part}"))? else { break };
        bytes += more.iter().map(String::len).sum::<usize>();
        if bytes > MAX_BYTES {
            return Err(too_long(name));
        }
        list.extend(more);
    }
    Ok(Some(list))
}

/// The names of all attributes, which tell one that is missing from one that is damaged.
fn names(object: &Location, wanted: &str) -> Result<HashSet<String>, String> {
    watch::step();
    let names = object.attr_names();
    Ok(names.map_err(|e| format!("attribute {wanted} cannot be read: {e}"))?.into_iter().collect())
}

fn too_long(name: &str) -> String {
    format!("attribute {name} is too long; supported are {MAX_BYTES} bytes")
}

fn elements(
    object: &Location,
    names: &HashSet<String>,
    name: &str,
) -> Result<Option<Vec<String>>, String> {
    let failed = |e: hdf5::Error| format!("attribute {name} cannot be read: {e}");
    if !names.contains(name) {
        return Ok(None);
    }
    watch::step();
    let attribute = object.attr(name).map_err(failed)?;
    let bytes = element_bytes(&attribute, name)?;
    bytes
        .into_iter()
        .map(String::from_utf8)
        .collect::<Result<Vec<String>, _>>()
        .map(Some)
        .map_err(|_| format!("attribute {name} is not UTF-8 text"))
}

fn element_bytes(attribute: &Attribute, name: &str) -> Result<Vec<Vec<u8>>, String> {
    let failed = |e: hdf5::Error| format!("attribute {name} cannot be read: {e}");
    let count = attribute.space().map_err(failed)?.size();
    let dtype = attribute.dtype().map_err(failed)?.to_descriptor().map_err(failed)?;
    let width = match &dtype {
        TypeDescriptor::FixedAscii(n) | TypeDescriptor::FixedUnicode(n) => *n,
        _ => size_of::<usize>(),
    };
    if count.checked_mul(width).is_none_or(|n| n > MAX_BYTES) {
        return Err(too_long(name));
    }
    let found = match dtype {
        TypeDescriptor::VarLenAscii => attribute
            .read_raw::<VarLenAscii>()
            .map(|list| list.iter().map(|s| s.as_bytes().to_vec()).collect()),
        TypeDescriptor::VarLenUnicode => attribute
            .read_raw::<VarLenUnicode>()
            .map(|list| list.iter().map(|s| s.as_bytes().to_vec()).collect()),
        TypeDescriptor::FixedAscii(width) => fixed_ascii(attribute, width, count),
        TypeDescriptor::FixedUnicode(width) => fixed_unicode(attribute, width, count),
        // An array of bytes is one text.
        TypeDescriptor::Unsigned(IntSize::U1) => attribute.read_raw::<u8>().map(|b| vec![b]),
        // A layer without weights has an empty list, which NumPy makes of float64.
        _ if count == 0 => Ok(Vec::new()),
        other => return Err(format!("attribute {name} is of type {other}, expected text")),
    };
    let found: Vec<Vec<u8>> = found.map_err(failed)?;
    match found.iter().map(Vec::len).sum::<usize>() > MAX_BYTES {
        true => Err(too_long(name)),
        false => Ok(found),
    }
}

/// The library pads a fixed-length text to the length of the type in memory, which must be known
/// to the compiler: a few lengths serve all.
macro_rules! read_fixed {
    ($function:ident, $ty:ident) => {
        fn $function(
            attribute: &Attribute,
            width: usize,
            count: usize,
        ) -> Result<Vec<Vec<u8>>, hdf5::Error> {
            const LENGTHS: [usize; 5] = [1 << 6, 1 << 10, 1 << 16, 1 << 20, 1 << 24];
            let bytes = |n: usize| count.saturating_mul(n) <= MAX_PADDED_BYTES;
            match width {
                w if w <= LENGTHS[0] => read_as::<$ty<{ LENGTHS[0] }>>(attribute),
                w if w <= LENGTHS[1] => read_as::<$ty<{ LENGTHS[1] }>>(attribute),
                w if w <= LENGTHS[2] && bytes(LENGTHS[2]) => {
                    read_as::<$ty<{ LENGTHS[2] }>>(attribute)
                }
                w if w <= LENGTHS[3] && bytes(LENGTHS[3]) => {
                    read_as::<$ty<{ LENGTHS[3] }>>(attribute)
                }
                w if w <= LENGTHS[4] && bytes(LENGTHS[4]) => {
                    read_as::<$ty<{ LENGTHS[4] }>>(attribute)
                }
                _ => Err(format!("{count} texts of {width} bytes are too long").into()),
            }
        }
    };
}
read_fixed!(fixed_ascii, FixedAscii);
read_fixed!(fixed_unicode, FixedUnicode);

fn read_as<T: H5Type + AsRef<[u8]>>(attribute: &Attribute) -> Result<Vec<Vec<u8>>, hdf5::Error> {
    Ok(attribute.read_raw::<T>()?.iter().map(|s| s.as_ref().to_vec()).collect())
}
