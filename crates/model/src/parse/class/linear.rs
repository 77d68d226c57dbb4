//! What `Dense` and the convolutions share: bias, activation, quantizers; and `Dense` itself.

use ndarray::ArrayD;

use super::Read;
use crate::parse::activation::{self, Reader};
use crate::parse::attributes::Attributes;
use crate::parse::quantizer::read_quantizer;
use crate::parse::shape::ShapeRule;
use crate::parse::tensors::Tensors;
use crate::{Activation, Dense, LayerKind, ModelError, Quantizer};

/// Most units, filters or groups of one layer.
pub(super) const MAX_UNITS: i64 = i32::MAX as i64;

/// The arguments about what follows the products.
pub(super) struct Head {
    pub(super) use_bias: bool,
    pub(super) activation: Activation,
    pub(super) bias_quantizer: Option<Quantizer>,
}

/// Reads them, and the arguments of the kernel and the bias that only matter while training.
pub(super) fn head(a: &mut Attributes<'_, '_>, quantized: bool) -> Result<Head, ModelError> {
    let reader = if quantized { Reader::QKeras } else { Reader::Keras };
    let activation = activation::read(a, reader)?;
    let use_bias = a.truth("use_bias", true)?;
    let bias_quantizer = if quantized { read_quantizer(a, "bias_quantizer")? } else { None };
    a.training_only(&[
        "kernel_initializer",
        "bias_initializer",
        "kernel_regularizer",
        "bias_regularizer",
        "activity_regularizer",
        "kernel_constraint",
        "bias_constraint",
    ]);
    Ok(Head { use_bias, activation, bias_quantizer })
}

/// A number of things, at least one.
pub(super) fn count(
    a: &mut Attributes<'_, '_>,
    key: &'static str,
    default: Option<i64>,
    max: i64,
) -> Result<usize, ModelError> {
    let n = a.integer(key, default, 1, max)?;
    usize::try_from(n).map_err(|_| a.error(key, format!("{n} is out of range")))
}

/// The number of results along the last axis, which has no default.
pub(super) fn units(a: &mut Attributes<'_, '_>, key: &'static str) -> Result<usize, ModelError> {
    count(a, key, None, MAX_UNITS)
}

/// The bias, one value for each unit.
pub(super) fn bias(
    a: &Attributes<'_, '_>,
    tensors: &mut Tensors<'_>,
    use_bias: bool,
    units: usize,
) -> Result<Option<ArrayD<f32>>, ModelError> {
    if !use_bias {
        return Ok(None);
    }
    let bias = tensors.take("bias")?;
    if bias.shape() != [units] {
        return Err(wrong_shape(a, "bias", bias, &format!("[{units}]")));
    }
    Ok(Some(bias.clone()))
}

/// The error for a weight of another shape than the configuration says.
pub(super) fn wrong_shape(
    a: &Attributes<'_, '_>,
    name: &str,
    tensor: &ArrayD<f32>,
    expected: &str,
) -> ModelError {
    ModelError::new(
        a.place().clone(),
        format!("{name} has shape {:?}, expected {expected}", tensor.shape()),
    )
}

/// Reads `Dense` or `QDense`.
pub(super) fn dense(
    a: &mut Attributes<'_, '_>,
    tensors: &mut Tensors<'_>,
    quantized: bool,
) -> Result<Read, ModelError> {
    let units = units(a, "units")?;
    let Head { use_bias, activation, bias_quantizer } = head(a, quantized)?;
    let mut kernel_quantizer = None;
    if quantized {
        kernel_quantizer = read_quantizer(a, "kernel_quantizer")?;
        // Deprecated: QKeras keeps them and uses them for nothing.
        a.training_only(&["kernel_range", "bias_range"]);
    }
    let kernel = tensors.take("kernel")?;
    let input = match kernel.shape() {
        &[input, columns] if columns == units && input > 0 => input,
        _ => return Err(wrong_shape(a, "kernel", kernel, &format!("[input, {units}]"))),
    };
    let bias = bias(a, tensors, use_bias, units)?;
    let kind = LayerKind::Dense(Dense {
        quantized,
        kernel: kernel.clone(),
        bias,
        kernel_quantizer,
        bias_quantizer,
        activation,
    });
    Ok(Read::new(kind, ShapeRule::LastAxis { input, units }))
}
