//! Changes of a model's configuration, as somebody who knows the format makes them.

use std::fs;
use std::path::Path;
use std::str::FromStr;

use hdf5::File;
use hdf5::types::VarLenUnicode;
use serde_json::{Map, Value, json};

use crate::corpus::Entry;
use crate::random::Random;

/// A good model file with another configuration; `None` where the file has none.
pub(crate) fn change(random: &mut Random, entry: &Entry, scratch: &Path) -> Option<Vec<u8>> {
    let path = scratch.join("configured.h5");
    fs::write(&path, &entry.bytes).ok()?;
    let mut config = bittrue_io::read_keras(&path).ok()?.model_config;
    let file = File::open_rw(&path).ok()?;
    for _ in 0..1 + random.below(3) {
        once(random, &mut config);
    }
    file.delete_attr("model_config").ok()?;
    let text = VarLenUnicode::from_str(&config.to_string()).ok()?;
    file.new_attr::<VarLenUnicode>().create("model_config").ok()?.write_scalar(&text).ok()?;
    file.close().ok()?;
    fs::read(&path).ok()
}

/// Changes one value, wherever it is.
fn once(random: &mut Random, config: &mut Value) {
    let mut all = Vec::new();
    places(config, String::new(), &mut all);
    let place = random.of(&all).clone();
    let other = random.of(&all).clone();
    let copy = config.pointer(&other).cloned().unwrap_or(Value::Null);
    let Some(value) = config.pointer_mut(&place) else { return };
    match random.below(8) {
        0..3 => *value = any(random, 0),
        // A value of another place, such as one layer's quantizer for another's.
        3..5 => *value = copy,
        5 => match value {
            Value::Array(items) if !items.is_empty() => {
                let item = items[random.below(items.len())].clone();
                let times = *random.of(&[1, 1, 1, 40, 3000]);
                items.extend(std::iter::repeat_n(item, times));
            }
            Value::String(text) => *text = text.repeat(*random.of(&[0, 2, 50, 3000])),
            Value::Number(n) => {
                let f = n.as_f64().unwrap_or(0.0);
                *value = json!(random.of(&[-f, f + 1.0, f - 1.0, f * 1e9, f / 3.0]));
            }
            other => *other = any(random, 0),
        },
        6 => match value {
            Value::Array(items) if !items.is_empty() => {
                items.remove(random.below(items.len()));
            }
            Value::Object(map) => {
                let keys: Vec<String> = map.keys().cloned().collect();
                if !keys.is_empty() {
                    map.shift_remove(random.of(&keys));
                }
            }
            other => *other = Value::Null,
        },
        _ => match value {
            Value::Object(map) => {
                map.insert(text(random), any(random, 0));
            }
            other => {
                let mut deep = other.take();
                for _ in 0..*random.of(&[1, 2, 70, 130]) {
                    deep = json!([deep]);
                }
                *other = deep;
            }
        },
    }
}

/// Pointers to all values.
fn places(value: &Value, path: String, found: &mut Vec<String>) {
    let below = |key: &str| format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
    match value {
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                places(item, below(&n.to_string()), found);
            }
        }
        Value::Object(map) => {
            for (key, item) in map {
                places(item, below(key), found);
            }
        }
        _ => {}
    }
    found.push(path);
}

fn text(random: &mut Random) -> String {
    const TEXTS: [&str; 20] = [
        "",
        "in",
        "kernel_quantizer",
        "quantized_bits(8,0,alpha='auto')",
        "quantized_relu(6,2",
        "quantized_po2(4,max_value=1)",
        "quantized_bits(1e999)",
        "((((((((",
        "Sequential",
        "Functional",
        "Dense",
        "QConv2D",
        "Concatenate",
        "AveragePooling2D",
        "ZeroPadding2D",
        "HGQ>FixedPointQuantizer",
        "same",
        "causal",
        "batch_input_shape",
        "\u{0}\u{fffd}\n",
    ];
    (*random.of(&TEXTS)).to_owned()
}

fn any(random: &mut Random, depth: usize) -> Value {
    match random.below(if depth < 3 { 9 } else { 7 }) {
        0 => Value::Null,
        1 => json!(random.once_in(2)),
        2 => json!(random.below(9)),
        3 => json!(random.of(&[-1, 0, 64, 1000, 1 << 20, i64::from(i32::MAX), i64::MIN, i64::MAX])),
        4 => json!(random.of(&[0.5, -0.0, 1e-300, 1e300, 3.5e38, 1.000_000_1])),
        5 | 6 => json!(text(random)),
        7 => (0..random.below(4)).map(|_| any(random, depth + 1)).collect(),
        _ => {
            let pairs = (0..random.below(4)).map(|_| (text(random), any(random, depth + 1)));
            Value::Object(pairs.collect::<Map<String, Value>>())
        }
    }
}
