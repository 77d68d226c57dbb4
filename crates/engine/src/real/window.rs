//! Pooling and moved elements of reals.

use bittrue_block::{Flag, Flags, LaneBlock, Lanes, RealLanes};
use bittrue_keras::float::pool;
use bittrue_kernels::{self as kernels, PADDING};
use bittrue_model::PoolKind;

use super::elem::{Elem, Writer, read, sum_rounds};
use crate::taps::Taps;

pub(crate) fn pool(
    kind: PoolKind,
    global: bool,
    taps: &Taps,
    exact: bool,
    x: &LaneBlock,
) -> LaneBlock {
    let lanes = x.lanes;
    let mut out = Writer::with_capacity(taps.rows() * lanes);
    let mut cells = Vec::with_capacity(taps.terms);
    for row in 0..taps.rows() {
        for lane in 0..lanes {
            cells.clear();
            cells.extend(taps.elements(row).map(|e| read(x, e * lanes + lane)));
            out.push(match kind {
                PoolKind::Max => largest(&cells, global, exact),
                PoolKind::Average => average(&cells, global.then_some(taps.rows()), exact),
            });
        }
    }
    out.finish(taps.rows(), lanes)
}

/// The largest cell, in float32 or exact with the float32 run in its band. The maximum rises with
/// every cell, so the ends of the bands give the ends.
fn largest(cells: &[Elem], global: bool, exact: bool) -> Elem {
    let of = |end: fn(&Elem) -> f64| -> f64 {
        let values: Vec<f32> = cells.iter().map(|e| end(e) as f32).collect();
        if global { pool::global_max(&values).into() } else { pool::max(&values).into() }
    };
    let run = of(|e| e.value);
    let finite = cells.iter().all(|e| e.value.is_finite());
    let value = match exact && finite {
        true => cells.iter().map(|e| e.value).fold(f64::NEG_INFINITY, f64::max),
        false => run,
    };
    let wide = exact && cells.iter().any(|e| e.is_wide() && e.value == value);
    if !value.is_finite() || (value == run && cells.iter().all(Elem::is_certain)) {
        return Elem::certain(value).or_wide(wide);
    }
    let (lo, hi) = (of(|e| e.lo), of(|e| e.hi));
    let reaching = cells.iter().filter(|e| e.hi >= lo);
    let mut flags = reaching.fold(Flags::NONE, |flags, e| flags.union(e.inherited()));
    if value != run {
        flags = flags.with(Flag::Float32Sum);
    }
    Elem::banded(value, lo.min(run), hi.max(run), flags).or_wide(wide)
}

/// The average of the cells in float32, or exact with the float32 run in its band; `channels` where
/// all cells are averaged.
fn average(cells: &[Elem], channels: Option<usize>, exact: bool) -> Elem {
    let of = |end: fn(&Elem) -> f64| {
        let values: Vec<f32> = cells.iter().map(|e| end(e) as f32).collect();
        match channels {
            Some(channels) => pool::global_average_of(&values, channels),
            None => pool::average(&values),
        }
    };
    let run = of(|e| e.value);
    let mut flags = Flags::NONE;
    let (mut lo, mut hi) = (run.lo, run.hi);
    if !run.exact {
        flags = flags.with(Flag::Float32Sum);
    }
    if cells.iter().any(|e| !e.is_certain()) {
        // Every rounding rises with its arguments.
        lo = lo.min(of(|e| e.lo).lo);
        hi = hi.max(of(|e| e.hi).hi);
        flags = cells.iter().fold(flags, |f, e| f.union(e.inherited()));
    }
    let value = f64::from(run.value);
    if !value.is_finite() {
        return Elem::certain(value);
    }
    if !exact {
        return Elem::banded(value, lo, hi, flags);
    }
    let (sum, wide) = cells.iter().fold((0.0, false), |(sum, wide), e| {
        (sum + e.value, wide || e.is_wide() || sum_rounds(sum, e.value))
    });
    let meant = sum / cells.len() as f64;
    if meant != value {
        flags = flags.with(Flag::Float32Sum);
    }
    Elem::banded(meant, lo.min(value), hi.max(value), flags).or_wide(wide)
}

/// The elements of `index` in their order, zero for padding.
pub(crate) fn gather(index: &[u32], x: &LaneBlock) -> LaneBlock {
    let lanes = x.lanes;
    if let Lanes::Real(RealLanes { value, band: None }) = &x.data {
        let value = kernels::gather(index, lanes, value);
        let data = Lanes::Real(RealLanes { value, band: None });
        return LaneBlock { elements: index.len(), lanes, data };
    }
    let mut out = Writer::with_capacity(index.len() * lanes);
    for &e in index {
        for lane in 0..lanes {
            out.push(match e {
                PADDING => Elem::certain(0.0),
                e => read(x, e as usize * lanes + lane),
            });
        }
    }
    out.finish(index.len(), lanes)
}
