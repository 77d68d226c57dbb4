//! HDF5 files that are written: complete, or not at all.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use hdf5::types::VarLenUnicode;
use hdf5::{File, Location};

use crate::{IoError, IoErrorKind};

/// A file that has a temporary name beside its place, and is removed unless it is kept.
#[derive(Debug)]
pub(crate) struct Unfinished {
    temporary: PathBuf,
    /// The path without links.
    place: PathBuf,
    kept: bool,
}

impl Unfinished {
    /// Gives the file, which is closed, its name. Messages call it `path`.
    pub(crate) fn keep(mut self, path: &Path) -> Result<(), IoError> {
        std::fs::rename(&self.temporary, &self.place).map_err(|e| {
            IoError::new(IoErrorKind::Output, path, format!("cannot be given its name: {e}"))
        })?;
        self.kept = true;
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.kept {
            // It may not exist, and there is nobody to tell.
            let _ = std::fs::remove_file(&self.temporary);
        }
    }
}

/// Creates an HDF5 file under a temporary name beside its place; a link stays a link, to another
/// file.
pub(crate) fn create_beside(path: &Path) -> Result<(File, Unfinished), IoError> {
    let error = |what: &str| {
        IoError::new(IoErrorKind::Output, path, format!("cannot be written: {what}"))
            .with_help("choose a file in a directory that exists and that you may write to")
    };
    let place = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    match std::fs::metadata(&place) {
        Ok(found) if found.is_dir() => return Err(error("it is a directory")),
        Ok(found) if !found.is_file() => return Err(error("it is a device or a pipe, no file")),
        // Whoever may write into the directory could replace a file that is write-protected; the
        // protection was meant.
        Ok(_) => {
            let opened = std::fs::OpenOptions::new().write(true).open(&place);
            opened.map_err(|e| error(&e.to_string()))?;
        }
        Err(_) => {}
    }
    let directory = place.parent().filter(|d| !d.as_os_str().is_empty());
    if let Some(directory) = directory.filter(|d| !d.is_dir()) {
        return Err(error(&format!("there is no directory {}", directory.display())));
    }
    let Some(name) = place.file_name().and_then(|n| n.to_str()) else {
        return Err(error("it is no file name in UTF-8"));
    };
    let temporary = place.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    // The operating system's own message is clearer than the library's.
    std::fs::File::create_new(&temporary).map_err(|e| error(&e.to_string()))?;
    let unfinished = Unfinished { temporary, place, kept: false };
    let root = File::create(&unfinished.temporary).map_err(|e| error(&e.to_string()))?;
    Ok((root, unfinished))
}

/// Writes a text attribute.
pub(crate) fn write_text(object: &Location, name: &str, text: &str) -> Result<(), String> {
    let value = VarLenUnicode::from_str(text).map_err(|e| format!("{name} `{text}`: {e}"))?;
    object
        .new_attr::<VarLenUnicode>()
        .create(name)
        .and_then(|a| a.write_scalar(&value))
        .map_err(|e| format!("attribute {name} cannot be written: {e}"))
}
