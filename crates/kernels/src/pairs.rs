//! Sums of products of 16-bit raws, two terms at a time.
//!
//! Vector instructions multiply pairs of neighbouring 16-bit numbers and add the two products. So two
//! elements of an event are interleaved, once for all results that read them; a pair of weights is the
//! same for all events of a vector. Interleaving by halves of a vector and narrowing the sums again
//! undo each other's order.

use crate::cast32::{Cast32, Limit};
use crate::isa::Isa;
use crate::{Level, LinearShape, PADDING, Simd};

/// A [`linear`](crate::linear) call on 16-bit raws with everything that does not depend on the events
/// computed once.
#[derive(Debug, Clone, PartialEq)]
pub struct PairLinear {
    /// The different pairs of elements that are read; [`PADDING`] reads as zero.
    pairs: Vec<[u32; 2]>,
    /// For each row its pairs.
    rows: Vec<u32>,
    per_row: usize,
    groups: usize,
    units: usize,
    /// Columns of each group, [`BLOCK`] at a time.
    blocks: Vec<Block>,
}

/// Results that are computed together.
const BLOCK: usize = 8;

/// Some columns of one group.
#[derive(Debug, Clone, PartialEq)]
struct Block {
    /// How many, at most [`BLOCK`].
    units: usize,
    bias: [i32; BLOCK],
    /// The pairs of a row with a weight that is not zero, by place in the row.
    terms: Vec<u32>,
    /// Two 16-bit weights for each term and unit.
    weights: Vec<[i32; BLOCK]>,
}

impl PairLinear {
    /// Prepares `out[row, u] = bias[g, u] + Σ_k x[index[row, k]] * weights[g, u, k]`; `None` where a
    /// weight has more than 16 bits.
    ///
    /// The caller proves that every partial sum fits into 32 bits.
    pub fn new(shape: LinearShape<'_>, weights: &[i32], bias: &[i32]) -> Option<Self> {
        let LinearShape { index, terms, groups, units, .. } = shape;
        if terms == 0 || weights.iter().any(|&w| i16::try_from(w).is_err()) {
            return None;
        }
        let per_row = terms.div_ceil(2);
        let mut pairs: Vec<[u32; 2]> = Vec::new();
        let mut known = std::collections::HashMap::new();
        let mut rows = Vec::with_capacity(index.len() / terms * per_row);
        for row in index.chunks_exact(terms) {
            for pair in row.chunks(2) {
                let pair = [pair[0], pair.get(1).copied().unwrap_or(PADDING)];
                rows.push(*known.entry(pair).or_insert_with(|| {
                    pairs.push(pair);
                    pairs.len() as u32 - 1
                }));
            }
        }
        let mut blocks = Vec::new();
        for group in 0..groups {
            for first in (0..units).step_by(BLOCK) {
                let count = BLOCK.min(units - first);
                let column = group * units + first;
                blocks.push(Block::new(
                    &weights[column * terms..(column + count) * terms],
                    &bias[column..column + count],
                    terms,
                ));
            }
        }
        Some(Self { pairs, rows, per_row, groups, units, blocks })
    }

    /// The sums, `[row, unit, lane]`, of `x`, `[element, lane]`. `None` for so few lanes that vectors
    /// do not pay, and on machines without them.
    pub fn run(&self, simd: Simd, x: &[i16], lanes: usize) -> Option<Vec<i32>> {
        let mut out = vec![0_i32; self.results() * lanes];
        self.dispatch(simd, x, lanes, &mut Sink::Sums(&mut out)).then_some(out)
    }

    /// The sums, cast to 16-bit raws.
    pub fn run_cast(&self, simd: Simd, x: &[i16], lanes: usize, cast: &Cast32) -> Option<Vec<i16>> {
        let mut out = vec![0_i16; self.results() * lanes];
        self.dispatch(simd, x, lanes, &mut Sink::Cast(cast, &mut out)).then_some(out)
    }

    /// Results of one event.
    fn results(&self) -> usize {
        self.rows.len() / self.per_row * self.units
    }

    fn dispatch(&self, simd: Simd, x: &[i16], lanes: usize, sink: &mut Sink<'_>) -> bool {
        // What the raw reads below rely on.
        let inside = |e: u32| e == PADDING || (e as usize + 1) * lanes <= x.len();
        assert!(self.pairs.iter().flatten().all(|&e| inside(e)), "an element outside the tensor");
        #[cfg(target_arch = "x86_64")]
        {
            use crate::isa::{Avx2, Avx512, Vnni};

            #[target_feature(enable = "avx2")]
            unsafe fn avx2(l: &PairLinear, x: &[i16], lanes: usize, sink: &mut Sink<'_>) {
                // SAFETY: the caller's.
                unsafe { l.all::<Avx2>(x, lanes, sink) }
            }
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
            unsafe fn avx512(l: &PairLinear, x: &[i16], lanes: usize, sink: &mut Sink<'_>) {
                // SAFETY: the caller's.
                unsafe { l.all::<Avx512>(x, lanes, sink) }
            }
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
            unsafe fn vnni(l: &PairLinear, x: &[i16], lanes: usize, sink: &mut Sink<'_>) {
                // SAFETY: the caller's.
                unsafe { l.all::<Vnni>(x, lanes, sink) }
            }
            let level = match simd.level() {
                // Vectors of 512 bits hold more than there is.
                Level::Avx512 | Level::Vnni if lanes < Avx512::LANES => Level::Avx2,
                level => level,
            };
            match level {
                Level::Avx2 if lanes < Avx2::LANES => false,
                Level::Scalar => false,
                // SAFETY: the token proves that the machine has the level or a higher one, there are
                // as many lanes as a vector has, and every element lies in `x`.
                Level::Avx2 => {
                    unsafe { avx2(self, x, lanes, sink) };
                    true
                }
                // SAFETY: as above.
                Level::Avx512 => {
                    unsafe { avx512(self, x, lanes, sink) };
                    true
                }
                // SAFETY: as above.
                Level::Vnni => {
                    unsafe { vnni(self, x, lanes, sink) };
                    true
                }
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            let _ = (simd, sink, Level::Scalar, std::marker::PhantomData::<fn(&dyn Fn())>);
            false
        }
    }

    /// All lanes, a vector of them at a time; the last vector ends with the last lane, and may do some
    /// lanes a second time.
    ///
    /// # Safety
    /// The machine has the instructions of `I`, there are at least [`Isa::LANES`] lanes, and every
    /// element of every pair has its lanes in `x`.
    #[inline(always)]
    unsafe fn all<I: Isa>(&self, x: &[i16], lanes: usize, sink: &mut Sink<'_>) {
        // SAFETY: the machine has the instructions.
        let zero = unsafe { I::zero() };
        let mut mixed = vec![[zero; 2]; self.pairs.len()];
        let mut first = 0;
        while first < lanes {
            let at = first.min(lanes - I::LANES);
            for (mixed, pair) in mixed.iter_mut().zip(&self.pairs) {
                let mut raws = [zero; 2];
                for (raws, &e) in raws.iter_mut().zip(pair) {
                    if e != PADDING {
                        // SAFETY: `at + LANES <= lanes`, and element `e` has its lanes in `x`.
                        *raws = unsafe { I::load(x.as_ptr().add(e as usize * lanes + at)) };
                    }
                }
                // SAFETY: the machine has the instructions.
                *mixed = unsafe { I::interleave(raws[0], raws[1]) };
            }
            // SAFETY: the caller's, and `at + LANES <= lanes`.
            unsafe { self.vector::<I>(&mixed, lanes, at, sink) };
            first = at + I::LANES;
        }
    }

    /// All results of one vector of lanes.
    ///
    /// # Safety
    /// The machine has the instructions of `I`, and `at + LANES <= lanes`.
    #[inline(always)]
    unsafe fn vector<I: Isa>(
        &self,
        mixed: &[[I::V; 2]],
        lanes: usize,
        at: usize,
        sink: &mut Sink<'_>,
    ) {
        let per_group = self.blocks.len() / self.groups;
        let mut result = 0;
        for (row, pairs) in self.rows.chunks_exact(self.per_row).enumerate() {
            let group = row % self.groups;
            for block in &self.blocks[group * per_group..(group + 1) * per_group] {
                // SAFETY: the machine has the instructions.
                let sums = unsafe { block.sums::<I>(mixed, pairs) };
                for sums in &sums[..block.units] {
                    // SAFETY: the machine has the instructions, and a vector fits behind `at`.
                    unsafe { sink.put::<I>(*sums, result * lanes + at) };
                    result += 1;
                }
            }
        }
    }
}

impl Block {
    fn new(weights: &[i32], bias: &[i32], terms: usize) -> Self {
        let units = bias.len();
        let mut block = Self { units, bias: [0; BLOCK], terms: Vec::new(), weights: Vec::new() };
        block.bias[..units].copy_from_slice(bias);
        for pair in 0..terms.div_ceil(2) {
            let mut packed = [0; BLOCK];
            for (unit, packed) in packed[..units].iter_mut().enumerate() {
                let at = |k: usize| if k < terms { weights[unit * terms + k] } else { 0 };
                *packed = (at(2 * pair) & 0xffff) | at(2 * pair + 1) << 16;
            }
            // Quantised kernels are often sparse.
            if packed != [0; BLOCK] {
                block.terms.push(pair as u32);
                block.weights.push(packed);
            }
        }
        block
    }

    /// The sums of all units, of the lower and upper halves of a vector.
    ///
    /// # Safety
    /// The machine has the instructions of `I`.
    #[inline(always)]
    unsafe fn sums<I: Isa>(&self, mixed: &[[I::V; 2]], pairs: &[u32]) -> [[I::V; 2]; BLOCK] {
        // SAFETY: the machine has the instructions.
        unsafe {
            let mut sums = [[I::zero(); 2]; BLOCK];
            for (sum, &bias) in sums.iter_mut().zip(&self.bias) {
                *sum = [I::splat(bias); 2];
            }
            for (&term, weights) in self.terms.iter().zip(&self.weights) {
                let [lower, upper] = mixed[pairs[term as usize] as usize];
                for (sum, &w) in sums.iter_mut().zip(weights) {
                    let w = I::splat(w);
                    *sum = [I::dot(sum[0], lower, w), I::dot(sum[1], upper, w)];
                }
            }
            sums
        }
    }
}

/// Where sums go.
enum Sink<'a> {
    Sums(&'a mut [i32]),
    Cast(&'a Cast32, &'a mut [i16]),
}

impl Sink<'_> {
    /// Takes a vector of sums.
    ///
    /// # Safety
    /// The machine has the instructions of `I`.
    #[inline(always)]
    unsafe fn put<I: Isa>(&mut self, sums: [I::V; 2], at: usize) {
        match self {
            Self::Sums(out) => {
                let out = &mut out[at..at + I::LANES];
                // SAFETY: the machine has the instructions, and `out` holds a vector's lanes.
                unsafe { I::store_sums(sums, out.as_mut_ptr()) };
            }
            Self::Cast(cast, out) => {
                let out = &mut out[at..at + I::LANES];
                // SAFETY: the machine has the instructions, and `out` holds a vector's lanes.
                unsafe {
                    // No closure: the compiler does not inline vector instructions into one.
                    let [lower, upper] = sums;
                    let narrow = I::narrow([apply::<I>(cast, lower), apply::<I>(cast, upper)]);
                    I::store(narrow, out.as_mut_ptr());
                }
            }
        }
    }
}

/// A cast of a vector, as [`Cast32`] is defined.
///
/// # Safety
/// The machine has the instructions of `I`.
#[inline(always)]
unsafe fn apply<I: Isa>(cast: &Cast32, v: I::V) -> I::V {
    // SAFETY: the machine has the instructions.
    unsafe {
        let v = if cast.relu { I::max(v, I::zero()) } else { v };
        let q = I::shift_right(v, cast.shift);
        let remainder = I::and(v, I::splat((1 << cast.shift) - 1));
        let odd = I::and(q, I::splat(cast.even));
        let up = I::add(I::add(remainder, I::splat(cast.add)), odd);
        let rounded = I::add(q, I::shift_right(up, cast.shift));
        match cast.limit {
            Limit::Clamp(min, max) => I::min(I::max(rounded, I::splat(min)), I::splat(max)),
            Limit::WrapSigned(up) => I::shift_right(I::shift_left(rounded, up), up),
            Limit::WrapUnsigned(up) => I::and(rounded, I::splat(((u32::MAX << up) >> up) as i32)),
        }
    }
}

#[cfg(test)]
mod tests {
    use bittrue_fixed::{FixedType, Overflow, Rounding};
    use proptest::prelude::*;

    use super::*;
    use crate::linear;

    proptest! {
        /// Every level gives the sums of the plain loops, and casts them as one by one.
        #[test]
        fn all_levels_equal_the_plain_loops(
            rows in 1_usize..5,
            groups in 1_usize..4,
            terms in 1_usize..12,
            units in 1_usize..19,
            lanes in 1_usize..100,
            elements in 1_usize..12,
            sparse in any::<bool>(),
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
            let x: Vec<i16> = (0..elements * lanes).map(|_| next(16) as i16).collect();
            let w: Vec<i32> = (0..groups * units * terms)
                .map(|_| if sparse && next(2) > -2 { 0 } else { next(12) as i32 })
                .collect();
            let b: Vec<i32> = (0..groups * units).map(|_| next(20) as i32).collect();
            let expected = linear::<i16, i32>(shape, &x, &w, &b);
            let fast = PairLinear::new(shape, &w, &b).expect("weights of 16 bits");
            for simd in Simd::all() {
                let Some(sums) = fast.run(simd, &x, lanes) else {
                    prop_assert!(lanes < 16 || simd.level() == Level::Scalar);
                    continue;
                };
                prop_assert_eq!(&sums, &expected, "{}", simd.level());
                for overflow in [Overflow::Sat, Overflow::SatSym, Overflow::Wrap] {
                    for rounding in [Rounding::RndConv, Rounding::Trn, Rounding::Rnd] {
                        let signed = seed % 2 == 0;
                        let target =
                            FixedType::new(signed, 9, 4, rounding, overflow).expect("a type");
                        let cast = Cast32::new(12, target).expect("a plain cast");
                        for cast in [cast, cast.behind_relu()] {
                            let each: Vec<i16> = cast.all(simd, &expected);
                            prop_assert_eq!(fast.run_cast(simd, &x, lanes, &cast), Some(each));
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn wide_weights_are_refused() {
        let shape = LinearShape { index: &[0], terms: 1, groups: 1, units: 1, lanes: 1 };
        assert!(PairLinear::new(shape, &[32_767], &[1 << 30]).is_some());
        assert_eq!(PairLinear::new(shape, &[32_768], &[0]), None);
    }
}
