//! Files that appear under their name when they are complete.

use std::path::{Path, PathBuf};

use crate::{IoError, IoErrorKind};

/// A file that is removed unless it was kept.
#[derive(Debug)]
pub(crate) struct Temporary {
    /// Where it is written.
    pub(crate) path: PathBuf,
    /// The path that was asked for.
    wanted: PathBuf,
    /// The same without links: a link stays a link, to another file.
    place: PathBuf,
    kept: bool,
}

impl Temporary {
    /// Creates an empty file under a temporary name beside its place.
    ///
    /// # Errors
    /// [`IoErrorKind::Output`]: nothing may be written there, or it is no file.
    pub(crate) fn beside(path: &Path) -> Result<Self, IoError> {
        let error = |what: &str| {
            IoError::new(IoErrorKind::Output, path, format!("cannot be written: {what}"))
                .with_help("choose a file in a directory that exists and that you may write to")
        };
        let place = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        match std::fs::metadata(&place) {
            Ok(found) if found.is_dir() => return Err(error("it is a directory")),
            Ok(found) if !found.is_file() => {
                return Err(error("it is a device or a pipe, no file"));
            }
            // Whoever may write into the directory could replace a file that is write-protected;
            // the protection was meant.
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
        // The operating system's own message is clearer than the HDF5 library's.
        std::fs::File::create_new(&temporary).map_err(|e| error(&e.to_string()))?;
        Ok(Self { path: temporary, wanted: path.to_owned(), place, kept: false })
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// [`IoErrorKind::Output`]: the directory does not let it happen.
    pub(crate) fn keep(mut self) -> Result<(), IoError> {
        std::fs::rename(&self.path, &self.place).map_err(|e| {
            let what = format!("cannot be given its name: {e}");
            IoError::new(IoErrorKind::Output, &self.wanted, what)
        })?;
        self.kept = true;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.kept {
            // It may not exist, and there is nobody to tell.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
