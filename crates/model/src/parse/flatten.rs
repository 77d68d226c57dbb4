//! Nested models taken apart: one list of layers, one list of calls in report order.

use std::collections::HashMap;

use super::order;
use super::topology::{CallRef, MAX_LAYERS, RawLayer, Source, TensorRef, Topology};
use crate::{CallId, ModelError, NestedCall, Place};

/// A model without models inside.
pub(super) struct Flat<'t, 'f> {
    /// All layers in file order, those of a nested model before it. The inputs of nested models
    /// are left out.
    pub(super) layers: Vec<FlatLayer<'t, 'f>>,
    /// All calls in report order.
    pub(super) calls: Vec<FlatCall>,
    /// The calls of nested models.
    pub(super) nested: Vec<NestedCall>,
    /// Inputs of nested models, with the tensor that stands for them.
    pub(super) inner_inputs: Vec<(&'t RawLayer<'f>, CallId)>,
    /// The model's inputs.
    pub(super) inputs: Vec<CallId>,
    /// The model's outputs.
    pub(super) outputs: Vec<CallId>,
}

/// A layer and where its weights are.
pub(super) struct FlatLayer<'t, 'f> {
    pub(super) raw: &'t RawLayer<'f>,
    /// The layer of the outermost model that it is part of, whose group holds its weights.
    pub(super) group: &'t str,
}

/// A call.
pub(super) struct FlatCall {
    /// As index into the layers.
    pub(super) layer: usize,
    /// Which call of that layer within its model.
    pub(super) node_index: usize,
    pub(super) inputs: Vec<CallId>,
    /// The call of a nested model that it is part of.
    pub(super) nested: Option<usize>,
    /// Which result of a nested model it stands for.
    pub(super) output: usize,
}

/// The place of a layer in the flat list, and those of what is inside.
struct Numbered {
    index: usize,
    inside: Vec<Numbered>,
}

/// Takes a model apart.
pub(super) fn flatten<'t, 'f>(topology: &'t Topology<'f>) -> Result<Flat<'t, 'f>, ModelError> {
    let mut flat = Flat {
        layers: Vec::new(),
        calls: Vec::new(),
        nested: Vec::new(),
        inner_inputs: Vec::new(),
        inputs: Vec::new(),
        outputs: Vec::new(),
    };
    let numbers = flat.number(topology, None);
    let (calls, outputs) = flat.expand(topology, &numbers, None, &[])?;
    let inputs = topology.inputs.iter().map(|t| calls[&t.call][t.output]).collect();
    Ok(Flat { inputs, outputs, ..flat })
}

/// The results of every call of one model.
type Results = HashMap<CallRef, Vec<CallId>>;

impl<'t, 'f> Flat<'t, 'f> {
    fn number(&mut self, model: &'t Topology<'f>, group: Option<&'t str>) -> Vec<Numbered> {
        let mut numbers = Vec::with_capacity(model.layers.len());
        for raw in &model.layers {
            let own = group.unwrap_or(&raw.name);
            let inside = match &raw.source {
                Source::Nested(inner) => self.number(inner, Some(own)),
                _ => Vec::new(),
            };
            numbers.push(Numbered { index: self.layers.len(), inside });
            if group.is_none() || !raw.is_input() {
                self.layers.push(FlatLayer { raw, group: own });
            }
        }
        numbers
    }

    /// Adds the calls of a model, which is the call `scope` of a nested one with these arguments,
    /// and gives what stands for its calls and its outputs.
    fn expand(
        &mut self,
        model: &'t Topology<'f>,
        numbers: &[Numbered],
        scope: Option<usize>,
        arguments: &[CallId],
    ) -> Result<(Results, Vec<CallId>), ModelError> {
        let mut results: Results = HashMap::new();
        for (layer, node_index) in order::report_order(&model.layers)? {
            let raw = &model.layers[layer];
            let tensor = |t: &TensorRef| results[&t.call][t.output];
            let inputs: Vec<CallId> = raw.calls[node_index].iter().map(tensor).collect();
            let index = numbers[layer].index;
            let mut call = FlatCall { layer: index, node_index, inputs, nested: scope, output: 0 };
            let own = (layer, node_index);
            let here = match &raw.source {
                Source::Nested(inner) => {
                    let inputs = std::mem::take(&mut call.inputs);
                    self.nested_call(inner, &numbers[layer].inside, raw, call, inputs)?
                }
                _ if scope.is_some() && raw.is_input() => {
                    let position = model.inputs.iter().position(|t| t.call == own);
                    let argument = position.and_then(|p| arguments.get(p)).ok_or_else(|| {
                        let what = "is an InputLayer that is no input of its model".to_owned();
                        ModelError::new(Place::layer(&raw.path), what)
                    })?;
                    self.inner_inputs.push((raw, *argument));
                    vec![*argument]
                }
                _ => vec![self.push(call, raw)?],
            };
            results.insert(own, here);
        }
        let outputs = model.outputs.iter().map(|t| results[&t.call][t.output]).collect();
        Ok((results, outputs))
    }

    /// Adds one call of a nested model: what is inside, then a call for each of its results.
    fn nested_call(
        &mut self,
        model: &'t Topology<'f>,
        numbers: &[Numbered],
        raw: &'t RawLayer<'f>,
        call: FlatCall,
        arguments: Vec<CallId>,
    ) -> Result<Vec<CallId>, ModelError> {
        if arguments.len() != model.inputs.len() {
            let what = format!(
                "has {} inputs, but is called with {} arguments",
                model.inputs.len(),
                arguments.len()
            );
            return Err(ModelError::new(Place::layer(&raw.path), what));
        }
        let mut name = match call.nested {
            None => raw.name.clone(),
            Some(outer) => format!("{}::{}", self.nested[outer].name, raw.name),
        };
        if call.node_index > 0 {
            name.push_str(&format!("@{}", call.node_index));
        }
        let scope = self.nested.len();
        self.nested.push(NestedCall { name, arguments: arguments.clone(), parent: call.nested });
        let (_, outputs) = self.expand(model, numbers, Some(scope), &arguments)?;
        let mut results = Vec::with_capacity(outputs.len());
        for (output, inside) in outputs.into_iter().enumerate() {
            let call = FlatCall { inputs: vec![inside], output, ..call };
            results.push(self.push(call, raw)?);
        }
        Ok(results)
    }

    fn push(&mut self, call: FlatCall, raw: &RawLayer<'_>) -> Result<CallId, ModelError> {
        if self.calls.len() >= MAX_LAYERS {
            let what = format!("more than {MAX_LAYERS} layer calls in nested models");
            return Err(ModelError::new(Place::layer(&raw.path), what));
        }
        self.calls.push(call);
        Ok(CallId(self.calls.len() - 1))
    }
}
