//! Sums of products of bytes with vector instructions.
//!
//! There are no closures: the compiler does not inline vector instructions into them.

use super::cast::ByteCast;
use super::linear::{BLOCK, Block, ByteLinear, Sink};
use crate::PADDING;
use crate::cast32::Limit;
use crate::isa::{ByteIsa, Isa};

/// All lanes, a vector of them at a time; the last vector ends with the last lane, and may do some
/// lanes a second time.
///
/// # Safety
/// The machine has the instructions of `I`, there are at least `2 * LANES` lanes, every element of
/// every quadruple has its lanes in `x`, and sums of two products fit where [`ByteIsa::dot4`] asks
/// for it.
#[inline(always)]
pub(super) unsafe fn all<I: ByteIsa>(l: &ByteLinear, x: &[u8], lanes: usize, sink: &mut Sink<'_>) {
    let width = 2 * <I as Isa>::LANES;
    // SAFETY: the machine has the instructions.
    let zero = unsafe { I::splat8(l.zero) };
    let mut mixed = vec![[zero; 4]; l.quads.len()];
    let per_group = l.blocks.len() / l.groups;
    let mut first = 0;
    while first < lanes {
        let at = first.min(lanes - width);
        for (mixed, quad) in mixed.iter_mut().zip(&l.quads) {
            let mut bytes = [zero; 4];
            for (bytes, &e) in bytes.iter_mut().zip(quad) {
                if e != PADDING {
                    // SAFETY: `at + width <= lanes`, and element `e` has its lanes in `x`.
                    *bytes = unsafe { I::load8(x.as_ptr().add(e as usize * lanes + at)) };
                }
            }
            // SAFETY: the machine has the instructions.
            *mixed = unsafe { I::interleave4(bytes) };
        }
        let mut result = 0;
        for (row, quads) in l.rows.chunks_exact(l.per_row).enumerate() {
            let group = row % l.groups;
            for block in &l.blocks[group * per_group..(group + 1) * per_group] {
                // SAFETY: the caller's.
                let sums = unsafe { sums::<I>(block, &mixed, quads) };
                for sums in &sums[..block.units] {
                    // SAFETY: the machine has the instructions.
                    unsafe { put::<I>(sink, *sums, result * lanes + at) };
                    result += 1;
                }
            }
        }
        first = at + width;
    }
}

/// # Safety
/// The machine has the instructions of `I`.
#[inline(always)]
unsafe fn sums<I: ByteIsa>(
    block: &Block,
    mixed: &[[I::V; 4]],
    quads: &[u32],
) -> [[I::V; 4]; BLOCK] {
    // SAFETY: the machine has the instructions.
    unsafe {
        let mut sums = [[I::zero(); 4]; BLOCK];
        for (sum, &bias) in sums.iter_mut().zip(&block.bias) {
            *sum = [I::splat(bias); 4];
        }
        for (&term, weights) in block.terms.iter().zip(&block.weights) {
            let x = &mixed[quads[term as usize] as usize];
            for (sum, &w) in sums.iter_mut().zip(weights) {
                let w = I::splat(w);
                for (sum, &x) in sum.iter_mut().zip(x) {
                    *sum = I::dot4(*sum, x, w);
                }
            }
        }
        sums
    }
}

/// # Safety
/// The machine has the instructions of `I`.
#[inline(always)]
unsafe fn put<I: ByteIsa>(sink: &mut Sink<'_>, sums: [I::V; 4], at: usize) {
    let width = 2 * <I as Isa>::LANES;
    match sink {
        Sink::Sums(out) => {
            let mut quarters = [[0_i32; 16]; 4];
            for (quarter, sum) in quarters.iter_mut().zip(sums) {
                // SAFETY: 64 bytes, as many as the widest vector has.
                unsafe { I::store(sum, quarter.as_mut_ptr().cast()) };
            }
            for (n, four) in out[at..at + width].chunks_exact_mut(4).enumerate() {
                let from = n / 4 * 4;
                four.copy_from_slice(&quarters[n % 4][from..from + 4]);
            }
        }
        Sink::Bytes(cast, out) => {
            let out = &mut out[at..at + width];
            // SAFETY: the machine has the instructions, and `out` holds a vector's lanes.
            unsafe { I::store8(bytes::<I>(cast, sums), out.as_mut_ptr()) };
        }
    }
}

/// # Safety
/// The machine has the instructions of `I`.
#[inline(always)]
unsafe fn bytes<I: ByteIsa>(cast: &ByteCast, [a, b, c, d]: [I::V; 4]) -> I::V {
    // SAFETY: the machine has the instructions.
    unsafe {
        if cast.narrow {
            let lower = narrow::<I>(cast, I::pack16(a, b));
            let upper = narrow::<I>(cast, I::pack16(c, d));
            return I::pack8(lower, upper);
        }
        let lower = I::pack16(wide::<I>(cast, a), wide::<I>(cast, b));
        let upper = I::pack16(wide::<I>(cast, c), wide::<I>(cast, d));
        I::pack8(lower, upper)
    }
}

/// The cast in 16 bits; what is below 0 afterwards packs to 0.
///
/// # Safety
/// The machine has the instructions of `I`.
#[inline(always)]
unsafe fn narrow<I: ByteIsa>(cast: &ByteCast, t: I::V) -> I::V {
    let c = &cast.cast;
    // SAFETY: the machine has the instructions.
    unsafe {
        let t = if c.relu { I::max16(t, I::splat16(c.add as i16)) } else { t };
        let t = match c.even {
            0 => t,
            _ => I::add16(t, I::and(I::shift_right16(t, c.shift), I::splat16(1))),
        };
        let q = I::shift_right16(t, c.shift);
        let q = match c.limit {
            Limit::Clamp(0, max) => I::min16(q, I::splat16(max as i16)),
            Limit::Clamp(min, max) => {
                I::min16(I::max16(q, I::splat16(min as i16)), I::splat16(max as i16))
            }
            // Up to 8 bits are left of 16.
            Limit::WrapSigned(up) => I::shift_right16(I::shift_left16(q, up - 16), up - 16),
            Limit::WrapUnsigned(up) => I::and(q, I::splat16((u32::MAX >> up) as i16)),
        };
        match cast.zero {
            0 => q,
            zero => I::add16(q, I::splat16(i16::from(zero))),
        }
    }
}

/// The cast in 32 bits.
///
/// # Safety
/// The machine has the instructions of `I`.
#[inline(always)]
unsafe fn wide<I: ByteIsa>(cast: &ByteCast, t: I::V) -> I::V {
    let c = &cast.cast;
    // SAFETY: the machine has the instructions.
    unsafe {
        let t = if c.relu { I::max(t, I::splat(c.add)) } else { t };
        let t = match c.even {
            0 => t,
            _ => I::add(t, I::and(I::shift_right(t, c.shift), I::splat(1))),
        };
        let q = I::shift_right(t, c.shift);
        let q = match c.limit {
            Limit::Clamp(min, max) => I::min(I::max(q, I::splat(min)), I::splat(max)),
            Limit::WrapSigned(up) => I::shift_right(I::shift_left(q, up), up),
            Limit::WrapUnsigned(up) => I::and(q, I::splat((u32::MAX >> up).cast_signed())),
        };
        match cast.zero {
            0 => q,
            zero => I::add(q, I::splat(i32::from(zero))),
        }
    }
}
