//! The rows of `testvectors/acceptance`: a Keras model each, and what real HGQ made of it.

use std::path::{Path, PathBuf};

use bittrue_model::parse::{KerasFile, LayerWeights};
use bittrue_model::{Activation, LayerKind, Quantizer};
use bittrue_proxy::Converted;
use ndarray::ArrayD;
use serde_json::Value;

/// A row of the table.
#[derive(Debug)]
pub(crate) struct Row {
    /// Class of the layer, as the table calls it.
    pub(crate) layer: String,
    /// How it is configured, in words.
    pub(crate) config: String,
    /// Whether the table says that HGQ accepts it but computes something else.
    pub(crate) silently_wrong: bool,
    /// The model, or why there is no file of it.
    pub(crate) file: Result<KerasFile, String>,
    /// What HGQ made of the file: the proxy, or its error.
    pub(crate) hgq: Result<Proxy, String>,
}

/// A proxy: its layers but the inputs, sorted by name, and its outputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Proxy {
    /// Name, description, and for each call the layers whose results it takes.
    pub(crate) nodes: Vec<(String, String, Vec<Vec<String>>)>,
    /// Layers of the outputs.
    pub(crate) outputs: Vec<String>,
}

pub(crate) fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testvectors/acceptance")
}

pub(crate) fn table() -> Vec<Value> {
    let text = std::fs::read_to_string(directory().join("table.json")).expect("table.json");
    serde_json::from_str(&text).expect("JSON")
}

/// The value of a weight by its place in the tensor, C order.
pub(crate) type Weight = fn(name: &str, place: usize) -> f32;

/// The weights that HGQ's rows were made with.
pub(crate) fn eighths(_: &str, place: usize) -> f32 {
    (place * 7 % 13 + 1) as f32 / 8.0
}

/// All rows, in the order of the table.
pub(crate) fn rows(weight: Weight) -> Vec<Row> {
    let file = std::fs::File::open(directory().join("rows.json.gz")).expect("rows.json.gz");
    let rows: Vec<Value> =
        serde_json::from_reader(flate2::read::GzDecoder::new(file)).expect("JSON");
    rows.iter().map(|row| read(row, weight)).collect()
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().expect("a list").iter().map(text).collect()
}

fn read(row: &Value, weight: Weight) -> Row {
    let refused = row.get("refused").or(row.get("unreadable")).or(row.get("skipped"));
    let hgq = match refused {
        Some(error) => Err(text(error)),
        None => {
            let node = |n: &Value| {
                let calls = n[2].as_array().expect("calls").iter().map(texts).collect();
                (text(&n[0]), text(&n[1]), calls)
            };
            let nodes = row["nodes"].as_array().expect("nodes").iter().map(node).collect();
            Ok(Proxy { nodes, outputs: texts(&row["outputs"]) })
        }
    };
    Row {
        layer: text(&row["layer"]),
        config: text(&row["config"]),
        silently_wrong: row["hgq"] == "silently-wrong",
        file: match row.get("skipped") {
            Some(reason) => Err(text(reason)),
            None => Ok(keras_file(row, weight)),
        },
        hgq,
    }
}

fn keras_file(row: &Value, weight: Weight) -> KerasFile {
    let layers = row["weights"].as_object().expect("weights");
    let weights = layers.iter().map(|(layer, tensors)| {
        let tensors = tensors.as_object().expect("tensors").iter().map(|(name, shape)| {
            let shape: Vec<usize> = serde_json::from_value(shape.clone()).expect("a shape");
            let values = (0..shape.iter().product()).map(|place| weight(name, place)).collect();
            (name.clone(), ArrayD::from_shape_vec(shape, values).expect("as many values"))
        });
        LayerWeights { layer: layer.clone(), tensors: tensors.collect() }
    });
    KerasFile {
        model_config: row["model"].clone(),
        keras_version: Some("2.15.0".to_owned()),
        layer_names: layers.keys().cloned().collect(),
        weights: weights.collect(),
    }
}

/// A proxy of bittrue as the rows describe one.
pub(crate) fn describe(converted: &Converted) -> Proxy {
    let model = &converted.model;
    let mut nodes: Vec<(String, String, Vec<Vec<String>>)> = Vec::new();
    for (index, layer) in model.layers.iter().enumerate() {
        if matches!(layer.kind, LayerKind::Input) {
            continue;
        }
        let calls = model.calls.iter().filter(|c| c.layer == index);
        let calls: Vec<Vec<String>> = calls
            .map(|c| c.inputs.iter().map(|&i| model.layer_of(i).name.clone()).collect())
            .collect();
        if !calls.is_empty() {
            nodes.push((layer.name.clone(), class(&layer.class_name, &layer.kind), calls));
        }
    }
    nodes.sort();
    let outputs = model.outputs.iter().map(|&o| model.layer_of(o).name.clone()).collect();
    Proxy { nodes, outputs }
}

fn class(name: &str, kind: &LayerKind) -> String {
    match kind {
        LayerKind::FixedPointQuantizer(q) => {
            let first = |a: &ArrayD<i32>| *a.iter().next().expect("an element");
            format!(
                "FPQ({},{},{},{},{})",
                first(&q.keep_negative),
                first(&q.bits),
                first(&q.integers),
                q.rounding,
                q.overflow
            )
        }
        LayerKind::Activation(a) => format!("Activation({})", function(a)),
        _ => name.to_owned(),
    }
}

fn function(activation: &Activation) -> String {
    match activation {
        Activation::Linear => "linear".to_owned(),
        Activation::Relu => "relu".to_owned(),
        Activation::Softmax => "softmax".to_owned(),
        Activation::Sigmoid => "sigmoid".to_owned(),
        Activation::Tanh => "tanh".to_owned(),
        Activation::Elu => "elu".to_owned(),
        Activation::Quantizer(Quantizer::QuantizedRelu(q)) => {
            format!("quantized_relu({},{})", q.bits, q.integer)
        }
        // As `str` of QKeras spells it: of the flags only those that are set, without their names.
        Activation::Quantizer(q @ Quantizer::QuantizedCurve(curve)) => {
            let flags = [curve.use_stochastic_rounding, curve.symmetric, curve.real];
            let set = ",1".repeat(flags.into_iter().filter(|&f| f).count());
            format!("{}({}{set})", q.class_name(), curve.bits)
        }
        Activation::Quantizer(q) => q.class_name().to_owned(),
    }
}
