//! Keras-2 model files, taken apart.

use std::path::Path;

use bittrue_model::parse::{KerasFile, LayerWeights};
use hdf5::Group;

use crate::{IoError, IoErrorKind, file, number, text};

/// Most weights of a model, in values. A trigger network has some ten thousand.
const MAX_WEIGHTS: usize = 1 << 28;

/// Most dimensions of a weight, the limit of HDF5.
const MAX_RANK: usize = 32;

/// Reads the parts of a Keras model in HDF5 format: configuration and weights as they are, in the
/// order in which the file lists them.
///
/// # Errors
/// [`IoErrorKind::Model`]: the path is no readable HDF5 file, the file is no model (weights only,
/// events, …), or a part that it announces is missing or malformed.
pub fn read_keras(path: &Path) -> Result<KerasFile, IoError> {
    let file = file::open(IoErrorKind::Model, path)?;
    let error = |what: String| IoError::new(IoErrorKind::Model, path, what);
    let config = text::read(&file, "model_config").map_err(error)?;
    let Some(config) = config else {
        return Err(not_a_model(path, &file));
    };
    let model_config = serde_json::from_str(&config)
        .map_err(|e| error(format!("attribute model_config is not valid JSON: {e}")))?;
    let keras_version = text::read(&file, "keras_version").map_err(error)?;
    let group = file
        .group("model_weights")
        .map_err(|_| error("has a model_config but no group model_weights".to_owned()))?;
    let layer_names = text::read_list(&group, "layer_names")
        .and_then(|list| list.ok_or_else(|| "attribute layer_names is missing".to_owned()))
        .map_err(|what| error(format!("model_weights: {what}")))?;
    let mut budget = MAX_WEIGHTS;
    let weights = layer_names
        .iter()
        .map(|layer| read_layer(&group, layer, &mut budget))
        .collect::<Result<Vec<LayerWeights>, String>>()
        .map_err(error)?;
    Ok(KerasFile { model_config, keras_version, layer_names, weights })
}

fn not_a_model(path: &Path, file: &Group) -> IoError {
    let error =
        |what: &str, help: &str| IoError::new(IoErrorKind::Model, path, what).with_help(help);
    let is_weights = |group: &Group| matches!(text::read_list(group, "layer_names"), Ok(Some(_)));
    if is_weights(file) {
        return error(
            "holds only weights, without the model's configuration",
            "save_weights() leaves the configuration out: use model.save(\"model.h5\")",
        );
    }
    if file.group("model_weights").is_ok_and(|g| is_weights(&g)) {
        return error(
            "holds weights but no attribute model_config",
            "the model was perhaps subclassed, which HDF5 cannot hold; build it with the \
             functional API and save it again",
        );
    }
    let mut members = file.member_names().unwrap_or_default();
    members.truncate(8);
    let found = match members.is_empty() {
        true => "it is empty".to_owned(),
        false => format!("it holds {}", members.join(", ")),
    };
    error(
        &format!("is no Keras model: it has no attribute model_config ({found})"),
        "give the file that model.save(\"model.h5\") wrote; is this the events file?",
    )
}

fn read_layer(weights: &Group, layer: &str, budget: &mut usize) -> Result<LayerWeights, String> {
    let group = weights
        .group(layer)
        .map_err(|_| format!("model_weights/{layer}: is listed in layer_names but missing"))?;
    let names = text::read_list(&group, "weight_names")
        .and_then(|list| list.ok_or_else(|| "attribute weight_names is missing".to_owned()))
        .map_err(|what| format!("model_weights/{layer}: {what}"))?;
    let mut tensors = Vec::with_capacity(names.len());
    for name in names {
        let place = |what: String| format!("model_weights/{layer}/{name}: {what}");
        let dataset = group
            .dataset(&name)
            .map_err(|_| place("is listed in weight_names but missing".to_owned()))?;
        let shape = dataset.get_shape().map_err(|e| place(format!("has no shape: {e}")))?;
        let size = shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
        let left = size.and_then(|n| budget.checked_sub(n)).filter(|_| shape.len() <= MAX_RANK);
        *budget = left.ok_or_else(|| {
            place(format!(
                "shape {shape:?} is out of bounds; supported are models of up to {MAX_WEIGHTS} \
                 weights"
            ))
        })?;
        let tensor = number::read_f32(&dataset).map_err(place)?;
        tensors.push((name, tensor));
    }
    Ok(LayerWeights { layer: layer.to_owned(), tensors })
}
