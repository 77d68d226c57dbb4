//! Layers, weights and calls put together.

use std::collections::{HashMap, HashSet};

use ndarray::{ArrayD, Axis};

use super::attributes::Attributes;
use super::class::{self, FIXED_SHAPE_HELP, Read};
use super::json::{MAX_DEPTH, is_shallow};
use super::shape::{self, ShapeRule};
use super::tensors::Tensors;
use super::topology::{self, CallRef, RawLayer, Source, Topology};
use super::{KerasFile, LayerWeights, order, pruning, spatial};
use crate::{Call, CallId, Layer, LayerKind, Ledger, Model, ModelError, Place};

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
    let order = order::report_order(&topology.layers)?;
    let parts = read_layers(&topology, &file.weights, &mut ledger)?;
    let Parts { mut layers, rules, fusible } = parts;

    let ids: HashMap<CallRef, CallId> =
        order.iter().enumerate().map(|(id, &call)| (call, CallId(id))).collect();
    let mut calls: Vec<Call> = Vec::with_capacity(order.len());
    for &(layer, node_index) in &order {
        let raw = &topology.layers[layer];
        let inputs: Vec<CallId> = raw.calls[node_index].iter().map(|call| ids[call]).collect();
        let shapes: Vec<&[usize]> = inputs.iter().map(|id| calls[id.0].shape.as_slice()).collect();
        let place = Place::layer(&layers[layer].name);
        let shape = rules[layer].apply(&place, &shapes)?;
        settle(&mut layers[layer], &rules[layer], node_index, &shapes)?;
        calls.push(Call { layer, node_index, inputs, shape, nested: None, output: 0 });
    }
    let consumers = consumers(&topology.layers);
    for (index, stored) in fusible.iter().enumerate() {
        check_proxy_quantizer(&topology.layers[index], &layers[index], &consumers, *stored)?;
    }
    check_inputs(&topology, &layers)?;
    Ok(Model {
        name: topology.name,
        class: topology.class,
        layers,
        calls,
        inputs: topology.inputs.iter().map(|call| ids[call]).collect(),
        outputs: topology.outputs.iter().map(|call| ids[call]).collect(),
        nested: Vec::new(),
        ledger,
    })
}

struct Parts {
    layers: Vec<Layer>,
    rules: Vec<ShapeRule>,
    fusible: Vec<Option<bool>>,
}

fn read_layers(
    topology: &Topology<'_>,
    weights: &[LayerWeights],
    ledger: &mut Ledger,
) -> Result<Parts, ModelError> {
    let mut groups: HashMap<&str, &LayerWeights> = HashMap::with_capacity(weights.len());
    for group in weights {
        if groups.insert(&group.layer, group).is_some() {
            return Err(ModelError::new(
                Place::layer(&group.layer),
                "the file holds two groups of weights of this name".to_owned(),
            ));
        }
    }
    let mut parts = Parts { layers: Vec::new(), rules: Vec::new(), fusible: Vec::new() };
    let mut names = HashSet::new();
    let mut shapes_the_input = false;
    for raw in &topology.layers {
        let mut tensors = Tensors::new(&raw.name, groups.remove(raw.name.as_str()));
        let (layer, rule, fusible) = read_layer(raw, shapes_the_input, &mut tensors, ledger)?;
        shapes_the_input = matches!(raw.source, Source::Synthesised(_));
        tensors.finish()?;
        if !names.insert(layer.name.clone()) {
            return Err(ModelError::new(
                Place::layer(&raw.name),
                format!("wraps `{}`, a name that another layer has", layer.name),
            ));
        }
        parts.layers.push(layer);
        parts.rules.push(rule);
        parts.fusible.push(fusible);
    }
    // In file order, so that the same file always gives the same message.
    match weights.iter().find(|g| groups.contains_key(g.layer.as_str()) && !g.tensors.is_empty()) {
        None => Ok(parts),
        Some(group) => Err(ModelError::new(
            Place::layer(&group.layer),
            "the file holds weights of this name, but the model has no such layer".to_owned(),
        )),
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
    let (class, config) = match raw.source {
        Source::Synthesised(shape) => {
            let shape = class::input_shape(shape).map_err(|what| {
                ModelError::new(Place::layer(&raw.name), what).with_help(FIXED_SHAPE_HELP)
            })?;
            let class_name = "InputLayer".to_owned();
            let layer = Layer { name: raw.name.clone(), class_name, kind: LayerKind::Input };
            return Ok((layer, ShapeRule::Input(shape), None));
        }
        Source::File { class, config } => (class, config),
    };
    if !pruning::is_wrapper(class) {
        let mut attributes = Attributes::new(&raw.name, config, ledger);
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
    node: usize,
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
            if node > 0 && concatenate.event_axis != axis {
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
            if node > 0 && norm.axes != found {
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

/// For each layer the number of calls that have one of its results as argument.
fn consumers(raw: &[RawLayer<'_>]) -> Vec<usize> {
    let mut counts = vec![0; raw.len()];
    for call in raw.iter().flat_map(|layer| &layer.calls) {
        let producers: HashSet<usize> = call.iter().map(|&(layer, _)| layer).collect();
        for producer in producers {
            counts[producer] += 1;
        }
    }
    counts
}

/// HGQ's conditions on a `FixedPointQuantizer` in its graph.
fn check_proxy_quantizer(
    raw: &RawLayer<'_>,
    layer: &Layer,
    consumers: &[usize],
    stored: Option<bool>,
) -> Result<(), ModelError> {
    let LayerKind::FixedPointQuantizer(quantizer) = &layer.kind else {
        return Ok(());
    };
    let place = Place::layer(&layer.name);
    let [call] = raw.calls.as_slice() else {
        let n = raw.calls.len();
        let what = format!("a FixedPointQuantizer is called {n} times; HGQ allows one call");
        return Err(ModelError::new(place, what));
    };
    let (Some(stored), Some(&(producer, _))) = (stored, call.first()) else {
        return Ok(());
    };
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
        format!("is {stored} in the file, but {expected} by the graph"),
    )
    .with_help("hls4ml would believe the file; load the proxy in Keras and save it again"))
}

/// Every InputLayer is an input of the model once, and nothing else is.
fn check_inputs(topology: &Topology<'_>, layers: &[Layer]) -> Result<(), ModelError> {
    let place = || Place::model().attribute("input_layers");
    let mut seen = HashSet::new();
    for &(layer, _) in &topology.inputs {
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
