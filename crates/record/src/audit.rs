//! How far the reference's values may be trusted to be those of the real software.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{LayerCounts, LayerMeta};

/// How the reference's values of a layer relate to what the real software gives.
///
/// A layer has the last class that any of its elements calls for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum AuditClass {
    /// Proven for these weights and this input range: float32 holds every sum exactly, in any
    /// order, here and upstream.
    Exact,
    /// Not proven, but no element of these events has a band: no order of sums and no last bit of
    /// a function changes a value.
    ExactOnTheseEvents,
    /// Some elements are known only within the band of a function.
    FunctionInexact,
    /// Some elements depend on the order in which the real software adds.
    OrderDependent,
}

impl AuditClass {
    /// All classes in their order.
    pub const ALL: [Self; 4] =
        [Self::Exact, Self::ExactOnTheseEvents, Self::FunctionInexact, Self::OrderDependent];
}

impl fmt::Display for AuditClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exact => "exact",
            Self::ExactOnTheseEvents => "exact-on-these-events",
            Self::FunctionInexact => "function-inexact",
            Self::OrderDependent => "order-dependent",
        })
    }
}

/// How far the reference's values of one layer are known, over the compared elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReferenceAudit {
    /// The class of the layer.
    pub class: AuditClass,
    /// Elements whose value in the real software depends on the order of a float32 sum, here or
    /// upstream.
    pub order_dependent: u64,
    /// Other elements that are known only within a band, that of a function here or upstream.
    pub function_inexact: u64,
}

impl ReferenceAudit {
    /// What the counters of a layer amount to.
    pub(crate) fn new(meta: &LayerMeta, counts: &LayerCounts) -> Self {
        let class = match (counts.order_dependent, counts.function_inexact) {
            (0, 0) if meta.reference_proven => AuditClass::Exact,
            (0, 0) => AuditClass::ExactOnTheseEvents,
            (0, _) => AuditClass::FunctionInexact,
            _ => AuditClass::OrderDependent,
        };
        let LayerCounts { order_dependent, function_inexact, .. } = *counts;
        Self { class, order_dependent, function_inexact }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Comparison;
    use crate::fixtures::{counts, equal, meta};

    type TestResult = Result<(), Box<dyn std::error::Error>>;

    #[test]
    fn a_class_has_one_spelling() -> TestResult {
        for class in AuditClass::ALL {
            assert_eq!(serde_json::to_string(&class)?, format!("\"{class}\""));
        }
        Ok(())
    }

    #[test]
    fn what_was_seen_outweighs_what_was_proven() -> TestResult {
        use AuditClass::{Exact, ExactOnTheseEvents, FunctionInexact, OrderDependent};
        for (proven, order_dependent, function_inexact, class) in [
            (true, 0, 0, Exact),
            (false, 0, 0, ExactOnTheseEvents),
            (false, 0, 1, FunctionInexact),
            (true, 0, 1, FunctionInexact),
            (false, 1, 0, OrderDependent),
            (false, 1, 7, OrderDependent),
            // Events outside the proven range may have bands.
            (true, 1, 0, OrderDependent),
        ] {
            let mut meta = meta(&[("out", true)]);
            meta.layers[0].reference_proven = proven;
            let layer = LayerCounts { order_dependent, function_inexact, ..equal() };
            let comparison = Comparison::from_counts(meta, &counts(vec![layer], 0, 0), false)?;
            let audit = comparison.layers[0].reference;
            assert_eq!(audit, ReferenceAudit { class, order_dependent, function_inexact });
        }
        Ok(())
    }
}
