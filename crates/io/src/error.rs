//! Why a file cannot be read or written.

use std::path::{Path, PathBuf};

/// Which part of the program's work a file error belongs to; it decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IoErrorKind {
    /// A model file cannot be read (exit code 3).
    Model,
    /// Events cannot be read, or do not fit the model (exit code 5).
    Events,
    /// A recorded trace cannot be read, or does not fit the model (exit code 4).
    Trace,
    /// An output cannot be written (exit code 7).
    Output,
}

/// A file that cannot be read or written.
///
/// The message names the file, what is wrong with it and where in it; it reads well after
/// "failed to read the events: ".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {what}", path.display())]
pub struct IoError {
    kind: IoErrorKind,
    path: PathBuf,
    what: String,
    help: Option<String>,
}

impl IoError {
    /// A problem `what` with the file `path`.
    pub fn new(kind: IoErrorKind, path: &Path, what: impl Into<String>) -> Self {
        Self { kind, path: path.to_owned(), what: what.into(), help: None }
    }

    /// Adds what the user can do about it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same of a file that belongs to other work.
    #[must_use]
    pub(crate) fn of_kind(mut self, kind: IoErrorKind) -> Self {
        self.kind = kind;
        self
    }

    /// Which part of the program's work failed.
    pub fn kind(&self) -> IoErrorKind {
        self.kind
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the user can do, if anything is known to help.
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }
}
