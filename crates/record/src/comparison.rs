//! One target against the reference, as the report states it.

use std::collections::BTreeMap;
use std::fmt;

use bittrue_fixed::FixedType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ReferenceAudit;

/// What a comparison found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// No element in scope is a mismatch.
    BitExact,
    /// Some element in scope is a mismatch.
    Mismatch,
    /// Some element in scope differs, all of them by no more than the tolerance that the user
    /// asked for. Never given unless a tolerance was asked for.
    WithinTolerance,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BitExact => "bit-exact",
            Self::Mismatch => "mismatch",
            Self::WithinTolerance => "within-tolerance",
        })
    }
}

/// One target compared with the reference, element by element and by bits of the value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// The leg that counts as right, e.g. `qkeras`.
    pub reference: String,
    /// The leg that is checked, e.g. `proxy:wrap`.
    pub target: String,
    /// What was found. The scope is the model's outputs; with `--strict-layers`, every aligned
    /// layer.
    pub verdict: Verdict,
    /// Names of the layers that are the model's outputs, in report order.
    pub outputs: Vec<String>,
    /// Events with at least one mismatch in scope.
    pub events_differing: u64,
    /// Names of all aligned layers with any mismatch, in report order, outputs or not.
    pub layers_differing: Vec<String>,
    /// The first layer, in report order, with own mismatches; if none has, the first that differs;
    /// null when nothing differs.
    pub first_layer: Option<String>,
    /// Layers whose value the target never forms (fused away); they are not compared.
    pub not_formed: Vec<String>,
    /// The aligned layers, in report order.
    pub layers: Vec<Layer>,
}

impl Comparison {
    /// The layer that [`first_layer`](Self::first_layer) names.
    pub fn first(&self) -> Option<&Layer> {
        let name = self.first_layer.as_deref()?;
        self.layers.iter().find(|layer| layer.name == name)
    }
}

/// One aligned layer: a layer call of the model and the tensor that replaces its output in the
/// target, behind its activation quantizer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Layer {
    /// `layer`; `layer@1` for the second call of a shared layer; `outer::inner` in nested models.
    pub name: String,
    /// Class name as in the model file, e.g. `QDense`.
    pub class: String,
    /// The target's type of the layer's elements, e.g. `ap_fixed<10,4,RND_CONV,WRAP>` (4 integer
    /// bits with the sign); null where the target has no single fixed-point type.
    #[serde(rename = "type")]
    #[schemars(with = "Option<String>", extend("pattern" = "^ap_u?fixed<"))]
    pub result_t: Option<FixedType>,
    /// Elements compared: events times elements per event.
    pub elements: u64,
    /// Elements whose bits differ and that are not ambiguous. −0.0 equals 0.0, NaN equals NaN, NaN
    /// against a number is a mismatch.
    pub mismatches: u64,
    /// Elements that differ while the bands of values that the real software may give overlap.
    /// Never a mismatch.
    pub ambiguous: u64,
    /// Events with at least one mismatch in this layer.
    pub events_differing: u64,
    /// Largest absolute difference of the values, over mismatches with two finite values; 0 when
    /// there are none.
    pub max_abs_diff: f64,
    /// `max_abs_diff` in LSB of `type`; null when `type` is.
    pub max_lsb_diff: Option<f64>,
    /// 0-based row, in the file and before skipped rows, of the first event with a mismatch.
    pub first_event: Option<u64>,
    /// Flat C-order index of the first mismatch inside that event.
    pub first_index: Option<u64>,
    /// Elements in which the target's layer, fed the reference's input, differs from the
    /// reference's output; null for a target without layers of its own (a trace file). May exceed
    /// `mismatches`: an upstream difference can hide them.
    pub own_mismatches: Option<u64>,
    /// Mismatches that are not own; null where `own_mismatches` is.
    pub inherited_mismatches: Option<u64>,
    /// Mismatches that depend on a NaN or an infinity; they count as neither own nor inherited.
    pub not_finite_mismatches: u64,
    /// Elements per flag; only flags that occur.
    pub flags: BTreeMap<String, u64>,
    /// How far the reference's values are known to be those of the real software.
    pub reference: ReferenceAudit,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_has_one_spelling() -> Result<(), serde_json::Error> {
        for verdict in [Verdict::BitExact, Verdict::Mismatch, Verdict::WithinTolerance] {
            assert_eq!(serde_json::to_string(&verdict)?, format!("\"{verdict}\""));
        }
        Ok(())
    }
}
