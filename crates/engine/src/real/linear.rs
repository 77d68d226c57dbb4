//! Sums of products of reals with bias: matrix products and convolutions.

use std::sync::OnceLock;

use bittrue_block::{Flag, Flags, LaneBlock};
use bittrue_fixed::exact_raw_f64;
use bittrue_keras::float::{
    self,
    dot::{DotKernel, DotRow},
};

use bittrue_kernels::PADDING;

use super::elem::{Elem, Writer, read};
use crate::taps::Taps;

/// Sums of products with their constants: a matrix product or a convolution.
#[derive(Debug, Clone)]
pub(crate) struct RealLinear {
    /// What each row reads.
    taps: Taps,
    /// Groups: row `r` uses the units of group `r % groups`.
    groups: usize,
    /// Weights `[term, group · unit]`, as Keras stores them.
    kernel: Vec<f32>,
    /// Bias `[group · unit]`.
    bias: Option<Vec<f32>>,
    /// Whether the result is the exact sum rather than float32's.
    exact: bool,
    /// Whether the bias may be added before the products rather than after their sum.
    bias_inside: bool,
    /// Results of all rows together.
    filters: usize,
    /// The columns of the kernel, prepared when they are first needed: mostly never.
    dot: OnceLock<DotKernel>,
}

impl PartialEq for RealLinear {
    fn eq(&self, other: &Self) -> bool {
        // `dot` follows from the weights.
        self.taps == other.taps
            && self.groups == other.groups
            && self.exact == other.exact
            && self.bias_inside == other.bias_inside
            && self.kernel == other.kernel
            && self.bias == other.bias
    }
}

impl RealLinear {
    /// Prepares the sums; `filters` are the units of all groups together.
    pub(crate) fn new(
        taps: Taps,
        groups: usize,
        filters: usize,
        kernel: Vec<f32>,
        bias: Option<Vec<f32>>,
        exact: bool,
    ) -> Self {
        let dot = OnceLock::new();
        Self { taps, groups, kernel, bias, exact, bias_inside: false, filters, dot }
    }

    /// The same sums, where TensorFlow may begin with the bias.
    pub(crate) fn with_bias_inside(self, bias_inside: bool) -> Self {
        Self { bias_inside, ..self }
    }

    fn dot(&self) -> &DotKernel {
        self.dot.get_or_init(|| DotKernel::new(&self.kernel, self.filters))
    }
}

pub(crate) fn linear(d: &RealLinear, x: &LaneBlock) -> LaneBlock {
    let units = d.filters / d.groups;
    let lanes = x.lanes;
    let rows = d.taps.rows();
    let n = rows * units * lanes;
    // Rows are computed lane by lane and stored events innermost.
    let mut all = vec![Elem::certain(0.0); n];
    let mut row = Vec::with_capacity(d.taps.terms);
    let mut values = Vec::with_capacity(d.taps.terms);
    let mut low_bits = DotRow::default();
    for r in 0..rows {
        let group = r % d.groups * units;
        for lane in 0..lanes {
            row.clear();
            row.extend(d.taps.row(r).iter().map(|&e| match e {
                PADDING => Elem::certain(0.0),
                e => read(x, e as usize * lanes + lane),
            }));
            values.clear();
            values.extend(row.iter().map(|e| e.value as f32));
            low_bits.refill(&values);
            for u in 0..units {
                all[(r * units + u) * lanes + lane] = one(d, &row, &low_bits, group + u);
            }
        }
    }
    let mut out = Writer::with_capacity(n);
    all.into_iter().for_each(|e| out.push(e));
    out.finish(rows * units, lanes)
}

/// One output element.
fn one(d: &RealLinear, row: &[Elem], values: &DotRow, unit: usize) -> Elem {
    let filters = d.filters;
    let sum = d.dot().dot(values, unit);
    let bias = d.bias.as_ref().map(|b| b[unit]);
    let add = |s: f64| match bias {
        Some(b) => f64::from(float::add(s as f32, b)),
        None => f64::from(s as f32),
    };
    let weight = |k: usize| f64::from(d.kernel[k * filters + unit]);
    let run = add(f64::from(sum.value));
    let uncertain = |k: usize| !row[k].is_certain() && weight(k) != 0.0;
    let inherited = (0..row.len())
        .filter(|&k| uncertain(k))
        .fold(Flags::NONE, |flags, k| flags.union(row[k].inherited()));
    if run.is_nan() || (!run.is_finite() && sum.exact) {
        return Elem::certain(run);
    }
    if !run.is_finite() {
        // Another order of the sum may stay finite.
        return Elem::banded(run, f64::NEG_INFINITY, f64::INFINITY, Flag::Float32Sum.into());
    }
    let (mut lo, mut hi) = (sum.lo, sum.hi);
    let mut flags = if sum.exact { Flags::NONE } else { Flag::Float32Sum.into() };
    let with_bias = bias.filter(|_| d.bias_inside).map(|b| with_bias(row, weight, b));
    if (0..row.len()).any(uncertain) {
        // Interval arithmetic on top of the band of the order: how far each uncertain argument can
        // move the sum, and the rounding of every partial sum of the moved one.
        let mut magnitude = 0.0;
        for (k, e) in row.iter().enumerate() {
            let w = weight(k);
            if w == 0.0 {
                continue;
            }
            if uncertain(k) {
                let (a, b) = (w * (e.lo - e.value), w * (e.hi - e.value));
                lo += a.min(b);
                hi += a.max(b);
            }
            magnitude += (w * e.lo).abs().max((w * e.hi).abs());
        }
        let slack = magnitude * gamma(row.len() + 2);
        lo -= slack;
        hi += slack;
        flags = flags.union(inherited);
    }
    let (mut lo, mut hi) = (add(lo), add(hi));
    if let Some(any) = with_bias.filter(|any| !any.exact || f64::from(any.value) != run) {
        // The other order moves what the band has around its own sum.
        lo -= (run - any.lo).max(0.0);
        hi += (any.hi - run).max(0.0);
        flags = flags.with(Flag::Float32Sum);
    }
    if !d.exact {
        return Elem::banded(run, lo, hi, flags);
    }
    let (value, wide) = exact_sum(row, weight, bias);
    if wide || (0..row.len()).any(|k| row[k].is_wide() && weight(k) != 0.0) {
        flags = flags.with(Flag::Wide);
    }
    if value != run {
        flags = flags.with(Flag::Float32Sum);
    }
    Elem::banded(value, lo.min(run), hi.max(run), flags)
}

/// The sum of the products and the bias in any order.
fn with_bias(row: &[Elem], weight: impl Fn(usize) -> f64, bias: f32) -> float::Dot {
    let mut x: Vec<f32> = row.iter().map(|e| e.value as f32).collect();
    let mut w: Vec<f32> = (0..row.len()).map(|k| weight(k) as f32).collect();
    x.push(bias);
    w.push(1.0);
    float::dot(&x, &w)
}

/// Bound on the relative error of a float32 sum of `n` terms in any order.
fn gamma(n: usize) -> f64 {
    let u = n as f64 * 2f64.powi(-24);
    u / (1.0 - u)
}

/// The exact sum of products and bias, and whether it needs more than 53 bits (then rounded).
fn exact_sum(row: &[Elem], weight: impl Fn(usize) -> f64, bias: Option<f32>) -> (f64, bool) {
    // Products of a 53-bit and a 24-bit number, on their common grid.
    let terms: Option<Vec<(i128, i32)>> = row
        .iter()
        .enumerate()
        .map(|(k, e)| {
            let ((a, fa), (b, fb)) = (exact_raw_f64(e.value)?, exact_raw_f64(weight(k))?);
            Some((a * b, fa + fb))
        })
        .chain(bias.map(|b| exact_raw_f64(b.into())))
        .collect();
    let rounded = || {
        let sum: f64 = row.iter().enumerate().map(|(k, e)| e.value * weight(k)).sum();
        (sum + bias.map_or(0.0, f64::from), true)
    };
    let Some(terms) = terms else { return rounded() };
    let fractional = terms.iter().filter(|t| t.0 != 0).map(|t| t.1).max().unwrap_or(0);
    let mut sum = 0_i128;
    for (raw, f) in terms.into_iter().filter(|t| t.0 != 0) {
        let shift = (fractional - f).cast_unsigned();
        let moved = (shift < 120)
            .then(|| raw.checked_mul(1_i128 << shift))
            .flatten()
            .and_then(|v| sum.checked_add(v));
        match moved {
            Some(v) => sum = v,
            None => return rounded(),
        }
    }
    let value = sum as f64 * 2f64.powi(-fractional);
    (value, sum as f64 as i128 != sum)
}
