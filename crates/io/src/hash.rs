//! Identifying a file by its contents.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::file::std_error;
use crate::{IoError, IoErrorKind};

/// SHA-256 of a file's bytes, in lower-case hexadecimal digits.
///
/// # Errors
/// Of the given kind, when the file cannot be read.
pub fn sha256_file(path: &Path, kind: IoErrorKind) -> Result<String, IoError> {
    let failed = |e: &std::io::Error| std_error(kind, path, e);
    let mut file = File::open(path).map_err(|e| failed(&e))?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        let n = file.read(&mut buffer).map_err(|e| failed(&e))?;
        if n == 0 {
            break;
        }
        hasher.update(&buffer[..n]);
    }
    let mut text = String::with_capacity(64);
    for byte in hasher.finalize() {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}
