//! Pooling layers against Keras.

use bittrue_keras::float::pool;
use serde_json::Value;

use crate::vectors::{Vectors, bits};

fn sizes<const N: usize>(values: &Value) -> [usize; N] {
    std::array::from_fn(|i| values[i].as_u64().unwrap().try_into().unwrap())
}

/// The valid cells of window `at` along one axis.
fn cells(at: usize, input: usize, pool: usize, stride: usize, same: bool) -> Vec<usize> {
    let outputs = input.div_ceil(stride);
    let missing = ((outputs - 1) * stride + pool).saturating_sub(input);
    let before = if same { missing / 2 } else { 0 };
    (0..pool)
        .filter_map(|k| (at * stride + k).checked_sub(before))
        .filter(|&cell| cell < input)
        .collect()
}

#[test]
fn local_and_global_pooling() {
    let vectors = Vectors::open("pool");
    let mut seen = std::collections::BTreeMap::<&str, [u32; 3]>::new();
    for (number, case) in vectors.cases().iter().enumerate() {
        let name = case["layer"].as_str().unwrap();
        let [batch, height, width, channels] = sizes(&case["shape"]);
        let input = vectors.floats(&case["input"]);
        let real = vectors.floats(&case["predict"]);
        let global = name.starts_with("Global");
        let ([pool_rows, pool_columns], [stride_rows, stride_columns]) = if global {
            ([height, width], [height, width])
        } else {
            (sizes(&case["pool"]), sizes(&case["strides"]))
        };
        let same = case["padding"] == "same";
        let [rows, columns] = if global {
            [1, 1]
        } else {
            let [_, rows, columns, _] = sizes(&case["output"]);
            [rows, columns]
        };
        assert_eq!(real.len(), batch * rows * columns * channels);
        let count = seen.entry(name).or_default();
        for (flat, &real) in real.iter().enumerate() {
            let channel = flat % channels;
            let column = flat / channels % columns;
            let row = flat / channels / columns % rows;
            let event = flat / channels / columns / rows;
            let across = cells(column, width, pool_columns, stride_columns, same);
            let window: Vec<f32> = cells(row, height, pool_rows, stride_rows, same)
                .iter()
                .flat_map(|&y| across.iter().map(move |&x| (y, x)))
                .map(|(y, x)| input[((event * height + y) * width + x) * channels + channel])
                .collect();
            let place = format!("case {number} {name} element {flat}, real {real:e}: {window:?}");
            let found = match name {
                "MaxPooling" => {
                    assert_eq!(bits(pool::max(&window)), bits(real), "{place}");
                    count[0] += 1;
                    continue;
                }
                "GlobalMaxPooling" => {
                    let found = pool::global_max(&window);
                    // The sign of a zero is claimed for few cells only.
                    let claimed = window.len() < 16 || found != 0.0;
                    let equal = if claimed { bits(found) == bits(real) } else { found == real };
                    assert!(equal, "{found:e} {place}");
                    count[0] += 1;
                    continue;
                }
                "AveragePooling" => pool::average(&window),
                _ => pool::global_average_of(&window, channels),
            };
            if found.exact {
                assert_eq!(bits(found.value), bits(real), "{found:?} {place}");
                count[0] += 1;
            } else {
                // Two orders are possible, and it is one of them.
                assert!(channels > 8 && !channels.is_multiple_of(8), "{place}");
                let real = f64::from(real);
                assert!(
                    real == found.lo || real == found.hi || found.lo == f64::NEG_INFINITY,
                    "{found:?} {place}"
                );
                count[if real == f64::from(found.value) { 1 } else { 2 }] += 1;
            }
        }
    }
    println!("[exact, likelier order, other order]: {seen:?}");
    assert_eq!(seen.keys().count(), 4);
    assert!(seen.values().all(|count| count[0] > 400), "{seen:?}");
    // Both orders occur.
    assert!(
        seen["GlobalAveragePooling"][1] > 20 && seen["GlobalAveragePooling"][2] > 20,
        "{seen:?}"
    );
}
