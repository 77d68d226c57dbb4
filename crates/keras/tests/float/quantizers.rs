//! `quantized_bits`, `quantized_relu`, the curves and HGQ's quantizer against what the real software answered.

use bittrue_fixed::{Overflow, Rounding};
use bittrue_keras::float::{
    CurveFunction, HgqQuantizer, Mode, Position, QuantizedBits, QuantizedBitsArgs, QuantizedCurve,
    QuantizedCurveArgs, QuantizedRelu, QuantizedReluArgs,
};
use serde_json::Value;

use crate::vectors::{Vectors, differences};

type Function = Box<dyn Fn(f32) -> f32>;

fn flag(config: &Value, name: &str, default: bool) -> bool {
    match &config[name] {
        Value::Null => default,
        Value::Bool(value) => *value,
        number => number.as_i64().unwrap() != 0,
    }
}

fn number(config: &Value, name: &str, default: f64) -> f64 {
    config[name].as_f64().unwrap_or(default)
}

fn integer(config: &Value, name: &str) -> i32 {
    config[name].as_i64().unwrap().try_into().unwrap()
}

fn function(case: &Value, mode: Mode) -> Function {
    let config = &case["config"];
    let bits = integer(config, "bits").cast_unsigned();
    let integer = integer(config, "integer");
    let qnoise_factor = number(config, "qnoise_factor", 1.0);
    match case["function"].as_str().unwrap() {
        "quantized_bits" => {
            let args = QuantizedBitsArgs {
                bits,
                integer,
                symmetric: flag(config, "symmetric", false),
                keep_negative: flag(config, "keep_negative", true),
                scale: number(config, "alpha", 1.0) as f32,
                qnoise_factor,
            };
            let quantizer = QuantizedBits::with_mode(&args, mode).unwrap();
            Box::new(move |x| quantizer.apply(x))
        }
        "quantized_relu" => {
            let args = QuantizedReluArgs {
                bits,
                integer,
                use_sigmoid: flag(config, "use_sigmoid", false),
                negative_slope: number(config, "negative_slope", 0.0),
                relu_upper_bound: config["relu_upper_bound"].as_f64(),
                qnoise_factor,
                is_quantized_clip: flag(config, "is_quantized_clip", true),
            };
            let quantizer = QuantizedRelu::with_mode(&args, mode).unwrap();
            Box::new(move |x| quantizer.apply(x))
        }
        other => panic!("no function {other}"),
    }
}

#[test]
fn qkeras_activations() {
    let vectors = Vectors::open("activations");
    let mut failures = Vec::new();
    let (mut elements, mut with_eager) = (0, 0);
    for case in vectors.cases() {
        let input = vectors.floats(&case["input"]);
        for (mode, name) in [(Mode::Predict, "predict"), (Mode::Eager, "eager")] {
            // `eager` is recorded where it differs.
            let expected = match &case[name] {
                Value::Null => &case["predict"],
                recorded => recorded,
            };
            with_eager += u32::from(mode == Mode::Eager && !case[name].is_null());
            let apply = function(case, mode);
            let found: Vec<f32> = input.iter().map(|&x| apply(x)).collect();
            let wrong = differences(&input, &found, &vectors.floats(expected));
            if !wrong.is_empty() {
                let (function, config) = (&case["function"], &case["config"]);
                failures.push(format!(
                    "{function} {config} {name}: {} {:#?}",
                    wrong.len(),
                    &wrong[..wrong.len().min(4)]
                ));
            }
            elements += found.len();
        }
    }
    println!("{} configurations, {elements} elements", vectors.cases().len());
    assert!(failures.is_empty(), "{} failures\n{}", failures.len(), failures.join("\n"));
    assert_eq!((vectors.cases().len(), elements), (206, 2 * 42_230));
    assert!(with_eager > 30);
}

fn curve(case: &Value) -> QuantizedCurve {
    let config = &case["config"];
    let function = match case["function"].as_str().unwrap() {
        "quantized_tanh" if flag(config, "use_real_tanh", false) => CurveFunction::Tanh,
        "quantized_tanh" => CurveFunction::HardTanh,
        "quantized_sigmoid" if flag(config, "use_real_sigmoid", false) => CurveFunction::Sigmoid,
        "quantized_sigmoid" => CurveFunction::HardSigmoid,
        other => panic!("no function {other}"),
    };
    let bits = integer(config, "bits").cast_unsigned();
    let symmetric = flag(config, "symmetric", false);
    QuantizedCurve::new(&QuantizedCurveArgs { function, bits, symmetric }).unwrap()
}

#[test]
fn qkeras_curves() {
    let vectors = Vectors::open("curves");
    let mut failures = Vec::new();
    let (mut elements, mut with_tail) = (0, 0);
    for case in vectors.cases() {
        let input = vectors.floats(&case["input"]);
        let quantizer = curve(case);
        // A batch is 32 events of one element: a direct call gives what `predict` gives.
        assert!(case["eager"].is_null());
        let in_batch = |at: usize| {
            let start = at - at % 32;
            Position::of(at - start, (input.len() - start).min(32))
        };
        let tail = if case["tail"].is_null() { &case["predict"] } else { &case["tail"] };
        with_tail += usize::from(!case["tail"].is_null());
        let run = |place: &dyn Fn(usize) -> Position| -> Vec<f32> {
            input.iter().enumerate().map(|(at, &x)| quantizer.apply(x, place(at))).collect()
        };
        for (name, found, expected) in [
            ("predict", run(&in_batch), &case["predict"]),
            ("tail", run(&|_| Position::Tail), tail),
        ] {
            let wrong = differences(&input, &found, &vectors.floats(expected));
            if !wrong.is_empty() {
                failures.push(format!(
                    "{} {} {name}: {} {:#?}",
                    case["function"],
                    case["config"],
                    wrong.len(),
                    &wrong[..wrong.len().min(4)]
                ));
            }
            elements += found.len();
        }
    }
    println!("{} configurations, {elements} elements, {with_tail}", vectors.cases().len());
    assert!(failures.is_empty(), "{} failures\n{}", failures.len(), failures.join("\n"));
    assert_eq!(vectors.cases().len(), 132);
    assert!(with_tail >= 16);
}

#[test]
fn hgq_quantizers() {
    let vectors = Vectors::open("hgq");
    let mut failures = Vec::new();
    let mut elements = 0;
    for case in vectors.cases() {
        let rounding: Rounding = case["rounding"].as_str().unwrap().parse().unwrap();
        let overflow: Overflow = case["overflow"].as_str().unwrap().parse().unwrap();
        let quantizer = HgqQuantizer::new(
            integer(case, "keep_negative") == 1,
            integer(case, "bits").cast_unsigned(),
            integer(case, "integers"),
            rounding,
            overflow,
        )
        .unwrap();
        let input = vectors.floats(&case["input"]);
        let found: Vec<f32> = input.iter().map(|&x| quantizer.apply(x)).collect();
        let wrong = differences(&input, &found, &vectors.floats(&case["predict"]));
        if !wrong.is_empty() {
            failures.push(format!("{case}: {} {:#?}", wrong.len(), &wrong[..wrong.len().min(4)]));
        }
        elements += found.len();
    }
    println!("{} configurations, {elements} elements", vectors.cases().len());
    assert!(failures.is_empty(), "{} failures\n{}", failures.len(), failures.join("\n"));
    assert_eq!((vectors.cases().len(), elements), (298, 22_946));
}
