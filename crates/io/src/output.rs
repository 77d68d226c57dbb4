//! What all written HDF5 files share.

use std::str::FromStr;

use hdf5::Location;
use hdf5::types::VarLenUnicode;

/// Writes a text attribute.
pub(crate) fn write_text(object: &Location, name: &str, text: &str) -> Result<(), String> {
    let value = VarLenUnicode::from_str(text).map_err(|e| format!("{name} `{text}`: {e}"))?;
    object
        .new_attr::<VarLenUnicode>()
        .create(name)
        .and_then(|a| a.write_scalar(&value))
        .map_err(|e| format!("attribute {name} cannot be written: {e}"))
}
