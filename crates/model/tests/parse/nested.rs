//! Models inside each other.

use bittrue_model::parse::from_keras;
use bittrue_model::{LayerKind, Model, ModelError};
use serde_json::{Value, json};

use crate::keras::*;

/// A model as a layer, called once for each list of `(layer, node)`.
fn nested(name: &str, model: Value, calls: &[&[(&str, u64)]]) -> Value {
    let mut entry = layer("Functional", name, json!({}), calls);
    entry["class_name"] = model["class_name"].clone();
    entry["config"] = model["config"].clone();
    entry["config"]["name"] = json!(name);
    entry
}

fn relu(name: &str, from: (&str, u64)) -> Value {
    layer("ReLU", name, json!({}), &[&[from]])
}

/// Input and relu, as a model.
fn inner(shape: &[u64]) -> Value {
    functional(vec![input("i", shape), relu("r", ("i", 0))], &["i"], &[("r", 0)])
}

fn read(layers: Vec<Value>, outputs: &[(&str, u64)]) -> Result<Model, ModelError> {
    from_keras(&file(functional(layers, &["in"], outputs), vec![]))
}

fn names(model: &Model) -> Vec<String> {
    model.call_ids().map(|c| model.call_name(c)).collect()
}

#[test]
fn every_call_has_its_path() {
    // A model that stands on an InputLayer has a call before those of the graph.
    let twice = nested("n", inner(&[4]), &[&[("in", 0)], &[("n", 1)]]);
    let model = read(vec![input("in", &[4]), twice], &[("n", 2)]).unwrap();
    assert_eq!(names(&model), ["in", "n::r", "n", "n@1::r", "n@1"]);
    assert_eq!(model.calls[3].inputs, [bittrue_model::CallId(2)]);
    assert_eq!(model.layers.len(), 3);
    assert!(matches!(model.layers[2].kind, LayerKind::Nested));
    let parents: Vec<_> = model.calls.iter().map(|c| c.nested).collect();
    assert_eq!(parents, [None, Some(0), None, Some(1), None]);
    assert_eq!(model.nested[1].name, "n@1");
    assert_eq!(model.outputs, [bittrue_model::CallId(4)]);
}

#[test]
fn three_levels() {
    let middle = functional(
        vec![input("m_in", &[4]), nested("core", inner(&[4]), &[&[("m_in", 0)]])],
        &["m_in"],
        &[("core", 1)],
    );
    let outer = nested("mid", middle, &[&[("in", 0)]]);
    let model = read(vec![input("in", &[4]), outer, relu("last", ("mid", 1))], &[("last", 0)]);
    assert_eq!(names(&model.unwrap()), ["in", "mid::core::r", "mid::core", "mid", "last"]);
}

#[test]
fn several_results() {
    let mut two = functional(vec![input("i", &[4]), relu("r", ("i", 0))], &["i"], &[("r", 0)]);
    two["config"]["output_layers"] = json!([["r", 0, 0], ["i", 0, 0]]);
    let mut add = layer("Add", "add", json!({}), &[&[("n", 1), ("n", 1)]]);
    add["inbound_nodes"][0][1][2] = json!(1);
    let layers = vec![input("in", &[4]), nested("n", two, &[&[("in", 0)]]), add];
    let model = read(layers.clone(), &[("add", 0)]).unwrap();
    assert_eq!(names(&model), ["in", "n::r", "n", "n:1", "add"]);
    // The second result is the argument itself.
    assert_eq!(model.calls[3].inputs, [bittrue_model::CallId(0)]);
    let mut wrong = layers;
    wrong[2]["inbound_nodes"][0][1][2] = json!(2);
    assert!(message(read(wrong, &[("add", 0)])).contains("refers to result 2 of layer `n`"));
}

#[test]
fn a_chain_that_was_built_late_counts_from_zero() {
    let chain = sequential(vec![relu("r", ("", 0))]);
    let layers = vec![input("in", &[4]), nested("s", chain, &[&[("in", 0)]])];
    let model = read(layers.clone(), &[("s", 0)]).unwrap();
    assert_eq!(names(&model), ["in", "s::r", "s"]);
    assert!(message(read(layers, &[("s", 1)])).contains("counted from 0"));
}

#[test]
fn weights_are_found_by_the_name_of_the_layer() {
    let dense = |name: &str, from: (&str, u64)| layer("QDense", name, q_dense(4), &[&[from]]);
    let two = functional(
        vec![input("i", &[4]), dense("a", ("i", 0)), dense("b", ("a", 0))],
        &["i"],
        &[("b", 0)],
    );
    let config = functional(
        vec![input("in", &[4]), nested("n", two, &[&[("in", 0)]])],
        &["in"],
        &[("n", 1)],
    );
    let tensors: &[(&str, &[usize])] =
        &[("b/kernel:0", &[4, 4]), ("a/kernel:0", &[4, 4]), ("a/bias:0", &[4]), ("b/bias:0", &[4])];
    let mut group = weights("n", tensors);
    group.tensors[1].1.fill(0.5);
    let model = from_keras(&file(config.clone(), vec![group])).unwrap();
    let kernels: Vec<f32> = model
        .layers
        .iter()
        .filter_map(|l| match &l.kind {
            LayerKind::Dense(d) => d.kernel.first().copied(),
            _ => None,
        })
        .collect();
    assert_eq!(kernels, [0.5, 0.25]);
    let found = message(from_keras(&file(config.clone(), vec![weights("n", &tensors[..3])])));
    assert!(found.starts_with("layer `n::b`") && found.contains("ends in `bias`"), "{found}");
    let more = [tensors, &[("c/kernel:0", &[1])]].concat();
    let found = message(from_keras(&file(config, vec![weights("n", &more)])));
    assert!(found.starts_with("layer `n`") && found.contains("not understood"), "{found}");
}

#[test]
fn what_does_not_fit() {
    let layers = vec![input("in", &[4]), nested("n", inner(&[5]), &[&[("in", 0)]])];
    let found = message(read(layers, &[("n", 1)]));
    assert!(found.contains("declares the shape [5], but is given [4]"), "{found}");
    let layers = vec![input("in", &[4]), nested("n", inner(&[4]), &[&[("in", 0), ("in", 0)]])];
    let found = message(read(layers, &[("n", 1)]));
    assert!(found.contains("has 1 inputs, but is called with 2 arguments"), "{found}");
}

/// A short file can ask for very many calls, or for very deep ones.
#[test]
fn sizes_are_bounded() {
    let mut model = inner(&[4]);
    for _ in 0..9 {
        let calls: Vec<Vec<(&str, u64)>> =
            (0..8).map(|n| vec![if n == 0 { ("x", 0) } else { ("n", n) }]).collect();
        let calls: Vec<&[(&str, u64)]> = calls.iter().map(Vec::as_slice).collect();
        let layers = vec![input("x", &[4]), nested("n", model, &calls)];
        model = functional(layers, &["x"], &[("n", 8)]);
    }
    let found = message(from_keras(&file(model, vec![])));
    assert!(found.contains("more than 2000 layer calls"), "{found}");
    let mut model = inner(&[4]);
    for _ in 0..20 {
        let layers = vec![input("x", &[4]), nested("n", model, &[&[("x", 0)]])];
        model = functional(layers, &["x"], &[("n", 1)]);
    }
    let found = message(from_keras(&file(model, vec![])));
    assert!(found.contains("levels deep"), "{found}");
}
