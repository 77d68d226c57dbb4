//! What the plan knows of an edge: the values it can take, and how they are stored.

use std::sync::Arc;

use bittrue_block::Storage;
use bittrue_fixed::QInterval;

/// What is known of an edge.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Edge {
    /// How the values are stored.
    pub(crate) repr: Repr,
    /// The interval of each element, where one is proven.
    pub(crate) ranges: Option<Arc<[QInterval]>>,
}

/// How the values of an edge are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repr {
    /// Integers, `raw · 2^-fractional`.
    Int {
        /// Fractional bits of all elements.
        fractional: i32,
        /// Storage of the raws.
        storage: Storage,
    },
    /// Reals with bands.
    Real {
        /// Whether the values are exact results rather than float32 ones.
        exact: bool,
    },
}

/// Raws up to this size may be stored: it leaves room for shifts and sums in 64 bits.
pub(crate) const RAW_LIMIT: i128 = 1 << 40;

impl Edge {
    /// An edge of reals with nothing known of their values.
    pub(crate) fn real(exact: bool) -> Self {
        Self { repr: Repr::Real { exact }, ranges: None }
    }

    /// An edge of integers with these ranges, if they can be stored.
    pub(crate) fn int(ranges: Vec<QInterval>) -> Option<Self> {
        let (fractional, min, max) = common(&ranges)?;
        Some(Self {
            repr: Repr::Int { fractional, storage: Storage::for_range(min, max) },
            ranges: Some(ranges.into()),
        })
    }

    /// Whether the values are exact: integers, or exact reals.
    pub(crate) fn is_exact(&self) -> bool {
        matches!(self.repr, Repr::Int { .. } | Repr::Real { exact: true })
    }

    /// Fractional bits and ranges of an integer edge.
    pub(crate) fn as_int(&self) -> Option<(i32, &[QInterval])> {
        match (self.repr, &self.ranges) {
            (Repr::Int { fractional, .. }, Some(ranges)) => Some((fractional, ranges)),
            _ => None,
        }
    }

    /// Largest magnitude of an integer edge's raws.
    pub(crate) fn max_abs_raw(&self) -> Option<i64> {
        let (fractional, ranges) = self.as_int()?;
        ranges.iter().map(|r| max_abs_at(r, fractional)).try_fold(0, |m, v| Some(m.max(v?)))
    }
}

/// Common fractional bits, lowest and highest raw; `None` when the raws would be too wide.
pub(crate) fn common(ranges: &[QInterval]) -> Option<(i32, i64, i64)> {
    // An element that is always zero has no say in the grid.
    let fractional = ranges
        .iter()
        .filter(|r| (r.min, r.max) != (0, 0))
        .map(|r| r.fractional)
        .max()
        .or_else(|| ranges.first().map(|r| r.fractional))?;
    let (mut min, mut max) = (0_i64, 0_i64);
    for r in ranges {
        min = min.min(raw_at(r.min, r.fractional, fractional)?);
        max = max.max(raw_at(r.max, r.fractional, fractional)?);
    }
    Some((fractional, min, max))
}

/// A raw moved to a grid that is at least as fine; `None` when it leaves the storable range.
pub(crate) fn raw_at(raw: i128, from: i32, to: i32) -> Option<i64> {
    if raw == 0 {
        return Some(0);
    }
    let up = u32::try_from(to - from).ok().filter(|&s| s <= 80)?;
    let moved = raw.checked_mul(1_i128 << up).filter(|v| v.abs() <= RAW_LIMIT)?;
    i64::try_from(moved).ok()
}

/// Largest magnitude of an interval on a grid that is at least as fine.
pub(crate) fn max_abs_at(r: &QInterval, fractional: i32) -> Option<i64> {
    Some(
        raw_at(r.min, r.fractional, fractional)?
            .abs()
            .max(raw_at(r.max, r.fractional, fractional)?.abs()),
    )
}

/// An integer edge whose raws have `fractional` bits, which is at least as fine as its ranges.
pub(crate) fn with_fractional(ranges: Vec<QInterval>, fractional: i32) -> Option<Edge> {
    let (mut min, mut max) = (0_i64, 0_i64);
    for r in &ranges {
        min = min.min(raw_at(r.min, r.fractional, fractional)?);
        max = max.max(raw_at(r.max, r.fractional, fractional)?);
    }
    let storage = Storage::for_range(min, max);
    Some(Edge { repr: Repr::Int { fractional, storage }, ranges: Some(ranges.into()) })
}
