//! What a quantizer really does, in the words of fixed-point types.

use bittrue_fixed::FixedType;
use bittrue_keras::exact;
use bittrue_model::{Alpha, Curve, QuantizedBits, QuantizedCurve, QuantizedRelu, Quantizer};

/// A quantizer of an activation.
pub(super) fn activation(q: &Quantizer) -> String {
    match q {
        Quantizer::QuantizedBits(q) => {
            let mut text = bits_call(q);
            match exact::bits_cast(q) {
                Some(t) => text.push_str(&format!(" = {}", cast(t))),
                None => text.push_str(&format!(": {}", bits_in_words(q))),
            }
            text
        }
        Quantizer::QuantizedRelu(q) => relu(q),
        Quantizer::Binary { use_01, alpha } => {
            let codes = if *use_01 { "0 or 1" } else { "-1 or +1" };
            format!("binary({}): {codes} times the scale", scale(alpha))
        }
        Quantizer::Ternary { alpha, threshold, .. } => {
            let from = threshold.map_or("0.33".to_owned(), |t| t.to_string());
            format!("ternary({}): -1, 0 (below {from}) or +1 times the scale", scale(alpha))
        }
        Quantizer::QuantizedPo2(q) => format!(
            "quantized_po2({}): a sign and a power of two, never 0{}",
            q.bits,
            q.max_value.map_or(String::new(), |m| format!(", at most {m} before rounding"))
        ),
        Quantizer::QuantizedCurve(q) => curve(q),
        Quantizer::QuantizedReluPo2 { args, .. } => {
            format!("quantized_relu_po2({}): a power of two, never 0", args.bits)
        }
    }
}

/// A quantizer of weights.
pub(super) fn weights(q: &Quantizer) -> String {
    match q {
        Quantizer::QuantizedBits(bits) if bits.alpha == Alpha::None => {
            format!(
                "{}: alpha not set means 'auto_po2' on a kernel and 1 on a bias",
                bits_call(bits)
            )
        }
        q => activation(q),
    }
}

fn cast(t: FixedType) -> String {
    let range = t.interval();
    format!("{t}, step {}, from {} to {}", t.lsb(), t.value(range.min), t.value(range.max))
}

/// `quantized_bits` as it is written.
pub(crate) fn bits_call(q: &QuantizedBits) -> String {
    let mut text = format!("quantized_bits({}, {}", q.bits, q.integer);
    if q.symmetric != 0 {
        text.push_str(&format!(", symmetric={}", q.symmetric));
    }
    if !q.keep_negative {
        text.push_str(", keep_negative=False");
    }
    text.push_str(&format!(", {}", scale(&q.alpha)));
    if q.qnoise_factor != 1.0 {
        text.push_str(&format!(", qnoise_factor={}", q.qnoise_factor));
    }
    text.push(')');
    text
}

fn scale(alpha: &Alpha) -> String {
    match alpha {
        Alpha::None => "alpha=None".to_owned(),
        Alpha::Number(a) => format!("alpha={a}"),
        Alpha::Array(a) => format!("alpha=[{} numbers]", a.len()),
        Alpha::Auto => "alpha='auto'".to_owned(),
        Alpha::AutoPo2 => "alpha='auto_po2'".to_owned(),
    }
}

fn bits_in_words(q: &QuantizedBits) -> String {
    if q.bits == 1 && q.keep_negative {
        return "the sign, -1 or +1 (0 gives +1), times alpha".to_owned();
    }
    if q.qnoise_factor != 1.0 {
        return "applied only in part, so the result is no fixed-point number".to_owned();
    }
    "no plain fixed-point cast: the result is multiplied by alpha".to_owned()
}

/// `quantized_tanh` or `quantized_sigmoid` as it is written, with its arguments by name.
pub(crate) fn curve_call(class: &str, q: &QuantizedCurve) -> String {
    let mut text = format!("{class}({}", q.bits);
    if q.symmetric {
        text.push_str(", symmetric=True");
    }
    if q.real {
        text.push_str(&format!(", {}=True", q.real_key()));
    }
    text.push(')');
    text
}

fn curve(q: &QuantizedCurve) -> String {
    let function = match (q.curve, q.real) {
        (Curve::Tanh, true) => "tanh, float32",
        (Curve::Tanh, false) => "x between -1 and 1 (hard)",
        (Curve::Sigmoid, true) => "sigmoid, float32",
        (Curve::Sigmoid, false) => "x/2 + 1/2 between 0 and 1 (hard)",
    };
    let class = Quantizer::QuantizedCurve(q.clone()).class_name();
    let mut text = format!("{} = {function}, then ", curve_call(class, q));
    match exact::curve_type(q) {
        Some(t) => text.push_str(&cast(t)),
        None => text.push_str("no plain fixed-point cast"),
    }
    if q.symmetric && q.curve == Curve::Sigmoid {
        text.push_str("; at least one step");
    }
    text
}

fn relu(q: &QuantizedRelu) -> String {
    let mut text = format!("quantized_relu({}, {}", q.bits, q.integer);
    if q.use_sigmoid {
        text.push_str(", use_sigmoid=1");
    }
    if q.negative_slope != 0.0 {
        text.push_str(&format!(", negative_slope={}", q.negative_slope));
    }
    if let Some(bound) = q.relu_upper_bound {
        text.push_str(&format!(", relu_upper_bound={bound} (no effect after loading)"));
    }
    if q.qnoise_factor != 1.0 {
        text.push_str(&format!(", qnoise_factor={}", q.qnoise_factor));
    }
    text.push(')');
    match exact::relu_cast(q) {
        Some(t) => text.push_str(&format!(" = relu, then {}", cast(t))),
        None => text.push_str(": no plain fixed-point cast"),
    }
    text
}
