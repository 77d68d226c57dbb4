//! Batch normalisation of reals.

use bittrue_block::{Flag, LaneBlock};
use bittrue_keras::float::batch_norm::PreparedBatchNorm;

use super::elem::{Elem, map};

/// A normalisation with its constants.
#[derive(Debug, Clone)]
pub(crate) struct RealNorm {
    /// The constants.
    pub(crate) prepared: PreparedBatchNorm,
    /// For each element of an event the parameters that it uses.
    pub(crate) channel: Vec<u32>,
    /// What `prepared` was made from.
    pub(crate) source: Source,
}

/// The layer and the formula: what makes two normalisations the same.
pub(crate) type Source =
    (bittrue_model::BatchNorm, bittrue_keras::float::batch_norm::BatchNormKind);

impl PartialEq for RealNorm {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source && self.channel == other.channel
    }
}

pub(crate) fn normalise(norm: &RealNorm, x: &LaneBlock) -> LaneBlock {
    map(x, |at, e| {
        let channel = norm.channel[at / x.lanes] as usize;
        let y = if e.is_certain() {
            norm.prepared.apply(e.value as f32, channel)
        } else {
            norm.prepared.apply_interval(e.value as f32, e.lo as f32, e.hi as f32, channel)
        };
        let (value, lo, hi) = (f64::from(y.value), f64::from(y.lo), f64::from(y.hi));
        if !value.is_finite() && (lo == hi || y.is_exact() || value.is_nan()) {
            return Elem::certain(value);
        }
        // A band that the argument brings keeps its own reason.
        let certain = norm.prepared.apply(e.value as f32, channel).is_exact();
        let own = if certain { e.inherited() } else { e.inherited().with(Flag::FunctionBand) };
        Elem::banded(value, lo, hi, own)
    })
}
