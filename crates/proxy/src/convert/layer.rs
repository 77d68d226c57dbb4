//! One layer of the source → the layers that stand for it in the proxy.

use bittrue_model::{Activation, Layer, LayerKind, Place};

use super::activation::{self, Made};
use super::constants;
use super::{DeclaredGrid, Mode, Warning};
use crate::ConvertError;

/// What HGQ makes of one layer.
#[derive(Debug)]
pub(super) enum Conversion {
    /// Nothing: the layer hands its argument on.
    Vanishes,
    /// The same layer, under its own name or one that is free.
    Kept,
    /// A layer of QKeras: a Keras layer with its name, and what its activation makes.
    Replaced {
        /// The Keras layer, unless the source is a `QActivation`.
        layer: Option<Box<(String, LayerKind, DeclaredGrid)>>,
        /// What follows it.
        activation: Vec<Made>,
    },
}

/// What the walk is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Options {
    /// Overflow mode of signed quantizers.
    pub(super) mode: Mode,
    /// Whether layers are converted whose kernels HGQ leaves random.
    pub(super) random_kernels: bool,
}

/// Converts a layer as HGQ's dispatch on its class does.
pub(super) fn convert(
    layer: &Layer,
    options: Options,
    warnings: &mut Vec<Warning>,
) -> Result<Conversion, ConvertError> {
    let place = Place::layer(&layer.name);
    let (function, (kind, declared)) = match &layer.kind {
        LayerKind::Dropout | LayerKind::Activation(Activation::Linear) | LayerKind::Nested => {
            return Ok(Conversion::Vanishes);
        }
        LayerKind::QActivation(a) => {
            let activation = activation::qactivation(a, &place, options.mode, warnings)?;
            return Ok(Conversion::Replaced { layer: None, activation });
        }
        LayerKind::Dense(d) if d.quantized => (&d.activation, constants::dense(d, &place)?),
        LayerKind::Conv(c) if c.quantized => (&c.activation, constants::conv(c, &place)?),
        LayerKind::SeparableConv(c) if c.quantized => {
            if !options.random_kernels {
                return Err(random_kernels(layer, &place));
            }
            (&c.activation, constants::separable(c, &place)?)
        }
        // Inputs inside a nested model stand for its arguments; those of the model itself are not
        // converted, they are made before the walk.
        LayerKind::Input => return Ok(Conversion::Vanishes),
        _ => return Ok(Conversion::Kept),
    };
    let activation = activation::layers(function, &place, options.mode, warnings)?;
    // HGQ looks for the Keras class of the same name without the Q.
    let class = layer.class_name.strip_prefix('Q').unwrap_or(&layer.class_name).to_owned();
    Ok(Conversion::Replaced { layer: Some(Box::new((class, kind, declared))), activation })
}

fn random_kernels(layer: &Layer, place: &Place) -> ConvertError {
    ConvertError::new(
        place.clone(),
        format!(
            "HGQ would accept this {}, but it copies only its bias: the depthwise and pointwise \
             kernels of the proxy are fresh random numbers, different in every conversion, so the \
             proxy cannot be known from the model file",
            layer.class_name
        ),
        "give the proxy that goes to the FPGA with --proxy (its kernels are not those of the \
         model), or use QConv layers",
    )
}
