//! A conversion as the file that HGQ would have saved.

use bittrue_model::{CallId, KerasDocument, LayerKind, Model, Place, WeightGroup};
use serde_json::{Map, Value, json};

use super::{config, order, weights};
use crate::convert::is_qkeras;
use crate::{ConvertError, Converted, Registered};

/// The Keras release of the reference environment, which a file is marked with.
const KERAS_VERSION: &str = "2.15.0";

/// The file of a proxy that was built from `source`, whose layers have these configurations
/// ([`layer_configs`](bittrue_model::parse::layer_configs)).
///
/// It is what `to_proxy_model(…).save("proxy.h5")` writes, layer by layer: names, order,
/// configurations, weights; with the precisions that were registered, if any were.
///
/// # Errors
/// For a layer that cannot be written, naming it.
pub fn document(
    converted: &Converted,
    source: &Model,
    configs: &[Option<Map<String, Value>>],
    registered: &Registered,
) -> Result<KerasDocument, ConvertError> {
    let model = &converted.model;
    let mut layers = Vec::with_capacity(model.calls.len());
    let mut groups = Vec::with_capacity(model.calls.len());
    for call in order::keras_order(model) {
        let layer = model.layer_of(call);
        let place = Place::layer(&layer.name);
        let origin = Origin::of(converted, source, call);
        let config = match origin {
            Origin::Input => config::input(&layer.name, &model.call(call).shape),
            Origin::Made => config::made(layer, is_fusible(model, call), registered.get(&call))?,
            Origin::Kept(from) | Origin::Replaced(from) => {
                let found = configs.get(from).and_then(Option::as_ref);
                let found = found.ok_or_else(|| config::unwritable(layer))?;
                match origin {
                    Origin::Kept(_) => config::kept(&layer.name, found),
                    _ => config::replaced(&layer.name, found, &layer.kind),
                }
            }
        };
        layers.push(json!({
            "class_name": layer.class_name,
            "config": config,
            "name": layer.name,
            "inbound_nodes": inbound(model, call),
        }));
        // Layers that are kept have the weights that they were built with, under their own name.
        let scope = match origin {
            Origin::Kept(from) => source.layers.get(from).map(|l| l.name.as_str()),
            _ => None,
        };
        let argument = model.call(call).inputs.first();
        let rank = argument.map_or(0, |&a| model.call(a).shape.len());
        let weights = weights::of(&layer.kind, scope, rank, &place)?;
        groups.push(WeightGroup { layer: layer.name.clone(), weights });
    }
    let tensors = |calls: &[CallId]| -> Vec<Value> {
        calls.iter().map(|&c| json!([model.layer_of(c).name, 0, 0])).collect()
    };
    Ok(KerasDocument {
        model_config: json!({
            "class_name": "Functional",
            "config": {
                "name": model.name,
                "trainable": true,
                "layers": layers,
                "input_layers": tensors(&model.inputs),
                "output_layers": tensors(&model.outputs),
            },
        }),
        keras_version: KERAS_VERSION,
        groups,
    })
}

/// What a layer of a proxy comes from; with the index of the source's layer where it has arguments
/// of it.
#[derive(Debug, Clone, Copy)]
enum Origin {
    Input,
    Made,
    Kept(usize),
    Replaced(usize),
}

impl Origin {
    fn of(converted: &Converted, source: &Model, call: CallId) -> Self {
        let kind = &converted.model.layer_of(call).kind;
        let from = converted.origins[call.0];
        let index = source.call(from).layer;
        match kind {
            LayerKind::Input => Self::Input,
            // A table that took the place of a function.
            LayerKind::UnaryLut(_) => Self::Made,
            _ if !is_qkeras(&source.layer_of(from).kind) => Self::Kept(index),
            LayerKind::Dense(_) | LayerKind::Conv(_) | LayerKind::SeparableConv(_) => {
                Self::Replaced(index)
            }
            _ => Self::Made,
        }
    }
}

/// HGQ's word for a quantizer that hls4ml may merge into the layer before it.
fn is_fusible(model: &Model, call: CallId) -> bool {
    let LayerKind::FixedPointQuantizer(q) = &model.layer_of(call).kind else { return false };
    let uniform = [&q.keep_negative, &q.bits, &q.integers]
        .into_iter()
        .all(|list| list.iter().all(|v| list.first() == Some(v)));
    let argument = model.call(call).inputs.first();
    uniform && argument.is_some_and(|&a| model.consumers(a).len() == 1)
}

/// The one call of a layer, as Keras writes it.
fn inbound(model: &Model, call: CallId) -> Value {
    let arguments = &model.call(call).inputs;
    if arguments.is_empty() {
        return json!([]);
    }
    let tensors: Vec<Value> =
        arguments.iter().map(|&a| json!([model.layer_of(a).name, 0, 0, {}])).collect();
    json!([tensors])
}
