//! What each layer produces, and what the layers behind it can use.

use bittrue_keras::float::Mode;
use bittrue_keras::float::activations::{self, Position};
use bittrue_keras::{prepare_bits, prepare_curve, prepare_relu};
use bittrue_model::{
    Activation, CallId, FixedPointQuantizer, LayerKind, MergeKind, Model, Place, PoolKind,
    Quantizer, Relu,
};
use ndarray::ArrayD;

use super::bits::{Bits, UNLIMITED};
use super::container::{container, function};
use crate::ConvertError;

/// Formats on every edge of a proxy.
#[derive(Debug)]
pub(crate) struct Flow {
    /// For each call what it produces.
    pub(crate) produced: Vec<Bits>,
    /// For each call what its readers can use.
    pub(crate) requested: Vec<Bits>,
    /// For each call that is a quantizer: its bits when HGQ has looked at it, which are fewer where
    /// its argument needs fewer.
    pub(crate) narrowed: Vec<Option<Bits>>,
    /// For each call whether its bits are those of a function at too many arguments: HGQ counts these
    /// with an integer that runs over, and what comes out of it means nothing.
    pub(crate) run_over: Vec<bool>,
    /// For each call the calls that read it, each once.
    pub(crate) readers: Vec<Vec<CallId>>,
}

impl Flow {
    /// Follows the bits through a proxy.
    pub(crate) fn of(model: &Model) -> Result<Self, ConvertError> {
        let n = model.calls.len();
        let mut readers: Vec<Vec<CallId>> = vec![Vec::new(); n];
        for id in model.call_ids() {
            for argument in &model.call(id).inputs {
                // Calls come in order, so a repetition is the last one.
                if readers[argument.0].last() != Some(&id) {
                    readers[argument.0].push(id);
                }
            }
        }
        let mut flow = Self {
            produced: Vec::with_capacity(n),
            requested: vec![Bits::ANYTHING; n],
            narrowed: vec![None; n],
            run_over: vec![false; n],
            readers,
        };
        for id in model.call_ids() {
            let produced = flow.produce(model, id)?;
            flow.produced.push(produced);
            let inputs = &model.call(id).inputs;
            let reads_run_over = inputs.iter().any(|a| flow.run_over[a.0]);
            let kind = &model.layer_of(id).kind;
            let is_quantizer = matches!(kind, LayerKind::FixedPointQuantizer(_));
            let runs_over = is_evaluated(kind)
                && inputs.iter().any(|a| flow.produced[a.0].width() >= INTEGER_BITS);
            flow.run_over[id.0] = !is_quantizer && (runs_over || reads_run_over);
        }
        // What a call can use of its argument; readers come after what they read.
        let mut uses = vec![Bits::ANYTHING; n];
        for id in (0..n).rev().map(CallId) {
            let behind = flow.readers[id.0].iter().map(|r| uses[r.0]).reduce(Bits::union);
            flow.requested[id.0] = behind.unwrap_or(Bits::ANYTHING);
            uses[id.0] = match &model.layer_of(id).kind {
                LayerKind::FixedPointQuantizer(q) => request(q),
                LayerKind::Concatenate(_) | LayerKind::Reshape | LayerKind::Flatten => {
                    flow.requested[id.0]
                }
                _ => Bits::ANYTHING,
            };
        }
        Ok(flow)
    }

    fn produce(&mut self, model: &Model, id: CallId) -> Result<Bits, ConvertError> {
        let layer = model.layer_of(id);
        let place = Place::layer(&layer.name);
        let inputs = &model.call(id).inputs;
        let Some(&first) = inputs.first() else { return Ok(Bits::ANYTHING) };
        let argument = self.produced[first.0];
        let all = inputs.iter().map(|a| self.produced[a.0]).reduce(Bits::union);
        let all = all.unwrap_or(Bits::ANYTHING);
        let evaluated = |bits: Option<Bits>| match bits {
            None => Err(too_many(&place, argument)),
            Some(bits) => countable(bits, || place.clone()),
        };
        Ok(match &layer.kind {
            LayerKind::FixedPointQuantizer(q) => {
                let (produced, narrowed) = quantize(q, argument);
                self.narrowed[id.0] = Some(narrowed);
                produced
            }
            LayerKind::UnaryLut(table) => Bits {
                keep_negative: table.output.keep_negative,
                integer: table.output.integer.into(),
                fractional: table.output.fractional.into(),
            },
            LayerKind::Dense(d) => sum(argument, &d.kernel, d.bias.as_ref(), &place)?,
            LayerKind::Conv(c) => sum(argument, &c.kernel, c.bias.as_ref(), &place)?,
            LayerKind::Activation(Activation::Softmax) | LayerKind::Softmax => {
                Bits { keep_negative: false, integer: 1, fractional: UNLIMITED }
            }
            LayerKind::Activation(a) => evaluated(activation(a, argument, &place)?)?,
            LayerKind::Relu(r) => evaluated(function(|_, _, x| relu(r, x), argument))?,
            LayerKind::LeakyRelu { alpha } => {
                let alpha = *alpha as f32;
                evaluated(function(|_, _, x| activations::leaky_relu(x, alpha), argument))?
            }
            LayerKind::Pool(p) => match (&p.window, p.kind) {
                // HGQ knows no global pooling.
                (None, _) => Bits::ANYTHING,
                (Some(_), PoolKind::Max) => argument,
                (Some(window), PoolKind::Average) => {
                    let more = ceil_log2(window.size.iter().product());
                    Bits { fractional: argument.fractional + more, ..argument }
                }
            },
            LayerKind::Merge(MergeKind::Add | MergeKind::Subtract) => {
                Bits { integer: all.integer + ceil_log2(inputs.len()), ..all }
            }
            LayerKind::Concatenate(_) => all,
            LayerKind::Flatten | LayerKind::Reshape | LayerKind::Permute(_) => argument,
            _ => Bits::ANYTHING,
        })
    }
}

/// Bits of the integer, without its sign, that HGQ counts arguments with.
const INTEGER_BITS: i64 = 63;

/// Whether HGQ finds the bits of a layer by evaluating it.
fn is_evaluated(kind: &LayerKind) -> bool {
    match kind {
        LayerKind::Activation(a) => !matches!(a, Activation::Softmax),
        LayerKind::Relu(_) | LayerKind::LeakyRelu { .. } => true,
        _ => false,
    }
}

/// The format of a quantizer. Its elements may differ: each part is the largest.
pub(crate) fn of_quantizer(q: &FixedPointQuantizer) -> Bits {
    let mut largest: Option<Bits> = None;
    for ((&k, &b), &i) in q.keep_negative.iter().zip(&q.bits).zip(&q.integers) {
        // Without bits HGQ forgets the rest.
        let (k, i) = if b == 0 { (0, 0) } else { (k, i) };
        let bits = Bits {
            keep_negative: k != 0,
            integer: i64::from(i) - i64::from(k),
            fractional: i64::from(b) - i64::from(i),
        };
        largest = Some(largest.map_or(bits, |l| l.union(bits)));
    }
    largest.unwrap_or(Bits { keep_negative: false, integer: 0, fractional: 0 })
}

/// What a quantizer gives for an argument of a format, and its own bits after that.
fn quantize(q: &FixedPointQuantizer, argument: Bits) -> (Bits, Bits) {
    let own = of_quantizer(q);
    let mut given = Bits {
        keep_negative: argument.keep_negative && own.keep_negative,
        integer: argument.integer.min(own.integer),
        fractional: argument.fractional.min(own.fractional),
    };
    // Rounding up may need one more bit.
    if argument.integer <= own.integer && argument.fractional > given.fractional {
        given.integer += 1;
    }
    if given == own {
        return (given, own);
    }
    // HGQ stores sign, integer bits with the sign, and width.
    let k = i64::from(own.keep_negative).min(i64::from(given.keep_negative));
    let with_sign = |b: Bits| b.integer + i64::from(b.keep_negative);
    let integers = with_sign(own).min(with_sign(given));
    let width = own.width().min(given.width());
    (given, Bits { keep_negative: k == 1, integer: integers - k, fractional: width - integers })
}

/// The bits that a quantizer can use: some more below its grid where it rounds, all above its range
/// where it does not wrap.
fn request(q: &FixedPointQuantizer) -> Bits {
    use bittrue_fixed::{Overflow, Rounding};
    let own = of_quantizer(q);
    let below = match q.rounding {
        Rounding::Trn => 0,
        Rounding::Rnd => 1,
        _ => 2,
    };
    let wraps = matches!(q.overflow, Overflow::Wrap | Overflow::WrapSm);
    Bits {
        integer: if wraps { own.integer } else { UNLIMITED },
        fractional: own.fractional + below,
        ..own
    }
}

/// A product with a kernel whose last axis are the units, and a bias.
fn sum(
    argument: Bits,
    kernel: &ArrayD<f32>,
    bias: Option<&ArrayD<f32>>,
    place: &Place,
) -> Result<Bits, ConvertError> {
    let weights = countable(of_constant(kernel), || place.clone().attribute("kernel"))?;
    let units = kernel.shape().last().copied().unwrap_or(1).max(1);
    let negative = bias.is_some_and(|b| b.iter().any(|&v| v < 0.0));
    Ok(Bits {
        keep_negative: argument.keep_negative || weights.keep_negative || negative,
        integer: argument.integer + weights.integer + ceil_log2(kernel.len() / units),
        fractional: argument.fractional + weights.fractional,
    })
}

/// Refuses what HGQ cannot count the bits of.
fn countable(bits: Bits, place: impl FnOnce() -> Place) -> Result<Bits, ConvertError> {
    match bits.is_unlimited() {
        false => Ok(bits),
        true => Err(ConvertError::new(
            place(),
            "a value is infinite, or so large that 2^32 times as much is infinite in float32, and HGQ \
             fails to count its bits (OverflowError)",
            "make all values smaller than 2^95",
        )),
    }
}

/// The smallest format that holds all values.
pub(crate) fn of_constant(values: &ArrayD<f32>) -> Bits {
    container(&values.iter().copied().collect::<Vec<f32>>())
}

fn ceil_log2(n: usize) -> i64 {
    n.max(1).next_power_of_two().trailing_zeros().into()
}

fn activation(a: &Activation, argument: Bits, place: &Place) -> Result<Option<Bits>, ConvertError> {
    let at = |n, count| Position::of(n, count);
    Ok(match a {
        Activation::Linear | Activation::Softmax => Some(argument),
        Activation::Relu => function(|_, _, x| activations::relu(x), argument),
        Activation::Sigmoid => {
            function(|n, c, x| activations::sigmoid(x, at(n, c)).value, argument)
        }
        Activation::Tanh => function(|_, _, x| activations::tanh(x), argument),
        Activation::Elu => function(|n, c, x| activations::elu(x, at(n, c)).value, argument),
        Activation::Quantizer(Quantizer::QuantizedBits(q)) => {
            let q = prepare_bits(q, place)?;
            function(|_, _, x| q.apply(x), argument)
        }
        Activation::Quantizer(Quantizer::QuantizedRelu(q)) => {
            let q = prepare_relu(q, Mode::Eager, place)?;
            function(|_, _, x| q.apply(x), argument)
        }
        Activation::Quantizer(Quantizer::QuantizedCurve(q)) => {
            let q = prepare_curve(q, place)?;
            function(|n, c, x| q.apply(x, at(n, c)), argument)
        }
        Activation::Quantizer(q) => {
            return Err(ConvertError::new(
                place.clone().attribute("activation"),
                format!("the precision of {} as an activation is not known", q.class_name()),
                "use quantized_bits or quantized_relu for activations",
            ));
        }
    })
}

/// Keras' ReLU.
fn relu(r: &Relu, x: f32) -> f32 {
    let (slope, threshold) = (r.negative_slope as f32, r.threshold as f32);
    if x >= threshold {
        return r.max_value.map_or(x, |m| x.min(m as f32));
    }
    -(slope * (threshold - x))
}

fn too_many(place: &Place, argument: Bits) -> ConvertError {
    ConvertError::new(
        place.clone(),
        format!(
            "its argument has {} bits, and HGQ evaluates the function at every value of that \
             format (ValueError)",
            argument.width()
        ),
        "put a quantized_bits of fewer bits in front of it",
    )
}

#[cfg(test)]
mod tests {
    use bittrue_fixed::{Overflow, Rounding};

    use super::*;

    fn bits(keep_negative: bool, integer: i64, fractional: i64) -> Bits {
        Bits { keep_negative, integer, fractional }
    }

    fn fpq(k: i32, b: i32, i: i32, overflow: Overflow) -> FixedPointQuantizer {
        let one = |v| ArrayD::from_elem(vec![1], v);
        let rounding = Rounding::RndConv;
        FixedPointQuantizer {
            keep_negative: one(k),
            bits: one(b),
            integers: one(i),
            rounding,
            overflow,
        }
    }

    /// The two examples that were measured: narrowing that changes values of a saturating quantizer.
    #[test]
    fn quantizers_are_narrowed() {
        let (_, own) = quantize(&fpq(1, 16, 1, Overflow::Sat), bits(false, 8, 3));
        assert_eq!(own, bits(false, 0, 3));
        let (_, own) = quantize(&fpq(1, 8, 5, Overflow::SatSym), bits(true, 2, 3));
        assert_eq!(own, bits(true, 2, 3));
        let (given, own) = quantize(&fpq(1, 8, 4, Overflow::Sat), Bits::ANYTHING);
        assert_eq!((given, own), (bits(true, 3, 4), bits(true, 3, 4)));
        // A finer argument of the same range may round up beyond it.
        let (given, own) = quantize(&fpq(1, 8, 4, Overflow::Sat), bits(true, 3, 9));
        assert_eq!((given, own), (bits(true, 4, 4), bits(true, 3, 4)));
    }

    #[test]
    fn what_quantizers_can_use() {
        assert_eq!(request(&fpq(1, 8, 4, Overflow::Wrap)), bits(true, 3, 6));
        assert_eq!(request(&fpq(0, 8, 4, Overflow::Sat)), bits(false, UNLIMITED, 6));
    }
}
