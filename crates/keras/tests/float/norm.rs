//! BatchNormalization against Keras.

use bittrue_keras::float::{
    Banded, BatchNorm, BatchNormKind, QuantizedBits, QuantizedBitsArgs, QuantizedRelu,
    QuantizedReluArgs, activations, batch_norm::RSQRT_STEPS,
};
use serde_json::Value;

use crate::vectors::{Vectors, bits, json};

fn sizes(values: &Value) -> Vec<usize> {
    values.as_array().unwrap().iter().map(|v| v.as_u64().unwrap().try_into().unwrap()).collect()
}

/// For each element in C order the index of its parameters.
fn parameter_of(shape: &[usize], axes: &[usize]) -> Vec<usize> {
    (0..shape.iter().product())
        .map(|mut flat| {
            let (mut parameter, mut step) = (0, 1);
            for axis in (0..shape.len()).rev() {
                if axes.contains(&axis) {
                    parameter += flat % shape[axis] * step;
                    step *= shape[axis];
                }
                flat /= shape[axis];
            }
            parameter
        })
        .collect()
}

/// What reads the normalisation inside the recorded model.
fn reader(name: &str) -> Box<dyn Fn(f32) -> f32> {
    match name {
        "alone" | "flatten" => Box::new(|x| x),
        "relu" => Box::new(activations::relu),
        "quantized_relu(6,2)" => {
            let args = QuantizedReluArgs {
                bits: 6,
                integer: 2,
                use_sigmoid: false,
                negative_slope: 0.0,
                relu_upper_bound: None,
                qnoise_factor: 1.0,
                is_quantized_clip: true,
            };
            let quantizer = QuantizedRelu::new(&args).unwrap();
            Box::new(move |x| quantizer.apply(x))
        }
        "quantized_bits(8,3,alpha=1)" => {
            let args = QuantizedBitsArgs {
                bits: 8,
                integer: 3,
                symmetric: false,
                keep_negative: true,
                scale: 1.0,
                qnoise_factor: 1.0,
            };
            let quantizer = QuantizedBits::new(&args).unwrap();
            Box::new(move |x| quantizer.apply(x))
        }
        other => panic!("no reader {other}"),
    }
}

#[test]
fn every_kind_of_normalisation() {
    let vectors = Vectors::open("norm");
    let mut seen = std::collections::BTreeMap::<String, [u32; 3]>::new();
    for (number, case) in vectors.cases().iter().enumerate() {
        let (shape, axes) = (sizes(&case["shape"]), sizes(&case["axes"]));
        let name = case["kind"].as_str().unwrap();
        let optional = |key: &str| case[key].as_array().map(|_| vectors.floats(&case[key]));
        let norm = BatchNorm {
            gamma: optional("gamma"),
            beta: optional("beta"),
            mean: vectors.floats(&case["mean"]),
            variance: vectors.floats(&case["variance"]),
            epsilon: case["epsilon"].as_f64().unwrap() as f32,
        };
        let kind = if name == "alone" {
            BatchNormKind::of(shape.len(), &axes)
        } else {
            BatchNormKind::Convolution
        };
        let prepared = norm.prepare(kind).unwrap();
        let read = reader(name);
        let input = vectors.floats(&case["input"]);
        let real = vectors.floats(&case["predict"]);
        let parameters = parameter_of(&shape, &axes);
        assert_eq!((input.len(), real.len()), (parameters.len(), parameters.len()));
        let whole_vectors = prepared.channels() - prepared.channels() % 8;
        let certain = matches!(kind, BatchNormKind::Fused | BatchNormKind::FusedFirst);
        let count = seen.entry(format!("{kind:?}")).or_default();
        for ((&x, &real), &parameter) in input.iter().zip(&real).zip(&parameters) {
            let Banded { value, lo, hi } = prepared.apply(x, parameter);
            let found = Banded { value: read(value), lo: read(lo), hi: read(hi) };
            let place = format!(
                "case {number} {name} {kind:?} {x:e} [{parameter}]: {found:?}, real {real:e}"
            );
            if found.is_exact() {
                assert_eq!(bits(found.value), bits(real), "{place}");
                count[0] += 1;
            } else {
                assert!(!certain && parameter < whole_vectors, "{place}");
                assert!(found.lo <= real && real <= found.hi, "{place}");
                count[if bits(found.value) == bits(real) { 1 } else { 2 }] += 1;
            }
        }
    }
    println!("[exact, in the band and equal, in the band]: {seen:?}");
    assert_eq!(vectors.cases().len(), 76);
    let kinds: Vec<&str> = seen.keys().map(String::as_str).collect();
    assert_eq!(kinds, ["Composed", "Convolution", "Fused", "FusedFirst", "FusedVolume"]);
    assert!(seen.values().all(|count| count[0] > 200), "{seen:?}");
    assert!(seen["Composed"][1] > 1_000 && seen["Convolution"][1] > 1_000);
}

#[test]
fn the_band_holds_every_measured_rsqrt() {
    let recorded = json("functions.json");
    let steps = recorded["rsqrt_steps"].as_object().unwrap();
    let largest = steps.keys().map(|k| k.parse::<i32>().unwrap().unsigned_abs()).max();
    assert_eq!(largest, Some(RSQRT_STEPS));
    let samples: u64 = steps.values().map(|n| n.as_u64().unwrap()).sum();
    assert!(samples >= 4_000_000);
}
