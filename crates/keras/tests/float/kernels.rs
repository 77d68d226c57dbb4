//! Weight quantizers on more than a thousand tensors against QKeras in both modes, through check sums over
//! weights that both sides generate (`scripts/oracle/quantizers/make_kernel_vectors.py`).

use bittrue_keras::float::kernel::{Alpha, KernelQuantizer, Mode, Po2Args};
use flate2::Crc;
use serde_json::Value;

use crate::vectors::{bits, json, mixed};

fn weights(kind: &str, seed: u32, shape: &[usize]) -> Vec<f32> {
    let channels = shape[shape.len() - 1];
    (0..shape.iter().product::<usize>())
        .map(|i| {
            let start = seed.wrapping_mul(1_000_003).wrapping_add(4 * i as u32);
            let uniform = |k| f64::from(mixed(start.wrapping_add(k)) >> 8) / 16_777_216.0 - 0.5;
            let bell = ((uniform(0) + uniform(1)) + uniform(2)) + uniform(3);
            let column = i % channels;
            (match kind {
                "bell" => bell,
                "small" => bell / 128.0,
                "heavy" => bell * bell * bell * 8.0,
                "grid" => (bell * 16.0).floor() / 16.0,
                "zeros" if column.is_multiple_of(3) => 0.0,
                "zeros" => bell,
                "ties" => {
                    let k = (column % 27) as i32 - 13;
                    let bits = 0x3fb5_04f3 + (k << 23) + (column * 7 % 81) as i32 - 40;
                    let sign = if (i / channels).is_multiple_of(2) { 1.0 } else { -1.0 };
                    sign * f64::from(f32::from_bits(bits.cast_unsigned()))
                }
                other => panic!("no kind {other}"),
            }) as f32
        })
        .collect()
}

fn quantizer(described: &Value) -> KernelQuantizer {
    let unsigned = |name: &str| described[name].as_u64().map(|value| u32::try_from(value).unwrap());
    let alpha = match &described["alpha"] {
        Value::String(name) if name == "auto" => Alpha::Auto,
        Value::String(name) if name == "auto_po2" => Alpha::AutoPo2,
        Value::Null => Alpha::None,
        number => Alpha::Number(number.as_f64().unwrap()),
    };
    let po2 = || Po2Args {
        bits: unsigned("bits").unwrap(),
        max_value: described["max_value"].as_f64(),
        quadratic_approximation: described["quadratic_approximation"].as_bool().unwrap(),
        floor: described["log2_rounding"] == "floor",
        qnoise_factor: 1.0,
    };
    match described["function"].as_str().unwrap() {
        "quantized_bits" => KernelQuantizer::Bits {
            bits: unsigned("bits").unwrap(),
            integer: unsigned("integer").unwrap().cast_signed(),
            symmetric: unsigned("symmetric").unwrap_or(0) == 1,
            keep_negative: described["keep_negative"].as_bool().unwrap_or(true),
            alpha,
            qnoise_factor: 1.0,
        },
        "binary" | "stochastic_binary" => KernelQuantizer::Binary {
            use_01: described["use_01"].as_bool().unwrap_or(false),
            alpha,
        },
        "ternary" | "stochastic_ternary" => KernelQuantizer::Ternary {
            alpha,
            threshold: described["threshold"].as_f64(),
            number_of_unrolls: unsigned("number_of_unrolls").unwrap_or(5),
        },
        "quantized_po2" => KernelQuantizer::Po2(po2()),
        "quantized_relu_po2" => KernelQuantizer::ReluPo2 {
            args: po2(),
            negative_slope: described["negative_slope"].as_f64().unwrap(),
        },
        other => panic!("no function {other}"),
    }
}

#[test]
fn every_case() {
    let recorded = json("kernels.json");
    let cases = recorded["cases"].as_array().unwrap();
    let (mut failures, mut differing) = (Vec::new(), 0);
    for case in cases {
        let entry = |table: &str, column: usize| {
            &recorded[table][usize::try_from(case[column].as_u64().unwrap()).unwrap()]
        };
        let (described, shape) = (entry("quantizers", 0), entry("shapes", 1));
        let shape: Vec<usize> =
            shape.as_array().unwrap().iter().map(|axis| axis.as_u64().unwrap() as usize).collect();
        let (kind, seed) = (case[2].as_str().unwrap(), case[3].as_u64().unwrap());
        let values = weights(kind, u32::try_from(seed).unwrap(), &shape);
        // A bias keeps an alpha of None; in a kernel it means auto_po2.
        let mut quantizer = quantizer(described);
        if shape.len() > 1 {
            quantizer = quantizer.with_kernel_rule();
        }
        differing += u32::from(case[4] != case[5]);
        for (mode, column) in [(Mode::Eager, 4), (Mode::Predict, 5)] {
            let result = quantizer.quantize(&values, &shape, mode).unwrap();
            assert!(result.certain);
            let mut crc = Crc::new();
            for value in result.values {
                crc.update(&bits(value + 0.0).to_le_bytes());
            }
            if u64::from(crc.sum()) != case[column].as_u64().unwrap() {
                failures.push(format!("{mode:?} {described} {kind} {seed} {shape:?}"));
            }
        }
    }
    println!("{} cases, {differing} in which the modes differ", cases.len());
    assert!(failures.is_empty(), "{}\n{}", failures.len(), failures.join("\n"));
    assert_eq!((cases.len(), differing), (1_144, 173));
}
