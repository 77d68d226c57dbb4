//! Why a model cannot be used.

use std::fmt;

/// Where in a model a problem is: layer, then attribute.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    layer: Option<String>,
    attribute: Option<String>,
}

impl Place {
    /// The model as a whole.
    pub fn model() -> Self {
        Self::default()
    }

    /// A layer.
    pub fn layer(name: impl Into<String>) -> Self {
        Self { layer: Some(name.into()), attribute: None }
    }

    /// An attribute of this place, such as `kernel_quantizer.alpha`.
    #[must_use]
    pub fn attribute(mut self, name: impl AsRef<str>) -> Self {
        let name = name.as_ref();
        self.attribute = Some(match self.attribute {
            Some(outer) => format!("{outer}.{name}"),
            None => name.to_owned(),
        });
        self
    }

    /// The layer's name, if the place is in a layer.
    pub fn layer_name(&self) -> Option<&str> {
        self.layer.as_deref()
    }

    /// The attribute's path, if the place is an attribute.
    pub fn attribute_name(&self) -> Option<&str> {
        self.attribute.as_deref()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.layer, &self.attribute) {
            (Some(l), Some(a)) => write!(f, "layer `{l}`, {a}"),
            (Some(l), None) => write!(f, "layer `{l}`"),
            (None, Some(a)) => write!(f, "model, {a}"),
            (None, None) => f.write_str("model"),
        }
    }
}

/// A model that cannot be read, or that holds something no leg can evaluate.
///
/// The message says where, what was found, and what would be accepted; it reads well after
/// "failed to read the model: ".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}")]
pub struct ModelError {
    place: Place,
    what: String,
    help: Option<String>,
}

impl ModelError {
    /// A problem `what` at `place`.
    pub fn new(place: Place, what: impl Into<String>) -> Self {
        Self { place, what: what.into(), help: None }
    }

    /// Adds what the user can do about it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Where the problem is.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// What the user can do, if anything is known to help.
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }
}
