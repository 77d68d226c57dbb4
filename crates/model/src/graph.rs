//! The Keras graph as written.

use crate::{LayerKind, Ledger};

/// Index of a [`Call`] in [`Model::calls`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub usize);

/// How the file describes the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelClass {
    /// A chain of layers.
    Sequential,
    /// A graph of layer calls.
    Functional,
}

/// A model as its file describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// The model's own name.
    pub name: String,
    /// Sequential or functional.
    pub class: ModelClass,
    /// The layers, in file order.
    pub layers: Vec<Layer>,
    /// The layer calls in report order: file order, calls of a shared layer by node index; where
    /// that is not topological, Kahn's algorithm with file order as tie-break. A call's inputs
    /// always come before it.
    pub calls: Vec<Call>,
    /// The calls of the InputLayers, in the model's input order.
    pub inputs: Vec<CallId>,
    /// The calls whose tensors are the outputs, in the model's output order.
    pub outputs: Vec<CallId>,
    /// The calls of nested models.
    pub nested: Vec<NestedCall>,
    /// What became of every configuration key.
    pub ledger: Ledger,
}

/// A layer: shared by all its calls.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// Unique name.
    pub name: String,
    /// Class name as in the file, e.g. `QDense`.
    pub class_name: String,
    /// What it is, with its parameters.
    pub kind: LayerKind,
}

/// One call of a layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The layer, as index into [`Model::layers`].
    pub layer: usize,
    /// Which call of that layer, from 0.
    pub node_index: usize,
    /// The calls whose tensors are the arguments, in order.
    pub inputs: Vec<CallId>,
    /// Shape of the result for one event (without the batch dimension).
    pub shape: Vec<usize>,
    /// The call of a nested model that it is part of, as index into [`Model::nested`].
    pub nested: Option<usize>,
    /// Which result of the layer; only nested models have more than one.
    pub output: usize,
}

/// One call of a nested model, whose layers are calls of the model itself.
#[derive(Debug, Clone, PartialEq)]
pub struct NestedCall {
    /// Its name, e.g. `outer::inner@1`.
    pub name: String,
    /// The calls whose tensors are its arguments, in order.
    pub arguments: Vec<CallId>,
    /// The call of a nested model that this one is part of.
    pub parent: Option<usize>,
}

impl Model {
    /// The layer of a call.
    pub fn layer_of(&self, call: CallId) -> &Layer {
        &self.layers[self.calls[call.0].layer]
    }

    /// The call itself.
    pub fn call(&self, call: CallId) -> &Call {
        &self.calls[call.0]
    }

    /// The name used in reports and traces: `layer`, `layer@1` for the second call, `outer::inner`
    /// inside a nested model, and `outer:1` for the second result of a nested model.
    pub fn call_name(&self, id: CallId) -> String {
        let call = self.call(id);
        let mut name = match call.nested {
            None => String::new(),
            Some(n) => format!("{}::", self.nested[n].name),
        };
        name.push_str(&self.layer_of(id).name);
        if call.node_index > 0 {
            name.push_str(&format!("@{}", call.node_index));
        }
        if call.output > 0 {
            name.push_str(&format!(":{}", call.output));
        }
        name
    }

    /// All call ids, in report order.
    pub fn call_ids(&self) -> impl Iterator<Item = CallId> + use<> {
        (0..self.calls.len()).map(CallId)
    }

    /// The calls that take the result of `call`, each once.
    pub fn consumers(&self, call: CallId) -> Vec<CallId> {
        self.call_ids().filter(|&c| self.call(c).inputs.contains(&call)).collect()
    }
}
