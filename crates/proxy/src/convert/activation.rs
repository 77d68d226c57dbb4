//! What follows a layer in the proxy: the activation function and the quantizer.

use bittrue_fixed::{Overflow, Rounding};
use bittrue_model::{
    Activation, Alpha, FixedPointQuantizer, LayerKind, Place, QuantizedBits, QuantizedRelu,
    Quantizer,
};
use ndarray::ArrayD;

use super::{Mode, Warning};
use crate::ConvertError;

/// One layer that the conversion makes: the base of its automatic name, its class, what it is.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) base: &'static str,
    pub(super) class_name: &'static str,
    pub(super) kind: LayerKind,
}

/// The layers that stand for `activation` behind a QKeras layer.
pub(super) fn layers(
    activation: &Activation,
    place: &Place,
    mode: Mode,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<Made>, ConvertError> {
    match activation {
        Activation::Linear => Ok(Vec::new()),
        Activation::Relu
        | Activation::Softmax
        | Activation::Sigmoid
        | Activation::Tanh
        | Activation::Elu => Ok(vec![function(activation.clone())]),
        Activation::Quantizer(q) => quantizer(q, place, mode, warnings),
    }
}

/// The layers that stand for a `QActivation`.
pub(super) fn qactivation(
    activation: &Activation,
    place: &Place,
    mode: Mode,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<Made>, ConvertError> {
    match activation {
        Activation::Quantizer(q) => quantizer(q, place, mode, warnings),
        function => Err(ConvertError::new(
            place.clone().attribute("activation"),
            format!(
                "HGQ cannot convert a QActivation of the plain function '{}' (TypeError: \
                 Activation.__init__() missing 'activation')",
                function_name(function)
            ),
            "use keras.layers.Activation for plain functions, or a quantizer such as \
             quantized_relu(6)",
        )),
    }
}

/// The Keras name of an activation function.
fn function_name(activation: &Activation) -> &'static str {
    match activation {
        Activation::Linear => "linear",
        Activation::Relu => "relu",
        Activation::Softmax => "softmax",
        Activation::Sigmoid => "sigmoid",
        Activation::Tanh => "tanh",
        Activation::Elu => "elu",
        Activation::Quantizer(q) => q.class_name(),
    }
}

fn function(activation: Activation) -> Made {
    Made { base: "activation", class_name: "Activation", kind: LayerKind::Activation(activation) }
}

fn quantizer(
    quantizer: &Quantizer,
    place: &Place,
    mode: Mode,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<Made>, ConvertError> {
    match quantizer {
        Quantizer::QuantizedBits(q) => Ok(vec![quantized_bits(q, place, mode, warnings)?]),
        Quantizer::QuantizedRelu(q) => {
            Ok(vec![function(Activation::Relu), quantized_relu(q, place, warnings)?])
        }
        // No plugin knows it, so that HGQ takes it for a function of Keras: nothing quantises behind it.
        q @ Quantizer::QuantizedCurve(_) => Ok(vec![function(Activation::Quantizer(q.clone()))]),
        q @ (Quantizer::Binary { .. }
        | Quantizer::Ternary { .. }
        | Quantizer::QuantizedPo2(_)
        | Quantizer::QuantizedReluPo2 { .. }) => Err(ConvertError::new(
            place.clone().attribute("activation"),
            format!("HGQ cannot convert {} as an activation (it raises an error)", q.class_name()),
            "use quantized_bits(…, alpha=1) or quantized_relu for activations",
        )),
    }
}

fn quantized_bits(
    q: &QuantizedBits,
    place: &Place,
    mode: Mode,
    warnings: &mut Vec<Warning>,
) -> Result<Made, ConvertError> {
    let at = || place.clone().attribute("quantized_bits");
    let alpha = match &q.alpha {
        Alpha::Number(a) if *a == 1.0 => None,
        Alpha::Number(a) => Some(a.to_string()),
        Alpha::None => Some("None (not set)".to_owned()),
        Alpha::Auto => Some("'auto'".to_owned()),
        Alpha::AutoPo2 => Some("'auto_po2'".to_owned()),
        Alpha::Array(a) => Some(format!("a list of {} numbers", a.len())),
    };
    if let Some(alpha) = alpha {
        return Err(ConvertError::new(
            at().attribute("alpha"),
            format!("HGQ converts an activation quantizer only with alpha=1; it is {alpha}"),
            format!(
                "write quantized_bits({}, {}, …, alpha=1) for this activation and retrain or \
                 re-save the model (kernels may keep any alpha)",
                q.bits, q.integer
            ),
        ));
    }
    let overflow = match (q.symmetric, mode) {
        (0, Mode::Sat) => Overflow::Sat,
        (0, Mode::Wrap) => Overflow::Wrap,
        (1, _) => {
            if mode == Mode::Wrap {
                warnings.push(warning(
                    "symmetric-saturates",
                    place,
                    "a symmetric quantizer is converted with SAT_SYM even with aggressive=True: \
                     it does not wrap"
                        .to_owned(),
                ));
            }
            Overflow::SatSym
        }
        (other, _) => {
            return Err(ConvertError::new(
                at().attribute("symmetric"),
                format!("HGQ takes 0 or 1 (ValueError), it is {other}"),
                "write symmetric=1 or symmetric=0",
            ));
        }
    };
    if q.bits == 1 && q.keep_negative {
        warnings.push(warning(
            "one-bit",
            place,
            "a signed 1-bit quantized_bits gives -1 and +1 in QKeras; HGQ makes it a two's \
             complement bit with the values -1 and 0 times its step: use 2 bits"
                .to_owned(),
        ));
    }
    qnoise(q.qnoise_factor, place, warnings);
    fixed_point_quantizer(
        q.keep_negative,
        q.bits,
        q.integer + i64::from(q.keep_negative),
        overflow,
        &at(),
    )
}

fn quantized_relu(
    q: &QuantizedRelu,
    place: &Place,
    warnings: &mut Vec<Warning>,
) -> Result<Made, ConvertError> {
    let ignored = |name: &str, value: String| {
        warning(
            "ignored-attribute",
            place,
            format!(
                "HGQ ignores {name}={value} of quantized_relu: the proxy computes another function"
            ),
        )
    };
    if q.negative_slope != 0.0 {
        warnings.push(ignored("negative_slope", q.negative_slope.to_string()));
    }
    if q.use_sigmoid {
        warnings.push(ignored("use_sigmoid", "1".to_owned()));
    }
    qnoise(q.qnoise_factor, place, warnings);
    let at = place.clone().attribute("quantized_relu");
    // A relu saturates in both modes.
    fixed_point_quantizer(false, q.bits, q.integer, Overflow::Sat, &at)
}

fn qnoise(factor: f64, place: &Place, warnings: &mut Vec<Warning>) {
    if factor != 1.0 {
        warnings.push(warning(
            "ignored-attribute",
            place,
            format!(
                "HGQ ignores qnoise_factor={factor}: QKeras quantises only in part, the proxy \
                 quantises fully"
            ),
        ));
    }
}

fn warning(code: &'static str, place: &Place, text: String) -> Warning {
    Warning { code, layer: place.layer_name().unwrap_or_default().to_owned(), text }
}

/// HGQ stores widths as int8, and a width beyond 127 wraps there.
const MAX_BITS: i64 = 127;

fn fixed_point_quantizer(
    keep_negative: bool,
    bits: i64,
    integers: i64,
    overflow: Overflow,
    place: &Place,
) -> Result<Made, ConvertError> {
    for (name, value, low) in [("bits", bits, 0), ("integer", integers, -MAX_BITS - 1)] {
        if !(low..=MAX_BITS).contains(&value) {
            return Err(ConvertError::new(
                place.clone().attribute(name),
                format!("HGQ stores this number in 8 bits (at most {MAX_BITS}), it is {value}"),
                "use a narrower quantizer",
            ));
        }
    }
    let scalar = |v: i64| ArrayD::from_elem(vec![1], v as i32);
    Ok(Made {
        base: "fixed_point_quantizer",
        class_name: "HGQ>FixedPointQuantizer",
        kind: LayerKind::FixedPointQuantizer(FixedPointQuantizer {
            keep_negative: scalar(keep_negative.into()),
            bits: scalar(bits),
            integers: scalar(integers),
            rounding: Rounding::RndConv,
            overflow,
        }),
    })
}
