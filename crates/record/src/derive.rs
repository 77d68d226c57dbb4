//! From counters to a comparison: verdict, differing layers, first guilty layer.

use std::collections::BTreeMap;

use bittrue_fixed::FixedType;

use crate::check::{CountsError, check};
use crate::{
    Comparison, ComparisonCounts, FLAG_NAMES, Layer, LayerCounts, ReferenceAudit, Verdict,
};

/// What is known of an aligned layer before any event runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerMeta {
    /// Name as in reports and traces: `layer`, `layer@1`, `outer::inner`.
    pub name: String,
    /// Class name as in the model file.
    pub class: String,
    /// The target's type of the layer's elements, where it has a single one. Differences are
    /// stated in its LSB.
    pub result_t: Option<FixedType>,
    /// Whether the layer is an output of the model.
    pub is_output: bool,
    /// Whether the reference's values are proven to be those of the real software, for these
    /// weights and this input range.
    pub reference_proven: bool,
}

/// What is known of a comparison before any event runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComparisonMeta {
    /// The leg that counts as right.
    pub reference: String,
    /// The leg that is checked.
    pub target: String,
    /// The aligned layers, in report order.
    pub layers: Vec<LayerMeta>,
    /// Layers whose value the target never forms.
    pub not_formed: Vec<String>,
    /// Whether own and inherited mismatches were told apart; false for a target without layers of
    /// its own (`trace:PATH`).
    pub own_known: bool,
}

impl Comparison {
    /// Derives the comparison that the counters amount to.
    ///
    /// The scope of the verdict and of `events_differing` is the model's outputs, or every aligned
    /// layer when `strict_layers` is set. Ambiguous elements never count. Layers without counters
    /// (no event ran yet) count as zero.
    ///
    /// # Errors
    ///
    /// Counters that contradict the layers or each other are an error rather than a verdict that
    /// nobody should trust.
    pub fn from_counts(
        meta: ComparisonMeta,
        counts: &ComparisonCounts,
        strict_layers: bool,
    ) -> Result<Self, CountsError> {
        let mut counted = counts.layers.clone();
        if counted.len() > meta.layers.len() {
            return Err(CountsError::TooManyLayers {
                target: meta.target,
                counted: counted.len(),
                layers: meta.layers.len(),
            });
        }
        counted.resize(meta.layers.len(), LayerCounts::default());
        check(&meta, &counted, counts, strict_layers)?;

        let in_scope = |layer: &LayerMeta| layer.is_output || strict_layers;
        let differs = meta
            .layers
            .iter()
            .zip(&counted)
            .any(|(layer, counts)| in_scope(layer) && counts.mismatches > 0);
        let names = |keep: &dyn Fn(&LayerMeta, &LayerCounts) -> bool| -> Vec<String> {
            let kept =
                meta.layers.iter().zip(&counted).filter(|(layer, counts)| keep(layer, counts));
            kept.map(|(layer, _)| layer.name.clone()).collect()
        };
        let outputs = names(&|layer, _| layer.is_output);
        let layers_differing = names(&|_, counts| counts.mismatches > 0);
        let own = names(&|_, counts| meta.own_known && counts.own_mismatches > 0);
        let first_layer = own.first().or(layers_differing.first()).cloned();

        let own_known = meta.own_known;
        let layers = meta.layers.into_iter().zip(&counted);
        Ok(Self {
            reference: meta.reference,
            target: meta.target,
            verdict: if differs { Verdict::Mismatch } else { Verdict::BitExact },
            outputs,
            events_differing: if strict_layers {
                counts.events_differing_any_layer
            } else {
                counts.events_differing
            },
            layers_differing,
            first_layer,
            not_formed: meta.not_formed,
            layers: layers.map(|(meta, counts)| layer(meta, counts, own_known)).collect(),
        })
    }
}

fn layer(meta: LayerMeta, counts: &LayerCounts, own_known: bool) -> Layer {
    let flags = FLAG_NAMES.iter().zip(counts.flags).filter(|&(_, count)| count > 0);
    let max_abs_diff = representable(counts.max_abs_diff);
    let reference = ReferenceAudit::new(&meta, counts);
    Layer {
        name: meta.name,
        class: meta.class,
        result_t: meta.result_t,
        elements: counts.elements,
        mismatches: counts.mismatches,
        ambiguous: counts.ambiguous,
        events_differing: counts.events_differing,
        max_abs_diff,
        max_lsb_diff: meta.result_t.map(|result_t| in_lsb(max_abs_diff, result_t)),
        first_event: counts.first.map(|first| first.event),
        first_index: counts.first.map(|first| first.index),
        own_mismatches: own_known.then_some(counts.own_mismatches),
        inherited_mismatches: own_known.then_some(counts.inherited_mismatches),
        not_finite_mismatches: counts.not_finite_mismatches,
        flags: flags.map(|(name, count)| ((*name).to_owned(), count)).collect::<BTreeMap<_, _>>(),
        reference,
    }
}

/// JSON has no infinity: the difference of two huge finite values stops at the largest number.
fn representable(difference: f64) -> f64 {
    difference.min(f64::MAX)
}

/// Exact unless the quotient leaves the range of `f64`, as the LSB is a power of two.
fn in_lsb(difference: f64, result_t: FixedType) -> f64 {
    // Without this, an LSB below the smallest `f64` would give 0 / 0.
    if difference == 0.0 { 0.0 } else { representable(difference / result_t.lsb()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Difference;
    use crate::fixtures::{counts, differing, equal, meta};

    type TestResult = Result<(), Box<dyn std::error::Error>>;

    #[test]
    fn the_outputs_decide_unless_every_layer_must_match() -> TestResult {
        // Golden case `bn`: qkeras against hls4ml:sat differs inside, not at the output.
        let meta = meta(&[("q_in", false), ("bn", false), ("d", true)]);
        let bn = LayerCounts {
            elements: 8000,
            mismatches: 7953,
            events_differing: 500,
            max_abs_diff: 2.870_569_005_608_558_7e-6,
            first: Some(Difference { event: 0, index: 1 }),
            own_mismatches: 7953,
            ..LayerCounts::default()
        };
        let d = LayerCounts { elements: 2500, ..LayerCounts::default() };
        let counts = ComparisonCounts {
            layers: vec![LayerCounts { elements: 8000, ..LayerCounts::default() }, bn, d],
            events: 500,
            events_differing: 0,
            events_differing_any_layer: 500,
        };

        let lenient = Comparison::from_counts(meta.clone(), &counts, false)?;
        assert_eq!((lenient.verdict, lenient.events_differing), (Verdict::BitExact, 0));
        assert_eq!(lenient.layers_differing, ["bn"]);
        assert_eq!(lenient.first_layer.as_deref(), Some("bn"));
        assert_eq!(lenient.outputs, ["d"]);

        let strict = Comparison::from_counts(meta, &counts, true)?;
        assert_eq!((strict.verdict, strict.events_differing), (Verdict::Mismatch, 500));
        assert_eq!(strict.layers, lenient.layers);
        Ok(())
    }

    #[test]
    fn the_first_guilty_layer_has_own_mismatches() -> TestResult {
        let meta = meta(&[("a", false), ("b", false), ("out", true)]);
        let first = |layers| -> Result<_, CountsError> {
            let counts = counts(layers, 10, 10);
            Ok(Comparison::from_counts(meta.clone(), &counts, false)?.first_layer)
        };
        // Own comes before inherited, wherever it is.
        let later = first(vec![differing(0, 50), differing(7, 10), differing(20, 0)])?;
        assert_eq!(later.as_deref(), Some("b"));
        // Without any own mismatch, the first that differs.
        let inherited = first(vec![equal(), differing(0, 50), differing(0, 50)])?;
        assert_eq!(inherited.as_deref(), Some("b"));
        // An own difference that the upstream one hides is guilty all the same.
        let hidden = LayerCounts { own_mismatches: 4, ..equal() };
        let hidden = first(vec![differing(0, 50), hidden, differing(20, 0)])?;
        assert_eq!(hidden.as_deref(), Some("b"));
        Ok(())
    }

    #[test]
    fn without_own_layers_the_first_that_differs_is_named() -> TestResult {
        let meta = ComparisonMeta {
            target: "trace:board.h5".to_owned(),
            own_known: false,
            ..meta(&[("a", false), ("out", true)])
        };
        let unknown = LayerCounts { inherited_mismatches: 0, ..differing(0, 30) };
        let counts = counts(vec![unknown.clone(), unknown], 10, 10);
        let comparison = Comparison::from_counts(meta, &counts, false)?;
        assert_eq!(comparison.first_layer.as_deref(), Some("a"));
        assert_eq!(comparison.layers[0].own_mismatches, None);
        assert_eq!(comparison.layers[0].inherited_mismatches, None);
        Ok(())
    }

    #[test]
    fn ambiguous_elements_never_count() -> TestResult {
        let ambiguous = LayerCounts { ambiguous: 12, ..equal() };
        for strict in [false, true] {
            let counts = counts(vec![ambiguous.clone()], 0, 0);
            let comparison = Comparison::from_counts(meta(&[("out", true)]), &counts, strict)?;
            assert_eq!(comparison.verdict, Verdict::BitExact);
            assert_eq!(comparison.layers_differing, [""; 0]);
            assert_eq!(comparison.first_layer, None);
            assert_eq!(comparison.layers[0].ambiguous, 12);
        }
        Ok(())
    }

    #[test]
    fn differences_are_stated_in_the_lsb_of_the_target() -> TestResult {
        let lsb = |result_t: Option<&str>, max_abs_diff| -> Result<_, Box<dyn std::error::Error>> {
            let mut meta = meta(&[("out", true)]);
            meta.layers[0].result_t = result_t.map(str::parse).transpose()?;
            let counts = counts(vec![LayerCounts { max_abs_diff, ..differing(1, 9) }], 10, 10);
            let comparison = Comparison::from_counts(meta, &counts, false)?;
            Ok((comparison.layers[0].max_abs_diff, comparison.layers[0].max_lsb_diff))
        };
        let wrap = Some("ap_fixed<10,4,RND_CONV,WRAP>");
        assert_eq!(lsb(wrap, 15.984_375)?, (15.984_375, Some(1023.0)));
        assert_eq!(lsb(wrap, 0.0)?, (0.0, Some(0.0)));
        assert_eq!(lsb(Some("ap_fixed<8,12,TRN,SAT>"), 32.0)?.1, Some(2.0));
        assert_eq!(lsb(None, 0.5)?, (0.5, None));
        // JSON has no infinity.
        assert_eq!(lsb(wrap, f64::INFINITY)?, (f64::MAX, Some(f64::MAX)));
        assert_eq!(lsb(Some("ap_fixed<126,-1024,TRN,SAT>"), 1.0)?.1, Some(f64::MAX));
        assert_eq!(lsb(Some("ap_fixed<126,-1024,TRN,SAT>"), 0.0)?.1, Some(0.0));
        Ok(())
    }

    #[test]
    fn only_flags_that_occur_are_listed() -> TestResult {
        let flagged = LayerCounts { flags: [0, 3, 0, 1, 0, 0, 0, 0], ..equal() };
        let counts = counts(vec![flagged], 0, 0);
        let comparison = Comparison::from_counts(meta(&[("out", true)]), &counts, false)?;
        let flags: Vec<_> =
            comparison.layers[0].flags.iter().map(|(k, &v)| (k.as_str(), v)).collect();
        assert_eq!(flags, [("float32-sum", 3), ("not-finite", 1)]);
        Ok(())
    }

    #[test]
    fn layers_without_counters_count_as_zero() -> TestResult {
        let none = ComparisonCounts::default();
        let comparison =
            Comparison::from_counts(meta(&[("a", false), ("out", true)]), &none, false)?;
        assert_eq!(comparison.verdict, Verdict::BitExact);
        assert_eq!(comparison.layers.iter().map(|l| l.elements).collect::<Vec<_>>(), [0, 0]);
        Ok(())
    }
}
