//! Rules that true counters obey: a bug in what fills them must not become a verdict.

use thiserror::Error;

use crate::{ComparisonCounts, ComparisonMeta, LayerCounts, LayerMeta};

/// Counters that cannot be true: a bug in what filled them.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CountsError {
    /// More counters than layers.
    #[error("{target}: counters of {counted} layers for {layers} aligned layers")]
    TooManyLayers {
        /// The target leg.
        target: String,
        /// Entries in the counters.
        counted: usize,
        /// Aligned layers.
        layers: usize,
    },
    /// No aligned layer is in scope, so there is nothing that a verdict could be about.
    #[error("{target}: none of the {layers} aligned layers is an output of the model")]
    NoOutput {
        /// The target leg.
        target: String,
        /// Aligned layers.
        layers: usize,
    },
    /// Counters of one layer contradict each other.
    #[error("{target}: layer {layer}: {contradiction}")]
    Layer {
        /// The target leg.
        target: String,
        /// The layer.
        layer: String,
        /// Which rule is broken.
        contradiction: &'static str,
    },
    /// The counted events contradict the counted layers.
    #[error("{target}: {contradiction}")]
    Events {
        /// The target leg.
        target: String,
        /// Which rule is broken.
        contradiction: &'static str,
    },
}

/// The rules that every set of true counters obeys.
pub(crate) fn check(
    meta: &ComparisonMeta,
    layers: &[LayerCounts],
    counts: &ComparisonCounts,
    strict_layers: bool,
) -> Result<(), CountsError> {
    let target = || meta.target.clone();
    if !meta.layers.iter().any(|layer| layer.is_output || strict_layers) {
        return Err(CountsError::NoOutput { target: target(), layers: meta.layers.len() });
    }
    for (layer, c) in meta.layers.iter().zip(layers) {
        if let Some(contradiction) = layer_contradiction(c, counts.events, meta.own_known) {
            let layer = layer.name.clone();
            return Err(CountsError::Layer { target: target(), layer, contradiction });
        }
    }
    // Events that differ in any of some layers are at least those of the worst layer, and at most
    // the sum over the layers.
    let fits = |events: u64, in_scope: &dyn Fn(&LayerMeta) -> bool| {
        let scope = meta.layers.iter().zip(layers);
        let per_layer = scope.filter(|(layer, _)| in_scope(layer));
        let (worst, sum) = per_layer.fold((0, 0u64), |(worst, sum), (_, c)| {
            let n = c.events_differing;
            (n.max(worst), sum.saturating_add(n))
        });
        (worst..=sum).contains(&events)
    };
    let contradiction = if counts.events_differing_any_layer > counts.events {
        "more events differ than were compared"
    } else if !fits(counts.events_differing, &|layer| layer.is_output) {
        "the differing events do not fit those of the outputs"
    } else if !fits(counts.events_differing_any_layer, &|_| true) {
        "the events that differ in any layer do not fit those of the layers"
    } else if counts.events_differing > counts.events_differing_any_layer {
        "more events differ at the outputs than in any layer"
    } else {
        return Ok(());
    };
    Err(CountsError::Events { target: target(), contradiction })
}

fn layer_contradiction(c: &LayerCounts, events: u64, own_known: bool) -> Option<&'static str> {
    let differs = c.mismatches > 0;
    let explained = c.inherited_mismatches.saturating_add(c.not_finite_mismatches);
    let rules = [
        (
            c.mismatches.saturating_add(c.ambiguous) <= c.elements,
            "more elements differ than were compared",
        ),
        (c.own_mismatches <= c.elements, "more own mismatches than elements"),
        (c.flags.iter().all(|&count| count <= c.elements), "more flagged elements than elements"),
        (
            c.order_dependent.saturating_add(c.function_inexact) <= c.elements,
            "more inexact elements of the reference than elements",
        ),
        (c.events_differing <= events, "more events differ than were compared"),
        (c.events_differing <= c.mismatches, "more events differ than elements"),
        ((c.events_differing > 0) == differs, "mismatches and differing events contradict"),
        (c.first.is_some() == differs, "mismatches and the first difference contradict"),
        (explained <= c.mismatches, "more inherited and not-finite mismatches than mismatches"),
        (
            !own_known || c.mismatches - explained.min(c.mismatches) <= c.own_mismatches,
            "some mismatches are neither own nor inherited nor not finite",
        ),
        (c.max_abs_diff >= 0.0, "the largest difference is not a magnitude"),
        (differs || c.max_abs_diff == 0.0, "a difference without a mismatch"),
    ];
    rules.into_iter().find(|(holds, _)| !holds).map(|(_, contradiction)| contradiction)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Comparison;
    use crate::fixtures::{EVENTS, counts, differing, equal, meta};

    #[test]
    fn contradictory_counters_are_refused() {
        let refused = |layer: LayerCounts, outputs, any| {
            let counts = counts(vec![equal(), layer], outputs, any);
            let meta = meta(&[("a", false), ("out", true)]);
            Comparison::from_counts(meta, &counts, false).map_err(|e| e.to_string()).err()
        };
        assert_eq!(refused(differing(3, 9), 10, 10), None);
        let good = differing(3, 9);
        let bad = [
            (
                "more elements differ than were compared",
                LayerCounts { ambiguous: 10 * EVENTS, ..good.clone() },
            ),
            (
                "more own mismatches than elements",
                LayerCounts { own_mismatches: 10 * EVENTS + 1, ..good.clone() },
            ),
            (
                "more flagged elements than elements",
                LayerCounts { flags: [0, 0, 0, 0, 0, 0, 0, 10 * EVENTS + 1], ..good.clone() },
            ),
            (
                "more inexact elements of the reference than elements",
                LayerCounts {
                    order_dependent: 4 * EVENTS,
                    function_inexact: 6 * EVENTS + 1,
                    ..good.clone()
                },
            ),
            (
                "more events differ than were compared",
                LayerCounts { events_differing: EVENTS + 1, ..differing(200, 0) },
            ),
            (
                "more events differ than elements",
                LayerCounts { events_differing: 13, ..good.clone() },
            ),
            (
                "mismatches and differing events contradict",
                LayerCounts { events_differing: 0, ..good.clone() },
            ),
            (
                "mismatches and the first difference contradict",
                LayerCounts { first: None, ..good.clone() },
            ),
            (
                "more inherited and not-finite mismatches than mismatches",
                LayerCounts { inherited_mismatches: 13, ..good.clone() },
            ),
            (
                "more inherited and not-finite mismatches than mismatches",
                LayerCounts { not_finite_mismatches: 4, ..good.clone() },
            ),
            (
                "some mismatches are neither own nor inherited nor not finite",
                LayerCounts { own_mismatches: 2, ..good.clone() },
            ),
            (
                "the largest difference is not a magnitude",
                LayerCounts { max_abs_diff: -1.0, ..good.clone() },
            ),
            (
                "the largest difference is not a magnitude",
                LayerCounts { max_abs_diff: f64::NAN, ..good.clone() },
            ),
            ("a difference without a mismatch", LayerCounts { max_abs_diff: 1.0, ..equal() }),
        ];
        for (contradiction, layer) in bad {
            let message = refused(layer, 10, 10);
            assert_eq!(message, Some(format!("proxy:wrap: layer out: {contradiction}")));
        }
        let compared = "more events differ than were compared";
        let outputs = "the differing events do not fit those of the outputs";
        let any = "the events that differ in any layer do not fit those of the layers";
        for (at_outputs, in_any, contradiction) in [
            (10, EVENTS + 1, compared),
            (9, 10, outputs),
            (11, 12, outputs),
            (10, 9, any),
            (10, 13, any),
        ] {
            let message = refused(good.clone(), at_outputs, in_any);
            assert_eq!(message, Some(format!("proxy:wrap: {contradiction}")));
        }
        let events = ComparisonCounts {
            layers: vec![differing(3, 9), differing(3, 9)],
            events: EVENTS,
            events_differing: 12,
            events_differing_any_layer: 11,
        };
        let meta = meta(&[("a", true), ("b", true)]);
        let message = Comparison::from_counts(meta, &events, false).map_err(|e| e.to_string());
        let contradiction = "more events differ at the outputs than in any layer";
        assert_eq!(message, Err(format!("proxy:wrap: {contradiction}")));
    }

    #[test]
    fn a_verdict_needs_an_output_and_a_layer_per_counter() {
        let counts = counts(vec![equal(), equal()], 0, 0);
        let error = Comparison::from_counts(meta(&[("a", false), ("b", false)]), &counts, false);
        assert!(matches!(error, Err(CountsError::NoOutput { layers: 2, .. })), "{error:?}");
        let error = Comparison::from_counts(meta(&[("out", true)]), &counts, false);
        assert!(
            matches!(error, Err(CountsError::TooManyLayers { counted: 2, layers: 1, .. })),
            "{error:?}"
        );
    }
}
