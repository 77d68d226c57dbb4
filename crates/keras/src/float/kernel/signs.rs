//! `binary` and `ternary` on weights.

use super::{Alpha, ArgumentError, Mode, QuantizedKernel, Scale, Tensor, fixed_scale, scale};
use crate::float::eigen;
use crate::float::ftz::{div, ftz, mul};
use crate::float::quantized_bits::sign_or_one;
use crate::float::round::{round_through, straight_through};

pub(super) fn binary(
    tensor: &Tensor<'_>,
    use_01: bool,
    alpha: &Alpha,
    mode: Mode,
) -> Result<QuantizedKernel, ArgumentError> {
    let x: Vec<f32> = tensor.values.iter().map(|&x| ftz(x)).collect();
    let code = |&x: &f32| if use_01 { (sign_or_one(x) + 1.0) / 2.0 } else { sign_or_one(x) };
    let codes: Vec<f32> = x.iter().map(code).collect();
    let scale = match fixed_scale(tensor, alpha)? {
        Some(scale) => scale,
        None => fitted(tensor, &x, &codes, alpha, mode),
    };
    Ok(finish(tensor, &x, &codes, scale, alpha, mode))
}

pub(super) fn ternary(
    tensor: &Tensor<'_>,
    alpha: &Alpha,
    threshold: Option<f64>,
    number_of_unrolls: u32,
    mode: Mode,
) -> Result<QuantizedKernel, ArgumentError> {
    const DEFAULT_THRESHOLD: f64 = 0.33;
    let x: Vec<f32> = tensor.values.iter().map(|&x| ftz(x)).collect();
    let code =
        |x: f32, is_large: bool| if is_large && x != 0.0 { 1.0_f32.copysign(x) } else { 0.0 };
    if let Some(scale) = fixed_scale(tensor, alpha)? {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "TensorFlow converts the number to float32"
        )]
        let threshold = threshold.unwrap_or(DEFAULT_THRESHOLD) as f32;
        let codes: Vec<f32> = x.iter().map(|&x| code(x, x.abs() >= threshold)).collect();
        return Ok(finish(tensor, &x, &codes, scale, alpha, mode));
    }
    if let Some(threshold) = threshold {
        return Err(ArgumentError::new(
            "ternary",
            "threshold",
            threshold,
            "QKeras 0.9.0 asserts that there is none beside a data dependent alpha",
        ));
    }
    let magnitudes: Vec<f32> = x.iter().map(|x| x.abs()).collect();
    let largest = scale::largest(tensor, &magnitudes);
    let mut scale = match mode {
        Mode::Eager => largest.map(|largest| div(mul(2.0, largest), 3.0)),
        Mode::Predict => largest.map(|largest| mul(largest, 2.0 / 3.0)),
    };
    if *alpha == Alpha::AutoPo2 {
        scale = scale::to_power_of_two(scale, mode);
    }
    let mut codes = vec![];
    for _ in 0..number_of_unrolls {
        let large = |(i, &x): (usize, &f32)| {
            let scale = scale.at(i);
            let v = mul(scale, round_through(div(x, scale)));
            code(x, v.abs() >= div(scale, 2.0))
        };
        codes = x.iter().enumerate().map(large).collect();
        scale = fitted(tensor, &x, &codes, alpha, mode);
    }
    if codes.is_empty() {
        return Err(ArgumentError::new(
            "ternary",
            "number_of_unrolls",
            number_of_unrolls,
            "a data dependent alpha needs at least one iteration",
        ));
    }
    Ok(finish(tensor, &x, &codes, scale, alpha, mode))
}

/// The scale that fits the codes best, rounded to a power of two when `alpha` asks for it.
fn fitted(tensor: &Tensor<'_>, x: &[f32], codes: &[f32], alpha: &Alpha, mode: Mode) -> Scale {
    let scale = scale::least_squares(tensor, x, codes);
    if *alpha == Alpha::AutoPo2 { scale::to_power_of_two(scale, mode) } else { scale }
}

fn finish(
    tensor: &Tensor<'_>,
    x: &[f32],
    codes: &[f32],
    scale: Scale,
    alpha: &Alpha,
    mode: Mode,
) -> QuantizedKernel {
    let value = |(i, (&x, &code)): (usize, (&f32, &f32))| {
        let y = mul(scale.at(i), code);
        match (mode, alpha) {
            // Grappler cancels the weight against itself; only a NaN would survive.
            (
                Mode::Predict,
                Alpha::Number(_) | Alpha::Array { .. } | Alpha::Auto | Alpha::AutoPo2,
            ) => y,
            // Without an alpha the sum is around tanh(x).
            (_, Alpha::None) => straight_through(eigen::tanh(x), y, 1.0),
            (Mode::Eager, _) => straight_through(x, y, 1.0),
        }
    };
    let values = x.iter().zip(codes).enumerate().map(value).collect();
    let certain = !matches!(alpha, Alpha::Auto | Alpha::AutoPo2) || scale::certain(tensor);
    QuantizedKernel { values, scale: scale.into_vec(), certain }
}
