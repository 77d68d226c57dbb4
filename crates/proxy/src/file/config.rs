//! The configuration of each layer of a proxy, as Keras 2.15 and HGQ 0.2.6 would write it.

use bittrue_model::{Activation, Layer, LayerKind, Place};
use serde_json::{Map, Value, json};

use crate::ConvertError;

/// Parts of the names of arguments that HGQ does not hand on to the Keras layer.
const DROPPED: [&str; 6] =
    ["quantize", "kernel_range", "bias_range", "constraint", "activation", "initializer"];

/// The configuration of an input, whose shape is that of one event.
pub(super) fn input(name: &str, shape: &[usize]) -> Map<String, Value> {
    let mut batch = vec![Value::Null];
    batch.extend(shape.iter().map(|&d| json!(d)));
    object([
        ("batch_input_shape", Value::Array(batch)),
        ("dtype", json!("float32")),
        ("sparse", json!(false)),
        ("ragged", json!(false)),
        ("name", json!(name)),
    ])
}

/// The configuration of a layer that HGQ keeps: its own, under the name that it has in the proxy.
pub(super) fn kept(name: &str, source: &Map<String, Value>) -> Map<String, Value> {
    let mut config = source.clone();
    config.insert("name".to_owned(), json!(name));
    for (key, value) in &mut config {
        modern(key, value);
    }
    config
}

/// The configuration of the Keras layer that HGQ builds from a layer of QKeras: the arguments of the
/// source but for those of its quantizers, the Keras layer's own defaults for what is dropped.
pub(super) fn replaced(
    name: &str,
    source: &Map<String, Value>,
    kind: &LayerKind,
) -> Map<String, Value> {
    let kernels: &[&str] = match kind {
        LayerKind::SeparableConv(_) => &["kernel", "bias", "depthwise", "pointwise"],
        _ => &["kernel", "bias"],
    };
    let mut config = object([("name", json!(name)), ("trainable", json!(false))]);
    for (key, value) in source {
        if DROPPED.iter().any(|part| key.contains(part)) || config.contains_key(key) {
            continue;
        }
        let mut value = value.clone();
        modern(key, &mut value);
        config.insert(key.clone(), value);
    }
    config.insert("activation".to_owned(), json!("linear"));
    for tensor in kernels {
        let class = if *tensor == "bias" { "Zeros" } else { "GlorotUniform" };
        let arguments = if *tensor == "bias" { json!({}) } else { json!({ "seed": null }) };
        config.insert(
            format!("{tensor}_initializer"),
            keras_object("initializers", class, arguments),
        );
        config.insert(format!("{tensor}_constraint"), Value::Null);
        config.entry(format!("{tensor}_regularizer")).or_insert(Value::Null);
    }
    config.entry("activity_regularizer").or_insert(Value::Null);
    config
}

/// The configuration of a layer that HGQ makes itself. `fusible` is about quantizers: all elements
/// have one type, and nobody else reads what the quantizer reads. `types` are those that were
/// registered with a quantizer.
pub(super) fn made(
    layer: &Layer,
    fusible: bool,
    types: Option<&Map<String, Value>>,
) -> Result<Map<String, Value>, ConvertError> {
    let common = |trainable: bool| {
        object([
            ("name", json!(layer.name)),
            ("trainable", json!(trainable)),
            ("dtype", json!("float32")),
        ])
    };
    match &layer.kind {
        LayerKind::Activation(function) => {
            let mut config = common(true);
            config.insert("activation".to_owned(), json!(keras_name(function, layer)?));
            Ok(config)
        }
        LayerKind::FixedPointQuantizer(q) => {
            let mut config = common(false);
            config.extend(object([
                ("RND", json!(q.rounding.to_string())),
                ("SAT", json!(q.overflow.to_string())),
                ("shape", json!(q.bits.shape())),
                ("overrides", json!({ "layers": types.cloned().unwrap_or_default() })),
                ("fusible", json!(fusible)),
            ]));
            Ok(config)
        }
        LayerKind::UnaryLut(table) => {
            let kif =
                |k: bittrue_fixed::Kif| json!([u8::from(k.keep_negative), k.integer, k.fractional]);
            let mut config = common(true);
            config.extend(object([("kif_in", kif(table.input)), ("kif_out", kif(table.output))]));
            Ok(config)
        }
        _ => Err(unwritable(layer)),
    }
}

/// A layer that the conversion does not make, so that nobody knows its configuration.
pub(super) fn unwritable(layer: &Layer) -> ConvertError {
    ConvertError::new(
        Place::layer(&layer.name),
        format!("the configuration of this {} of the proxy is not known", layer.class_name),
        "please report this with the model",
    )
}

fn keras_name(function: &Activation, layer: &Layer) -> Result<&'static str, ConvertError> {
    match function {
        Activation::Linear => Ok("linear"),
        Activation::Relu => Ok("relu"),
        Activation::Softmax => Ok("softmax"),
        Activation::Sigmoid => Ok("sigmoid"),
        Activation::Tanh => Ok("tanh"),
        Activation::Elu => Ok("elu"),
        Activation::Quantizer(_) => Err(unwritable(layer)),
    }
}

/// Keras before 2.12 wrote its own objects without their module; the present one adds it.
fn modern(key: &str, value: &mut Value) {
    let module = match key.rsplit('_').next() {
        Some("initializer") => "initializers",
        Some("regularizer") => "regularizers",
        Some("constraint") => "constraints",
        _ => return,
    };
    let Some(found) = value.as_object() else { return };
    let (Some(class), 2) = (found.get("class_name").and_then(Value::as_str), found.len()) else {
        return;
    };
    let builtin = class.bytes().all(|b| b.is_ascii_alphanumeric());
    if let (true, Some(arguments)) = (builtin, found.get("config")) {
        *value = keras_object(module, class, arguments.clone());
    }
}

fn keras_object(module: &str, class: &str, config: Value) -> Value {
    json!({
        "module": format!("keras.{module}"),
        "class_name": class,
        "config": config,
        "registered_name": null,
    })
}

fn object<const N: usize>(entries: [(&str, Value); N]) -> Map<String, Value> {
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
