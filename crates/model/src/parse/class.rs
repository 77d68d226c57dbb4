//! One reader for each layer class: its configuration keys, its weights, its shape rule.

use bittrue_fixed::{Overflow, Rounding};
use ndarray::{ArrayD, Dimension};
use serde_json::{Value, json};

use super::activation::{self, Reader};
use super::attributes::Attributes;
use super::json::{items, short};
use super::quantizer;
use super::shape::ShapeRule;
use super::tensors::Tensors;
use crate::{
    Activation, Concatenate, Dense, FixedPointQuantizer, LayerKind, MergeKind, ModelError, Place,
    Relu,
};

/// The layer classes that can be read.
pub const SUPPORTED_CLASSES: [&str; 20] = [
    "InputLayer",
    "QActivation",
    "Activation",
    "ReLU",
    "LeakyReLU",
    "Softmax",
    "QDense",
    "Dense",
    "Flatten",
    "Reshape",
    "Dropout",
    "Concatenate",
    "Add",
    "Subtract",
    "Multiply",
    "Average",
    "Maximum",
    "Minimum",
    "HGQ>FixedPointQuantizer",
    "FixedPointQuantizer",
];

/// A layer that was understood.
pub(super) struct Read {
    pub(super) kind: LayerKind,
    pub(super) rule: ShapeRule,
    /// What a `FixedPointQuantizer` says of its neighbourhood, to be held against the graph.
    pub(super) fusible: Option<bool>,
}

impl Read {
    fn new(kind: LayerKind, rule: ShapeRule) -> Self {
        Self { kind, rule, fusible: None }
    }
}

/// Reads one layer. The caller ends the reading of `tensors`.
pub(super) fn read(
    class: &str,
    mut attributes: Attributes<'_, '_>,
    tensors: &mut Tensors<'_>,
) -> Result<Read, ModelError> {
    let a = &mut attributes;
    a.common()?;
    let read = match class {
        "InputLayer" => input(a)?,
        "QActivation" => q_activation(a)?,
        "Activation" => {
            let activation = activation::read(a, Reader::Keras)?;
            let rule = rule_of(&activation);
            Read::new(LayerKind::Activation(activation), rule)
        }
        "ReLU" => relu(a)?,
        "LeakyReLU" => {
            let alpha = a.number("alpha", None)?;
            Read::new(LayerKind::LeakyRelu { alpha }, ShapeRule::Same)
        }
        "Softmax" => softmax(a)?,
        "QDense" => dense(a, tensors, true)?,
        "Dense" => dense(a, tensors, false)?,
        "Flatten" => {
            channels_last(a)?;
            Read::new(LayerKind::Flatten, ShapeRule::Flatten)
        }
        "Reshape" => reshape(a)?,
        "Dropout" => {
            a.training_only(&["rate", "noise_shape", "seed"]);
            Read::new(LayerKind::Dropout, ShapeRule::Same)
        }
        "Concatenate" => {
            let axis = a.integer("axis", Some(-1), i64::MIN, i64::MAX)?;
            // The axis within an event is known when the argument's rank is.
            let kind = LayerKind::Concatenate(Concatenate { axis, event_axis: 0 });
            Read::new(kind, ShapeRule::Concatenate(axis))
        }
        "Add" => merge(MergeKind::Add),
        "Subtract" => merge(MergeKind::Subtract),
        "Multiply" => merge(MergeKind::Multiply),
        "Average" => merge(MergeKind::Average),
        "Maximum" => merge(MergeKind::Maximum),
        "Minimum" => merge(MergeKind::Minimum),
        "HGQ>FixedPointQuantizer" | "FixedPointQuantizer" => fixed_point_quantizer(a, tensors)?,
        other => return Err(unsupported(a.layer(), other)),
    };
    // Keras writes it into whichever layer was given an input shape; only the graph decides.
    attributes.inert(&["batch_input_shape"]);
    attributes.finish()?;
    Ok(read)
}

/// The error for a class that cannot be read.
pub(super) fn unsupported(layer: &str, class: &str) -> ModelError {
    let help = match class {
        "Functional" | "Model" | "Sequential" => {
            "no leg can run nested models yet; build the model from the inner layers directly"
        }
        "TFOpLambda" | "SlicingOpLambda" | "Lambda" => {
            "operators and functions on tensors become such layers; use a layer of Keras instead"
        }
        _ => "no leg can run it yet; tell us that you need it",
    };
    let supported = SUPPORTED_CLASSES.join(", ");
    ModelError::new(
        Place::layer(layer),
        format!("class `{class}` is not supported; supported: {supported}"),
    )
    .with_help(help)
}

/// The shape of an InputLayer for one event, from a shape with the batch.
pub(super) fn input_shape(value: &Value) -> Result<Vec<usize>, String> {
    let dimensions = items(value)
        .filter(|d| !d.is_empty())
        .ok_or_else(|| format!("expected a shape with the batch, found {}", short(value)))?;
    dimensions[1..]
        .iter()
        .map(|d| d.as_u64().filter(|&d| d > 0).and_then(|d| usize::try_from(d).ok()))
        .collect::<Option<Vec<usize>>>()
        .ok_or_else(|| format!("{} has a dimension that is not fixed", short(value)))
}

/// What to do about a dimension that is not fixed.
pub(super) const FIXED_SHAPE_HELP: &str = "firmware has fixed sizes: build the model with keras.Input(shape=…) without None and save it \
     again";

fn input(a: &mut Attributes<'_, '_>) -> Result<Read, ModelError> {
    const KEY: &str = "batch_input_shape";
    let value = a.take(KEY).ok_or_else(|| a.missing(KEY))?;
    let shape =
        input_shape(value).map_err(|what| a.error(KEY, what).with_help(FIXED_SHAPE_HELP))?;
    a.only("sparse", &[json!(false)])?;
    a.only("ragged", &[json!(false)])?;
    Ok(Read::new(LayerKind::Input, ShapeRule::Input(shape)))
}

fn rule_of(activation: &Activation) -> ShapeRule {
    match activation {
        Activation::Softmax => ShapeRule::Softmax(-1),
        _ => ShapeRule::Same,
    }
}

fn q_activation(a: &mut Attributes<'_, '_>) -> Result<Read, ModelError> {
    let activation = activation::read(a, Reader::QKeras)?;
    // A QActivation calls what it was given; unlike a Dense it cannot go without.
    if a.peek("activation").is_none_or(Value::is_null) {
        return Err(a.missing("activation"));
    }
    let rule = rule_of(&activation);
    Ok(Read::new(LayerKind::QActivation(activation), rule))
}

fn relu(a: &mut Attributes<'_, '_>) -> Result<Read, ModelError> {
    let max_value = match a.peek("max_value") {
        None | Some(Value::Null) => {
            a.take("max_value");
            None
        }
        Some(_) => Some(a.number("max_value", None)?),
    };
    let relu = Relu {
        max_value,
        negative_slope: a.number("negative_slope", Some(0.0))?,
        threshold: a.number("threshold", Some(0.0))?,
    };
    // Keras refuses these when it builds the layer.
    for (key, value) in [
        ("max_value", relu.max_value.unwrap_or(0.0)),
        ("negative_slope", relu.negative_slope),
        ("threshold", relu.threshold),
    ] {
        if value < 0.0 {
            return Err(a.error(key, format!("{value} is negative")));
        }
    }
    Ok(Read::new(LayerKind::Relu(relu), ShapeRule::Same))
}

fn softmax(a: &mut Attributes<'_, '_>) -> Result<Read, ModelError> {
    const KEY: &str = "axis";
    let value = a.take(KEY);
    let Some(value) = value else {
        return Ok(Read::new(LayerKind::Softmax, ShapeRule::Softmax(-1)));
    };
    match items(value).unwrap_or(std::slice::from_ref(value)) {
        [axis] => axis.as_i64(),
        _ => None,
    }
    .map(|axis| Read::new(LayerKind::Softmax, ShapeRule::Softmax(axis)))
    .ok_or_else(|| a.error(KEY, format!("{} is not supported; supported: -1", short(value))))
}

fn channels_last(a: &mut Attributes<'_, '_>) -> Result<(), ModelError> {
    a.only("data_format", &[json!("channels_last"), Value::Null])
}

fn reshape(a: &mut Attributes<'_, '_>) -> Result<Read, ModelError> {
    const KEY: &str = "target_shape";
    let value = a.take(KEY).ok_or_else(|| a.missing(KEY))?;
    let target: Option<Vec<i64>> =
        items(value).and_then(|list| list.iter().map(Value::as_i64).collect());
    let target = target.ok_or_else(|| {
        a.error(KEY, format!("expected a list of integers, found {}", short(value)))
    })?;
    Ok(Read::new(LayerKind::Reshape, ShapeRule::Reshape(target)))
}

fn merge(kind: MergeKind) -> Read {
    let arguments = matches!(kind, MergeKind::Subtract).then_some(2);
    Read::new(LayerKind::Merge(kind), ShapeRule::Merge { arguments })
}

fn dense(
    a: &mut Attributes<'_, '_>,
    tensors: &mut Tensors<'_>,
    quantized: bool,
) -> Result<Read, ModelError> {
    let units = a.integer("units", None, 1, i64::from(i32::MAX))?;
    let reader = if quantized { Reader::QKeras } else { Reader::Keras };
    let activation = activation::read(a, reader)?;
    let use_bias = a.truth("use_bias", true)?;
    let (mut kernel_quantizer, mut bias_quantizer) = (None, None);
    if quantized {
        kernel_quantizer = quantizer::read_quantizer(a, "kernel_quantizer")?;
        bias_quantizer = quantizer::read_quantizer(a, "bias_quantizer")?;
        // Deprecated: QKeras keeps them and uses them for nothing.
        a.training_only(&["kernel_range", "bias_range"]);
    }
    a.training_only(&[
        "kernel_initializer",
        "bias_initializer",
        "kernel_regularizer",
        "bias_regularizer",
        "activity_regularizer",
        "kernel_constraint",
        "bias_constraint",
    ]);
    let kernel = tensors.take("kernel")?;
    let bias = if use_bias { Some(tensors.take("bias")?) } else { None };
    let wrong = |name: &str, tensor: &ArrayD<f32>, expected: &str| {
        ModelError::new(
            a.place().clone(),
            format!("{name} has shape {:?}, expected {expected}", tensor.shape()),
        )
    };
    let &[input, columns] = kernel.shape() else {
        return Err(wrong("kernel", kernel, &format!("[input, {units}]")));
    };
    if usize::try_from(units) != Ok(columns) || input == 0 {
        return Err(wrong("kernel", kernel, &format!("[input, {units}]")));
    }
    if let Some(bias) = bias.filter(|b| b.shape() != [columns]) {
        return Err(wrong("bias", bias, &format!("[{units}]")));
    }
    let kind = LayerKind::Dense(Dense {
        quantized,
        kernel: kernel.clone(),
        bias: bias.cloned(),
        kernel_quantizer,
        bias_quantizer,
        activation,
    });
    Ok(Read::new(kind, ShapeRule::LastAxis { input, units: columns }))
}

fn fixed_point_quantizer(
    a: &mut Attributes<'_, '_>,
    tensors: &mut Tensors<'_>,
) -> Result<Read, ModelError> {
    // HGQ's own defaults for a missing mode.
    let rounding = mode(
        a,
        "RND",
        Rounding::Trn,
        "TRN, TRN_ZERO, RND, RND_ZERO, RND_INF, RND_MIN_INF, RND_CONV",
    )?;
    let overflow = mode(a, "SAT", Overflow::Wrap, "WRAP, SAT, SAT_ZERO, SAT_SYM, WRAP_SM")?;
    // `overrides` holds types for hls4ml below 1.2 only.
    a.inert(&["overrides"]);
    let shape_value = a.take("shape").ok_or_else(|| a.missing("shape"))?;
    let shape: Option<Vec<usize>> = items(shape_value).and_then(|list| {
        list.iter().map(|d| d.as_u64().and_then(|d| usize::try_from(d).ok())).collect()
    });
    let shape = shape.ok_or_else(|| {
        a.error("shape", format!("expected a list of lengths, found {}", short(shape_value)))
    })?;
    let fusible = match a.peek("fusible") {
        None => None,
        Some(_) => Some(a.truth("fusible", true)?),
    };

    // HGQ assigns these weights by order, so a file in another order would be read otherwise.
    const NAMES: [&str; 3] = ["keep_negative", "bits", "integers"];
    let found = tensors.suffixes();
    if found != NAMES {
        return Err(ModelError::new(
            a.place().clone(),
            format!(
                "expected the weights {} in this order, found {}",
                NAMES.join(", "),
                if found.is_empty() { "none".to_owned() } else { found.join(", ") }
            ),
        ));
    }
    // HGQ keeps all three in int8 variables.
    let mut integers = |name: &str, min: i32, max: i32| -> Result<ArrayD<i32>, ModelError> {
        let tensor = tensors.take(name)?;
        if tensor.shape() != shape.as_slice() {
            return Err(ModelError::new(
                a.place().clone(),
                format!("{name} has shape {:?}, expected {shape:?}", tensor.shape()),
            ));
        }
        let fits =
            |v: f32| v.fract() == 0.0 && (f64::from(min)..=f64::from(max)).contains(&v.into());
        if let Some((index, value)) = tensor.indexed_iter().find(|(_, v)| !fits(**v)) {
            return Err(ModelError::new(
                a.place().clone(),
                format!(
                    "{name} is {value} at index {:?}; supported are the integers {min} to {max}",
                    index.slice()
                ),
            ));
        }
        Ok(tensor.mapv(|v| v as i32))
    };
    let kind = LayerKind::FixedPointQuantizer(FixedPointQuantizer {
        keep_negative: integers("keep_negative", 0, 1)?,
        bits: integers("bits", 0, 127)?,
        integers: integers("integers", -128, 127)?,
        rounding,
        overflow,
    });
    Ok(Read { kind, rule: ShapeRule::Broadcast(shape), fusible })
}

fn mode<T: std::str::FromStr + std::fmt::Display>(
    a: &mut Attributes<'_, '_>,
    key: &'static str,
    default: T,
    supported: &str,
) -> Result<T, ModelError> {
    let Some(value) = a.take(key) else {
        return Ok(default);
    };
    // HGQ looks the name up as it stands, without the freedom that the type parser gives.
    value
        .as_str()
        .and_then(|text| text.parse::<T>().ok().filter(|mode| mode.to_string() == text))
        .ok_or_else(|| {
            a.error(key, format!("{} is not supported; supported: {supported}", short(value)))
        })
}
