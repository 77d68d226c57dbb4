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
    /// What `prepared` was made from.
    pub(crate) source: (BatchNorm, Vec<BatchNormKind>),
}

impl PartialEq for RealNorm {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source && self.channel == other.channel
    }
}

pub(crate) fn normalise(norm: &RealNorm, x: &LaneBlock) -> LaneBlock {
    map(x, |at, e| {
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
