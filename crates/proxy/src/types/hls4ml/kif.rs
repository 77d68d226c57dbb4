//! Formats element by element, and the intervals that hls4ml computes with.
//!
//! hls4ml does this arithmetic in float64 (NumPy). It is followed operation by operation, so that
//! formats beyond 53 bits come out as they do there.

/// The format of every element of a tensor: sign, integer bits without the sign, fractional bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kifs {
    pub(super) k: Vec<i32>,
    pub(super) i: Vec<i32>,
    pub(super) f: Vec<i32>,
}

/// One format.
pub(super) type Format = [i32; 3];

/// What stands for "as much as there is".
pub(super) const UNLIMITED: Format = [1, 126, 126];

impl Kifs {
    /// The same format `n` times.
    pub(super) fn uniform(n: usize, [k, i, f]: Format) -> Self {
        Self { k: vec![k; n], i: vec![i; n], f: vec![f; n] }
    }

    pub(super) fn len(&self) -> usize {
        self.k.len()
    }

    pub(super) fn at(&self, n: usize) -> Format {
        [self.k[n], self.i[n], self.f[n]]
    }

    pub(super) fn set(&mut self, n: usize, [k, i, f]: Format) {
        self.k[n] = k;
        self.i[n] = i;
        self.f[n] = f;
    }

    /// The elements of `index`; where there is none, a zero.
    pub(super) fn gather(&self, index: impl Iterator<Item = Option<usize>>) -> Self {
        let all = index.map(|n| n.map_or([0; 3], |n| self.at(n)));
        all.collect()
    }

    /// The largest of each part.
    pub(super) fn max(&self) -> Format {
        let most = |v: &[i32]| v.iter().copied().max().unwrap_or(0);
        [most(&self.k), most(&self.i), most(&self.f)]
    }

    /// Part by part, element by element.
    pub(super) fn zip(&self, other: &Self, f: impl Fn(i32, i32) -> i32) -> Self {
        let one = |a: &[i32], b: &[i32]| a.iter().zip(b).map(|(&a, &b)| f(a, b)).collect();
        Self { k: one(&self.k, &other.k), i: one(&self.i, &other.i), f: one(&self.f, &other.f) }
    }
}

impl FromIterator<Format> for Kifs {
    fn from_iter<T: IntoIterator<Item = Format>>(iter: T) -> Self {
        let mut all = Self { k: Vec::new(), i: Vec::new(), f: Vec::new() };
        for [k, i, f] in iter {
            all.k.push(k);
            all.i.push(i);
            all.f.push(f);
        }
        all
    }
}

/// `2^n`.
pub(super) fn pow2(n: i32) -> f64 {
    2f64.powi(n)
}

/// hls4ml's `_minimal_f`: the fewest fractional bits, from -31 to 32, that hold a constant. A
/// finer constant gets 32 of them and loses what is below.
pub(super) fn minimal_f(x: f64) -> i32 {
    let (mut low, mut high) = (-32_i32, 32_i32);
    while low < high - 1 {
        // Python rounds the quotient down.
        let middle = (low + high).div_euclid(2);
        let scaled = x * pow2(middle);
        // NumPy makes one number of everything that int64 cannot hold.
        let whole = scaled.trunc() == scaled && scaled.abs() < pow2(63);
        if whole || scaled == -pow2(63) {
            high = middle;
        } else {
            low = middle;
        }
    }
    high
}

/// hls4ml's `minimal_kif` of one constant.
pub(super) fn minimal_kif(x: f64) -> Format {
    if x == 0.0 {
        return [0, 0, 0];
    }
    let f = minimal_f(x);
    let i = (x + pow2(-f)).max(-x).log2().ceil() as i32;
    [i32::from(x < 0.0), i, f]
}

/// The format that holds all constants: the largest of each part, independently.
pub(super) fn common_kif(values: impl Iterator<Item = f64>) -> Format {
    values.map(minimal_kif).reduce(largest).unwrap_or([0; 3])
}

/// Part by part the larger one.
pub(super) fn largest(a: Format, b: Format) -> Format {
    [a[0].max(b[0]), a[1].max(b[1]), a[2].max(b[2])]
}

/// hls4ml's interval of one element: lowest and highest value, and the step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Interval {
    pub(super) min: f64,
    pub(super) max: f64,
    pub(super) step: f64,
}

impl Interval {
    pub(super) fn of([k, i, f]: Format) -> Self {
        Self { min: -pow2(i) * f64::from(k), max: pow2(i) - pow2(-f), step: pow2(-f) }
    }

    pub(super) fn add(self, other: Self) -> Self {
        Self {
            min: self.min + other.min,
            max: self.max + other.max,
            step: self.step.min(other.step),
        }
    }

    pub(super) fn neg(self) -> Self {
        Self { min: -self.max, max: -self.min, step: self.step }
    }

    pub(super) fn mul(self, other: Self) -> Self {
        let products = [
            self.min * other.min,
            self.min * other.max,
            self.max * other.min,
            self.max * other.max,
        ];
        Self {
            min: products.iter().copied().fold(f64::INFINITY, f64::min),
            max: products.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            step: self.step * other.step,
        }
    }

    pub(super) fn plus(self, constant: f64) -> Self {
        Self {
            min: self.min + constant,
            max: self.max + constant,
            step: self.step.min(pow2(-minimal_f(constant))),
        }
    }

    pub(super) fn times(self, constant: f64) -> Self {
        let (a, b) = (self.min * constant, self.max * constant);
        Self { min: a.min(b), max: a.max(b), step: self.step * pow2(-minimal_f(constant)) }
    }

    /// The sum of products with constants.
    pub(super) fn dot(terms: &[Self], weights: impl Iterator<Item = f64>) -> Self {
        let mut all = Self { min: 0.0, max: 0.0, step: f64::INFINITY };
        for (x, w) in terms.iter().zip(weights) {
            let one = x.times(w);
            all.min += one.min;
            all.max += one.max;
            if one.step != 0.0 {
                all.step = all.step.min(one.step);
            }
        }
        all
    }

    /// Back to a format.
    pub(super) fn kif(self) -> Format {
        if self.min == 0.0 && self.max == 0.0 {
            return [0, 0, 0];
        }
        let f = -(self.step.log2() as i32);
        let i = (self.max + pow2(-f)).max(-self.min).log2().ceil() as i32;
        [i32::from(self.min < 0.0), i, f]
    }

    fn is_on_grid(self) -> bool {
        let on = |v: f64| v % self.step == 0.0 || (v == 0.0 && self.step == 0.0);
        on(self.min) && on(self.max)
    }
}

/// What hls4ml does whenever it makes an array of intervals: where a bound is not on its grid, all
/// bounds are brought to theirs.
pub(super) fn validated(mut all: Vec<Interval>) -> Vec<Interval> {
    if all.iter().all(|x| x.is_on_grid()) {
        return all;
    }
    for x in &mut all {
        x.step = x.step.log2().round_ties_even().exp2();
        x.max = (x.max / x.step).round_ties_even() * x.step;
        x.min = (x.min / x.step).round_ties_even() * x.step;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of `hls4ml.utils.qinterval.minimal_kif`.
    #[test]
    fn constants() {
        assert_eq!(minimal_kif(0.0), [0, 0, 0]);
        assert_eq!(minimal_kif(0.25), [0, -1, 2]);
        assert_eq!(minimal_kif(-0.75), [1, 0, 2]);
        assert_eq!(minimal_kif(6.0), [0, 3, -1]);
        assert_eq!(minimal_kif(-8.0), [1, 3, -3]);
        assert_eq!(minimal_kif(f64::from(0.3_f32)), [0, -1, 24]);
        assert_eq!(minimal_kif(1.0 / 3.0), [0, -1, 32]);
        assert_eq!(minimal_f(0.0), -31);
    }

    #[test]
    fn sums_of_products() {
        let x = Interval::of([1, 3, 4]);
        assert_eq!((x.min, x.max, x.step), (-8.0, 7.9375, 0.0625));
        let y = Interval::dot(&[x, x], [0.5, -1.0].into_iter());
        assert_eq!((y.min, y.max, y.step), (-11.9375, 11.96875, 0.03125));
        assert_eq!(y.kif(), [1, 4, 5]);
        // A weight of zero has no say in the step.
        assert_eq!(Interval::dot(&[x, x], [0.5, 0.0].into_iter()).kif(), [1, 2, 5]);
        assert_eq!(Interval::dot(&[x], [0.0].into_iter()).kif(), [0, 0, 0]);
    }

    #[test]
    fn bounds_come_back_to_the_grid() {
        let off = Interval { min: -1.0, max: 0.3, step: 0.25 };
        let on = validated(vec![off]);
        assert_eq!((on[0].min, on[0].max), (-1.0, 0.25));
    }
}
