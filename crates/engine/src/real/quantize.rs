//! Quantizers of reals: QKeras' literal float32 operations, HGQ's float32 formula, exact casts.

use bittrue_block::{Flag, Flags, LaneBlock};
use bittrue_fixed::{Dialect, FixedType, Overflow};
use bittrue_keras::float;

use super::elem::{Elem, map, read};
use crate::int::Packing;

/// A quantizer of reals.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RealQuantizer {
    /// QKeras' `quantized_bits`, and the cast that it means.
    Bits(float::QuantizedBits, Option<FixedType>),
    /// QKeras' `quantized_relu`, and the cast that it means.
    Relu(float::QuantizedRelu, Option<FixedType>),
    /// What QKeras' `quantized_tanh` and `quantized_sigmoid` do with the value of their curve.
    Curve(float::QuantizedCurve),
    /// A fixed-point quantizer of HGQ.
    Cast {
        /// The type.
        target: FixedType,
        /// The dialect of the exact cast.
        dialect: Dialect,
        /// HGQ's float32 formula for the same type.
        formula: float::HgqQuantizer,
        /// Whether the argument is exact, so that the exact cast is the value.
        exact: bool,
    },
}

/// The quantizers of the elements of one event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Quantizers {
    /// One for all.
    Same(RealQuantizer),
    /// One for each.
    Each(Vec<RealQuantizer>),
}

impl Quantizers {
    fn of(&self, element: usize) -> &RealQuantizer {
        match self {
            Self::Same(q) => q,
            Self::Each(q) => &q[element],
        }
    }
}

impl RealQuantizer {
    /// The quantised element.
    fn apply(&self, x: Elem) -> Elem {
        match self {
            Self::Bits(q, _) if q.passes_through() && is_denormal(x.value) => {
                let (lo, hi) = (x.lo.min(0.0), x.hi.max(0.0));
                Elem::banded(0.0, lo, hi, x.inherited().with(Flag::Denormal))
            }
            Self::Bits(q, cast) => literal(x, |v| q.apply(v), *cast, false, self.careful_from()),
            Self::Relu(q, cast) => literal(x, |v| q.apply(v), *cast, true, self.careful_from()),
            // Rising, and without a straight-through sum behind the rounding.
            Self::Curve(q) => x.map_rising(|v| q.quantize(v as f32).into()),
            Self::Cast { target, dialect, formula, exact: true } => {
                exact_cast(x, *target, *dialect, formula)
            }
            Self::Cast { target, formula, exact: false, .. } => {
                band_through(x, target, |v| f64::from(formula.apply(v as f32)))
            }
        }
    }

    /// The saturating or wrapping cast that this quantizer is on float32 values that are smaller than
    /// `2^22` of its LSBs; `None` where it is none.
    pub(crate) fn plain_cast(&self) -> Option<FixedType> {
        match self {
            // A relu before a cast to unsigned is the cast itself.
            Self::Bits(_, cast) | Self::Relu(_, cast) => *cast,
            // It stands behind a function of reals.
            Self::Curve(_) => None,
            Self::Cast { target, .. } => Some(*target),
        }
    }

    /// From this magnitude on the float32 operations may leave the plain cast.
    fn careful_from(&self) -> f64 {
        const TWO_24: f64 = 16_777_216.0;
        match self {
            Self::Bits(_, Some(cast)) => TWO_24 * cast.lsb(),
            // The pass-through of a relu is clipped, so nothing is damaged.
            Self::Relu(_, Some(_)) => f64::INFINITY,
            // Where no plain cast is meant, what is on the grid is right.
            Self::Bits(_, None) | Self::Relu(_, None) => f64::INFINITY,
            Self::Curve(_) | Self::Cast { .. } => f64::INFINITY,
        }
    }
}

/// Whether float32 holds this value as a denormal.
fn is_denormal(value: f64) -> bool {
    value != 0.0 && value.abs() < f64::from(f32::MIN_POSITIVE)
}

/// A quantizer of QKeras. Where it is a plain cast it is monotone, and the ends of a band give the
/// ends; elsewhere the straight-through sum depends on the low bits of its argument.
fn literal(
    x: Elem,
    f: impl Fn(f32) -> f32,
    cast: Option<FixedType>,
    relu: bool,
    careful_from: f64,
) -> Elem {
    let f = |v: f64| f64::from(f(v as f32));
    let largest = x.lo.abs().max(x.hi.abs());
    let plain = cast.is_some() && largest < careful_from;
    let mut y = if plain || x.is_certain() { x.map_rising(f) } else { damaged(x, largest, f) };
    if let Some(cast) = cast
        && x.value.is_finite()
    {
        let argument = if relu { x.value.max(0.0) } else { x.value };
        let meant = cast.convert_f64(argument, Dialect::Hgq).map(|raw| cast.value(raw));
        if meant.is_ok_and(|m| m != y.value) {
            y.flags = y.flags.with(Flag::Float32Ste);
        }
    }
    y
}

/// A band through a straight-through sum that may be damaged: it can lose everything (then it is
/// zero), and is off by an ulp of its argument else.
fn damaged(x: Elem, largest: f64, f: impl Fn(f64) -> f64) -> Elem {
    const ULP: f64 = 1.0 / 4_194_304.0;
    let (value, a, b) = (f(x.value), f(x.lo), f(x.hi));
    let slack = largest.max(value.abs()) * ULP;
    let ends = |pick: fn(f64, f64) -> f64| pick(pick(a, b), pick(value, 0.0));
    Elem::banded(value, ends(f64::min) - slack, ends(f64::max) + slack, x.inherited())
}

/// The exact cast of an exact value. Where HGQ's float32 run rounds, its result is in the band.
fn exact_cast(x: Elem, target: FixedType, dialect: Dialect, formula: &float::HgqQuantizer) -> Elem {
    let cast = |v: f64| match target.convert_f64(v, dialect) {
        Ok(raw) => target.value(raw),
        // NaN and infinities: as HGQ's formula has them.
        Err(_) => f64::from(formula.apply(v as f32)),
    };
    let mut y = band_through(x, &target, cast);
    let run = f64::from(formula.apply(x.value as f32));
    if run != y.value && x.value.is_finite() {
        y = Elem::banded(y.value, y.lo.min(run), y.hi.max(run), y.flags.with(Flag::Float32Sum));
    }
    y
}

/// Takes a band through a cast. A band that crosses a wrap may come out anywhere.
fn band_through(x: Elem, target: &FixedType, cast: impl Fn(f64) -> f64) -> Elem {
    if x.is_certain() {
        return Elem::certain(cast(x.value));
    }
    let wraps = matches!(target.overflow, Overflow::Wrap | Overflow::WrapSm | Overflow::SatZero);
    let period = target.lsb() * 2f64.powi(target.width.cast_signed());
    if wraps && x.hi - x.lo >= period {
        return whole_range(x, target, &cast);
    }
    let y = Elem::banded(cast(x.value), cast(x.lo), cast(x.hi), x.inherited());
    // Within one period a band that does not cross the wrap keeps its order and about its width.
    let kept = cast(x.lo) <= cast(x.value)
        && cast(x.value) <= cast(x.hi)
        && cast(x.hi) - cast(x.lo) <= (x.hi - x.lo) + 2.0 * target.lsb();
    if wraps && !kept { whole_range(x, target, &cast) } else { y }
}

fn whole_range(x: Elem, target: &FixedType, cast: impl Fn(f64) -> f64) -> Elem {
    let range = target.interval();
    Elem::banded(cast(x.value), target.value(range.min), target.value(range.max), x.inherited())
}

pub(crate) fn quantize(q: &Quantizers, x: &LaneBlock) -> LaneBlock {
    map(x, |at, e| q.of(at / x.lanes).apply(e))
}

/// Quantises to integers. An element that has a band, or leaves the grid, marks its lane.
pub(crate) fn to_int(
    q: &Quantizers,
    grid: (i64, i64),
    out: Packing,
    x: &LaneBlock,
    exceptional: &mut [bool],
) -> LaneBlock {
    let scale = 2f64.powi(out.fractional);
    let mut raws = Vec::with_capacity(x.elements * x.lanes);
    for at in 0..x.elements * x.lanes {
        let e = read(x, at);
        let q = q.of(at / x.lanes);
        let y = q.apply(e);
        let raw = y.value * scale;
        let proven = e.value.abs() < q.careful_from()
            && y.flags == Flags::NONE
            && raw.trunc() == raw
            && (grid.0 as f64..=grid.1 as f64).contains(&raw);
        if proven {
            raws.push(raw as i64);
        } else {
            exceptional[at % x.lanes] = true;
            raws.push(0);
        }
    }
    LaneBlock { elements: x.elements, lanes: x.lanes, data: out.pack(raws) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What TensorFlow does to a denormal depends on whether it knows the size of the batch.
    #[test]
    fn a_denormal_may_pass_where_nothing_is_applied() {
        let quantizer = |qnoise_factor| {
            let arguments = float::QuantizedBitsArgs {
                bits: 4,
                integer: 0,
                symmetric: false,
                keep_negative: true,
                scale: 1.0,
                qnoise_factor,
            };
            let ready = float::QuantizedBits::new(&arguments).expect("legal arguments");
            RealQuantizer::Bits(ready, None)
        };
        let tiny = f64::from(-1e-40_f32);
        let kept = quantizer(0.0).apply(Elem::certain(tiny));
        assert_eq!((kept.value, kept.lo, kept.hi), (0.0, tiny, 0.0));
        assert!(kept.flags.has(Flag::Denormal));
        assert_eq!(quantizer(0.0).apply(Elem::certain(0.3)), Elem::certain(f64::from(0.3_f32)));
        assert!(quantizer(0.5).apply(Elem::certain(tiny)).is_certain());
    }
}
