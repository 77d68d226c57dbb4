//! `quantized_bits` on weights.

use super::{Alpha, ArgumentError, Mode, QuantizedKernel, Scale, Tensor, fixed_scale, scale};
use crate::float::ftz::{add, div, ftz, mul};
use crate::float::round::{power_of_two, straight_through};
use crate::float::{QuantizedBits, QuantizedBitsArgs};

pub(super) fn quantize(
    tensor: &Tensor<'_>,
    args: QuantizedBitsArgs,
    alpha: &Alpha,
    mode: Mode,
) -> Result<QuantizedKernel, ArgumentError> {
    let Some(scale) = fixed_scale(tensor, alpha)? else {
        return automatic(tensor, &args, *alpha == Alpha::AutoPo2, mode);
    };
    let quantizer = QuantizedBits::with_mode(&args, mode)?;
    let values = tensor.values.iter().enumerate();
    Ok(QuantizedKernel {
        values: values.map(|(i, &x)| quantizer.apply_scaled(x, scale.at(i))).collect(),
        scale: scale.into_vec(),
        certain: true,
    })
}

/// With a scale from the data. Codes round half *away* from zero here, the range is symmetric and
/// `keep_negative` only changes the unit of the scale.
fn automatic(
    tensor: &Tensor<'_>,
    args: &QuantizedBitsArgs,
    power_of_two_only: bool,
    mode: Mode,
) -> Result<QuantizedKernel, ArgumentError> {
    // The numeric path has the same limits; its quantizer is not needed.
    QuantizedBits::with_mode(args, mode)?;
    let (bits, integer) = (args.bits.cast_signed(), args.integer);
    let unsigned_bits = bits - i32::from(args.keep_negative);
    // QKeras computes the number of levels as a Python integer; TensorFlow rounds it to float32.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "TensorFlow converts Python numbers to float32"
    )]
    let levels = ((2.0_f64.powi(bits - 1) - 1.0) * 2.0) as f32;
    let top = levels / 2.0;

    let x: Vec<f32> = tensor.values.iter().map(|&x| mul(x, power_of_two(-integer))).collect();
    let magnitudes: Vec<f32> = x.iter().map(|x| x.abs()).collect();
    let widest = scale::largest(tensor, &magnitudes);
    let start = match mode {
        Mode::Eager => widest.map(|widest| div(mul(widest, 2.0), levels)),
        Mode::Predict => widest.map(|widest| mul(widest, 2.0 / levels)),
    };
    let codes = |scale: &Scale| -> Vec<f32> {
        let code = |(i, &x): (usize, &f32)| {
            let v = add(div(x.abs(), scale.at(i)), 0.5).floor();
            // A NaN (zero by zero) takes the bound, and the sign makes it zero again.
            mul(sign(x), if v < top { v } else { top })
        };
        x.iter().enumerate().map(code).collect()
    };
    let (codes, scale) = if power_of_two_only {
        let mut scale = scale::to_power_of_two(start, mode);
        let mut latest = Vec::new();
        // The codes of the last round belong to the scale before its last update.
        for _ in 0..5 {
            latest = codes(&scale);
            scale = scale::to_power_of_two(scale::least_squares(tensor, &x, &latest), mode);
        }
        (latest, scale)
    } else {
        (codes(&start), start)
    };

    let scale = scale.map(|scale| mul(scale, power_of_two(unsigned_bits)));
    #[expect(
        clippy::cast_possible_truncation,
        reason = "TensorFlow converts the factor to float32"
    )]
    let qnoise = args.qnoise_factor as f32;
    let value = |(i, (&x, &code)): (usize, (&f32, &f32))| {
        let y = mul(code, power_of_two(integer - unsigned_bits));
        straight_through(mul(x, power_of_two(integer)), mul(scale.at(i), y), qnoise)
    };
    let values = x.iter().zip(&codes).enumerate().map(value).collect();
    let certain = !power_of_two_only || scale::certain(tensor);
    Ok(QuantizedKernel { values, scale: scale.into_vec(), certain })
}

/// `tf.sign` of a flushed value.
fn sign(x: f32) -> f32 {
    let x = ftz(x);
    if x == 0.0 || x.is_nan() { x } else { 1.0_f32.copysign(x) }
}
