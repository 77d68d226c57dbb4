//! hls4ml's reading of a proxy: layers become nodes.

use std::collections::HashMap;

use bittrue_fixed::Overflow;
use bittrue_model::{
    Activation, BatchNorm, CallId, Dense, FixedPointQuantizer, LayerKind, Model, Padding, Place,
    Pool, PoolKind, Window,
};
use ndarray::{ArrayD, Axis};

use super::configure::{configured, default_softmax};
use super::graph::{Cells, Curve, Graph, Kind, Node, Parametrized, Quantizer, Types};
use super::kif::Kifs;
use super::order::file_order;
use crate::{ConvertError, HlsConfig};

/// Reads a proxy as hls4ml's Keras converter does.
pub(super) fn build(model: &Model, config: &HlsConfig) -> Result<Graph, ConvertError> {
    let mut builder = Builder { model, config, graph: Graph::default(), of: HashMap::new() };
    for call in file_order(model) {
        builder.call(call)?;
    }
    let mut graph = builder.graph;
    graph.outputs = model.outputs.iter().map(|o| builder.of[o]).collect();
    Ok(graph)
}

struct Builder<'a> {
    model: &'a Model,
    config: &'a HlsConfig,
    graph: Graph,
    /// The node that gives the value of a call.
    of: HashMap<CallId, usize>,
}

/// A refusal in hls4ml's stead.
pub(super) fn refuse(
    place: Place,
    what: impl Into<String>,
    help: impl Into<String>,
) -> ConvertError {
    ConvertError::new(place, what, help)
}

impl Builder<'_> {
    fn call(&mut self, id: CallId) -> Result<(), ConvertError> {
        let model = self.model;
        let call = model.call(id);
        let layer = model.layer_of(id);
        let place = || Place::layer(&layer.name);
        let inputs: Vec<usize> = call.inputs.iter().map(|a| self.of[a]).collect();
        let argument: &[usize] = call.inputs.first().map_or(&[], |a| &model.call(*a).shape);
        let node = |class: &str, kind: Kind| Node {
            name: layer.name.clone(),
            class: class.to_owned(),
            call: id,
            cast: id,
            kind,
            inputs: inputs.clone(),
            shape: call.shape.clone(),
            types: Types::default(),
            forms: vec![id],
            trusted: false,
        };
        if call.node_index > 0 || call.nested.is_some() {
            return Err(refuse(
                place(),
                "hls4ml converts neither shared layers nor nested models",
                "give a proxy that HGQ made: it has a layer for each call",
            ));
        }
        let mut activation = None;
        let made = match &layer.kind {
            LayerKind::Input => {
                let index = model.inputs.iter().position(|&i| i == id).unwrap_or_default();
                node("Input", Kind::Input { index })
            }
            LayerKind::FixedPointQuantizer(q) => {
                node("FixedPointQuantizer", Kind::Quantizer(quantizer(q, &call.shape, &place())?))
            }
            LayerKind::UnaryLut(table) => node("UnaryLUT", Kind::Table(table.clone())),
            LayerKind::Dense(d) => {
                activation = Some(&d.activation);
                let (class, kind) = dense(d, argument, &place())?;
                node(&class, kind)
            }
            LayerKind::Conv(c) => {
                activation = Some(&c.activation);
                if c.groups != 1 {
                    return Err(refuse(
                        place(),
                        format!("hls4ml ignores groups, of which there are {}", c.groups),
                        "use one group",
                    ));
                }
                let cells = convolution(&c.window, argument, &call.shape, &place())?;
                let single = cells.size.iter().all(|&n| n == 1);
                let prefix = if single { "Pointwise" } else { "" };
                let class = format!("{prefix}Conv{}D", cells.size.len());
                let channels = argument.last().copied().unwrap_or(1);
                let kernel = c.kernel.iter().copied().collect();
                let bias = c.bias.as_ref().map(|b| b.iter().copied().collect());
                node(&class, Kind::Conv { cells, channels, depthwise: false, kernel, bias })
            }
            LayerKind::SeparableConv(c) => {
                activation = Some(&c.activation);
                let channels = argument.last().copied().unwrap_or(1);
                let multiplier = c.depthwise_kernel.shape().last().copied().unwrap_or(1);
                if multiplier != 1 {
                    return Err(refuse(
                        place(),
                        format!("hls4ml supports depth_multiplier 1 only, not {multiplier}"),
                        "use depth_multiplier=1",
                    ));
                }
                let cells = convolution(&c.window, argument, &call.shape, &place())?;
                let dims = cells.size.len();
                let ones = vec![1; dims];
                let single = Cells {
                    input: cells.output.clone(),
                    output: cells.output.clone(),
                    size: ones.clone(),
                    strides: ones,
                    before: vec![0; dims],
                };
                let mut shape = cells.output.clone();
                shape.push(channels);
                let kernel = c.depthwise_kernel.iter().copied().collect();
                let kind = Kind::Conv { cells, channels, depthwise: true, kernel, bias: None };
                let depthwise = Node {
                    name: format!("{}_depthwise", layer.name),
                    shape,
                    forms: vec![],
                    ..node(&format!("DepthwiseConv{dims}D"), kind)
                };
                let depthwise = self.graph.push(depthwise);
                let kernel = c.pointwise_kernel.iter().copied().collect();
                let bias = c.bias.as_ref().map(|b| b.iter().copied().collect());
                let kind = Kind::Conv { cells: single, channels, depthwise: false, kernel, bias };
                Node {
                    name: format!("{}_pointwise", layer.name),
                    inputs: vec![depthwise],
                    ..node(&format!("PointwiseConv{dims}D"), kind)
                }
            }
            LayerKind::BatchNorm(n) => node("BatchNormalization", norm(n, &call.shape, &place())?),
            LayerKind::Pool(p) => {
                let (class, kind) = pool(p, argument, &place())?;
                node(&class, kind)
            }
            LayerKind::Merge(kind) => {
                if inputs.len() != 2 {
                    return Err(refuse(
                        place(),
                        format!("hls4ml merges two tensors, not {}", inputs.len()),
                        "merge them two by two",
                    ));
                }
                node("Merge", Kind::Merge(*kind))
            }
            LayerKind::Concatenate(c) => {
                if inputs.len() != 2 {
                    return Err(refuse(
                        place(),
                        format!("hls4ml concatenates two tensors, not {}", inputs.len()),
                        "concatenate them two by two",
                    ));
                }
                if c.axis >= 0 {
                    return Err(refuse(
                        place().attribute("axis"),
                        format!("hls4ml takes axis {} for one of a single event", c.axis),
                        "count the axis from the end, e.g. axis=-1",
                    ));
                }
                let size = |n: usize| {
                    let shape: &[usize] = &model.call(call.inputs[n]).shape;
                    shape[c.event_axis.min(shape.len())..].iter().product()
                };
                node("Concatenate", Kind::Concatenate { parts: [size(0), size(1)] })
            }
            LayerKind::Flatten | LayerKind::Reshape => node("Reshape", Kind::Reshape),
            LayerKind::Permute(axes) => {
                node("Transpose", Kind::Transpose { index: permutation(axes, argument) })
            }
            // Its arguments are ignored (M4, M26).
            LayerKind::Relu(_) => node("Activation", Kind::Relu { request: false }),
            LayerKind::LeakyRelu { alpha } => {
                node("ParametrizedActivation", parametrized(Parametrized::LeakyRelu, *alpha))
            }
            LayerKind::ThresholdedRelu { theta } => {
                node("ParametrizedActivation", parametrized(Parametrized::ThresholdedRelu, *theta))
            }
            LayerKind::Elu { alpha } => {
                node("ParametrizedActivation", parametrized(Parametrized::Elu, *alpha))
            }
            LayerKind::Activation(a) | LayerKind::QActivation(a) => match function(a, &place())? {
                Some((class, kind)) => node(class, kind),
                None => {
                    self.of.insert(id, inputs[0]);
                    self.graph.nodes[inputs[0]].forms.push(id);
                    return Ok(());
                }
            },
            LayerKind::Dropout => {
                self.of.insert(id, inputs[0]);
                self.graph.nodes[inputs[0]].forms.push(id);
                return Ok(());
            }
            LayerKind::Softmax => {
                return Err(refuse(
                    place(),
                    "the C++ that hls4ml writes for a Softmax layer does not compile",
                    "use Activation('softmax')",
                ));
            }
            LayerKind::ZeroPadding(_) => {
                return Err(refuse(
                    place(),
                    "hls4ml raises NotImplementedError: it derives no type for a padding layer",
                    "pad inside the layer that follows (padding='same')",
                ));
            }
            LayerKind::Nested => {
                return Err(refuse(
                    place(),
                    "hls4ml converts no nested models",
                    "give a proxy that HGQ made: it has none",
                ));
            }
        };
        named_like_an_attribute(&made, &place())?;
        let mut last = self.graph.push(configured(made, self.config)?);
        if let Some(activation) = activation
            && let Some((class, kind)) = function(activation, &place())?
        {
            let name = format!("{}_{}", layer.name, spelling(activation));
            self.graph.nodes[last].forms.clear();
            let follower = Node { name, inputs: vec![last], ..node(class, kind) };
            last = self.graph.push(configured(follower, self.config)?);
        }
        self.of.insert(id, last);
        Ok(())
    }
}

/// A node's result is stored in it under its name, and may take the place of an attribute (M20).
fn named_like_an_attribute(node: &Node, place: &Place) -> Result<(), ConvertError> {
    let attributes: &[&str] = match node.kind {
        Kind::Transpose { .. } => &["perm"],
        Kind::Concatenate { .. } => &["axis", "op"],
        Kind::Merge(_) => &["op"],
        Kind::Norm { .. } => &["epsilon"],
        _ => &[],
    };
    if attributes.contains(&node.name.as_str()) {
        return Err(refuse(
            place.clone(),
            "hls4ml raises an error: a layer of this name overwrites the attribute of the same name",
            "rename the layer",
        ));
    }
    Ok(())
}

/// The types of a quantizer, one or one for each element.
fn quantizer(
    q: &FixedPointQuantizer,
    shape: &[usize],
    place: &Place,
) -> Result<Quantizer, ConvertError> {
    let mut extent = q.bits.shape().to_vec();
    while extent.len() > shape.len() && extent.first() == Some(&1) {
        extent.remove(0);
    }
    let one = q.bits.len() == 1;
    if !one && extent.len() != shape.len() {
        return Err(refuse(
            place.clone().attribute("bits"),
            format!("hls4ml cannot bring shape {:?} to events of {shape:?}", q.bits.shape()),
            "write the proxy again with HGQ 0.2.6",
        ));
    }
    let mask = if one { vec![1; shape.len()] } else { extent };
    let parts = q.keep_negative.iter().zip(&q.bits).zip(&q.integers);
    let formats: Kifs = parts.map(|((&k, &b), &i)| [k, i - k, b - i]).collect();
    let single = (1..formats.len()).all(|n| formats.at(n) == formats.at(0));
    if q.overflow == Overflow::WrapSm && single {
        return Err(refuse(
            place.clone().attribute("SAT"),
            "hls4ml raises KeyError: it knows no WRAP_SM",
            "use another overflow mode",
        ));
    }
    Ok(Quantizer { mask, formats, rounding: q.rounding, overflow: q.overflow })
}

fn dense(d: &Dense, argument: &[usize], place: &Place) -> Result<(String, Kind), ConvertError> {
    let kernel: Vec<f32> = d.kernel.iter().copied().collect();
    let bias: Option<Vec<f32>> = d.bias.as_ref().map(|b| b.iter().copied().collect());
    let Some((&channels, cells)) = argument.split_last() else {
        return Err(refuse(place.clone(), "a Dense layer without argument", "check the model"));
    };
    match cells.len() {
        0 => Ok(("Dense".to_owned(), Kind::Dense { kernel, bias })),
        dims @ (1 | 2) => {
            let ones = vec![1; dims];
            let cells = Cells {
                input: cells.to_vec(),
                output: cells.to_vec(),
                size: ones.clone(),
                strides: ones,
                before: vec![0; dims],
            };
            let kind = Kind::Conv { cells, channels, depthwise: false, kernel, bias };
            Ok((format!("PointwiseConv{dims}D"), kind))
        }
        dims => Err(refuse(
            place.clone(),
            format!("hls4ml cannot replace Dense over {dims} axes by a convolution"),
            "flatten or reshape its argument to at most three axes",
        )),
    }
}

/// hls4ml places a window by its size and stride only: it does not know of dilation (M21), and
/// pads a causal convolution as if its padding were that of `same`, all in front (M22).
fn convolution(
    window: &Window,
    argument: &[usize],
    shape: &[usize],
    place: &Place,
) -> Result<Cells, ConvertError> {
    let cells = window_cells(window, argument);
    let dims = window.size.len();
    if cells.output[..] != shape[..dims.min(shape.len())] {
        return Err(refuse(
            place.clone().attribute("dilation_rate"),
            format!(
                "hls4ml ignores the dilation {:?}: its result has {:?} cells instead of {:?}, and \
                 what follows does not fit",
                window.dilation,
                cells.output,
                &shape[..dims.min(shape.len())]
            ),
            "use dilation_rate=1",
        ));
    }
    Ok(cells)
}

fn window_cells(window: &Window, argument: &[usize]) -> Cells {
    let dims = window.size.len();
    let input = argument[..dims.min(argument.len())].to_vec();
    let mut output = Vec::new();
    let mut before = Vec::new();
    for (axis, &n) in input.iter().enumerate() {
        let (size, stride) = (window.size[axis], window.strides[axis]);
        let needed = match n % stride {
            0 => size.saturating_sub(stride),
            rest => size.saturating_sub(rest),
        };
        let (positions, front) = match window.padding {
            Padding::Valid => ((n + 1).saturating_sub(size).div_ceil(stride), 0),
            Padding::Same => (n.div_ceil(stride), needed / 2),
            Padding::Causal => (n.div_ceil(stride), needed),
        };
        output.push(positions);
        before.push(front);
    }
    Cells { input, output, size: window.size.clone(), strides: window.strides.clone(), before }
}

fn pool(p: &Pool, argument: &[usize], place: &Place) -> Result<(String, Kind), ConvertError> {
    let channels = argument.last().copied().unwrap_or(1);
    let cells = argument[..argument.len().saturating_sub(1)].to_vec();
    let dims = cells.len();
    if let Some(window) = &p.window {
        let cells = window_cells(window, argument);
        return Ok((format!("Pooling{dims}D"), Kind::Pool { kind: p.kind, cells, channels }));
    }
    if dims != 1 {
        return Err(refuse(
            place.clone(),
            "hls4ml raises ValueError: it derives no type for a global pooling over two axes",
            "use a pooling whose window is the whole image, and a Flatten behind it",
        ));
    }
    let whole = Cells {
        size: cells.clone(),
        strides: vec![1; dims],
        output: vec![1; dims],
        before: vec![0; dims],
        input: cells,
    };
    Ok((format!("GlobalPooling{dims}D"), Kind::Pool { kind: p.kind, cells: whole, channels }))
}

/// Scale and offset as NumPy computes them in float32.
fn norm(n: &BatchNorm, shape: &[usize], place: &Place) -> Result<Kind, ConvertError> {
    let last = shape.len().saturating_sub(1);
    if n.axes != [last] {
        return Err(refuse(
            place.clone().attribute("axis"),
            "hls4ml normalises over the last axis only",
            "use axis=-1",
        ));
    }
    let values = |a: &ArrayD<f32>| -> Vec<f32> { a.iter().copied().collect() };
    let epsilon = n.epsilon as f32;
    let (mean, variance) = (values(&n.mean), values(&n.variance));
    let gamma = n.gamma.as_ref().map(values);
    let beta = n.beta.as_ref().map(values);
    let scale: Vec<f32> = variance
        .iter()
        .enumerate()
        .map(|(c, v)| gamma.as_ref().map_or(1.0, |g| g[c]) / (v + epsilon).sqrt())
        .collect();
    let bias = mean
        .iter()
        .enumerate()
        .map(|(c, m)| beta.as_ref().map_or(0.0, |b| b[c]) - scale[c] * m)
        .collect();
    Ok(Kind::Norm { scale, bias })
}

fn parametrized(function: Parametrized, param: f64) -> Kind {
    Kind::Parametrized { function, param }
}

/// The node of an activation function; none for the identity.
fn function(
    activation: &Activation,
    place: &Place,
) -> Result<Option<(&'static str, Kind)>, ConvertError> {
    Ok(Some(match activation {
        Activation::Linear => return Ok(None),
        Activation::Relu => ("Activation", Kind::Relu { request: true }),
        Activation::Sigmoid => ("Activation", Kind::Curve(Curve::Sigmoid)),
        Activation::Tanh => ("Activation", Kind::Curve(Curve::Tanh)),
        Activation::Softmax => ("Softmax", Kind::Softmax(default_softmax())),
        Activation::Elu => ("ParametrizedActivation", parametrized(Parametrized::Elu, 1.0)),
        Activation::Quantizer(q) => {
            return Err(refuse(
                place.clone().attribute("activation"),
                format!("hls4ml cannot take {} in a proxy", q.class_name()),
                "use a FixedPointQuantizer, which is what HGQ makes of quantized_bits",
            ));
        }
    }))
}

fn spelling(activation: &Activation) -> &'static str {
    match activation {
        Activation::Linear => "linear",
        Activation::Relu => "relu",
        Activation::Sigmoid => "sigmoid",
        Activation::Tanh => "tanh",
        Activation::Softmax => "softmax",
        Activation::Elu => "elu",
        Activation::Quantizer(q) => q.class_name(),
    }
}

/// For each element of the result the element of the argument.
fn permutation(axes: &[usize], argument: &[usize]) -> Vec<usize> {
    let n: usize = argument.iter().product();
    let all = ArrayD::from_shape_vec(argument.to_vec(), (0..n).collect());
    let Ok(mut view) = all else { return (0..n).collect() };
    view = view.permuted_axes(axes.to_vec());
    debug_assert!(view.ndim() == 0 || view.len_of(Axis(0)) > 0);
    view.iter().copied().collect()
}

/// Whether a pooling averages.
pub(super) fn is_average(kind: PoolKind) -> bool {
    kind == PoolKind::Average
}
