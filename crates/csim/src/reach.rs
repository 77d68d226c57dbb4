//! Which results depend on which elements of the arguments.

use bittrue_model::{Firmware, OUTSIDE};

/// For each result whether it depends on a marked element. Marks are `[element, lane]`.
pub(crate) fn reach(op: &Firmware, marks: &[Vec<bool>], lanes: usize) -> Vec<bool> {
    let x = marks.first().map_or(&[][..], Vec::as_slice);
    let rows = |rows: &[u32], terms: usize, units: usize| {
        let mut all = Vec::new();
        for row in rows.chunks(terms.max(1)) {
            let of_lane =
                |lane: usize| row.iter().any(|&e| e != OUTSIDE && x[e as usize * lanes + lane]);
            for _ in 0..units {
                all.extend((0..lanes).map(of_lane));
            }
        }
        all
    };
    match op {
        Firmware::Input { .. } => Vec::new(),
        Firmware::Sum(s) => rows(&s.rows, s.terms, s.units),
        Firmware::Pool(p) => rows(&p.rows, p.terms, 1),
        Firmware::Copy(index) => {
            let of = |&e: &u32| x[e as usize * lanes..(e as usize + 1) * lanes].iter().copied();
            index.iter().flat_map(of).collect()
        }
        Firmware::Softmax(_) => {
            (0..x.len()).map(|at| (0..x.len() / lanes).any(|e| x[e * lanes + at % lanes])).collect()
        }
        Firmware::Merge(_) | Firmware::UnsignedExtreme(_) => {
            let y = &marks[1];
            (0..x.len()).map(|at| x[at] || y[at % y.len()]).collect()
        }
        Firmware::Concatenate(parts) => {
            let columns: Vec<&[bool]> = marks.iter().map(Vec::as_slice).collect();
            crate::node::concatenate(&columns, *parts, lanes)
        }
        Firmware::Cast(_)
        | Firmware::CastEach(_)
        | Firmware::Affine { .. }
        | Firmware::Relu
        | Firmware::LeakyRelu(_)
        | Firmware::ThresholdedRelu(_)
        | Firmware::Curve { .. }
        | Firmware::Elu { .. }
        | Firmware::Table { .. } => x.to_vec(),
    }
}
