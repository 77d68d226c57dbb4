//! Proxy model → typed graph: which edges have a fixed type, and where arithmetic is exact.

use bittrue_fixed::{Dialect, FixedType};
use bittrue_model::{
    Activation, AlignedLayer, CallId, Constant, EdgeType, FixedPointQuantizer, LayerKind,
    MergeKind, NodeId, Op, Place, Quantizer, Rounding32, Rules, TypedModel, TypedNode,
};

use crate::{ConvertError, Converted};

/// The typed graph of a converted model, as leg `leg`.
///
/// Arithmetic is exact where every argument has a fixed type and every constant lies on a declared
/// power-of-two grid; elsewhere it is TensorFlow's float32.
///
/// `input_types` has one entry for each input of the model: the type that its values are cast to
/// before anything reads them, if any. The cast is the input layer's own aligned tensor.
///
/// # Errors
///
/// For a quantizer whose type cannot be expressed.
pub fn types(
    converted: &Converted,
    leg: &str,
    input_types: &[Option<FixedType>],
) -> Result<TypedModel, ConvertError> {
    let model = &converted.model;
    let mut builder = Builder { nodes: Vec::new(), fixed: Vec::new() };
    let mut node_of: Vec<NodeId> = Vec::new();
    for id in model.call_ids() {
        let call = model.call(id);
        let arguments: Vec<NodeId> = call.inputs.iter().map(|a| node_of[a.0]).collect();
        let origin = converted.origins[id.0];
        let layer = model.layer_of(id);
        let input = model.inputs.iter().position(|&i| i == id);
        let cast = input.and_then(|i| input_types.get(i).copied().flatten());
        let declared = converted.declared[call.layer];
        let context = Context { name: &layer.name, shape: &call.shape, origin };
        let mut node = builder.layer(&layer.kind, declared, input, arguments, &context)?;
        if let Some(target) = cast {
            node = builder.input_cast(target, node, &context);
        }
        node_of.push(node);
    }
    let find = |c: &CallId| node_of[c.0];
    Ok(TypedModel {
        leg: leg.to_owned(),
        nodes: builder.nodes,
        inputs: model.inputs.iter().map(find).collect(),
        outputs: model.outputs.iter().map(find).collect(),
        aligned: converted
            .aligned
            .iter()
            .map(|call| call.as_ref().map(|c| AlignedLayer { node: find(c) }))
            .collect(),
    })
}

struct Builder {
    nodes: Vec<TypedNode>,
    /// For each node: whether its values have a fixed type, so that exact arithmetic applies.
    fixed: Vec<bool>,
}

/// What all nodes of one layer share.
struct Context<'a> {
    name: &'a str,
    shape: &'a [usize],
    origin: CallId,
}

impl Builder {
    /// Adds a node. `exact` says whether its arithmetic is exact; a declared type makes its values
    /// fixed in any case.
    fn add(
        &mut self,
        op: Op,
        inputs: Vec<NodeId>,
        edge: EdgeType,
        exact: bool,
        context: &Context<'_>,
    ) -> NodeId {
        let arithmetic = if exact { Rounding32::Exact } else { Rounding32::Float32 };
        self.fixed.push(exact || matches!(edge, EdgeType::Uniform(_)));
        self.nodes.push(TypedNode {
            name: context.name.to_owned(),
            op,
            inputs,
            shape: context.shape.to_vec(),
            edge,
            rules: Rules { dialect: Dialect::Hgq, arithmetic },
            origin: context.origin,
        });
        NodeId(self.nodes.len() - 1)
    }

    /// The cast of an input: exact, as a wire of that width would be.
    fn input_cast(&mut self, target: FixedType, input: NodeId, context: &Context<'_>) -> NodeId {
        self.add(Op::Quantize(target), vec![input], EdgeType::Uniform(target), true, context)
    }

    fn layer(
        &mut self,
        kind: &LayerKind,
        declared: crate::DeclaredGrid,
        input: Option<usize>,
        inputs: Vec<NodeId>,
        context: &Context<'_>,
    ) -> Result<NodeId, ConvertError> {
        let fixed_inputs = inputs.iter().all(|i| self.fixed[i.0]);
        let place = Place::layer(context.name);
        let mut add = |op, inputs, edge, exact| self.add(op, inputs, edge, exact, context);
        let derived = EdgeType::Derived;
        Ok(match kind {
            LayerKind::Input => {
                add(Op::Input { index: input.unwrap_or_default() }, vec![], derived, false)
            }
            LayerKind::FixedPointQuantizer(q) => {
                let target = single_type(q, &place)?;
                add(Op::Quantize(target), inputs, EdgeType::Uniform(target), fixed_inputs)
            }
            LayerKind::Dense(d) => {
                let exact = fixed_inputs && declared.kernel && (d.bias.is_none() || declared.bias);
                let op = Op::Dense {
                    kernel: Constant { values: d.kernel.clone(), on_grid: declared.kernel },
                    bias: d
                        .bias
                        .as_ref()
                        .map(|b| Constant { values: b.clone(), on_grid: declared.bias }),
                };
                let sum = add(op, inputs, derived.clone(), exact);
                match activation_op(&d.activation, &place)? {
                    None => sum,
                    Some(op) => {
                        let keeps = matches!(op, Op::Relu { .. });
                        add(op, vec![sum], derived, exact && keeps)
                    }
                }
            }
            LayerKind::Activation(a) | LayerKind::QActivation(a) => match activation_op(a, &place)?
            {
                None => inputs[0],
                Some(op) => {
                    let keeps = matches!(op, Op::Relu { .. });
                    add(op, inputs, derived, fixed_inputs && keeps)
                }
            },
            LayerKind::Relu(r) => {
                // With a slope or a threshold it is computed in float32.
                let plain = r.negative_slope == 0.0
                    && r.threshold == 0.0
                    && r.max_value.is_none_or(is_dyadic);
                let op = Op::Relu {
                    max_value: r.max_value,
                    negative_slope: r.negative_slope,
                    threshold: r.threshold,
                };
                add(op, inputs, derived, fixed_inputs && plain)
            }
            LayerKind::LeakyRelu { alpha } => {
                let dyadic = is_dyadic(*alpha);
                add(Op::LeakyRelu { alpha: *alpha }, inputs, derived, fixed_inputs && dyadic)
            }
            LayerKind::Softmax => add(Op::Softmax, inputs, derived, false),
            LayerKind::Flatten | LayerKind::Reshape | LayerKind::Dropout => {
                add(Op::Reshape, inputs, derived, fixed_inputs)
            }
            LayerKind::Concatenate(c) => {
                add(Op::Concatenate { axis: c.event_axis }, inputs, derived, fixed_inputs)
            }
            LayerKind::Merge(kind) => {
                let dyadic = *kind != MergeKind::Average || inputs.len().is_power_of_two();
                add(Op::Merge(*kind), inputs, derived, fixed_inputs && dyadic)
            }
        })
    }
}

/// The operation of an activation function inside a layer.
fn activation_op(activation: &Activation, place: &Place) -> Result<Option<Op>, ConvertError> {
    Ok(match activation {
        Activation::Linear => None,
        Activation::Relu => Some(Op::Relu { max_value: None, negative_slope: 0.0, threshold: 0.0 }),
        Activation::Softmax => Some(Op::Softmax),
        Activation::Sigmoid => Some(Op::Sigmoid),
        Activation::Tanh => Some(Op::Tanh),
        Activation::Quantizer(Quantizer::QuantizedBits(q)) => Some(Op::QuantizedBits(q.clone())),
        Activation::Quantizer(Quantizer::QuantizedRelu(q)) => Some(Op::QuantizedRelu(q.clone())),
        Activation::Quantizer(q) => {
            return Err(ConvertError::new(
                place.clone().attribute("activation"),
                format!("{} as an activation cannot be run yet", q.class_name()),
                "use quantized_bits or quantized_relu for activations",
            ));
        }
    })
}

/// Whether a float32 constant has few enough bits that products with it are exact integers.
fn is_dyadic(value: f64) -> bool {
    const BITS: u32 = 12;
    let value = value as f32;
    bittrue_fixed::exact_raw_f64(value.into())
        .is_some_and(|(raw, _)| raw.unsigned_abs() < 1 << BITS)
}

/// The type of a quantizer that is the same for all elements.
fn single_type(q: &FixedPointQuantizer, place: &Place) -> Result<FixedType, ConvertError> {
    let refuse = |what: String| {
        ConvertError::new(
            place.clone(),
            what,
            "only quantizers with one type for all elements can be run yet",
        )
    };
    let one = |name: &str, a: &ndarray::ArrayD<i32>| match a.iter().next() {
        Some(&first) if a.iter().all(|&v| v == first) => Ok(first),
        _ => Err(refuse(format!("{name} differ between elements (heterogeneous quantizer)"))),
    };
    let signed = one("keep_negative", &q.keep_negative)? != 0;
    let bits = one("bits", &q.bits)?;
    let integers = one("integers", &q.integers)?;
    let width = u32::try_from(bits).map_err(|_| refuse(format!("bits is {bits}")))?;
    FixedType::new(signed, width, integers, q.rounding, q.overflow)
        .map_err(|e| refuse(e.to_string()))
}
