//! QKeras quantizers from their serialised forms.

use ndarray::{ArrayD, IxDyn};
use serde_json::{Map, Value, json};

use super::attributes::Attributes;
use super::json::{items, short};
use super::{safe_eval, weight_quantizer};
use crate::{Alpha, Curve, ModelError, QuantizedBits, QuantizedCurve, QuantizedRelu, Quantizer};

/// The quantizers that can be read.
pub(super) const SUPPORTED: &str = "quantized_bits, quantized_relu, quantized_tanh, quantized_sigmoid; \
     for weights also quantized_po2, quantized_relu_po2, binary, ternary, stochastic_binary, \
     stochastic_ternary";

/// Widest quantizer that is accepted, in bits, and largest number of integer bits either way.
/// float32 holds 24 bits, so anything wider is a mistake in the file.
pub(super) const MAX_BITS: i64 = 64;

/// Longest text of a quantizer, in bytes.
const MAX_TEXT: usize = 10_000;

/// What `get_quantizer` of QKeras may give.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Found {
    /// A quantizer.
    Quantizer(Quantizer),
    /// The name of a plain function.
    Function(String),
}

/// Reads the value of `key` as `get_quantizer` of QKeras 0.9.0 does: an object, or a text for its
/// `safe_eval`. `None` where the key is absent or null.
pub(super) fn read(
    attributes: &mut Attributes<'_, '_>,
    key: &'static str,
) -> Result<Option<Found>, ModelError> {
    match attributes.take_some(key) {
        None => Ok(None),
        Some(Value::Object(object)) => {
            from_object(attributes, key, object).map(|q| Some(Found::Quantizer(q)))
        }
        Some(Value::String(text)) => from_text(attributes, key, text).map(Some),
        Some(other) => Err(attributes
            .error(key, format!("expected a quantizer as object or text, found {}", short(other)))),
    }
}

/// Reads the value of `key` where only a quantizer makes sense.
pub(super) fn read_quantizer(
    attributes: &mut Attributes<'_, '_>,
    key: &'static str,
) -> Result<Option<Quantizer>, ModelError> {
    match read(attributes, key)? {
        None => Ok(None),
        Some(Found::Quantizer(quantizer)) => Ok(Some(quantizer)),
        Some(Found::Function(name)) => Err(unsupported(attributes, key, &name)),
    }
}

/// The error for a quantizer that cannot be read.
pub(super) fn unsupported(attributes: &Attributes<'_, '_>, key: &str, name: &str) -> ModelError {
    attributes
        .error(key, format!("quantizer `{name}` is not supported; supported: {SUPPORTED}"))
        .with_help("no leg can run it yet; replace the quantizer, or tell us that you need it")
}

/// `{"class_name": …, "config": …}` in the forms of all Keras-2 versions.
pub(super) fn from_object(
    attributes: &mut Attributes<'_, '_>,
    key: &'static str,
    object: &Map<String, Value>,
) -> Result<Quantizer, ModelError> {
    let mut form = attributes.nested(key, object);
    let class = form.text("class_name")?;
    form.inert(&["module", "registered_name", "__passive_serialization__", "shared_object_id"]);
    let empty = Map::new();
    let config = match form.take_some("config") {
        None => &empty,
        Some(Value::Object(config)) => config,
        Some(other) => {
            return Err(form.error("config", format!("expected an object, found {}", short(other))));
        }
    };
    form.finish()?;
    from_arguments(attributes, key, class, config)
}

fn from_text(
    attributes: &mut Attributes<'_, '_>,
    key: &'static str,
    text: &str,
) -> Result<Found, ModelError> {
    if text.len() > MAX_TEXT {
        let what = format!("a text of {} bytes; supported are {MAX_TEXT}", text.len());
        return Err(attributes.error(key, what));
    }
    let parsed = safe_eval::parse(text)
        .map_err(|e| attributes.error(key, format!("QKeras cannot parse `{text}`: {e}")))?;
    let Some(signature) = signature(parsed.name) else {
        // A name that is no quantizer of ours; with brackets QKeras would call it.
        return match parsed.arguments {
            None if !text.contains('(') => Ok(Found::Function(text.to_owned())),
            _ => Err(unsupported(attributes, key, text)),
        };
    };
    let arguments = parsed.arguments.unwrap_or_default();
    let mut config = Map::new();
    let mut bind = |name: &str, value: &safe_eval::Argument| {
        let Some(name) = signature.iter().find(|&&n| n == name) else {
            return Err(attributes.error(
                key,
                format!("`{text}`: unknown argument `{name}`; known are {}", signature.join(", ")),
            ));
        };
        let Some(value) = value.to_json() else {
            return Err(attributes.error(key, format!("`{text}`: {name}={value} is not finite")));
        };
        match config.insert((*name).to_owned(), value) {
            None => Ok(()),
            Some(_) => Err(attributes.error(key, format!("`{text}`: argument `{name}` twice"))),
        }
    };
    for (index, value) in arguments.positional.iter().enumerate() {
        // Beyond the signature: reported by its place, which no argument is named after.
        match signature.get(index) {
            Some(name) => bind(name, value)?,
            None => bind(&format!("number {}", index + 1), value)?,
        }
    }
    for (name, value) in &arguments.keywords {
        bind(name, value)?;
    }
    from_arguments(attributes, key, parsed.name, &config).map(Found::Quantizer).map_err(|e| match e
        .help()
    {
        None => e.with_help(format!("the text in the file is `{text}`")),
        Some(_) => e,
    })
}

/// The constructor's parameters in QKeras 0.9.0, in order.
fn signature(class: &str) -> Option<&'static [&'static str]> {
    match class {
        "quantized_bits" => Some(&[
            "bits",
            "integer",
            "symmetric",
            "keep_negative",
            "alpha",
            "use_stochastic_rounding",
            "scale_axis",
            "qnoise_factor",
            "var_name",
            "use_ste",
            "use_variables",
        ]),
        "quantized_relu" => Some(&[
            "bits",
            "integer",
            "use_sigmoid",
            "negative_slope",
            "use_stochastic_rounding",
            "relu_upper_bound",
            "is_quantized_clip",
            "qnoise_factor",
            "var_name",
            "use_ste",
            "use_variables",
        ]),
        "quantized_tanh" => {
            Some(&["bits", "use_stochastic_rounding", "symmetric", "use_real_tanh"])
        }
        "quantized_sigmoid" => {
            Some(&["bits", "symmetric", "use_real_sigmoid", "use_stochastic_rounding"])
        }
        other => weight_quantizer::signature(other),
    }
}

fn from_arguments(
    attributes: &mut Attributes<'_, '_>,
    key: &'static str,
    class: &str,
    config: &Map<String, Value>,
) -> Result<Quantizer, ModelError> {
    match class {
        "quantized_bits" => {
            quantized_bits(attributes.nested(key, config)).map(Quantizer::QuantizedBits)
        }
        "quantized_relu" => {
            quantized_relu(attributes.nested(key, config)).map(Quantizer::QuantizedRelu)
        }
        "quantized_tanh" => quantized_curve(attributes.nested(key, config), Curve::Tanh)
            .map(Quantizer::QuantizedCurve),
        "quantized_sigmoid" => quantized_curve(attributes.nested(key, config), Curve::Sigmoid)
            .map(Quantizer::QuantizedCurve),
        other => match weight_quantizer::read(other, attributes.nested(key, config))? {
            Some(quantizer) => Ok(quantizer),
            None => Err(unsupported(attributes, key, other)),
        },
    }
}

/// Arguments that both quantizers have and that no finished model changes.
fn rarely_used(a: &mut Attributes<'_, '_>) -> Result<(), ModelError> {
    a.inert(&["var_name", "use_variables"]);
    // Without the straight-through sum the numbers are others.
    a.only("use_ste", &[json!(true), json!(1)])
}

fn quantized_bits(mut a: Attributes<'_, '_>) -> Result<QuantizedBits, ModelError> {
    let default = QuantizedBits::default();
    let found = QuantizedBits {
        bits: a.integer("bits", Some(default.bits), 1, MAX_BITS)?,
        integer: a.integer("integer", Some(default.integer), -MAX_BITS, MAX_BITS)?,
        symmetric: i64::from(a.truth("symmetric", default.symmetric != 0)?),
        keep_negative: a.truth("keep_negative", default.keep_negative)?,
        alpha: alpha(&mut a)?,
        use_stochastic_rounding: a
            .truth("use_stochastic_rounding", default.use_stochastic_rounding)?,
        qnoise_factor: a.number("qnoise_factor", Some(default.qnoise_factor))?,
    };
    rarely_used(&mut a)?;
    a.only("scale_axis", &[Value::Null])?;
    // Later versions of QKeras write these; null is what 0.9.0 does.
    for key in ["post_training_scale", "elements_per_scale"] {
        a.only(key, &[Value::Null])?;
    }
    for key in ["min_po2_exponent", "max_po2_exponent"] {
        a.only(key, &[Value::Null])?;
    }
    a.finish()?;
    Ok(found)
}

fn quantized_relu(mut a: Attributes<'_, '_>) -> Result<QuantizedRelu, ModelError> {
    let default = QuantizedRelu::default();
    let found = QuantizedRelu {
        bits: a.integer("bits", Some(default.bits), 1, MAX_BITS)?,
        integer: a.integer("integer", Some(default.integer), -MAX_BITS, MAX_BITS)?,
        use_sigmoid: a.truth("use_sigmoid", default.use_sigmoid)?,
        negative_slope: negative_slope(&mut a, default.negative_slope)?,
        use_stochastic_rounding: a
            .truth("use_stochastic_rounding", default.use_stochastic_rounding)?,
        relu_upper_bound: upper_bound(&mut a)?,
        qnoise_factor: a.number("qnoise_factor", Some(default.qnoise_factor))?,
    };
    rarely_used(&mut a)?;
    // False survives only in a text; it would make the upper bound effective.
    a.only("is_quantized_clip", &[json!(true), json!(1)])?;
    a.finish()?;
    Ok(found)
}

fn quantized_curve(mut a: Attributes<'_, '_>, curve: Curve) -> Result<QuantizedCurve, ModelError> {
    let default = QuantizedCurve::new(curve);
    let found = QuantizedCurve {
        curve,
        bits: a.integer("bits", Some(default.bits), 1, MAX_BITS)?,
        // QKeras adds it to the lower bound, so it is a number, of which 0 and 1 make sense.
        symmetric: a.truth("symmetric", default.symmetric)?,
        real: a.truth(default.real_key(), default.real)?,
        use_stochastic_rounding: a
            .truth("use_stochastic_rounding", default.use_stochastic_rounding)?,
    };
    a.finish()?;
    Ok(found)
}

/// QKeras asserts that a slope is a power of two.
pub(super) fn negative_slope(a: &mut Attributes<'_, '_>, default: f64) -> Result<f64, ModelError> {
    let slope = a.number("negative_slope", Some(default))?;
    if slope >= 0.0 && (slope == 0.0 || slope.log2().fract() == 0.0) {
        return Ok(slope);
    }
    Err(a.error(
        "negative_slope",
        format!("{slope} is neither 0 nor a power of two, as QKeras asks"),
    ))
}

fn upper_bound(a: &mut Attributes<'_, '_>) -> Result<Option<f64>, ModelError> {
    match a.take_some("relu_upper_bound") {
        None => Ok(None),
        Some(value) => match value.as_f64().filter(|v| v.is_finite()) {
            Some(bound) => Ok(Some(bound)),
            None => Err(a.error(
                "relu_upper_bound",
                format!("expected null or a number, found {}", short(value)),
            )),
        },
    }
}

/// The encodings of `alpha`: null, number, text, list and tuple.
///
/// NumPy arrays and tensors are wrapped when a model is saved, and nothing unwraps them when it is
/// loaded: QKeras then calculates with a dictionary, and raises.
pub(super) fn alpha(a: &mut Attributes<'_, '_>) -> Result<Alpha, ModelError> {
    const KEY: &str = "alpha";
    let Some(value) = a.take_some(KEY) else {
        return Ok(Alpha::None);
    };
    let invalid = |a: &Attributes<'_, '_>| {
        a.error(
            KEY,
            format!(
                "{} is not supported; supported: null, a number, an array of numbers, \"auto\", \
                 \"auto_po2\"",
                short(value)
            ),
        )
    };
    match value {
        // In Python True is the number 1.
        Value::Bool(b) => Ok(Alpha::Number(f64::from(u8::from(*b)))),
        Value::Number(n) => n.as_f64().map(Alpha::Number).ok_or_else(|| invalid(a)),
        Value::String(text) => match text.as_str() {
            "auto" => Ok(Alpha::Auto),
            "auto_po2" => Ok(Alpha::AutoPo2),
            _ => Err(invalid(a).with_help(
                "in a text QKeras 0.9.0 cuts the first and last character of a value that is no \
                 number: quote it (alpha='auto'), or leave alpha=None out",
            )),
        },
        Value::Array(_) => array(value).map(Alpha::Array).ok_or_else(|| invalid(a)),
        Value::Object(wrapped) => {
            let class = wrapped.get("class_name").and_then(Value::as_str);
            match class {
                Some(class @ ("__numpy__" | "__tensor__")) => {
                    let what = if class == "__numpy__" { "a NumPy array" } else { "a tensor" };
                    let message = format!(
                        "{what} ({}) is not supported: Keras saves it as a dictionary, which QKeras \
                         0.9.0 cannot calculate with when the model is loaded (TypeError)",
                        short(value)
                    );
                    Err(a.error(KEY, message).with_help(
                        "give alpha as a number or as a list of numbers: alpha.tolist()",
                    ))
                }
                Some("__tuple__") => array(value).map(Alpha::Array).ok_or_else(|| invalid(a)),
                _ => Err(invalid(a)),
            }
        }
        Value::Null => Ok(Alpha::None),
    }
}

/// A regular nested list of finite numbers. The depth of the configuration is bounded, so the
/// number of dimensions is too.
fn array(value: &Value) -> Option<ArrayD<f32>> {
    let mut shape = Vec::new();
    let mut first = value;
    while let Some(list) = items(first) {
        shape.push(list.len());
        first = list.first()?;
    }
    // Level by level: all lists of one level must have the length of the first one.
    let mut level = vec![value];
    for &length in &shape {
        let mut next = Vec::new();
        for list in level {
            let list = items(list)?;
            if list.len() != length {
                return None;
            }
            next.extend(list);
        }
        level = next;
    }
    let values: Option<Vec<f32>> =
        level.into_iter().map(|v| v.as_f64().map(|v| v as f32).filter(|v| v.is_finite())).collect();
    ArrayD::from_shape_vec(IxDyn(&shape), values?).ok()
}
