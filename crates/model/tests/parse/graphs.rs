//! Layers and calls put together: order, sharing, inputs, outputs, and graphs that are none.

use crate::keras::*;
use bittrue_model::parse::from_keras;
use bittrue_model::{CallId, LedgerUse, Model, ModelClass, ModelError};
use serde_json::{Value, json};

fn read(config: Value) -> Result<Model, ModelError> {
    from_keras(&file(config, vec![]))
}

fn relu(name: &str, calls: &[&[(&str, u64)]]) -> Value {
    layer("ReLU", name, json!({}), calls)
}

fn names(model: &Model) -> Vec<String> {
    model.call_ids().map(|c| model.call_name(c)).collect()
}

#[test]
fn file_order_stays_where_it_is_topological() {
    let layers = vec![
        input("in", &[4]),
        relu("z", &[&[("in", 0)]]),
        relu("a", &[&[("in", 0)]]),
        layer("Add", "sum", json!({}), &[&[("a", 0), ("z", 0)]]),
    ];
    let model = read(functional(layers, &["in"], &[("sum", 0)])).unwrap();
    assert_eq!(names(&model), ["in", "z", "a", "sum"]);
    assert_eq!(model.calls[3].inputs, [CallId(2), CallId(1)]);
    assert_eq!(model.class, ModelClass::Functional);
}

#[test]
fn other_orders_become_topological() {
    // `twin` is first in the file, but its second call depends on `mid`.
    let layers = vec![
        relu("twin", &[&[("in", 0)], &[("mid", 0)], &[("in", 0)]]),
        relu("mid", &[&[("twin", 0)]]),
        layer("Add", "sum", json!({}), &[&[("twin", 1), ("twin", 2)]]),
        input("in", &[4]),
    ];
    let model = read(functional(layers, &["in"], &[("sum", 0), ("twin", 1)])).unwrap();
    assert_eq!(names(&model), ["in", "twin", "twin@2", "mid", "twin@1", "sum"]);
    assert_eq!(model.inputs, [CallId(0)]);
    assert_eq!(model.outputs, [CallId(5), CallId(4)]);
    for id in model.call_ids() {
        assert!(model.call(id).inputs.iter().all(|&argument| argument < id));
    }
}

#[test]
fn inputs_and_outputs_keep_their_order() {
    let layers = vec![
        input("a", &[2]),
        input("b", &[3]),
        relu("ra", &[&[("a", 0)]]),
        relu("rb", &[&[("b", 0)]]),
    ];
    let model =
        read(functional(layers.clone(), &["b", "a"], &[("rb", 0), ("ra", 0), ("rb", 0)])).unwrap();
    let shape =
        |ids: &[CallId]| ids.iter().map(|&id| model.call(id).shape.clone()).collect::<Vec<_>>();
    assert_eq!(shape(&model.inputs), [[3], [2]]);
    assert_eq!(shape(&model.outputs), [[3], [2], [3]]);
    for (inputs, complaint) in [
        (&["a"][..], "InputLayer `b` is not listed"),
        (&["a", "b", "a"], "`a` is listed twice"),
        (&["a", "b", "ra"], "`ra` is no InputLayer"),
        (&["a", "b", "c"], "refers to layer `c`, which does not exist"),
        (&[], "expected a list of tensors, found []"),
    ] {
        let found = message(read(functional(layers.clone(), inputs, &[("ra", 0)])));
        assert!(found.contains(complaint), "{found}");
    }
    // One tensor may stand without the outer list.
    let mut single = functional(layers[..1].to_vec(), &["a"], &[("a", 0)]);
    single["config"]["input_layers"] = json!(["a", 0, 0]);
    single["config"]["output_layers"] = json!(["a", 0, 0]);
    assert_eq!(read(single).unwrap().outputs, [CallId(0)]);
}

#[test]
fn broken_graphs() {
    let build = |layers: Vec<Value>| {
        let mut all = vec![input("in", &[4])];
        all.extend(layers);
        message(read(functional(all, &["in"], &[("r", 0)])))
    };
    let r = |calls: &[&[(&str, u64)]]| relu("r", calls);
    for (layers, complaint) in [
        (vec![r(&[&[("r", 0)]])], "layer `r`, inbound_nodes: the layer depends on its own result"),
        (
            vec![r(&[&[("s", 0)]]), relu("s", &[&[("t", 0)]]), relu("t", &[&[("r", 0)]])],
            "depends on its own result",
        ),
        (vec![r(&[&[("nobody", 0)]])], "refers to layer `nobody`, which does not exist"),
        (vec![r(&[&[("in", 1)]])], "refers to call 1 of layer `in`, which is called 1 times"),
        (vec![r(&[])], "the layer is never called"),
        (vec![r(&[&[("in", 0), ("in", 0)]])], "expected one argument, found 2: a list"),
        (vec![r(&[&[("in", 0)]]), r(&[&[("in", 0)]])], "two layers have this name"),
        (vec![layer("Add", "r", json!({}), &[&[("in", 0)]])], "at least two arguments, found 1"),
        (
            vec![layer("Subtract", "r", json!({}), &[&[("in", 0); 3]])],
            "expected 2 arguments, found 3",
        ),
    ] {
        let found = build(layers);
        assert!(found.contains(complaint), "{found}");
    }
    for (node, complaint) in [
        (json!([["in", 0, 1, {}]]), "refers to result 1 of layer `in`"),
        (json!([["in", 0]]), "expected [layer, node, tensor], found [\"in\",0]"),
        (json!([[["in", 0, 0, {}], ["in", 0, 0, {}]]]), "a list of tensors in the place of one"),
        (json!([[[["in", 0, 0]], [["in", 0, 0]]]]), "a list of tensors in the place of one"),
        (json!([["in", -1, 0, {}]]), "expected [layer, node, tensor]"),
        (json!([["in", 0, 0, {"training": true}]]), "call argument training=true is not supported"),
        (json!([["in", 0, 0, {"y": 2.0}]]), "call argument y=2.0"),
        (json!([["in", 0, 0, {}, 1]]), "at most 4 parts"),
        (json!(["in", 0, 0, {}]), "expected [layer, node, tensor], found \"in\""),
        (json!([]), "expected a list of tensors, found []"),
        (json!({"args": [], "kwargs": {}}), "the graph of a Keras 3 model"),
    ] {
        let mut entry = r(&[&[("in", 0)]]);
        entry["inbound_nodes"] = json!([node]);
        let found = build(vec![entry]);
        assert!(found.contains(complaint), "{found}");
    }
    let mut quiet = r(&[&[("in", 0)]]);
    quiet["inbound_nodes"] = json!([[["in", 0, 0, {"training": null, "mask": null}]]]);
    assert!(read(functional(vec![input("in", &[4]), quiet], &["in"], &[("r", 0)])).is_ok());
}

#[test]
fn sequential_models() {
    let chain = vec![input("in", &[4]), relu("r", &[]), layer("Flatten", "f", json!({}), &[])];
    let model = read(sequential(chain.clone())).unwrap();
    assert_eq!(
        (names(&model), model.class),
        (vec!["in".into(), "r".into(), "f".into()], ModelClass::Sequential)
    );
    assert_eq!((model.inputs.clone(), model.outputs.clone()), (vec![CallId(0)], vec![CallId(2)]));
    assert_eq!(model.name, "chain");

    // The first versions of Keras 2 wrote the bare list.
    let mut bare = sequential(chain.clone());
    bare["config"] = bare["config"]["layers"].take();
    assert_eq!(names(&read(bare).unwrap()), ["in", "r", "f"]);

    // Without an InputLayer the first layer has the shape, or the model.
    let mut first = relu("r", &[]);
    first["config"]["batch_input_shape"] = json!([null, 2, 3]);
    let model = read(sequential(vec![first.clone(), chain[2].clone()])).unwrap();
    assert_eq!(names(&model), ["r_input", "r", "f"]);
    assert_eq!(model.calls[2].shape, [6]);
    let shape = model.ledger.entries().iter().find(|e| e.key == "batch_input_shape").unwrap();
    assert_eq!((shape.layer.as_str(), shape.used), ("r", LedgerUse::Consumed));
    let mut built = sequential(chain[1..].to_vec());
    assert!(message(read(built.clone())).contains("the file holds no input shape"));
    built["config"]["build_input_shape"] = json!({"class_name": "TensorShape", "items": [null, 5]});
    assert_eq!(read(built.clone()).unwrap().calls[0].shape, [5]);
    built["config"]["build_input_shape"] = json!([null, null]);
    assert!(message(read(built)).contains("firmware has fixed sizes"));

    let late = vec![relu("r", &[]), input("in", &[4])];
    assert!(read(sequential(late)).is_err());
    let mut twice = chain;
    twice.push(input("in2", &[4]));
    assert!(message(read(sequential(twice))).contains("an InputLayer has no arguments"));
    let clash = vec![first.clone(), relu("r_input", &[])];
    assert!(message(read(sequential(clash))).contains("two layers have this name"));
}

#[test]
fn models_that_are_none() {
    for (config, complaint) in [
        (json!(null), "model_config: expected an object"),
        (json!({"config": {}}), "class_name: is missing"),
        (json!({"class_name": "Functional"}), "config: is missing"),
        (json!({"class_name": "MyModel", "config": {}}), "`MyModel` is not supported"),
        (json!({"class_name": "Functional", "config": []}), "expected an object, found []"),
        (json!({"class_name": "Functional", "config": {}}), "expected a list of layers"),
        (json!({"class_name": "Sequential", "config": []}), "the model has no layers"),
        (
            json!({"class_name": "Sequential", "config": [3]}),
            "layers[0]: expected an object, found 3",
        ),
        (json!({"class_name": "Sequential", "config": [{}]}), "config is missing or no object"),
        (json!({"class_name": "Sequential", "config": [{"config": {}}]}), "has no name"),
        (
            json!({"class_name": "Sequential", "config": [{"config": {"name": "a"}, "name": "b"}]}),
            "is called `b` in the graph but `a`",
        ),
        (
            json!({"class_name": "Sequential", "config": {"layers": [], "surprise": 1}}),
            "surprise: unknown argument",
        ),
        (json!({"class_name": "Sequential", "config": [], "extra": 1}), "extra: unknown argument"),
    ] {
        let found = message(read(config));
        assert!(found.contains(complaint), "{found}");
    }
}

#[test]
fn sizes_are_bounded() {
    let mut deep = json!(1);
    for _ in 0..100 {
        deep = json!([deep]);
    }
    let config = json!({"class_name": "Sequential", "config": [{"config": deep}]});
    assert!(message(read(config)).contains("nested more than 64 levels deep"));

    let many = |n: usize| {
        let mut layers = vec![input("in", &[4])];
        layers.extend((1..n).map(|i| relu(&format!("r{i}"), &[])));
        read(sequential(layers))
    };
    assert!(message(many(2_001)).contains("2001 layers; supported are up to 2000"));
    // A chain as long as the limit needs no deep stack.
    assert_eq!(many(2_000).unwrap().calls.len(), 2_000);

    let calls: Vec<&[(&str, u64)]> = vec![&[("in", 0)]; 2_000];
    let layers = vec![input("in", &[4]), relu("r", &calls)];
    let found = message(read(functional(layers, &["in"], &[("r", 0)])));
    assert!(found.contains("2001 layer calls"), "{found}");

    // Doubling at every layer: the limit is reached before any memory is.
    let mut layers = vec![input("c0", &[1 << 8])];
    for i in 1..20 {
        let from = format!("c{}", i - 1);
        let call = [(from.as_str(), 0), (from.as_str(), 0)];
        layers.push(layer("Concatenate", &format!("c{i}"), json!({"axis": -1}), &[&call]));
    }
    let found = message(read(functional(layers, &["c0"], &[("c19", 0)])));
    assert!(found.contains("layer `c13`: shape [2097152] is out of bounds"), "{found}");
}

#[test]
fn weights_belong_to_layers() {
    let layers = || vec![input("in", &[4]), layer("QDense", "d", q_dense(3), &[&[("in", 0)]])];
    let config = || functional(layers(), &["in"], &[("d", 0)]);
    let own = || weights("d", &[("d/kernel:0", &[4, 3]), ("d/bias:0", &[3])]);
    assert!(from_keras(&file(config(), vec![own(), weights("in", &[])])).is_ok());
    let stranger = weights("x", &[("x/kernel:0", &[1])]);
    let found = message(from_keras(&file(config(), vec![own(), stranger])));
    assert!(found.contains("layer `x`: the file holds weights of this name"), "{found}");
    let found = message(from_keras(&file(config(), vec![own(), own()])));
    assert!(found.contains("two groups of weights"), "{found}");
}

/// What many layers, or a window over everything, would need is refused before it is reserved.
#[test]
fn work_is_bounded() {
    let pool = json!({"pool_size": [1000, 1000], "strides": [1, 1], "padding": "same"});
    let layers =
        vec![input("in", &[1000, 1000, 1]), layer("AveragePooling2D", "p", pool, &[&[("in", 0)]])];
    let found = message(read(functional(layers, &["in"], &[("p", 0)])));
    assert!(
        found.contains("layer `p`: 1000000000000 elements read by the windows of a layer"),
        "{found}"
    );
    let mut layers = vec![input("in", &[1 << 20])];
    layers.extend((0..4).map(|i| relu(&format!("r{i}"), &[])));
    let found = message(read(sequential(layers)));
    assert!(found.contains("5242880 elements of all tensors together"), "{found}");
    let layers = vec![input(&"x".repeat(1001), &[4])];
    assert!(message(read(sequential(layers))).contains("has a name of 1001 bytes"));
}
