//! From `model_config` to layers and their calls, for Sequential and Functional models and what is
//! nested in them.

mod functional;
mod sequential;

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::attributes::Attributes;
use super::class::{self, SUPPORTED_CLASSES};
use super::json::{items, short};
use super::pruning;
use crate::{Ledger, ModelClass, ModelError, Place};

/// Most layers, and most layer calls, of one model. Trigger models have some dozen; much that is
/// done with a graph takes time with the square of it.
pub(super) const MAX_LAYERS: usize = 2000;

/// Longest name of a layer, and longest path of one inside nested models, in bytes.
const MAX_NAME: usize = 1000;

/// Most configuration keys of all layers together, nested models included.
const MAX_KEYS: usize = 500_000;

/// Most models inside each other.
const MAX_NESTING: usize = 16;

/// A call: which layer, and which of its calls.
pub(super) type CallRef = (usize, usize);

/// A tensor: which call's, and which of its results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TensorRef {
    pub(super) call: CallRef,
    pub(super) output: usize,
}

/// The graph before any layer is understood.
#[derive(Debug)]
pub(super) struct Topology<'f> {
    pub(super) name: String,
    pub(super) class: ModelClass,
    pub(super) layers: Vec<RawLayer<'f>>,
    pub(super) inputs: Vec<TensorRef>,
    pub(super) outputs: Vec<TensorRef>,
}

impl Topology<'_> {
    /// Whether the model was built on an InputLayer. Then Keras keeps a first call of its own, and
    /// other models count its calls from 1.
    fn starts_with_input(&self) -> bool {
        matches!(
            self.layers.first(),
            Some(RawLayer { source: Source::File { class: "InputLayer", .. }, .. })
        )
    }
}

/// A layer before it is understood.
#[derive(Debug)]
pub(super) struct RawLayer<'f> {
    /// The name by which the graph and the weights refer to it.
    pub(super) name: String,
    /// The same behind the names of the models that it is inside of, for messages.
    pub(super) path: String,
    pub(super) source: Source<'f>,
    /// For each call the tensors that are its arguments.
    pub(super) calls: Vec<Vec<TensorRef>>,
}

impl RawLayer<'_> {
    /// Whether it is where a model takes its arguments.
    pub(super) fn is_input(&self) -> bool {
        matches!(self.source, Source::Synthesised(_) | Source::File { class: "InputLayer", .. })
    }

    /// Number of its results.
    pub(super) fn results(&self) -> usize {
        match &self.source {
            Source::Nested(model) => model.outputs.len(),
            _ => 1,
        }
    }
}

/// Where a layer's parameters are.
#[derive(Debug)]
pub(super) enum Source<'f> {
    /// In the file.
    File { class: &'f str, config: &'f Map<String, Value> },
    /// The InputLayer that Keras makes for a Sequential model without one, with its shape
    /// (batch included).
    Synthesised(Option<&'f Value>),
    /// A model.
    Nested(Box<Topology<'f>>),
}

/// Whether a class is a model.
fn is_model(class: &str) -> bool {
    matches!(class, "Functional" | "Model" | "Sequential")
}

/// Where something of the model `path` is; empty for the outermost one.
fn place_of(path: &str) -> Place {
    if path.is_empty() { Place::model() } else { Place::layer(path) }
}

/// `inner` inside the model `path`.
fn join(path: &str, inner: &str) -> String {
    if path.is_empty() { inner.to_owned() } else { format!("{path}::{inner}") }
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
        class if is_model(class) => model_config(class, config, "", 0, ledger),
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

/// The configuration of a model, inside `depth` others.
fn model_config<'f>(
    class: &str,
    config: &'f Value,
    path: &str,
    depth: usize,
    ledger: &mut Ledger,
) -> Result<Topology<'f>, ModelError> {
    if depth > MAX_NESTING {
        let what = format!("models are nested more than {MAX_NESTING} levels deep");
        return Err(ModelError::new(place_of(path), what));
    }
    match class {
        "Sequential" => sequential::read(config, path, depth, ledger),
        _ => functional::read(config, path, depth, ledger),
    }
}

/// `{class_name, config, …}` of one layer of the model `path`.
fn layer_entry<'f>(
    index: usize,
    entry: &'f Value,
    path: &str,
    depth: usize,
    ledger: &mut Ledger,
) -> Result<(RawLayer<'f>, Option<&'f Value>), ModelError> {
    let place = place_of(path).attribute(format!("layers[{index}]"));
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
    let path = join(path, name);
    if path.len() > MAX_NAME {
        let what = format!("has a name of {} bytes; supported are {MAX_NAME}", path.len());
        return Err(ModelError::new(place, what));
    }
    if name.contains(char::is_control) {
        return Err(ModelError::new(
            place,
            format!("has the name {name:?} with control characters"),
        ));
    }
    if ledger.entries().len() > MAX_KEYS {
        let what = format!("models of more than {MAX_KEYS} configuration keys are not supported");
        return Err(ModelError::new(place, what));
    }
    let mut keys = Attributes::new(&path, object, ledger);
    let class = keys.text("class_name")?;
    // Asked first: the calls of other classes may be written in a form of their own.
    if !SUPPORTED_CLASSES.contains(&class) && !pruning::is_wrapper(class) && !is_model(class) {
        return Err(class::unsupported(&path, class));
    }
    let nodes = keys.take("inbound_nodes");
    let inner = keys.take("config");
    keys.take("name");
    keys.inert(&["module", "registered_name", "build_config", "shared_object_id"]);
    keys.finish()?;
    let source = match inner {
        Some(inner) if is_model(class) => {
            Source::Nested(Box::new(model_config(class, inner, &path, depth + 1, ledger)?))
        }
        _ => Source::File { class, config },
    };
    Ok((RawLayer { name: name.to_owned(), path, source, calls: Vec::new() }, nodes))
}

fn layer_list<'f>(value: Option<&'f Value>, path: &str) -> Result<&'f [Value], ModelError> {
    let place = place_of(path).attribute("layers");
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

fn unique_names<'l>(layers: &'l [RawLayer<'_>]) -> Result<HashMap<&'l str, usize>, ModelError> {
    let mut by_name = HashMap::with_capacity(layers.len());
    for (index, layer) in layers.iter().enumerate() {
        if by_name.insert(layer.name.as_str(), index).is_some() {
            return Err(ModelError::new(
                Place::layer(&layer.path),
                "two layers have this name".to_owned(),
            ));
        }
    }
    Ok(by_name)
}
