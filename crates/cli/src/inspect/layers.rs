//! The layers, what they are fed, and what their quantizers and weights are.

use std::fmt::Write;

use bittrue_fixed::Kif;
use bittrue_model::{Activation, Dense, FixedPointQuantizer, LayerKind, Model, Padding, Window};
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
        LayerKind::Dense(Dense { activation: a, .. }) => {
            parameters(kind).into_iter().chain(activation(a)).collect()
        }
        LayerKind::Conv(c) => {
            let mut text = window(&c.window);
            if c.groups != 1 {
                text.push_str(&format!(", {} groups", c.groups));
            }
            let first = std::iter::once(text);
            first.chain(parameters(kind)).chain(activation(&c.activation)).collect()
        }
        LayerKind::SeparableConv(c) => {
            let first = std::iter::once(window(&c.window));
            first.chain(parameters(kind)).chain(activation(&c.activation)).collect()
        }
        LayerKind::BatchNorm(n) => {
            let axes = format!("axes {:?} of one event, epsilon {}, float32", n.axes, n.epsilon);
            std::iter::once(axes).chain(parameters(kind)).collect()
        }
        LayerKind::Pool(p) => vec![match &p.window {
            Some(w) => window(w),
            None => "all cells".to_owned(),
        }],
        LayerKind::ZeroPadding(cells) => vec![format!("cells before and after: {cells:?}")],
        LayerKind::Permute(axes) => vec![format!("axes {axes:?} of one event")],
        LayerKind::ThresholdedRelu { theta } => vec![format!("theta {theta}")],
        LayerKind::Elu { alpha } => vec![format!("alpha {alpha}, float32")],
        LayerKind::UnaryLut(lut) => vec![format!(
            "{} entries, kif_in {}, kif_out {}",
            count(lut.table.len()),
            kif(lut.input),
            kif(lut.output)
        )],
        LayerKind::LeakyRelu { alpha } => vec![format!("slope {alpha}")],
        LayerKind::Relu(r) => vec![format!(
            "max_value {}, negative_slope {}, threshold {}",
            r.max_value.map_or("none".to_owned(), |m| m.to_string()),
            r.negative_slope,
            r.threshold
        )],
        LayerKind::FixedPointQuantizer(q) => vec![fixed_point(q)],
        LayerKind::Nested => vec!["the result of the layers inside".to_owned()],
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
        Activation::Elu => "elu",
        Activation::Quantizer(q) => return Some(format!("activation {}", meaning::activation(q))),
    };
    Some(format!("activation {name}, float32"))
}

/// What quantises each tensor of parameters, and what is stored.
fn parameters(kind: &LayerKind) -> Vec<String> {
    let mut lines = Vec::new();
    let parameters = kind.parameters();
    let width = parameters.iter().map(|p| p.name.len()).max().unwrap_or(0).max(10);
    for p in parameters {
        let mut name = p.name;
        if let Some(quantizer) = p.quantizer {
            let meaning = match quantizer {
                Some(q) => meaning::weights(q),
                None => "no quantizer: float32 as stored".to_owned(),
            };
            lines.push(format!("{name:width$} {meaning}"));
            name = "";
        }
        let min = p.values.iter().copied().fold(f32::INFINITY, f32::min);
        let max = p.values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let n = p.values.len();
        let plural = if n == 1 { "" } else { "s" };
        lines.push(format!("{name:width$} {} weight{plural} stored, {min} to {max}", count(n)));
    }
    lines
}

/// A window in words.
fn window(window: &Window) -> String {
    let by = |v: &[usize]| v.iter().map(usize::to_string).collect::<Vec<_>>().join("×");
    let padding = match window.padding {
        Padding::Valid => "valid",
        Padding::Same => "same",
        Padding::Causal => "causal",
    };
    let mut text = format!("window {}, padding {padding}", by(&window.size));
    if window.strides.iter().any(|&s| s != 1) {
        text.push_str(&format!(", strides {}", by(&window.strides)));
    }
    if window.dilation.iter().any(|&d| d != 1) {
        text.push_str(&format!(", dilation {}", by(&window.dilation)));
    }
    text
}

fn kif(k: Kif) -> String {
    format!("({}, {}, {})", u8::from(k.keep_negative), k.integer, k.fractional)
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
