//! Why a conversion is refused.

use bittrue_model::{ModelError, Place};

/// A model that the conversion refuses, as HGQ refuses it.
///
/// The message says where, what was found and what HGQ does with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}")]
pub struct ConvertError {
    place: Place,
    what: String,
    help: String,
}

impl ConvertError {
    /// A refusal at `place`: what was found, and what to change in the model.
    pub fn new(place: Place, what: impl Into<String>, help: impl Into<String>) -> Self {
        Self { place, what: what.into(), help: help.into() }
    }

    /// Where.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// What to change in the model.
    pub fn help(&self) -> &str {
        &self.help
    }
}

impl From<ModelError> for ConvertError {
    fn from(e: ModelError) -> Self {
        let place = e.place().clone();
        let text = e.to_string();
        // The text of either error begins with its place.
        let what = text.strip_prefix(&format!("{place}: ")).unwrap_or(&text).to_owned();
        Self::new(place, what, e.help().unwrap_or_default())
    }
}
