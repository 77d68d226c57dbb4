//! Keras-2 model files, taken apart.

use std::path::Path;

use bittrue_model::parse::{KerasFile, LayerWeights};
use hdf5::{Group, Location};

use crate::{IoError, IoErrorKind, file, number, storage, text, watch};

/// Most weights of a model, in values. A trigger network has some ten thousand.
const MAX_WEIGHTS: usize = 1 << 26;

/// Most layers with weights, and most tensors of all of them.
const MAX_TENSORS: usize = 100_000;

/// Deepest brackets that the JSON parser follows.
const MAX_JSON_DEPTH: usize = 127;

/// What helps where nothing else is known.
const AGAIN: &str = "copy the file again, or save the model again with model.save(\"model.h5\")";

/// Reads the parts of a Keras model in HDF5 format: configuration and weights as they are, in the
/// order in which the file lists them.
///
/// # Errors
/// [`IoErrorKind::Model`]: the path is no readable HDF5 file, the file is no model (weights only,
/// events, …), or a part that it announces is missing or malformed.
pub fn read_keras(path: &Path) -> Result<KerasFile, IoError> {
    let _reading = watch::reading(IoErrorKind::Model, path);
    let file = file::open(IoErrorKind::Model, path)?;
    let error = |what: String| IoError::new(IoErrorKind::Model, path, what).with_help(AGAIN);
    let config = text::read(&file, "model_config").map_err(error)?;
    let Some(config) = config else {
        return Err(not_a_model(path, &file));
    };
    let model_config = serde_json::from_str(&config)
        .map_err(|e| error(format!("attribute model_config {}", json_error(&e))))?;
    let keras_version = text::read(&file, "keras_version").map_err(error)?;
    let group = file
        .group("model_weights")
        .map_err(|_| error("has a model_config but no group model_weights".to_owned()))?;
    let layer_names = text::read_list(&group, "layer_names")
        .and_then(|list| list.ok_or_else(|| "attribute layer_names is missing".to_owned()))
        .map_err(|what| error(format!("model_weights: {what}")))?;
    let mut budget = Budget { tensors: MAX_TENSORS, weights: MAX_WEIGHTS };
    let fileno = file_number(&file).map_err(error)?;
    let weights = layer_names
        .iter()
        .map(|layer| read_layer(&group, layer, fileno, &mut budget))
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

/// What is wrong with a configuration that serde_json does not take.
fn json_error(e: &serde_json::Error) -> String {
    let text = e.to_string();
    match text.strip_prefix("recursion limit exceeded") {
        Some(place) => format!("is nested more than {MAX_JSON_DEPTH} levels deep{place}"),
        None => format!("is not valid JSON: {text}"),
    }
}

/// What may still be read.
struct Budget {
    tensors: usize,
    weights: usize,
}

impl Budget {
    /// Takes one more layer or tensor.
    fn object(&mut self) -> Result<(), String> {
        self.tensors = self.tensors.checked_sub(1).ok_or_else(|| {
            format!("models of more than {MAX_TENSORS} layers and tensors are not supported")
        })?;
        Ok(())
    }
}

/// The number by which the library knows the file that an object is in.
fn file_number(object: &Location) -> Result<u64, String> {
    object.loc_info().map(|info| info.fileno).map_err(|e| format!("cannot be read: {e}"))
}

/// Refuses what a link has found in another file.
fn in_file(object: &Location, fileno: u64) -> Result<(), String> {
    match file_number(object)? == fileno {
        true => Ok(()),
        false => Err("is a link to another file, which is not followed".to_owned()),
    }
}

fn read_layer(
    weights: &Group,
    layer: &str,
    fileno: u64,
    budget: &mut Budget,
) -> Result<LayerWeights, String> {
    watch::step();
    let place = |what: String| format!("model_weights/{layer}: {what}");
    budget.object().map_err(place)?;
    let group = weights
        .group(layer)
        .map_err(|_| place("is listed in layer_names but missing".to_owned()))?;
    in_file(&group, fileno).map_err(place)?;
    let names = text::read_list(&group, "weight_names")
        .and_then(|list| list.ok_or_else(|| "attribute weight_names is missing".to_owned()))
        .map_err(|what| format!("model_weights/{layer}: {what}"))?;
    let mut tensors = Vec::with_capacity(names.len());
    for name in names {
        watch::step();
        let place = |what: String| format!("model_weights/{layer}/{name}: {what}");
        budget.object().map_err(place)?;
        let dataset = group
            .dataset(&name)
            .map_err(|_| place("is listed in weight_names but missing".to_owned()))?;
        let shape = dataset.get_shape().map_err(|e| place(format!("has no shape: {e}")))?;
        let size = shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
        let left = size.and_then(|n| budget.weights.checked_sub(n));
        budget.weights = left.ok_or_else(|| {
            place(format!(
                "shape {shape:?} is out of bounds; supported are models of up to {MAX_WEIGHTS} \
                 weights"
            ))
        })?;
        in_file(&dataset, fileno).map_err(place)?;
        storage::check(&dataset, shape.len()).map_err(place)?;
        let tensor = number::read_f32(&dataset).map_err(place)?;
        tensors.push((name, tensor));
    }
    Ok(LayerWeights { layer: layer.to_owned(), tensors })
}
