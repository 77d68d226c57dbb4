//! Layers and arguments that hls4ml refuses or computes otherwise.

use bittrue_fixed::exact_raw_f64;
use bittrue_model::{Activation, CallId, LayerKind, Padding, PoolKind, Window};

use super::codes::{
    CAUSAL_STRIDE, CONCATENATE_AXIS, DILATION, GLOBAL_POOL, GROUPS, LAYER_NAME, LEAKY_SLOPE,
    MERGE_ARGUMENTS, NO_PRECISION, QUANTIZER_IN_KERAS, RELU_ARGUMENTS, SAME_POOL, SOFTMAX,
    SOFTMAX_LAYER, TABLE,
};
use super::look::Look;

pub(super) fn check(look: &mut Look<'_>) {
    for id in look.calls() {
        layer(look, id);
        name(look, id);
        let arguments = look.model.call(id).inputs.len();
        let merges = matches!(look.kind(id), LayerKind::Merge(_) | LayerKind::Concatenate(_));
        if merges && arguments > 2 {
            look.find(&MERGE_ARGUMENTS, id, format!("it takes {arguments} tensors"));
        }
    }
}

fn layer(look: &mut Look<'_>, id: CallId) {
    match look.kind(id) {
        LayerKind::Activation(a) => activation(look, id, a, true),
        LayerKind::Dense(d) => activation(look, id, &d.activation, false),
        LayerKind::Conv(c) => {
            activation(look, id, &c.activation, false);
            window(look, id, &c.window);
            if c.groups > 1 {
                look.find(&GROUPS, id, format!("groups={}", c.groups));
            }
        }
        LayerKind::SeparableConv(c) => {
            activation(look, id, &c.activation, false);
            window(look, id, &c.window);
            let multiplier = c.depthwise_kernel.shape().last().copied().unwrap_or(1);
            if multiplier > 1 {
                look.find(&GROUPS, id, format!("depth_multiplier={multiplier}"));
            }
        }
        LayerKind::Softmax => look.find(&SOFTMAX_LAYER, id, "a layer Softmax".to_owned()),
        LayerKind::Elu { .. } => look.find(&TABLE, id, "ELU".to_owned()),
        LayerKind::Relu(r) => {
            let arguments = [
                r.max_value.map(|m| format!("max_value={m}")),
                (r.negative_slope != 0.0).then(|| format!("negative_slope={}", r.negative_slope)),
                (r.threshold != 0.0).then(|| format!("threshold={}", r.threshold)),
            ];
            let arguments: Vec<String> = arguments.into_iter().flatten().collect();
            if !arguments.is_empty() {
                look.find(&RELU_ARGUMENTS, id, arguments.join(", "));
            }
        }
        LayerKind::LeakyRelu { alpha } => {
            // Products of up to 24 bits with a short constant are exact in float32.
            let bits = exact_raw_f64(f64::from(*alpha as f32)).map(|(raw, _)| raw.unsigned_abs());
            if bits.is_none_or(|raw| raw >= 1 << 12) {
                look.find(&LEAKY_SLOPE, id, format!("alpha={alpha}"));
            }
        }
        LayerKind::Concatenate(c) if c.axis >= 0 => {
            look.find(&CONCATENATE_AXIS, id, format!("axis={}", c.axis));
        }
        LayerKind::ZeroPadding(_) => {
            let class = look.model.layer_of(id).class_name.clone();
            look.find(&NO_PRECISION, id, format!("a layer {class}"));
        }
        LayerKind::Pool(p) => match &p.window {
            None => {
                let shape = look.argument(id).map(|a| look.model.call(a).shape.len());
                if shape == Some(3) {
                    let class = look.model.layer_of(id).class_name.clone();
                    look.find(&GLOBAL_POOL, id, format!("a layer {class}"));
                }
            }
            Some(window) if p.kind == PoolKind::Max && window.padding == Padding::Same => {
                same_pool(look, id, window);
            }
            Some(_) => {}
        },
        _ => {}
    }
}

fn activation(look: &mut Look<'_>, id: CallId, function: &Activation, alone: bool) {
    match function {
        Activation::Softmax => look.find(&SOFTMAX, id, "softmax".to_owned()),
        Activation::Sigmoid => look.find(&TABLE, id, "sigmoid".to_owned()),
        Activation::Tanh => look.find(&TABLE, id, "tanh".to_owned()),
        Activation::Elu => look.find(&TABLE, id, "elu".to_owned()),
        Activation::Quantizer(q) => {
            let class = &look.model.layer_of(id).class_name;
            let what = if alone { "is refused" } else { "loses it" };
            let found = format!("activation is {}, and this {class} {what}", q.class_name());
            look.find(&QUANTIZER_IN_KERAS, id, found);
        }
        Activation::Linear | Activation::Relu => {}
    }
}

fn window(look: &mut Look<'_>, id: CallId, window: &Window) {
    if window.dilation.iter().any(|&d| d > 1) {
        look.find(&DILATION, id, format!("dilation_rate={:?}", window.dilation));
    }
    let stride = window.strides.iter().copied().max().unwrap_or(1);
    if window.padding == Padding::Causal && stride > 1 {
        look.find(&CAUSAL_STRIDE, id, format!("padding='causal' with strides={stride}"));
    }
}

/// Max pooling whose windows reach over the edge of values without sign.
fn same_pool(look: &mut Look<'_>, id: CallId, window: &Window) {
    let Some(argument) = look.argument(id) else { return };
    let shape = &look.model.call(argument).shape;
    let cells = &shape[..shape.len().saturating_sub(1)];
    let pads = cells.iter().enumerate().any(|(axis, &n)| {
        let positions = window.positions(axis, n).unwrap_or(0);
        (0..positions).any(|p| (0..window.size[axis]).any(|k| window.cell(axis, n, p, k).is_none()))
    });
    let unsigned = look.produced(argument).is_some_and(|bits| !bits.keep_negative);
    if pads && unsigned {
        look.find(&SAME_POOL, id, "padding='same' on values without sign".to_owned());
    }
}

/// Names under which hls4ml keeps something of a layer of that kind.
fn name(look: &mut Look<'_>, id: CallId) {
    let taken: &[&str] = match look.kind(id) {
        LayerKind::Permute(_) => &["perm"],
        LayerKind::Concatenate(_) => &["axis", "op"],
        LayerKind::Merge(_) => &["op"],
        LayerKind::BatchNorm(_) => &["epsilon"],
        _ => &[],
    };
    let layer = &look.model.layer_of(id).name;
    if taken.contains(&layer.as_str()) {
        let class = &look.model.layer_of(id).class_name;
        look.find(&LAYER_NAME, id, format!("a {class} cannot be called `{layer}`"));
    }
}
