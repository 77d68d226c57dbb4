//! Weights and biases: what a missing quantizer or a scale makes of them.

use bittrue_model::{Alpha, CallId, LayerKind, Quantizer};
use ndarray::{ArrayD, Axis};

use super::codes::{ALPHA_AUTO, ALPHA_WIDE, FLOAT_WEIGHTS};
use super::look::Look;
use crate::precision::{WideType, of_constant};

/// Wider than this is no choice of a user's.
const FLOAT_BITS: i64 = 18;

pub(super) fn check(look: &mut Look<'_>) {
    for id in look.calls() {
        if matches!(look.kind(id), LayerKind::BatchNorm(_)) {
            continue;
        }
        let source = look.source.layer_of(look.converted.origins[id.0]);
        let parameters = source.kind.parameters();
        for constant in look.kind(id).parameters() {
            let width = of_constant(constant.values).width();
            let quantizer =
                parameters.iter().find(|p| p.name == constant.name).and_then(|p| p.quantizer);
            match quantizer.flatten() {
                None if width > FLOAT_BITS => {
                    float(look, id, constant.name, constant.values, quantizer.is_some());
                }
                Some(q) if constant.name == "kernel" => scale(look, id, q, constant.values),
                _ => {}
            }
        }
    }
}

fn float(look: &mut Look<'_>, id: CallId, name: &str, values: &ArrayD<f32>, has_place: bool) {
    let wide = WideType::cut(of_constant(values));
    let why = match has_place {
        true => format!("{name}_quantizer is not set"),
        false => {
            format!("a {} of Keras has no quantizers", look.model.layer_of(id).class_name)
        }
    };
    look.find(&FLOAT_WEIGHTS, id, format!("{why}: its {name} becomes {wide}"));
}

/// The scale of a quantised kernel.
fn scale(look: &mut Look<'_>, id: CallId, quantizer: &Quantizer, values: &ArrayD<f32>) {
    let (bits, alpha) = match quantizer {
        Quantizer::QuantizedBits(q) => (q.bits, &q.alpha),
        Quantizer::Binary { alpha, .. } => (2, alpha),
        Quantizer::Ternary { alpha, .. } => (2, alpha),
        // Powers of two are wide by themselves.
        Quantizer::QuantizedPo2(_)
        | Quantizer::QuantizedReluPo2 { .. }
        | Quantizer::QuantizedRelu(_)
        | Quantizer::QuantizedCurve(_) => return,
    };
    if *alpha == Alpha::Auto {
        let found = "kernel_quantizer has alpha='auto'".to_owned();
        look.find(&ALPHA_AUTO, id, found);
    }
    let all = of_constant(values);
    if all.width() <= bits {
        return;
    }
    let text = match alpha {
        Alpha::None => "alpha not set, which is 'auto_po2' on a kernel".to_owned(),
        Alpha::Auto => "alpha='auto'".to_owned(),
        Alpha::AutoPo2 => "alpha='auto_po2'".to_owned(),
        Alpha::Number(a) => format!("alpha={a}"),
        Alpha::Array(a) => format!("alpha with {} numbers", a.len()),
    };
    let channels = values.ndim().saturating_sub(1);
    let widths: Vec<i64> = values
        .axis_iter(Axis(channels))
        .filter(|channel| channel.iter().any(|&v| v != 0.0))
        .map(|channel| of_constant(&channel.to_owned()).width())
        .collect();
    let narrowest = widths.iter().min().copied().unwrap_or_default();
    let widest = widths.iter().max().copied().unwrap_or_default();
    let wide = WideType::cut(all);
    look.find(
        &ALPHA_WIDE,
        id,
        format!(
            "{text}: all weights together need {} bits ({wide}) instead of {bits}; the {} channels \
             by themselves {narrowest} to {widest}",
            all.width(),
            widths.len(),
        ),
    );
}
