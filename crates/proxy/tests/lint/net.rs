//! Small models, written as a Keras file would have them.

use std::collections::BTreeSet;

use bittrue_model::Model;
use bittrue_model::parse::{KerasFile, LayerWeights, from_keras};
use bittrue_proxy::lint::{Finding, lint, lint_refused};
use bittrue_proxy::{Mode, convert};
use ndarray::ArrayD;
use serde_json::{Map, Value, json};

/// A model that grows layer by layer.
#[derive(Debug, Clone)]
pub(crate) struct Net {
    layers: Vec<Value>,
    weights: Vec<LayerWeights>,
    last: String,
    outputs: Vec<String>,
}

/// A model with an input `in` of this shape, and a quantizer `q_in` of 8 bits behind it.
pub(crate) fn net(shape: &[usize]) -> Net {
    raw(shape).q("q_in", "quantized_bits(8,3,alpha=1)")
}

/// The same without the quantizer.
pub(crate) fn raw(shape: &[usize]) -> Net {
    let mut batch = vec![Value::Null];
    batch.extend(shape.iter().map(|&d| json!(d)));
    let config = json!({"batch_input_shape": batch, "name": "in", "dtype": "float32"});
    let layer =
        json!({"class_name": "InputLayer", "name": "in", "config": config, "inbound_nodes": []});
    Net { layers: vec![layer], weights: vec![], last: "in".to_owned(), outputs: vec![] }
}

/// `n` weights that four bits hold.
fn weights(shape: &[usize]) -> ArrayD<f32> {
    let mut n = 0;
    ArrayD::from_shape_fn(shape.to_vec(), |_| {
        n += 3;
        f32::from((n % 13) as u8) / 16.0 - 0.375
    })
}

impl Net {
    /// A layer that reads others.
    pub(crate) fn layer(mut self, class: &str, name: &str, from: &[&str], config: Value) -> Self {
        let mut all = Map::new();
        all.insert("name".to_owned(), json!(name));
        all.extend(config.as_object().cloned().unwrap_or_default());
        let nodes: Vec<Value> = from.iter().map(|f| json!([f, 0, 0, {}])).collect();
        self.layers.push(json!({
            "class_name": class, "name": name, "config": all, "inbound_nodes": [nodes],
        }));
        self.last = name.to_owned();
        self
    }

    /// A layer that reads the last one.
    pub(crate) fn then(self, class: &str, name: &str, config: Value) -> Self {
        let last = self.last.clone();
        self.layer(class, name, &[&last], config)
    }

    /// The next layer reads this one.
    pub(crate) fn from(mut self, name: &str) -> Self {
        self.last = name.to_owned();
        self
    }

    /// The last layer is one of several outputs.
    pub(crate) fn output(mut self) -> Self {
        self.outputs.push(self.last.clone());
        self
    }

    /// A `QActivation`.
    pub(crate) fn q(self, name: &str, quantizer: &str) -> Self {
        self.then("QActivation", name, json!({ "activation": quantizer }))
    }

    fn with_weights(mut self, tensors: Vec<(&str, ArrayD<f32>)>) -> Self {
        let tensors = tensors.into_iter().map(|(n, v)| (format!("{}/{n}:0", self.last), v));
        self.weights.push(LayerWeights { layer: self.last.clone(), tensors: tensors.collect() });
        self
    }

    /// A dense layer of this class with quantizers of kernel and bias.
    pub(crate) fn dense(self, name: &str, inputs: usize, units: usize) -> Self {
        self.dense_of(name, "quantized_bits(6,0,alpha=1)", weights(&[inputs, units]))
    }

    /// The same with a quantizer of the kernel, and a kernel.
    pub(crate) fn dense_of(self, name: &str, quantizer: &str, kernel: ArrayD<f32>) -> Self {
        let units = kernel.shape()[1];
        let config = json!({
            "units": units, "kernel_quantizer": quantizer,
            "bias_quantizer": "quantized_bits(6,0,alpha=1)",
        });
        self.then("QDense", name, config)
            .with_weights(vec![("kernel", kernel), ("bias", weights(&[units]))])
    }

    /// A dense layer of QKeras or Keras without a quantizer of the kernel.
    pub(crate) fn float_dense(self, class: &str, name: &str, inputs: usize, units: usize) -> Self {
        let float = weights(&[inputs, units]).mapv(|v| v * 0.3 + 0.017);
        self.then(class, name, json!({"units": units, "use_bias": false}))
            .with_weights(vec![("kernel", float)])
    }

    /// A convolution over these spatial cells of so many channels with 2 filters.
    pub(crate) fn conv(self, name: &str, cells: &[usize], channels: usize, extra: Value) -> Self {
        let mut config = json!({
            "filters": 2, "kernel_size": cells, "use_bias": false,
            "kernel_quantizer": "quantized_bits(6,0,alpha=1)",
        });
        if let (Some(config), Some(extra)) = (config.as_object_mut(), extra.as_object()) {
            config.extend(extra.clone());
        }
        let kernel = weights(&[cells, &[channels, 2]].concat());
        self.then(&format!("QConv{}D", cells.len()), name, config)
            .with_weights(vec![("kernel", kernel)])
    }

    /// A nested model of two dense layers `a` and `b`, whose results are its outputs; the next layer
    /// reads one of them.
    pub(crate) fn nested(mut self, name: &str, inputs: usize, units: usize, read: usize) -> Self {
        let part = |dense: &str| {
            let n = raw(&[inputs]).dense(dense, inputs, units);
            (n.layers[1].clone(), n.weights)
        };
        let ((a, a_weights), (b, b_weights)) = (part("a"), part("b"));
        let last = self.last.clone();
        let config = json!({
            "name": name, "layers": [raw(&[inputs]).layers[0], a, b],
            "input_layers": [["in", 0, 0]], "output_layers": [["a", 0, 0], ["b", 0, 0]],
        });
        self.layers.push(json!({
            "class_name": "Functional", "name": name, "config": config,
            "inbound_nodes": [[[last, 0, 0, {}]]],
        }));
        let tensors = a_weights.into_iter().chain(b_weights).flat_map(|w| w.tensors).collect();
        self.weights.push(LayerWeights { layer: name.to_owned(), tensors });
        self.layers.push(json!({
            "class_name": "QActivation", "name": "q",
            "config": {"name": "q", "activation": "quantized_bits(8,3,alpha=1)"},
            "inbound_nodes": [[[name, 1, read, {}]]],
        }));
        self.last = "q".to_owned();
        self
    }

    pub(crate) fn batch_norm(self, name: &str, channels: usize) -> Self {
        let one = || ArrayD::from_elem(vec![channels], 1.0);
        self.then("BatchNormalization", name, json!({"axis": [-1]})).with_weights(vec![
            ("gamma", one()),
            ("beta", one()),
            ("moving_mean", one()),
            ("moving_variance", one()),
        ])
    }

    pub(crate) fn model(&self) -> Model {
        let outputs = match self.outputs.is_empty() {
            true => vec![self.last.clone()],
            false => self.outputs.clone(),
        };
        let outputs: Vec<Value> = outputs.iter().map(|o| json!([o, 0, 0])).collect();
        let file = KerasFile {
            model_config: json!({
                "class_name": "Functional",
                "config": {
                    "name": "m", "layers": self.layers,
                    "input_layers": [["in", 0, 0]], "output_layers": outputs,
                },
            }),
            keras_version: None,
            layer_names: self.weights.iter().map(|w| w.layer.clone()).collect(),
            weights: self.weights.clone(),
        };
        from_keras(&file).unwrap_or_else(|e| panic!("{e}: {:?}", e.help()))
    }

    /// What is found, in both modes of the conversion.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        let model = self.model();
        let mut all: Vec<Finding> = Vec::new();
        for mode in [Mode::Sat, Mode::Wrap] {
            let found = match convert(&model, mode) {
                Ok(converted) => lint(&model, &converted),
                Err(e) => lint_refused(&model, &e),
            };
            for finding in found {
                if !all.contains(&finding) {
                    all.push(finding);
                }
            }
        }
        all
    }

    /// The codes that are found.
    pub(crate) fn codes(&self) -> BTreeSet<&'static str> {
        self.findings().iter().map(|f| f.code.name).collect()
    }
}
