//! Everything that can end a run early, by what the caller has to do about it.

use bittrue_engine::PlanError;
use bittrue_io::{IoError, IoErrorKind};
use bittrue_model::ModelError;
use bittrue_proxy::ConvertError;

/// Which part of the input or the surroundings is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// Flags that do not fit the model.
    Usage,
    /// The model cannot be read, or the reference cannot evaluate it.
    Model,
    /// The conversion or the target refuses the model.
    Conversion,
    /// The events.
    Events,
    /// A file that should be written.
    Output,
    /// Not an error: the user stopped the run before there was anything to report.
    Interrupted,
    /// A bug in bittrue.
    Internal,
}

/// A run that ended early: one message, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: ErrorKind,
    message: String,
    help: Option<String>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), help: None }
    }

    /// Which part is at fault.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What to do.
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }

    pub(crate) fn with_help(mut self, help: Option<&str>) -> Self {
        self.help = help.map(str::to_owned);
        self
    }

    pub(crate) fn model(file: &std::path::Path, e: &ModelError) -> Self {
        let help = e.help().unwrap_or(
            "if Keras loads this model, please report it to us with the file; else save it again",
        );
        Self::new(ErrorKind::Model, format!("{}: {e}", file.display())).with_help(Some(help))
    }

    pub(crate) fn convert(leg: &str, file: &std::path::Path, e: &ConvertError) -> Self {
        let message = format!("{}: {leg} cannot be built: {e}", file.display());
        Self::new(ErrorKind::Conversion, message).with_help(Some(e.help()))
    }

    pub(crate) fn plan(file: &std::path::Path, e: &PlanError) -> Self {
        let kind = match e.is_in_reference() {
            true => ErrorKind::Model,
            false => ErrorKind::Conversion,
        };
        Self::new(kind, format!("{}: {e}", file.display())).with_help(e.help())
    }
}

impl From<IoError> for Error {
    fn from(e: IoError) -> Self {
        let kind = match e.kind() {
            IoErrorKind::Model => ErrorKind::Model,
            IoErrorKind::Events => ErrorKind::Events,
            IoErrorKind::Trace => ErrorKind::Conversion,
            IoErrorKind::Output => ErrorKind::Output,
        };
        Self::new(kind, e.to_string()).with_help(e.help())
    }
}
