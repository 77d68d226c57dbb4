//! Integer kernels by the storage of their arguments.

use bittrue_block::{LaneBlock, LaneInt, Lanes, Storage};
use bittrue_kernels::{self as kernels, LinearShape, PairLinear, Requantize, Simd};
use bittrue_model::MergeKind;

use crate::taps::Taps;

/// The form of an integer result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Packing {
    /// Fractional bits.
    pub(crate) fractional: i32,
    /// Storage.
    pub(crate) storage: Storage,
}

impl Packing {
    /// Stores raws whose range was proven to fit.
    pub(crate) fn pack(self, raw: Vec<i64>) -> Lanes {
        fn narrow<O: LaneInt>(raw: &[i64], fractional: i32) -> Lanes {
            O::wrap(raw.iter().map(|&v| O::truncate(v)).collect(), fractional)
        }
        match self.storage {
            Storage::I16 => narrow::<i16>(&raw, self.fractional),
            Storage::I32 => narrow::<i32>(&raw, self.fractional),
            Storage::I64 | Storage::Real => Lanes::I64 { raw, fractional: self.fractional },
        }
    }
}

/// Sums of products on integers: a matrix product or a convolution.
#[derive(Debug, Clone)]
pub(crate) struct IntLinear {
    /// What each row reads.
    taps: Taps,
    /// Groups of rows.
    groups: usize,
    /// Results of a row.
    units: usize,
    /// Weights `[group, unit, term]`.
    weights: Weights,
    /// Fractional bits of the result.
    fractional: i32,
    /// The same for arguments of 16 bits, if the weights are small enough.
    pairs: Option<PairLinear>,
}

/// Weights and bias in the accumulator's type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Weights {
    /// 32-bit accumulators.
    I32(Vec<i32>, Vec<i32>),
    /// 64-bit accumulators.
    I64(Vec<i64>, Vec<i64>),
}

impl PartialEq for IntLinear {
    fn eq(&self, other: &Self) -> bool {
        let of = |l: &Self| (l.groups, l.units, l.fractional);
        of(self) == of(other) && self.taps == other.taps && self.weights == other.weights
    }
}

impl IntLinear {
    /// Sums of arguments of a storage; `fractional` are the bits of the results.
    pub(crate) fn new(
        taps: Taps,
        groups: usize,
        units: usize,
        weights: Weights,
        fractional: i32,
        argument: Storage,
    ) -> Self {
        let mut new = Self { taps, groups, units, weights, fractional, pairs: None };
        if let (Storage::I16, Weights::I32(w, b)) = (argument, &new.weights) {
            new.pairs = PairLinear::new(new.shape(0), w, b);
        }
        new
    }

    /// Weights `[group, unit, term]` and biases.
    pub(crate) fn weights(&self) -> &Weights {
        &self.weights
    }

    /// The same where the accumulator has 32 bits.
    pub(crate) fn narrow_weights(&self) -> Option<(&[i32], &[i32])> {
        match &self.weights {
            Weights::I32(w, b) => Some((w, b)),
            Weights::I64(..) => None,
        }
    }

    /// Whether weights have at most 8 bits and the accumulator 32.
    pub(crate) fn has_byte_weights(&self) -> bool {
        self.narrow_weights().is_some_and(|(w, _)| w.iter().all(|&w| i8::try_from(w).is_ok()))
    }

    /// The sums as pairs of 16-bit raws.
    pub(crate) fn pairs(&self) -> Option<&PairLinear> {
        self.pairs.as_ref()
    }

    /// Fractional bits of the sums.
    pub(crate) fn fractional(&self) -> i32 {
        self.fractional
    }

    /// Terms of a sum.
    pub(crate) fn terms(&self) -> usize {
        self.taps.terms
    }

    /// Sums of one event.
    pub(crate) fn results(&self) -> usize {
        self.taps.rows() * self.units
    }

    /// Products of one event: a term for each result, those outside the tensor left out.
    pub(crate) fn multiplications(&self) -> u64 {
        let inside = self.taps.index.iter().filter(|&&e| e != kernels::PADDING).count();
        (inside * self.units) as u64
    }

    /// Sizes of a call of a kernel.
    pub(crate) fn shape(&self, lanes: usize) -> LinearShape<'_> {
        LinearShape {
            index: &self.taps.index,
            terms: self.taps.terms,
            groups: self.groups,
            units: self.units,
            lanes,
        }
    }
}

/// Calls `$body` with `$raw` as the slice of an integer block.
macro_rules! by_storage {
    ($block:expr, $raw:ident, $fractional:ident => $body:expr) => {
        match &$block.data {
            Lanes::I16 { raw: $raw, fractional: $fractional } => $body,
            Lanes::I32 { raw: $raw, fractional: $fractional } => $body,
            Lanes::I64 { raw: $raw, fractional: $fractional } => $body,
            Lanes::Real(_) => unreachable!("the plan gives integers to integer kernels"),
        }
    };
}

fn like(x: &LaneBlock, data: Lanes) -> LaneBlock {
    LaneBlock { elements: x.elements, lanes: x.lanes, data }
}

pub(crate) fn requantize(cast: &Requantize, storage: Storage, x: &LaneBlock) -> LaneBlock {
    fn to<X: LaneInt>(cast: &Requantize, storage: Storage, x: &[X]) -> Lanes {
        let f = cast.target().fractional();
        match storage {
            Storage::I16 => i16::wrap(kernels::requantize(cast, x), f),
            Storage::I32 => i32::wrap(kernels::requantize(cast, x), f),
            Storage::I64 | Storage::Real => i64::wrap(kernels::requantize(cast, x), f),
        }
    }
    like(x, by_storage!(x, raw, _f => to(cast, storage, raw)))
}

pub(crate) fn linear(d: &IntLinear, x: &LaneBlock) -> LaneBlock {
    let shape = d.shape(x.lanes);
    let fractional = d.fractional;
    let paired = match (&d.pairs, &x.data) {
        (Some(pairs), Lanes::I16 { raw, .. }) => pairs.run(Simd::chosen(), raw, x.lanes),
        _ => None,
    };
    if let Some(raw) = paired {
        let elements = d.taps.rows() * d.units;
        return LaneBlock { elements, lanes: x.lanes, data: Lanes::I32 { raw, fractional } };
    }
    let data = match (&d.weights, &x.data) {
        (Weights::I32(w, b), Lanes::I16 { raw, .. }) => {
            Lanes::I32 { raw: kernels::linear(shape, raw, w, b), fractional }
        }
        (Weights::I32(w, b), Lanes::I32 { raw, .. }) => {
            Lanes::I32 { raw: kernels::linear(shape, raw, w, b), fractional }
        }
        (Weights::I64(w, b), Lanes::I16 { raw, .. }) => {
            Lanes::I64 { raw: kernels::linear(shape, raw, w, b), fractional }
        }
        (Weights::I64(w, b), Lanes::I32 { raw, .. }) => {
            Lanes::I64 { raw: kernels::linear(shape, raw, w, b), fractional }
        }
        (Weights::I64(w, b), Lanes::I64 { raw, .. }) => {
            Lanes::I64 { raw: kernels::linear(shape, raw, w, b), fractional }
        }
        (Weights::I32(..), Lanes::I64 { .. }) | (_, Lanes::Real(_)) => {
            unreachable!("the plan gives accumulators that hold the arguments")
        }
    };
    LaneBlock { elements: d.taps.rows() * d.units, lanes: x.lanes, data }
}

/// Casts each element to its own type; the raws are brought to the grid of `out`.
pub(crate) fn requantize_each(
    casts: &[(Requantize, u32)],
    out: Packing,
    x: &LaneBlock,
) -> LaneBlock {
    let lanes = x.lanes;
    let mut all: Vec<i64> = Vec::with_capacity(x.elements * lanes);
    for (e, (cast, shift)) in casts.iter().enumerate() {
        let span = e * lanes..(e + 1) * lanes;
        let raw: Vec<i64> = by_storage!(x, raw, _f => kernels::requantize(cast, &raw[span]));
        all.extend(raw.into_iter().map(|v| v << shift));
    }
    like(x, out.pack(all))
}

/// The largest element of each row.
pub(crate) fn pool_max(taps: &Taps, x: &LaneBlock) -> LaneBlock {
    let data = by_storage!(x, raw, f => {
        LaneInt::wrap(kernels::pool_max(&taps.index, taps.terms, x.lanes, raw), *f)
    });
    LaneBlock { elements: taps.rows(), lanes: x.lanes, data }
}

/// The sum of each row, shifted.
pub(crate) fn pool_sum(taps: &Taps, shifts: &[u32], out: Packing, x: &LaneBlock) -> LaneBlock {
    let sums = by_storage!(x, raw, _f => {
        kernels::pool_sum(&taps.index, taps.terms, shifts, x.lanes, raw)
    });
    LaneBlock { elements: taps.rows(), lanes: x.lanes, data: out.pack(sums) }
}

/// The elements of `index` in their order, zero for padding.
pub(crate) fn gather(index: &[u32], x: &LaneBlock) -> LaneBlock {
    let data = by_storage!(x, raw, f => {
        LaneInt::wrap(kernels::gather(index, x.lanes, raw), *f)
    });
    LaneBlock { elements: index.len(), lanes: x.lanes, data }
}

pub(crate) fn relu(x: &LaneBlock, max: Option<i64>) -> LaneBlock {
    like(x, by_storage!(x, raw, f => LaneInt::wrap(kernels::relu(raw, max), *f)))
}

pub(crate) fn leaky_relu(x: &LaneBlock, slope: i64, shift: u32, out: Packing) -> LaneBlock {
    like(x, out.pack(by_storage!(x, raw, _f => kernels::leaky_relu(raw, slope, shift))))
}

pub(crate) fn merge(kind: MergeKind, x: &[&LaneBlock], shifts: &[u32], out: Packing) -> LaneBlock {
    let mut acc = by_storage!(x[0], raw, _f => kernels::align::<_, i64>(raw, shifts[0]));
    for (x, &shift) in x.iter().zip(shifts).skip(1) {
        by_storage!(x, raw, _f => match kind {
            MergeKind::Add | MergeKind::Average => kernels::add_scaled(&mut acc, raw, 1, shift),
            MergeKind::Subtract => kernels::add_scaled(&mut acc, raw, -1, shift),
            MergeKind::Multiply => kernels::multiply(&mut acc, raw),
            MergeKind::Maximum => kernels::maximum(&mut acc, raw, shift),
            MergeKind::Minimum => kernels::minimum(&mut acc, raw, shift),
        });
    }
    like(x[0], out.pack(acc))
}

pub(crate) fn concatenate(
    x: &[&LaneBlock],
    parts: &[(usize, u32)],
    outer: usize,
    out: Packing,
) -> LaneBlock {
    let lanes = x[0].lanes;
    let elements = outer * parts.iter().map(|p| p.0).sum::<usize>();
    let mut all = Vec::with_capacity(elements * lanes);
    for o in 0..outer {
        for (x, &(size, shift)) in x.iter().zip(parts) {
            let span = o * size * lanes..(o + 1) * size * lanes;
            all.extend(by_storage!(x, raw, _f => kernels::align::<_, i64>(&raw[span], shift)));
        }
    }
    LaneBlock { elements, lanes, data: out.pack(all) }
}
