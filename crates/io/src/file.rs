//! Opening an HDF5 file, with a message of its own for everything else that a path may be.

use std::fs;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use hdf5::{File, MinorErrorCode};

use crate::{IoError, IoErrorKind};

const SIGNATURE: [u8; 8] = *b"\x89HDF\r\n\x1a\n";

/// Bytes by which the content is told.
const HEAD: u64 = 1024;

/// Opens an HDF5 file for reading.
pub(crate) fn open(kind: IoErrorKind, path: &Path) -> Result<File, IoError> {
    let found = probe(kind, path)?;
    let error = |what: &str, help: &str| Err(IoError::new(kind, path, what).with_help(help));
    let wanted = match kind {
        IoErrorKind::Model => "a Keras model in HDF5 format (model.save(\"model.h5\"))",
        IoErrorKind::Events => {
            "events as HDF5 datasets [event, …], a .npy or .npz file, or text with one event a line"
        }
        IoErrorKind::Trace => {
            "values as HDF5 datasets [event, …], a .npy or .npz file, or text with one event a line"
        }
        IoErrorKind::Output => "an HDF5 file",
    };
    match found {
        Content::Hdf5 => {}
        Content::Directory if kind == IoErrorKind::Model => {
            return error(
                "is a directory; a SavedModel cannot be read",
                "save the model as one file with model.save(\"model.h5\")",
            );
        }
        Content::Directory => return error("is a directory", &format!("give {wanted}")),
        Content::Special => {
            return error(
                "is no regular file (a pipe or device), and has to be read from several places",
                "write it to a file first",
            );
        }
        Content::Empty => return error("is empty (0 bytes)", &format!("give {wanted}")),
        Content::Zip if kind == IoErrorKind::Model => {
            return error(
                "is a .keras archive, which cannot be read yet",
                "save the model in HDF5 format: model.save(\"model.h5\")",
            );
        }
        Content::Zip => return error("is a zip archive", &format!("give {wanted}")),
        Content::Numpy => return error("is a NumPy file", &format!("give {wanted}")),
        Content::Gzip => {
            return error("is compressed with gzip as a whole", "decompress it first: gunzip FILE");
        }
        Content::GitLfs => {
            return error(
                "is a Git LFS pointer; the file itself has not been downloaded",
                "run `git lfs pull`",
            );
        }
        Content::Root if kind == IoErrorKind::Events => {
            return error(
                "is a ROOT file",
                "write its branches to HDF5 or NumPy with uproot; docs/events.md shows how",
            );
        }
        Content::Utf16 if kind == IoErrorKind::Events => {
            return error("is UTF-16 text", "save it as UTF-8: iconv -f UTF-16 -t UTF-8");
        }
        Content::Text | Content::Root | Content::Utf16 | Content::Other => {
            return error("is not an HDF5 file", &format!("give {wanted}"));
        }
    }
    File::open(path).map_err(|e| {
        if e.contains_minor(MinorErrorCode::CantLockFile)
            || e.contains_minor(MinorErrorCode::CantLock)
        {
            return IoError::new(kind, path, format!("is locked: {e}")).with_help(
                "another process has it open for writing; on a file system without locks set \
                 HDF5_USE_FILE_LOCKING=FALSE",
            );
        }
        IoError::new(kind, path, format!("is a truncated or damaged HDF5 file: {e}"))
            .with_help("copy or download it again; `h5ls -r FILE` should list its contents")
    })
}

/// What the first bytes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    Hdf5,
    Directory,
    /// A pipe, a device, a socket.
    Special,
    Empty,
    Zip,
    Numpy,
    Gzip,
    GitLfs,
    /// Bytes without control characters.
    Text,
    Root,
    Utf16,
    Other,
}

/// What kind of file a path leads to.
pub(crate) fn probe(kind: IoErrorKind, path: &Path) -> Result<Content, IoError> {
    content(path).map_err(|e| std_error(kind, path, &e))
}

fn content(path: &Path) -> io::Result<Content> {
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() {
        return Ok(Content::Directory);
    }
    // Opening a pipe would wait for somebody who writes into it.
    if !metadata.is_file() {
        return Ok(Content::Special);
    }
    let mut file = fs::File::open(path)?;
    let mut head = Vec::new();
    file.by_ref().take(HEAD).read_to_end(&mut head)?;
    Ok(match head.as_slice() {
        [] => Content::Empty,
        h if h.starts_with(b"PK\x03\x04") || h.starts_with(b"PK\x05\x06") => Content::Zip,
        h if h.starts_with(b"\x93NUMPY") => Content::Numpy,
        h if h.starts_with(b"\x1f\x8b\x08") => Content::Gzip,
        h if h.starts_with(b"version https://git-lfs") => Content::GitLfs,
        h if h.starts_with(&SIGNATURE) || has_user_block(&mut file)? => Content::Hdf5,
        h if h.starts_with(b"root") && h.contains(&0) => Content::Root,
        h if h.starts_with(b"\xff\xfe") || h.starts_with(b"\xfe\xff") => Content::Utf16,
        h if is_text(h) => Content::Text,
        _ => Content::Other,
    })
}

/// Whether these bytes could be text in ASCII, UTF-8 or Latin-1.
fn is_text(head: &[u8]) -> bool {
    head.iter().all(|&b| b >= 0x20 && b != 0x7f || b.is_ascii_whitespace())
}

/// HDF5 may start at 512 bytes, or any doubling of it.
fn has_user_block(file: &mut fs::File) -> io::Result<bool> {
    let size = file.metadata()?.len();
    let mut offset = 512;
    while offset + 8 <= size {
        let mut bytes = [0; 8];
        file.seek(SeekFrom::Start(offset))?;
        file.read_exact(&mut bytes)?;
        if bytes == SIGNATURE {
            return Ok(true);
        }
        offset *= 2;
    }
    Ok(false)
}

/// An error of the operating system.
pub(crate) fn std_error(kind: IoErrorKind, path: &Path, e: &io::Error) -> IoError {
    match e.kind() {
        io::ErrorKind::NotFound => {
            IoError::new(kind, path, "does not exist").with_help("check the path")
        }
        io::ErrorKind::PermissionDenied => {
            IoError::new(kind, path, "permission denied").with_help("check who may read it")
        }
        _ => IoError::new(kind, path, e.to_string()).with_help("check the path"),
    }
}
