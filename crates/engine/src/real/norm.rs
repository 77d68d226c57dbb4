//! Batch normalisation of reals.

use bittrue_block::{Flag, Flags, LaneBlock};
use bittrue_keras::float::{Banded, BatchNormKind, PreparedBatchNorm};
use bittrue_model::BatchNorm;

use super::elem::{Elem, map};

/// A normalisation with its constants.
#[derive(Debug, Clone)]
pub(crate) struct RealNorm {
    /// The constants of each formula that TensorFlow may use, the likeliest first.
    pub(crate) prepared: Vec<PreparedBatchNorm>,
    /// For each element of an event the parameters that it uses.
    pub(crate) channel: Vec<u32>,
    /// Whether the argument is a product, so that the factor may be multiplied with one of its factors
    /// first.
    pub(crate) behind_product: bool,
    /// What `prepared` was made from.
    pub(crate) source: (BatchNorm, Vec<BatchNormKind>),
}

impl PartialEq for RealNorm {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
            && self.channel == other.channel
            && self.behind_product == other.behind_product
    }
}

pub(crate) fn normalise(norm: &RealNorm, x: &LaneBlock) -> LaneBlock {
    map(x, |at, e| {
        // Another order of two products moves the result by two roundings, as if the argument moved.
        let e = match norm.behind_product && e.value.is_finite() && e.value != 0.0 {
            true => {
                let slack = e.lo.abs().max(e.hi.abs()) * 2f64.powi(-22);
                let flags = e.inherited().with(Flag::Float32Sum);
                Elem::banded(e.value, e.lo - slack, e.hi + slack, flags)
            }
            false => e,
        };
        let channel = norm.channel[at / x.lanes] as usize;
        let of = |f: &PreparedBatchNorm| match e.is_certain() {
            true => f.apply(e.value as f32, channel),
            false => f.apply_interval(e.value as f32, e.lo as f32, e.hi as f32, channel),
        };
        let results = norm.prepared.iter().map(of);
        let Some(y) = results.reduce(either) else { return e };
        let value = f64::from(y.value);
        if y.is_exact() || value.is_nan() {
            return Elem::certain(value);
        }
        // A band that the argument brings keeps its own reason.
        let brings = !e.is_certain();
        let own = norm.prepared.len() > 1
            || norm.prepared.iter().any(|f| !f.apply(e.value as f32, channel).is_exact());
        let mut flags = if brings { e.inherited() } else { Flags::NONE };
        if own {
            flags = flags.with(Flag::FunctionBand);
        }
        Elem::banded(value, y.lo.into(), y.hi.into(), flags)
    })
}

/// The first value, in a band that holds both.
fn either(a: Banded, b: Banded) -> Banded {
    Banded { value: a.value, lo: a.lo.min(b.lo), hi: a.hi.max(b.hi) }
}
