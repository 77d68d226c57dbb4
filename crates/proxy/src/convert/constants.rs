//! Layers of QKeras with weights → Keras layers with quantised weights.

use bittrue_keras::weights::{self, Evaluation, Role};
use bittrue_model::{
    Activation, Constant, Conv, Dense, LayerKind, ModelError, Place, Quantizer, SeparableConv,
};
use ndarray::{ArrayD, Dimension};

use super::DeclaredGrid;

/// The Keras layer that HGQ builds from a `QDense`: kernel and bias quantised once.
pub(super) fn dense(d: &Dense, place: &Place) -> Result<(LayerKind, DeclaredGrid), ModelError> {
    let kernel = kernel(&d.kernel, d.kernel_quantizer.as_ref(), place)?;
    let (bias, bias_on_grid) = bias(d.bias.as_ref(), d.bias_quantizer.as_ref(), place)?;
    let declared = DeclaredGrid { kernel: kernel.on_grid, bias: bias_on_grid, pointwise: false };
    let layer = Dense {
        quantized: false,
        kernel: kernel.values,
        bias,
        kernel_quantizer: None,
        bias_quantizer: None,
        activation: Activation::Linear,
    };
    Ok((LayerKind::Dense(layer), declared))
}

/// The same for `QConv1D` and `QConv2D`.
pub(super) fn conv(c: &Conv, place: &Place) -> Result<(LayerKind, DeclaredGrid), ModelError> {
    let kernel = kernel(&c.kernel, c.kernel_quantizer.as_ref(), place)?;
    let (bias, bias_on_grid) = bias(c.bias.as_ref(), c.bias_quantizer.as_ref(), place)?;
    let declared = DeclaredGrid { kernel: kernel.on_grid, bias: bias_on_grid, pointwise: false };
    let layer = Conv {
        quantized: false,
        window: c.window.clone(),
        groups: c.groups,
        kernel: kernel.values,
        bias,
        kernel_quantizer: None,
        bias_quantizer: None,
        activation: Activation::Linear,
    };
    Ok((LayerKind::Conv(layer), declared))
}

/// The same for `QSeparableConv1D/2D`, of which HGQ copies the bias only: the kernels are those of
/// the source and stand for numbers that nobody knows.
pub(super) fn separable(
    c: &SeparableConv,
    place: &Place,
) -> Result<(LayerKind, DeclaredGrid), ModelError> {
    let (bias, bias_on_grid) = bias(c.bias.as_ref(), c.bias_quantizer.as_ref(), place)?;
    let declared = DeclaredGrid { kernel: false, bias: bias_on_grid, pointwise: false };
    let layer = SeparableConv {
        quantized: false,
        bias,
        depthwise_quantizer: None,
        pointwise_quantizer: None,
        bias_quantizer: None,
        activation: Activation::Linear,
        ..c.clone()
    };
    Ok((LayerKind::SeparableConv(layer), declared))
}

/// HGQ evaluates quantizers of constants eagerly.
fn kernel(
    values: &ArrayD<f32>,
    quantizer: Option<&Quantizer>,
    place: &Place,
) -> Result<Constant, ModelError> {
    let place = place.clone().attribute("kernel_quantizer");
    let kernel = weights::quantize(quantizer, values, Role::Kernel, Evaluation::Eager, &place)?;
    finite(&kernel.values, &place)?;
    Ok(kernel)
}

/// The bias, and whether it declares a grid; a bias that is not there does not hinder.
fn bias(
    values: Option<&ArrayD<f32>>,
    quantizer: Option<&Quantizer>,
    place: &Place,
) -> Result<(Option<ArrayD<f32>>, bool), ModelError> {
    let Some(values) = values else { return Ok((None, true)) };
    let place = place.clone().attribute("bias_quantizer");
    let bias = weights::quantize(quantizer, values, Role::Bias, Evaluation::Eager, &place)?;
    finite(&bias.values, &place)?;
    Ok((Some(bias.values), bias.on_grid))
}

/// A quantizer of finite weights may give NaN (a scale of zero) or an infinity, which QKeras computes
/// with and no type of a firmware holds.
fn finite(values: &ArrayD<f32>, place: &Place) -> Result<(), ModelError> {
    match values.indexed_iter().find(|(_, v)| !v.is_finite()) {
        None => Ok(()),
        Some((index, value)) => Err(ModelError::new(
            place.clone(),
            format!(
                "the quantized weights hold {value} at index {:?}; no fixed-point type has it",
                index.as_array_view().to_vec()
            ),
        )
        .with_help("give the quantizer a numeric alpha, such as alpha=1")),
    }
}

#[cfg(test)]
mod tests {
    use bittrue_model::{Alpha, QuantizedBits};
    use ndarray::array;

    use super::*;

    #[test]
    fn a_scale_of_zero() {
        // One bit: the scale that QKeras 0.9.0 fits is a quotient of zeros.
        let quantizer = Quantizer::QuantizedBits(QuantizedBits {
            bits: 1,
            integer: 1,
            symmetric: 0,
            keep_negative: true,
            alpha: Alpha::Auto,
            use_stochastic_rounding: false,
            qnoise_factor: 1.0,
        });
        let refused = |values| {
            bias(Some(&values), Some(&quantizer), &Place::layer("d")).err().map(|e| e.to_string())
        };
        assert_eq!(
            refused(array![0.5_f32, 0.0].into_dyn()).unwrap(),
            "layer `d`, bias_quantizer: the quantized weights hold NaN at index [0]; no fixed-point \
             type has it"
        );
    }
}
