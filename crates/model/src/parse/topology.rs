//! From `model_config` to layers and their calls, for Sequential and Functional models.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::attributes::Attributes;
use super::class::{self, SUPPORTED_CLASSES};
use super::json::{items, short};
use super::pruning;
use crate::{Ledger, ModelClass, ModelError, Place};

/// Most layers, and most layer calls, of one model.
pub(super) const MAX_LAYERS: usize = 100_000;

/// A call: which layer, and which of its calls.
pub(super) type CallRef = (usize, usize);

/// The graph before any layer is understood.
#[derive(Debug)]
pub(super) struct Topology<'f> {
    pub(super) name: String,
    pub(super) class: ModelClass,
    pub(super) layers: Vec<RawLayer<'f>>,
    pub(super) inputs: Vec<CallRef>,
    pub(super) outputs: Vec<CallRef>,
}

/// A layer before it is understood.
#[derive(Debug)]
pub(super) struct RawLayer<'f> {
    /// The name by which the graph and the weights refer to it.
    pub(super) name: String,
    pub(super) source: Source<'f>,
    /// For each call the calls that are its arguments.
    pub(super) calls: Vec<Vec<CallRef>>,
}

/// Where a layer's parameters are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source<'f> {
    /// In the file.
    File { class: &'f str, config: &'f Map<String, Value> },
    /// The InputLayer that Keras makes for a Sequential model without one, with its shape
    /// (batch included).
    Synthesised(&'f Value),
}

/// Reads `{"class_name": …, "config": …}`.
pub(super) fn read<'f>(model: &'f Value, ledger: &mut Ledger) -> Result<Topology<'f>, ModelError> {
    let object = model.as_object().ok_or_else(|| {
        ModelError::new(
            Place::model(),
            format!("model_config: expected an object, found {}", short(model)),
        )
    })?;
    let mut top = Attributes::new("", object, ledger);
    let class = top.text("class_name")?;
    let config = top.take("config").ok_or_else(|| top.missing("config"))?;
    top.inert(&["keras_version", "backend", "module", "registered_name", "build_config"]);
    top.finish()?;
    match class {
        "Sequential" => sequential(config, ledger),
        "Functional" | "Model" => functional(config, ledger),
        other => Err(ModelError::new(
            Place::model().attribute("class_name"),
            format!("`{other}` is not supported; supported: Sequential, Functional, Model"),
        )
        .with_help(
            "a subclassed model does not store its graph; build it with the functional API and \
             save it again",
        )),
    }
}

/// `{class_name, config, …}` of one layer.
fn layer_entry<'f>(
    index: usize,
    entry: &'f Value,
    ledger: &mut Ledger,
) -> Result<(RawLayer<'f>, Option<&'f Value>), ModelError> {
    let place = Place::model().attribute(format!("layers[{index}]"));
    let object = entry.as_object().ok_or_else(|| {
        ModelError::new(place.clone(), format!("expected an object, found {}", short(entry)))
    })?;
    let config = object.get("config").and_then(Value::as_object).ok_or_else(|| {
        ModelError::new(place.clone(), "config is missing or no object".to_owned())
    })?;
    let outer = object.get("name").and_then(Value::as_str);
    let inner = config.get("name").and_then(Value::as_str);
    let name = match (outer, inner) {
        (Some(outer), Some(inner)) if outer != inner => {
            return Err(ModelError::new(
                place,
                format!("is called `{outer}` in the graph but `{inner}` in its configuration"),
            ));
        }
        (Some(name), _) | (None, Some(name)) => name,
        (None, None) => return Err(ModelError::new(place, "has no name".to_owned())),
    };
    if name.is_empty() {
        return Err(ModelError::new(place, "has an empty name".to_owned()));
    }
    let mut keys = Attributes::new(name, object, ledger);
    let class = keys.text("class_name")?;
    // Asked first: the calls of other classes may be written in a form of their own.
    if !SUPPORTED_CLASSES.contains(&class) && !pruning::is_wrapper(class) {
        return Err(class::unsupported(name, class));
    }
    let nodes = keys.take("inbound_nodes");
    keys.take("config");
    keys.take("name");
    keys.inert(&["module", "registered_name", "build_config", "shared_object_id"]);
    keys.finish()?;
    let source = Source::File { class, config };
    Ok((RawLayer { name: name.to_owned(), source, calls: Vec::new() }, nodes))
}

fn layer_list(value: Option<&Value>) -> Result<&[Value], ModelError> {
    let place = Place::model().attribute("layers");
    let list = value
        .and_then(items)
        .ok_or_else(|| ModelError::new(place.clone(), "expected a list of layers".to_owned()))?;
    match list.len() {
        0 => Err(ModelError::new(place, "the model has no layers".to_owned())),
        n if n > MAX_LAYERS => {
            Err(ModelError::new(place, format!("{n} layers; supported are up to {MAX_LAYERS}")))
        }
        _ => Ok(list),
    }
}

fn sequential<'f>(config: &'f Value, ledger: &mut Ledger) -> Result<Topology<'f>, ModelError> {
    // Files of the first Keras-2 versions hold the bare list of layers.
    let (name, list, build_shape) = match config {
        Value::Object(object) => {
            let mut keys = Attributes::new("", object, ledger);
            let name = match keys.take_some("name") {
                None => "sequential",
                Some(name) => {
                    name.as_str().ok_or_else(|| keys.error("name", "expected a text".to_owned()))?
                }
            };
            keys.training_only(&["trainable"]);
            let list = keys.take("layers");
            let build_shape = keys.take_some("build_input_shape");
            keys.only("dtype", &[json!("float32")])?;
            keys.finish()?;
            (name, layer_list(list)?, build_shape)
        }
        other => ("sequential", layer_list(Some(other))?, None),
    };
    let mut layers: Vec<RawLayer<'f>> = Vec::with_capacity(list.len() + 1);
    for (index, entry) in list.iter().enumerate() {
        let (layer, nodes) = layer_entry(index, entry, ledger)?;
        if nodes.is_some() {
            return Err(ModelError::new(
                Place::layer(&layer.name).attribute("inbound_nodes"),
                "a layer of a Sequential model has none".to_owned(),
            ));
        }
        layers.push(layer);
    }
    // Keras' own rule for a chain that was built without an Input.
    if let Some(RawLayer { name, source: Source::File { class, config }, .. }) = layers.first()
        && *class != "InputLayer"
    {
        let shape = config.get("batch_input_shape").or(build_shape).ok_or_else(|| {
            ModelError::new(
                Place::layer(name),
                "is the first layer, but the file holds no input shape".to_owned(),
            )
            .with_help(
                "put keras.Input(shape=…) first, or call the model once on data, and save it again",
            )
        })?;
        let name = format!("{name}_input");
        let input = RawLayer { name, source: Source::Synthesised(shape), calls: Vec::new() };
        layers.insert(0, input);
    }
    for (index, layer) in layers.iter_mut().enumerate() {
        layer.calls.push(index.checked_sub(1).map(|i| (i, 0)).into_iter().collect());
    }
    unique_names(&layers)?;
    let outputs = vec![(layers.len() - 1, 0)];
    let class = ModelClass::Sequential;
    Ok(Topology { name: name.to_owned(), class, layers, inputs: vec![(0, 0)], outputs })
}

fn functional<'f>(config: &'f Value, ledger: &mut Ledger) -> Result<Topology<'f>, ModelError> {
    let object = config.as_object().ok_or_else(|| {
        ModelError::new(
            Place::model().attribute("config"),
            format!("expected an object, found {}", short(config)),
        )
    })?;
    let mut keys = Attributes::new("", object, ledger);
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

    let list = layer_list(list)?;
    let mut layers = Vec::with_capacity(list.len());
    let mut nodes = Vec::with_capacity(list.len());
    for (index, entry) in list.iter().enumerate() {
        let (layer, inbound) = layer_entry(index, entry, ledger)?;
        nodes.push(inbound_nodes(&layer, inbound)?);
        layers.push(layer);
    }
    let total: usize = nodes.iter().map(Vec::len).sum();
    if total > MAX_LAYERS {
        return Err(ModelError::new(
            Place::model().attribute("layers"),
            format!("{total} layer calls; supported are up to {MAX_LAYERS}"),
        ));
    }
    let by_name = unique_names(&layers)?;
    let counts: Vec<usize> = nodes.iter().map(Vec::len).collect();
    let resolver = Resolver { by_name: &by_name, counts: &counts };
    let mut resolved = Vec::with_capacity(layers.len());
    for (layer, calls) in layers.iter().zip(&nodes) {
        let place = Place::layer(&layer.name).attribute("inbound_nodes");
        let calls: Result<Vec<Vec<CallRef>>, ModelError> = calls
            .iter()
            .map(|call| call.iter().map(|tensor| resolver.resolve(&place, tensor)).collect())
            .collect();
        resolved.push(calls?);
    }
    let ends = |key: &str, value: Option<&Value>| -> Result<Vec<CallRef>, ModelError> {
        let place = Place::model().attribute(key);
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
    let place = Place::layer(&layer.name).attribute("inbound_nodes");
    let calls = value
        .and_then(items)
        .ok_or_else(|| ModelError::new(place.clone(), "expected a list of calls".to_owned()))?;
    if matches!(layer.source, Source::File { class: "InputLayer", .. }) && calls.is_empty() {
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

fn unique_names<'l>(layers: &'l [RawLayer<'_>]) -> Result<HashMap<&'l str, usize>, ModelError> {
    let mut by_name = HashMap::with_capacity(layers.len());
    for (index, layer) in layers.iter().enumerate() {
        if by_name.insert(layer.name.as_str(), index).is_some() {
            return Err(ModelError::new(
                Place::layer(&layer.name),
                "two layers have this name".to_owned(),
            ));
        }
    }
    Ok(by_name)
}

struct Resolver<'a> {
    by_name: &'a HashMap<&'a str, usize>,
    counts: &'a [usize],
}

impl Resolver<'_> {
    /// `[layer, node index, tensor index, keyword arguments]`, the last one optional.
    fn resolve(&self, place: &Place, tensor: &Value) -> Result<CallRef, ModelError> {
        let error = |what: String| ModelError::new(place.clone(), what);
        let parts = items(tensor).unwrap_or_default();
        let (Some(Value::String(name)), Some(node), Some(output)) =
            (parts.first(), parts.get(1).and_then(index), parts.get(2).and_then(index))
        else {
            return Err(error(format!("expected [layer, node, tensor], found {}", short(tensor))));
        };
        let Some(&layer) = self.by_name.get(name.as_str()) else {
            return Err(error(format!("refers to layer `{name}`, which does not exist")));
        };
        if node >= self.counts[layer] {
            return Err(error(format!(
                "refers to call {node} of layer `{name}`, which is called {} times",
                self.counts[layer]
            )));
        }
        if output != 0 {
            return Err(error(format!(
                "refers to result {output} of layer `{name}`, which has one"
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
        Ok((layer, node))
    }
}

fn index(value: &Value) -> Option<usize> {
    value.as_u64().and_then(|i| usize::try_from(i).ok())
}
