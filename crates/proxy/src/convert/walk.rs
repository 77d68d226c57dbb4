//! The walk over the source graph: outputs in order, depth first, arguments before the call.

use std::collections::BTreeMap;

use bittrue_model::{
    Activation, Call, CallId, Layer, LayerKind, Ledger, Model, ModelClass, Place, Quantizer,
};

use super::activation::{self, Made};
use super::names::{Counters, Namer};
use super::{Converted, DeclaredGrid, Mode, Warning, dense};
use crate::ConvertError;

/// Converts a QKeras model as `to_proxy_model(model, aggressive=…)` does.
///
/// # Errors
///
/// Where HGQ raises: the error names layer, attribute and value, and what to change in the model.
pub fn convert(source: &Model, mode: Mode) -> Result<Converted, ConvertError> {
    let mut walk = Walk {
        source,
        mode,
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
                ledger: Ledger::default(),
            },
            origins: Vec::new(),
            aligned: vec![None; source.calls.len()],
            declared: Vec::new(),
            warnings: Vec::new(),
        },
    };
    for &input in &source.inputs {
        walk.input(input);
    }
    for &output in &source.outputs {
        let replaced = walk.resolve(output)?;
        walk.out.model.outputs.push(replaced);
    }
    walk.raw_inputs();
    walk.shared_shapes()?;
    let n = walk.throw_away_models;
    walk.out.model.name = if n == 0 { "model".to_owned() } else { format!("model_{n}") };
    walk.out.warnings.dedup();
    Ok(walk.out)
}

struct Walk<'a> {
    source: &'a Model,
    mode: Mode,
    counters: Counters,
    namer: Namer,
    /// Layers that pass by reference are renamed in place, so a second call starts from the name
    /// that the first one was given.
    current_names: BTreeMap<usize, String>,
    throw_away_models: usize,
    out: Converted,
}

impl Walk<'_> {
    fn input(&mut self, call: CallId) {
        let name = self.counters.next_input();
        let layer = Layer { name, class_name: "InputLayer".to_owned(), kind: LayerKind::Input };
        let shape = self.source.call(call).shape.clone();
        let made = self.push(layer, DeclaredGrid::default(), vec![], shape, call);
        self.out.model.inputs.push(made);
        self.out.aligned[call.0] = Some(made);
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
        model.calls.push(Call { layer: model.layers.len() - 1, node_index: 0, inputs, shape });
        self.out.origins.push(origin);
        CallId(model.calls.len() - 1)
    }

    /// The proxy call that replaces `call`, converting what is not converted yet. The walk has its
    /// own stack, so that a deep model cannot exhaust the thread's.
    fn resolve(&mut self, call: CallId) -> Result<CallId, ConvertError> {
        let mut stack = vec![call];
        while let Some(&top) = stack.last() {
            if self.out.aligned[top.0].is_some() {
                stack.pop();
                continue;
            }
            let arguments = &self.source.call(top).inputs;
            if let Some(&open) = arguments.iter().find(|a| self.out.aligned[a.0].is_none()) {
                stack.push(open);
                continue;
            }
            let inputs: Vec<CallId> =
                arguments.iter().filter_map(|a| self.out.aligned[a.0]).collect();
            let replaced = self.layer(top, inputs)?;
            self.out.aligned[top.0] = Some(replaced);
            stack.pop();
        }
        // The loop ends only when the call has its replacement.
        Ok(self.out.aligned[call.0].unwrap_or(CallId(0)))
    }

    /// Converts one call whose arguments are converted.
    fn layer(&mut self, call: CallId, inputs: Vec<CallId>) -> Result<CallId, ConvertError> {
        let layer = self.source.layer_of(call);
        let place = Place::layer(&layer.name);
        match &layer.kind {
            LayerKind::Dropout | LayerKind::Activation(Activation::Linear) => Ok(inputs[0]),
            LayerKind::QActivation(a) => {
                self.throw_away(&inputs);
                let made = activation::qactivation(a, &place, self.mode, &mut self.out.warnings)?;
                Ok(self.chain(inputs[0], made, call))
            }
            LayerKind::Dense(d) if d.quantized => {
                let throw_away_inputs = self.throw_away(&inputs);
                let (built, declared) = dense::dense(d, &place).map_err(|e| {
                    ConvertError::new(
                        e.place().clone(),
                        e.to_string(),
                        e.help().unwrap_or_default(),
                    )
                })?;
                let made =
                    activation::layers(&d.activation, &place, self.mode, &mut self.out.warnings)?;
                // Names of the throw-away model: the layer's own and the automatic ones.
                let automatic = self.automatic_names(&made);
                if automatic.iter().chain(&throw_away_inputs).any(|n| *n == layer.name) {
                    return Err(ConvertError::new(
                        place,
                        format!(
                            "its name is also the automatic name of a layer that HGQ makes beside \
                             it (ValueError: the name \"{}\" is used 2 times in the model)",
                            layer.name
                        ),
                        "rename the layer",
                    ));
                }
                self.not_an_input_name(&layer.name, &place)?;
                let name = self.namer.place(&layer.name);
                let shape = self.source.call(call).shape.clone();
                let plain =
                    Layer { name, class_name: "Dense".to_owned(), kind: LayerKind::Dense(built) };
                let sum = self.push(plain, declared, inputs, shape, call);
                Ok(self.place_chain(sum, made, automatic, call))
            }
            kind => {
                // Everything else passes by reference.
                let index = self.source.call(call).layer;
                let wanted =
                    self.current_names.get(&index).cloned().unwrap_or_else(|| layer.name.clone());
                self.not_an_input_name(&wanted, &place)?;
                let name = self.namer.place(&wanted);
                self.current_names.insert(index, name.clone());
                let shape = self.source.call(call).shape.clone();
                let kept = Layer { name, class_name: layer.class_name.clone(), kind: kind.clone() };
                Ok(self.push(kept, DeclaredGrid::default(), inputs, shape, call))
            }
        }
    }

    /// HGQ names the proxy's inputs itself; a kept layer of the same name cannot be built.
    fn not_an_input_name(&self, name: &str, place: &Place) -> Result<(), ConvertError> {
        let model = &self.out.model;
        if !model.inputs.iter().any(|&i| model.call_name(i) == name) {
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
    fn throw_away(&mut self, inputs: &[CallId]) -> Vec<String> {
        self.throw_away_models += 1;
        inputs.iter().map(|_| self.counters.next_input()).collect()
    }

    fn automatic_names(&mut self, made: &[Made]) -> Vec<String> {
        made.iter().map(|m| self.counters.next(m.base)).collect()
    }

    fn chain(&mut self, from: CallId, made: Vec<Made>, origin: CallId) -> CallId {
        let names = self.automatic_names(&made);
        self.place_chain(from, made, names, origin)
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

    /// A QKeras layer that is called with different input shapes cannot be converted.
    fn shared_shapes(&self) -> Result<(), ConvertError> {
        let mut shapes: BTreeMap<usize, &[usize]> = BTreeMap::new();
        for id in self.source.call_ids() {
            let call = self.source.call(id);
            let layer = self.source.layer_of(id);
            let qkeras = match &layer.kind {
                LayerKind::QActivation(_) => true,
                LayerKind::Dense(d) => d.quantized,
                _ => false,
            };
            let (true, Some(&argument)) = (qkeras, call.inputs.first()) else { continue };
            let shape = &self.source.call(argument).shape;
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

    /// Inputs that something else than a signed quantizer reads.
    fn raw_inputs(&mut self) {
        for &input in &self.source.inputs {
            let raw = self.readers(input).into_iter().find(|&c| {
                !matches!(
                    self.source.layer_of(c).kind,
                    LayerKind::QActivation(Activation::Quantizer(Quantizer::QuantizedBits(_)))
                )
            });
            let Some(consumer) = raw else { continue };
            let name = self.source.call_name(input);
            let consumer = self.source.call_name(consumer);
            self.out.warnings.push(Warning {
                code: "raw-input",
                layer: name.clone(),
                text: format!(
                    "no quantized_bits follows the input `{name}` (layer `{consumer}` reads it as \
                     it is): HGQ builds the proxy in float32, but hls4ml will refuse it. Put a \
                     QActivation(quantized_bits(<bits>, <integer>, alpha=1)) directly behind it"
                ),
            });
        }
    }

    /// What reads a tensor in the proxy: layers that vanish hand it on, and layers on no path to
    /// an output do not count.
    fn readers(&self, call: CallId) -> Vec<CallId> {
        let mut readers = Vec::new();
        let mut open = vec![call];
        while let Some(call) = open.pop() {
            for c in self.source.consumers(call) {
                match self.source.layer_of(c).kind {
                    _ if self.out.aligned[c.0].is_none() => {}
                    LayerKind::Dropout | LayerKind::Activation(Activation::Linear) => open.push(c),
                    _ => readers.push(c),
                }
            }
        }
        readers
    }
}
