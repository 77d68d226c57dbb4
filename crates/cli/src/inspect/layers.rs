//! The layers, what they are fed, and what their quantizers and weights are.

use std::fmt::Write;

use bittrue_model::{Activation, Dense, FixedPointQuantizer, LayerKind, Model, Quantizer};
use indicatif::HumanCount;
use ndarray::ArrayD;

use super::meaning;

/// Writes one paragraph per layer call.
pub(super) fn write(text: &mut String, model: &Model) {
    text.push_str("\nLayers, with the shape of one event and what they are fed\n");
    let names: Vec<String> = model.call_ids().map(|c| model.call_name(c)).collect();
    let width = names.iter().map(|n| n.chars().count()).max().unwrap_or(0);
    let class = |c| model.layer_of(c).class_name.as_str();
    let class_width = model.call_ids().map(|c| class(c).chars().count()).max().unwrap_or(0);
    for (call, name) in model.call_ids().zip(&names) {
        let layer = model.layer_of(call);
        let shape = format!("{:?}", model.call(call).shape);
        let _ = write!(text, "  {name:width$}  {:class_width$}  {shape}", class(call));
        let inputs: Vec<&str> =
            model.call(call).inputs.iter().map(|i| names[i.0].as_str()).collect();
        if !inputs.is_empty() {
            let _ = write!(text, " ← {}", inputs.join(", "));
        }
        text.push('\n');
        let lines = match model.call(call).node_index {
            0 => details(&layer.kind),
            _ => vec![format!("the same layer as {}", layer.name)],
        };
        for line in lines {
            let _ = writeln!(text, "  {:width$}    {line}", "");
        }
    }
}

/// A number with its thousands apart.
pub(super) fn count(n: usize) -> String {
    HumanCount(n as u64).to_string()
}

fn details(kind: &LayerKind) -> Vec<String> {
    match kind {
        LayerKind::QActivation(a) | LayerKind::Activation(a) => activation(a).into_iter().collect(),
        LayerKind::Dense(d) => dense(d),
        LayerKind::LeakyRelu { alpha } => vec![format!("slope {alpha}")],
        LayerKind::Relu(r) => vec![format!(
            "max_value {}, negative_slope {}, threshold {}",
            r.max_value.map_or("none".to_owned(), |m| m.to_string()),
            r.negative_slope,
            r.threshold
        )],
        LayerKind::FixedPointQuantizer(q) => vec![fixed_point(q)],
        LayerKind::Input
        | LayerKind::Softmax
        | LayerKind::Flatten
        | LayerKind::Reshape
        | LayerKind::Dropout
        | LayerKind::Concatenate(_)
        | LayerKind::Merge(_) => vec![],
    }
}

fn activation(activation: &Activation) -> Option<String> {
    let name = match activation {
        Activation::Linear => return None,
        Activation::Relu => "relu",
        Activation::Softmax => "softmax",
        Activation::Sigmoid => "sigmoid",
        Activation::Tanh => "tanh",
        Activation::Quantizer(q) => return Some(format!("activation {}", meaning::activation(q))),
    };
    Some(format!("activation {name}, float32"))
}

fn dense(d: &Dense) -> Vec<String> {
    let quantizer = |q: &Option<Quantizer>| match q {
        Some(q) => meaning::weights(q),
        None => "no quantizer: float32 as stored".to_owned(),
    };
    let stored = |values: &ArrayD<f32>| {
        let min = values.iter().copied().fold(f32::INFINITY, f32::min);
        let max = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let n = values.len();
        format!("{} weight{} stored, {min} to {max}", count(n), if n == 1 { "" } else { "s" })
    };
    let mut lines = vec![
        format!("kernel     {}", quantizer(&d.kernel_quantizer)),
        format!("           {}", stored(&d.kernel)),
    ];
    if let Some(bias) = &d.bias {
        lines.push(format!("bias       {}", quantizer(&d.bias_quantizer)));
        lines.push(format!("           {}", stored(bias)));
    }
    lines.extend(activation(&d.activation));
    lines
}

/// HGQ's quantizer, which may have a type of its own for every element.
fn fixed_point(q: &FixedPointQuantizer) -> String {
    let range = |values: &ArrayD<i32>| {
        let min = values.iter().min().copied().unwrap_or_default();
        let max = values.iter().max().copied().unwrap_or_default();
        if min == max { min.to_string() } else { format!("{min} to {max}") }
    };
    format!(
        "{} bits, {} integer bits, sign {}, {}, {}",
        range(&q.bits),
        range(&q.integers),
        range(&q.keep_negative),
        q.rounding,
        q.overflow
    )
}
