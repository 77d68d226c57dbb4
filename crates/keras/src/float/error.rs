//! Why a float32 function cannot be built from its arguments.

use thiserror::Error;

/// An argument that the real software refuses, breaks on, or that no float32 value can express.
///
/// The message names the function, the attribute, the value found and what is supported; the layer
/// is added by the caller.
#[derive(Clone, Debug, PartialEq, Error)]
#[error("{function}: {attribute} = {value} is not supported: {reason}")]
pub struct ArgumentError {
    function: &'static str,
    attribute: &'static str,
    value: String,
    reason: &'static str,
}

impl ArgumentError {
    pub(super) fn new(
        function: &'static str,
        attribute: &'static str,
        value: impl ToString,
        reason: &'static str,
    ) -> Self {
        Self { function, attribute, value: value.to_string(), reason }
    }

    /// The function whose argument was refused, in the spelling of its own software.
    #[must_use]
    pub fn function(&self) -> &'static str {
        self.function
    }

    /// The argument that was refused.
    #[must_use]
    pub fn attribute(&self) -> &'static str {
        self.attribute
    }
}
