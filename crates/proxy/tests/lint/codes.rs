//! A model for each code.

use bittrue_proxy::lint::CODES;
use ndarray::{ArrayD, arr2};
use serde_json::json;

use crate::net::{Net, net, raw};

const RELU: &str = "quantized_relu(8,3)";
const BITS: &str = "quantized_bits(8,3,alpha=1)";

/// A model that finds the code, where, and one that is alike but does not.
struct Case {
    code: &'static str,
    layer: &'static str,
    /// Part of what is said.
    says: &'static str,
    bad: Net,
    good: Net,
}

fn case(code: &'static str, layer: &'static str, says: &'static str, bad: Net, good: Net) -> Case {
    Case { code, layer, says, bad, good }
}

/// Nothing is found in it.
fn plain() -> Net {
    net(&[4]).dense("d", 4, 3).q("r", RELU).dense("e", 3, 2).q("q", BITS)
}

fn of_hgq() -> Vec<Case> {
    let kernel = |columns: [f32; 2]| -> ArrayD<f32> {
        arr2(&[[0.25, 0.5], [-0.75, 0.25], [0.5, -1.0], [0.25, 0.75]]).into_dyn()
            * &ndarray::arr1(&columns).into_dyn()
    };
    vec![
        case(
            "hgq-refuses",
            "r",
            "alpha",
            net(&[4]).dense("d", 4, 3).q("r", "quantized_bits(8,3)"),
            plain(),
        ),
        case(
            "raw-input",
            "in",
            "no quantized_bits follows the input `in`",
            raw(&[4]).dense("d", 4, 3).q("q", BITS),
            plain(),
        ),
        case(
            "ignored-attribute",
            "r",
            "use_sigmoid=1",
            net(&[4]).dense("d", 4, 3).q("r", "quantized_relu(8,3,use_sigmoid=1)"),
            plain(),
        ),
        case(
            "ignored-attribute",
            "r",
            "negative_slope=0.25",
            net(&[4]).dense("d", 4, 3).q("r", "quantized_relu(8,3,negative_slope=0.25)"),
            plain(),
        ),
        case(
            "ignored-attribute",
            "q",
            "qnoise_factor=0.5",
            net(&[4]).dense("d", 4, 3).q("q", "quantized_bits(8,3,alpha=1,qnoise_factor=0.5)"),
            plain(),
        ),
        case(
            "unused-argument",
            "r",
            "relu_upper_bound=2",
            net(&[4]).dense("d", 4, 3).q("r", "quantized_relu(8,3,relu_upper_bound=2.0)"),
            plain(),
        ),
        case(
            "unused-argument",
            "q",
            "use_stochastic_rounding=True",
            net(&[4])
                .dense("d", 4, 3)
                .q("q", "quantized_bits(8,3,alpha=1,use_stochastic_rounding=True)"),
            plain(),
        ),
        case(
            "symmetric-saturates",
            "q",
            "SAT_SYM",
            net(&[4]).dense("d", 4, 3).q("q", "quantized_bits(8,1,symmetric=1,alpha=1)"),
            plain(),
        ),
        case(
            "one-bit",
            "q",
            "-1 and +1",
            net(&[4]).dense("d", 4, 3).q("q", "quantized_bits(1,0,alpha=1)"),
            net(&[4]).dense("d", 4, 3).q("q", "quantized_bits(2,1,alpha=1)"),
        ),
        case(
            "nested-output",
            "q",
            "reads output 0 instead of output 1",
            net(&[4]).nested("two", 4, 3, 1),
            net(&[4]).nested("two", 4, 3, 0),
        ),
        case(
            "float-weights",
            "d",
            "kernel_quantizer is not set: its kernel becomes ap_",
            net(&[4]).float_dense("QDense", "d", 4, 3).q("q", BITS),
            plain(),
        ),
        case(
            "float-weights",
            "d",
            "a Dense of Keras has no quantizers: its kernel becomes ap_",
            net(&[4]).float_dense("Dense", "d", 4, 3).q("q", BITS),
            plain(),
        ),
        case(
            "alpha-wide",
            "d",
            "alpha='auto_po2': all weights together need",
            net(&[4])
                .dense_of("d", "quantized_bits(4,0,alpha='auto_po2')", kernel([1.0, 64.0]))
                .q("q", BITS),
            net(&[4])
                .dense_of("d", "quantized_bits(4,0,alpha='auto_po2')", kernel([1.0, 1.0]))
                .q("q", BITS),
        ),
        case(
            "alpha-wide",
            "d",
            "alpha=0.3: all weights together need",
            net(&[4])
                .dense_of("d", "quantized_bits(4,0,alpha=0.3)", kernel([1.0, 1.0]))
                .q("q", BITS),
            net(&[4])
                .dense_of("d", "quantized_bits(4,0,alpha=0.5)", kernel([1.0, 1.0]))
                .q("q", BITS),
        ),
        case(
            "alpha-auto",
            "d",
            "alpha='auto'",
            net(&[4])
                .dense_of("d", "quantized_bits(4,0,alpha='auto')", kernel([1.0, 1.0]))
                .q("q", BITS),
            plain(),
        ),
        case(
            "missing-quantizer",
            "d",
            "ap_fixed<21,9,TRN,WRAP>, goes into `e` as it is, whose sum is ap_fixed<",
            raw(&[4])
                .q("q_in", "quantized_bits(16,7,alpha=1)")
                .dense("d", 4, 3)
                .then("Activation", "relu", json!({"activation": "relu"}))
                .dense("e", 3, 2)
                .q("q", BITS),
            plain(),
        ),
        case(
            "missing-quantizer",
            "bn",
            "no rule of HGQ's limits its bits",
            net(&[4])
                .dense("d", 4, 3)
                .q("r", BITS)
                .batch_norm("bn", 3)
                .dense("e", 3, 2)
                .q("q", BITS),
            net(&[4])
                .dense("d", 4, 3)
                .batch_norm("bn", 3)
                .q("r", BITS)
                .dense("e", 3, 2)
                .q("q", BITS),
        ),
        case(
            "wide-type",
            "g",
            "accum_t is ap_fixed<73",
            (0..12).fold(net(&[3]), |n, i| n.dense(&format!("d{i}"), 3, 3)).dense("g", 3, 2),
            plain(),
        ),
    ]
}

fn of_quantizers() -> Vec<Case> {
    let mixed = |fine: f32| -> ArrayD<f32> { arr2(&[[31.0, fine], [31.0, fine]]).into_dyn() };
    let two = |first: Net, left: &str, right: &str| {
        first
            .clone()
            .layer("QActivation", "a", &["d"], json!({"activation": left}))
            .output()
            .layer("QActivation", "b", &["d"], json!({"activation": right}))
            .output()
    };
    vec![
        case(
            "mixed-scale",
            "q",
            "the elements have different scales",
            net(&[2])
                .dense_of("d", "quantized_bits(16,6,alpha=1)", mixed(2f32.powi(-9)))
                .q("q", "quantized_bits(24,9,alpha=1)"),
            net(&[2])
                .dense_of("d", "quantized_bits(16,6,alpha=1)", mixed(31.0))
                .q("q", "quantized_bits(24,9,alpha=1)"),
        ),
        case(
            "consecutive-quantizers",
            "q2",
            "the quantizer of `q` stands directly before it",
            net(&[4])
                .dense("d", 4, 4)
                .q("q", BITS)
                .then("Reshape", "s", json!({"target_shape": [2, 2]}))
                .q("q2", "quantized_bits(6,3,alpha=1)"),
            net(&[4]).dense("d", 4, 4).q("q", BITS).dense("e", 4, 4).q("q2", BITS),
        ),
        case(
            "finer-than-input",
            "q",
            "14 fractional bits, what it is given 8",
            net(&[4]).dense("d", 4, 3).q("q", "quantized_bits(16,1,alpha=1)"),
            net(&[4]).dense("d", 4, 3).q("q", "quantized_bits(16,9,alpha=1)"),
        ),
        case(
            "symmetric-shrink",
            "q",
            "7 integer bits, what it is given 4",
            net(&[4]).dense("d", 4, 3).q("q", "quantized_bits(10,7,symmetric=1,alpha=1)"),
            net(&[4]).dense("d", 4, 3).q("q", "quantized_bits(10,3,symmetric=1,alpha=1)"),
        ),
        case(
            "unsigned-wrap",
            "b",
            "keeps no sign, and no other reader of `d` does",
            two(
                net(&[4]).dense("d", 4, 3),
                "quantized_bits(3,1,keep_negative=0,alpha=1)",
                "quantized_bits(4,2,keep_negative=0,alpha=1)",
            ),
            two(net(&[4]).dense("d", 4, 3), BITS, "quantized_bits(4,2,keep_negative=0,alpha=1)"),
        ),
        case(
            "input-fan-out",
            "in",
            "2 quantizers read it",
            net(&[4])
                .output()
                .from("in")
                .q("b", "quantized_bits(4,2,alpha=1)")
                .dense("d", 4, 2)
                .output(),
            plain(),
        ),
        case("only-quantizers", "q_in", "nothing else stands in the proxy", net(&[4]), plain()),
    ]
}

fn of_layers() -> Vec<Case> {
    let activation = |function: serde_json::Value| {
        net(&[4]).dense("d", 4, 3).q("r", BITS).then(
            "Activation",
            "a",
            json!({"activation": function}),
        )
    };
    let relu = |arguments: serde_json::Value| {
        net(&[4]).dense("d", 4, 3).then("ReLU", "a", arguments).q("q", RELU)
    };
    let leaky = |alpha: f64| {
        net(&[4]).dense("d", 4, 3).then("LeakyReLU", "a", json!({"alpha": alpha})).q("q", BITS)
    };
    let branches = |count: usize, class: &str, name: &str, config: serde_json::Value| {
        let mut all = net(&[4]);
        let names: Vec<String> = (0..count).map(|n| format!("q{n}")).collect();
        for (n, name) in names.iter().enumerate() {
            all = all.from("q_in").dense(&format!("d{n}"), 4, 3).q(name, BITS);
        }
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        all.layer(class, name, &names, config)
    };
    let image = |first: &str| net(&[5, 5, 2]).conv("c", &[2, 2], 2, json!({})).q("q", first);
    let series = |extra: serde_json::Value| net(&[8, 2]).conv("c", &[3], 2, extra).q("q", BITS);
    let quantizer = json!({
        "class_name": "quantized_bits",
        "config": {"bits": 6, "integer": 1, "alpha": 1.0},
    });
    vec![
        case(
            "quantizer-in-keras-layer",
            "a",
            "activation is quantized_bits",
            activation(quantizer),
            activation(json!("relu")),
        ),
        case("softmax", "a", "softmax", activation(json!("softmax")), activation(json!("relu"))),
        case("table-activation", "a", "tanh", activation(json!("tanh")), activation(json!("relu"))),
        case("table-activation", "a", "sigmoid", activation(json!("sigmoid")), plain()),
        case(
            "softmax-layer",
            "a",
            "Softmax",
            net(&[4]).dense("d", 4, 3).then("Softmax", "a", json!({"axis": -1})),
            activation(json!("relu")),
        ),
        case(
            "relu-arguments",
            "a",
            "max_value=6",
            relu(json!({"max_value": 6.0})),
            relu(json!({})),
        ),
        case(
            "relu-arguments",
            "a",
            "negative_slope=0.5, threshold=1",
            relu(json!({"negative_slope": 0.5, "threshold": 1.0})),
            relu(json!({})),
        ),
        case("leaky-slope", "a", "alpha=0.3", leaky(0.3), leaky(0.25)),
        case(
            "merge-arguments",
            "s",
            "3 tensors",
            branches(3, "Add", "s", json!({})),
            branches(2, "Add", "s", json!({})),
        ),
        case(
            "concatenate-axis",
            "s",
            "axis=1",
            branches(2, "Concatenate", "s", json!({"axis": 1})),
            branches(2, "Concatenate", "s", json!({"axis": -1})),
        ),
        case(
            "layer-name",
            "op",
            "cannot be called `op`",
            branches(2, "Add", "op", json!({})),
            branches(2, "Add", "sum", json!({})),
        ),
        case(
            "layer-name",
            "axis",
            "cannot be called `axis`",
            branches(2, "Concatenate", "axis", json!({"axis": -1})),
            branches(2, "Add", "axis", json!({})),
        ),
        case(
            "layer-name",
            "epsilon",
            "cannot be called `epsilon`",
            net(&[4]).dense("d", 4, 3).batch_norm("epsilon", 3).q("q", BITS),
            net(&[4]).dense("epsilon", 4, 3).q("q", BITS),
        ),
        case(
            "layer-name",
            "perm",
            "cannot be called `perm`",
            net(&[4, 2]).then("Permute", "perm", json!({"dims": [2, 1]})),
            net(&[4, 2]).then("Permute", "p", json!({"dims": [2, 1]})),
        ),
        case(
            "global-pool",
            "g",
            "GlobalAveragePooling2D",
            image(BITS).then("GlobalAveragePooling2D", "g", json!({})),
            series(json!({})).then("GlobalAveragePooling1D", "g", json!({})),
        ),
        case(
            "no-precision-rule",
            "z",
            "ZeroPadding2D",
            image(BITS).then("ZeroPadding2D", "z", json!({"padding": [[1, 1], [1, 1]]})),
            image(BITS),
        ),
        case(
            "same-pool",
            "p",
            "values without sign",
            image(RELU).then("MaxPooling2D", "p", json!({"pool_size": [3, 3], "padding": "same"})),
            image(BITS).then("MaxPooling2D", "p", json!({"pool_size": [3, 3], "padding": "same"})),
        ),
        case(
            "same-pool",
            "p",
            "values without sign",
            image(RELU).then("MaxPooling2D", "p", json!({"pool_size": [3, 3], "padding": "same"})),
            image(RELU).then("MaxPooling2D", "p", json!({"pool_size": [2, 2], "padding": "same"})),
        ),
        case(
            "dilation",
            "c",
            "dilation_rate=[2]",
            series(json!({"dilation_rate": [2]})),
            series(json!({})),
        ),
        case(
            "causal-stride",
            "c",
            "strides=2",
            series(json!({"padding": "causal", "strides": [2]})),
            series(json!({"padding": "causal"})),
        ),
        case(
            "groups",
            "c",
            "groups=2",
            net(&[8, 4]).conv("c", &[3], 2, json!({"groups": 2})).q("q", BITS),
            series(json!({})),
        ),
    ]
}

fn of_permute() -> Vec<Case> {
    let flat = |dims: serde_json::Value| {
        net(&[2, 3, 4]).then("Permute", "p", json!({"dims": dims})).then("Flatten", "f", json!({}))
    };
    let then = |n: Net| n.dense("d", 24, 2).q("q", BITS);
    let quantized = || {
        net(&[3, 4])
            .dense("e", 4, 4)
            .then("Permute", "p", json!({"dims": [2, 1]}))
            .q("r", "quantized_bits(6,3,alpha=1)")
            .then("Flatten", "f", json!({}))
            .dense("d", 12, 2)
    };
    let read_twice = || {
        net(&[3, 4])
            .then("Permute", "p", json!({"dims": [2, 1]}))
            .then("Flatten", "f", json!({}))
            .dense("d", 12, 2)
            .output()
            .from("p")
            .dense("e", 3, 2)
            .output()
    };
    vec![
        case(
            "permute-flatten",
            "p",
            "dims=[2, 3, 1], then the Flatten of `f`",
            then(flat(json!([2, 3, 1]))),
            then(flat(json!([3, 1, 2]))),
        ),
        case(
            "permute-flatten",
            "p",
            "dims=[1, 3, 2]",
            then(flat(json!([1, 3, 2]))),
            flat(json!([1, 3, 2])).q("q", BITS),
        ),
        case("permute-flatten", "p", "the quantizer of `r`", quantized(), plain()),
        case("permute-flatten", "p", "1 other layers read it", read_twice(), plain()),
    ]
}

#[test]
fn plain_models_have_nothing() {
    assert_eq!(plain().findings(), []);
}

#[test]
fn every_case() {
    let mut wrong = Vec::new();
    for Case { code, layer, says, bad, good } in
        [of_hgq(), of_quantizers(), of_layers(), of_permute()].into_iter().flatten()
    {
        let found = bad.findings();
        let hit =
            found.iter().any(|f| f.code.name == code && f.layer == layer && f.found.contains(says));
        if !hit {
            wrong.push(format!("{code} ({says}) is not found, but {found:#?}"));
        }
        if good.codes().contains(code) {
            wrong.push(format!("{code} ({says}) is found in the good one: {:#?}", good.findings()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Codes that need a file: they have tests of their own beside the golden cases.
const OF_FILES: [&str; 2] = ["random-kernels", "narrowed-quantizer"];

#[test]
fn every_code_has_a_case() {
    let cases: Vec<&str> = [of_hgq(), of_quantizers(), of_layers(), of_permute()]
        .into_iter()
        .flatten()
        .map(|c| c.code)
        .collect();
    for code in CODES {
        let here = cases.contains(&code.name);
        assert_ne!(here, OF_FILES.contains(&code.name), "{}", code.name);
    }
}
