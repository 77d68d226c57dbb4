//! Which elements of a layer are worth showing.

use bittrue_record::{OverflowAction, Relation};

use super::layer::LegLayer;

/// Which elements to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Elements {
    /// Those that differ, wrap or saturate, at most so many of each layer.
    Notable(usize),
    /// Every one.
    All,
    /// These, by flat index, where a layer has them.
    Given(Vec<u64>),
}

/// The elements to show, in order, and how many notable ones are not among them.
pub(super) fn select(
    wanted: &Elements,
    reference: Option<&LegLayer<'_>>,
    legs: &[Option<LegLayer<'_>>],
) -> (Vec<usize>, u64) {
    let elements = legs.iter().flatten().map(LegLayer::elements).max().unwrap_or(0);
    let notable = || -> Vec<(u8, usize)> {
        (0..elements).filter_map(|e| Some((rank(reference, legs, e)?, e))).collect()
    };
    match wanted {
        Elements::All => ((0..elements).collect(), 0),
        Elements::Given(given) => {
            let mut given: Vec<usize> =
                given.iter().filter_map(|&e| usize::try_from(e).ok()).collect();
            given.sort_unstable();
            given.dedup();
            given.retain(|&e| e < elements);
            let hidden = notable().into_iter().filter(|(_, e)| !given.contains(e)).count();
            (given, hidden as u64)
        }
        Elements::Notable(most) => {
            let mut found = notable();
            let count = found.len();
            found.sort_unstable();
            found.truncate(*most);
            let mut shown: Vec<usize> = found.into_iter().map(|(_, e)| e).collect();
            shown.sort_unstable();
            let left = count - shown.len();
            (shown, left as u64)
        }
    }
}

/// How much an element has to say, the smallest most; `None` for nothing.
fn rank(
    reference: Option<&LegLayer<'_>>,
    legs: &[Option<LegLayer<'_>>],
    element: usize,
) -> Option<u8> {
    let of_leg = |leg: &LegLayer<'_>| {
        let overflow = leg.cast_of(element).and_then(|c| c.overflow);
        let own = reference.is_some_and(|r| leg.own_value(r, element).is_some());
        match (leg.relation(reference, element), overflow) {
            _ if own => Some(0),
            (_, Some(OverflowAction::Wraps)) => Some(0),
            (Relation::Differs, _) => Some(1),
            (Relation::Ambiguous, _) => Some(2),
            (_, Some(_)) => Some(3),
            _ => None,
        }
    };
    let targets = legs.iter().skip(1).flatten().filter_map(of_leg).min();
    let first = legs.first().and_then(Option::as_ref);
    let in_reference = first.and_then(|r| r.cast_of(element)?.overflow).map(|o| match o {
        OverflowAction::Wraps => 0,
        OverflowAction::Saturates | OverflowAction::Zero => 3,
    });
    targets.into_iter().chain(in_reference).min()
}
