//! What is said of a model as a whole.

use std::collections::BTreeMap;

use bittrue_model::{CallId, LayerKind, Model, Place};

use super::{Converted, Warning};
use crate::ConvertError;

/// A QKeras layer that is called with different input shapes cannot be converted.
pub(super) fn shared_shapes(source: &Model) -> Result<(), ConvertError> {
    let mut shapes: BTreeMap<usize, &[usize]> = BTreeMap::new();
    for id in source.call_ids() {
        let call = source.call(id);
        let layer = source.layer_of(id);
        let (true, Some(&argument)) = (is_qkeras(&layer.kind), call.inputs.first()) else {
            continue;
        };
        let shape = &source.call(argument).shape;
        let first = shapes.entry(call.layer).or_insert(shape);
        if *first != shape.as_slice() {
            return Err(ConvertError::new(
                Place::layer(&layer.name),
                format!(
                    "it is called with inputs of different shapes, {first:?} and {shape:?} \
                     (HGQ: AttributeError, multiple inbound nodes with different input shapes)"
                ),
                "use one layer for each shape",
            ));
        }
    }
    Ok(())
}

/// Whether a layer is of QKeras, so that HGQ converts it.
pub(crate) fn is_qkeras(kind: &LayerKind) -> bool {
    match kind {
        LayerKind::QActivation(_) => true,
        LayerKind::Dense(d) => d.quantized,
        LayerKind::Conv(c) => c.quantized,
        LayerKind::SeparableConv(c) => c.quantized,
        _ => false,
    }
}

/// Inputs of the proxy that something else than a quantizer reads.
pub(super) fn raw_inputs(source: &Model, converted: &Converted) -> Vec<Warning> {
    let proxy = &converted.model;
    let mut reader: BTreeMap<CallId, CallId> = BTreeMap::new();
    for id in proxy.call_ids() {
        if matches!(proxy.layer_of(id).kind, LayerKind::FixedPointQuantizer(_)) {
            continue;
        }
        for &argument in &proxy.call(id).inputs {
            reader.entry(argument).or_insert(id);
        }
    }
    let mut warnings = Vec::new();
    for (&input, replaced) in source.inputs.iter().zip(&proxy.inputs) {
        let Some(&reader) = reader.get(replaced) else { continue };
        let name = source.call_name(input);
        let consumer = source.call_name(converted.origins[reader.0]);
        warnings.push(Warning {
            code: "raw-input",
            layer: name.clone(),
            text: format!(
                "no quantized_bits follows the input `{name}` (layer `{consumer}` reads it as \
                 it is): HGQ builds the proxy in float32, but hls4ml will refuse it. Put a \
                 QActivation(quantized_bits(<bits>, <integer>, alpha=1)) directly behind it"
            ),
        });
    }
    warnings
}
