//! float32 dot products as TensorFlow runs them on a CPU (oneDNN), with the knowledge whether the
//! order of the sum matters.
//!
//! Let `u` be the lowest bit that any of the products has. When `Σ|x·w| ≤ 2^24·u`, every partial sum
//! in every order is a float32 value, so the result is exact whatever blocking or FMA is used; the same
//! holds for at most one non-zero product, which is rounded once. Everything else depends on the order:
//! then the value is that of a sequential FMA chain (what oneDNN does for up to 64 terms and more than
//! one column) and the band holds what any order may give.
//!
//! The bias is a separate float32 addition behind the sum ([`add`](super::add)).

use super::ftz::{fma, ftz, mul};

/// The exponent that stands for "this factor is zero and has no lowest bit".
const NO_BIT: i32 = 1 << 20;

/// The largest `|value|/lsb` that any float32 can hold.
const TWO_24: f64 = 16_777_216.0;

/// A dot product and what is known about it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dot {
    /// The float32 result; a zero is positive. The best guess when `exact` is false.
    pub value: f32,
    /// No order of summation gives less; equal to `value` when `exact`.
    pub lo: f64,
    /// No order of summation gives more; equal to `value` when `exact`.
    pub hi: f64,
    /// Whether every order gives the same bits.
    pub exact: bool,
}

impl Dot {
    fn certain(value: f32) -> Self {
        // The chain starts from +0, so a zero sum is positive.
        let value = value + 0.0;
        let wide = f64::from(value);
        Self { value, lo: wide, hi: wide, exact: true }
    }
}

/// The dot product of two slices of one length (of the shorter one, if they differ).
///
/// A NaN result is `exact` when every order gives NaN, an infinite one when every order gives it.
///
/// ```
/// use bittrue_keras::float::dot;
/// let sum = dot(&[0.5, -0.25, 0.0], &[2.0, 1.0, 0.1]);
/// assert!(sum.exact);
/// assert_eq!(sum.value, 0.75);
/// // Cancellation does not help: the one is lost between two products of 2^24.
/// let sum = dot(&[4096.0, 1.0, 4096.0], &[8192.0, 1.0, -8192.0]);
/// assert!(!sum.exact && sum.lo <= 1.0 && 1.0 <= sum.hi);
/// assert_eq!(sum.value, 0.0);
/// ```
#[must_use]
pub fn dot(x: &[f32], w: &[f32]) -> Dot {
    let (x, w) = (DotRow::from_slice(x), DotRow::from_slice(w));
    sum(&x.view(), &w.view())
}

/// One factor of many dot products with its lowest bits computed once: the inputs of a dense layer or
/// one window of a convolution.
#[derive(Clone, Debug, Default)]
pub struct DotRow {
    /// Denormals are flushed.
    values: Vec<f32>,
    /// Exponent of the lowest set bit of each value.
    low_bits: Vec<i32>,
    finite: bool,
}

impl DotRow {
    /// A row with these values.
    #[must_use]
    pub fn from_slice(values: &[f32]) -> Self {
        let mut row = Self::default();
        row.refill(values);
        row
    }

    /// Replaces the values and keeps the memory.
    pub fn refill(&mut self, values: &[f32]) {
        self.values.clear();
        self.values.extend(values.iter().map(|&value| ftz(value)));
        self.low_bits.clear();
        self.low_bits.extend(self.values.iter().map(|&value| low_bit(value)));
        self.finite = self.values.iter().all(|value| value.is_finite());
    }

    /// Number of values.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are no values.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    fn view(&self) -> View<'_> {
        View { values: &self.values, low_bits: &self.low_bits, finite: self.finite }
    }
}

/// The columns of a kernel with their lowest bits computed once.
///
/// ```
/// use bittrue_keras::float::dot::{DotKernel, DotRow};
/// // Shape [terms, columns] = [2, 3], as Keras stores a Dense kernel.
/// let kernel = DotKernel::new(&[1.0, 2.0, 3.0, 0.5, 0.25, 0.0], 3);
/// let row = DotRow::from_slice(&[2.0, 4.0]);
/// let sums: Vec<f32> = (0..kernel.columns()).map(|c| kernel.dot(&row, c).value).collect();
/// assert_eq!(sums, [4.0, 5.0, 6.0]);
/// ```
#[derive(Clone, Debug)]
pub struct DotKernel {
    terms: usize,
    columns: Vec<DotRow>,
}

impl DotKernel {
    /// Takes a kernel of shape `[terms, columns]` in C order: a Dense kernel as stored, or a
    /// convolution kernel with all axes but the last flattened. A last incomplete row is left out.
    #[must_use]
    pub fn new(kernel: &[f32], columns: usize) -> Self {
        let terms = kernel.len().checked_div(columns).unwrap_or(0);
        let column = |c: usize| {
            let values: Vec<f32> =
                kernel.iter().skip(c).step_by(columns).take(terms).copied().collect();
            DotRow::from_slice(&values)
        };
        Self { terms, columns: (0..columns).map(column).collect() }
    }

    /// Number of columns, that is of output channels.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns.len()
    }

    /// Number of terms of each sum.
    #[must_use]
    pub fn terms(&self) -> usize {
        self.terms
    }

    /// The dot product of `row` with one column; with no terms for a column that does not exist.
    #[must_use]
    pub fn dot(&self, row: &DotRow, column: usize) -> Dot {
        match self.columns.get(column) {
            Some(column) => sum(&row.view(), &column.view()),
            None => Dot::certain(0.0),
        }
    }
}

struct View<'a> {
    values: &'a [f32],
    low_bits: &'a [i32],
    finite: bool,
}

fn sum(x: &View<'_>, w: &View<'_>) -> Dot {
    if !(x.finite && w.finite) {
        return not_finite(x.values, w.values);
    }
    // The product of two float32 values is exact in float64; a float64 sum is exact wherever the
    // condition below can hold, because it has 29 bits more.
    let mut total = 0.0_f64;
    let mut magnitude = 0.0_f64;
    let mut terms = 0_u32;
    let mut lowest = NO_BIT;
    let factors = x.values.iter().zip(w.values);
    for ((&a, &b), (&p, &q)) in factors.zip(x.low_bits.iter().zip(w.low_bits)) {
        let product = f64::from(a) * f64::from(b);
        total += product;
        magnitude += product.abs();
        terms += u32::from(product != 0.0);
        lowest = lowest.min(p + q);
    }
    if terms <= 1 {
        let value = x.values.iter().zip(w.values).fold(0.0, |value, (&a, &b)| value + mul(a, b));
        return Dot::certain(value);
    }
    // Below 2^-126 a partial sum could be flushed. The largest sum that passes is far from overflow
    // unless the lowest bit itself is above 2^100.
    if (-126..=100).contains(&lowest) && magnitude <= TWO_24 * exp2(lowest) {
        #[expect(clippy::cast_possible_truncation, reason = "exact: the sum has at most 24 bits")]
        return Dot::certain(total as f32);
    }
    uncertain(x.values, w.values, total, magnitude, terms)
}

/// A sum whose order matters: the FMA chain and a band for every order.
fn uncertain(x: &[f32], w: &[f32], total: f64, magnitude: f64, terms: u32) -> Dot {
    let value = x.iter().zip(w).fold(0.0, |sum, (&a, &b)| fma(a, b, sum));
    let roundings = f64::from(terms) / TWO_24;
    let gamma = roundings / (1.0 - roundings);
    // Slightly wider for the roundings of this computation itself, and for what flushing may drop.
    let error = gamma * magnitude * (1.0 + exp2(-20)) + f64::from(terms) * exp2(-125);
    if roundings >= 0.5 || magnitude + error >= f64::from(f32::MAX) {
        return Dot { value, lo: f64::NEG_INFINITY, hi: f64::INFINITY, exact: false };
    }
    Dot { value, lo: total - error, hi: total + error, exact: false }
}

/// NaN is certain when a product is NaN or two products are infinities of different signs; an infinity is
/// certain when all infinite products have its sign and the finite ones cannot overflow against it.
fn not_finite(x: &[f32], w: &[f32]) -> Dot {
    let (mut nan, mut up, mut down) = (false, false, false);
    let mut magnitude = 0.0_f64;
    for (&a, &b) in x.iter().zip(w) {
        let product = f64::from(a) * f64::from(b);
        nan |= product.is_nan();
        up |= product == f64::INFINITY;
        down |= product == f64::NEG_INFINITY;
        if product.is_finite() {
            magnitude += product.abs();
        }
    }
    if nan || (up && down) {
        return Dot::certain(f32::NAN);
    }
    if magnitude < f64::from(f32::MAX) / 2.0 {
        return Dot::certain(if up { f32::INFINITY } else { f32::NEG_INFINITY });
    }
    let value = x.iter().zip(w).fold(0.0, |sum, (&a, &b)| fma(a, b, sum));
    Dot { value, lo: f64::NEG_INFINITY, hi: f64::INFINITY, exact: false }
}

/// Exponent of the lowest set bit; [`NO_BIT`] for zero and for what is not finite.
fn low_bit(value: f32) -> i32 {
    let bits = value.to_bits();
    let field = ((bits >> 23) & 0xff).cast_signed();
    if field == 0 || field == 0xff {
        return NO_BIT;
    }
    let significand = (bits & 0x7f_ffff) | 0x80_0000;
    field - 150 + significand.trailing_zeros().cast_signed()
}

/// `2^exponent` for the exponents that occur here.
fn exp2(exponent: i32) -> f64 {
    2.0_f64.powi(exponent)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Every order of summation of a few products, with and without FMA.
    fn all_orders(x: &[f32], w: &[f32]) -> Vec<f32> {
        let mut orders: Vec<Vec<usize>> = vec![vec![]];
        for k in 0..x.len() {
            orders = orders
                .iter()
                .flat_map(|order| {
                    (0..=order.len()).map(move |place| {
                        let mut longer = order.clone();
                        longer.insert(place, k);
                        longer
                    })
                })
                .collect();
        }
        let add = crate::float::add;
        orders
            .iter()
            .flat_map(|order| {
                let fused = order.iter().fold(0.0, |sum, &k| fma(x[k], w[k], sum));
                let plain = order.iter().fold(0.0, |sum, &k| add(sum, mul(x[k], w[k])));
                let (left, right) = order.split_at(order.len() / 2);
                let half = |part: &[usize]| part.iter().fold(0.0, |sum, &k| fma(x[k], w[k], sum));
                [fused, plain, add(half(left), half(right))]
            })
            .collect()
    }

    fn value() -> impl Strategy<Value = f32> {
        prop_oneof![
            3 => (-4096_i32..4096, -8_i32..8).prop_map(|(code, e)| code as f32 * 2.0_f32.powi(e)),
            2 => -4.0_f32..4.0,
            1 => any::<f32>().prop_filter("finite", |x| x.is_finite()),
            1 => Just(0.0_f32),
            1 => (-1.0_f32..1.0).prop_map(|x| x * 2.0_f32.powi(-63)),
        ]
    }

    proptest! {
        #[test]
        fn every_order_lies_in_the_band(terms in proptest::collection::vec((value(), value()), 0..6)) {
            let (x, w): (Vec<f32>, Vec<f32>) = terms.into_iter().unzip();
            let found = dot(&x, &w);
            for real in all_orders(&x, &w) {
                if found.exact {
                    prop_assert_eq!((real + 0.0).to_bits(), found.value.to_bits());
                } else {
                    let wide = f64::from(real);
                    prop_assert!(real.is_nan() || (found.lo <= wide && wide <= found.hi), "{real:e} {found:?}");
                    prop_assert!(!real.is_nan() || found.lo == f64::NEG_INFINITY);
                }
            }
        }
    }

    #[test]
    fn the_bound_is_sharp() {
        // 2^24 units are exact, one more is not.
        let exact = dot(&[16_777_215.0, 1.0], &[1.0, 1.0]);
        assert!(exact.exact && exact.value == 16_777_216.0);
        assert!(!dot(&[16_777_215.0, 1.0, 1.0], &[1.0, 1.0, 1.0]).exact);
        // Factors without low bits make the unit larger.
        assert!(dot(&[16_777_215.0 * 2.0, 2.0], &[1.0, 1.0]).exact);
    }

    #[test]
    fn zeros_do_not_count() {
        let tiny = 2.0_f32.powi(-60);
        assert!(dot(&[1.0e6, tiny, 3.0], &[1.0, 0.0, 1.0]).exact);
        assert!(!dot(&[1.0e6, tiny, 3.0], &[1.0, 1.0, 1.0]).exact);
        // A single product of 48 bits is rounded once.
        let product = dot(&[0.1, 0.0], &[0.3, 0.7]);
        assert!(product.exact && product.value == 0.1_f32 * 0.3_f32);
        assert_eq!(dot(&[-1.0], &[0.0]).value.to_bits(), 0);
        assert!(dot(&[], &[]).exact);
    }

    #[test]
    fn not_finite_results_that_are_certain() {
        let nan = dot(&[f32::INFINITY, 1.0], &[0.0, 1.0]);
        assert!(nan.exact && nan.value.is_nan());
        let opposite = dot(&[f32::INFINITY, f32::NEG_INFINITY], &[1.0, 1.0]);
        assert!(opposite.exact && opposite.value.is_nan());
        let down = dot(&[f32::INFINITY, 5.0], &[-1.0, 1.0]);
        assert!(down.exact && down.value == f32::NEG_INFINITY);
        // Here the finite part may overflow to the other infinity first.
        assert!(!dot(&[f32::INFINITY, f32::MAX, f32::MAX], &[-1.0, 1.0, 1.0]).exact);
    }
}
