//! The counters that events add to: they merge in any order and grouping to the same sums.

use crate::FLAG_NAMES;

/// Where a layer differs first: the smallest event, and in it the smallest element.
///
/// The order of the fields is the order of comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Difference {
    /// 0-based row in the event file, counted before any skipped rows are left out.
    pub event: u64,
    /// Flat C-order index inside the event.
    pub index: u64,
}

/// What was counted of one aligned layer in one comparison.
///
/// `LayerCounts::default()` and [`merge`](Self::merge) form a commutative monoid.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LayerCounts {
    /// Elements compared.
    pub elements: u64,
    /// Elements whose bits differ and that are not ambiguous.
    pub mismatches: u64,
    /// Elements that differ while their bands overlap; never among the mismatches.
    pub ambiguous: u64,
    /// Events with at least one mismatch in this layer.
    pub events_differing: u64,
    /// Largest absolute difference over the mismatches with two finite values; 0 without any.
    /// Never negative, never NaN.
    pub max_abs_diff: f64,
    /// The first mismatch.
    pub first: Option<Difference>,
    /// Elements in which the target's layer, fed the reference's input, differs from the
    /// reference's output. May exceed `mismatches`: an upstream difference can hide them.
    pub own_mismatches: u64,
    /// Mismatches that are not own.
    pub inherited_mismatches: u64,
    /// Mismatches that depend on a NaN or an infinity: neither own nor inherited.
    pub not_finite_mismatches: u64,
    /// Elements of the reference with a band because of a float32 sum, here or upstream.
    pub order_dependent: u64,
    /// Elements of the reference with a band for any other reason.
    pub function_inexact: u64,
    /// Elements per flag, in the order of [`FLAG_NAMES`].
    pub flags: [u64; FLAG_NAMES.len()],
}

impl LayerCounts {
    /// Adds what another part of the events gave.
    ///
    /// Sums stop at `u64::MAX` instead of overflowing, which keeps the merge associative.
    pub fn merge(&mut self, other: &Self) {
        add(&mut self.elements, other.elements);
        add(&mut self.mismatches, other.mismatches);
        add(&mut self.ambiguous, other.ambiguous);
        add(&mut self.events_differing, other.events_differing);
        // `f64::max` may return either zero of a pair, the total order may not.
        if other.max_abs_diff.total_cmp(&self.max_abs_diff).is_gt() {
            self.max_abs_diff = other.max_abs_diff;
        }
        self.first = match (self.first, other.first) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        add(&mut self.own_mismatches, other.own_mismatches);
        add(&mut self.inherited_mismatches, other.inherited_mismatches);
        add(&mut self.not_finite_mismatches, other.not_finite_mismatches);
        add(&mut self.order_dependent, other.order_dependent);
        add(&mut self.function_inexact, other.function_inexact);
        for (count, &more) in self.flags.iter_mut().zip(&other.flags) {
            add(count, more);
        }
    }
}

/// What was counted of one target against the reference.
///
/// `ComparisonCounts::default()` and [`merge`](Self::merge) form a commutative monoid.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ComparisonCounts {
    /// One entry per aligned layer, in report order. Missing entries at the end count as zero.
    pub layers: Vec<LayerCounts>,
    /// Events compared.
    pub events: u64,
    /// Events with a mismatch in any element of any output of the model.
    pub events_differing: u64,
    /// Events with a mismatch in any element of any aligned layer.
    pub events_differing_any_layer: u64,
}

impl ComparisonCounts {
    /// Adds what another part of the events gave, layer by layer.
    pub fn merge(&mut self, other: &Self) {
        if self.layers.len() < other.layers.len() {
            self.layers.resize(other.layers.len(), LayerCounts::default());
        }
        for (layer, more) in self.layers.iter_mut().zip(&other.layers) {
            layer.merge(more);
        }
        add(&mut self.events, other.events);
        add(&mut self.events_differing, other.events_differing);
        add(&mut self.events_differing_any_layer, other.events_differing_any_layer);
    }
}

fn add(sum: &mut u64, more: u64) {
    *sum = sum.saturating_add(more);
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// Small counts collide often (ties in `first`), huge ones reach the end of the range.
    fn count() -> impl Strategy<Value = u64> {
        prop_oneof![4 => 0..5u64, 1 => any::<u64>()]
    }

    fn layer() -> impl Strategy<Value = LayerCounts> {
        let size = prop_oneof![Just(0.0), 0.0..1e3f64, Just(f64::MAX), Just(f64::from_bits(1))];
        let first = prop::option::of((0..4u64, 0..4u64));
        (prop::array::uniform9(count()), size, first, prop::array::uniform8(count())).prop_map(
            |(n, max_abs_diff, first, flags)| LayerCounts {
                elements: n[0],
                mismatches: n[1],
                ambiguous: n[2],
                events_differing: n[3],
                max_abs_diff,
                first: first.map(|(event, index)| Difference { event, index }),
                own_mismatches: n[4],
                inherited_mismatches: n[5],
                not_finite_mismatches: n[6],
                order_dependent: n[7],
                function_inexact: n[8],
                flags,
            },
        )
    }

    fn comparison() -> impl Strategy<Value = ComparisonCounts> {
        (vec(layer(), 0..4), count(), count(), count()).prop_map(|(layers, a, b, c)| {
            ComparisonCounts {
                layers,
                events: a,
                events_differing: b,
                events_differing_any_layer: c,
            }
        })
    }

    fn sum<'a>(parts: impl IntoIterator<Item = &'a ComparisonCounts>) -> ComparisonCounts {
        let mut total = ComparisonCounts::default();
        for part in parts {
            total.merge(part);
        }
        total
    }

    /// `==` does not tell −0.0 from 0.0; the report's bytes do.
    fn bits(counts: &ComparisonCounts) -> Vec<u64> {
        counts.layers.iter().map(|l| l.max_abs_diff.to_bits()).collect()
    }

    proptest! {
        #[test]
        fn merge_is_commutative(a in comparison(), b in comparison()) {
            let (ab, ba) = (sum([&a, &b]), sum([&b, &a]));
            prop_assert_eq!(bits(&ab), bits(&ba));
            prop_assert_eq!(ab, ba);
        }

        #[test]
        fn merge_is_associative(a in comparison(), b in comparison(), c in comparison()) {
            let (left, right) = (sum([&sum([&a, &b]), &c]), sum([&a, &sum([&b, &c])]));
            prop_assert_eq!(bits(&left), bits(&right));
            prop_assert_eq!(left, right);
        }

        #[test]
        fn nothing_counted_changes_nothing(a in comparison()) {
            let mut merged = a.clone();
            merged.merge(&ComparisonCounts::default());
            prop_assert_eq!(&merged, &a);
            prop_assert_eq!(&sum([&a]), &a);
        }

        #[test]
        fn first_is_the_smallest_event_then_the_smallest_index(
            differences in vec((0..4u64, 0..4u64), 1..8)
        ) {
            let parts = differences.iter().map(|&(event, index)| LayerCounts {
                first: Some(Difference { event, index }),
                ..LayerCounts::default()
            });
            let mut total = LayerCounts::default();
            for part in parts {
                total.merge(&part);
            }
            let smallest = differences.iter().min().map(|&(event, index)| Difference { event, index });
            prop_assert_eq!(total.first, smallest);
        }
    }

    #[test]
    fn every_count_is_added() {
        let one = LayerCounts {
            elements: 1,
            mismatches: 2,
            ambiguous: 3,
            events_differing: 4,
            max_abs_diff: 0.5,
            first: Some(Difference { event: 9, index: 8 }),
            own_mismatches: 5,
            inherited_mismatches: 6,
            not_finite_mismatches: 7,
            order_dependent: 8,
            function_inexact: 9,
            flags: [1, 2, 3, 4, 5, 6, 7, 8],
        };
        let mut two = one.clone();
        two.merge(&one);
        let doubled = LayerCounts {
            elements: 2,
            mismatches: 4,
            ambiguous: 6,
            events_differing: 8,
            max_abs_diff: 0.5,
            first: Some(Difference { event: 9, index: 8 }),
            own_mismatches: 10,
            inherited_mismatches: 12,
            not_finite_mismatches: 14,
            order_dependent: 16,
            function_inexact: 18,
            flags: [2, 4, 6, 8, 10, 12, 14, 16],
        };
        assert_eq!(two, doubled);
    }
}
