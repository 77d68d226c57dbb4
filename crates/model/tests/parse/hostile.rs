//! Configurations that somebody, or a broken disk, has changed: any result but a panic.

use crate::keras::*;
use bittrue_model::parse::{KerasFile, from_keras};
use proptest::prelude::*;
use serde_json::{Value, json};

/// A model with a bit of everything.
fn sample() -> KerasFile {
    let text = |t: &str| json!({"activation": t});
    let relu = json!({"activation": {"class_name": "quantized_relu",
        "config": {"bits": 6, "negative_slope": 0.25, "relu_upper_bound": null}}});
    let fpq = json!({"RND": "RND_CONV", "SAT": "WRAP", "shape": [1, 6], "fusible": true});
    let layers = vec![
        input("a", &[4]),
        input("b", &[2, 2]),
        layer("QActivation", "qa", text("quantized_bits(8,3,alpha=1)"), &[&[("a", 0)]]),
        layer("Flatten", "f", json!({"data_format": "channels_last"}), &[&[("b", 0)]]),
        layer("QDense", "d", q_dense(3), &[&[("qa", 0)], &[("f", 0)]]),
        layer("QActivation", "r", relu, &[&[("d", 0)]]),
        layer("Concatenate", "cat", json!({"axis": -1}), &[&[("r", 0), ("d", 1)]]),
        layer("HGQ>FixedPointQuantizer", "q", fpq, &[&[("cat", 0)]]),
        layer("Reshape", "s", json!({"target_shape": [2, -1]}), &[&[("q", 0)]]),
        layer("Softmax", "m", json!({"axis": -1}), &[&[("s", 0)]]),
        layer("Average", "avg", json!({}), &[&[("m", 0), ("s", 0)]]),
    ];
    let mut fpq =
        weights("q", &[("keep_negative:0", &[1, 6]), ("bits:0", &[1, 6]), ("integers:0", &[1, 6])]);
    for (tensor, value) in fpq.tensors.iter_mut().zip([1.0, 8.0, 3.0]) {
        tensor.1.fill(value);
    }
    let dense = weights("d", &[("d/kernel:0", &[4, 3]), ("d/bias:0", &[3])]);
    file(functional(layers, &["a", "b"], &[("avg", 0), ("r", 0)]), vec![dense, fpq])
}

#[test]
fn the_sample_is_a_model() {
    assert_eq!(from_keras(&sample()).unwrap().calls.len(), 12);
}

/// All places in a value, each as the way to it.
fn places(value: &Value) -> Vec<Vec<Step>> {
    let mut found = vec![vec![]];
    let mut pending = vec![(value, vec![])];
    while let Some((value, path)) = pending.pop() {
        let children: Vec<(Step, &Value)> = match value {
            Value::Array(items) => {
                items.iter().enumerate().map(|(i, v)| (Step::Index(i), v)).collect()
            }
            Value::Object(map) => map.iter().map(|(k, v)| (Step::Key(k.clone()), v)).collect(),
            _ => vec![],
        };
        for (step, child) in children {
            let mut to = path.clone();
            to.push(step);
            found.push(to.clone());
            pending.push((child, to));
        }
    }
    found
}

#[derive(Debug, Clone)]
enum Step {
    Index(usize),
    Key(String),
}

fn at<'v>(value: &'v mut Value, path: &[Step]) -> Option<&'v mut Value> {
    path.iter().try_fold(value, |v, step| match step {
        Step::Index(i) => v.get_mut(i),
        Step::Key(k) => v.get_mut(k),
    })
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-3i64..70).prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        Just(json!(1e300)),
        "[a-z_]{0,4}".prop_map(Value::from),
        prop_oneof![
            Just("quantized_bits(8,0,alpha='auto')"),
            Just("quantized_relu(6"),
            Just("Add"),
            Just("Dense"),
            Just("a"),
            Just("d"),
            Just("avg"),
        ]
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[a-z_]{1,6}", inner), 0..4)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

#[derive(Debug, Clone)]
enum Change {
    Replace(Value),
    Remove,
    Repeat,
    CopyTo(prop::sample::Index),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => any_json().prop_map(Change::Replace),
        2 => Just(Change::Remove),
        1 => Just(Change::Repeat),
        3 => any::<prop::sample::Index>().prop_map(Change::CopyTo),
    ]
}

fn apply(config: &mut Value, place: prop::sample::Index, change: Change) {
    let all = places(config);
    let path = place.get(&all).clone();
    match change {
        Change::Replace(new) => {
            if let Some(v) = at(config, &path) {
                *v = new;
            }
        }
        Change::CopyTo(other) => {
            let target = other.get(&all).clone();
            let copy = at(config, &path).cloned();
            if let (Some(copy), Some(v)) = (copy, at(config, &target)) {
                *v = copy;
            }
        }
        Change::Remove | Change::Repeat => {
            let Some((last, parent)) = path.split_last() else { return };
            match (at(config, parent), last, change) {
                (Some(Value::Array(items)), Step::Index(i), Change::Remove) => {
                    items.remove(*i);
                }
                (Some(Value::Array(items)), Step::Index(i), _) => {
                    let item = items[*i].clone();
                    items.push(item);
                }
                (Some(Value::Object(map)), Step::Key(k), Change::Remove) => {
                    map.shift_remove(k);
                }
                (Some(Value::Object(map)), Step::Key(k), _) => {
                    let value = map[k].clone();
                    map.insert(format!("{k}_"), value);
                }
                _ => {}
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn changed_models_never_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), change()), 1..4),
    ) {
        let mut file = sample();
        for (place, change) in changes {
            apply(&mut file.model_config, place, change);
        }
        if let Ok(model) = from_keras(&file) {
            // What is accepted is a graph that can be run.
            for id in model.call_ids() {
                prop_assert!(model.call(id).inputs.iter().all(|&argument| argument < id));
                prop_assert!(!model.call(id).shape.contains(&0));
            }
        }
    }

    #[test]
    fn random_json_never_panics(config in any_json()) {
        let _ = from_keras(&file(config.clone(), vec![]));
        let _ = from_keras(&file(json!({"class_name": "Functional", "config": config}), vec![]));
        let _ = from_keras(&file(json!({"class_name": "Sequential", "config": config}), vec![]));
        let _ = read_one("QDense", config.clone(), &[]);
        let _ = read_one("QActivation", json!({"activation": config}), &[]);
    }

    #[test]
    fn unknown_keys_are_never_skipped(place in any::<prop::sample::Index>(), value in any_json()) {
        // A key in any layer's configuration, or in any quantizer's.
        let mut file = sample();
        let layers = &mut file.model_config["config"]["layers"];
        let configs: Vec<String> = (0..11)
            .map(|i| format!("/{i}/config"))
            .chain(["kernel", "bias"].map(|q| format!("/4/config/{q}_quantizer/config")))
            .chain(["/5/config/activation/config".to_owned(), "/4/config/kernel_quantizer".to_owned()])
            .collect();
        let config = layers.pointer_mut(place.get::<String>(&configs)).unwrap();
        config.as_object_mut().unwrap().insert("surprise".to_owned(), value);
        let found = message(from_keras(&file));
        prop_assert!(found.contains("surprise: unknown argument with value"), "{}", found);
    }
}
