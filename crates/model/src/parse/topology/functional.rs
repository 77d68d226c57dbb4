//! Functional models: a graph of layer calls.

use std::collections::HashMap;

use serde_json::Value;

use super::{
    MAX_LAYERS, RawLayer, Source, TensorRef, Topology, layer_entry, layer_list, place_of,
    unique_names,
};
use crate::parse::attributes::Attributes;
use crate::parse::json::{items, short};
use crate::{Ledger, ModelClass, ModelError, Place};

/// Reads a Functional model.
pub(super) fn read<'f>(
    config: &'f Value,
    path: &str,
    depth: usize,
    ledger: &mut Ledger,
) -> Result<Topology<'f>, ModelError> {
    let object = config.as_object().ok_or_else(|| {
        ModelError::new(
            place_of(path).attribute("config"),
            format!("expected an object, found {}", short(config)),
        )
    })?;
    let mut keys = Attributes::new(path, object, ledger);
    let name = match keys.take_some("name") {
        None => "model",
        Some(name) => {
            name.as_str().ok_or_else(|| keys.error("name", "expected a text".to_owned()))?
        }
    };
    keys.training_only(&["trainable"]);
    let list = keys.take("layers");
    let inputs = keys.take("input_layers");
    let outputs = keys.take("output_layers");
    keys.finish()?;

    let list = layer_list(list, path)?;
    let mut layers = Vec::with_capacity(list.len());
    let mut nodes = Vec::with_capacity(list.len());
    for (index, entry) in list.iter().enumerate() {
        let (layer, inbound) = layer_entry(index, entry, path, depth, ledger)?;
        nodes.push(inbound_nodes(&layer, inbound)?);
        layers.push(layer);
    }
    let total: usize = nodes.iter().map(Vec::len).sum();
    if total > MAX_LAYERS {
        return Err(ModelError::new(
            place_of(path).attribute("layers"),
            format!("{total} layer calls; supported are up to {MAX_LAYERS}"),
        ));
    }
    let by_name = unique_names(&layers)?;
    let counts: Vec<usize> = nodes.iter().map(Vec::len).collect();
    let resolver = Resolver { by_name: &by_name, layers: &layers, counts: &counts };
    let mut resolved = Vec::with_capacity(layers.len());
    for (layer, calls) in layers.iter().zip(&nodes) {
        let place = Place::layer(&layer.path).attribute("inbound_nodes");
        let calls: Result<Vec<Vec<TensorRef>>, ModelError> = calls
            .iter()
            .map(|call| call.iter().map(|tensor| resolver.resolve(&place, tensor)).collect())
            .collect();
        resolved.push(calls?);
    }
    let ends = |key: &str, value: Option<&Value>| -> Result<Vec<TensorRef>, ModelError> {
        let place = place_of(path).attribute(key);
        let list = value.and_then(items).filter(|l| !l.is_empty()).ok_or_else(|| {
            let found = value.map_or_else(|| "nothing".to_owned(), short);
            ModelError::new(place.clone(), format!("expected a list of tensors, found {found}"))
        })?;
        // One tensor may stand without the outer list.
        let single = list[0].is_string();
        let list = if single { std::slice::from_ref(value.unwrap_or(&Value::Null)) } else { list };
        list.iter().map(|tensor| resolver.resolve(&place, tensor)).collect()
    };
    let (inputs, outputs) = (ends("input_layers", inputs)?, ends("output_layers", outputs)?);
    for (layer, calls) in layers.iter_mut().zip(resolved) {
        layer.calls = calls;
    }
    let class = ModelClass::Functional;
    Ok(Topology { name: name.to_owned(), class, layers, inputs, outputs })
}

/// The calls of a layer, each a list of tensors. An InputLayer has one call without arguments.
fn inbound_nodes<'f>(
    layer: &RawLayer<'f>,
    value: Option<&'f Value>,
) -> Result<Vec<&'f [Value]>, ModelError> {
    let place = Place::layer(&layer.path).attribute("inbound_nodes");
    let calls = value
        .and_then(items)
        .ok_or_else(|| ModelError::new(place.clone(), "expected a list of calls".to_owned()))?;
    if layer.is_input() && calls.is_empty() {
        return Ok(vec![&[]]);
    }
    if calls.is_empty() {
        return Err(ModelError::new(place, "the layer is never called".to_owned()));
    }
    calls
        .iter()
        .map(|call| match call {
            Value::Array(tensors) if !tensors.is_empty() => Ok(tensors.as_slice()),
            Value::Object(_) => Err(ModelError::new(
                place.clone(),
                "this is the graph of a Keras 3 model, which cannot be read yet".to_owned(),
            )
            .with_help("save the model with Keras 2 (QKeras 0.9.0 needs it anyway)")),
            other => Err(ModelError::new(
                place.clone(),
                format!("expected a list of tensors, found {}", short(other)),
            )),
        })
        .collect()
}

struct Resolver<'a> {
    by_name: &'a HashMap<&'a str, usize>,
    layers: &'a [RawLayer<'a>],
    counts: &'a [usize],
}

impl Resolver<'_> {
    /// `[layer, node index, tensor index, keyword arguments]`, the last one optional.
    fn resolve(&self, place: &Place, tensor: &Value) -> Result<TensorRef, ModelError> {
        let error = |what: String| ModelError::new(place.clone(), what);
        let parts = items(tensor).unwrap_or_default();
        let (Some(Value::String(name)), Some(node), Some(output)) =
            (parts.first(), parts.get(1).and_then(index), parts.get(2).and_then(index))
        else {
            let what = format!("expected [layer, node, tensor], found {}", short(tensor));
            if parts.first().is_some_and(is_list_of_tensors) {
                return Err(error(format!(
                    "{what}: a list of tensors in the place of one, as HGQ writes it where a layer \
                     reads a nested model with several outputs, is not supported"
                ))
                .with_help("split the nested model into one model for each output"));
            }
            return Err(error(what));
        };
        let Some(&layer) = self.by_name.get(name.as_str()) else {
            return Err(error(format!("refers to layer `{name}`, which does not exist")));
        };
        // A model that was built on an InputLayer has a call before those that are written here.
        let first = match &self.layers[layer].source {
            Source::Nested(model) => usize::from(model.starts_with_input()),
            _ => 0,
        };
        let Some(node) = node.checked_sub(first).filter(|&n| n < self.counts[layer]) else {
            return Err(error(format!(
                "refers to call {node} of layer `{name}`, which is called {} times, counted from \
                 {first}",
                self.counts[layer]
            )));
        };
        let results = self.layers[layer].results();
        if output >= results {
            return Err(error(format!(
                "refers to result {output} of layer `{name}`, which has {results}"
            )));
        }
        match parts.get(3) {
            None | Some(Value::Null) => {}
            Some(Value::Object(arguments)) => {
                for (key, value) in arguments {
                    let inert = match key.as_str() {
                        "training" => matches!(value, Value::Null | Value::Bool(false)),
                        "mask" => value.is_null(),
                        _ => false,
                    };
                    if !inert {
                        return Err(error(format!(
                            "call argument {key}={} is not supported; supported: training=None, \
                             training=False, mask=None",
                            short(value)
                        )));
                    }
                }
            }
            Some(other) => {
                return Err(error(format!("expected call arguments, found {}", short(other))));
            }
        }
        if parts.len() > 4 {
            return Err(error(format!("expected at most 4 parts, found {}", parts.len())));
        }
        Ok(TensorRef { call: (layer, node), output })
    }
}

/// Whether a tensor stands inside, at any depth: HGQ hands on all outputs of a model inside as one
/// argument, and those of a model inside that as a list of lists.
fn is_list_of_tensors(value: &Value) -> bool {
    let first = items(value).and_then(<[Value]>::first);
    first.is_some_and(|first| first.is_string() || is_list_of_tensors(first))
}

fn index(value: &Value) -> Option<usize> {
    value.as_u64().and_then(|i| usize::try_from(i).ok())
}
