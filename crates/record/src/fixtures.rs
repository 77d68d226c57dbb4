//! Counters that the unit tests of this crate share.

use crate::{ComparisonCounts, ComparisonMeta, Difference, LayerCounts, LayerMeta};

/// Events of every fixture.
pub(crate) const EVENTS: u64 = 100;

pub(crate) fn meta(layers: &[(&str, bool)]) -> ComparisonMeta {
    let layer = |&(name, is_output): &(&str, bool)| LayerMeta {
        name: name.to_owned(),
        class: "QDense".to_owned(),
        result_t: None,
        is_output,
        reference_proven: true,
    };
    ComparisonMeta {
        reference: "qkeras".to_owned(),
        target: "proxy:wrap".to_owned(),
        layers: layers.iter().map(layer).collect(),
        not_formed: Vec::new(),
        own_known: true,
    }
}

pub(crate) fn equal() -> LayerCounts {
    LayerCounts { elements: 10 * EVENTS, ..LayerCounts::default() }
}

/// `own` own and `inherited` inherited mismatches in ten events.
pub(crate) fn differing(own: u64, inherited: u64) -> LayerCounts {
    LayerCounts {
        mismatches: own + inherited,
        events_differing: 10,
        max_abs_diff: 0.5,
        first: Some(Difference { event: 3, index: 1 }),
        own_mismatches: own,
        inherited_mismatches: inherited,
        ..equal()
    }
}

pub(crate) fn counts(layers: Vec<LayerCounts>, outputs: u64, any: u64) -> ComparisonCounts {
    ComparisonCounts {
        layers,
        events: EVENTS,
        events_differing: outputs,
        events_differing_any_layer: any,
    }
}
