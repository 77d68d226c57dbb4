//! Activations: functions of Keras by name, quantizers of QKeras by object or text.

use serde_json::Value;

use super::attributes::Attributes;
use super::json::short;
use super::quantizer::{self, Found};
use crate::{Activation, ModelError};

/// The functions that can be read.
const FUNCTIONS: &str = "linear, relu, softmax, sigmoid, tanh, elu";

/// Which library turns the configuration into an activation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    /// `keras.activations.get`: a text is the name of a function and nothing else.
    Keras,
    /// `get_quantizer` of QKeras: a text may be a call of a quantizer.
    QKeras,
}

/// Reads the value of `activation`; absent or null is linear.
pub(super) fn read(
    attributes: &mut Attributes<'_, '_>,
    reader: Reader,
) -> Result<Activation, ModelError> {
    const KEY: &str = "activation";
    let found = match reader {
        Reader::QKeras => quantizer::read(attributes, KEY)?,
        Reader::Keras => match attributes.take_some(KEY) {
            None => None,
            Some(Value::String(name)) => Some(Found::Function(name.clone())),
            Some(Value::Object(object)) => {
                Some(Found::Quantizer(quantizer::from_object(attributes, KEY, object)?))
            }
            Some(other) => {
                return Err(attributes
                    .error(KEY, format!("expected a name or an object, found {}", short(other))));
            }
        },
    };
    match found {
        None => Ok(Activation::Linear),
        Some(Found::Quantizer(quantizer)) => Ok(Activation::Quantizer(quantizer)),
        Some(Found::Function(name)) => function(&name).ok_or_else(|| {
            let quantizers = match reader {
                Reader::Keras => String::new(),
                Reader::QKeras => format!("; supported quantizers: {}", quantizer::SUPPORTED),
            };
            attributes
                .error(
                    KEY,
                    format!(
                        "`{name}` is not supported; supported functions: {FUNCTIONS}{quantizers}"
                    ),
                )
                .with_help(
                    "no leg can run it yet; replace the activation, or tell us that you need it",
                )
        }),
    }
}

fn function(name: &str) -> Option<Activation> {
    Some(match name {
        "linear" => Activation::Linear,
        "relu" => Activation::Relu,
        "softmax" => Activation::Softmax,
        "sigmoid" => Activation::Sigmoid,
        "tanh" => Activation::Tanh,
        "elu" => Activation::Elu,
        _ => return None,
    })
}
