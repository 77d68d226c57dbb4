//! Poolings.

use bittrue_model::{FirmwarePool, OUTSIDE, PoolKind};

use crate::Tensor;
use crate::tensor::{convert, up_shift};

pub(crate) fn pool(p: &FirmwarePool, x: &Tensor) -> Tensor {
    let lanes = x.lanes;
    let fractional = p.accum.fractional();
    let mut raw = Vec::new();
    for row in p.rows.chunks(p.terms.max(1)) {
        for lane in 0..lanes {
            let cells = row.iter().map(|&e| match e {
                OUTSIDE => None,
                e => Some(x.raw[e as usize * lanes + lane]),
            });
            raw.push(match p.kind {
                PoolKind::Max => maximum(p, cells, x.fractional),
                PoolKind::Average => average(p, cells, x.fractional),
            });
        }
    }
    Tensor { raw, fractional, lanes }
}

/// Padding takes part as the number whose highest bit alone is set: the lowest one of a signed type,
/// and the middle of the range of an unsigned one (M3).
fn maximum(p: &FirmwarePool, cells: impl Iterator<Item = Option<i128>>, fractional: i32) -> i128 {
    let padding = up_shift(p.padding.raw[0].into(), fractional - p.padding.fractional);
    let most = cells.map(|c| c.unwrap_or(padding)).max().unwrap_or(0);
    convert(&p.accum, most, fractional)
}

/// The sum in the accumulator, divided as integers: towards zero.
fn average(p: &FirmwarePool, cells: impl Iterator<Item = Option<i128>>, fractional: i32) -> i128 {
    let (mut sum, mut count) = (0, 0);
    for value in cells.flatten() {
        count += 1;
        let term = up_shift(value, p.accum.fractional() - fractional);
        sum = convert(&p.accum, sum + term, p.accum.fractional());
    }
    if count == 0 {
        return 0;
    }
    convert(&p.accum, sum / count, p.accum.fractional())
}

#[cfg(test)]
mod tests {
    use bittrue_fixed::FixedType;
    use bittrue_model::Raws;

    use super::*;

    fn run(kind: PoolKind, accum: &str, padding: i64, x: &[i128]) -> Vec<i128> {
        let accum: FixedType = accum.parse().expect("a type");
        let p = FirmwarePool {
            kind,
            rows: vec![OUTSIDE, 0, 1, 2].into(),
            terms: 2,
            padding: Raws { raw: vec![padding], fractional: 2 },
            accum,
        };
        pool(&p, &Tensor { raw: x.to_vec(), fractional: 2, lanes: 1 }).raw
    }

    /// M3: padding beats small values of an unsigned type.
    #[test]
    fn padding_in_a_maximum() {
        assert_eq!(run(PoolKind::Max, "ap_ufixed<4,2>", 8, &[3, 5, 2]), [8, 5]);
        assert_eq!(run(PoolKind::Max, "ap_fixed<4,2>", -8, &[-3, 5, 2]), [-3, 5]);
    }

    #[test]
    fn an_average_counts_cells_and_rounds_towards_zero() {
        assert_eq!(run(PoolKind::Average, "ap_fixed<8,6>", 0, &[-3, 4, -7]), [-3, -1]);
        // With one more fractional bit the half is kept.
        assert_eq!(run(PoolKind::Average, "ap_fixed<9,6>", 0, &[-3, 4, -7]), [-6, -3]);
    }
}
