//! The reference leg: QKeras' own float32 semantics as a typed graph.

use bittrue_fixed::Dialect;
use bittrue_model::{
    Activation, AlignedLayer, CallId, Dense, EdgeType, LayerKind, Model, ModelError, NodeId, Op,
    Place, Quantizer, Rounding32, Rules, TypedModel, TypedNode,
};

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
                op,
                inputs: std::mem::take(&mut arguments),
                shape: call.shape.clone(),
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
        LayerKind::Flatten | LayerKind::Reshape => vec![Op::Reshape],
        LayerKind::Dropout => vec![],
        LayerKind::Concatenate(c) => vec![Op::Concatenate { axis: c.event_axis }],
        LayerKind::Merge(kind) => vec![Op::Merge(*kind)],
        LayerKind::FixedPointQuantizer(_) => {
            return Err(ModelError::new(
                place.clone(),
                "a FixedPointQuantizer belongs to a proxy model; the reference is a QKeras model",
            )
            .with_help("give the QKeras model from which the proxy was made"));
        }
    })
}

fn dense(d: &Dense, place: &Place) -> Result<Op, ModelError> {
    let kernel = weights::quantize(
        d.kernel_quantizer.as_ref(),
        &d.kernel,
        Role::Kernel,
        Evaluation::Predict,
        &place.clone().attribute("kernel_quantizer"),
    )?;
    let bias = d
        .bias
        .as_ref()
        .map(|bias| {
            weights::quantize(
                d.bias_quantizer.as_ref(),
                bias,
                Role::Bias,
                Evaluation::Predict,
                &place.clone().attribute("bias_quantizer"),
            )
        })
        .transpose()?;
    Ok(Op::Dense { kernel, bias })
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
        Activation::Quantizer(
            q @ (Quantizer::Binary { .. }
            | Quantizer::Ternary { .. }
            | Quantizer::QuantizedPo2(_)
            | Quantizer::QuantizedReluPo2 { .. }),
        ) => {
            return Err(ModelError::new(
                place.clone(),
                format!(
                    "{} is supported for weights only; activations may be quantized_bits and \
                     quantized_relu",
                    q.class_name()
                ),
            )
            .with_help("HGQ cannot convert it as an activation either: use quantized_bits"));
        }
    })
}
