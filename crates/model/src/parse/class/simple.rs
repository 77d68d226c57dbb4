//! Layers without weights: inputs, activations, changes of shape, merges.

use serde_json::{Value, json};

use super::{Read, window};
use crate::parse::activation::{self, Reader};
use crate::parse::attributes::Attributes;
use crate::parse::json::{items, short};
use crate::parse::shape::ShapeRule;
use crate::{Activation, LayerKind, MergeKind, ModelError, Relu};

/// The shape of an InputLayer for one event, from a shape with the batch.
pub(in crate::parse) fn input_shape(value: &Value) -> Result<Vec<usize>, String> {
    let dimensions = items(value)
        .filter(|d| !d.is_empty())
        .ok_or_else(|| format!("expected a shape with the batch, found {}", short(value)))?;
    if dimensions[1..].iter().any(|d| d.as_u64() == Some(0)) {
        return Err(format!("{} has a dimension of size 0: an event holds no value", short(value)));
    }
    dimensions[1..]
        .iter()
        .map(|d| d.as_u64().filter(|&d| d > 0).and_then(|d| usize::try_from(d).ok()))
        .collect::<Option<Vec<usize>>>()
        .ok_or_else(|| format!("{} has a dimension that is not fixed", short(value)))
}

/// What to do about a dimension that is not fixed.
pub(in crate::parse) const FIXED_SHAPE_HELP: &str = "firmware has fixed sizes: build the model with keras.Input(shape=…) without None and save it \
     again";

pub(super) fn input(a: &mut Attributes<'_, '_>) -> Result<Read, ModelError> {
    const KEY: &str = "batch_input_shape";
    let value = a.take(KEY).ok_or_else(|| a.missing(KEY))?;
    let shape =
        input_shape(value).map_err(|what| a.error(KEY, what).with_help(FIXED_SHAPE_HELP))?;
    a.only("sparse", &[json!(false)])?;
    a.only("ragged", &[json!(false)])?;
    Ok(Read::new(LayerKind::Input, ShapeRule::Input(shape)))
}

fn rule_of(activation: &Activation) -> ShapeRule {
    match activation {
        Activation::Softmax => ShapeRule::Softmax(-1),
        _ => ShapeRule::Same,
    }
}

pub(super) fn q_activation(a: &mut Attributes<'_, '_>) -> Result<Read, ModelError> {
    let activation = activation::read(a, Reader::QKeras)?;
    // A QActivation calls what it was given; unlike a Dense it cannot go without.
    if a.peek("activation").is_none_or(Value::is_null) {
        return Err(a.missing("activation"));
    }
    let rule = rule_of(&activation);
    Ok(Read::new(LayerKind::QActivation(activation), rule))
}

pub(super) fn relu(a: &mut Attributes<'_, '_>) -> Result<Read, ModelError> {
    let max_value = match a.peek("max_value") {
        None | Some(Value::Null) => {
            a.take("max_value");
            None
        }
        Some(_) => Some(a.number("max_value", None)?),
    };
    let relu = Relu {
        max_value,
        negative_slope: a.number("negative_slope", Some(0.0))?,
        threshold: a.number("threshold", Some(0.0))?,
    };
    // Keras refuses these when it builds the layer.
    for (key, value) in [
        ("max_value", relu.max_value.unwrap_or(0.0)),
        ("negative_slope", relu.negative_slope),
        ("threshold", relu.threshold),
    ] {
        if value < 0.0 {
            return Err(a.error(key, format!("{value} is negative")));
        }
    }
    Ok(Read::new(LayerKind::Relu(relu), ShapeRule::Same))
}

pub(super) fn softmax(a: &mut Attributes<'_, '_>) -> Result<Read, ModelError> {
    const KEY: &str = "axis";
    let value = a.take(KEY);
    let Some(value) = value else {
        return Ok(Read::new(LayerKind::Softmax, ShapeRule::Softmax(-1)));
    };
    match items(value).unwrap_or(std::slice::from_ref(value)) {
        [axis] => axis.as_i64(),
        _ => None,
    }
    .map(|axis| Read::new(LayerKind::Softmax, ShapeRule::Softmax(axis)))
    .ok_or_else(|| a.error(KEY, format!("{} is not supported; supported: -1", short(value))))
}

pub(super) fn reshape(a: &mut Attributes<'_, '_>) -> Result<Read, ModelError> {
    const KEY: &str = "target_shape";
    let value = a.take(KEY).ok_or_else(|| a.missing(KEY))?;
    let target: Option<Vec<i64>> =
        items(value).and_then(|list| list.iter().map(Value::as_i64).collect());
    let target = target.ok_or_else(|| {
        a.error(KEY, format!("expected a list of integers, found {}", short(value)))
    })?;
    Ok(Read::new(LayerKind::Reshape, ShapeRule::Reshape(target)))
}

pub(super) fn merge(kind: MergeKind) -> Read {
    let arguments = matches!(kind, MergeKind::Subtract).then_some(2);
    Read::new(LayerKind::Merge(kind), ShapeRule::Merge { arguments })
}

/// Keras' `Activation`.
pub(super) fn keras_activation(a: &mut Attributes<'_, '_>) -> Result<Read, ModelError> {
    let activation = activation::read(a, Reader::Keras)?;
    let rule = rule_of(&activation);
    Ok(Read::new(LayerKind::Activation(activation), rule))
}

pub(super) fn thresholded_relu(a: &mut Attributes<'_, '_>) -> Result<Read, ModelError> {
    let theta = a.number("theta", Some(1.0))?;
    // Keras refuses it when it builds the layer.
    if theta < 0.0 {
        return Err(a.error("theta", format!("{theta} is negative")));
    }
    Ok(Read::new(LayerKind::ThresholdedRelu { theta }, ShapeRule::Same))
}

pub(super) fn elu(a: &mut Attributes<'_, '_>) -> Result<Read, ModelError> {
    let alpha = a.number("alpha", Some(1.0))?;
    Ok(Read::new(LayerKind::Elu { alpha }, ShapeRule::Same))
}

pub(super) fn flatten(a: &mut Attributes<'_, '_>) -> Result<Read, ModelError> {
    window::channels_last(a)?;
    Ok(Read::new(LayerKind::Flatten, ShapeRule::Flatten))
}

/// `Dropout`, or one that drops whole channels of events of this rank.
pub(super) fn dropout(a: &mut Attributes<'_, '_>, rank: Option<usize>) -> Read {
    a.training_only(&["rate", "noise_shape", "seed"]);
    Read::new(LayerKind::Dropout, rank.map_or(ShapeRule::Same, ShapeRule::Rank))
}

/// `Permute`, whose axes count from 1 in the file.
pub(super) fn permute(a: &mut Attributes<'_, '_>) -> Result<Read, ModelError> {
    const KEY: &str = "dims";
    let value = a.take(KEY).ok_or_else(|| a.missing(KEY))?;
    let axes: Option<Vec<usize>> = items(value).and_then(|list| {
        let axes = list.iter().map(|d| d.as_u64()?.checked_sub(1)?.try_into().ok());
        axes.collect()
    });
    let axes = axes.filter(|axes| {
        let mut sorted = axes.clone();
        sorted.sort_unstable();
        sorted.iter().copied().eq(0..axes.len()) && !axes.is_empty()
    });
    let Some(axes) = axes else {
        let what = format!(
            "{} is not supported; supported: each of the axes 1, 2, … of one event, once",
            short(value)
        );
        return Err(a.error(KEY, what));
    };
    Ok(Read::new(LayerKind::Permute(axes.clone()), ShapeRule::Permute(axes)))
}
