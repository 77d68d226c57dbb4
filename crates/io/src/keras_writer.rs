//! Keras-2 model files, written.

use std::path::Path;
use std::str::FromStr;

use bittrue_model::{KerasDocument, Weight, WeightGroup};
use hdf5::types::VarLenUnicode;
use hdf5::{File, Group, H5Type, Location};
use ndarray::ArrayD;

use crate::beside::Temporary;
use crate::output::write_text;
use crate::{IoError, IoErrorKind};

/// Most texts in one attribute: an object's attributes fit into 64 kB together, and a text takes
/// 16 bytes there. Keras splits longer lists.
const MAX_TEXTS: usize = 3000;

/// The group in which Keras puts weights that belong to no layer.
const TOP_LEVEL: &str = "top_level_model_weights";

/// Writes a Keras model in HDF5 format, as `model.save("model.h5")` of Keras 2.15 does.
///
/// The file appears under its name when it is complete; what was there before stays until then.
///
/// # Errors
/// [`IoErrorKind::Output`]: the file cannot be created there, the disk is full, or two weights have
/// one name.
pub fn write_keras(path: &Path, document: &KerasDocument) -> Result<(), IoError> {
    let temporary = Temporary::beside(path)?;
    File::create(&temporary.path)
        .map_err(|e| e.to_string())
        .and_then(|root| {
            write(&root, document)?;
            root.flush().map_err(|e| e.to_string())?;
            root.close().map_err(|e| e.to_string())
        })
        .map_err(|what| {
            IoError::new(IoErrorKind::Output, path, format!("cannot be written: {what}"))
        })?;
    temporary.keep()
}

fn write(root: &File, document: &KerasDocument) -> Result<(), String> {
    write_text(root, "model_config", &document.model_config.to_string())?;
    write_text(root, "keras_version", document.keras_version)?;
    write_text(root, "backend", "tensorflow")?;
    let weights = root.create_group("model_weights").map_err(|e| e.to_string())?;
    write_text(&weights, "keras_version", document.keras_version)?;
    write_text(&weights, "backend", "tensorflow")?;
    let names: Vec<&str> = document.groups.iter().map(|g| g.layer.as_str()).collect();
    write_list(&weights, "layer_names", &names)?;
    for group in &document.groups {
        write_group(&weights, group).map_err(|e| format!("layer `{}`: {e}", group.layer))?;
    }
    if !names.contains(&TOP_LEVEL) {
        write_group(&weights, &WeightGroup { layer: TOP_LEVEL.to_owned(), weights: Vec::new() })?;
    }
    Ok(())
}

fn write_group(weights: &Group, group: &WeightGroup) -> Result<(), String> {
    let own = weights.create_group(&group.layer).map_err(|e| e.to_string())?;
    let names: Vec<&str> = group.weights.iter().map(|(name, _)| name.as_str()).collect();
    write_list(&own, "weight_names", &names)?;
    for (name, weight) in &group.weights {
        let written = match weight {
            Weight::Float(values) => write_values(&own, name, values),
            Weight::Int8(values) => write_values(&own, name, values),
        };
        written.map_err(|e| format!("{name}: {e}"))?;
    }
    Ok(())
}

fn write_values<T: H5Type>(group: &Group, name: &str, values: &ArrayD<T>) -> Result<(), String> {
    // `bn/gamma:0` is a dataset in a group, which several weights share.
    let (group, name) = match name.rsplit_once('/') {
        None => (group.clone(), name),
        Some((scope, name)) => {
            let found = match group.link_exists(scope) {
                true => group.group(scope),
                false => group.create_group(scope),
            };
            (found.map_err(|e| e.to_string())?, name)
        }
    };
    let dataset = group.new_dataset::<T>().shape(values.shape()).create(name);
    dataset.and_then(|d| d.write(values)).map_err(|e| e.to_string())
}

/// A list of texts; an empty one is of float64, as NumPy makes it.
fn write_list(object: &Location, name: &str, texts: &[&str]) -> Result<(), String> {
    let failed = |e: hdf5::Error| format!("attribute {name} cannot be written: {e}");
    if texts.is_empty() {
        return object.new_attr::<f64>().shape(0).create(name).map(drop).map_err(failed);
    }
    let parts = texts.chunks(MAX_TEXTS);
    let single = parts.len() == 1;
    for (n, part) in parts.enumerate() {
        let name = if single { name.to_owned() } else { format!("{name}{n}") };
        let values: Result<Vec<VarLenUnicode>, _> =
            part.iter().map(|t| VarLenUnicode::from_str(t)).collect();
        let values = values.map_err(|e| format!("attribute {name} cannot be written: {e}"))?;
        object
            .new_attr_builder()
            .with_data(values.as_slice())
            .create(name.as_str())
            .map_err(failed)?;
    }
    Ok(())
}
