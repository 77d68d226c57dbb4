//! Quantizers that hls4ml changes.

use bittrue_fixed::Overflow;
use bittrue_model::{Activation, CallId, LayerKind, Quantizer};

use super::codes::{
    CONSECUTIVE_QUANTIZERS, FINER_THAN_INPUT, INPUT_FAN_OUT, ONLY_QUANTIZERS, SYMMETRIC_SHRINK,
    UNSIGNED_WRAP, UNUSED_ARGUMENT,
};
use super::look::Look;
use crate::precision::of_quantizer;

pub(super) fn check(look: &mut Look<'_>) {
    for id in look.calls() {
        consecutive(look, id);
        shrunk(look, id);
    }
    for n in 0..look.model.inputs.len() {
        let id = look.model.inputs[n];
        let quantizers = look.readers[id.0].iter().filter(|r| look.is_quantizer(**r)).count();
        if quantizers > 1 {
            look.find(&INPUT_FAN_OUT, id, format!("{quantizers} quantizers read it"));
        }
    }
    let mut computes = look
        .calls()
        .filter(|&id| !look.is_quantizer(id) && !matches!(look.kind(id), LayerKind::Input));
    if computes.next().is_none()
        && let Some(&output) = look.model.outputs.first()
    {
        look.find(&ONLY_QUANTIZERS, output, "nothing else stands in the proxy".to_owned());
    }
    unused_arguments(look);
}

/// A quantizer behind a quantizer, also where layers in between only move values.
fn consecutive(look: &mut Look<'_>, id: CallId) {
    if !look.is_quantizer(id) {
        return;
    }
    let mut at = look.argument(id);
    while let Some(before) = at {
        if look.is_quantizer(before) {
            let found =
                format!("the quantizer of `{}` stands directly before it", look.name(before));
            look.find(&CONSECUTIVE_QUANTIZERS, id, found);
            return;
        }
        at = look.only_moves(before).then(|| look.argument(before)).flatten();
    }
}

/// What hls4ml's narrowing to the range of the argument does to a quantizer.
fn shrunk(look: &mut Look<'_>, id: CallId) {
    let LayerKind::FixedPointQuantizer(q) = look.kind(id) else { return };
    let own = of_quantizer(q);
    let Some(argument) = look.argument(id) else { return };
    let Some(given) = look.produced(argument) else { return };
    let (finer, saturates) = (own.fractional > given.fractional, given.integer > own.integer);
    let saturating = matches!(q.overflow, Overflow::Sat | Overflow::SatSym);
    if saturating && finer && saturates {
        let found = format!(
            "its quantizer has {} fractional bits, what it is given {}, and more integer bits than \
             the quantizer, so that it can saturate",
            own.fractional, given.fractional
        );
        look.find(&FINER_THAN_INPUT, id, found);
    }
    if q.overflow == Overflow::SatSym && given.keep_negative && own.integer > given.integer {
        let found = format!(
            "its quantizer has {} integer bits, what it is given {}",
            own.integer, given.integer
        );
        look.find(&SYMMETRIC_SHRINK, id, found);
    }
    // hls4ml asks for a sign where any reader wants one.
    let unsigned = |r: &CallId| matches!(look.kind(*r), LayerKind::FixedPointQuantizer(q) if !of_quantizer(q).keep_negative);
    let readers = &look.readers[argument.0];
    if q.overflow == Overflow::Wrap
        && given.keep_negative
        && readers.len() > 1
        && readers.iter().all(unsigned)
        && !matches!(look.kind(argument), LayerKind::Input)
    {
        let found = format!(
            "its quantizer keeps no sign, and no other reader of `{}` does, which can be negative",
            look.name(argument)
        );
        look.find(&UNSIGNED_WRAP, id, found);
    }
}

/// Arguments of `quantized_relu` and `quantized_bits` that have no effect anywhere.
fn unused_arguments(look: &mut Look<'_>) {
    for id in look.calls() {
        if !look.is_quantizer(id) {
            continue;
        }
        let function = match &look.source.layer_of(look.converted.origins[id.0]).kind {
            LayerKind::QActivation(a) => a,
            LayerKind::Dense(d) => &d.activation,
            LayerKind::Conv(c) => &c.activation,
            _ => continue,
        };
        let stochastic = match function {
            Activation::Quantizer(Quantizer::QuantizedRelu(q)) => {
                if let Some(bound) = q.relu_upper_bound {
                    look.find(&UNUSED_ARGUMENT, id, format!("relu_upper_bound={bound}"));
                }
                q.use_stochastic_rounding
            }
            Activation::Quantizer(Quantizer::QuantizedBits(q)) => q.use_stochastic_rounding,
            _ => false,
        };
        if stochastic {
            look.find(&UNUSED_ARGUMENT, id, "use_stochastic_rounding=True".to_owned());
        }
    }
}
