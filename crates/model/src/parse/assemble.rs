//! Layers, weights and calls put together.

use std::collections::{HashMap, HashSet};

use ndarray::{ArrayD, Axis};

use super::attributes::Attributes;
use super::class::{self, FIXED_SHAPE_HELP, Read};
use super::flatten::{Flat, FlatCall, FlatLayer, flatten};
use super::json::{MAX_DEPTH, is_shallow};
use super::shape::{self, ShapeRule};
use super::tensors::Tensors;
use super::topology::{self, RawLayer, Source};
use super::work::Work;
use super::{KerasFile, LayerWeights, pruning, spatial};
use crate::{Call, Layer, LayerKind, Ledger, Model, ModelClass, ModelError, Place};

/// Reads a Keras-2 model with QKeras 0.9.0 or HGQ 0.2.6 proxy layers.
///
/// The result holds every layer with its parameters as written and one [`Call`] per use of a
/// layer, in report order, with its shape; [`Model::ledger`] accounts for every configuration key.
///
/// # Errors
/// Anything that is missing, contradictory, not understood or not supported, with its place. A
/// layer in a pruning wrapper is read as the layer itself.
pub fn from_keras(file: &KerasFile) -> Result<Model, ModelError> {
    if !is_shallow(&file.model_config, MAX_DEPTH) {
        return Err(ModelError::new(
            Place::model(),
            format!("model_config is nested more than {MAX_DEPTH} levels deep"),
        ));
    }
    let mut ledger = Ledger::default();
    let topology = topology::read(&file.model_config, &mut ledger)?;
    let flat = flatten(&topology)?;
    let mut parts = read_layers(&flat, &file.weights, &mut ledger)?;

    let mut calls: Vec<Call> = Vec::with_capacity(flat.calls.len());
    let mut settled = vec![false; parts.layers.len()];
    let mut work = Work::default();
    for call in &flat.calls {
        let FlatCall { layer, node_index, ref inputs, nested, output } = *call;
        let shapes: Vec<&[usize]> = inputs.iter().map(|id| calls[id.0].shape.as_slice()).collect();
        let place = Place::layer(&flat.layers[layer].raw.path);
        let shape = parts.rules[layer].apply(&place, &shapes)?;
        work.add(&place, &parts.layers[layer].kind, &parts.rules[layer], &shapes, &shape)?;
        settle(&mut parts.layers[layer], &parts.rules[layer], settled[layer], &shapes)?;
        settled[layer] = true;
        let inputs = inputs.clone();
        calls.push(Call { layer, node_index, inputs, shape, nested, output });
    }
    check_inner_inputs(&flat, &calls, &mut ledger)?;
    let consumers = consumers(&flat);
    let uses = uses(&flat);
    for (index, stored) in parts.fusible.iter().enumerate() {
        let layer = &parts.layers[index];
        check_proxy_quantizer(&flat, layer, &uses[index], &consumers, *stored)?;
    }
    check_inputs(&flat, &parts.layers)?;
    Ok(Model {
        layers: parts.layers,
        calls,
        inputs: flat.inputs,
        outputs: flat.outputs,
        nested: flat.nested,
        name: topology.name,
        class: topology.class,
        ledger,
    })
}

struct Parts {
    layers: Vec<Layer>,
    rules: Vec<ShapeRule>,
    fusible: Vec<Option<bool>>,
}

fn read_layers(
    flat: &Flat<'_, '_>,
    weights: &[LayerWeights],
    ledger: &mut Ledger,
) -> Result<Parts, ModelError> {
    let mut groups: HashMap<&str, Group<'_>> = HashMap::with_capacity(weights.len());
    for group in weights {
        if groups.insert(&group.layer, Group::new(group)).is_some() {
            return Err(ModelError::new(
                Place::layer(&group.layer),
                "the file holds two groups of weights of this name".to_owned(),
            ));
        }
    }
    let mut parts = Parts { layers: Vec::new(), rules: Vec::new(), fusible: Vec::new() };
    let mut names = HashSet::new();
    let mut shapes_the_input = false;
    for FlatLayer { raw, group } in &flat.layers {
        let group = groups.get_mut(group);
        let outermost = raw.path == raw.name;
        let own = match (group, &raw.source) {
            (None, _) => Vec::new(),
            // The group of a nested model belongs to the layers inside.
            (Some(group), Source::Nested(_)) => group.rest(outermost),
            (Some(group), _) if outermost => group.rest(true),
            (Some(group), _) => group.of_layer(&raw.name),
        };
        let mut tensors = Tensors::new(&raw.path, own);
        let (layer, rule, fusible) = read_layer(raw, shapes_the_input, &mut tensors, ledger)?;
        shapes_the_input = matches!(raw.source, Source::Synthesised(_));
        tensors.finish()?;
        let scope = raw.path.strip_suffix(raw.name.as_str()).unwrap_or_default();
        if !names.insert(format!("{scope}{}", layer.name)) {
            return Err(ModelError::new(
                Place::layer(&raw.path),
                format!("wraps `{}`, a name that another layer has", layer.name),
            ));
        }
        parts.layers.push(layer);
        parts.rules.push(rule);
        parts.fusible.push(fusible);
    }
    // In file order, so that the same file always gives the same message.
    match weights.iter().find(|g| groups.get(g.layer.as_str()).is_some_and(|g| g.is_left_over())) {
        None => Ok(parts),
        Some(group) => Err(ModelError::new(
            Place::layer(&group.layer),
            "the file holds weights of this name, but the model has no such layer".to_owned(),
        )),
    }
}

/// The weights of a layer of the outermost model, and which of them a layer has been given.
struct Group<'f> {
    weights: &'f LayerWeights,
    given: Vec<bool>,
}

impl<'f> Group<'f> {
    fn new(weights: &'f LayerWeights) -> Self {
        Self { weights, given: vec![false; weights.tensors.len()] }
    }

    /// What the layer of this name, inside a nested model, has in the group of that model:
    /// `name/kernel:0`, where the name may hold slashes itself.
    fn of_layer(&mut self, name: &str) -> Vec<&'f (String, ArrayD<f32>)> {
        self.give(|tensor| {
            let rest = tensor.strip_prefix(name).and_then(|rest| rest.strip_prefix('/'));
            rest.is_some_and(|rest| !rest.contains('/'))
        })
    }

    /// All that is left, for the layer that the group is named after.
    fn rest(&mut self, outermost: bool) -> Vec<&'f (String, ArrayD<f32>)> {
        self.give(|_| outermost)
    }

    fn give(&mut self, belongs: impl Fn(&str) -> bool) -> Vec<&'f (String, ArrayD<f32>)> {
        let mut own = Vec::new();
        for (tensor, given) in self.weights.tensors.iter().zip(&mut self.given) {
            if !*given && belongs(&tensor.0) {
                *given = true;
                own.push(tensor);
            }
        }
        own
    }

    fn is_left_over(&self) -> bool {
        self.given.iter().any(|given| !given)
    }
}

/// Reads one layer; `shapes_the_input` where Keras takes the shape of the input that it makes
/// itself from this layer.
fn read_layer(
    raw: &RawLayer<'_>,
    shapes_the_input: bool,
    tensors: &mut Tensors<'_>,
    ledger: &mut Ledger,
) -> Result<(Layer, ShapeRule, Option<bool>), ModelError> {
    let (class, config) = match &raw.source {
        Source::Synthesised(shape) => {
            let missing = || "the file holds no input shape".to_owned();
            let shape = shape.ok_or_else(missing).and_then(class::input_shape).map_err(|what| {
                ModelError::new(Place::layer(&raw.path), what).with_help(FIXED_SHAPE_HELP)
            })?;
            let class_name = "InputLayer".to_owned();
            let layer = Layer { name: raw.name.clone(), class_name, kind: LayerKind::Input };
            return Ok((layer, ShapeRule::Input(shape), None));
        }
        Source::Nested(model) => {
            let class_name = match model.class {
                ModelClass::Sequential => "Sequential",
                ModelClass::Functional => "Functional",
            };
            let (name, class_name) = (raw.name.clone(), class_name.to_owned());
            let layer = Layer { name, class_name, kind: LayerKind::Nested };
            return Ok((layer, ShapeRule::Same, None));
        }
        Source::File { class, config } => (*class, *config),
    };
    if !pruning::is_wrapper(class) {
        let mut attributes = Attributes::new(&raw.path, config, ledger);
        if shapes_the_input {
            attributes.take("batch_input_shape");
        }
        let Read { kind, rule, fusible } = class::read(class, attributes, tensors)?;
        let layer = Layer { name: raw.name.clone(), class_name: class.to_owned(), kind };
        return Ok((layer, rule, fusible));
    }
    let inner = pruning::unwrap(&raw.name, config, ledger)?;
    let attributes = Attributes::new(inner.name, inner.config, ledger);
    let Read { kind, rule, fusible } = class::read(inner.class, attributes, tensors)?;
    let kernel = match &kind {
        LayerKind::Dense(dense) => Some(&dense.kernel),
        LayerKind::Conv(conv) => Some(&conv.kernel),
        _ => None,
    };
    pruning::take_weights(inner.name, tensors, kernel)?;
    let layer = Layer { name: inner.name.to_owned(), class_name: inner.class.to_owned(), kind };
    Ok((layer, rule, fusible))
}

/// Fills in what depends on the rank of a layer's argument.
fn settle(
    layer: &mut Layer,
    rule: &ShapeRule,
    again: bool,
    inputs: &[&[usize]],
) -> Result<(), ModelError> {
    let Some(rank) = inputs.first().map(|shape| shape.len()) else {
        return Ok(());
    };
    match &mut layer.kind {
        LayerKind::Concatenate(concatenate) => {
            let Some(axis) = shape::event_axis(concatenate.axis, rank) else {
                return Ok(());
            };
            if again && concatenate.event_axis != axis {
                return Err(ModelError::new(
                    Place::layer(&layer.name).attribute("axis"),
                    format!("{} means different axes in the layer's calls", concatenate.axis),
                ));
            }
            concatenate.event_axis = axis;
        }
        LayerKind::BatchNorm(norm) => {
            let (ShapeRule::Normalize { axes, parameters }, [input]) = (rule, inputs) else {
                return Ok(());
            };
            let place = Place::layer(&layer.name);
            let found = spatial::normalized_axes(&place, axes, parameters, input)?;
            if again && norm.axes != found {
                return Err(ModelError::new(
                    place.attribute("axis"),
                    format!("{axes:?} means different axes in the layer's calls"),
                ));
            }
            let lengths: Vec<usize> = found.iter().map(|&axis| input[axis]).collect();
            if !class::settle_batch_norm(norm, found, &lengths) {
                let what = format!("the parameters do not have the lengths {lengths:?}");
                return Err(ModelError::new(place, what));
            }
        }
        LayerKind::FixedPointQuantizer(quantizer) => {
            // The stored shape includes the batch, whose length the shape rule has found to be 1.
            for array in
                [&mut quantizer.keep_negative, &mut quantizer.bits, &mut quantizer.integers]
            {
                if array.ndim() > rank {
                    *array = std::mem::replace(array, ArrayD::zeros(vec![0]))
                        .index_axis_move(Axis(0), 0);
                }
            }
        }
        _ => {}
    }
    Ok(())
}

/// Holds the shapes that the inputs of nested models declare against what they are given, and
/// accounts for their keys.
fn check_inner_inputs(
    flat: &Flat<'_, '_>,
    calls: &[Call],
    ledger: &mut Ledger,
) -> Result<(), ModelError> {
    let mut seen = HashSet::new();
    for (raw, argument) in &flat.inner_inputs {
        let Source::File { class, config } = &raw.source else { continue };
        // A nested model that is called again has the same keys.
        let mut again = Ledger::default();
        let ledger = if seen.insert(&raw.path) { &mut *ledger } else { &mut again };
        let attributes = Attributes::new(&raw.path, config, ledger);
        let mut none = Tensors::new(&raw.path, Vec::new());
        let Read { rule, .. } = class::read(class, attributes, &mut none)?;
        let place = Place::layer(&raw.path);
        let declared = rule.apply(&place, &[])?;
        let given = &calls[argument.0].shape;
        if declared != *given {
            let what = format!("declares the shape {declared:?}, but is given {given:?}");
            return Err(ModelError::new(place, what));
        }
    }
    Ok(())
}

/// For each layer the number of calls that have one of its results as argument.
fn consumers(flat: &Flat<'_, '_>) -> Vec<usize> {
    let mut counts = vec![0; flat.layers.len()];
    for call in &flat.calls {
        let producers: HashSet<usize> =
            call.inputs.iter().map(|id| flat.calls[id.0].layer).collect();
        for producer in producers {
            counts[producer] += 1;
        }
    }
    counts
}

/// The calls of each layer.
fn uses<'a>(flat: &'a Flat<'_, '_>) -> Vec<Vec<&'a FlatCall>> {
    let mut uses = vec![Vec::new(); flat.layers.len()];
    for call in &flat.calls {
        uses[call.layer].push(call);
    }
    uses
}

/// HGQ's conditions on a `FixedPointQuantizer` in its graph.
fn check_proxy_quantizer(
    flat: &Flat<'_, '_>,
    layer: &Layer,
    calls: &[&FlatCall],
    consumers: &[usize],
    stored: Option<bool>,
) -> Result<(), ModelError> {
    let LayerKind::FixedPointQuantizer(quantizer) = &layer.kind else {
        return Ok(());
    };
    let place = Place::layer(&layer.name);
    let [call] = calls else {
        let n = calls.len();
        let what = format!("a FixedPointQuantizer is called {n} times; HGQ allows one call");
        return Err(ModelError::new(place, what));
    };
    let (Some(stored), Some(argument)) = (stored, call.inputs.first()) else {
        return Ok(());
    };
    let producer = flat.calls[argument.0].layer;
    // HGQ's rule: all elements equal, and nobody else calls on the layer in front.
    let uniform = |array: &ArrayD<i32>| array.iter().all(|v| array.first() == Some(v));
    let uniform = uniform(&quantizer.keep_negative)
        && uniform(&quantizer.bits)
        && uniform(&quantizer.integers);
    let expected = uniform && consumers[producer] == 1;
    if stored == expected {
        return Ok(());
    }
    Err(ModelError::new(
        place.attribute("fusible"),
        match stored {
            true => format!("is true in the file, but {expected} by the graph"),
            false => format!(
                "is false in the file, but {expected} by the graph; HGQ itself writes that where a \
                 result of a nested model that nothing reads comes from the same layer, and that \
                 is not supported"
            ),
        },
    )
    .with_help("hls4ml would believe the file; load the proxy in Keras and save it again"))
}

/// Every InputLayer is an input of the model once, and nothing else is.
fn check_inputs(flat: &Flat<'_, '_>, layers: &[Layer]) -> Result<(), ModelError> {
    let place = || Place::model().attribute("input_layers");
    let mut seen = HashSet::new();
    for input in &flat.inputs {
        let layer = flat.calls[input.0].layer;
        if !matches!(layers[layer].kind, LayerKind::Input) {
            return Err(ModelError::new(
                place(),
                format!("`{}` is no InputLayer", layers[layer].name),
            ));
        }
        if !seen.insert(layer) {
            return Err(ModelError::new(
                place(),
                format!("`{}` is listed twice", layers[layer].name),
            ));
        }
    }
    let unlisted = (0..layers.len())
        .find(|l| matches!(layers[*l].kind, LayerKind::Input) && !seen.contains(l));
    match unlisted {
        None => Ok(()),
        Some(layer) => Err(ModelError::new(
            place(),
            format!("InputLayer `{}` is not listed", layers[layer].name),
        )),
    }
}
