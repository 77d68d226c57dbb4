//! The walk over the source graph: outputs in order, depth first, arguments before the call.

use std::collections::BTreeMap;

use bittrue_model::{Call, CallId, Layer, LayerKind, Ledger, Model, ModelClass, Place};

use super::activation::Made;
use super::checks::{raw_inputs, shared_shapes};
use super::layer::{self, Conversion, Options};
use super::names::{Counters, Namer};
use super::prune::prune;
use super::{Converted, DeclaredGrid, Mode, Warning};
use crate::ConvertError;

/// Converts a QKeras model as `to_proxy_model(model, aggressive=…)` does.
///
/// # Errors
///
/// Where HGQ raises, and where it leaves weights random: the error names layer, attribute and
/// value, and what to change in the model.
pub fn convert(source: &Model, mode: Mode) -> Result<Converted, ConvertError> {
    walk(source, Options { mode, random_kernels: false })
}

/// The same, but layers whose kernels HGQ leaves random are converted too: what stands in their
/// place is right but for the kernels.
pub(crate) fn replay(source: &Model, mode: Mode) -> Result<Converted, ConvertError> {
    walk(source, Options { mode, random_kernels: true })
}

fn walk(source: &Model, options: Options) -> Result<Converted, ConvertError> {
    let mut walk = Walk::new(source, options);
    for &input in &source.inputs {
        walk.input(input);
    }
    for &output in &source.outputs {
        walk.resolve(output)?;
        let place = || Place::layer(source.call_name(output));
        let replaced = walk.value(output).single().ok_or_else(|| several_outputs(place()))?;
        walk.out.model.outputs.push(replaced);
    }
    shared_shapes(source)?;
    let n = walk.throw_away_models;
    walk.out.model.name = if n == 0 { "model".to_owned() } else { format!("model_{n}") };
    for (aligned, value) in walk.out.aligned.iter_mut().zip(&walk.values) {
        *aligned = value.as_ref().map(Value::own);
    }
    let mut converted = walk.out;
    prune(&mut converted);
    converted.warnings.dedup();
    let raw = raw_inputs(source, &converted);
    converted.warnings.extend(raw);
    Ok(converted)
}

/// What stands for a call of the source.
#[derive(Debug, Clone)]
struct Value {
    /// The tensors that HGQ hands on: all outputs of a nested model, whichever is meant.
    tensors: Vec<CallId>,
    /// Which of them the source means.
    own: usize,
}

impl Value {
    fn of(call: CallId) -> Self {
        Self { tensors: vec![call], own: 0 }
    }

    fn own(&self) -> CallId {
        self.tensors[self.own]
    }

    fn single(&self) -> Option<CallId> {
        (self.tensors.len() == 1).then(|| self.own())
    }
}

struct Walk<'a> {
    source: &'a Model,
    options: Options,
    /// For each nested model the calls that stand for its outputs, in order.
    nested_outputs: Vec<Vec<CallId>>,
    /// For each call the nested model that it stands for.
    nested_of: BTreeMap<CallId, usize>,
    values: Vec<Option<Value>>,
    counters: Counters,
    namer: Namer,
    /// Layers that pass by reference are renamed in place, so a second call starts from the name
    /// that the first one was given.
    current_names: BTreeMap<usize, String>,
    throw_away_models: usize,
    out: Converted,
}

impl<'a> Walk<'a> {
    fn new(source: &'a Model, options: Options) -> Self {
        let (nested_outputs, nested_of) = nested_outputs(source);
        Self {
            source,
            options,
            nested_outputs,
            nested_of,
            values: vec![None; source.calls.len()],
            counters: Counters::default(),
            namer: Namer::default(),
            current_names: BTreeMap::new(),
            throw_away_models: 0,
            out: Converted {
                model: Model {
                    name: String::new(),
                    class: ModelClass::Functional,
                    layers: Vec::new(),
                    calls: Vec::new(),
                    inputs: Vec::new(),
                    outputs: Vec::new(),
                    nested: Vec::new(),
                    ledger: Ledger::default(),
                },
                origins: Vec::new(),
                aligned: vec![None; source.calls.len()],
                declared: Vec::new(),
                warnings: Vec::new(),
            },
        }
    }

    fn input(&mut self, call: CallId) {
        let name = self.counters.next_input();
        let layer = Layer { name, class_name: "InputLayer".to_owned(), kind: LayerKind::Input };
        let shape = self.source.call(call).shape.clone();
        let made = self.push(layer, DeclaredGrid::default(), vec![], shape, call);
        self.out.model.inputs.push(made);
        self.values[call.0] = Some(Value::of(made));
    }

    fn push(
        &mut self,
        layer: Layer,
        declared: DeclaredGrid,
        inputs: Vec<CallId>,
        shape: Vec<usize>,
        origin: CallId,
    ) -> CallId {
        let model = &mut self.out.model;
        model.layers.push(layer);
        self.out.declared.push(declared);
        let layer = model.layers.len() - 1;
        model.calls.push(Call { layer, node_index: 0, inputs, shape, nested: None, output: 0 });
        self.out.origins.push(origin);
        CallId(model.calls.len() - 1)
    }

    /// What stands for a call that is resolved.
    fn value(&self, call: CallId) -> Value {
        // Everything that is asked for is resolved; the walk itself has no call without value.
        self.values[call.0].clone().unwrap_or(Value::of(CallId(0)))
    }

    /// The `n`th call that has to be converted before `call`: its arguments, and for a nested model
    /// first what it is called with, then its outputs.
    fn requirement(&self, call: CallId, n: usize) -> Option<CallId> {
        let Some(&nested) = self.nested_of.get(&call) else {
            return self.source.call(call).inputs.get(n).copied();
        };
        let arguments = &self.source.nested[nested].arguments;
        match n.checked_sub(arguments.len()) {
            None => Some(arguments[n]),
            Some(n) => {
                let output = self.nested_outputs[nested].get(n)?;
                self.source.call(*output).inputs.first().copied()
            }
        }
    }

    /// Converts a call and what it needs. The walk has its own stack, so that a deep model cannot
    /// exhaust the thread's.
    fn resolve(&mut self, call: CallId) -> Result<(), ConvertError> {
        let mut stack = vec![(call, 0)];
        while let Some((top, n)) = stack.last_mut() {
            let (call, at) = (*top, *n);
            *n += 1;
            if self.values[call.0].is_some() {
                stack.pop();
                continue;
            }
            match self.requirement(call, at) {
                Some(open) if self.values[open.0].is_none() => stack.push((open, 0)),
                Some(_) => {}
                None => {
                    match self.nested_of.get(&call) {
                        Some(&nested) => self.nested(call, nested)?,
                        None => self.values[call.0] = Some(self.layer(call)?),
                    }
                    stack.pop();
                }
            }
        }
        Ok(())
    }

    /// All outputs of a nested model, of which `call` is one: what reads another one may be given
    /// this one.
    fn nested(&mut self, call: CallId, nested: usize) -> Result<(), ConvertError> {
        let outputs = &self.nested_outputs[nested];
        // A call that stands for an output has the tensor of the inside as its only argument.
        let inside = |output: CallId| self.value(self.source.call(output).inputs[0]);
        if outputs.len() == 1 {
            self.values[call.0] = Some(inside(call));
            return Ok(());
        }
        let tensors = outputs.iter().map(|&o| inside(o).single()).collect::<Option<Vec<_>>>();
        let refused = || several_outputs(Place::layer(self.source.call_name(call)));
        let tensors = tensors.ok_or_else(refused)?;
        for (own, output) in outputs.iter().enumerate() {
            self.values[output.0] = Some(Value { tensors: tensors.clone(), own });
        }
        Ok(())
    }

    /// Converts one call whose arguments are converted.
    fn layer(&mut self, call: CallId) -> Result<Value, ConvertError> {
        let source = self.source;
        let layer = source.layer_of(call);
        let place = Place::layer(&layer.name);
        let arguments = &source.call(call).inputs;
        match layer::convert(layer, self.options, &mut self.out.warnings)? {
            Conversion::Vanishes => match arguments.first() {
                Some(&argument) => Ok(self.value(argument)),
                None => Err(ConvertError::new(place, "it has no argument", "check the model file")),
            },
            Conversion::Kept => {
                let mut inputs = Vec::with_capacity(arguments.len());
                for &argument in arguments {
                    let value = self.value(argument);
                    inputs.push(value.single().ok_or_else(|| several_outputs(place.clone()))?);
                }
                let index = source.call(call).layer;
                let wanted =
                    self.current_names.get(&index).cloned().unwrap_or_else(|| layer.name.clone());
                self.not_an_input_name(&wanted, &place)?;
                let name = self.namer.place(&wanted);
                self.current_names.insert(index, name.clone());
                let shape = source.call(call).shape.clone();
                let kept = Layer { name, ..layer.clone() };
                Ok(Value::of(self.push(kept, DeclaredGrid::default(), inputs, shape, call)))
            }
            Conversion::Replaced { layer: None, activation } => {
                let argument = self.first_tensor(call)?;
                self.no_scalar(argument, &place)?;
                self.throw_away(1);
                let names = self.automatic_names(&activation);
                Ok(Value::of(self.place_chain(argument, activation, names, call)))
            }
            Conversion::Replaced { layer: Some(plain), activation } => {
                let (class_name, kind, declared) = *plain;
                let argument = self.first_tensor(call)?;
                // Names of the throw-away model: the layer's own and the automatic ones.
                let inputs = self.throw_away(1);
                let automatic = self.automatic_names(&activation);
                if automatic.iter().chain(&inputs).any(|n| *n == layer.name) {
                    return Err(taken(&layer.name, place));
                }
                self.not_an_input_name(&layer.name, &place)?;
                let name = self.namer.place(&layer.name);
                let shape = source.call(call).shape.clone();
                let plain = Layer { name, class_name, kind };
                let sum = self.push(plain, declared, vec![argument], shape, call);
                Ok(Value::of(self.place_chain(sum, activation, automatic, call)))
            }
        }
    }

    /// The argument of a layer of QKeras. Its throw-away model has one input, so of all outputs of
    /// a nested model it takes the first, whichever is meant.
    fn first_tensor(&mut self, call: CallId) -> Result<CallId, ConvertError> {
        let argument = self.source.call(call).inputs[0];
        let Value { tensors, own } = self.value(argument);
        let first = tensors[0];
        if own == 0 {
            return Ok(first);
        }
        let layer = &self.source.layer_of(call).name;
        let model = &self.out.model;
        if model.call(first).shape != model.call(tensors[own]).shape {
            return Err(several_outputs(Place::layer(layer)));
        }
        self.out.warnings.push(Warning {
            code: "nested-output",
            layer: layer.clone(),
            text: format!(
                "HGQ ignores which output of a nested model is meant: in the proxy this layer \
                 reads output 0 instead of output {own}. Split the nested model into one model \
                 for each output"
            ),
        });
        Ok(first)
    }

    /// The plugin for QKeras takes a shape that is only a batch for a list of shapes.
    fn no_scalar(&self, argument: CallId, place: &Place) -> Result<(), ConvertError> {
        if !self.out.model.call(argument).shape.is_empty() {
            return Ok(());
        }
        Err(ConvertError::new(
            place.clone(),
            "its input has the shape (): one number without an axis, from which HGQ builds no \
             proxy (TypeError: 'NoneType' object is not iterable)",
            "give the input one axis, keras.Input(shape=(1,)), or put Reshape((1,)) in front of \
             this layer",
        ))
    }

    /// HGQ names the proxy's inputs itself; a kept layer of the same name cannot be built.
    fn not_an_input_name(&self, name: &str, place: &Place) -> Result<(), ConvertError> {
        let model = &self.out.model;
        if !model.inputs.iter().any(|&i| model.layer_of(i).name == name) {
            return Ok(());
        }
        Err(ConvertError::new(
            place.clone(),
            format!(
                "HGQ names the proxy's inputs itself, and `{name}` is one of their names \
                 (ValueError: the name is used 2 times in the model)"
            ),
            "rename the layer",
        ))
    }

    /// Each converted call of a QKeras layer builds a model that is thrown away; it takes one
    /// number of `model` and one of `input` per argument.
    fn throw_away(&mut self, inputs: usize) -> Vec<String> {
        self.throw_away_models += 1;
        (0..inputs).map(|_| self.counters.next_input()).collect()
    }

    fn automatic_names(&mut self, made: &[Made]) -> Vec<String> {
        made.iter().map(|m| self.counters.next(m.base)).collect()
    }

    fn place_chain(
        &mut self,
        from: CallId,
        made: Vec<Made>,
        names: Vec<String>,
        origin: CallId,
    ) -> CallId {
        let mut last = from;
        for (made, name) in made.into_iter().zip(names) {
            let name = self.namer.place(&name);
            let layer = Layer { name, class_name: made.class_name.to_owned(), kind: made.kind };
            let shape = self.out.model.call(last).shape.clone();
            last = self.push(layer, DeclaredGrid::default(), vec![last], shape, origin);
        }
        last
    }
}

/// For each nested model the calls that stand for its outputs, and for each of these the model.
fn nested_outputs(source: &Model) -> (Vec<Vec<CallId>>, BTreeMap<CallId, usize>) {
    let by_name: BTreeMap<&str, usize> =
        source.nested.iter().enumerate().map(|(n, nested)| (nested.name.as_str(), n)).collect();
    let mut outputs: Vec<Vec<CallId>> = vec![Vec::new(); source.nested.len()];
    let mut of = BTreeMap::new();
    for id in source.call_ids() {
        if !matches!(source.layer_of(id).kind, LayerKind::Nested) {
            continue;
        }
        let name = source.call_name(id);
        // The name of a further output has its number.
        let suffix = match source.call(id).output {
            0 => String::new(),
            n => format!(":{n}"),
        };
        let name = name.strip_suffix(&suffix).unwrap_or(&name);
        if let Some(&nested) = by_name.get(name) {
            outputs[nested].push(id);
            of.insert(id, nested);
        }
    }
    for outputs in &mut outputs {
        outputs.sort_by_key(|&id| source.call(id).output);
    }
    (outputs, of)
}

fn several_outputs(place: Place) -> ConvertError {
    ConvertError::new(
        place,
        "it reads a nested model with several outputs: HGQ ignores which of them is meant and \
         hands on all of them, and from that Keras builds no model, or another one",
        "split the nested model into one model for each output",
    )
}

fn taken(name: &str, place: Place) -> ConvertError {
    ConvertError::new(
        place,
        format!(
            "its name is also the automatic name of a layer that HGQ makes beside it (ValueError: \
             the name \"{name}\" is used 2 times in the model)"
        ),
        "rename the layer",
    )
}
