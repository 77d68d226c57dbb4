//! From the arguments in a model file to a quantizer that can be applied.

use bittrue_model::{
    Alpha, Curve, ModelError, Place, QuantizedBits, QuantizedCurve, QuantizedRelu,
};

use crate::float;

/// Makes `quantized_bits` ready to be applied.
///
/// # Errors
///
/// For arguments that QKeras 0.9.0 itself refuses or breaks on, and for a scale that is not one
/// number (an activation whose scale depends on its batch is not one function).
pub fn prepare_bits(q: &QuantizedBits, place: &Place) -> Result<float::QuantizedBits, ModelError> {
    let scale = match &q.alpha {
        Alpha::None => 1.0,
        Alpha::Number(a) => *a as f32,
        other => {
            let found = match other {
                Alpha::Auto => "'auto'",
                Alpha::AutoPo2 => "'auto_po2'",
                _ => "an array",
            };
            return Err(ModelError::new(
                place.clone().attribute("alpha"),
                format!("{found} is not supported here; supported are None and a number"),
            )
            .with_help("set alpha=1 for this quantizer and retrain or re-save the model"));
        }
    };
    let symmetric = match q.symmetric {
        0 => false,
        1 => true,
        other => {
            return Err(ModelError::new(
                place.clone().attribute("symmetric"),
                format!("value {other} is not supported; supported are 0 and 1"),
            ));
        }
    };
    float::QuantizedBits::new(&float::QuantizedBitsArgs {
        bits: width(q.bits, place)?,
        integer: integer(q.integer, place)?,
        symmetric,
        keep_negative: q.keep_negative,
        scale,
        qnoise_factor: q.qnoise_factor,
    })
    .map_err(|e| at(place, &e))
}

/// Makes `quantized_relu` ready to be applied.
///
/// # Errors
///
/// For arguments that QKeras 0.9.0 itself refuses or breaks on.
pub fn prepare_relu(
    q: &QuantizedRelu,
    mode: float::Mode,
    place: &Place,
) -> Result<float::QuantizedRelu, ModelError> {
    let args = float::QuantizedReluArgs {
        bits: width(q.bits, place)?,
        integer: integer(q.integer, place)?,
        use_sigmoid: q.use_sigmoid,
        negative_slope: q.negative_slope,
        relu_upper_bound: q.relu_upper_bound,
        qnoise_factor: q.qnoise_factor,
        // The file cannot hold this argument, so every loaded model has the default.
        is_quantized_clip: true,
    };
    float::QuantizedRelu::with_mode(&args, mode).map_err(|e| at(place, &e))
}

/// Makes `quantized_tanh` or `quantized_sigmoid` ready to be applied.
///
/// # Errors
///
/// For arguments that QKeras 0.9.0 itself refuses or breaks on.
pub fn prepare_curve(
    q: &QuantizedCurve,
    place: &Place,
) -> Result<float::QuantizedCurve, ModelError> {
    let function = match (q.curve, q.real) {
        (Curve::Tanh, false) => float::CurveFunction::HardTanh,
        (Curve::Tanh, true) => float::CurveFunction::Tanh,
        (Curve::Sigmoid, false) => float::CurveFunction::HardSigmoid,
        (Curve::Sigmoid, true) => float::CurveFunction::Sigmoid,
    };
    let bits = width(q.bits, place)?;
    let args = float::QuantizedCurveArgs { function, bits, symmetric: q.symmetric };
    float::QuantizedCurve::new(&args).map_err(|e| at(place, &e))
}

fn at(place: &Place, error: &float::ArgumentError) -> ModelError {
    ModelError::new(place.clone().attribute(error.attribute()), error.to_string())
        .with_help("change this argument in the model and retrain or re-save it")
}

fn width(bits: i64, place: &Place) -> Result<u32, ModelError> {
    u32::try_from(bits).ok().filter(|b| *b <= 64).ok_or_else(|| {
        ModelError::new(
            place.clone().attribute("bits"),
            format!("{bits} bits are not supported; supported are 1 to 64"),
        )
    })
}

fn integer(integer: i64, place: &Place) -> Result<i32, ModelError> {
    i32::try_from(integer).map_err(|_| {
        ModelError::new(
            place.clone().attribute("integer"),
            format!("{integer} integer bits are not supported"),
        )
    })
}
