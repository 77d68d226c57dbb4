//! Dot products against TensorFlow's matrix products.

use bittrue_keras::float::add;
use bittrue_keras::float::dot::{DotKernel, DotRow, dot};
use serde_json::Value;

use crate::vectors::{Vectors, bits};

fn size(case: &Value, name: &str) -> usize {
    case[name].as_u64().unwrap().try_into().unwrap()
}

#[test]
fn dense_products() {
    let vectors = Vectors::open("dot");
    let (mut exact, mut chain, mut elsewhere) = (0_u32, 0_u32, 0_u32);
    for case in vectors.cases() {
        let (terms, columns) = (size(case, "terms"), size(case, "columns"));
        let input = vectors.floats(&case["input"]);
        let kernel = vectors.floats(&case["kernel"]);
        let expected = vectors.floats(&case["predict"]);
        let prepared = DotKernel::new(&kernel, columns);
        assert_eq!((prepared.terms(), prepared.columns()), (terms, columns));
        for (r, x) in input.chunks_exact(terms).enumerate() {
            let row = DotRow::from_slice(x);
            for c in 0..columns {
                let found = prepared.dot(&row, c);
                let column: Vec<f32> = kernel.iter().skip(c).step_by(columns).copied().collect();
                let alone = dot(x, &column);
                assert_eq!(bits(found.value), bits(alone.value));
                assert_eq!(found.exact, alone.exact);

                let real = expected[r * columns + c];
                let place = format!(
                    "{}: row {r} {x:?} column {column:?}: {found:?}, real {real:e}",
                    case["kernel_kind"]
                );
                if found.exact {
                    // The sign of a zero is not claimed; adding a zero takes it away.
                    assert_eq!(bits(found.value), bits(add(real, 0.0)), "{place}");
                    exact += 1;
                } else {
                    let wide = f64::from(real);
                    assert!(real.is_nan() || (found.lo <= wide && wide <= found.hi), "{place}");
                    if bits(found.value) == bits(real) {
                        chain += 1;
                    } else {
                        // A product with one column is another kernel; all others are FMA chains.
                        assert_eq!(columns, 1, "{place}");
                        elsewhere += 1;
                    }
                }
            }
        }
    }
    println!(
        "{exact} exact, {chain} in the band and equal to the FMA chain, {elsewhere} in the band"
    );
    assert!(exact > 4_000 && chain > 4_000 && elsewhere > 50);
}
