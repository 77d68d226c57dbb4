//! `quantized_tanh` and `quantized_sigmoid` of QKeras 0.9.0.

use super::activations::{self, Position};
use super::error::ArgumentError;
use super::ftz::{mul, sub};
use super::quantized_relu::hard_sigmoid;
use super::round::{clip, power_of_two, round_through};

/// What is quantised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CurveFunction {
    /// `2·hard_sigmoid(x) − 1`.
    HardTanh,
    /// TensorFlow's `tanh`.
    Tanh,
    /// `clip(x/2 + 1/2, 0, 1)`, QKeras' default internal sigmoid.
    HardSigmoid,
    /// TensorFlow's sigmoid.
    Sigmoid,
}

impl CurveFunction {
    /// Whether it lies between -1 and 1, else between 0 and 1.
    fn is_signed(self) -> bool {
        matches!(self, Self::HardTanh | Self::Tanh)
    }

    /// The function's value; only that of the sigmoid depends on the position.
    #[inline]
    #[must_use]
    pub fn apply(self, x: f32, position: Position) -> f32 {
        match self {
            Self::HardTanh => hard_tanh(x),
            Self::Tanh => activations::tanh(x),
            Self::HardSigmoid => hard_sigmoid(x),
            Self::Sigmoid => activations::sigmoid(x, position).value,
        }
    }
}

/// QKeras' `hard_tanh`, `2·hard_sigmoid(x) − 1`: `x` between -1 and 1, without the bits that the addition
/// of 1/2 loses.
#[inline]
#[must_use]
pub fn hard_tanh(x: f32) -> f32 {
    sub(2.0 * hard_sigmoid(x), 1.0)
}

/// The arguments of `quantized_tanh` and `quantized_sigmoid`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuantizedCurveArgs {
    /// What is quantised.
    pub function: CurveFunction,
    /// Width in bits, the sign of a tanh included.
    pub bits: u32,
    /// Leaves out the lowest code.
    pub symmetric: bool,
}

/// `quantized_tanh` or `quantized_sigmoid` with its constants computed once.
///
/// ```
/// use bittrue_keras::float::{CurveFunction, Position, QuantizedCurve, QuantizedCurveArgs};
/// let q = QuantizedCurve::new(&QuantizedCurveArgs {
///     function: CurveFunction::HardTanh, bits: 4, symmetric: false,
/// })?;
/// assert_eq!(q.apply(0.3125, Position::Body), 0.25); // tie to even
/// assert_eq!(q.apply(-7.0, Position::Body), -1.0);
/// assert_eq!(q.apply(f32::INFINITY, Position::Body), 0.875);
/// # Ok::<(), bittrue_keras::float::ArgumentError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuantizedCurve {
    function: CurveFunction,
    /// Codes per unit.
    m: f32,
    low: f32,
    high: f32,
}

impl QuantizedCurve {
    /// Checks the arguments and computes the constants. A direct call and `predict` are the same.
    ///
    /// # Errors
    ///
    /// For widths on which QKeras 0.9.0 computes with wrapped 32-bit integers (32 bits and more for a tanh,
    /// 31 for a sigmoid), and for none at all.
    pub fn new(args: &QuantizedCurveArgs) -> Result<Self, ArgumentError> {
        let signed = args.function.is_signed();
        let name = if signed { "quantized_tanh" } else { "quantized_sigmoid" };
        let refused = |reason| Err(ArgumentError::new(name, "bits", args.bits, reason));
        let Some(unsigned) = args.bits.checked_sub(u32::from(signed)).filter(|_| args.bits > 0)
        else {
            return refused("at least 1 bit is needed");
        };
        if unsigned > 30 {
            return refused(
                "QKeras 0.9.0 computes 2^bits (without the sign) in int32, which wraps from 31 on",
            );
        }
        let m = power_of_two(unsigned.cast_signed());
        let lowest = if signed { -1.0 } else { 0.0 };
        let step = f32::from(u8::from(args.symmetric)) / m;
        Ok(Self { function: args.function, m, low: lowest + step, high: 1.0 - 1.0 / m })
    }

    /// What is quantised.
    #[must_use]
    pub fn function(&self) -> CurveFunction {
        self.function
    }

    /// The function's value on the grid: to the nearest code, ties to even, then between the bounds.
    #[inline]
    #[must_use]
    pub fn quantize(&self, value: f32) -> f32 {
        clip(round_through(mul(value, self.m)) / self.m, self.low, self.high)
    }

    /// The quantized function of `x`. NaN gives NaN; infinities give the bounds.
    #[inline]
    #[must_use]
    pub fn apply(&self, x: f32, position: Position) -> f32 {
        self.quantize(self.function.apply(x, position))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(function: CurveFunction, bits: u32, symmetric: bool) -> QuantizedCurve {
        QuantizedCurve::new(&QuantizedCurveArgs { function, bits, symmetric }).unwrap()
    }

    #[test]
    fn every_code_of_a_hard_tanh_is_a_fixed_point() {
        let q = curve(CurveFunction::HardTanh, 8, false);
        for code in -128_i16..128 {
            let x = f32::from(code) / 128.0;
            assert_eq!(q.apply(x, Position::Body).to_bits(), x.to_bits());
        }
        let symmetric = curve(CurveFunction::HardTanh, 8, true);
        assert_eq!(symmetric.apply(-1.0, Position::Body), -127.0 / 128.0);
    }

    #[test]
    fn ends() {
        for function in [CurveFunction::HardSigmoid, CurveFunction::Sigmoid] {
            let q = curve(function, 6, true);
            assert_eq!(q.apply(f32::NEG_INFINITY, Position::Tail), 1.0 / 64.0);
            assert_eq!(q.apply(f32::INFINITY, Position::Body), 63.0 / 64.0);
            assert_eq!(q.apply(-0.0, Position::Body), 0.5);
            assert!(q.apply(f32::NAN, Position::Body).is_nan());
        }
        let one = curve(CurveFunction::Tanh, 1, false);
        assert_eq!([-3.0, -0.1, 0.7].map(|x| one.apply(x, Position::Body)), [-1.0, 0.0, 0.0]);
    }

    /// The addition of 1/2 takes the last bits of a small value, and with them the side of a tie.
    #[test]
    fn a_value_just_above_a_tie_is_one() {
        let q = curve(CurveFunction::HardTanh, 20, false);
        let tie = 2.0_f32.powi(-20);
        assert_eq!(q.apply(tie.next_up(), Position::Body), 0.0);
        assert_eq!(q.quantize(tie.next_up()), 2.0 * tie);
    }

    #[test]
    fn refused_widths() {
        for (function, bits) in [
            (CurveFunction::Tanh, 0),
            (CurveFunction::Sigmoid, 0),
            (CurveFunction::HardTanh, 32),
            (CurveFunction::HardSigmoid, 31),
        ] {
            let args = QuantizedCurveArgs { function, bits, symmetric: false };
            assert_eq!(QuantizedCurve::new(&args).unwrap_err().attribute(), "bits");
        }
        assert_eq!(curve(CurveFunction::Tanh, 31, false).apply(9.0, Position::Body), 1.0);
    }
}
