//! The types as HGQ writes them into a file (`skip_precision_reg=False`).

use std::collections::BTreeMap;

use bittrue_model::{CallId, LayerKind, Model, Place};
use ndarray::ArrayD;
use serde_json::{Map, Value, json};

use super::bits::Bits;
use super::derive::{NodePrecision, precisions};
use crate::file::keras_order;
use crate::{ConvertError, Converted, Warning};

/// For quantizers by their call: the types of the layers that are kept with them, as in the
/// configuration's `overrides.layers`.
pub type Registered = BTreeMap<CallId, Map<String, Value>>;

/// Derives the types of every layer of a proxy and keeps each with the quantizer behind the layer, or
/// else in front of it. Quantizers that have more bits than they need lose them.
///
/// # Errors
/// Where HGQ raises an error: types of more than 64 bits, layers without a quantizer on either side,
/// inputs that something else than a quantizer reads.
pub fn register(
    converted: &mut Converted,
    accum_fp_max_offset: Option<i64>,
) -> Result<Registered, ConvertError> {
    let model = &converted.model;
    let nodes = precisions(model, accum_fp_max_offset)?;
    let readers: Vec<Vec<CallId>> = model.call_ids().map(|id| model.consumers(id)).collect();
    let mut registered = Registered::new();
    for id in keras_order(model) {
        let layer = model.layer_of(id);
        // Tables come with their types.
        if matches!(layer.kind, LayerKind::UnaryLut(_)) {
            continue;
        }
        let place = Place::layer(&layer.name);
        let quantizer = quantizer_of(model, &readers, id).ok_or_else(|| {
            ConvertError::new(
                place.clone(),
                "it has no quantizer before or behind it (HGQ: AssertionError)",
                "add a QActivation(quantized_bits(…, alpha=1)), or do not register precisions",
            )
        })?;
        input_is_quantized(model, &readers, id, &place)?;
        let types = types(&nodes[id.0], &place)?;
        let kept = registered.entry(quantizer).or_default();
        kept.insert(layer.name.clone(), Value::Object(types));
    }
    let narrowed: Vec<_> = nodes.iter().filter_map(|n| Some((n.call, n.narrowed?))).collect();
    for (call, bits) in narrowed {
        narrow(converted, call, bits);
    }
    Ok(registered)
}

/// Leaves a quantizer no more than these bits, with a warning where it had more: HGQ limits sign,
/// integer bits with the sign, and width, each by itself.
pub(crate) fn narrow(converted: &mut Converted, call: CallId, bits: Bits) {
    let index = converted.model.call(call).layer;
    let layer = &mut converted.model.layers[index];
    let LayerKind::FixedPointQuantizer(q) = &mut layer.kind else { return };
    let before = (q.keep_negative.clone(), q.bits.clone(), q.integers.clone());
    let k = i64::from(bits.keep_negative);
    let limit = |list: &mut ArrayD<i32>, most: i64| {
        list.mapv_inplace(|v| i64::from(v).min(most) as i32);
    };
    limit(&mut q.keep_negative, k);
    limit(&mut q.integers, k + bits.integer);
    limit(&mut q.bits, bits.width());
    if before != (q.keep_negative.clone(), q.bits.clone(), q.integers.clone()) {
        let text = format!(
            "HGQ leaves this quantizer {} bits by what it derives for its argument: where it \
             saturates, or where nothing limits the argument, values change",
            bits.width()
        );
        let warning = Warning { code: "narrowed-quantizer", layer: layer.name.clone(), text };
        converted.warnings.push(warning);
    }
}

/// Only quantizers may read an input whose type is to be registered.
fn input_is_quantized(
    model: &Model,
    readers: &[Vec<CallId>],
    id: CallId,
    place: &Place,
) -> Result<(), ConvertError> {
    if !matches!(model.layer_of(id).kind, LayerKind::Input) {
        return Ok(());
    }
    let is_quantizer =
        |r: &&CallId| matches!(model.layer_of(**r).kind, LayerKind::FixedPointQuantizer(_));
    match readers[id.0].iter().find(|r| !is_quantizer(r)) {
        None => Ok(()),
        Some(&reader) => Err(ConvertError::new(
            place.clone(),
            format!(
                "`{}` reads it without a quantizer between them (HGQ: AssertionError)",
                model.call_name(reader)
            ),
            "put a QActivation(quantized_bits(…, alpha=1)) behind the input",
        )),
    }
}

/// The first quantizer behind a layer, depth first, or else before it.
fn quantizer_of(model: &Model, readers: &[Vec<CallId>], id: CallId) -> Option<CallId> {
    let is_quantizer =
        |c: CallId| matches!(model.layer_of(c).kind, LayerKind::FixedPointQuantizer(_));
    if is_quantizer(id) {
        return Some(id);
    }
    let first = |next: &dyn Fn(CallId) -> Vec<CallId>| {
        let mut seen = vec![false; model.calls.len()];
        let mut stack: Vec<CallId> = next(id).into_iter().rev().collect();
        while let Some(call) = stack.pop() {
            if is_quantizer(call) {
                return Some(call);
            }
            if !std::mem::replace(&mut seen[call.0], true) {
                stack.extend(next(call).into_iter().rev());
            }
        }
        None
    };
    first(&|c| readers[c.0].clone()).or_else(|| first(&|c| model.call(c).inputs.clone()))
}

/// The types of a layer by HGQ's names.
fn types(node: &NodePrecision, place: &Place) -> Result<Map<String, Value>, ConvertError> {
    let mut types = Map::new();
    let all = [
        ("weight_t", node.weight.as_ref(), false),
        ("accum_t", node.accum.as_ref(), false),
        ("result_t", Some(&node.result), true),
        // HGQ gives a bias its type whether there is one or not.
        ("bias_t", node.bias.as_ref().or(node.accum.as_ref()), false),
        ("table_t", node.table.as_ref(), true),
    ];
    for (name, typed, modes) in all {
        let Some(typed) = typed else { continue };
        if typed.wide.is_huge() {
            return Err(ConvertError::new(
                place.clone().attribute(name),
                format!(
                    "{} has more than 64 bits (HGQ: ValueError, huge bitwidth): a quantizer is \
                     missing",
                    typed.wide
                ),
                "quantise weights, biases and what stands in front of this layer, or do not \
                 register precisions",
            ));
        }
        types.insert(name.to_owned(), json!(typed.wide.hgq_text(modes)));
    }
    if let Some(size) = node.table_size {
        types.insert("table_size".to_owned(), json!(size));
    }
    Ok(types)
}
