//! Functions of one element, and softmax.

use std::sync::Arc;

use bittrue_block::{Flag, Flags, LaneBlock};
use bittrue_keras::float::{
    self, Banded,
    activations::{self, Position},
    softmax::softmax_row,
};

use bittrue_model::UnaryLut;

use super::elem::{Elem, Writer, map, product_rounds, read};

/// A function of one element.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Function {
    /// Keras ReLU with all its arguments.
    Relu {
        /// Upper limit.
        max_value: Option<f32>,
        /// Slope below the threshold.
        negative_slope: f32,
        /// Threshold.
        threshold: f32,
        /// Whether the result is exact rather than float32.
        exact: bool,
    },
    /// Leaky relu.
    LeakyRelu {
        /// Slope.
        alpha: f32,
        /// Whether the result is exact rather than float32.
        exact: bool,
    },
    /// `x` above a threshold, 0 else.
    ThresholdedRelu {
        /// Threshold.
        theta: f32,
        /// Whether the result is exact rather than float32.
        exact: bool,
    },
    /// `alpha·(exp(x) − 1)` below zero.
    Elu {
        /// Scale of the negative part.
        alpha: f32,
        /// Whether it is computed inside the kernel before it, which approximates it in another way.
        fused: bool,
    },
    /// A table addressed by the bits of the argument.
    Table(Arc<UnaryLut>),
    /// QKeras' hard tanh and hard sigmoid.
    Lines(float::CurveFunction),
    /// Logistic function.
    Sigmoid {
        /// Whether it is computed inside a dense kernel, which approximates it in another way.
        fused: bool,
    },
    /// Hyperbolic tangent.
    Tanh {
        /// Whether it is computed inside a dense kernel, which approximates it in another way.
        fused: bool,
    },
}

/// Where each lane's event stands in its batch of Keras `predict`: row in the batch, and rows of
/// the batch. TensorFlow's vector loops treat the last elements of a batch's tensor differently.
pub(crate) type InBatch = (usize, usize);

pub(crate) fn function(f: &Function, x: &LaneBlock, batch: &[InBatch]) -> LaneBlock {
    let position = |at: usize| {
        let (row, rows) = batch[at % x.lanes];
        Position::of(row * x.elements + at / x.lanes, rows * x.elements)
    };
    map(x, |at, e| match *f {
        Function::Relu { max_value, negative_slope, threshold, exact } => {
            // The scalar loop keeps a denormal, the vector loop flushes it. Without an upper limit
            // the vector loop also takes four elements at a time.
            let keep = match max_value {
                Some(_) => position(at) == Position::Tail,
                None => {
                    let (row, rows) = batch[at % x.lanes];
                    let all = rows * x.elements;
                    row * x.elements + at / x.lanes >= all - all % 4
                }
            };
            let f = |v: f64| relu(v as f32, max_value, negative_slope, threshold, keep).into();
            let run = e.map_rising(f);
            let limit = max_value.map_or(f64::INFINITY, f64::from);
            let value = e.value.max(0.0).min(limit);
            let wide = e.is_wide() && value == e.value;
            if exact { exactly(e, run, value).or_wide(wide) } else { run }
        }
        Function::LeakyRelu { alpha, exact } => {
            let run = falling(e, |v| activations::leaky_relu(v as f32, alpha).into());
            let slope = if e.value > 0.0 { 1.0 } else { f64::from(alpha) };
            let wide = product_rounds(e.value, slope) || e.is_wide();
            if exact { exactly(e, run, e.value * slope).or_wide(wide) } else { run }
        }
        Function::ThresholdedRelu { theta, exact } => {
            let f = |v: f64| {
                let v = v as f32;
                f64::from(float::mul(v, if v > theta { 1.0 } else { 0.0 }))
            };
            // Zero below a negative threshold is not the smallest result.
            let run = falling(e, f);
            let meant = if e.value > f64::from(theta) { e.value } else { 0.0 };
            if exact { exactly(e, run, meant) } else { run }
        }
        Function::Elu { alpha, fused: false } if e.is_certain() => {
            elu(alpha, e, activations::elu(e.value as f32, position(at)))
        }
        Function::Elu { alpha, .. } => {
            let value = activations::elu(e.value as f32, position(at)).value;
            let (lo, hi) = outward(e);
            let (lo, hi) = activations::elu_interval(lo, hi);
            elu(alpha, e, Banded { value, lo, hi })
        }
        Function::Table(ref lut) => table(lut, e),
        // Rising, and the same wherever the element stands.
        Function::Lines(f) => e.map_rising(|v| f.apply(v as f32, Position::Body).into()),
        Function::Sigmoid { fused: false } if e.is_certain() => {
            Elem::certain(activations::sigmoid(e.value as f32, position(at)).value.into())
        }
        Function::Sigmoid { .. } => {
            let value = activations::sigmoid(e.value as f32, position(at)).value;
            let (lo, hi) = outward(e);
            let (lo, hi) = activations::sigmoid_interval(lo, hi);
            // Far below zero the other approximation vanishes first.
            let inside = activations::fused_sigmoid(e.lo as f32);
            through(e, value, (lo.min(inside), hi))
        }
        Function::Tanh { fused: false } if e.is_certain() => {
            Elem::certain(activations::tanh(e.value as f32).into())
        }
        Function::Tanh { .. } => {
            let value = activations::tanh(e.value as f32);
            let (lo, hi) = outward(e);
            through(e, value, activations::tanh_interval(lo, hi))
        }
    })
}

/// The ends of a band, a step further out: so that a single value becomes a band too, whose
/// interval allows for the error of any approximation of the function.
fn outward(e: Elem) -> (f32, f32) {
    ((e.lo as f32).next_down(), (e.hi as f32).next_up())
}

/// The exact value with the float32 run's result in its band. NaN is as in the run.
fn exactly(e: Elem, run: Elem, value: f64) -> Elem {
    if e.value.is_nan() || value == run.value {
        return run;
    }
    let flags = e.inherited().union(run.flags).with(Flag::Float32Sum);
    Elem::banded(value, run.lo, run.hi, flags)
}

/// A function's value with the interval that it may have for a banded argument.
fn through(e: Elem, value: f32, (lo, hi): (f32, f32)) -> Elem {
    if !value.is_finite() {
        return Elem::certain(value.into());
    }
    let flags = e.inherited().with(Flag::FunctionBand);
    Elem::banded(value.into(), lo.into(), hi.into(), flags)
}

/// ELU from the result for `alpha` 1, which Keras scales where its argument is not above zero: so it
/// is with a denormal, of which nothing is left then.
fn elu(alpha: f32, e: Elem, y: Banded) -> Elem {
    let scaled = |v: f32| match alpha {
        1.0 => v,
        _ if float::ftz(v) <= 0.0 => float::mul(alpha, v),
        _ => v,
    };
    let (a, b) = (scaled(y.lo), scaled(y.hi));
    if y.is_exact() && e.is_certain() {
        return Elem::certain(scaled(y.value).into());
    }
    through(e, scaled(y.value), (a.min(b), a.max(b)))
}

/// The entry of a table. An argument with a band may find any entry.
fn table(lut: &UnaryLut, e: Elem) -> Elem {
    let n = lut.table.len();
    if n == 0 || !e.value.is_finite() {
        return Elem::certain(f64::NAN);
    }
    let index = |v: f64| {
        let code = (v * 2f64.powi(lut.input.fractional)).round_ties_even();
        code.rem_euclid(n as f64) as usize % n
    };
    let value = f64::from(lut.table[index(e.value)]);
    let codes = (e.hi - e.lo) * 2f64.powi(lut.input.fractional);
    if e.is_certain() || (codes < 1.0 && index(e.lo) == index(e.hi)) {
        return Elem::certain(value);
    }
    let all = lut.table.iter().map(|&v| f64::from(v));
    let (lo, hi) = all.fold((value, value), |(lo, hi), v| (lo.min(v), hi.max(v)));
    Elem::banded(value, lo, hi, e.inherited())
}

/// `keras.backend.relu` in its order of operations.
fn relu(x: f32, max_value: Option<f32>, slope: f32, threshold: f32, keep_denormals: bool) -> f32 {
    let positive = |v: f32| {
        if keep_denormals && v > 0.0 { v } else { activations::relu(v) }
    };
    if slope != 0.0 && max_value.is_none() && threshold == 0.0 {
        return activations::leaky_relu(x, slope);
    }
    let negative =
        if threshold != 0.0 { positive(float::add(-x, threshold)) } else { positive(-x) };
    let mut y = if threshold != 0.0 {
        float::mul(x, if x > threshold { 1.0 } else { 0.0 })
    } else {
        positive(x)
    };
    if let Some(max) = max_value {
        // TensorFlow's minimum gives NaN for NaN.
        y = if y.is_nan() { y } else { y.clamp(0.0, max.max(0.0)) };
    }
    if slope == 0.0 { y } else { float::sub(y, float::mul(slope, negative)) }
}

/// A function with its only turning point at zero: the ends may come out in any order.
fn falling(e: Elem, f: impl Fn(f64) -> f64) -> Elem {
    if e.is_certain() {
        return Elem::certain(f(e.value));
    }
    let (a, b, c) = (f(e.lo), f(e.hi), f(e.value));
    let zero = if e.lo <= 0.0 && 0.0 <= e.hi { f(0.0) } else { c };
    Elem::banded(c, a.min(b).min(zero), a.max(b).max(zero), e.inherited())
}

/// Softmax over consecutive rows of `row` elements.
pub(crate) fn softmax(row: usize, x: &LaneBlock) -> LaneBlock {
    let lanes = x.lanes;
    let mut all = vec![Elem::certain(0.0); x.elements * lanes];
    let (mut value, mut lo, mut hi) = (Vec::new(), Vec::new(), Vec::new());
    for start in (0..x.elements).step_by(row) {
        for lane in 0..lanes {
            let at = |k: usize| (start + k) * lanes + lane;
            let mut flags = Flags::from(Flag::FunctionBand);
            value.clear();
            lo.clear();
            hi.clear();
            for k in 0..row {
                let e = read(x, at(k));
                flags = flags.union(e.inherited());
                value.push(e.value as f32);
                lo.push(e.lo as f32);
                hi.push(e.hi as f32);
            }
            for (k, y) in softmax_row(&value, &lo, &hi).into_iter().enumerate() {
                all[at(k)] = if y.value.is_finite() {
                    Elem::banded(y.value.into(), y.lo.into(), y.hi.into(), flags)
                } else {
                    Elem::certain(y.value.into())
                };
            }
        }
    }
    let mut out = Writer::with_capacity(all.len());
    all.into_iter().for_each(|e| out.push(e));
    out.finish(x.elements, lanes)
}
