//! The quantizers of QKeras that only weights may have: signs and powers of two.

use serde_json::json;

use super::attributes::Attributes;
use super::json::short;
use super::quantizer::{MAX_BITS, alpha, negative_slope};
use crate::{ModelError, QuantizedPo2, Quantizer};

/// The constructor's parameters in QKeras 0.9.0, in order.
pub(super) fn signature(class: &str) -> Option<&'static [&'static str]> {
    match class {
        "binary" => Some(&["use_01", "alpha", "use_stochastic_rounding"]),
        "stochastic_binary" => Some(&["alpha", "temperature", "use_real_sigmoid"]),
        "ternary" => Some(&["alpha", "threshold", "use_stochastic_rounding", "number_of_unrolls"]),
        "stochastic_ternary" => {
            Some(&["alpha", "threshold", "temperature", "use_real_sigmoid", "number_of_unrolls"])
        }
        "quantized_po2" => Some(&[
            "bits",
            "max_value",
            "use_stochastic_rounding",
            "quadratic_approximation",
            "log2_rounding",
            "qnoise_factor",
            "var_name",
            "use_ste",
            "use_variables",
        ]),
        "quantized_relu_po2" => Some(&[
            "bits",
            "max_value",
            "negative_slope",
            "use_stochastic_rounding",
            "quadratic_approximation",
            "log2_rounding",
            "qnoise_factor",
            "var_name",
            "use_ste",
            "use_variables",
        ]),
        _ => None,
    }
}

/// Reads one of them; `None` when `class` is none of them.
pub(super) fn read(
    class: &str,
    mut a: Attributes<'_, '_>,
) -> Result<Option<Quantizer>, ModelError> {
    let quantizer = match class {
        "binary" => {
            let found =
                Quantizer::Binary { use_01: a.truth("use_01", false)?, alpha: alpha(&mut a)? };
            deterministic(&mut a)?;
            found
        }
        "stochastic_binary" => {
            sampling(&mut a);
            Quantizer::Binary { use_01: false, alpha: alpha(&mut a)? }
        }
        "ternary" => {
            deterministic(&mut a)?;
            ternary(&mut a)?
        }
        "stochastic_ternary" => {
            sampling(&mut a);
            ternary(&mut a)?
        }
        "quantized_po2" => Quantizer::QuantizedPo2(po2(&mut a)?),
        "quantized_relu_po2" => Quantizer::QuantizedReluPo2 {
            negative_slope: negative_slope(&mut a, 0.0)?,
            args: po2(&mut a)?,
        },
        _ => return Ok(None),
    };
    a.finish()?;
    Ok(Some(quantizer))
}

/// QKeras 0.9.0 raises an error at inference where this is set.
fn deterministic(a: &mut Attributes<'_, '_>) -> Result<(), ModelError> {
    a.only("use_stochastic_rounding", &[json!(false), json!(0)])
}

/// Arguments of the random choice while training; at inference there is none.
fn sampling(a: &mut Attributes<'_, '_>) {
    a.training_only(&["temperature", "use_real_sigmoid"]);
}

fn ternary(a: &mut Attributes<'_, '_>) -> Result<Quantizer, ModelError> {
    const UNROLLS: i64 = 5;
    Ok(Quantizer::Ternary {
        alpha: alpha(a)?,
        threshold: optional_number(a, "threshold")?,
        number_of_unrolls: a.integer("number_of_unrolls", Some(UNROLLS), 0, 1 << 10)? as u32,
    })
}

fn po2(a: &mut Attributes<'_, '_>) -> Result<QuantizedPo2, ModelError> {
    // Stochastic rounding falls back to the deterministic one at inference.
    a.training_only(&["use_stochastic_rounding"]);
    a.inert(&["var_name", "use_variables"]);
    a.only("use_ste", &[json!(true), json!(1)])?;
    let floor = match a.take_some("log2_rounding").map(|v| (v, v.as_str())) {
        None | Some((_, Some("rnd"))) => false,
        Some((_, Some("floor"))) => true,
        Some((other, _)) => {
            let what = format!("{} is not supported; supported: \"rnd\", \"floor\"", short(other));
            return Err(a.error("log2_rounding", what));
        }
    };
    Ok(QuantizedPo2 {
        bits: a.integer("bits", Some(8), 1, MAX_BITS)? as u32,
        max_value: optional_number(a, "max_value")?,
        quadratic_approximation: a.truth("quadratic_approximation", false)?,
        floor,
        qnoise_factor: a.number("qnoise_factor", Some(1.0))?,
    })
}

/// A number, or nothing where the key is absent or null.
fn optional_number(
    a: &mut Attributes<'_, '_>,
    key: &'static str,
) -> Result<Option<f64>, ModelError> {
    match a.take_some(key) {
        None => Ok(None),
        Some(value) => match value.as_f64().filter(|v| v.is_finite()) {
            Some(number) => Ok(Some(number)),
            None => Err(a.error(key, format!("expected null or a number, found {}", short(value)))),
        },
    }
}
