//! Model files against what real Keras says of them.

use std::collections::{BTreeMap, BTreeSet};

use bittrue_io::{read_datasets, read_keras};
use bittrue_model::parse::from_keras;
use bittrue_model::{
    Activation, Alpha, CallId, LayerKind, LedgerUse, Model, ModelClass, Quantizer,
};
use serde_json::Value;

use crate::{GOLDEN, inputs, model, testvectors};

fn json(path: &str) -> Value {
    serde_json::from_slice(&std::fs::read(testvectors(path)).unwrap()).unwrap()
}

#[test]
fn golden_models_have_the_layers_and_shapes_of_keras() {
    for case in GOLDEN {
        let model = model(&format!("golden/{case}/model.h5"));
        let case_json = json(&format!("golden/{case}/case.json"));
        let expected = read_datasets(&testvectors(&format!("golden/{case}/expected.h5")), "qkeras");
        let expected: BTreeMap<_, _> = expected.unwrap().into_iter().collect();
        // Keras gives no value of its own to inputs; the case lists every other call.
        let ours: BTreeMap<String, &[usize]> = model
            .call_ids()
            .filter(|&c| model.layer_of(c).kind != LayerKind::Input)
            .map(|c| (model.call_name(c), model.call(c).shape.as_slice()))
            .collect();
        let listed: BTreeSet<&str> =
            case_json["layers"].as_array().unwrap().iter().map(|l| l.as_str().unwrap()).collect();
        let names: BTreeSet<&str> = ours.keys().map(String::as_str).collect();
        assert!(names.is_superset(&listed), "{case}: {names:?} {listed:?}");
        let mut compared = 0;
        for (name, values) in &expected {
            assert_eq!(ours[name], &values.shape()[1..], "{case} {name}");
            compared += 1;
        }
        assert_eq!(compared, listed.len(), "{case}");
        let outputs: Vec<String> = model.outputs.iter().map(|&c| model.call_name(c)).collect();
        let expected: Vec<&str> = case_json["output_layers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|l| l.as_str().unwrap())
            .collect();
        assert_eq!(outputs, expected, "{case}");
        for (spec, (name, shape)) in
            inputs(&model).iter().zip(case_json["inputs"].as_object().unwrap())
        {
            let shape: Vec<u64> =
                shape.as_array().unwrap().iter().filter_map(Value::as_u64).collect();
            assert_eq!(
                spec.shape.iter().map(|&d| d as u64).collect::<Vec<_>>(),
                shape,
                "{case} {name}"
            );
        }
    }
}

/// The ledger of every golden model has one entry per configuration key of the file.
#[test]
fn no_key_of_a_golden_model_is_lost() {
    let mut total = 0;
    for case in GOLDEN {
        let file = read_keras(&testvectors(&format!("golden/{case}/model.h5"))).unwrap();
        let model = from_keras(&file).unwrap();
        let entries: BTreeSet<(&str, &str)> =
            model.ledger.entries().iter().map(|e| (e.layer.as_str(), e.key.as_str())).collect();
        // `name` stands beside and inside the configuration of a layer; nothing else comes twice.
        let twice = model.ledger.entries().len() - entries.len();
        let named = if model.class == ModelClass::Functional { model.layers.len() } else { 0 };
        assert_eq!(twice, named, "{case}");
        for layer in file.model_config["config"]["layers"].as_array().unwrap() {
            let name = layer["config"]["name"].as_str().unwrap();
            for key in layer.as_object().unwrap().keys() {
                assert!(entries.contains(&(name, key)), "{case} {name} {key}");
            }
            for (key, value) in layer["config"].as_object().unwrap() {
                assert!(entries.contains(&(name, key)), "{case} {name} {key}");
                total += 1;
                // The keys of the quantizers as well.
                if key.ends_with("quantizer") || key == "activation" {
                    for (inner, arguments) in value.as_object().into_iter().flatten() {
                        let path = format!("{key}.{inner}");
                        assert!(entries.contains(&(name, &path)), "{case} {name} {path}");
                        for argument in arguments.as_object().into_iter().flatten() {
                            let path = format!("{key}.{}", argument.0);
                            assert!(entries.contains(&(name, &path)), "{case} {name} {path}");
                            total += 1;
                        }
                    }
                }
            }
        }
        let noise = model.ledger.entries().iter().find(|e| e.key.ends_with(".qnoise_factor"));
        assert_eq!(noise.map(|e| e.used), Some(LedgerUse::Consumed), "{case}");
    }
    assert!(total > 1500, "{total}");
}

/// Every form in which Keras 2 writes a model: layers, call shapes and weights are Keras' own.
#[test]
fn other_models_agree_with_keras() {
    for (name, keras) in json("models/keras.json").as_object().unwrap() {
        let model = model(&format!("models/{name}.h5"));
        let strip = |layer: &str| layer.trim_start_matches("prune_low_magnitude_").to_owned();
        let calls = keras["calls"].as_object().unwrap();
        let layers: Vec<&String> = model
            .layers
            .iter()
            .map(|l| &l.name)
            // Keras does not list the input that it makes itself.
            .filter(|n| calls.keys().any(|k| &&strip(k) == n))
            .collect();
        let expected: Vec<String> = keras["layers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|l| strip(l.as_str().unwrap()))
            .collect();
        let expected: Vec<&String> = expected
            .iter()
            .filter(|n| {
                calls.contains_key(*n) || calls.contains_key(&format!("prune_low_magnitude_{n}"))
            })
            .collect();
        assert_eq!(layers, expected, "{name}");
        for (layer, shapes) in calls {
            let shapes: Vec<Vec<usize>> = serde_json::from_value(shapes.clone()).unwrap();
            let ours: Vec<Vec<usize>> = model
                .call_ids()
                .filter(|&c| model.layer_of(c).name == strip(layer))
                .map(|c| model.call(c).shape.clone())
                .collect();
            if !ours.is_empty() {
                assert_eq!(ours, shapes, "{name} {layer}");
            }
        }
        let shapes = |calls: &[CallId]| -> Vec<Vec<usize>> {
            calls.iter().map(|&c| model.call(c).shape.clone()).collect()
        };
        let of_keras =
            |key: &str| -> Vec<Vec<usize>> { serde_json::from_value(keras[key].clone()).unwrap() };
        assert_eq!(shapes(&model.inputs), of_keras("inputs"), "{name}");
        assert_eq!(shapes(&model.outputs), of_keras("outputs"), "{name}");
        let mut found = BTreeMap::new();
        for layer in &model.layers {
            if let LayerKind::Dense(dense) = &layer.kind {
                found.insert(format!("{}/kernel:0", layer.name), dense.kernel.clone());
                if let Some(bias) = &dense.bias {
                    found.insert(format!("{}/bias:0", layer.name), bias.clone());
                }
            }
        }
        let mut compared = 0;
        for (weight, expected) in keras["weights"].as_object().unwrap() {
            let Some(tensor) = found.get(&strip(weight)) else {
                assert!(weight.contains("prune_low_magnitude_"), "{name} {weight}");
                continue;
            };
            let shape: Vec<usize> = serde_json::from_value(expected["shape"].clone()).unwrap();
            assert_eq!(tensor.shape(), shape, "{name} {weight}");
            let first = expected["first"].as_f64().unwrap();
            assert_eq!(f64::from(*tensor.first().unwrap()), first, "{name} {weight}");
            compared += 1;
        }
        assert_eq!(compared, found.len(), "{name}");
    }
}

#[test]
fn activations_that_were_given_as_text() {
    let model = model("models/strings.h5");
    let kinds: Vec<&LayerKind> = model.layers.iter().map(|l| &l.kind).collect();
    let bits = |kind: &LayerKind| match kind {
        LayerKind::QActivation(Activation::Quantizer(Quantizer::QuantizedBits(q))) => {
            (q.bits, q.integer, q.symmetric, q.keep_negative, q.alpha.clone())
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(bits(kinds[1]), (8, 3, 0, true, Alpha::Number(1.0)));
    assert_eq!(bits(kinds[2]), (6, 1, 1, false, Alpha::Number(1.0)));
    let relu = |kind: &LayerKind| match kind {
        LayerKind::QActivation(Activation::Quantizer(Quantizer::QuantizedRelu(q))) => {
            (q.bits, q.integer, q.negative_slope)
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(relu(kinds[3]), (6, 2, 0.0));
    assert_eq!(relu(kinds[4]), (8, 0, 0.0));
    assert_eq!(relu(kinds[5]), (5, 1, 0.25));
    assert_eq!(kinds[6], &LayerKind::QActivation(Activation::Relu));
    assert_eq!(kinds[7], &LayerKind::QActivation(Activation::Tanh));
}

#[test]
fn scales_as_qkeras_writes_them() {
    let model = model("models/alphas.h5");
    let alpha = |name: &str| {
        let layer = model.layers.iter().find(|l| l.name == name).unwrap();
        match &layer.kind {
            LayerKind::Dense(d) => match &d.kernel_quantizer {
                Some(Quantizer::QuantizedBits(q)) => q.alpha.clone(),
                other => panic!("{other:?}"),
            },
            LayerKind::QActivation(Activation::Quantizer(Quantizer::QuantizedBits(q))) => {
                q.alpha.clone()
            }
            other => panic!("{other:?}"),
        }
    };
    // QKeras itself replaces None in a kernel quantizer before it is saved.
    assert_eq!(alpha("d0"), Alpha::AutoPo2);
    assert_eq!(alpha("d1"), Alpha::Number(1.0));
    assert_eq!(alpha("d2"), Alpha::Number(0.5));
    assert_eq!(alpha("d3"), Alpha::Auto);
    assert_eq!(alpha("d4"), Alpha::AutoPo2);
    let list = ndarray::arr1(&[0.5f32, 1.0, 2.0]).into_dyn();
    assert_eq!(alpha("d5"), Alpha::Array(list.clone()));
    assert_eq!(alpha("q_list"), Alpha::Array(list));
}

#[test]
fn lists_split_over_attributes() {
    let file = read_keras(&testvectors("models/split_lists.h5")).unwrap();
    assert_eq!(file.layer_names.len(), 26);
    assert_eq!(file.layer_names[25], "a_longer_name");
    let names: Vec<&str> = file.weights[25].tensors.iter().map(|t| t.0.as_str()).collect();
    assert_eq!(names, ["a_longer_name/kernel:0", "a_longer_name/bias:0"]);
}

#[test]
fn order_and_class() {
    let names = |m: &Model| m.call_ids().map(|c| m.call_name(c)).collect::<Vec<_>>();
    let siamese = model("golden/siamese/model.h5");
    assert_eq!(
        names(&siamese),
        [
            "left",
            "right",
            "q_left",
            "q_right",
            "enc",
            "enc@1",
            "enc_act",
            "enc_act@1",
            "emb",
            "emb@1",
            "sum",
            "dif",
            "q_sum",
            "q_dif",
            "cat",
            "out"
        ]
    );
    let chain = model("golden/standalone_io/model.h5");
    assert_eq!(chain.class, ModelClass::Sequential);
    assert_eq!(names(&chain)[..2], ["q_in_input", "q_in"]);
    let shared = model("models/shared.h5");
    assert_eq!(names(&shared), ["in", "twin", "twin@2", "between", "twin@1", "sum"]);
}
