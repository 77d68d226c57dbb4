//! Counting differences of integers: no bands, no flags, nothing that is not finite.

use std::sync::Arc;

use bittrue_block::{LaneBlock, LaneInt, Lanes};
use bittrue_engine::BlockResult;
use bittrue_record::{Difference, LayerCounts};

/// Raws are brought to a common grid by at most this shift.
const MAX_SHIFT: u32 = 20;

/// Counts one layer and marks the lanes in which it has a mismatch; `false`, with nothing done, where
/// a tensor does not hold integers.
pub(super) fn layer(
    part: &BlockResult,
    reference: &Arc<LaneBlock>,
    target: &Arc<LaneBlock>,
    own: Option<&Arc<LaneBlock>>,
    counts: &mut LayerCounts,
    differs: &mut [bool],
) -> bool {
    let same = |a: &Arc<LaneBlock>| Arc::ptr_eq(reference, a);
    if same(target) && own.is_none_or(same) && !matches!(reference.data, Lanes::Real(_)) {
        return true;
    }
    // Without a layer of its own everything is inherited.
    let tensors = [reference, target, own.unwrap_or(reference)];
    let Some(grid) = tensors.iter().try_fold(i32::MIN, |f, t| Some(f.max(fractional(t)?))) else {
        return false;
    };
    let shift =
        |t: &LaneBlock| u32::try_from(grid - fractional(t)?).ok().filter(|&s| s <= MAX_SHIFT);
    let Some(shifts) = tensors.iter().map(|t| shift(t)).collect::<Option<Vec<u32>>>() else {
        return false;
    };
    let lanes = reference.lanes;
    let mut rows = [(); 3].map(|()| vec![0_i64; lanes]);
    let mut first: Vec<Option<usize>> = vec![None; lanes];
    let mut largest = 0;
    for element in 0..reference.elements {
        for ((row, tensor), &shift) in rows.iter_mut().zip(tensors).zip(&shifts) {
            read(tensor, element, shift, row);
        }
        let [reference, target, own] = &rows;
        if reference == target && reference == own {
            continue;
        }
        for lane in (0..lanes).filter(|&l| !part.skip[l]) {
            let is_own = own[lane] != reference[lane];
            counts.own_mismatches += u64::from(is_own);
            if reference[lane] == target[lane] {
                continue;
            }
            counts.mismatches += 1;
            counts.inherited_mismatches += u64::from(!is_own);
            largest = largest.max(reference[lane].abs_diff(target[lane]));
            differs[lane] = true;
            first[lane].get_or_insert(element);
        }
    }
    let place = |(lane, element): (usize, &Option<usize>)| {
        element.map(|e| Difference { event: part.rows[lane], index: e as u64 })
    };
    let earliest = first.iter().enumerate().filter_map(place).min_by_key(|d| (d.event, d.index));
    if let Some(here) = earliest
        && counts.first.as_ref().is_none_or(|d| (here.event, here.index) < (d.event, d.index))
    {
        counts.first = Some(here);
    }
    let difference = largest as f64 * 2f64.powi(-grid);
    counts.max_abs_diff = counts.max_abs_diff.max(difference);
    true
}

/// Fractional bits of a tensor of integers.
fn fractional(tensor: &LaneBlock) -> Option<i32> {
    match tensor.data {
        Lanes::I16 { fractional, .. }
        | Lanes::I32 { fractional, .. }
        | Lanes::I64 { fractional, .. } => Some(fractional),
        Lanes::Real(_) => None,
    }
}

/// The raws of one element in all lanes, on a finer grid.
fn read(tensor: &LaneBlock, element: usize, shift: u32, row: &mut [i64]) {
    fn from<T: LaneInt>(raw: &[T], shift: u32, row: &mut [i64]) {
        for (to, &raw) in row.iter_mut().zip(raw) {
            *to = raw.into() << shift;
        }
    }
    let span = element * tensor.lanes..(element + 1) * tensor.lanes;
    match &tensor.data {
        Lanes::I16 { raw, .. } => from(&raw[span], shift, row),
        Lanes::I32 { raw, .. } => from(&raw[span], shift, row),
        Lanes::I64 { raw, .. } => from(&raw[span], shift, row),
        Lanes::Real(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use bittrue_block::RealLanes;

    use super::*;

    /// Integers and the same values as reals are counted alike.
    #[test]
    fn equals_the_count_of_reals() {
        let mut state = 1_u64;
        let mut next = |n: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % n
        };
        let mut differences = 0;
        for _ in 0..200 {
            let (elements, lanes) = (1 + next(4) as usize, 1 + next(9) as usize);
            let base: Vec<i64> = (0..elements * lanes).map(|_| next(9) as i64 - 4).collect();
            let mut tensor = |fractional: i32, wide: bool| {
                let raw: Vec<i64> = base
                    .iter()
                    .map(|v| (v << fractional) + i64::from(next(4) == 0) * next(3) as i64)
                    .collect();
                let value = raw.iter().map(|&r| r as f64 * 2f64.powi(-fractional)).collect();
                let data = match wide {
                    true => Lanes::I64 { raw, fractional },
                    false => {
                        Lanes::I16 { raw: raw.iter().map(|&r| r as i16).collect(), fractional }
                    }
                };
                let real = Lanes::Real(RealLanes { value, band: None });
                [data, real].map(|data| Arc::new(LaneBlock { elements, lanes, data }))
            };
            let [a, b, c] = [tensor(0, false), tensor(2, true), tensor(2, false)];
            let part = BlockResult {
                rows: (0..lanes as u64).map(|l| 100 - l).collect(),
                skip: (0..lanes).map(|l| l % 5 == 3).collect(),
                legs: Vec::new(),
            };
            for own in [None, Some(&c)] {
                let [integers, reals] = [0, 1].map(|n| {
                    let mut counts = LayerCounts::default();
                    let mut differs = vec![false; lanes];
                    let own = own.map(|o| &o[n]);
                    super::super::layer(&part, &a[n], &b[n], own, &mut counts, &mut differs);
                    (counts, differs)
                });
                assert_eq!(integers, reals);
                differences += integers.0.mismatches;
            }
        }
        assert!(differences > 100);
    }
}
