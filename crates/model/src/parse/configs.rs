//! The configurations of the layers as the file has them, for whoever writes a model again.

use serde_json::{Map, Value};

use super::flatten::flatten;
use super::topology::{self, Source};
use super::{KerasFile, pruning};
use crate::{Ledger, ModelError};

/// The configuration of each layer of a file, in the order of [`Model::layers`]: `None` for what the
/// file has no configuration of (the input of a Sequential model without one, a nested model as a
/// whole). A layer in a pruning wrapper is the layer itself.
///
/// # Errors
/// As [`from_keras`](super::from_keras), for the graph.
///
/// [`Model::layers`]: crate::Model::layers
pub fn layer_configs(file: &KerasFile) -> Result<Vec<Option<Map<String, Value>>>, ModelError> {
    let mut ledger = Ledger::default();
    let topology = topology::read(&file.model_config, &mut ledger)?;
    let flat = flatten(&topology)?;
    flat.layers
        .iter()
        .map(|layer| match &layer.raw.source {
            Source::Synthesised(_) | Source::Nested(_) => Ok(None),
            Source::File { class, config } if pruning::is_wrapper(class) => {
                let inner = pruning::unwrap(&layer.raw.name, config, &mut ledger)?;
                Ok(Some(inner.config.clone()))
            }
            Source::File { config, .. } => Ok(Some((*config).clone())),
        })
        .collect()
}
