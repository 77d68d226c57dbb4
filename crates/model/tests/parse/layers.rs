//! One layer at a time: what each class makes of its configuration and weights.

use crate::keras::*;
use bittrue_fixed::{Overflow, Rounding};
use bittrue_model::parse::from_keras;
use bittrue_model::{
    Activation, Alpha, Concatenate, Curve, Layer, LayerKind, LedgerUse, QuantizedBits,
    QuantizedCurve, QuantizedRelu, Quantizer,
};
use serde_json::{Value, json};

const DENSE: &[(&str, &[usize])] = &[("l/kernel:0", &[4, 3]), ("l/bias:0", &[3])];

fn one(class: &str, config: Value, tensors: &[(&str, &[usize])]) -> Layer {
    read_one(class, config, tensors).unwrap().layers[1].clone()
}

fn q_activation(activation: Value) -> Result<Activation, String> {
    let read = read_one("QActivation", json!({"activation": activation}), &[]);
    match read {
        Ok(model) => match &model.layers[1].kind {
            LayerKind::QActivation(activation) => Ok(activation.clone()),
            other => panic!("{other:?}"),
        },
        Err(e) => Err(format!("{e} [{}]", e.help().unwrap_or_default())),
    }
}

fn bits(bits: i64, integer: i64) -> QuantizedBits {
    QuantizedBits { bits, integer, alpha: Alpha::Number(1.0), ..QuantizedBits::default() }
}

fn is_bits(expected: QuantizedBits) -> Result<Activation, String> {
    Ok(Activation::Quantizer(Quantizer::QuantizedBits(expected)))
}

fn is_relu(expected: QuantizedRelu) -> Result<Activation, String> {
    Ok(Activation::Quantizer(Quantizer::QuantizedRelu(expected)))
}

#[test]
fn quantizers_as_text() {
    assert_eq!(q_activation(json!("quantized_bits(8, 3, alpha=1)")), is_bits(bits(8, 3)));
    assert_eq!(
        q_activation(json!("quantized_bits(7,1,1,False,2.5,True,qnoise_factor=0.5)")),
        is_bits(QuantizedBits {
            symmetric: 1,
            keep_negative: false,
            alpha: Alpha::Number(2.5),
            use_stochastic_rounding: true,
            qnoise_factor: 0.5,
            ..bits(7, 1)
        })
    );
    assert_eq!(
        q_activation(json!("quantized_bits(4,0,1,(1))")),
        is_bits(QuantizedBits::default()),
        "a second bracket takes all arguments away"
    );
    assert_eq!(
        q_activation(json!("quantized_bits(8,0,alpha='auto_po2')")),
        is_bits(QuantizedBits { alpha: Alpha::AutoPo2, ..bits(8, 0) })
    );
    assert_eq!(q_activation(json!("quantized_relu")), is_relu(QuantizedRelu::default()));
    assert_eq!(
        q_activation(json!("quantized_relu(5,1,1,0.25,0,6.0)")),
        is_relu(QuantizedRelu {
            bits: 5,
            integer: 1,
            use_sigmoid: true,
            negative_slope: 0.25,
            use_stochastic_rounding: false,
            relu_upper_bound: Some(6.0),
            qnoise_factor: 1.0,
        })
    );
    for (text, complaint) in [
        ("quantized_bits(8,0,alpha=auto)", "layer `l`, activation.alpha: \"ut\""),
        ("quantized_bits(8,0,alpha=None)", "leave alpha=None out"),
        ("quantized_bits(8,0,None)", "activation.symmetric"),
        ("quantized_bits(8,0,keep_negative=false)", "activation.keep_negative"),
        ("quantized_bits(0)", "0 is out of range; supported are 1 to 64"),
        ("quantized_bits(nan)", "bits=NaN is not finite"),
        ("quantized_bits(1,2,3,4,5,6,7,8,9,10,11,12)", "unknown argument `number 12`"),
        ("quantized_bits(8,bits=6)", "argument `bits` twice"),
        ("quantized_bits(wrong=1)", "unknown argument `wrong`; known are bits, integer"),
        ("quantized_bits(8", "QKeras cannot parse"),
        ("quantized_bits(8,use_ste=False)", "activation.use_ste"),
        ("quantized_bits(8,scale_axis=1)", "activation.scale_axis"),
        ("quantized_relu(6,is_quantized_clip=False)", "activation.is_quantized_clip"),
        ("quantized_relu(6,0,0,0.3)", "neither 0 nor a power of two"),
        ("quantized_relu(6,0,0,-0.5)", "neither 0 nor a power of two"),
        ("quantized_relu(6,0,2)", "expected true, false, 0 or 1"),
        ("quantized_ulaw(4)", "`quantized_ulaw(4)` is not supported; supported: quantized_bits"),
        ("relu(6)", "`relu(6)` is not supported"),
        (" quantized_bits(4)", "` quantized_bits(4)` is not supported"),
        ("hard_sigmoid", "supported functions: linear, relu, softmax, sigmoid, tanh"),
    ] {
        let found = q_activation(json!(text)).unwrap_err();
        assert!(found.contains(complaint), "{text}: {found}");
    }
}

#[test]
fn curves() {
    let is = |q: QuantizedCurve| Ok(Activation::Quantizer(Quantizer::QuantizedCurve(q)));
    let tanh = QuantizedCurve::new(Curve::Tanh);
    let sigmoid = QuantizedCurve::new(Curve::Sigmoid);
    // The two constructors have their arguments in different orders.
    for (text, expected) in [
        ("quantized_tanh", tanh.clone()),
        (
            "quantized_tanh(6,1)",
            QuantizedCurve { bits: 6, use_stochastic_rounding: true, ..tanh.clone() },
        ),
        ("quantized_tanh(6,0,1)", QuantizedCurve { bits: 6, symmetric: true, ..tanh.clone() }),
        ("quantized_tanh(6,0,0,1)", QuantizedCurve { bits: 6, real: true, ..tanh.clone() }),
        ("quantized_tanh(use_real_tanh=True)", QuantizedCurve { real: true, ..tanh.clone() }),
        ("quantized_sigmoid()", sigmoid.clone()),
        ("quantized_sigmoid(6,1)", QuantizedCurve { bits: 6, symmetric: true, ..sigmoid.clone() }),
        ("quantized_sigmoid(6,0,1)", QuantizedCurve { bits: 6, real: true, ..sigmoid.clone() }),
        (
            "quantized_sigmoid(6,0,0,1)",
            QuantizedCurve { bits: 6, use_stochastic_rounding: true, ..sigmoid.clone() },
        ),
    ] {
        assert_eq!(q_activation(json!(text)), is(expected), "{text}");
    }
    let object = |class: &str, config| json!({"class_name": class, "config": config});
    assert_eq!(
        q_activation(object(
            "quantized_sigmoid",
            json!({"bits": 4, "symmetric": true, "use_real_sigmoid": true, "use_stochastic_rounding": false})
        )),
        is(QuantizedCurve { bits: 4, symmetric: true, real: true, ..sigmoid })
    );
    for (class, config, complaint) in [
        ("quantized_tanh", json!({"bits": 0}), "0 is out of range"),
        ("quantized_tanh", json!({"symmetric": 2}), "activation.symmetric: expected true, false"),
        (
            "quantized_tanh",
            json!({"use_real_sigmoid": true}),
            "activation.use_real_sigmoid: unknown argument with value true; known are bits, symmetric, \
             use_real_tanh, use_stochastic_rounding",
        ),
        ("quantized_sigmoid", json!({"use_real_tanh": true}), "use_real_tanh: unknown argument"),
        ("quantized_sigmoid", json!({"integer": 1}), "integer: unknown argument"),
    ] {
        let found = q_activation(object(class, config)).unwrap_err();
        assert!(found.contains(complaint), "{class}: {found}");
    }
}

#[test]
fn quantizers_as_objects() {
    let new = quantized_bits(10, 4);
    let old = json!({"class_name": "quantized_bits", "__passive_serialization__": true,
        "config": {"bits": 10, "integer": 4, "alpha": 1, "symmetric": false}});
    assert_eq!(q_activation(new), is_bits(bits(10, 4)));
    assert_eq!(q_activation(old), is_bits(bits(10, 4)));
    assert_eq!(
        q_activation(json!({"class_name": "quantized_relu"})),
        is_relu(QuantizedRelu::default())
    );
    for (object, complaint) in [
        (json!({"config": {}}), "activation.class_name: is missing"),
        (json!({"class_name": "quantized_bits", "config": 3}), "expected an object, found 3"),
        (
            json!({"class_name": "bernoulli", "config": {}}),
            "quantizer `bernoulli` is not supported",
        ),
        (json!({"class_name": "quantized_bits", "note": 1}), "activation.note: unknown argument"),
        (
            json!({"class_name": "quantized_bits", "config": {"beta": 2}}),
            "activation.beta: unknown argument with value 2; known are bits",
        ),
        (
            json!({"class_name": "quantized_bits", "config": {"bits": "8"}}),
            "activation.bits: expected an integer, found \"8\"",
        ),
        (
            json!({"class_name": "quantized_bits", "config": {"post_training_scale": 0.5}}),
            "activation.post_training_scale: 0.5 is not supported; supported: null",
        ),
        (json!(17), "expected a quantizer as object or text, found 17"),
        (json!(null), "activation: is missing"),
    ] {
        let found = q_activation(object).unwrap_err();
        assert!(found.contains(complaint), "{found}");
    }
}

#[test]
fn scales() {
    let with = |alpha: Value| {
        q_activation(json!({"class_name": "quantized_bits", "config": {"alpha": alpha}})).map(|a| {
            match a {
                Activation::Quantizer(Quantizer::QuantizedBits(q)) => q.alpha,
                other => panic!("{other:?}"),
            }
        })
    };
    let array = |shape: &[usize], values: &[f32]| {
        Ok(Alpha::Array(ndarray::ArrayD::from_shape_vec(shape, values.to_vec()).unwrap()))
    };
    assert_eq!(with(json!(null)), Ok(Alpha::None));
    assert_eq!(with(json!(0.3)), Ok(Alpha::Number(0.3)));
    assert_eq!(with(json!(true)), Ok(Alpha::Number(1.0)));
    assert_eq!(with(json!("auto")), Ok(Alpha::Auto));
    assert_eq!(with(json!([0.5, 1])), array(&[2], &[0.5, 1.0]));
    assert_eq!(with(json!([[0.5], [0.25]])), array(&[2, 1], &[0.5, 0.25]));
    assert_eq!(
        with(json!({"class_name": "__tuple__", "items": [1.0, 2.0]})),
        array(&[2], &[1.0, 2.0])
    );
    for (class, value, what) in [
        ("__numpy__", json!([1.0, 2.0]), "a NumPy array ("),
        ("__numpy__", json!(1.0), "a NumPy array ("),
        ("__tensor__", json!(0.5), "a tensor ("),
    ] {
        let wrapped = json!({"class_name": class, "config": {"value": value, "dtype": "float64"}});
        let found = with(wrapped).unwrap_err();
        assert!(found.contains("activation.alpha: ") && found.contains(what), "{found}");
    }
    for bad in [
        json!("on"),
        json!([]),
        json!([[]]),
        json!([1, [2]]),
        json!([[1, 2], [3]]),
        json!(["1"]),
        json!([1e300]),
        json!({"value": 1}),
        json!({"class_name": "__numpy__", "config": {}}),
    ] {
        let found = with(bad.clone()).unwrap_err();
        assert!(found.contains("activation.alpha"), "{bad}: {found}");
    }
}

#[test]
fn keras_activations_are_no_calls() {
    let read = |activation: Value| {
        read_one("Activation", json!({"activation": activation}), &[]).map(|m| m.layers[1].clone())
    };
    for (name, expected) in [
        ("linear", Activation::Linear),
        ("relu", Activation::Relu),
        ("softmax", Activation::Softmax),
        ("sigmoid", Activation::Sigmoid),
        ("tanh", Activation::Tanh),
        ("elu", Activation::Elu),
    ] {
        assert_eq!(read(json!(name)).unwrap().kind, LayerKind::Activation(expected));
    }
    assert_eq!(
        read(quantized_bits(8, 0)).unwrap().kind,
        LayerKind::Activation(is_bits(bits(8, 0)).unwrap())
    );
    for bad in ["quantized_bits(8)", "quantized_relu", "selu", "Relu"] {
        assert!(message(read(json!(bad))).contains(&format!("`{bad}` is not supported")));
    }
}

#[test]
fn dense() {
    let layer = one("QDense", q_dense(3), DENSE);
    let LayerKind::Dense(dense) = &layer.kind else { panic!("{layer:?}") };
    assert!(dense.quantized);
    assert_eq!(dense.kernel.shape(), [4, 3]);
    assert_eq!(dense.bias.as_ref().map(|b| b.len()), Some(3));
    assert_eq!(dense.kernel_quantizer, Some(Quantizer::QuantizedBits(bits(6, 0))));
    assert_eq!(dense.activation, Activation::Linear);

    // Keras' own Dense, with names that have no prefix or no number.
    let plain = json!({"units": 3, "activation": "relu", "use_bias": false});
    for name in ["kernel", "kernel:0", "other/name/kernel:0"] {
        let layer = one("Dense", plain.clone(), &[(name, &[4, 3])]);
        let LayerKind::Dense(dense) = &layer.kind else { panic!("{layer:?}") };
        assert_eq!((dense.quantized, &dense.bias), (false, &None));
        assert_eq!(dense.activation, Activation::Relu);
    }
    let mut with_function = q_dense(3);
    with_function["kernel_quantizer"] = json!("linear");
    let mut none = q_dense(3);
    none["kernel_quantizer"] = json!(null);
    let layer = one("QDense", none, DENSE);
    assert!(matches!(layer.kind, LayerKind::Dense(d) if d.kernel_quantizer.is_none()));
    for (config, tensors, complaint) in [
        (with_function, DENSE, "quantizer `linear` is not supported"),
        (q_dense(5), DENSE, "kernel has shape [4, 3], expected [input, 5]"),
        (q_dense(3), &DENSE[..1], "ends in `bias`, found l/kernel:0"),
        (q_dense(3), &[], "ends in `kernel`, found no weights at all"),
        (
            q_dense(3),
            &[("kernel:0", &[4, 3]), ("bias:0", &[4])],
            "bias has shape [4], expected [3]",
        ),
        (q_dense(3), &[("kernel:0", &[12]), ("bias:0", &[3])], "expected [input, 3]"),
        (
            q_dense(3),
            &[("a/kernel:0", &[4, 3]), ("b/kernel:0", &[4, 3]), ("bias:0", &[3])],
            "`a/kernel:0` and `b/kernel:0` both end in `kernel`",
        ),
        (
            q_dense(3),
            &[("kernel:0", &[4, 3]), ("bias:0", &[3]), ("extra:0", &[2])],
            "weights `extra:0` of shape [2] are not understood",
        ),
        (q_dense(3), &[("kernel:0", &[5, 3]), ("bias:0", &[3])], "last axis must have length 5"),
        (q_dense(0), DENSE, "0 is out of range"),
    ] {
        let found = message(read_one("QDense", config, tensors));
        assert!(found.contains(complaint), "{found}");
    }
}

#[test]
fn weights_must_be_finite() {
    let layers = vec![input("in", &[4]), layer("QDense", "l", q_dense(3), &[&[("in", 0)]])];
    let config = functional(layers, &["in"], &[("l", 0)]);
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut group = weights("l", DENSE);
        group.tensors[0].1[[2, 1]] = bad;
        group.tensors[0].1[[3, 0]] = bad;
        let found = message(from_keras(&file(config.clone(), vec![group])));
        assert!(found.contains(&format!("`l/kernel:0` hold {bad} at index [2, 1]")), "{found}");
    }
}

#[test]
fn simple_layers() {
    let shape = |class: &str, config: Value| {
        let model = read_one(class, config, &[]).unwrap();
        (model.layers[1].kind.clone(), model.calls[1].shape.clone())
    };
    assert_eq!(shape("Flatten", json!({})), (LayerKind::Flatten, vec![4]));
    assert_eq!(
        shape("Reshape", json!({"target_shape": [2, -1]})),
        (LayerKind::Reshape, vec![2, 2])
    );
    assert_eq!(
        shape("Reshape", json!({"target_shape": {"class_name": "__tuple__", "items": [2, 2]}})),
        (LayerKind::Reshape, vec![2, 2])
    );
    assert_eq!(shape("Dropout", json!({"rate": 0.5, "seed": null})).0, LayerKind::Dropout);
    assert_eq!(shape("LeakyReLU", json!({"alpha": 0.3})).0, LayerKind::LeakyRelu { alpha: 0.3 });
    for axis in [json!(-1), json!(1), json!([-1])] {
        assert_eq!(shape("Softmax", json!({"axis": axis})).0, LayerKind::Softmax);
    }
    let (kind, _) = shape("ReLU", json!({"max_value": 6.0, "negative_slope": 0.5}));
    assert!(matches!(kind, LayerKind::Relu(r)
        if r.max_value == Some(6.0) && r.negative_slope == 0.5 && r.threshold == 0.0));
    for (class, config, complaint) in [
        ("Flatten", json!({"data_format": "channels_first"}), "supported: \"channels_last\", null"),
        ("Reshape", json!({}), "target_shape: is missing"),
        ("Reshape", json!({"target_shape": [3]}), "does not fit an argument of shape [4]"),
        ("Reshape", json!({"target_shape": "no"}), "expected a list of integers"),
        ("LeakyReLU", json!({}), "alpha: is missing"),
        ("ReLU", json!({"max_value": "6"}), "max_value: expected a number, found \"6\""),
        ("ReLU", json!({"threshold": -1}), "threshold: -1 is negative"),
        ("Softmax", json!({"axis": [1, 2]}), "axis: [1,2] is not supported"),
        ("Softmax", json!({"axis": 0}), "softmax over axis 0"),
        ("Flatten", json!({"dtype": "float16"}), "dtype: \"float16\" is not supported"),
        ("Flatten", json!({"surprise": [1, 2]}), "surprise: unknown argument with value [1,2]"),
        ("GRU", json!({}), "class `GRU` is not supported; supported: InputLayer, QActivation"),
        ("TFOpLambda", json!({}), "use a layer of Keras instead"),
    ] {
        let found = message(read_one(class, config, &[]));
        assert!(found.contains(complaint), "{found}");
        assert!(found.starts_with("layer `l`"), "{found}");
    }
}

#[test]
fn inputs() {
    let read = |shape: Value| {
        let mut entry = input("in", &[]);
        entry["config"]["batch_input_shape"] = shape;
        from_keras(&file(functional(vec![entry], &["in"], &[("in", 0)]), vec![]))
    };
    assert_eq!(read(json!([null, 3, 2])).unwrap().calls[0].shape, [3, 2]);
    assert_eq!(read(json!([null])).unwrap().calls[0].shape, [0; 0]);
    assert_eq!(read(json!([1, 11])).unwrap().calls[0].shape, [11]);
    for (shape, complaint) in [
        (json!([null, null, 3]), "[null,null,3] has a dimension that is not fixed"),
        (json!([null, 0]), "[null,0] has a dimension of size 0"),
        (json!([]), "expected a shape with the batch"),
        (json!([null, 1u64 << 40]), "out of bounds"),
    ] {
        let found = message(read(shape));
        assert!(found.contains(complaint), "{found}");
    }
    let mut sparse = input("in", &[4]);
    sparse["config"]["sparse"] = json!(true);
    let found = message(from_keras(&file(functional(vec![sparse], &["in"], &[("in", 0)]), vec![])));
    assert!(found.contains("sparse: true is not supported; supported: false"), "{found}");
}

#[test]
fn concatenation_knows_its_event_axis() {
    let build = |axis: Value| {
        let layers = vec![
            input("a", &[3, 2]),
            input("b", &[3, 2]),
            layer("Concatenate", "cat", json!({"axis": axis}), &[&[("a", 0), ("b", 0)]]),
        ];
        let model = from_keras(&file(functional(layers, &["a", "b"], &[("cat", 0)]), vec![]))?;
        Ok::<_, bittrue_model::ModelError>((
            model.layers[2].kind.clone(),
            model.calls[2].shape.clone(),
        ))
    };
    let cat = |axis, event_axis| LayerKind::Concatenate(Concatenate { axis, event_axis });
    assert_eq!(build(json!(-1)).unwrap(), (cat(-1, 1), vec![3, 4]));
    assert_eq!(build(json!(1)).unwrap(), (cat(1, 0), vec![6, 2]));
    assert_eq!(build(json!(2)).unwrap(), (cat(2, 1), vec![3, 4]));
    assert!(message(build(json!(0))).contains("axis 0 is the batch"));
}

const FPQ: &[(&str, &[usize])] =
    &[("keep_negative:0", &[1]), ("bits:0", &[1]), ("integers:0", &[1])];

fn fixed_point_quantizer(config: Value, values: [f32; 3]) -> Result<Layer, String> {
    let mut all = json!({"trainable": false, "RND": "RND_CONV", "SAT": "SAT", "shape": [1],
        "overrides": {"layers": {}}, "fusible": true});
    merge(&mut all, config);
    let layers =
        vec![input("in", &[4]), layer("HGQ>FixedPointQuantizer", "q", all, &[&[("in", 0)]])];
    let mut group = weights("q", FPQ);
    for (tensor, value) in group.tensors.iter_mut().zip(values) {
        tensor.1.fill(value);
    }
    let config = functional(layers, &["in"], &[("q", 0)]);
    match from_keras(&file(config, vec![group])) {
        Ok(model) => Ok(model.layers[1].clone()),
        Err(e) => Err(e.to_string()),
    }
}

#[test]
fn proxy_quantizer() {
    let layer = fixed_point_quantizer(json!({}), [1.0, 8.0, 3.0]).unwrap();
    let LayerKind::FixedPointQuantizer(q) = layer.kind else { panic!("{layer:?}") };
    assert_eq!((q.keep_negative[[0]], q.bits[[0]], q.integers[[0]]), (1, 8, 3));
    assert_eq!((q.rounding, q.overflow), (Rounding::RndConv, Overflow::Sat));

    for (config, values, complaint) in [
        (json!({"RND": "rnd"}), [1.0, 8.0, 3.0], "RND: \"rnd\" is not supported; supported: TRN"),
        (json!({"SAT": "AP_SAT"}), [1.0, 8.0, 3.0], "SAT: \"AP_SAT\" is not supported"),
        (json!({"shape": [2]}), [1.0, 8.0, 3.0], "keep_negative has shape [1], expected [2]"),
        (json!({"fusible": false}), [1.0, 8.0, 3.0], "fusible: is false in the file, but true"),
        (json!({}), [2.0, 8.0, 3.0], "keep_negative is 2 at index [0]"),
        (
            json!({}),
            [1.0, -1.0, 3.0],
            "bits is -1 at index [0]; supported are the integers 0 to 127",
        ),
        (json!({}), [1.0, 8.5, 3.0], "bits is 8.5"),
    ] {
        let found = fixed_point_quantizer(config, values).unwrap_err();
        assert!(found.contains(complaint), "{found}");
    }
    // Missing modes are HGQ's defaults.
    let layers = vec![
        input("in", &[4]),
        crate::keras::layer("FixedPointQuantizer", "q", json!({"shape": [1]}), &[&[("in", 0)]]),
    ];
    let model =
        from_keras(&file(functional(layers, &["in"], &[("q", 0)]), vec![weights("q", &[])]));
    assert!(message(model).contains("expected the weights keep_negative, bits, integers"));
    let mut swapped =
        weights("q", &[("bits:0", &[1]), ("keep_negative:0", &[1]), ("integers:0", &[1])]);
    let layers = |calls: &[&[(&str, u64)]]| {
        let q = crate::keras::layer("FixedPointQuantizer", "q", json!({"shape": [1]}), calls);
        functional(vec![input("in", &[4]), q], &["in"], &[("q", 0)])
    };
    let found = message(from_keras(&file(layers(&[&[("in", 0)]]), vec![swapped.clone()])));
    assert!(found.contains("in this order, found bits, keep_negative, integers"), "{found}");
    swapped.tensors.swap(0, 1);
    for tensor in &mut swapped.tensors {
        tensor.1.fill(1.0);
    }
    let model = from_keras(&file(layers(&[&[("in", 0)]]), vec![swapped.clone()])).unwrap();
    let LayerKind::FixedPointQuantizer(q) = &model.layers[1].kind else { panic!() };
    assert_eq!((q.rounding, q.overflow), (Rounding::Trn, Overflow::Wrap));
    let twice = from_keras(&file(layers(&[&[("in", 0)], &[("q", 0)]]), vec![swapped]));
    assert!(message(twice).contains("is called 2 times; HGQ allows one call"));
}

#[test]
fn proxy_quantizer_per_element() {
    let build = |shape: &[usize], event: &[u64], fusible: bool| {
        let names = ["keep_negative:0", "bits:0", "integers:0"];
        let tensors: Vec<(&str, &[usize])> = names.iter().map(|n| (*n, shape)).collect();
        let mut group = weights("q", &tensors);
        group.tensors[0].1.fill(1.0);
        for (i, v) in group.tensors[1].1.iter_mut().enumerate() {
            *v = 4.0 + i as f32;
        }
        group.tensors[2].1.fill(2.0);
        let config = json!({"shape": shape, "fusible": fusible});
        let layers = vec![
            input("in", event),
            layer("HGQ>FixedPointQuantizer", "q", config, &[&[("in", 0)]]),
        ];
        match from_keras(&file(functional(layers, &["in"], &[("q", 0)]), vec![group])) {
            Ok(model) => match &model.layers[1].kind {
                LayerKind::FixedPointQuantizer(q) => Ok(q.bits.clone()),
                other => panic!("{other:?}"),
            },
            Err(e) => Err(e.to_string()),
        }
    };
    // The axis of the batch goes, the others stay.
    assert_eq!(build(&[1, 4], &[4], false).unwrap().shape(), [4]);
    assert_eq!(build(&[1, 2, 4], &[2, 4], false).unwrap().shape(), [2, 4]);
    assert_eq!(build(&[4], &[2, 4], false).unwrap().shape(), [4]);
    assert_eq!(build(&[], &[2, 4], true).unwrap().shape(), [0; 0]);
    assert!(build(&[3], &[4], false).unwrap_err().contains("does not broadcast"));
    assert!(build(&[4], &[4], true).unwrap_err().contains("true in the file, but false"));
}

#[test]
fn pruning_wrappers_come_off() {
    let wrapped = |mask: &[f32], extra: Value| {
        let inner = json!({"module": "keras.layers", "class_name": "Dense", "registered_name": null,
            "config": {"name": "fc", "trainable": true, "dtype": "float32", "units": 2,
                "activation": "linear", "use_bias": false}});
        let mut config = json!({"layer": inner, "pruning_schedule": {"class_name": "X"},
            "block_size": [1, 1], "block_pooling_type": "AVG"});
        merge(&mut config, extra);
        let name = "prune_low_magnitude_fc";
        let layers =
            vec![input("in", &[1]), layer("PruneLowMagnitude", name, config, &[&[("in", 0)]])];
        let mut group = weights(
            name,
            &[
                ("p/kernel:0", &[1, 2]),
                ("p/mask:0", &[1, 2]),
                ("p/threshold:0", &[]),
                ("p/pruning_step:0", &[]),
            ],
        );
        group.tensors[0].1[[0, 1]] = 0.0;
        group.tensors[1].1.assign(&ndarray::arr2(&[[mask[0], mask[1]]]).into_dyn());
        from_keras(&file(functional(layers, &["in"], &[(name, 0)]), vec![group]))
    };
    let model = wrapped(&[1.0, 0.0], json!({})).unwrap();
    assert_eq!(
        (model.layers[1].name.as_str(), model.layers[1].class_name.as_str()),
        ("fc", "Dense")
    );
    assert_eq!(model.calls[1].shape, [2]);
    let keys: Vec<&str> = model.ledger.entries().iter().map(|e| e.key.as_str()).collect();
    assert!(keys.contains(&"pruning_schedule") && keys.contains(&"units"), "{keys:?}");
    let found = message(wrapped(&[0.0, 1.0], json!({})));
    assert!(
        found.contains("has not been applied to the kernel (first at flat index 0)"),
        "{found}"
    );
    let found = message(wrapped(&[1.0, 0.0], json!({"layer": 3})));
    assert!(found.contains("layer: expected a layer, found 3"), "{found}");
    let found = message(wrapped(&[1.0, 0.0], json!({"novelty": 3})));
    assert!(found.contains("novelty: unknown argument"), "{found}");
}

#[test]
fn training_arguments_are_in_the_ledger() {
    let model = read_one("QDense", q_dense(3), DENSE).unwrap();
    let of = |key: &str| {
        let entry = model.ledger.entries().iter().find(|e| e.layer == "l" && e.key == key);
        entry.unwrap_or_else(|| panic!("{key}")).used
    };
    for key in ["units", "use_bias", "kernel_quantizer.bits", "bias_quantizer.qnoise_factor"] {
        assert_eq!(of(key), LedgerUse::Consumed, "{key}");
    }
    for key in ["trainable", "kernel_initializer", "kernel_constraint", "bias_range"] {
        assert_eq!(of(key), LedgerUse::TrainingOnly, "{key}");
    }
    assert_eq!(of("kernel_quantizer.module"), LedgerUse::Inert);
}
