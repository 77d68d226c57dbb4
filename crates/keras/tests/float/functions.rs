//! tanh, exp, sigmoid, ELU and softmax against millions of TensorFlow's results, through check sums over
//! inputs that both sides generate (`scripts/oracle/quantizers/measure_functions.py`).

use bittrue_keras::float::activations::{
    FUSED_TANH_ULP, elu, exp, fused_elu, fused_sigmoid, leaky_relu, relu, sigmoid, tanh,
};
use bittrue_keras::float::softmax::softmax_row;
use bittrue_keras::float::{Position, add, div, mul};
use flate2::Crc;
use serde_json::Value;

use crate::vectors::{bits, json, mixed};

const COUNT: u32 = 1 << 20;
/// Per row length and scale.
const SOFTMAX_COUNT: u32 = 1 << 17;
const BLOCK: usize = 1 << 16;

fn patterns() -> Vec<f32> {
    (0..COUNT).map(|k| f32::from_bits(k.wrapping_mul(4099))).collect()
}

fn grid() -> Vec<f32> {
    (0..COUNT).map(|k| (k.cast_signed() - (1 << 19)) as f32 / 16384.0).collect()
}

fn rows(columns: u32, scale: f64) -> Vec<f32> {
    let word = |k| f64::from(mixed(columns * 7919 + k) >> 8);
    (0..SOFTMAX_COUNT / columns * columns)
        .map(|k| ((word(k) / 16_777_216.0 - 0.5) * scale) as f32)
        .collect()
}

/// Pairs whose result lies around 2^-126, where it is flushed or not, with significands that round up.
fn borderline(operation: &str) -> Vec<(f32, f32)> {
    const SIGNIFICANDS: [u32; 6] = [0, 1, 0x7f_ffff, 0x7f_fffe, 0x40_0000, 0x3f_ffff];
    let assemble = |field: i32, choice: u32, sign: u32| {
        let fraction = if choice % 8 < 6 { SIGNIFICANDS[choice as usize % 6] } else { choice >> 9 };
        let field = field.clamp(0, 254).cast_unsigned();
        f32::from_bits(((sign & 1) << 31) | (field << 23) | fraction)
    };
    (0..COUNT)
        .map(|k| {
            let word = |start: u32| mixed((start * COUNT).wrapping_add(k));
            let near = (word(0) % 5).cast_signed() - 2;
            let small = |word: u32, range: u32| (word % range).cast_signed();
            let (x, y) = match operation {
                "add" => (1 + small(word(1), 26), 1 + small(word(1) >> 8, 26)),
                "mul" => {
                    let x = 1 + small(word(1), 120);
                    (x, 128 + near - x)
                }
                _ => {
                    let y = 129 + small(word(1), 120);
                    (y - 126 + near, y)
                }
            };
            (assemble(x, word(2), word(0) >> 8), assemble(y, word(3), word(0) >> 9))
        })
        .collect()
}

#[test]
fn arithmetic_around_the_smallest_normal_number() {
    let recorded = json("functions.json");
    for (name, function) in [("add", add as fn(f32, f32) -> f32), ("mul", mul), ("div", div)] {
        let results: Vec<f32> = borderline(name).iter().map(|&(x, y)| function(x, y)).collect();
        assert_eq!(wrong_blocks(&results, &recorded["crc32"][name]), [0; 0], "{name}");
        let flushed = results.iter().filter(|x| **x == 0.0).count();
        let kept = results.iter().filter(|x| x.abs() == f32::MIN_POSITIVE).count();
        assert!(flushed > 5_000 && kept > 100, "{name}: {flushed}, {kept}");
    }
}

/// The numbers of the blocks of 65,536 results whose check sum is not the recorded one.
fn wrong_blocks(results: &[f32], recorded: &Value) -> Vec<usize> {
    let recorded = recorded.as_array().unwrap();
    assert_eq!(recorded.len(), results.len().div_ceil(BLOCK));
    results
        .chunks(BLOCK)
        .zip(recorded)
        .enumerate()
        .filter(|(_, (block, sum))| {
            let mut crc = Crc::new();
            for &result in *block {
                crc.update(&bits(result).to_le_bytes());
            }
            u64::from(crc.sum()) != sum.as_u64().unwrap()
        })
        .map(|(i, _)| i)
        .collect()
}

#[test]
fn elementwise_functions() {
    let recorded = json("functions.json");
    let mut failures = Vec::new();
    for (inputs, x) in [("patterns", patterns()), ("grid", grid())] {
        for (place, position) in [("body", Position::Body), ("tail", Position::Tail)] {
            let functions: [(&str, &dyn Fn(f32) -> f32); 6] = [
                ("tanh", &tanh),
                ("exp", &|x| exp(x, position).value),
                ("sigmoid", &|x| sigmoid(x, position).value),
                ("elu", &|x| elu(x, position).value),
                ("relu", &relu),
                ("leaky_relu", &|x| leaky_relu(x, 0.3)),
            ];
            for (name, function) in functions {
                if name == "relu" && position == Position::Tail {
                    // There it keeps denormals, which is not reproduced.
                    continue;
                }
                let results: Vec<f32> = x.iter().map(|&x| function(x)).collect();
                let key = format!("{name}/{place}/{inputs}");
                let wrong = wrong_blocks(&results, &recorded["crc32"][&key]);
                if !wrong.is_empty() {
                    failures.push(format!("{key}: blocks {wrong:?}"));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn softmax_rows() {
    let recorded = json("functions.json");
    let mut failures = Vec::new();
    for columns in [1_u32, 2, 3, 5, 8, 10, 16, 17, 33, 100] {
        for scale in [8, 100, 400] {
            let mut results = Vec::new();
            for row in rows(columns, f64::from(scale)).chunks_exact(columns as usize) {
                let result = softmax_row(row, row, row);
                // Up to 16 values the vector length of the CPU does not matter.
                assert!(columns > 16 || result.iter().all(|element| element.is_exact()));
                results.extend(result.iter().map(|element| element.value));
            }
            let key = format!("softmax/{columns}/{scale}");
            let wrong = wrong_blocks(&results, &recorded["crc32"][&key]);
            if !wrong.is_empty() {
                failures.push(format!("{key}: blocks {wrong:?}"));
            }
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn functions_inside_the_kernel_of_a_dense_layer() {
    let recorded = json("functions.json");
    let functions = [("elu", fused_elu as fn(f32) -> f32), ("sigmoid", fused_sigmoid)];
    for (name, function) in functions {
        let results: Vec<f32> = grid().iter().map(|&x| function(x)).collect();
        let key = format!("{name}/behind dense/grid");
        assert_eq!(wrong_blocks(&results, &recorded["crc32"][&key]), [0; 0], "{name}");
    }
    let measured = recorded["ulp"]["tanh behind dense"].as_object().unwrap();
    assert_eq!(measured.len(), 3);
    for (kind, entry) in measured {
        assert!(entry["body"].as_f64().unwrap() < FUSED_TANH_ULP, "{kind} {entry}");
    }
}
