//! Convolutions: `Conv1D/2D`, `QConv1D/2D`, `SeparableConv1D/2D`, `QSeparableConv1D/2D`.

use ndarray::ArrayD;

use super::linear::{self, Head, MAX_UNITS};
use super::{Read, window};
use crate::parse::attributes::Attributes;
use crate::parse::quantizer::read_quantizer;
use crate::parse::shape::ShapeRule;
use crate::parse::tensors::Tensors;
use crate::{Conv, LayerKind, ModelError, SeparableConv};

/// Reads a convolution over `axes` spatial axes.
pub(super) fn conv(
    a: &mut Attributes<'_, '_>,
    tensors: &mut Tensors<'_>,
    axes: usize,
    quantized: bool,
) -> Result<Read, ModelError> {
    let filters = linear::units(a, "filters")?;
    let window = window::of_convolution(a, axes)?;
    let groups = linear::count(a, "groups", Some(1), MAX_UNITS)?;
    if !filters.is_multiple_of(groups) {
        return Err(a.error("groups", format!("{groups} does not divide the {filters} filters")));
    }
    let Head { use_bias, activation, bias_quantizer } = linear::head(a, quantized)?;
    let mut kernel_quantizer = None;
    if quantized {
        kernel_quantizer = read_quantizer(a, "kernel_quantizer")?;
        // Deprecated: QKeras keeps them and uses them for nothing.
        a.training_only(&["kernel_range", "bias_range"]);
    }
    let kernel = tensors.take("kernel")?;
    let per_group = check(a, "kernel", kernel, &window.size, "channel / groups", Some(filters))?;
    let bias = linear::bias(a, tensors, use_bias, filters)?;
    let Some(channels) = per_group.checked_mul(groups) else {
        return Err(a.error("groups", format!("{groups} is out of range")));
    };
    let kind = LayerKind::Conv(Conv {
        quantized,
        window: window.clone(),
        groups,
        kernel: kernel.clone(),
        bias,
        kernel_quantizer,
        bias_quantizer,
        activation,
    });
    Ok(Read::new(kind, ShapeRule::Conv { window, channels, filters }))
}

/// Reads a separable convolution over `axes` spatial axes.
pub(super) fn separable(
    a: &mut Attributes<'_, '_>,
    tensors: &mut Tensors<'_>,
    axes: usize,
    quantized: bool,
) -> Result<Read, ModelError> {
    let filters = linear::units(a, "filters")?;
    let window = window::of_convolution(a, axes)?;
    // TensorFlow's depthwise convolution knows one stride only; Keras notices when it is called.
    if window.strides.iter().any(|&s| s != window.strides[0]) {
        let what = format!(
            "{:?} is not supported; supported: the same stride along both axes",
            window.strides
        );
        return Err(a.error("strides", what));
    }
    // Written by the base class, which has no effect on a separable convolution.
    a.only("groups", &[1.into()])?;
    let multiplier = linear::count(a, "depth_multiplier", Some(1), MAX_UNITS)?;
    let Head { use_bias, activation, bias_quantizer } = linear::head(a, quantized)?;
    let (mut depthwise_quantizer, mut pointwise_quantizer) = (None, None);
    if quantized {
        depthwise_quantizer = read_quantizer(a, "depthwise_quantizer")?;
        pointwise_quantizer = read_quantizer(a, "pointwise_quantizer")?;
    }
    a.training_only(&[
        "depthwise_initializer",
        "pointwise_initializer",
        "depthwise_regularizer",
        "pointwise_regularizer",
        "depthwise_constraint",
        "pointwise_constraint",
    ]);
    let depthwise = tensors.take("depthwise_kernel")?;
    let channels =
        check(a, "depthwise_kernel", depthwise, &window.size, "channel", Some(multiplier))?;
    let pointwise = tensors.take("pointwise_kernel")?;
    let products = check(
        a,
        "pointwise_kernel",
        pointwise,
        &vec![1; axes],
        "channel · multiplier",
        Some(filters),
    )?;
    if channels.checked_mul(multiplier) != Some(products) {
        let what = format!(
            "the depthwise kernel gives {channels} · {multiplier} channels, the pointwise kernel \
             takes {products}"
        );
        return Err(ModelError::new(a.place().clone(), what));
    }
    let bias = linear::bias(a, tensors, use_bias, filters)?;
    let kind = LayerKind::SeparableConv(SeparableConv {
        quantized,
        window: window.clone(),
        depthwise_kernel: depthwise.clone(),
        pointwise_kernel: pointwise.clone(),
        bias,
        depthwise_quantizer,
        pointwise_quantizer,
        bias_quantizer,
        activation,
    });
    Ok(Read::new(kind, ShapeRule::Conv { window, channels, filters }))
}

/// Checks that a kernel has the shape `[cell…, input, output]`, and gives the length of its input
/// axis.
fn check(
    a: &Attributes<'_, '_>,
    name: &str,
    kernel: &ArrayD<f32>,
    cells: &[usize],
    input_axis: &str,
    output: Option<usize>,
) -> Result<usize, ModelError> {
    if let [found @ .., input, last] = kernel.shape()
        && found == cells
        && *input > 0
        && output.is_none_or(|o| o == *last)
    {
        return Ok(*input);
    }
    let mut expected: Vec<String> = cells.iter().map(usize::to_string).collect();
    expected.push(input_axis.to_owned());
    expected.extend(output.map(|o| o.to_string()));
    Err(linear::wrong_shape(a, name, kernel, &format!("[{}]", expected.join(", "))))
}
