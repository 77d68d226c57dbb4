//! Tensors of a block of events, events innermost.

use crate::Flags;

/// Which machine type holds the lanes of an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Storage {
    /// 16-bit integers.
    I16,
    /// 32-bit integers.
    I32,
    /// 64-bit integers.
    I64,
    /// Reals with an optional band.
    Real,
}

impl Storage {
    /// The narrowest integer storage that holds every value from `min` to `max`.
    pub fn for_range(min: i64, max: i64) -> Self {
        let fits = |lo: i64, hi: i64| lo <= min && max <= hi;
        if fits(i16::MIN.into(), i16::MAX.into()) {
            Self::I16
        } else if fits(i32::MIN.into(), i32::MAX.into()) {
            Self::I32
        } else {
            Self::I64
        }
    }
}

/// One tensor for a block of events: `data[element * lanes + lane]`, elements in C order.
#[derive(Debug, Clone, PartialEq)]
pub struct LaneBlock {
    /// Elements per event.
    pub elements: usize,
    /// Events in the block.
    pub lanes: usize,
    /// The values.
    pub data: Lanes,
}

/// The values of a [`LaneBlock`].
#[derive(Debug, Clone, PartialEq)]
pub enum Lanes {
    /// `raw * 2^-fractional` each.
    I16 {
        /// Raw integers.
        raw: Vec<i16>,
        /// Fractional bits of every raw.
        fractional: i32,
    },
    /// `raw * 2^-fractional` each.
    I32 {
        /// Raw integers.
        raw: Vec<i32>,
        /// Fractional bits of every raw.
        fractional: i32,
    },
    /// `raw * 2^-fractional` each.
    I64 {
        /// Raw integers.
        raw: Vec<i64>,
        /// Fractional bits of every raw.
        fractional: i32,
    },
    /// Reals.
    Real(RealLanes),
}

/// Reals, held in float64 (which holds every float32, and exact values of up to 53 bits).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RealLanes {
    /// Best value of each element and lane.
    pub value: Vec<f64>,
    /// Bands and flags, absent while no element has any.
    pub band: Option<Band>,
}

/// What the real software may give: for each element and lane the lowest and highest value.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Band {
    /// Lowest value.
    pub lo: Vec<f64>,
    /// Highest value.
    pub hi: Vec<f64>,
    /// Flags.
    pub flags: Vec<Flags>,
}

/// An integer type that lanes may be stored in.
pub trait LaneInt: Copy + Into<i64> + TryFrom<i64> + Default + Ord + Send + Sync + 'static {
    /// The storage tag of this type.
    const STORAGE: Storage;

    /// Keeps the low bits; the plan proves that none are lost.
    fn truncate(value: i64) -> Self;

    /// Wraps raws into lanes.
    fn wrap(raw: Vec<Self>, fractional: i32) -> Lanes;
}

macro_rules! lane_int {
    ($($int:ident => $variant:ident),*) => {$(
        impl LaneInt for $int {
            const STORAGE: Storage = Storage::$variant;
            fn truncate(value: i64) -> Self {
                value as Self
            }
            fn wrap(raw: Vec<Self>, fractional: i32) -> Lanes {
                Lanes::$variant { raw, fractional }
            }
        }
    )*};
}
lane_int!(i16 => I16, i32 => I32, i64 => I64);

impl LaneBlock {
    /// The storage of the values.
    pub fn storage(&self) -> Storage {
        match self.data {
            Lanes::I16 { .. } => Storage::I16,
            Lanes::I32 { .. } => Storage::I32,
            Lanes::I64 { .. } => Storage::I64,
            Lanes::Real(_) => Storage::Real,
        }
    }

    /// Value of one element in one lane. Exact for raws of up to 53 bits.
    pub fn value(&self, element: usize, lane: usize) -> f64 {
        let at = element * self.lanes + lane;
        match &self.data {
            Lanes::I16 { raw, fractional } => scale(raw[at].into(), *fractional),
            Lanes::I32 { raw, fractional } => scale(raw[at].into(), *fractional),
            Lanes::I64 { raw, fractional } => scale(raw[at], *fractional),
            Lanes::Real(real) => real.value[at],
        }
    }

    /// Band of one element in one lane: both ends are the value where there is none.
    pub fn band(&self, element: usize, lane: usize) -> (f64, f64, Flags) {
        let at = element * self.lanes + lane;
        if let Lanes::Real(RealLanes { band: Some(b), .. }) = &self.data {
            return (b.lo[at], b.hi[at], b.flags[at]);
        }
        let v = self.value(element, lane);
        (v, v, Flags::NONE)
    }

    /// Whether any element may have a band or a flag.
    pub fn has_band(&self) -> bool {
        matches!(&self.data, Lanes::Real(r) if r.band.is_some())
    }
}

/// `raw * 2^-fractional`, exact for raws of up to 53 bits while the result is a normal float64.
fn scale(raw: i64, fractional: i32) -> f64 {
    // Two steps keep each factor a normal number for every format that types can express.
    let half = -fractional / 2;
    raw as f64 * 2f64.powi(half) * 2f64.powi(-fractional - half)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrowest_storage() {
        assert_eq!(Storage::for_range(-32768, 32767), Storage::I16);
        assert_eq!(Storage::for_range(-32769, 0), Storage::I32);
        assert_eq!(Storage::for_range(0, 1 << 31), Storage::I64);
    }

    #[test]
    fn values_by_storage() {
        let block = |data| LaneBlock { elements: 2, lanes: 2, data };
        let b = block(Lanes::I16 { raw: vec![1, 2, 3, -4], fractional: 3 });
        assert_eq!(b.value(1, 1), -0.5);
        let b = block(Lanes::I64 { raw: vec![1, 2, 3, -4], fractional: -40 });
        assert_eq!(b.value(0, 1), 2f64.powi(41));
        assert_eq!(b.band(0, 1), (2f64.powi(41), 2f64.powi(41), Flags::NONE));
    }
}
