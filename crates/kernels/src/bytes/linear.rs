//! Sums of products of 8-bit raws, four terms at a time, and their cast back to bytes.
//!
//! Vector instructions multiply four neighbouring bytes without a sign by four with one and add the
//! products. Raws with a sign are stored with [`SIGNED`](crate::SIGNED) added, which the bias takes back. Otherwise
//! this is [`PairLinear`](crate::PairLinear) with four in the place of two.

use super::cast::ByteCast;
#[cfg(target_arch = "x86_64")]
use super::vectors;
use crate::{Level, LinearShape, PADDING, Simd};

/// Results that are computed together.
pub(super) const BLOCK: usize = 4;

/// A [`linear`](crate::linear) call on bytes with everything that does not depend on the events
/// computed once.
#[derive(Debug, Clone, PartialEq)]
pub struct ByteLinear {
    /// The different quadruples of elements that are read; [`PADDING`] reads as zero.
    pub(super) quads: Vec<[u32; 4]>,
    /// For each row its quadruples.
    pub(super) rows: Vec<u32>,
    pub(super) per_row: usize,
    pub(super) groups: usize,
    units: usize,
    /// Columns of each group, [`BLOCK`] at a time.
    pub(super) blocks: Vec<Block>,
    /// The byte of a raw 0.
    pub(super) zero: u8,
    /// Whether sums of two products fit into 16 bits.
    unsaturated: bool,
    cast: Option<ByteCast>,
}

/// Some columns of one group.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Block {
    pub(super) units: usize,
    pub(super) bias: [i32; BLOCK],
    /// The quadruples of a row with a weight that is not zero, by place in the row.
    pub(super) terms: Vec<u32>,
    /// Four 8-bit weights for each term and unit.
    pub(super) weights: Vec<[i32; BLOCK]>,
}

/// Where sums go.
pub(super) enum Sink<'a> {
    Sums(&'a mut [i32]),
    Bytes(&'a ByteCast, &'a mut [u8]),
}

impl ByteLinear {
    /// Prepares `out[row, u] = bias[g, u] + Σ_k raw(x[index[row, k]]) * weights[g, u, k]` with raws
    /// `x - zero` of at most `largest` in magnitude, cast to bytes if there is a cast. `None` where a
    /// weight has more than 8 bits.
    ///
    /// The caller proves that every sum fits into 32 bits.
    pub fn new(
        shape: LinearShape<'_>,
        weights: &[i32],
        bias: &[i32],
        (zero, largest): (u8, i64),
        cast: Option<ByteCast>,
    ) -> Option<Self> {
        let LinearShape { index, terms, groups, units, .. } = shape;
        if terms == 0 || weights.iter().any(|&w| i8::try_from(w).is_err()) {
            return None;
        }
        let per_row = terms.div_ceil(4);
        let mut quads: Vec<[u32; 4]> = Vec::new();
        let mut known = std::collections::HashMap::new();
        let mut rows = Vec::with_capacity(index.len() / terms * per_row);
        for row in index.chunks_exact(terms) {
            for part in row.chunks(4) {
                let quad = [0, 1, 2, 3].map(|n| part.get(n).copied().unwrap_or(PADDING));
                rows.push(*known.entry(quad).or_insert_with(|| {
                    quads.push(quad);
                    quads.len() as u32 - 1
                }));
            }
        }
        // What is added to raws is there in bytes that are read for no term, with weights of 0.
        let largest = if zero == 0 { largest } else { 255 };
        let unsaturated = weights.chunks_exact(terms).all(|column| {
            column.chunks(2).all(|pair| {
                let sum: i64 = pair.iter().map(|w| i64::from(w.unsigned_abs())).sum();
                sum * largest <= i64::from(i16::MAX)
            })
        });
        let add = cast.map_or(0, |c| c.cast.add);
        let mut blocks = Vec::new();
        for group in 0..groups {
            for first in (0..units).step_by(BLOCK) {
                let count = BLOCK.min(units - first);
                let column = group * units + first;
                let weights = &weights[column * terms..(column + count) * terms];
                blocks.push(Block::new(weights, &bias[column..column + count], zero, add));
            }
        }
        Some(Self { quads, rows, per_row, groups, units, blocks, zero, unsaturated, cast })
    }

    /// Whether a level has instructions for it.
    pub fn is_fast(&self, simd: Simd) -> bool {
        match simd.level() {
            Level::Scalar => false,
            Level::Avx2 | Level::Avx512 => self.unsaturated,
            Level::Vnni => true,
        }
    }

    /// The byte of a raw 0 among the results of [`bytes`](Self::bytes).
    pub fn result_zero(&self) -> u8 {
        self.cast.map_or(0, |c| c.zero)
    }

    /// Results of one event.
    pub fn results(&self) -> usize {
        self.rows.len() / self.per_row * self.units
    }

    /// The sums, `[row, unit, lane]`, of `x`, `[element, lane]`; with a cast, without it applied.
    pub fn sums(&self, simd: Simd, x: &[u8], lanes: usize) -> Vec<i32> {
        let mut out = vec![0; self.results() * lanes];
        self.dispatch(simd, x, lanes, &mut Sink::Sums(&mut out));
        let add = self.cast.map_or(0, |c| c.cast.add);
        if add != 0 {
            out.iter_mut().for_each(|s| *s -= add);
        }
        out
    }

    /// The sums, cast to bytes; nothing without a cast.
    pub fn bytes(&self, simd: Simd, x: &[u8], lanes: usize) -> Vec<u8> {
        let Some(cast) = &self.cast else { return Vec::new() };
        let mut out = vec![0; self.results() * lanes];
        self.dispatch(simd, x, lanes, &mut Sink::Bytes(cast, &mut out));
        out
    }

    fn dispatch(&self, simd: Simd, x: &[u8], lanes: usize, sink: &mut Sink<'_>) {
        // What the raw reads below rely on.
        let inside = |e: u32| e == PADDING || (e as usize + 1) * lanes <= x.len();
        assert!(self.quads.iter().flatten().all(|&e| inside(e)), "an element outside the tensor");
        #[cfg(target_arch = "x86_64")]
        {
            use crate::isa::{Avx2, Avx512, Vnni};

            #[target_feature(enable = "avx2")]
            unsafe fn avx2(l: &ByteLinear, x: &[u8], lanes: usize, sink: &mut Sink<'_>) {
                // SAFETY: the caller's.
                unsafe { vectors::all::<Avx2>(l, x, lanes, sink) }
            }
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
            unsafe fn avx512(l: &ByteLinear, x: &[u8], lanes: usize, sink: &mut Sink<'_>) {
                // SAFETY: the caller's.
                unsafe { vectors::all::<Avx512>(l, x, lanes, sink) }
            }
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
            unsafe fn vnni(l: &ByteLinear, x: &[u8], lanes: usize, sink: &mut Sink<'_>) {
                // SAFETY: the caller's.
                unsafe { vectors::all::<Vnni>(l, x, lanes, sink) }
            }
            let level = match simd.level() {
                // Vectors of 512 bits hold more than there is.
                Level::Avx512 | Level::Vnni if lanes < 64 && self.unsaturated => Level::Avx2,
                level => level,
            };
            match level {
                // SAFETY: the token proves that the machine has the level or a higher one, there are
                // as many lanes as a vector has bytes, and every element lies in `x`.
                Level::Avx2 if lanes >= 32 && self.unsaturated => {
                    return unsafe { avx2(self, x, lanes, sink) };
                }
                // SAFETY: as above.
                Level::Avx512 if lanes >= 64 && self.unsaturated => {
                    return unsafe { avx512(self, x, lanes, sink) };
                }
                // SAFETY: as above.
                Level::Vnni if lanes >= 64 => return unsafe { vnni(self, x, lanes, sink) },
                _ => {}
            }
        }
        self.plain(simd, x, lanes, sink);
    }

    /// The plain loops, for few lanes and for levels without the instructions.
    fn plain(&self, simd: Simd, x: &[u8], lanes: usize, sink: &mut Sink<'_>) {
        let per_group = self.blocks.len() / self.groups;
        let mut sums = vec![0_i32; lanes];
        let mut result = 0;
        for (row, quads) in self.rows.chunks_exact(self.per_row).enumerate() {
            let group = row % self.groups;
            for block in &self.blocks[group * per_group..(group + 1) * per_group] {
                for unit in 0..block.units {
                    simd.vectorize(
                        #[inline(always)]
                        || {
                            sums.fill(block.bias[unit]);
                            for (&term, weights) in block.terms.iter().zip(&block.weights) {
                                let quad = self.quads[quads[term as usize] as usize];
                                for (e, w) in quad.into_iter().zip(weights[unit].to_le_bytes()) {
                                    let w = i32::from(w.cast_signed());
                                    if e == PADDING {
                                        let zero = w * i32::from(self.zero);
                                        sums.iter_mut().for_each(|s| *s += zero);
                                        continue;
                                    }
                                    let from = e as usize * lanes;
                                    for (s, &v) in sums.iter_mut().zip(&x[from..from + lanes]) {
                                        *s += w * i32::from(v);
                                    }
                                }
                            }
                        },
                    );
                    let span = result * lanes..(result + 1) * lanes;
                    match sink {
                        Sink::Sums(out) => out[span].copy_from_slice(&sums),
                        Sink::Bytes(cast, out) => {
                            let add = cast.cast.add;
                            for (out, &s) in out[span].iter_mut().zip(&sums) {
                                *out = cast.one(s - add);
                            }
                        }
                    }
                    result += 1;
                }
            }
        }
    }
}

impl Block {
    fn new(weights: &[i32], bias: &[i32], zero: u8, add: i32) -> Self {
        let units = bias.len();
        let terms = weights.len() / units.max(1);
        let mut block = Self { units, bias: [0; BLOCK], terms: Vec::new(), weights: Vec::new() };
        for unit in 0..units {
            let all: i32 = weights[unit * terms..(unit + 1) * terms].iter().sum();
            // Sums wrap around on the way, and not in the end.
            block.bias[unit] = bias[unit].wrapping_add(add).wrapping_sub(all * i32::from(zero));
        }
        for quad in 0..terms.div_ceil(4) {
            let mut packed = [0; BLOCK];
            for (unit, packed) in packed[..units].iter_mut().enumerate() {
                let at = |n: usize| match 4 * quad + n {
                    k if k < terms => weights[unit * terms + k] as u8,
                    _ => 0,
                };
                *packed = i32::from_le_bytes([at(0), at(1), at(2), at(3)]);
            }
            // Quantised kernels are often sparse.
            if packed != [0; BLOCK] {
                block.terms.push(quad as u32);
                block.weights.push(packed);
            }
        }
        block
    }
}

#[cfg(test)]
mod tests {
    use bittrue_fixed::{FixedType, Overflow, Rounding};
    use proptest::prelude::*;

    use super::*;
    use crate::cast32::Cast32;
    use crate::{SIGNED, linear};

    proptest! {
        /// Every level gives the sums of the plain loops on wide raws, and casts them as one by one.
        #[test]
        fn all_levels_equal_the_plain_loops(
            rows in 1_usize..4,
            groups in 1_usize..4,
            terms in 1_usize..15,
            units in 1_usize..11,
            lanes in 1_usize..200,
            elements in 1_usize..12,
            sparse in any::<bool>(),
            signed in any::<bool>(),
            bits in 5_u32..=8,
            wide_sums in any::<bool>(),
            seed in any::<u64>(),
        ) {
            let mut state = seed | 1;
            let mut next = |bits: u32| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                ((state >> 33) as i64 % (1 << bits)) - (1 << (bits - 1))
            };
            let index: Vec<u32> = (0..rows * terms)
                .map(|_| match next(8).unsigned_abs() as usize % (elements + 1) {
                    outside if outside == elements => PADDING,
                    element => element as u32,
                })
                .collect();
            let shape = LinearShape { index: &index, terms, groups, units, lanes };
            let zero = if signed { SIGNED } else { 0 };
            let half = if signed { 0 } else { 1 << (bits - 1) };
            let raws: Vec<i16> =
                (0..elements * lanes).map(|_| (next(bits) + half) as i16).collect();
            let x: Vec<u8> = raws.iter().map(|&v| (v + i16::from(zero)) as u8).collect();
            let w: Vec<i32> = (0..groups * units * terms)
                .map(|_| if sparse && next(2) > -2 { 0 } else { next(8) as i32 })
                .collect();
            let b: Vec<i32> = (0..groups * units).map(|_| next(12) as i32).collect();
            let expected = linear::<i16, i32>(shape, &raws, &w, &b);
            let (low, high) = match wide_sums {
                true => (-(1 << 24), 1 << 24),
                false => {
                    let fold = |f: fn(i32, i32) -> i32| expected.iter().copied().fold(0, f);
                    (fold(i32::min).into(), fold(i32::max).into())
                }
            };
            let largest = 1_i64 << bits;
            let plain = ByteLinear::new(shape, &w, &b, (zero, largest), None).expect("8 bits");
            for simd in Simd::all() {
                prop_assert_eq!(&plain.sums(simd, &x, lanes), &expected, "{}", simd.level());
            }
            for overflow in [Overflow::Sat, Overflow::SatSym, Overflow::Wrap] {
                for rounding in [Rounding::RndConv, Rounding::Trn, Rounding::Rnd, Rounding::RndMinInf] {
                    for (unsigned_t, width) in [(true, 8), (false, 8), (true, 6), (false, 5)] {
                        let target = FixedType::new(!unsigned_t, width, 4, rounding, overflow)
                            .expect("a type");
                        let drop = (seed % 7) as i32;
                        let cast = Cast32::new(target.fractional() + drop, target).expect("plain");
                        for cast in [cast, cast.behind_relu()] {
                            let bytes = ByteCast::new(cast, low, high).expect("bytes");
                            let each: Vec<i16> = cast.all(Simd::chosen(), &expected);
                            let each: Vec<u8> = each
                                .iter()
                                .map(|&v| (v + i16::from(bytes.zero())) as u8)
                                .collect();
                            prop_assert_eq!(&bytes.all(Simd::chosen(), &expected), &each);
                            let fused =
                                ByteLinear::new(shape, &w, &b, (zero, largest), Some(bytes))
                                    .expect("8 bits");
                            for simd in Simd::all() {
                                let got = fused.bytes(simd, &x, lanes);
                                prop_assert_eq!(&got, &each, "{} {:?}", simd.level(), bytes);
                                prop_assert_eq!(&fused.sums(simd, &x, lanes), &expected);
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_no_byte_is_refused() {
        let shape = LinearShape { index: &[0], terms: 1, groups: 1, units: 1, lanes: 1 };
        assert!(ByteLinear::new(shape, &[-128], &[1 << 30], (0, 255), None).is_some());
        assert_eq!(ByteLinear::new(shape, &[128], &[0], (0, 255), None), None);
        let cast = |text: &str| Cast32::new(9, text.parse().expect("a type")).expect("plain");
        assert_eq!(ByteCast::new(cast("ap_fixed<9,4>"), -9, 9), None);
        assert_eq!(ByteCast::new(cast("ap_ufixed<8,4>"), 0, 1 << 31), None);
        let narrow = ByteCast::new(cast("ap_ufixed<8,4>"), -32_768, 32_000).expect("bytes");
        assert!(narrow.is_narrow());
    }
}
