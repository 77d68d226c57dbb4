//! `quantized_relu` of QKeras 0.9.0.

use super::error::ArgumentError;
use super::ftz::{add, ftz, mul, sub};
use super::kernel::Mode;
use super::round::{TwoFactors, clip, power_of_two, round_through, straight_through};

const NAME: &str = "quantized_relu";

/// The arguments of `quantized_relu`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuantizedReluArgs {
    /// Width in bits; one of them becomes the sign when `negative_slope` is not zero.
    pub bits: u32,
    /// Integer bits, the sign bit *not* included.
    pub integer: i32,
    /// Quantizes `2·sigmoid(x) - 1` instead of `x`, with QKeras' default internal sigmoid, the hard one
    /// (`clip(x/2 + 1/2, 0, 1)`).
    pub use_sigmoid: bool,
    /// Slope for negative inputs: zero or a power of two.
    pub negative_slope: f64,
    /// Upper bound of the output; without effect while `is_quantized_clip` is true.
    pub relu_upper_bound: Option<f64>,
    /// Share of the quantization that is applied; 1.0 in every finished model.
    pub qnoise_factor: f64,
    /// Whether the pass-through value is clipped at the largest code. It is not stored in a model
    /// file, so a loaded model always has true.
    pub is_quantized_clip: bool,
}

/// `quantized_relu` with its constants computed once.
///
/// ```
/// use bittrue_keras::float::{QuantizedRelu, QuantizedReluArgs};
/// let q = QuantizedRelu::new(&QuantizedReluArgs {
///     bits: 4, integer: 0, use_sigmoid: false, negative_slope: 0.0,
///     relu_upper_bound: None, qnoise_factor: 1.0, is_quantized_clip: true,
/// })?;
/// assert_eq!(q.apply(-1.0), 0.0);
/// assert_eq!(q.apply(0.03125), 0.0); // tie to even
/// assert_eq!(q.apply(1.0e9), 0.9375);
/// # Ok::<(), bittrue_keras::float::ArgumentError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuantizedRelu {
    m: f32,
    mi: f32,
    to_code: TwoFactors,
    slope: f32,
    /// `1/(slope·m)`; zero without a slope.
    negative_factor: f32,
    use_sigmoid: bool,
    /// Where the pass-through value is clipped.
    pass_bound: Option<f32>,
    /// Where the quantized value is clipped besides the grid.
    upper_bound: Option<f32>,
    qnoise: f32,
}

impl QuantizedRelu {
    /// The quantizer as `predict` runs it. See [`with_mode`](Self::with_mode).
    ///
    /// # Errors
    ///
    /// See [`with_mode`](Self::with_mode).
    pub fn new(args: &QuantizedReluArgs) -> Result<Self, ArgumentError> {
        Self::with_mode(args, Mode::Predict)
    }

    /// Checks the arguments and computes the constants.
    ///
    /// The two modes differ only for inputs near the end of the float32 range: Grappler folds `x·2^bits/2^i`
    /// into one product, so that `predict` overflows (to NaN) later than a direct call.
    ///
    /// # Errors
    ///
    /// For arguments on which QKeras 0.9.0 raises (a slope that is negative or no power of two, a
    /// negative `integer`, fewer bits than the sign needs) or computes with wrapped 32-bit integers
    /// (31 and more bits or integer bits).
    pub fn with_mode(args: &QuantizedReluArgs, mode: Mode) -> Result<Self, ArgumentError> {
        let slope = check_slope(NAME, args.negative_slope)?;
        if args.bits == 0 {
            return Err(ArgumentError::new(NAME, "bits", args.bits, "at least 1 bit is needed"));
        }
        let non_sign_bits = args.bits - u32::from(slope != 0.0);
        if non_sign_bits > 30 {
            return Err(ArgumentError::new(
                NAME,
                "bits",
                args.bits,
                "QKeras 0.9.0 computes 2^bits (without the sign of a slope) in int32, which wraps from 31 on",
            ));
        }
        if args.integer < 0 {
            return Err(ArgumentError::new(
                NAME,
                "integer",
                args.integer,
                "QKeras 0.9.0 raises an error for negative integer bits (an int32 power)",
            ));
        }
        if args.integer > 30 {
            return Err(ArgumentError::new(
                NAME,
                "integer",
                args.integer,
                "QKeras 0.9.0 computes 2^integer in int32, which wraps from 31 on",
            ));
        }
        if let Some(bound) = args.relu_upper_bound
            && bound.is_nan()
        {
            return Err(ArgumentError::new(NAME, "relu_upper_bound", bound, "not a number"));
        }
        let nb = non_sign_bits.cast_signed();
        let (m, mi) = (power_of_two(nb), power_of_two(args.integer));
        let bound = args.relu_upper_bound.map(to_f32);
        Ok(Self {
            m,
            mi,
            to_code: TwoFactors::new(nb, -args.integer, mode),
            slope,
            negative_factor: if slope == 0.0 { 0.0 } else { 1.0 / (slope * m) },
            use_sigmoid: args.use_sigmoid,
            pass_bound: if args.is_quantized_clip {
                Some(mi - power_of_two(args.integer - nb))
            } else {
                bound
            },
            // QKeras asks for the truth of the bound here, and a zero is false.
            upper_bound: bound.filter(|_| {
                !args.is_quantized_clip && args.relu_upper_bound.is_some_and(|bound| bound != 0.0)
            }),
            qnoise: to_f32(args.qnoise_factor),
        })
    }

    /// The quantized value of `x`, in the order of operations of QKeras, the straight-through sum
    /// included. NaN, infinities and a finite `x` whose scaled value overflows give NaN (unless an upper
    /// bound that is not the grid's catches them).
    #[inline]
    #[must_use]
    pub fn apply(&self, x: f32) -> f32 {
        let x = ftz(x);
        let pass = match self.pass_bound {
            Some(bound) => at_most(bound, x, || self.relu(x)),
            None => self.relu(x),
        };
        let mut y = if self.use_sigmoid { self.sigmoid_codes(x) } else { self.codes(x) };
        if let Some(bound) = self.upper_bound {
            y = at_most(bound, y, || y);
        }
        straight_through(pass, y, self.qnoise)
    }

    #[inline]
    fn relu(&self, x: f32) -> f32 {
        if self.slope == 0.0 {
            if x < 0.0 { 0.0 } else { x }
        } else if x > 0.0 {
            x
        } else {
            mul(x, self.slope)
        }
    }

    #[inline]
    fn codes(&self, x: f32) -> f32 {
        let p = self.to_code.apply(x);
        let top = 1.0 - 1.0 / self.m;
        let y = self.mi * clip(round_through(p) / self.m, 0.0, top);
        if self.slope == 0.0 {
            return y;
        }
        let code = round_through(mul(p, self.slope));
        let negative = clip(mul(code, self.negative_factor), -1.0, 0.0);
        add(y, mul(self.mi * self.slope, negative))
    }

    fn sigmoid_codes(&self, x: f32) -> f32 {
        let p = mul(hard_sigmoid(x / self.mi), self.m);
        let top = 1.0 - 1.0 / self.m;
        let y = self.mi * clip(2.0 * (round_through(p) / self.m) - 1.0, 0.0, top);
        if self.slope == 0.0 {
            return y;
        }
        let code = round_through(mul(p, self.slope));
        let negative = clip(sub(2.0 * mul(code, self.negative_factor), 1.0), -1.0, 0.0);
        add(y, mul(self.mi * self.slope, negative))
    }
}

/// `where(x <= bound, below(), bound)`; a NaN takes the bound.
#[inline]
fn at_most(bound: f32, x: f32, below: impl FnOnce() -> f32) -> f32 {
    if x <= bound { below() } else { bound }
}

/// QKeras' `hard_sigmoid`, `clip(x/2 + 1/2, 0, 1)`; Keras' own function of that name has the slope 0.2.
#[inline]
#[must_use]
pub fn hard_sigmoid(x: f32) -> f32 {
    clip(add(mul(0.5, x), 0.5), 0.0, 1.0)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "TensorFlow converts Python numbers to float32"
)]
fn to_f32(x: f64) -> f32 {
    x as f32
}

/// The slope in float32: zero or a power of two.
pub(super) fn check_slope(function: &'static str, slope: f64) -> Result<f32, ArgumentError> {
    let error = |reason| Err(ArgumentError::new(function, "negative_slope", slope, reason));
    if slope == 0.0 {
        return Ok(0.0);
    }
    if !slope.is_finite() || slope < 0.0 {
        return error("QKeras 0.9.0 asserts a slope that is zero or positive");
    }
    let mantissa_bits = slope.to_bits() & ((1 << 52) - 1);
    if mantissa_bits != 0 {
        return error("QKeras 0.9.0 asserts that the slope is a power of two");
    }
    if !(2.0_f64.powi(-60)..=2.0_f64.powi(60)).contains(&slope) {
        return error("powers of two from 2^-60 to 2^60");
    }
    Ok(to_f32(slope))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args() -> QuantizedReluArgs {
        QuantizedReluArgs {
            bits: 6,
            integer: 2,
            use_sigmoid: false,
            negative_slope: 0.0,
            relu_upper_bound: None,
            qnoise_factor: 1.0,
            is_quantized_clip: true,
        }
    }

    #[test]
    fn every_code_is_a_fixed_point() {
        let q = QuantizedRelu::new(&args()).unwrap();
        for code in 0..64_u8 {
            let x = f32::from(code) / 16.0;
            assert_eq!(q.apply(x).to_bits(), x.to_bits());
        }
        assert_eq!(q.apply(4.0), 3.9375);
        assert_eq!(q.apply(-7.0).to_bits(), 0);
    }

    #[test]
    fn a_slope_costs_a_bit_on_both_sides() {
        let q = QuantizedRelu::new(&QuantizedReluArgs { negative_slope: 0.25, ..args() }).unwrap();
        assert_eq!(q.apply(0.0625), 0.0);
        assert_eq!(q.apply(0.125), 0.125);
        assert_eq!(q.apply(-0.5), -0.125);
        assert_eq!(q.apply(-100.0), -1.0);
    }

    #[test]
    fn an_upper_bound_counts_only_without_the_clip() {
        let bounded = QuantizedReluArgs { relu_upper_bound: Some(1.7), ..args() };
        assert_eq!(QuantizedRelu::new(&bounded).unwrap().apply(3.0), 3.0);
        let unclipped = QuantizedReluArgs { is_quantized_clip: false, ..bounded };
        assert_eq!(QuantizedRelu::new(&unclipped).unwrap().apply(3.0), 1.7);
    }

    #[test]
    fn refused_arguments_name_themselves() {
        for (refused, attribute) in [
            (QuantizedReluArgs { bits: 0, ..args() }, "bits"),
            (QuantizedReluArgs { bits: 31, ..args() }, "bits"),
            (QuantizedReluArgs { bits: 32, negative_slope: 0.5, ..args() }, "bits"),
            (QuantizedReluArgs { integer: -1, ..args() }, "integer"),
            (QuantizedReluArgs { integer: 31, ..args() }, "integer"),
            (QuantizedReluArgs { negative_slope: 0.3, ..args() }, "negative_slope"),
            (QuantizedReluArgs { negative_slope: -0.5, ..args() }, "negative_slope"),
            (QuantizedReluArgs { negative_slope: f64::NAN, ..args() }, "negative_slope"),
            (QuantizedReluArgs { negative_slope: 2.0_f64.powi(-80), ..args() }, "negative_slope"),
            (QuantizedReluArgs { relu_upper_bound: Some(f64::NAN), ..args() }, "relu_upper_bound"),
        ] {
            let error = QuantizedRelu::new(&refused).unwrap_err();
            assert_eq!((error.function(), error.attribute()), ("quantized_relu", attribute));
        }
        // With a slope one bit is the sign's.
        assert!(
            QuantizedRelu::new(&QuantizedReluArgs { bits: 31, negative_slope: 0.5, ..args() })
                .is_ok()
        );
    }
}
