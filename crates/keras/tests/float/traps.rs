//! The traps of QKeras: small cases with the exact results of the real software, eager, in a graph, and
//! for single elements.

use bittrue_keras::float::kernel::{Alpha, KernelQuantizer, Mode, Po2Args};
use bittrue_keras::float::{
    CurveFunction, Position, QuantizedBits, QuantizedBitsArgs, QuantizedCurve, QuantizedCurveArgs,
    QuantizedRelu, QuantizedReluArgs, add, dot, hard_sigmoid,
};
use serde_json::Value;

use crate::vectors::{bits, json};

/// What a case is run with.
enum Function {
    Elementwise(Box<dyn Fn(f32, Mode) -> f32>),
    Tensor(KernelQuantizer),
    /// Refused, naming this attribute, because QKeras raises or computes nonsense.
    Refused(&'static str),
    Skipped(&'static str),
}

/// The arguments of a quantizer's text form, by position and by name.
struct Arguments {
    positional: Vec<String>,
    named: Vec<(String, String)>,
}

impl Arguments {
    fn parse(text: &str) -> (String, Self) {
        let (name, rest) = text.split_once('(').unwrap_or((text, ")"));
        let mut arguments = Self { positional: Vec::new(), named: Vec::new() };
        for part in rest.trim_end_matches(')').split(',').filter(|part| !part.is_empty()) {
            match part.split_once('=') {
                Some((key, value)) => arguments.named.push((key.into(), value.into())),
                None => arguments.positional.push(part.into()),
            }
        }
        (name.into(), arguments)
    }

    fn text(&self, position: usize, name: &str) -> Option<&str> {
        let named = self.named.iter().find(|(key, _)| key == name).map(|(_, value)| value);
        named.or(self.positional.get(position)).map(String::as_str)
    }

    fn number(&self, position: usize, name: &str, default: f64) -> f64 {
        self.optional(position, name).unwrap_or(default)
    }

    fn optional(&self, position: usize, name: &str) -> Option<f64> {
        self.text(position, name).map(|text| match text {
            "True" => 1.0,
            "False" => 0.0,
            number => number.parse().unwrap(),
        })
    }

    fn integer(&self, position: usize, name: &str, default: i32) -> i32 {
        self.number(position, name, f64::from(default)) as i32
    }

    fn flag(&self, position: usize, name: &str, default: bool) -> bool {
        self.optional(position, name).map_or(default, |value| value != 0.0)
    }

    fn alpha(&self, position: usize) -> Alpha {
        match self.text(position, "alpha") {
            None => Alpha::None,
            Some("'auto'") => Alpha::Auto,
            Some("'auto_po2'") => Alpha::AutoPo2,
            Some(number) => Alpha::Number(number.parse().unwrap()),
        }
    }
}

fn quantized_bits(a: &Arguments) -> Function {
    let (bits, integer) = (a.integer(0, "bits", 8).cast_unsigned(), a.integer(1, "integer", 0));
    let (symmetric, keep_negative) =
        (a.flag(2, "symmetric", false), a.flag(3, "keep_negative", true));
    let qnoise_factor = a.number(7, "qnoise_factor", 1.0);
    let scale = match a.alpha(4) {
        Alpha::None => 1.0,
        Alpha::Number(number) => number as f32,
        alpha => {
            return Function::Tensor(KernelQuantizer::Bits {
                bits,
                integer,
                symmetric,
                keep_negative,
                alpha,
                qnoise_factor,
            });
        }
    };
    let args = QuantizedBitsArgs { bits, integer, symmetric, keep_negative, scale, qnoise_factor };
    match QuantizedBits::new(&args) {
        Err(error) => {
            assert_eq!(error.attribute(), "integer");
            Function::Refused("integer")
        }
        Ok(_) => Function::Elementwise(Box::new(move |x, mode| {
            QuantizedBits::with_mode(&args, mode).unwrap().apply(x)
        })),
    }
}

fn quantized_relu(a: &Arguments) -> Function {
    let args = QuantizedReluArgs {
        bits: a.integer(0, "bits", 8).cast_unsigned(),
        integer: a.integer(1, "integer", 0),
        use_sigmoid: a.flag(2, "use_sigmoid", false),
        negative_slope: a.number(3, "negative_slope", 0.0),
        relu_upper_bound: a.optional(5, "relu_upper_bound"),
        qnoise_factor: 1.0,
        is_quantized_clip: a.flag(6, "is_quantized_clip", true),
    };
    match QuantizedRelu::new(&args) {
        Err(error) => {
            assert_eq!(error.attribute(), "bits");
            Function::Refused("bits")
        }
        Ok(_) => Function::Elementwise(Box::new(move |x, mode| {
            QuantizedRelu::with_mode(&args, mode).unwrap().apply(x)
        })),
    }
}

fn function(case: &Value) -> Function {
    let id = case["id"].as_str().unwrap();
    match id {
        "qb8-use_ste-false" => return Function::Skipped("use_ste is never stored in a model"),
        "safe-eval-none" | "safe-eval-nested-paren" => {
            return Function::Skipped(
                "about the text form of quantizers, read by the model reader",
            );
        }
        "L-avgpool" | "L-qbn-default" | "L-qadaptive-first-call" => {
            return Function::Skipped("a layer; here are only functions");
        }
        _ => {}
    }
    if case["qkeras"] != "0.9.0" {
        return Function::Skipped("another dialect than QKeras 0.9.0");
    }
    let (name, a) = Arguments::parse(case["quantizer"].as_str().unwrap());
    let po2 = |max_value, quadratic, log2_rounding| Po2Args {
        bits: a.integer(0, "bits", 8).cast_unsigned(),
        max_value: a.optional(max_value, "max_value"),
        quadratic_approximation: a.flag(quadratic, "quadratic_approximation", false),
        floor: a.text(log2_rounding, "log2_rounding") == Some("'floor'"),
        qnoise_factor: 1.0,
    };
    match name.as_str() {
        "quantized_bits" => quantized_bits(&a),
        "quantized_relu" => quantized_relu(&a),
        "hard_sigmoid" => Function::Elementwise(Box::new(|x, _| hard_sigmoid(x))),
        "binary" => Function::Tensor(KernelQuantizer::Binary {
            use_01: a.flag(0, "use_01", false),
            alpha: a.alpha(1),
        }),
        "ternary" | "stochastic_ternary" => Function::Tensor(KernelQuantizer::Ternary {
            alpha: a.alpha(0),
            threshold: a.optional(1, "threshold"),
            number_of_unrolls: 5,
        }),
        "quantized_po2" => Function::Tensor(KernelQuantizer::Po2(po2(1, 3, 4))),
        "quantized_relu_po2" => Function::Tensor(KernelQuantizer::ReluPo2 {
            args: po2(1, 4, 5),
            negative_slope: a.number(2, "negative_slope", 0.0),
        }),
        "quantized_tanh" | "quantized_sigmoid" if !case["internal_sigmoid"].is_null() => {
            Function::Skipped("the internal sigmoid is never stored in a model")
        }
        "quantized_tanh" | "quantized_sigmoid" => {
            let signed = name == "quantized_tanh";
            let real = if signed {
                a.flag(3, "use_real_tanh", false)
            } else {
                a.flag(2, "use_real_sigmoid", false)
            };
            let function = match (signed, real) {
                (true, false) => CurveFunction::HardTanh,
                (true, true) => CurveFunction::Tanh,
                (false, false) => CurveFunction::HardSigmoid,
                (false, true) => CurveFunction::Sigmoid,
            };
            let bits = a.integer(0, "bits", 8).cast_unsigned();
            let symmetric = a.flag(if signed { 2 } else { 1 }, "symmetric", false);
            let args = QuantizedCurveArgs { function, bits, symmetric };
            let ready = QuantizedCurve::new(&args).unwrap();
            // The recorded tensors are shorter than a vector.
            Function::Elementwise(Box::new(move |x, _| ready.apply(x, Position::Tail)))
        }
        "quantized_ulaw" | "quantized_hswish" => {
            Function::Skipped("this activation is not supported")
        }
        other => panic!("{id}: no function {other}"),
    }
}

fn hex(list: &Value) -> Vec<f32> {
    let word = |word: &Value| match word.as_str().unwrap() {
        "nan" => f32::NAN,
        word => f32::from_bits(u32::from_str_radix(word, 16).unwrap()),
    };
    list.as_array().unwrap().iter().map(word).collect()
}

/// `predict` and single elements are recorded as "same" where they equal the eager result.
fn expected(case: &Value, name: &str) -> Vec<f32> {
    match &case[name] {
        Value::Array(_) => hex(&case[name]),
        _ => hex(&case["expected_hex"]),
    }
}

fn assert_bits(id: &str, found: &[f32], expected: &[f32]) {
    let words = |values: &[f32]| values.iter().map(|&x| bits(x)).collect::<Vec<_>>();
    assert_eq!(words(found), words(expected), "{id}: {found:?}, expected {expected:?}");
}

fn run_tensor(id: &str, case: &Value, quantizer: &KernelQuantizer) {
    let x = hex(&case["input_hex"]);
    let shape: Vec<usize> =
        case["shape"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).collect();
    let run = |mode| quantizer.quantize(&x, &shape, mode).unwrap();
    assert_bits(id, &run(Mode::Eager).values, &expected(case, "expected_hex"));
    assert_bits(id, &run(Mode::Predict).values, &expected(case, "graph_hex"));
    if case["scale_hex"].is_array() {
        assert_bits(id, &run(Mode::Eager).scale, &hex(&case["scale_hex"]));
    }
    if !case["single_element_hex"].is_null() {
        let single = |&x: &f32| quantizer.quantize(&[x], &[1], Mode::Eager).unwrap().values[0];
        let found: Vec<f32> = x.iter().map(single).collect();
        assert_bits(id, &found, &expected(case, "single_element_hex"));
    }
}

#[test]
fn quantizers() {
    let traps = json("qkeras-traps.json");
    let cases = traps["cases"].as_array().unwrap();
    let (mut run, mut refused, mut layers, mut skipped) = (0, 0, 0, 0);
    for case in cases {
        let id = case["id"].as_str().unwrap();
        if id.starts_with("L-qdense") {
            // Run by the other test.
            layers += 1;
            continue;
        }
        match function(case) {
            Function::Skipped(reason) => {
                println!("skipped {id}: {reason}");
                skipped += 1;
            }
            Function::Refused(attribute) => {
                println!("refused {id}: {attribute}");
                refused += 1;
            }
            Function::Elementwise(function) => {
                let x = hex(&case["input_hex"]);
                let apply = |mode| x.iter().map(|&x| function(x, mode)).collect::<Vec<_>>();
                assert_bits(id, &apply(Mode::Eager), &expected(case, "expected_hex"));
                assert_bits(id, &apply(Mode::Predict), &expected(case, "graph_hex"));
                run += 1;
            }
            Function::Tensor(quantizer) => {
                run_tensor(id, case, &quantizer);
                run += 1;
            }
        }
    }
    assert_eq!((run, refused, layers, skipped, cases.len()), (72, 3, 5, 25, 105));
}

#[test]
fn dense_layers() {
    let traps = json("qkeras-traps.json");
    let mut run = 0;
    for case in traps["cases"].as_array().unwrap() {
        let id = case["id"].as_str().unwrap();
        if !id.starts_with("L-qdense") {
            continue;
        }
        let config = &case["config"];
        let weight =
            |number: usize, key: &str, shape: &[usize], mode, is_kernel: bool| -> Vec<f32> {
                let stored = &case["weights"][number];
                if stored.is_null() {
                    return vec![0.0; shape[0]];
                }
                let quantizer = config_quantizer(&config[key], is_kernel);
                quantizer.quantize(&hex(&stored["hex"]), shape, mode).unwrap().values
            };
        let x = hex(&case["input_hex"]);
        for (mode, name) in [(Mode::Eager, "expected_hex"), (Mode::Predict, "graph_hex")] {
            let kernel = weight(0, "kernel_quantizer", &[3, 2], mode, true);
            let bias = weight(1, "bias_quantizer", &[2], mode, false);
            let mut found = Vec::new();
            for row in x.chunks_exact(3) {
                for (unit, &bias) in bias.iter().enumerate() {
                    let column: Vec<f32> = kernel.iter().skip(unit).step_by(2).copied().collect();
                    let sum = dot(row, &column);
                    assert!(sum.exact);
                    let sum = add(sum.value, bias);
                    let activated = config["activation"] == "hard_sigmoid";
                    found.push(if activated { hard_sigmoid(sum) } else { sum });
                }
            }
            assert_bits(id, &found, &expected(case, name));
        }
        run += 1;
    }
    assert_eq!(run, 5);
}

fn config_quantizer(entry: &Value, is_kernel: bool) -> KernelQuantizer {
    let config = &entry["config"];
    let alpha = match &config["alpha"] {
        Value::Null => Alpha::None,
        Value::String(name) if name == "auto" => Alpha::Auto,
        Value::String(name) if name == "auto_po2" => Alpha::AutoPo2,
        number => Alpha::Number(number.as_f64().unwrap()),
    };
    let truth = |value: &Value| value.as_bool().unwrap_or_else(|| value.as_i64().unwrap() != 0);
    let quantizer = match entry["class_name"].as_str().unwrap() {
        "quantized_bits" => KernelQuantizer::Bits {
            bits: u32::try_from(config["bits"].as_u64().unwrap()).unwrap(),
            integer: i32::try_from(config["integer"].as_i64().unwrap()).unwrap(),
            symmetric: truth(&config["symmetric"]),
            keep_negative: truth(&config["keep_negative"]),
            alpha,
            qnoise_factor: 1.0,
        },
        "binary" => KernelQuantizer::Binary { use_01: truth(&config["use_01"]), alpha },
        other => panic!("no quantizer {other}"),
    };
    if is_kernel { quantizer.with_kernel_rule() } else { quantizer }
}
