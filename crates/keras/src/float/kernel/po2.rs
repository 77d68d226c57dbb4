//! `quantized_po2` and `quantized_relu_po2`.

use super::scale::{EPSILON, log2, power};
use super::{ArgumentError, Mode, QuantizedKernel, Tensor};
use crate::float::activations::{leaky_relu, relu};
use crate::float::ftz::{ftz, mul};
use crate::float::quantized_bits::sign_or_one;
use crate::float::quantized_relu::check_slope;
use crate::float::round::{clip, round_through, straight_through};

/// The arguments of `quantized_po2`, and most of those of `quantized_relu_po2`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Po2Args {
    /// Bits of the exponent, its sign and (for `quantized_po2`) the sign of the value.
    pub bits: u32,
    /// Bound of the magnitude *before* rounding. Up to one, it also gives the exponent's sign bit to the
    /// exponent.
    pub max_value: Option<f64>,
    /// Rounds the exponent of the square root and doubles it.
    pub quadratic_approximation: bool,
    /// `log2_rounding="floor"` instead of `"rnd"`.
    pub floor: bool,
    /// Share of the quantization that is applied; 1.0 in every finished model.
    pub qnoise_factor: f64,
}

/// What is left of the arguments once they are checked.
struct Exponents {
    min: f32,
    max: f32,
    max_value: Option<f32>,
    quadratic: bool,
    floor: bool,
    qnoise: f32,
    mode: Mode,
}

pub(super) fn quantize(
    tensor: &Tensor<'_>,
    args: &Po2Args,
    mode: Mode,
) -> Result<QuantizedKernel, ArgumentError> {
    let exponents = Exponents::new("quantized_po2", args, 1, mode)?;
    let len = tensor.values.len();
    let value = |(i, &x): (usize, &f32)| {
        let x = ftz(x);
        let y = mul(sign_or_one(x), power(exponents.of(x.abs(), i, len)));
        straight_through(x, y, exponents.qnoise)
    };
    let values = tensor.values.iter().enumerate().map(value).collect();
    Ok(QuantizedKernel { values, scale: vec![1.0], certain: true })
}

pub(super) fn quantize_relu(
    tensor: &Tensor<'_>,
    args: &Po2Args,
    negative_slope: f64,
    mode: Mode,
) -> Result<QuantizedKernel, ArgumentError> {
    const NAME: &str = "quantized_relu_po2";
    let exponents = Exponents::new(NAME, args, 0, mode)?;
    let slope = check_slope(NAME, negative_slope)?;
    let len = tensor.values.len();
    let value = |(i, &x): (usize, &f32)| {
        let x = ftz(x);
        let pass = if slope == 0.0 { relu(x) } else { leaky_relu(x, slope) };
        let pass = match exponents.max_value {
            // As `where(x <= bound, …)`, in which a NaN takes the bound.
            Some(bound) if x > bound || x.is_nan() => bound,
            _ => pass,
        };
        let y = if x >= 0.0 || slope == 0.0 {
            power(exponents.of(relu(x), i, len))
        } else {
            -power(exponents.of(mul(relu(-x), slope), i, len))
        };
        straight_through(pass, y, exponents.qnoise)
    };
    let values = tensor.values.iter().enumerate().map(value).collect();
    Ok(QuantizedKernel { values, scale: vec![1.0], certain: true })
}

impl Exponents {
    fn new(
        function: &'static str,
        args: &Po2Args,
        sign_bits: u32,
        mode: Mode,
    ) -> Result<Self, ArgumentError> {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "TensorFlow converts Python numbers to float32"
        )]
        let to_f32 = |x: f64| x as f32;
        let exponent_sign = match args.max_value {
            Some(bound) if bound.is_nan() || bound < 0.0 => {
                let reason = "QKeras 0.9.0 refuses a bound that is negative";
                return Err(ArgumentError::new(function, "max_value", bound, reason));
            }
            Some(bound) => u32::from(bound > 1.0),
            None => 1,
        };
        let bits = match args.bits.checked_sub(sign_bits + exponent_sign) {
            Some(bits) if bits <= 20 => bits,
            Some(_) => {
                let reason = "exponents of more than 20 bits lie far outside of float32";
                return Err(ArgumentError::new(function, "bits", args.bits, reason));
            }
            None => {
                let reason = "no bit is left for the exponent beside the signs";
                return Err(ArgumentError::new(function, "bits", args.bits, reason));
            }
        };
        let size = 1_i32 << bits;
        let max = if args.quadratic_approximation { 2 * ((size - 1) / 2) } else { size - 1 };
        #[expect(clippy::cast_precision_loss, reason = "at most 2^20")]
        Ok(Self {
            min: -(size as f32),
            max: max as f32,
            max_value: args.max_value.map(to_f32),
            quadratic: args.quadratic_approximation,
            floor: args.floor,
            qnoise: to_f32(args.qnoise_factor),
            mode,
        })
    }

    /// QKeras' `_clip_power_of_two`: the exponent for a magnitude that is element `index` of `len`.
    fn of(&self, magnitude: f32, index: usize, len: usize) -> f32 {
        if magnitude < EPSILON {
            // Not doubled, also for the quadratic approximation.
            return self.min;
        }
        let mut x = magnitude;
        if let Some(bound) = self.max_value
            && x >= bound
        {
            x = bound;
        }
        if self.quadratic {
            x = x.sqrt();
        }
        let log = log2(x, index, len, self.mode);
        let exponent =
            clip(if self.floor { log.floor() } else { round_through(log) }, self.min, self.max);
        if self.quadratic { 2.0 * exponent } else { exponent }
    }
}
