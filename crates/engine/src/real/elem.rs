//! One element with its band, and reading and writing of whole blocks.

use bittrue_block::{Band, Flag, Flags, LaneBlock, Lanes, RealLanes};

/// A value and what the real software may give in its place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Elem {
    /// Best value.
    pub(crate) value: f64,
    /// Lowest value.
    pub(crate) lo: f64,
    /// Highest value.
    pub(crate) hi: f64,
    /// Flags.
    pub(crate) flags: Flags,
}

impl Elem {
    /// A value that is certain; flagged when it is not finite.
    pub(crate) fn certain(value: f64) -> Self {
        let flags = if value.is_finite() { Flags::NONE } else { Flag::NotFinite.into() };
        Self { value, lo: value, hi: value, flags }
    }

    /// A band with its reason. Ends that coincide need no reason; that the value is wide remains true.
    pub(crate) fn banded(value: f64, lo: f64, hi: f64, flags: Flags) -> Self {
        if lo == hi && value == lo {
            return Self::certain(value).or_wide(flags.has(Flag::Wide));
        }
        let finite = if value.is_finite() { Flags::NONE } else { Flag::NotFinite.into() };
        Self { value, lo: lo.min(value), hi: hi.max(value), flags: flags.union(finite) }
    }

    /// The same, flagged where the exact value needs more than 53 bits.
    pub(crate) fn or_wide(mut self, wide: bool) -> Self {
        if wide {
            self.flags = self.flags.with(Flag::Wide);
        }
        self
    }

    /// Whether the exact value needs more than 53 bits.
    pub(crate) fn is_wide(&self) -> bool {
        self.flags.has(Flag::Wide)
    }

    /// Whether the value is one number.
    pub(crate) fn is_certain(&self) -> bool {
        // Not finite values are their own class and have no band.
        self.lo == self.hi || self.value.is_nan()
    }

    /// Applies a function that rises monotonically to value and band.
    pub(crate) fn map_rising(&self, f: impl Fn(f64) -> f64) -> Self {
        let value = f(self.value);
        if self.is_certain() {
            return Self::certain(value);
        }
        Self::banded(value, f(self.lo), f(self.hi), self.inherited())
    }

    /// The flags that pass on to what is computed from this element.
    pub(crate) fn inherited(&self) -> Flags {
        self.flags.without(Flag::Float32Ste).without(Flag::NotFinite).without(Flag::Wide)
    }
}

/// Whether the sum of two numbers rounds in float64.
pub(crate) fn sum_rounds(x: f64, y: f64) -> bool {
    // Knuth's exact error of a sum.
    let sum = x + y;
    let taken = sum - x;
    sum.is_finite() && (x - (sum - taken)) + (y - taken) != 0.0
}

/// Whether the product of two numbers rounds in float64.
pub(crate) fn product_rounds(x: f64, y: f64) -> bool {
    let product = x * y;
    product.is_finite() && x.mul_add(y, -product) != 0.0
}

/// Element `at` (`element * lanes + lane`) of a block of any storage.
pub(crate) fn read(block: &LaneBlock, at: usize) -> Elem {
    if let Lanes::Real(RealLanes { value, band: Some(band) }) = &block.data {
        return Elem { value: value[at], lo: band.lo[at], hi: band.hi[at], flags: band.flags[at] };
    }
    Elem::certain(block.value(at / block.lanes, at % block.lanes))
}

/// Collects elements; bands are stored from the first element that has one.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    value: Vec<f64>,
    band: Option<Band>,
}

impl Writer {
    /// Space for `n` elements.
    pub(crate) fn with_capacity(n: usize) -> Self {
        Self { value: Vec::with_capacity(n), band: None }
    }

    /// Appends an element.
    pub(crate) fn push(&mut self, e: Elem) {
        let certain = e.flags.is_empty() && e.is_certain();
        if self.band.is_none() && !certain {
            self.band = Some(Band {
                lo: self.value.clone(),
                hi: self.value.clone(),
                flags: vec![Flags::NONE; self.value.len()],
            });
        }
        self.value.push(e.value);
        if let Some(band) = &mut self.band {
            band.lo.push(e.lo);
            band.hi.push(e.hi);
            band.flags.push(e.flags);
        }
    }

    /// The block.
    pub(crate) fn finish(self, elements: usize, lanes: usize) -> LaneBlock {
        LaneBlock {
            elements,
            lanes,
            data: Lanes::Real(RealLanes { value: self.value, band: self.band }),
        }
    }
}

/// Applies a function to every element; it is given the element's place in the block too.
pub(crate) fn map(x: &LaneBlock, f: impl Fn(usize, Elem) -> Elem) -> LaneBlock {
    let mut out = Writer::with_capacity(x.elements * x.lanes);
    for at in 0..x.elements * x.lanes {
        out.push(f(at, read(x, at)));
    }
    out.finish(x.elements, x.lanes)
}
