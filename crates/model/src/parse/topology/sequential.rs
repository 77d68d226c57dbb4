//! Sequential models: a chain of layers.

use serde_json::{Value, json};

use super::{RawLayer, Source, TensorRef, Topology, join, layer_entry, layer_list, unique_names};
use crate::parse::attributes::Attributes;
use crate::{Ledger, ModelClass, ModelError, Place};

/// Reads a Sequential model.
pub(super) fn read<'f>(
    config: &'f Value,
    path: &str,
    depth: usize,
    ledger: &mut Ledger,
) -> Result<Topology<'f>, ModelError> {
    // Files of the first Keras-2 versions hold the bare list of layers.
    let (name, list, build_shape) = match config {
        Value::Object(object) => {
            let mut keys = Attributes::new(path, object, ledger);
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
            (name, layer_list(list, path)?, build_shape)
        }
        other => ("sequential", layer_list(Some(other), path)?, None),
    };
    let mut layers: Vec<RawLayer<'f>> = Vec::with_capacity(list.len() + 1);
    for (index, entry) in list.iter().enumerate() {
        let (layer, nodes) = layer_entry(index, entry, path, depth, ledger)?;
        if nodes.is_some() {
            return Err(ModelError::new(
                Place::layer(&layer.path).attribute("inbound_nodes"),
                "a layer of a Sequential model has none".to_owned(),
            ));
        }
        layers.push(layer);
    }
    // Keras' own rule for a chain that was built without an Input.
    if let Some(first) = layers.first().filter(|first| !first.is_input()) {
        let own = match &first.source {
            Source::File { config, .. } => config.get("batch_input_shape"),
            _ => None,
        };
        let shape = own.or(build_shape);
        // Inside another model its argument says it all, and a model as first layer knows its own.
        let known = shape.is_some() || depth > 0 || matches!(first.source, Source::Nested(_));
        if !known {
            return Err(ModelError::new(
                Place::layer(&first.path),
                "is the first layer, but the file holds no input shape".to_owned(),
            )
            .with_help(
                "put keras.Input(shape=…) first, or call the model once on data, and save it again",
            ));
        }
        let name = format!("{}_input", first.name);
        let path = join(path, &name);
        let source = Source::Synthesised(shape.or_else(|| input_shape(first)));
        layers.insert(0, RawLayer { name, path, source, calls: Vec::new() });
    }
    for (index, layer) in layers.iter_mut().enumerate() {
        let before = index.checked_sub(1).map(|i| TensorRef { call: (i, 0), output: 0 });
        layer.calls.push(before.into_iter().collect());
    }
    unique_names(&layers)?;
    let last = layers.len() - 1;
    if let Some(layer) = layers[..last].iter().find(|l| l.results() != 1) {
        let what = format!("has {} outputs, which a chain cannot hand on", layer.results());
        return Err(ModelError::new(Place::layer(&layer.path), what));
    }
    let outputs =
        (0..layers[last].results()).map(|output| TensorRef { call: (last, 0), output }).collect();
    let inputs = vec![TensorRef { call: (0, 0), output: 0 }];
    let class = ModelClass::Sequential;
    Ok(Topology { name: name.to_owned(), class, layers, inputs, outputs })
}

/// The shape (batch included) that a nested model takes as its only argument, as far as it is
/// written there.
fn input_shape<'f>(layer: &RawLayer<'f>) -> Option<&'f Value> {
    let Source::Nested(model) = &layer.source else { return None };
    let &[TensorRef { call: (first, _), .. }] = model.inputs.as_slice() else { return None };
    match &model.layers[first].source {
        Source::File { config, .. } => config.get("batch_input_shape"),
        Source::Synthesised(shape) => *shape,
        Source::Nested(_) => None,
    }
}
