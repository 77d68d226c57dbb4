//! `quantized_bits` of QKeras 0.9.0 with a numeric scale.
//!
//! The data dependent scales (`alpha="auto"`, `"auto_po2"`) work on whole tensors and live in
//! [`kernel`](super::kernel).

use super::error::ArgumentError;
use super::ftz::{ftz, mul};
use super::kernel::Mode;
use super::round::{TwoFactors, clip, power_of_two, round_through, straight_through};

const NAME: &str = "quantized_bits";

/// The arguments of `quantized_bits` as a model file holds them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuantizedBitsArgs {
    /// Width in bits, sign bit included.
    pub bits: u32,
    /// Integer bits, the sign bit *not* included.
    pub integer: i32,
    /// Leaves out the lowest code, so that the range is symmetric; without effect when
    /// `keep_negative` is false.
    pub symmetric: bool,
    /// Whether there is a sign bit.
    pub keep_negative: bool,
    /// Numeric `alpha`; it multiplies the output only. 1.0 stands for `None`.
    pub scale: f32,
    /// Share of the quantization that is applied; 1.0 in every finished model.
    pub qnoise_factor: f64,
}

/// `quantized_bits` with its constants computed once.
///
/// ```
/// use bittrue_keras::float::{QuantizedBits, QuantizedBitsArgs};
/// let q = QuantizedBits::new(&QuantizedBitsArgs {
///     bits: 8, integer: 0, symmetric: false, keep_negative: true, scale: 1.0, qnoise_factor: 1.0,
/// })?;
/// assert_eq!(q.apply(1.5), 0.9921875);
/// // The straight-through sum damages saturated values: QKeras really answers 1.0 and 0.0 here.
/// assert_eq!(q.apply(1.0e6), 1.0);
/// assert_eq!(q.apply(1.0e9), 0.0);
/// # Ok::<(), bittrue_keras::float::ArgumentError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuantizedBits {
    to_code: TwoFactors,
    to_value: TwoFactors,
    low: f32,
    high: f32,
    sign_only: bool,
    scale: f32,
    qnoise: f32,
}

impl QuantizedBits {
    /// The quantizer as `predict` runs it. See [`with_mode`](Self::with_mode).
    ///
    /// # Errors
    ///
    /// See [`with_mode`](Self::with_mode).
    pub fn new(args: &QuantizedBitsArgs) -> Result<Self, ArgumentError> {
        Self::with_mode(args, Mode::Predict)
    }

    /// Checks the arguments and computes the constants.
    ///
    /// The two modes differ only for inputs near the end of the float32 range: Grappler folds `x·2^ub/2^i`
    /// into one product, so that `predict` overflows (to NaN) later than a direct call.
    ///
    /// # Errors
    ///
    /// For arguments on which QKeras 0.9.0 raises or computes with wrapped 32-bit integers: zero bits,
    /// a negative `integer`, `integer` of 31 and more; and widths whose codes leave the range of
    /// float32.
    pub fn with_mode(args: &QuantizedBitsArgs, mode: Mode) -> Result<Self, ArgumentError> {
        check(args.bits, args.integer)?;
        let unsigned_bits = args.bits - u32::from(args.keep_negative);
        let m = power_of_two(unsigned_bits.cast_signed());
        let symmetric = if args.symmetric { 1.0 } else { 0.0 };
        Ok(Self {
            to_code: TwoFactors::new(unsigned_bits.cast_signed(), -args.integer, mode),
            to_value: TwoFactors::new(args.integer, -unsigned_bits.cast_signed(), mode),
            low: if args.keep_negative { -m + symmetric } else { 0.0 },
            high: m - 1.0,
            sign_only: unsigned_bits == 0,
            scale: args.scale,
            #[expect(
                clippy::cast_possible_truncation,
                reason = "TensorFlow converts the factor to float32"
            )]
            qnoise: args.qnoise_factor as f32,
        })
    }

    /// The quantized value of `x`, in the order of operations of QKeras, the straight-through sum
    /// included. NaN, infinities and a finite `x` whose scaled value overflows give NaN.
    #[inline]
    #[must_use]
    pub fn apply(&self, x: f32) -> f32 {
        self.apply_scaled(x, self.scale)
    }

    /// As [`apply`](Self::apply), with another scale.
    #[inline]
    pub(super) fn apply_scaled(&self, x: f32, scale: f32) -> f32 {
        let x = ftz(x);
        let mut y = if self.sign_only {
            sign_or_one(x)
        } else {
            let code = clip(round_through(self.to_code.apply(x)), self.low, self.high);
            self.to_value.apply(code)
        };
        if scale != 1.0 {
            y = mul(scale, y);
        }
        straight_through(x, y, self.qnoise)
    }

    /// Whether nothing of the quantization is applied (`qnoise_factor` 0). Then TensorFlow may leave
    /// out the whole sum `x + 0·(y − x)`, and does so where it knows the size of the batch: what the
    /// sum would flush, a denormal, is kept.
    #[must_use]
    pub fn passes_through(&self) -> bool {
        self.qnoise == 0.0
    }
}

/// The sign of `x`, +1 for both zeros; NaN passes.
#[inline]
pub(super) fn sign_or_one(x: f32) -> f32 {
    if x.is_nan() {
        x
    } else if x < 0.0 {
        -1.0
    } else {
        1.0
    }
}

/// What QKeras 0.9.0 can do with `bits` and `integer`.
pub(super) fn check(bits: u32, integer: i32) -> Result<(), ArgumentError> {
    if bits == 0 {
        return Err(ArgumentError::new(NAME, "bits", bits, "at least 1 bit is needed"));
    }
    if bits > 96 {
        return Err(ArgumentError::new(
            NAME,
            "bits",
            bits,
            "at most 96 bits; wider codes leave the range of float32",
        ));
    }
    if integer < 0 {
        return Err(ArgumentError::new(
            NAME,
            "integer",
            integer,
            "QKeras 0.9.0 raises an error for negative integer bits (an int32 power)",
        ));
    }
    if integer > 30 {
        return Err(ArgumentError::new(
            NAME,
            "integer",
            integer,
            "QKeras 0.9.0 computes 2^integer in int32, which wraps from 31 on",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(bits: u32, integer: i32) -> QuantizedBitsArgs {
        QuantizedBitsArgs {
            bits,
            integer,
            symmetric: false,
            keep_negative: true,
            scale: 1.0,
            qnoise_factor: 1.0,
        }
    }

    fn quantizer(args: &QuantizedBitsArgs) -> QuantizedBits {
        QuantizedBits::new(args).unwrap()
    }

    #[test]
    fn every_code_of_a_grid_is_a_fixed_point() {
        for (bits, integer) in [(2, 0), (8, 0), (8, 3), (4, 6), (12, 2)] {
            let q = quantizer(&args(bits, integer));
            let lsb = 2.0_f32.powi(integer - bits.cast_signed() + 1);
            for code in -(1_i32 << (bits - 1))..(1 << (bits - 1)) {
                let x = code as f32 * lsb;
                assert_eq!(q.apply(x).to_bits(), (x + 0.0).to_bits(), "{bits},{integer}: {x}");
            }
        }
    }

    #[test]
    fn ties_go_to_even_and_zero_is_positive() {
        let q = quantizer(&args(4, 0));
        assert_eq!(q.apply(0.0625), 0.0);
        assert_eq!(q.apply(0.1875), 0.25);
        assert_eq!(q.apply(-0.0625).to_bits(), 0);
        assert_eq!(q.apply(-0.0).to_bits(), 0);
        assert_eq!(q.apply(-1.0e-40).to_bits(), 0);
    }

    #[test]
    fn not_finite_inputs_and_overflowing_products_give_nan() {
        let q = quantizer(&args(8, 0));
        for x in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 2.7e36, -3.0e38] {
            assert!(q.apply(x).is_nan(), "{x}");
        }
        assert_eq!(q.apply(2.6e36), 0.0);
    }

    #[test]
    fn one_signed_bit_ignores_the_integer_bits() {
        let q = quantizer(&args(1, 3));
        assert_eq!(q.apply(-2.0), -1.0);
        assert_eq!(q.apply(0.0), 1.0);
        assert_eq!(q.apply(20.0), 1.0);
    }

    #[test]
    fn refused_arguments_name_themselves() {
        for (bits, integer, attribute) in
            [(0, 0, "bits"), (97, 0, "bits"), (8, -1, "integer"), (8, 31, "integer")]
        {
            let error = QuantizedBits::new(&args(bits, integer)).unwrap_err();
            assert_eq!(error.function(), "quantized_bits");
            assert_eq!(error.attribute(), attribute);
        }
    }
}
