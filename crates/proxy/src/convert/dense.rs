//! `QDense` → Keras `Dense` with quantised constants.

use bittrue_keras::weights::{self, Evaluation, Role};
use bittrue_model::{Activation, Dense, ModelError, Place};

use super::DeclaredGrid;

/// The Keras layer that HGQ builds: kernel and bias quantised once, evaluated eagerly.
pub(super) fn dense(source: &Dense, place: &Place) -> Result<(Dense, DeclaredGrid), ModelError> {
    let kernel = weights::quantize(
        source.kernel_quantizer.as_ref(),
        &source.kernel,
        Role::Kernel,
        Evaluation::Eager,
        &place.clone().attribute("kernel_quantizer"),
    )?;
    let bias = source
        .bias
        .as_ref()
        .map(|bias| {
            weights::quantize(
                source.bias_quantizer.as_ref(),
                bias,
                Role::Bias,
                Evaluation::Eager,
                &place.clone().attribute("bias_quantizer"),
            )
        })
        .transpose()?;
    let declared =
        DeclaredGrid { kernel: kernel.on_grid, bias: bias.as_ref().is_none_or(|b| b.on_grid) };
    let layer = Dense {
        quantized: false,
        kernel: kernel.values,
        bias: bias.map(|b| b.values),
        kernel_quantizer: None,
        bias_quantizer: None,
        activation: Activation::Linear,
    };
    Ok((layer, declared))
}
