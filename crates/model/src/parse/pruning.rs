//! The wrapper `PruneLowMagnitude` of TensorFlow Model Optimization, which has no effect on a
//! finished model: its weights are already masked.

use ndarray::ArrayD;
use serde_json::{Map, Value};

use super::attributes::Attributes;
use super::json::short;
use super::tensors::Tensors;
use crate::{Ledger, ModelError, Place};

/// The layer inside a pruning wrapper.
pub(super) struct Unwrapped<'f> {
    pub(super) name: &'f str,
    pub(super) class: &'f str,
    pub(super) config: &'f Map<String, Value>,
}

/// Whether a class is the wrapper.
pub(super) fn is_wrapper(class: &str) -> bool {
    matches!(class, "PruneLowMagnitude" | "Custom>PruneLowMagnitude")
}

/// Takes the wrapper's configuration apart. The layer keeps its own name, as after
/// `strip_pruning`.
pub(super) fn unwrap<'f>(
    name: &'f str,
    config: &'f Map<String, Value>,
    ledger: &mut Ledger,
) -> Result<Unwrapped<'f>, ModelError> {
    let mut keys = Attributes::new(name, config, ledger);
    keys.common()?;
    keys.training_only(&[
        "pruning_schedule",
        "block_size",
        "block_pooling_type",
        "sparsity_m_by_n",
        "batch_input_shape",
    ]);
    let layer = keys.take("layer").ok_or_else(|| keys.missing("layer"))?;
    let layer = layer
        .as_object()
        .ok_or_else(|| keys.error("layer", format!("expected a layer, found {}", short(layer))))?;
    let mut inner = keys.nested("layer", layer);
    let class = inner.text("class_name")?;
    let config = inner.take("config").and_then(Value::as_object);
    inner.inert(&["module", "registered_name", "build_config", "shared_object_id"]);
    let config = config.ok_or_else(|| inner.missing("config"))?;
    let name = config.get("name").and_then(Value::as_str).filter(|n| !n.is_empty());
    let name = name.ok_or_else(|| inner.missing("config.name"))?;
    inner.finish()?;
    keys.finish()?;
    Ok(Unwrapped { name, class, config })
}

/// Takes the weights that the wrapper adds. A mask that would still change the kernel is an
/// error: whether TensorFlow applies it then depends on how the model is run.
pub(super) fn take_weights(
    layer: &str,
    tensors: &mut Tensors<'_>,
    kernel: Option<&ArrayD<f32>>,
) -> Result<(), ModelError> {
    let mask = tensors.take_if_present("mask")?;
    tensors.take_if_present("threshold")?;
    tensors.take_if_present("pruning_step")?;
    let (Some(mask), Some(kernel)) = (mask, kernel) else {
        return Ok(());
    };
    let error = |what: String| {
        Err(ModelError::new(Place::layer(layer), what)
            .with_help("strip the pruning wrappers (tfmot strip_pruning) and save the model again"))
    };
    if mask.shape() != kernel.shape() {
        return error(format!(
            "the pruning mask has shape {:?}, the kernel {:?}",
            mask.shape(),
            kernel.shape()
        ));
    }
    let unmasked = kernel.iter().zip(mask).position(|(&w, &m)| w * m != w);
    match unmasked {
        None => Ok(()),
        Some(at) => error(format!(
            "the pruning mask has not been applied to the kernel (first at flat index {at})"
        )),
    }
}
