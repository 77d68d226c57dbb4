//! The reference leg: QKeras' own float32 semantics as a typed graph.

use bittrue_fixed::Dialect;
use bittrue_model::{
    Activation, AlignedLayer, CallId, Constant, Conv, Dense, EdgeType, LayerKind, Model,
    ModelError, NodeId, Op, Place, Quantizer, Rounding32, Rules, SeparableConv, TypedModel,
    TypedNode,
};
use ndarray::ArrayD;

use crate::weights::{self, Evaluation, Role};

/// The spelling of the reference leg.
pub const LEG: &str = "qkeras";

/// The typed graph of `model` under Keras `predict`.
///
/// # Errors
///
/// For layers and arguments that the reference cannot evaluate: names layer, attribute and value.
pub fn reference(model: &Model) -> Result<TypedModel, ModelError> {
    let mut nodes: Vec<TypedNode> = Vec::new();
    let mut node_of: Vec<NodeId> = Vec::new();
    for id in model.call_ids() {
        let call = model.call(id);
        let layer = model.layer_of(id);
        let place = Place::layer(&layer.name);
        let inputs: Vec<NodeId> = call.inputs.iter().map(|a| node_of[a.0]).collect();
        let input = model.inputs.iter().position(|&i| i == id).unwrap_or_default();
        let mut last = inputs.first().copied().unwrap_or(NodeId(0));
        let mut arguments = inputs;
        for op in operations(&layer.kind, input, &place)? {
            nodes.push(TypedNode {
                name: model.call_name(id),
                shape: op.shape_within(&call.shape),
                op,
                inputs: std::mem::take(&mut arguments),
                edge: EdgeType::Derived,
                rules: Rules { dialect: Dialect::Hgq, arithmetic: Rounding32::Float32 },
                origin: id,
            });
            last = NodeId(nodes.len() - 1);
            arguments = vec![last];
        }
        node_of.push(last);
    }
    let find = |c: &CallId| node_of[c.0];
    Ok(TypedModel {
        unformed: Vec::new(),
        leg: LEG.to_owned(),
        nodes,
        inputs: model.inputs.iter().map(find).collect(),
        outputs: model.outputs.iter().map(find).collect(),
        aligned: node_of.iter().map(|&node| Some(AlignedLayer { node })).collect(),
    })
}

/// The operations of a layer, one behind the other. A layer that does nothing has none.
fn operations(kind: &LayerKind, input: usize, place: &Place) -> Result<Vec<Op>, ModelError> {
    Ok(match kind {
        LayerKind::Input => vec![Op::Input { index: input }],
        LayerKind::QActivation(a) | LayerKind::Activation(a) => activation(a, place)?,
        LayerKind::Relu(r) => vec![Op::Relu {
            max_value: r.max_value,
            negative_slope: r.negative_slope,
            threshold: r.threshold,
        }],
        LayerKind::LeakyRelu { alpha } => vec![Op::LeakyRelu { alpha: *alpha }],
        LayerKind::Softmax => vec![Op::Softmax],
        LayerKind::Dense(d) => {
            let mut ops = vec![dense(d, place)?];
            ops.extend(activation(&d.activation, &place.clone().attribute("activation"))?);
            ops
        }
        LayerKind::Conv(c) => {
            let mut ops = vec![conv(c, place)?];
            ops.extend(activation(&c.activation, &place.clone().attribute("activation"))?);
            ops
        }
        LayerKind::SeparableConv(c) => {
            let mut ops = separable(c, place)?.to_vec();
            ops.extend(activation(&c.activation, &place.clone().attribute("activation"))?);
            ops
        }
        LayerKind::Pool(p) => vec![Op::Pool(p.clone())],
        LayerKind::ZeroPadding(cells) => vec![Op::ZeroPadding(cells.clone())],
        LayerKind::Permute(axes) => vec![Op::Permute(axes.clone())],
        LayerKind::BatchNorm(b) => vec![Op::BatchNorm(b.clone())],
        LayerKind::ThresholdedRelu { theta } => vec![Op::ThresholdedRelu { theta: *theta }],
        LayerKind::Elu { alpha } => vec![Op::Elu { alpha: *alpha }],
        LayerKind::Flatten | LayerKind::Reshape => vec![Op::Reshape],
        // Dropout does nothing, but it is an operation that reads its argument.
        LayerKind::Dropout => vec![Op::Identity],
        LayerKind::Nested => vec![],
        LayerKind::Concatenate(c) => vec![Op::Concatenate { axis: c.event_axis }],
        LayerKind::Merge(kind) => vec![Op::Merge(*kind)],
        LayerKind::FixedPointQuantizer(_) | LayerKind::UnaryLut(_) => {
            return Err(ModelError::new(
                place.clone(),
                "this layer belongs to a proxy model; the reference is a QKeras model",
            )
            .with_help("give the QKeras model from which the proxy was made"));
        }
    })
}

fn dense(d: &Dense, place: &Place) -> Result<Op, ModelError> {
    let (kernel, bias) = (&d.kernel, d.bias.as_ref());
    Ok(Op::Dense {
        kernel: constant(kernel, d.kernel_quantizer.as_ref(), "kernel", place)?,
        bias: bias.map(|b| constant(b, d.bias_quantizer.as_ref(), "bias", place)).transpose()?,
    })
}

fn conv(c: &Conv, place: &Place) -> Result<Op, ModelError> {
    let (kernel, bias) = (&c.kernel, c.bias.as_ref());
    Ok(Op::Conv {
        window: c.window.clone(),
        groups: c.groups,
        // QKeras calls TensorFlow's convolution itself.
        compiled: c.groups > 1 && !c.quantized,
        kernel: constant(kernel, c.kernel_quantizer.as_ref(), "kernel", place)?,
        bias: bias.map(|b| constant(b, c.bias_quantizer.as_ref(), "bias", place)).transpose()?,
    })
}

/// A convolution of each channel by itself, then one over the channels; nothing is quantised
/// between them.
fn separable(c: &SeparableConv, place: &Place) -> Result<[Op; 2], ModelError> {
    let bias = c.bias.as_ref();
    let depthwise =
        constant(&c.depthwise_kernel, c.depthwise_quantizer.as_ref(), "depthwise", place)?;
    let pointwise =
        constant(&c.pointwise_kernel, c.pointwise_quantizer.as_ref(), "pointwise", place)?;
    let bias = bias.map(|b| constant(b, c.bias_quantizer.as_ref(), "bias", place)).transpose()?;
    Op::separable(&c.window, depthwise, pointwise, bias)
        .ok_or_else(|| ModelError::new(place.clone(), "its kernels have no channels"))
}

/// A constant tensor as `predict` uses it; `name` is the prefix of its quantizer's key.
fn constant(
    values: &ArrayD<f32>,
    quantizer: Option<&Quantizer>,
    name: &str,
    place: &Place,
) -> Result<Constant, ModelError> {
    let role = if name == "bias" { Role::Bias } else { Role::Kernel };
    let place = place.clone().attribute(format!("{name}_quantizer"));
    weights::quantize(quantizer, values, role, Evaluation::Predict, &place)
}

fn activation(activation: &Activation, place: &Place) -> Result<Vec<Op>, ModelError> {
    Ok(match activation {
        Activation::Linear => vec![],
        Activation::Relu => {
            vec![Op::Relu { max_value: None, negative_slope: 0.0, threshold: 0.0 }]
        }
        Activation::Softmax => vec![Op::Softmax],
        Activation::Sigmoid => vec![Op::Sigmoid],
        Activation::Tanh => vec![Op::Tanh],
        Activation::Elu => vec![Op::Elu { alpha: 1.0 }],
        Activation::Quantizer(Quantizer::QuantizedBits(q)) => {
            // Built once here so that bad arguments are found with their layer's name.
            crate::prepare_bits(q, &place.clone().attribute("quantized_bits"))?;
            vec![Op::QuantizedBits(q.clone())]
        }
        Activation::Quantizer(Quantizer::QuantizedRelu(q)) => {
            crate::prepare_relu(
                q,
                Evaluation::Predict,
                &place.clone().attribute("quantized_relu"),
            )?;
            vec![Op::QuantizedRelu(q.clone())]
        }
        Activation::Quantizer(quantizer @ Quantizer::QuantizedCurve(q)) => {
            crate::prepare_curve(q, &place.clone().attribute(quantizer.class_name()))?;
            vec![Op::QuantizedCurve(q.clone())]
        }
        Activation::Quantizer(
            q @ (Quantizer::Binary { .. }
            | Quantizer::Ternary { .. }
            | Quantizer::QuantizedPo2(_)
            | Quantizer::QuantizedReluPo2 { .. }),
        ) => {
            return Err(ModelError::new(
                place.clone(),
                format!(
                    "{} is supported for weights only; activations may be quantized_bits, \
                     quantized_relu, quantized_tanh and quantized_sigmoid",
                    q.class_name()
                ),
            )
            .with_help("HGQ cannot convert it as an activation either: use quantized_bits"));
        }
    })
}
