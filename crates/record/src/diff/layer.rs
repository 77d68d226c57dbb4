//! One layer, earlier and later: what is worse, what is better.

use std::cmp::Ordering;

use super::types::{Change, Judgement, LayerDiff, Presence, Value};
use crate::Layer;

/// The events of both reports, as far as a layer has to know.
#[derive(Debug, Clone, Copy)]
pub(super) struct Events {
    pub(super) before: u64,
    pub(super) after: u64,
    pub(super) same: bool,
}

impl Events {
    /// How events are counted.
    pub(super) fn counting(self) -> Counting {
        if self.same { Counting::SameEvents } else { Counting::OtherEvents }
    }

    /// How elements are counted.
    fn of_elements(self) -> Counting {
        if self.same { Counting::SameEvents } else { Counting::OtherElements }
    }
}

/// A part of a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) count: u64,
    pub(super) of: u64,
}

impl Share {
    /// Exact: counts of another number of events are compared as shares of theirs.
    fn cmp(self, other: Self) -> Ordering {
        let cross = |part: Self, whole: Self| u128::from(part.count) * u128::from(whole.of.max(1));
        cross(self, other).cmp(&cross(other, self))
    }

    /// The change of a share of which less is better; `None` where neither it nor the count changed.
    pub(super) fn change(field: &str, before: Self, after: Self, how: Counting) -> Option<Change> {
        let judgement = Self::judge(before, after, how);
        let same = before.cmp(after).is_eq() && before.count == after.count;
        let value = |Self { count, of }| Value::Share { count, of };
        (!same).then(|| {
            Change::new(field, judgement.max(Judgement::Changed), value(before), value(after))
        })
    }

    fn judge(before: Self, after: Self, how: Counting) -> Judgement {
        let judgement = judge(before.cmp(after));
        let certain = match how {
            Counting::SameEvents => true,
            Counting::OtherEvents => before.count == 0 || significant(before, after),
            Counting::OtherElements => before.count == 0,
        };
        match judgement {
            Judgement::Worse | Judgement::Better if !certain => Judgement::Changed,
            judgement => judgement,
        }
    }
}

/// What a count is of, in the later report as against the earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counting {
    /// Whatever, of the same events: every difference is one.
    SameEvents,
    /// Of other events: a share may be another one by chance.
    OtherEvents,
    /// Of elements of other events. Those of one event are not independent, so nothing is known of
    /// what chance does to them.
    OtherElements,
}

/// Standard deviations beyond which chance is no explanation.
const SIGMA: f64 = 5.0;

/// Whether two shares of independent events differ by more than chance explains.
fn significant(before: Share, after: Share) -> bool {
    let [(count, of), (count_after, of_after)] =
        [before, after].map(|s| (s.count as f64, s.of.max(1) as f64));
    let pooled = (count + count_after) / (of + of_after);
    let variance = pooled * (1.0 - pooled) * (1.0 / of + 1.0 / of_after);
    // Not a number for counts that cannot be: then nothing is certain.
    (count / of - count_after / of_after).abs() > SIGMA * variance.sqrt()
}

/// What it means that something of which less is better was `before` what it is now.
pub(super) fn judge(before_to_after: Ordering) -> Judgement {
    match before_to_after {
        Ordering::Less => Judgement::Worse,
        Ordering::Equal => Judgement::Same,
        Ordering::Greater => Judgement::Better,
    }
}

/// A layer that both reports have; `None` when nothing about it is different.
pub(super) fn both(before: &Layer, after: &Layer, events: Events) -> Option<LayerDiff> {
    let (b, a) = (before, after);
    let share = |field, count: fn(&Layer) -> u64| {
        let of = |layer: &Layer| Share { count: count(layer), of: layer.elements };
        Share::change(field, of(b), of(a), events.of_elements())
    };
    let in_events = Share::change(
        "events_differing",
        Share { count: b.events_differing, of: events.before },
        Share { count: a.events_differing, of: events.after },
        events.counting(),
    );
    let type_text = |layer: &Layer| layer.result_t.map(|t| t.to_string());
    let mut changes = vec![
        Change::neutral("class", b.class.as_str(), a.class.as_str()),
        Change::neutral("type", type_text(b), type_text(a)),
        elements(b, a, events),
        share("mismatches", |layer| layer.mismatches),
        ambiguous(b, a, events),
        in_events,
        size(b, a, events),
    ];
    if events.same {
        changes.push(Change::neutral("first_event", b.first_event, a.first_event));
        changes.push(Change::neutral("first_index", b.first_index, a.first_index));
    }
    // Where a difference comes from is no measure of how large it is.
    changes.extend([
        Change::neutral("own_mismatches", b.own_mismatches, a.own_mismatches),
        Change::neutral("inherited_mismatches", b.inherited_mismatches, a.inherited_mismatches),
        Change::neutral("not_finite_mismatches", b.not_finite_mismatches, a.not_finite_mismatches),
    ]);
    for name in b.flags.keys().chain(a.flags.keys().filter(|name| !b.flags.contains_key(*name))) {
        let count = |layer: &Layer| layer.flags.get(name).copied().unwrap_or(0);
        changes.push(Change::neutral(&format!("flags.{name}"), count(b), count(a)));
    }
    let (old, new) = (b.reference, a.reference);
    changes.extend([
        Change::neutral("reference.class", old.class.to_string(), new.class.to_string()),
        Change::neutral("reference.order_dependent", old.order_dependent, new.order_dependent),
        Change::neutral("reference.function_inexact", old.function_inexact, new.function_inexact),
    ]);
    diff(&a.name, Presence::Both, Judgement::Same, changes)
}

/// A layer that only the later report has: worse when it is not equal everywhere.
pub(super) fn new(layer: &Layer, events: Events) -> LayerDiff {
    let equal = Share { count: 0, of: layer.elements };
    let none = Share { count: 0, of: events.after };
    let how = Counting::SameEvents;
    let changes = vec![
        Share::change("mismatches", equal, Share { count: layer.mismatches, ..equal }, how),
        Share::change("ambiguous", equal, Share { count: layer.ambiguous, ..equal }, how),
        Share::change(
            "events_differing",
            none,
            Share { count: layer.events_differing, ..none },
            how,
        ),
    ];
    let changes: Vec<Change> = changes.into_iter().flatten().collect();
    let judgement = changes.iter().map(|c| c.judgement).max().unwrap_or(Judgement::Changed);
    LayerDiff { name: layer.name.clone(), presence: Presence::New, judgement, changes }
}

/// A layer that only the earlier report has.
pub(super) fn vanished(layer: &Layer, judgement: Judgement) -> LayerDiff {
    let name = layer.name.clone();
    LayerDiff { name, presence: Presence::Vanished, judgement, changes: Vec::new() }
}

fn diff(
    name: &str,
    presence: Presence,
    least: Judgement,
    changes: Vec<Option<Change>>,
) -> Option<LayerDiff> {
    let changes: Vec<Change> = changes.into_iter().flatten().collect();
    let judgement = changes.iter().map(|c| c.judgement).fold(least, Judgement::max);
    let name = name.to_owned();
    (judgement != Judgement::Same).then_some(LayerDiff { name, presence, judgement, changes })
}

/// The elements, unless there are more or fewer only because of more or fewer events.
fn elements(b: &Layer, a: &Layer, events: Events) -> Option<Change> {
    let explained = u128::from(b.elements) * u128::from(events.after)
        == u128::from(a.elements) * u128::from(events.before);
    let change = Change::neutral("elements", b.elements, a.elements);
    change.filter(|_| !explained)
}

/// Ambiguous elements: worse only where elements that were equal became ambiguous, better only where
/// ambiguous ones became equal. What becomes of a mismatch is told by the mismatches.
fn ambiguous(b: &Layer, a: &Layer, events: Events) -> Option<Change> {
    let share = |layer: &Layer, count| Share { count, of: layer.elements };
    let unequal = |layer: &Layer| layer.mismatches.saturating_add(layer.ambiguous);
    let how = events.of_elements();
    let together = Share::judge(share(b, unequal(b)), share(a, unequal(a)), how);
    let (before, after) = (share(b, b.ambiguous), share(a, a.ambiguous));
    let mut change = Share::change("ambiguous", before, after, how)?;
    if change.judgement != together {
        change.judgement = Judgement::Changed;
    }
    Some(change)
}

/// The largest difference: in LSB where they are those of the same type, else as a value. Of other
/// events another one may be the largest.
fn size(b: &Layer, a: &Layer, events: Events) -> Option<Change> {
    let (field, before, after) = match (b.max_lsb_diff, a.max_lsb_diff) {
        (Some(before), Some(after)) if b.result_t == a.result_t => ("max_lsb_diff", before, after),
        _ => ("max_abs_diff", b.max_abs_diff, a.max_abs_diff),
    };
    let judgement = match events.same || b.mismatches == 0 {
        true => judge(before.total_cmp(&after)),
        false => Judgement::Changed,
    };
    // −0.0 in a report made by hand is no change.
    (before != after).then(|| Change::new(field, judgement, before.into(), after.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Comparison;
    use crate::LayerCounts;
    use crate::fixtures::{EVENTS, counts, differing, equal, meta};

    const SAME: Events = Events { before: EVENTS, after: EVENTS, same: true };

    fn layer(counted: LayerCounts) -> Layer {
        let events = counted.events_differing;
        let all = counts(vec![counted], events, events);
        let made = Comparison::from_counts(meta(&[("out", true)]), &all, false);
        made.expect("true counters").layers.remove(0)
    }

    fn judged(before: LayerCounts, after: LayerCounts) -> Vec<String> {
        let found = both(&layer(before), &layer(after), SAME);
        let changes = found.into_iter().flat_map(|d| d.changes);
        changes.map(|c| format!("{} {}", c.judgement, c.field)).collect()
    }

    #[test]
    fn more_is_worse_and_less_is_better() {
        assert_eq!(judged(differing(12, 0), differing(12, 0)), Vec::<String>::new());
        let worse = judged(differing(12, 0), differing(13, 0));
        assert_eq!(worse, ["worse mismatches", "changed own_mismatches"]);
        let better = judged(differing(12, 0), differing(11, 0));
        assert_eq!(better, ["better mismatches", "changed own_mismatches"]);
        let far = LayerCounts { max_abs_diff: 0.75, ..differing(12, 0) };
        assert_eq!(judged(differing(12, 0), far), ["worse max_abs_diff"]);
        let events = LayerCounts { events_differing: 9, ..differing(12, 0) };
        assert_eq!(judged(differing(12, 0), events), ["better events_differing"]);
        // Where it comes from is told and not judged.
        let inherited = judged(differing(12, 0), differing(0, 12));
        assert_eq!(inherited, ["changed own_mismatches", "changed inherited_mismatches"]);
    }

    #[test]
    fn ambiguous_elements_are_worse_than_equal_ones_and_better_than_mismatches() {
        let ambiguous = |n| LayerCounts { ambiguous: n, ..equal() };
        assert_eq!(judged(equal(), ambiguous(3)), ["worse ambiguous"]);
        assert_eq!(judged(ambiguous(3), equal()), ["better ambiguous"]);
        let repaired = judged(differing(12, 0), ambiguous(12));
        assert!(repaired.contains(&"better mismatches".to_owned()), "{repaired:?}");
        assert!(repaired.contains(&"changed ambiguous".to_owned()), "{repaired:?}");
        let decided = judged(ambiguous(12), differing(12, 0));
        assert!(decided.contains(&"worse mismatches".to_owned()), "{decided:?}");
        assert!(decided.contains(&"changed ambiguous".to_owned()), "{decided:?}");
    }

    /// What is said of `n` differing events of twice as many other ones, after 20 of 100.
    fn of_others(n: u64) -> Judgement {
        let before = layer(LayerCounts { events_differing: 20, ..differing(40, 0) });
        let mut after = before.clone();
        let twice = Events { before: EVENTS, after: 2 * EVENTS, same: false };
        (after.elements, after.mismatches, after.events_differing) = (20 * EVENTS, 2 * n, n);
        after.max_abs_diff = n as f64;
        (after.own_mismatches, after.first_event) = (Some(2 * n), Some(7));
        let found = both(&before, &after, twice).expect("other counts");
        assert!(found.changes.iter().all(|c| c.field != "elements" && c.field != "first_event"));
        let events = found.changes.iter().find(|c| c.field == "events_differing");
        assert_eq!(events.expect("other counts").judgement, found.judgement, "{found:?}");
        found.judgement
    }

    #[test]
    fn shares_of_other_events_are_worse_beyond_chance_only() {
        // From 20 % of 100 events to 40 % and 60 % of 200: 3.5 and 6.5 standard deviations.
        assert_eq!(of_others(40), Judgement::Changed);
        assert_eq!(of_others(41), Judgement::Changed);
        assert_eq!(of_others(80), Judgement::Changed);
        assert_eq!(of_others(120), Judgement::Worse);
        assert_eq!(of_others(0), Judgement::Better);
        // That there is any difference at all is no matter of chance.
        let events = Events { before: EVENTS, after: EVENTS, same: false };
        let found = both(&layer(equal()), &layer(differing(1, 9)), events).expect("other counts");
        assert_eq!(found.judgement, Judgement::Worse);
        assert_eq!(found.changes[0].judgement, Judgement::Worse, "{found:?}");
    }

    #[test]
    fn a_share_is_significant_from_five_standard_deviations() {
        let share = |count, of| Share { count, of };
        // Pooled 0.15, standard deviation 0.01129 and a difference of 0.1: 8.9 of them.
        assert!(significant(share(100, 1000), share(200, 1000)));
        // Pooled 0.115, 0.01427 and 0.03: 2.1 of them.
        assert!(!significant(share(100, 1000), share(130, 1000)));
        // 4.985 and 5.042 of them.
        assert!(!significant(share(100, 1000), share(177, 1000)));
        assert!(significant(share(100, 1000), share(178, 1000)));
    }

    #[test]
    fn no_number_of_a_hostile_report_overflows() {
        let mut before = layer(differing(12, 0));
        before.mismatches = u64::MAX;
        before.ambiguous = u64::MAX;
        let mut after = before.clone();
        after.elements = 0;
        for same in [false, true] {
            let events = Events { before: u64::MAX, after: 0, same };
            let found = both(&before, &after, events).expect("other");
            assert_eq!(found.changes[0].field, "mismatches", "{found:?}");
        }
    }
}
