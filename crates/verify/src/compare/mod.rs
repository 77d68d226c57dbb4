//! Counting differences in a block: values by bits, own against inherited, ambiguous bands, and
//! where the reference itself is not one number.

mod exact;

use std::sync::Arc;

use bittrue_block::{Flag, LaneBlock, Lanes};
use bittrue_engine::BlockResult;
use bittrue_model::CallId;
use bittrue_record::{ComparisonCounts, Difference, LayerCounts};

/// What is compared between two legs.
#[derive(Debug)]
pub(crate) struct Scope {
    /// The leg that counts as right; that of the run is 0.
    pub(crate) reference: usize,
    /// The leg that is held against it.
    pub(crate) target: usize,
    /// The aligned layers that both legs form, in report order.
    pub(crate) calls: Vec<CallId>,
    /// For each of them whether it is an output.
    pub(crate) is_output: Vec<bool>,
    /// For each of them the elements of one event.
    pub(crate) elements: Vec<u64>,
}

/// The counts of events that agree everywhere.
pub(crate) fn agreeing(events: u64, scope: &Scope) -> ComparisonCounts {
    let layer = |&n: &u64| LayerCounts { elements: events * n, ..LayerCounts::default() };
    let layers = scope.elements.iter().map(layer).collect();
    ComparisonCounts { layers, events, ..ComparisonCounts::default() }
}

/// How two values that the legs give for one element relate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    Equal,
    /// They differ, but one of the two may be the other in the real software.
    Ambiguous,
    Mismatch,
}

/// Counts the differences between two legs.
pub(crate) fn count(part: &BlockResult, scope: &Scope) -> ComparisonCounts {
    let lanes = part.rows.len();
    let counted = part.skip.iter().filter(|s| !**s).count() as u64;
    let mut output_differs = vec![false; lanes];
    let mut any_differs = vec![false; lanes];
    let mut layers = Vec::with_capacity(scope.calls.len());
    for (&call, &is_output) in scope.calls.iter().zip(&scope.is_output) {
        let reference = &part.legs[scope.reference].aligned[call.0];
        let target = &part.legs[scope.target].aligned[call.0];
        // A layer is replayed on the values of the run's reference, and on no others.
        let own = match scope.reference {
            0 => part.legs[scope.target].own[call.0].as_ref(),
            _ => None,
        };
        let (Some(reference), Some(target)) = (reference, target) else {
            layers.push(LayerCounts::default());
            continue;
        };
        let mut counts =
            LayerCounts { elements: counted * reference.elements as u64, ..LayerCounts::default() };
        let mut differs = vec![false; lanes];
        layer(part, reference, target, own, &mut counts, &mut differs);
        for lane in 0..lanes {
            counts.events_differing += u64::from(differs[lane]);
            any_differs[lane] |= differs[lane];
            output_differs[lane] |= differs[lane] && is_output;
        }
        layers.push(counts);
    }
    let events = |differs: &[bool]| differs.iter().filter(|d| **d).count() as u64;
    ComparisonCounts {
        layers,
        events: counted,
        events_differing: events(&output_differs),
        events_differing_any_layer: events(&any_differs),
    }
}

/// Counts one layer and marks the lanes in which it has a mismatch.
fn layer(
    part: &BlockResult,
    reference: &Arc<LaneBlock>,
    target: &Arc<LaneBlock>,
    own: Option<&Arc<LaneBlock>>,
    counts: &mut LayerCounts,
    differs: &mut [bool],
) {
    if exact::layer(part, reference, target, own, counts, differs) {
        return;
    }
    let lanes = reference.lanes;
    let live = |at: &usize| !part.skip[at % lanes];
    flags(reference, target, &live, counts);
    audit(reference, &live, counts);
    let is_own = |at: usize| {
        own.is_some_and(|own| {
            relation(reference, own, at) == Relation::Mismatch && all_finite(&[reference, own], at)
        })
    };
    for at in differing(reference, target).filter(live) {
        match relation(reference, target, at) {
            Relation::Equal => {}
            Relation::Ambiguous => counts.ambiguous += 1,
            Relation::Mismatch => {
                let (element, lane) = (at / lanes, at % lanes);
                counts.mismatches += 1;
                differs[lane] = true;
                let here = Difference { event: part.rows[lane], index: element as u64 };
                let earlier = |d: &Difference| (d.event, d.index) <= (here.event, here.index);
                if !counts.first.as_ref().is_some_and(earlier) {
                    counts.first = Some(here);
                }
                if all_finite(&[reference, target], at) {
                    let (a, b) = (reference.value(element, lane), target.value(element, lane));
                    counts.max_abs_diff = counts.max_abs_diff.max((a - b).abs());
                    counts.inherited_mismatches += u64::from(!is_own(at));
                } else {
                    counts.not_finite_mismatches += 1;
                }
            }
        }
    }
    if let Some(own) = own {
        counts.own_mismatches +=
            differing(reference, own).filter(live).filter(|&at| is_own(at)).count() as u64;
    }
}

/// Counts flagged elements: those that either leg flags.
fn flags(
    reference: &Arc<LaneBlock>,
    target: &Arc<LaneBlock>,
    live: &impl Fn(&usize) -> bool,
    counts: &mut LayerCounts,
) {
    if !reference.has_band() && !target.has_band() {
        return;
    }
    let lanes = reference.lanes;
    for at in (0..reference.elements * lanes).filter(live) {
        let of = |b: &LaneBlock| b.band(at / lanes, at % lanes).2;
        let both = of(reference).union(of(target));
        for (n, flag) in Flag::ALL.into_iter().enumerate() {
            counts.flags[n] += u64::from(both.has(flag));
        }
    }
}

/// Counts the elements for which the reference is not one number, each under one reason.
fn audit(reference: &LaneBlock, live: &impl Fn(&usize) -> bool, counts: &mut LayerCounts) {
    if !reference.has_band() {
        return;
    }
    let lanes = reference.lanes;
    for at in (0..reference.elements * lanes).filter(live) {
        let (lo, hi, flags) = reference.band(at / lanes, at % lanes);
        if lo < hi {
            // Whatever else makes a band is a matter of one function's kernel, not of an order.
            let ordered = flags.has(Flag::Float32Sum);
            counts.order_dependent += u64::from(ordered);
            counts.function_inexact += u64::from(!ordered);
        }
    }
}

/// The places at which two tensors may differ, in order of elements. A shared tensor has none.
pub(crate) fn differing<'a>(
    a: &'a Arc<LaneBlock>,
    b: &'a Arc<LaneBlock>,
) -> Box<dyn Iterator<Item = usize> + 'a> {
    fn raws<'a, T: PartialEq>(a: &'a [T], b: &'a [T]) -> Box<dyn Iterator<Item = usize> + 'a> {
        Box::new(a.iter().zip(b).enumerate().filter(|(_, (a, b))| a != b).map(|(at, _)| at))
    }
    if Arc::ptr_eq(a, b) {
        return Box::new(std::iter::empty());
    }
    match (&a.data, &b.data) {
        (Lanes::I16 { raw: x, fractional: f }, Lanes::I16 { raw: y, fractional: g }) if f == g => {
            raws(x, y)
        }
        (Lanes::I32 { raw: x, fractional: f }, Lanes::I32 { raw: y, fractional: g }) if f == g => {
            raws(x, y)
        }
        (Lanes::I64 { raw: x, fractional: f }, Lanes::I64 { raw: y, fractional: g }) if f == g => {
            raws(x, y)
        }
        (Lanes::Real(x), Lanes::Real(y)) => raws(&x.value, &y.value),
        _ => Box::new(0..a.elements * a.lanes),
    }
}

pub(crate) fn relation(a: &LaneBlock, b: &LaneBlock, at: usize) -> Relation {
    let (element, lane) = (at / a.lanes, at % a.lanes);
    let (x, y) = (a.value(element, lane), b.value(element, lane));
    if x == y || (x.is_nan() && y.is_nan()) {
        return Relation::Equal;
    }
    let (x_lo, x_hi, _) = a.band(element, lane);
    let (y_lo, y_hi, _) = b.band(element, lane);
    if x_lo <= y_hi && y_lo <= x_hi { Relation::Ambiguous } else { Relation::Mismatch }
}

pub(crate) fn all_finite(blocks: &[&Arc<LaneBlock>], at: usize) -> bool {
    blocks.iter().all(|b| b.value(at / b.lanes, at % b.lanes).is_finite())
}

#[cfg(test)]
mod tests {
    use bittrue_block::{Band, Flags, RealLanes};

    use super::*;

    #[test]
    fn an_inexact_element_of_the_reference_has_one_reason() {
        let both = Flags::from(Flag::Float32Sum).with(Flag::FunctionBand);
        // Two elements of three events; the last event is found in another part.
        let elements = [
            (1.0, 2.0, Flag::Float32Sum.into()),
            (1.0, 2.0, Flag::FunctionBand.into()),
            (1.0, 2.0, Flag::Float32Sum.into()),
            (1.0, 2.0, both),
            // The order did not matter here, or there is no order.
            (1.0, 1.0, Flag::Float32Sum.into()),
            (f64::NAN, f64::NAN, Flag::NotFinite.into()),
        ];
        let mut value = Vec::new();
        let mut band = Band::default();
        for (lo, hi, flags) in elements {
            value.push(lo);
            band.lo.push(lo);
            band.hi.push(hi);
            band.flags.push(flags);
        }
        let data = Lanes::Real(RealLanes { value, band: Some(band) });
        let reference = LaneBlock { elements: 2, lanes: 3, data };
        let mut counts = LayerCounts::default();
        audit(&reference, &|at| at % 3 < 2, &mut counts);
        assert_eq!((counts.order_dependent, counts.function_inexact), (2, 1));
    }
}
