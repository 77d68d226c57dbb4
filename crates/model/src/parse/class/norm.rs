//! `BatchNormalization` with its moving statistics.

use serde_json::{Value, json};

use super::{Read, linear};
use crate::parse::attributes::Attributes;
use crate::parse::json::{items, short};
use crate::parse::shape::ShapeRule;
use crate::parse::tensors::Tensors;
use crate::{BatchNorm, LayerKind, ModelError};

/// Keras' default.
const EPSILON: f64 = 1e-3;

/// Reads the layer. The axes within an event, and with them the shape of the parameters, are known
/// when the argument's rank is.
pub(super) fn batch_normalization(
    a: &mut Attributes<'_, '_>,
    tensors: &mut Tensors<'_>,
) -> Result<Read, ModelError> {
    let axes = axes(a)?;
    let epsilon = a.number("epsilon", Some(EPSILON))?;
    let scale = a.truth("scale", true)?;
    let center = a.truth("center", true)?;
    a.training_only(&[
        "momentum",
        "synchronized",
        "beta_initializer",
        "gamma_initializer",
        "moving_mean_initializer",
        "moving_variance_initializer",
        "beta_regularizer",
        "gamma_regularizer",
        "beta_constraint",
        "gamma_constraint",
    ]);
    // Arguments of TensorFlow 1, which Keras 2.15 has no layer for.
    a.only("renorm", &[json!(false), Value::Null])?;
    a.only("virtual_batch_size", &[Value::Null])?;
    let mean = tensors.take("moving_mean")?;
    let variance = tensors.take("moving_variance")?;
    let gamma = if scale { Some(tensors.take("gamma")?) } else { None };
    let beta = if center { Some(tensors.take("beta")?) } else { None };
    let shape = mean.shape().to_vec();
    for (name, other) in [("moving_variance", Some(variance)), ("gamma", gamma), ("beta", beta)] {
        if let Some(other) = other.filter(|o| o.shape() != shape) {
            let expected = format!("{shape:?} as moving_mean");
            return Err(linear::wrong_shape(a, name, other, &expected));
        }
    }
    let kind = LayerKind::BatchNorm(BatchNorm {
        axes: Vec::new(),
        gamma: gamma.cloned(),
        beta: beta.cloned(),
        mean: mean.clone(),
        variance: variance.clone(),
        epsilon,
    });
    Ok(Read::new(kind, ShapeRule::Normalize { axes, parameters: shape }))
}

/// The axes as written: negative from the end, positive counted with the batch.
fn axes(a: &mut Attributes<'_, '_>) -> Result<Vec<i64>, ModelError> {
    const KEY: &str = "axis";
    let Some(value) = a.take(KEY) else {
        return Ok(vec![-1]);
    };
    let list = items(value).unwrap_or(std::slice::from_ref(value));
    let axes: Option<Vec<i64>> = list.iter().map(Value::as_i64).collect();
    axes.filter(|axes| !axes.is_empty()).ok_or_else(|| {
        let what =
            format!("{} is not supported; supported: an axis, or a list of axes", short(value));
        a.error(KEY, what)
    })
}

/// Gives the layer its axes within one event, which are rising, and its parameters the `lengths` of
/// these axes. `false` where the parameters have another number of elements.
pub(in crate::parse) fn settle(norm: &mut BatchNorm, axes: Vec<usize>, lengths: &[usize]) -> bool {
    let BatchNorm { mean, variance, gamma, beta, .. } = norm;
    for parameter in
        [Some(mean), Some(variance), gamma.as_mut(), beta.as_mut()].into_iter().flatten()
    {
        match parameter.clone().into_shape_with_order(lengths.to_vec()) {
            Ok(settled) => *parameter = settled,
            Err(_) => return false,
        }
    }
    norm.axes = axes;
    true
}
