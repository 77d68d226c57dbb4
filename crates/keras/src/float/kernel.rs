//! Weight quantizers of QKeras 0.9.0 on whole tensors, with the scales that QKeras computes from the data.
//!
//! A tensor is given as values in C order and its shape; the last axis holds the channels
//! (`channels_last`). Everything is reproduced in both [`Mode`]s: the order in which Eigen sums a mean, its
//! logarithm for the body and the C library's for the tail of a tensor, and what Grappler rewrites:
//!
//! * a division by a constant becomes a product with its reciprocal (`log(x)/ln 2`), two constant factors
//!   become one (`max·2/levels`);
//! * the straight-through sum of `binary` and `ternary` weights disappears: `predict` uses `scale·k`.

mod bits;
mod po2;
mod scale;
mod signs;

pub use po2::Po2Args;

use super::error::ArgumentError;

/// How the model is run: the two differ in what TensorFlow's graph optimizer rewrites.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// `model.predict(x)`: a graph that Grappler has rewritten.
    Predict,
    /// `model(x)`: one kernel after the other. Conversion tools quantize weights this way.
    Eager,
}

/// The `alpha` of a quantizer.
#[derive(Clone, Debug, PartialEq)]
pub enum Alpha {
    /// Not given: a scale of one (but see [`KernelQuantizer::with_kernel_rule`]).
    None,
    /// One number.
    Number(f64),
    /// Numbers that broadcast against the last axes of the tensor.
    Array {
        /// Shape, outermost axis first.
        shape: Vec<usize>,
        /// Values in C order.
        values: Vec<f32>,
    },
    /// A scale per channel, computed from the data.
    Auto,
    /// A scale per channel, computed from the data and rounded to a power of two.
    AutoPo2,
}

/// A quantizer for weights. `stochastic_binary` and `stochastic_ternary` are, outside of training, `binary` and
/// `ternary`.
#[derive(Clone, Debug, PartialEq)]
pub enum KernelQuantizer {
    /// `quantized_bits`.
    Bits {
        /// Width in bits, sign bit included.
        bits: u32,
        /// Integer bits, the sign bit *not* included.
        integer: i32,
        /// Leaves out the lowest code; always so with [`Alpha::Auto`] and [`Alpha::AutoPo2`].
        symmetric: bool,
        /// Whether there is a sign bit. The data dependent scales keep negative values all the same.
        keep_negative: bool,
        /// Scale of the output.
        alpha: Alpha,
        /// Share of the quantization that is applied; 1.0 in every finished model.
        qnoise_factor: f64,
    },
    /// `binary`: the sign, +1 for zero.
    Binary {
        /// Gives 0 and 1 instead of -1 and +1.
        use_01: bool,
        /// Scale of the output.
        alpha: Alpha,
    },
    /// `ternary`: -1, 0 or +1.
    Ternary {
        /// Scale of the output.
        alpha: Alpha,
        /// From which magnitude on a value is not zero; 0.33 when not given.
        threshold: Option<f64>,
        /// Number of iterations for a data dependent scale; 5 by default.
        number_of_unrolls: u32,
    },
    /// `quantized_po2`: a sign and a power of two, never zero.
    Po2(Po2Args),
    /// `quantized_relu_po2`: a power of two, for negative values a negative one or the smallest.
    ReluPo2 {
        /// The arguments it shares with `quantized_po2`.
        args: Po2Args,
        /// Slope for negative inputs: zero or a power of two.
        negative_slope: f64,
    },
}

/// A quantized tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantizedKernel {
    /// Values in the order of the input.
    pub values: Vec<f32>,
    /// QKeras' attribute `scale` of the quantizer: one number, one per channel, or one per element.
    pub scale: Vec<f32>,
    /// False when a sum behind a scale is so long that TensorFlow splits it among its threads, so that
    /// the last bit of the scale depends on their number.
    pub certain: bool,
}

impl KernelQuantizer {
    /// The rule for kernels (not for biases): without an `alpha`, QKeras' layers set `"auto_po2"`.
    #[must_use]
    pub fn with_kernel_rule(mut self) -> Self {
        if let Self::Bits { alpha, .. } | Self::Binary { alpha, .. } | Self::Ternary { alpha, .. } =
            &mut self
            && *alpha == Alpha::None
        {
            *alpha = Alpha::AutoPo2;
        }
        self
    }

    /// Quantizes a weight tensor of the given shape.
    ///
    /// ```
    /// use bittrue_keras::float::kernel::{Alpha, KernelQuantizer, Mode};
    /// let quantizer = KernelQuantizer::Bits {
    ///     bits: 4, integer: 0, symmetric: true, keep_negative: true, alpha: Alpha::Auto, qnoise_factor: 1.0,
    /// };
    /// // One channel. The scale makes 7 the largest code; ties go away from zero.
    /// let kernel = quantizer.quantize(&[7.0, 3.5, 0.5, -0.5], &[4, 1], Mode::Predict)?;
    /// assert_eq!(kernel.values, [7.0, 4.0, 1.0, -1.0]);
    /// assert_eq!(kernel.scale, [8.0]);
    /// # Ok::<(), bittrue_keras::float::ArgumentError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// For arguments that QKeras 0.9.0 refuses or breaks on, a shape that does not fit the values, and an
    /// `alpha` that does not broadcast to the shape.
    pub fn quantize(
        &self,
        values: &[f32],
        shape: &[usize],
        mode: Mode,
    ) -> Result<QuantizedKernel, ArgumentError> {
        let tensor = Tensor::new(values, shape)?;
        match self {
            Self::Bits { bits, integer, symmetric, keep_negative, alpha, qnoise_factor } => {
                let args = super::QuantizedBitsArgs {
                    bits: *bits,
                    integer: *integer,
                    symmetric: *symmetric,
                    keep_negative: *keep_negative,
                    scale: 1.0,
                    qnoise_factor: *qnoise_factor,
                };
                bits::quantize(&tensor, args, alpha, mode)
            }
            Self::Binary { use_01, alpha } => signs::binary(&tensor, *use_01, alpha, mode),
            Self::Ternary { alpha, threshold, number_of_unrolls } => {
                signs::ternary(&tensor, alpha, *threshold, *number_of_unrolls, mode)
            }
            Self::Po2(args) => po2::quantize(&tensor, args, mode),
            Self::ReluPo2 { args, negative_slope } => {
                po2::quantize_relu(&tensor, args, *negative_slope, mode)
            }
        }
    }
}

/// Values in C order and their shape.
struct Tensor<'a> {
    values: &'a [f32],
    shape: &'a [usize],
    /// Length of the last axis.
    channels: usize,
}

impl<'a> Tensor<'a> {
    fn new(values: &'a [f32], shape: &'a [usize]) -> Result<Self, ArgumentError> {
        let size = shape.iter().try_fold(1_usize, |size, &axis| size.checked_mul(axis));
        match shape.last() {
            Some(&channels) if channels > 0 && size == Some(values.len()) => {
                Ok(Self { values, shape, channels })
            }
            _ => Err(ArgumentError::new(
                "kernel",
                "shape",
                format!("{shape:?}"),
                "the axes have to be positive and their product has to be the number of values",
            )),
        }
    }

    fn rank(&self) -> usize {
        self.shape.len()
    }
}

/// `alpha` without a data dependent scale, for every element of the tensor.
fn fixed_scale(tensor: &Tensor<'_>, alpha: &Alpha) -> Result<Option<Scale>, ArgumentError> {
    match alpha {
        Alpha::None => Ok(Some(Scale::One(1.0))),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "TensorFlow converts the number to float32"
        )]
        Alpha::Number(number) => Ok(Some(Scale::One(*number as f32))),
        Alpha::Array { shape, values } => {
            scale::broadcast(tensor, shape, values).map(|scales| Some(Scale::Each(scales)))
        }
        Alpha::Auto | Alpha::AutoPo2 => Ok(None),
    }
}

/// A scale as QKeras holds it.
enum Scale {
    /// For the whole tensor.
    One(f32),
    /// For each channel of the last axis.
    Channels(Vec<f32>),
    /// For each element.
    Each(Vec<f32>),
}

impl Scale {
    /// The scale of element `index` (in C order).
    #[inline]
    fn at(&self, index: usize) -> f32 {
        match self {
            Self::One(scale) => *scale,
            Self::Channels(scales) => scales[index % scales.len()],
            Self::Each(scales) => scales[index],
        }
    }

    fn map(mut self, function: impl Fn(f32) -> f32) -> Self {
        match &mut self {
            Self::One(scale) => *scale = function(*scale),
            Self::Channels(scales) | Self::Each(scales) => {
                scales.iter_mut().for_each(|scale| *scale = function(*scale));
            }
        }
        self
    }

    fn into_vec(self) -> Vec<f32> {
        match self {
            Self::One(scale) => vec![scale],
            Self::Channels(scales) | Self::Each(scales) => scales,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(alpha: Alpha) -> KernelQuantizer {
        KernelQuantizer::Bits {
            bits: 4,
            integer: 0,
            symmetric: true,
            keep_negative: true,
            alpha,
            qnoise_factor: 1.0,
        }
    }

    fn array(shape: &[usize], values: &[f32]) -> Alpha {
        Alpha::Array { shape: shape.to_vec(), values: values.to_vec() }
    }

    #[test]
    fn an_array_broadcasts_against_the_last_axes() {
        let ones = [0.5; 12];
        let run = |alpha| bits(alpha).quantize(&ones, &[2, 2, 3], Mode::Predict).unwrap().values;
        let channels = run(array(&[3], &[1.0, 2.0, 4.0]));
        assert_eq!(channels, [0.5, 1.0, 2.0].repeat(4));
        let rows = run(array(&[2, 1], &[1.0, 2.0]));
        assert_eq!(rows, [[0.5; 3], [1.0; 3]].concat().repeat(2));
        assert_eq!(run(array(&[], &[2.0])), [1.0; 12]);
        let one = run(array(&[1, 1, 1], &[2.0]));
        assert_eq!(one, run(Alpha::Number(2.0)));
    }

    #[test]
    fn an_array_that_does_not_fit_is_refused() {
        for (shape, count) in [(&[2][..], 2), (&[1, 2, 2, 3], 12), (&[3], 2)] {
            let alpha = array(shape, &vec![1.0; count]);
            let error = bits(alpha).quantize(&[0.5; 12], &[2, 2, 3], Mode::Eager).unwrap_err();
            assert_eq!((error.function(), error.attribute()), ("alpha", "shape"));
        }
    }

    #[test]
    fn a_shape_that_does_not_fit_is_refused() {
        for shape in [&[][..], &[3, 0], &[5], &[2, 3], &[usize::MAX, 4]] {
            let error = bits(Alpha::Auto).quantize(&[0.5; 4], shape, Mode::Eager).unwrap_err();
            assert_eq!(error.attribute(), "shape");
        }
    }

    #[test]
    fn the_kernel_rule_changes_only_a_missing_alpha() {
        assert_eq!(bits(Alpha::None).with_kernel_rule(), bits(Alpha::AutoPo2));
        assert_eq!(bits(Alpha::Number(1.0)).with_kernel_rule(), bits(Alpha::Number(1.0)));
    }

    #[test]
    fn refused_arguments_name_themselves() {
        let po2 = |bits, max_value| {
            KernelQuantizer::Po2(Po2Args {
                bits,
                max_value,
                quadratic_approximation: false,
                floor: false,
                qnoise_factor: 1.0,
            })
        };
        let ternary = |threshold, number_of_unrolls| KernelQuantizer::Ternary {
            alpha: Alpha::Auto,
            threshold,
            number_of_unrolls,
        };
        for (quantizer, attribute) in [
            (po2(1, None), "bits"),
            (po2(40, None), "bits"),
            (po2(4, Some(-1.0)), "max_value"),
            (ternary(Some(0.1), 5), "threshold"),
            (ternary(None, 0), "number_of_unrolls"),
        ] {
            let error = quantizer.quantize(&[0.5; 4], &[2, 2], Mode::Predict).unwrap_err();
            assert_eq!(error.attribute(), attribute, "{error}");
        }
    }

    #[test]
    fn a_sum_over_a_huge_tensor_is_not_certain() {
        let binary = KernelQuantizer::Binary { use_01: false, alpha: Alpha::Auto };
        let run = |len| binary.quantize(&vec![0.5; len], &[len, 1], Mode::Predict).unwrap().certain;
        assert!(run(100_000));
        assert!(!run(100_001));
    }
}
