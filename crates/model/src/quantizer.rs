//! QKeras quantizers with their arguments, as read.

use ndarray::ArrayD;

/// A QKeras quantizer. Arguments that the file cannot hold have their constructor's default.
#[derive(Debug, Clone, PartialEq)]
pub enum Quantizer {
    /// `quantized_bits`.
    QuantizedBits(QuantizedBits),
    /// `quantized_relu`.
    QuantizedRelu(QuantizedRelu),
    /// `binary` and `stochastic_binary`, which are the same at inference.
    Binary {
        /// Gives 0 and 1 instead of -1 and +1.
        use_01: bool,
        /// Scale.
        alpha: Alpha,
    },
    /// `ternary` and `stochastic_ternary`, which are the same at inference.
    Ternary {
        /// Scale.
        alpha: Alpha,
        /// From which magnitude on a value is not zero; 0.33 when not given.
        threshold: Option<f64>,
        /// Iterations for a scale from the data.
        number_of_unrolls: u32,
    },
    /// `quantized_po2`.
    QuantizedPo2(QuantizedPo2),
    /// `quantized_relu_po2`.
    QuantizedReluPo2 {
        /// The arguments it shares with `quantized_po2`.
        args: QuantizedPo2,
        /// Slope for negative values.
        negative_slope: f64,
    },
    /// `quantized_tanh` and `quantized_sigmoid`.
    QuantizedCurve(QuantizedCurve),
}

/// `quantized_po2(bits, max_value, …)`: a sign and a power of two.
#[derive(Debug, Clone, PartialEq)]
pub struct QuantizedPo2 {
    /// Bits of the exponent, its sign and the sign of the value.
    pub bits: u32,
    /// Bound of the magnitude before rounding.
    pub max_value: Option<f64>,
    /// Whether exponents are even only.
    pub quadratic_approximation: bool,
    /// Whether the logarithm is rounded down (`log2_rounding='floor'`) instead of to nearest.
    pub floor: bool,
    /// Share of the quantization error that is applied; 1 in a finished model.
    pub qnoise_factor: f64,
}

/// `quantized_bits(bits, integer, symmetric, keep_negative, alpha, …)`; `integer` excludes the
/// sign, so its type is `ap_fixed<bits, integer + keep_negative>`.
#[derive(Debug, Clone, PartialEq)]
pub struct QuantizedBits {
    /// Total bits, sign included.
    pub bits: i64,
    /// Integer bits without the sign.
    pub integer: i64,
    /// Whether the lowest code is left out. QKeras adds it to the lower bound, so it is a number.
    pub symmetric: i64,
    /// Whether there is a sign bit.
    pub keep_negative: bool,
    /// Scale.
    pub alpha: Alpha,
    /// Has no effect at inference.
    pub use_stochastic_rounding: bool,
    /// Share of the quantization error that is applied; 1 in a finished model.
    pub qnoise_factor: f64,
}

/// Scale of a quantizer as written.
#[derive(Debug, Clone, PartialEq)]
pub enum Alpha {
    /// Not given. On kernels QKeras turns this into `auto_po2`.
    None,
    /// A number.
    Number(f64),
    /// Numbers that broadcast against the last axes.
    Array(ArrayD<f32>),
    /// Computed from the data.
    Auto,
    /// Computed from the data and rounded to a power of two.
    AutoPo2,
}

/// `quantized_relu(bits, integer, use_sigmoid, negative_slope, …)`.
#[derive(Debug, Clone, PartialEq)]
pub struct QuantizedRelu {
    /// Total bits; one of them is the sign when there is a slope.
    pub bits: i64,
    /// Integer bits.
    pub integer: i64,
    /// Whether a (hard) sigmoid takes the place of the identity.
    pub use_sigmoid: bool,
    /// Slope for negative values.
    pub negative_slope: f64,
    /// Has no effect at inference.
    pub use_stochastic_rounding: bool,
    /// Upper bound; without effect while the output is clipped to the grid (always, after a load).
    pub relu_upper_bound: Option<f64>,
    /// Share of the quantization error that is applied; 1 in a finished model.
    pub qnoise_factor: f64,
}

/// `quantized_tanh(bits, use_stochastic_rounding, symmetric, use_real_tanh)` and
/// `quantized_sigmoid(bits, symmetric, use_real_sigmoid, use_stochastic_rounding)`: a curve, then a cast
/// to `ap_fixed<bits, 1>` or `ap_ufixed<bits, 0>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuantizedCurve {
    /// Which of the two.
    pub curve: Curve,
    /// Total bits, the sign of a tanh included.
    pub bits: i64,
    /// Whether the lowest code is left out: that of -1, and of 0 in a sigmoid.
    pub symmetric: bool,
    /// The function itself (`use_real_tanh`, `use_real_sigmoid`); else straight lines in its place, from
    /// QKeras' internal sigmoid. That is a setting of the program that no file holds; it is taken to be
    /// the default, `hard`: `clip(x/2 + 1/2, 0, 1)`.
    pub real: bool,
    /// Has no effect at inference.
    pub use_stochastic_rounding: bool,
}

/// A function that levels off at both ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Curve {
    /// Between -1 and 1.
    Tanh,
    /// Between 0 and 1.
    Sigmoid,
}

impl QuantizedCurve {
    /// A curve with the constructor's defaults.
    pub fn new(curve: Curve) -> Self {
        Self { curve, bits: 8, symmetric: false, real: false, use_stochastic_rounding: false }
    }

    /// The name of the argument that asks for the function itself.
    pub fn real_key(&self) -> &'static str {
        match self.curve {
            Curve::Tanh => "use_real_tanh",
            Curve::Sigmoid => "use_real_sigmoid",
        }
    }
}

impl Quantizer {
    /// The QKeras class name.
    pub fn class_name(&self) -> &'static str {
        match self {
            Self::QuantizedBits(_) => "quantized_bits",
            Self::QuantizedRelu(_) => "quantized_relu",
            Self::Binary { .. } => "binary",
            Self::Ternary { .. } => "ternary",
            Self::QuantizedPo2(_) => "quantized_po2",
            Self::QuantizedReluPo2 { .. } => "quantized_relu_po2",
            Self::QuantizedCurve(q) => match q.curve {
                Curve::Tanh => "quantized_tanh",
                Curve::Sigmoid => "quantized_sigmoid",
            },
        }
    }
}

impl Default for QuantizedBits {
    fn default() -> Self {
        Self {
            bits: 8,
            integer: 0,
            symmetric: 0,
            keep_negative: true,
            alpha: Alpha::None,
            use_stochastic_rounding: false,
            qnoise_factor: 1.0,
        }
    }
}

impl Default for QuantizedRelu {
    fn default() -> Self {
        Self {
            bits: 8,
            integer: 0,
            use_sigmoid: false,
            negative_slope: 0.0,
            use_stochastic_rounding: false,
            relu_upper_bound: None,
            qnoise_factor: 1.0,
        }
    }
}
