//! Activation functions as TensorFlow 2.15.1 computes them on a CPU in float32.
//!
//! All kernels are reproduced bit for bit, so a result of a known input has no band. There are two
//! exceptions: where the position of an element in its tensor is not known, `exp`, sigmoid and ELU
//! have a band that holds the vector body and the scalar tail; and a softmax over more than 16 values
//! depends on the vector length of the CPU.

use super::ftz::{add, div, ftz, mul, sub};
use super::{eigen, libm, onednn};

/// A float32 result and the band in which the real kernel's result lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Banded {
    /// The best value.
    pub value: f32,
    /// The real software gives no less.
    pub lo: f32,
    /// The real software gives no more.
    pub hi: f32,
}

impl Banded {
    /// A result that is certain.
    #[must_use]
    pub fn exact(value: f32) -> Self {
        Self { value, lo: value, hi: value }
    }

    /// Whether the band holds one value only (a NaN counts as one value).
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.lo == self.hi || (self.lo.is_nan() && self.hi.is_nan())
    }

    pub(super) fn either(value: f32, other: f32) -> Self {
        Self { value, lo: value.min(other), hi: value.max(other) }
    }
}

/// Where an element stands in the flat tensor that one TensorFlow call works on.
///
/// The tensor is the whole batch: of `n` elements the first `n - n mod 8` are the body and go through
/// vector kernels, the others are the tail and call the C library. In `predict` with batches of 32 events
/// only the last, incomplete batch can have a tail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Position {
    /// Among the first `n - n mod 8` elements.
    Body,
    /// Among the last `n mod 8` elements.
    Tail,
    /// Not known: the value is that of the body, the band holds both.
    Unknown,
}

impl Position {
    /// The position of element `index` in a tensor of `len` elements.
    ///
    /// ```
    /// use bittrue_keras::float::activations::Position;
    /// assert_eq!(Position::of(23, 31), Position::Body);
    /// assert_eq!(Position::of(24, 31), Position::Tail);
    /// ```
    #[must_use]
    pub fn of(index: usize, len: usize) -> Self {
        if index < len - len % 8 { Self::Body } else { Self::Tail }
    }

    fn select(self, body: impl FnOnce() -> f32, tail: impl FnOnce() -> f32) -> Banded {
        match self {
            Self::Body => Banded::exact(body()),
            Self::Tail => Banded::exact(tail()),
            Self::Unknown => Banded::either(body(), tail()),
        }
    }
}

/// `max(x, 0)`; never a negative zero. In the tail of a tensor TensorFlow keeps positive denormals (and
/// negative zeros), which are zero here.
#[inline]
#[must_use]
pub fn relu(x: f32) -> f32 {
    let x = ftz(x);
    if x > 0.0 || x.is_nan() { x } else { 0.0 }
}

/// `x` above zero, else `x·alpha`; `alpha` in the float32 that TensorFlow makes of it.
#[inline]
#[must_use]
pub fn leaky_relu(x: f32, alpha: f32) -> f32 {
    let x = ftz(x);
    if x > 0.0 { x } else { mul(x, alpha) }
}

/// `tanh`; body and tail agree.
#[inline]
#[must_use]
pub fn tanh(x: f32) -> f32 {
    eigen::tanh(x)
}

/// `exp`.
#[must_use]
pub fn exp(x: f32, position: Position) -> Banded {
    position.select(|| eigen::exp(x), || libm::exp(x))
}

/// `exp(x) / (1 + exp(x))`.
#[must_use]
pub fn sigmoid(x: f32, position: Position) -> Banded {
    position.select(|| eigen::logistic(eigen::exp(x)), || eigen::logistic(libm::exp(x)))
}

/// `exp(x) - 1` below zero, else `x`.
#[must_use]
pub fn elu(x: f32, position: Position) -> Banded {
    // Denormals count as zero in the comparison and are handed on unchanged.
    if ftz(x) < 0.0 {
        position.select(|| sub(eigen::exp(x), 1.0), || sub(libm::exp(x), 1.0))
    } else {
        Banded::exact(x)
    }
}

/// ELU inside the kernel of a product with bias (Dense of rank 2, Conv2D, DepthwiseConv2D): what `predict`
/// hands to a following layer. As the last layer of a model, ELU is [`elu`].
#[must_use]
pub fn fused_elu(x: f32) -> f32 {
    let x = ftz(x);
    if x > 0.0 || x.is_nan() { x } else { sub(onednn::exp(x), 1.0) }
}

/// The sigmoid inside the kernel of a Dense layer with bias (rank 2): what `predict` hands to a following
/// layer. As the last layer of a model it is [`sigmoid`].
#[must_use]
pub fn fused_sigmoid(x: f32) -> f32 {
    let x = ftz(x);
    if x.is_nan() {
        return x;
    }
    let e = onednn::exp(-x.abs());
    let below = div(e, add(e, 1.0));
    if x > 0.0 { sub(1.0, below) } else { below }
}

/// `tanh` inside the kernel of a Dense layer with bias (rank 2): what `predict` hands to a following
/// layer. As the last layer of a model it is [`tanh()`]. Inside, it is a table of polynomials, so here is
/// a band around the true function.
#[must_use]
pub fn fused_tanh(x: f32) -> Banded {
    let true_value = f64::from(ftz(x)).tanh();
    #[expect(clippy::cast_possible_truncation, reason = "the nearest float32 is the best value")]
    let value = true_value as f32;
    if value == 0.0 || value.is_nan() {
        return Banded::exact(value);
    }
    let (lo, hi) = (below(true_value, FUSED_TANH_ULP), above(true_value, FUSED_TANH_ULP));
    Banded { value, lo: lo.max(-1.0), hi: hi.min(1.0) }
}

/// How far the `tanh` of [`fused_tanh`] lies from the true one; measured
/// (`testvectors/quantizers/functions.json`): 1.3 ulp.
pub const FUSED_TANH_ULP: f64 = 2.0;

/// What `tanh` can be for any input between `lo` and `hi`.
///
/// The kernel is not monotone in its last bits, so the interval is that of the true function, widened
/// by the largest error of the kernel.
#[must_use]
pub fn tanh_interval(lo: f32, hi: f32) -> (f32, f32) {
    /// Measured (`testvectors/quantizers/functions.json`): 6.5 ulp.
    const ULP: f64 = 7.0;
    if lo == hi {
        let value = tanh(lo);
        return (value, value);
    }
    let (least, most) = (f64::from(lo).tanh(), f64::from(hi).tanh());
    (below(least, ULP).max(-1.0), above(most, ULP).min(1.0))
}

/// What the sigmoid can be for any input between `lo` and `hi`, wherever it stands.
#[must_use]
pub fn sigmoid_interval(lo: f32, hi: f32) -> (f32, f32) {
    /// Measured (`testvectors/quantizers/functions.json`): 2.6 ulp.
    const ULP: f64 = 3.0;
    if lo == hi {
        let band = sigmoid(lo, Position::Unknown);
        return (band.lo, band.hi);
    }
    let logistic = |x: f32| 1.0 / (1.0 + (-f64::from(x)).exp());
    (below(logistic(lo), ULP).max(0.0), above(logistic(hi), ULP).min(1.0))
}

/// What ELU can be for any input between `lo` and `hi`, wherever it stands.
#[must_use]
pub fn elu_interval(lo: f32, hi: f32) -> (f32, f32) {
    /// Measured for `exp` (`testvectors/quantizers/functions.json`): 1.31 ulp.
    const ULP: f64 = 2.0;
    if lo == hi {
        let band = elu(lo, Position::Unknown);
        return (band.lo, band.hi);
    }
    // The subtraction is the kernel's own; as it is monotone, it keeps the bounds outside.
    let exponential = |x: f32| f64::from(x.min(0.0)).exp();
    let least = if lo < 0.0 { (below(exponential(lo), ULP) - 1.0).max(-1.0) } else { lo };
    let most = if lo < 0.0 { (above(exponential(hi), ULP) - 1.0).max(hi) } else { hi };
    (least, most)
}

/// A float32 at least `ulp` float32 units in the last place below `x`.
#[expect(clippy::cast_possible_truncation, reason = "one more step outwards covers the rounding")]
fn below(x: f64, ulp: f64) -> f32 {
    ftz(((x - ulp * unit(x)) as f32).next_down())
}

/// A float32 at least `ulp` float32 units in the last place above `x`.
#[expect(clippy::cast_possible_truncation, reason = "one more step outwards covers the rounding")]
fn above(x: f64, ulp: f64) -> f32 {
    let above = ((x + ulp * unit(x)) as f32).next_up();
    // A negative result that small is flushed to zero.
    if above < 0.0 { ftz(above) } else { above }
}

/// The unit in the last place of the float32 numbers around `x`; at least that of 2^-126.
fn unit(x: f64) -> f64 {
    let exponent = ((x.to_bits() >> 52) & 0x7ff) as i32 - 1023;
    2.0_f64.powi(exponent.max(-126) - 23)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn body_and_tail_differ_by_bits_only() {
        let band = sigmoid(-0.498_131_45, Position::Unknown);
        assert!(band.lo < band.hi && !band.is_exact());
        assert_eq!(band.value, sigmoid(-0.498_131_45, Position::Body).value);
        assert_eq!(band.hi, sigmoid(-0.498_131_45, Position::Tail).value);
    }

    #[test]
    fn positions_of_a_last_batch() {
        let positions: Vec<_> = (0..9).map(|index| Position::of(index, 9)).collect();
        assert_eq!(positions.iter().filter(|&&p| p == Position::Body).count(), 8);
        assert_eq!(positions[8], Position::Tail);
        assert_eq!(Position::of(0, 7), Position::Tail);
    }

    #[test]
    fn not_a_number_stays_one() {
        for position in [Position::Body, Position::Tail, Position::Unknown] {
            assert!(exp(f32::NAN, position).is_exact() && exp(f32::NAN, position).value.is_nan());
            assert!(sigmoid(f32::NAN, position).value.is_nan());
            assert!(elu(f32::NAN, position).value.is_nan());
        }
        assert!(tanh(f32::NAN).is_nan() && relu(f32::NAN).is_nan());
        assert!(leaky_relu(f32::NAN, 0.3).is_nan());
    }

    #[test]
    fn ends_of_the_range_inside_the_kernel_of_a_product() {
        // As `predict` of Dense layers gives them.
        let inputs = [-0.0, f32::INFINITY, f32::NEG_INFINITY, -1.0e-40, -100.0, -87.0, 100.0];
        assert_eq!(inputs.map(fused_elu), [0.0, f32::INFINITY, -1.0, 0.0, -1.0, -1.0, 100.0]);
        assert_eq!(inputs.map(fused_sigmoid), [0.5, 1.0, 0.0, 0.5, 0.0, 0.0, 1.0]);
        let tanh = inputs.map(|x| fused_tanh(x).value);
        assert_eq!(tanh, [0.0, 1.0, -1.0, 0.0, -1.0, -1.0, 1.0]);
        assert!(fused_elu(f32::NAN).is_nan() && fused_sigmoid(f32::NAN).is_nan());
        assert!(fused_tanh(f32::NAN).value.is_nan());
    }

    #[test]
    fn an_interval_of_denormals_holds_the_flushed_zero() {
        let (lo, hi) = (-8.5e-39, -8.4e-39);
        for (least, most) in [tanh_interval(lo, hi), tanh_interval(-hi, -lo)] {
            assert!(least <= 0.0 && 0.0 <= most);
        }
    }

    fn input() -> impl Strategy<Value = f32> {
        prop_oneof![
            -20.0_f32..20.0,
            -110.0_f32..110.0,
            -0.001_f32..0.001,
            (-1.0_f32..1.0).prop_map(|x| x * 1.0e-37)
        ]
    }

    proptest! {
        #[test]
        fn intervals_hold_every_result_between(a in input(), width in 0.0_f32..1.0, share in 0.0_f32..1.0, fine in any::<bool>()) {
            let width = if fine { width * 1.0e-6 * a.abs() } else { width };
            let (lo, hi) = (a, a + width);
            let x = (a + share * width).clamp(lo, hi);
            let inside = |(least, most): (f32, f32), value: f32| least <= value && value <= most;
            prop_assert!(inside(tanh_interval(lo, hi), tanh(x)));
            for position in [Position::Body, Position::Tail] {
                prop_assert!(inside(sigmoid_interval(lo, hi), sigmoid(x, position).value));
                prop_assert!(inside(elu_interval(lo, hi), elu(x, position).value), "{:?} {:?}", elu_interval(lo, hi), elu(x, position));
            }
        }

        #[test]
        fn intervals_of_one_value_are_narrow(x in input()) {
            let narrow = |(least, most): (f32, f32), ulp: f32| most - least <= ulp * f32::EPSILON * most.abs();
            prop_assert!(tanh_interval(x, x) == (tanh(x), tanh(x)));
            prop_assert!(narrow(sigmoid_interval(x, x), 4.0) || sigmoid_interval(x, x).1 < 1.0e-37);
        }
    }
}
