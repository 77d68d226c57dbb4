//! The cast of recorded float32 values to a fixed type, the first thing that happens to an event.

use bittrue_block::LaneInt;
use bittrue_fixed::{FixedType, Overflow, Rounding};

use crate::{SIGNED, Simd};

/// A cast of float32 values with everything that does not depend on the value computed once.
///
/// Values below `2^22` LSB are cast exactly, as float32 arithmetic itself would: they are scaled by
/// a power of two, rounded to even and limited. All others, NaN among them, are not cast here but
/// reported.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InputCast {
    scale: f32,
    min: i32,
    max: i32,
    /// Bits to shift out on the left where the type wraps, and whether its sign comes back.
    wrap: Option<(u32, bool)>,
    /// Whether values that overflow are reported.
    strict: bool,
}

/// Above this the sum that rounds has no bits left for the integer.
const LIMIT: f32 = 4_194_304.0;

/// Adding it to a smaller number leaves the number's nearest integer, ties to even, in the low bits.
const ROUNDER: f32 = 12_582_912.0;

impl InputCast {
    /// The cast to `target`; `None` for types that have no fast cast.
    pub fn new(target: FixedType) -> Option<Self> {
        // Far from the ends of float32's exponents, so that scaling is exact.
        let fits = (2..=22).contains(&target.width)
            && target.fractional().abs() <= 100
            && target.saturation_bits == 0
            && target.rounding == Rounding::RndConv;
        if !fits {
            return None;
        }
        let (min, max) = (target.raw_min() as i32, target.raw_max() as i32);
        let (min, wrap) = match target.overflow {
            Overflow::Sat => (min, None),
            Overflow::SatSym => (if target.signed { -max } else { 0 }, None),
            Overflow::Wrap => (min, Some((32 - target.width, target.signed))),
            Overflow::SatZero | Overflow::WrapSm => return None,
        };
        Some(Self { scale: 2f32.powi(target.fractional()), min, max, wrap, strict: false })
    }

    /// A cast that stands for both where they agree, and reports the values where they may not: two
    /// casts that differ only in what they do on overflow.
    pub fn agreement(self, other: Self) -> Option<Self> {
        let same = (self.scale, self.min, self.max) == (other.scale, other.min, other.max);
        same.then_some(Self { wrap: None, strict: true, ..self })
    }

    /// Casts the values of `x` into `out`, and marks in `failed` those that it does not cast.
    pub fn run<O: LaneInt>(
        &self,
        x: impl Iterator<Item = f32>,
        out: &mut [O],
        failed: &mut [bool],
    ) {
        for ((x, out), failed) in x.zip(out).zip(failed) {
            let (cast, fails) = self.one(x);
            *failed |= fails;
            *out = O::truncate(cast.into());
        }
    }

    /// The raw of a value, and whether it is not cast.
    #[inline(always)]
    fn one(&self, x: f32) -> (i32, bool) {
        let scaled = x * self.scale;
        let bits = (scaled + ROUNDER).to_bits().cast_signed();
        let raw = bits.wrapping_sub(ROUNDER.to_bits().cast_signed());
        let limited = raw.clamp(self.min, self.max);
        let cast = match self.wrap {
            None => limited,
            Some((up, true)) => raw << up >> up,
            Some((up, false)) => ((raw.cast_unsigned() << up) >> up).cast_signed(),
        };
        let in_domain = scaled.abs() < LIMIT;
        (cast, !in_domain | (self.strict & (limited != raw)))
    }

    /// Lowest and highest raw of the type.
    pub fn range(&self) -> (i32, i32) {
        (self.min, self.max)
    }

    /// The byte of a raw 0 where raws are stored in bytes: those of a signed type have [`SIGNED`] added;
    /// `None` for types of more than 8 bits.
    pub fn byte_zero(&self) -> Option<u8> {
        match (self.min, self.max) {
            (0.., ..=255) => Some(0),
            (-128.., ..=127) => Some(SIGNED),
            _ => None,
        }
    }

    /// Casts the values `[event, element]` of events into bytes `[element, event]`, those of a signed type
    /// with [`SIGNED`] added, and marks in `failed` the events with a value that it does not cast.
    ///
    /// # Panics
    /// Where the slices have not one length, or the type has more than 8 bits.
    pub fn bytes(&self, simd: Simd, x: &[f32], out: &mut [u8], failed: &mut [bool]) {
        let zero = self.byte_zero().map(i32::from);
        assert!(zero.is_some(), "raws that are no bytes");
        self.turned(simd, x, out, failed, zero.unwrap_or_default());
    }

    /// The same into 16-bit raws, as they are.
    ///
    /// # Panics
    /// Where the slices have not one length, or the type has more than 16 bits.
    pub fn words(&self, simd: Simd, x: &[f32], out: &mut [i16], failed: &mut [bool]) {
        let fits = |v: i32| i16::try_from(v).is_ok();
        assert!(fits(self.min) && fits(self.max), "raws of more than 16 bits");
        self.turned(simd, x, out, failed, 0);
    }

    #[inline(always)]
    fn turned<T: Cell>(
        &self,
        simd: Simd,
        x: &[f32],
        out: &mut [T],
        failed: &mut [bool],
        zero: i32,
    ) {
        let lanes = failed.len();
        assert!(x.len() == out.len(), "not a raw for each value");
        if lanes == 0 || x.is_empty() {
            return;
        }
        assert!(x.len().is_multiple_of(lanes), "not a value for each element and event");
        // One loop for each kind of overflow, so that none is asked for in a loop. `clamp` would ask
        // whether its ends are in order.
        match self.wrap {
            None => self.rows(
                simd,
                x,
                out,
                failed,
                #[inline(always)]
                move |c, raw| {
                    let limited = raw.max(c.min).min(c.max);
                    (limited + zero, c.strict & (limited != raw))
                },
            ),
            Some(_) => {
                // The bits that are left, and the sign moved to the front.
                let mask = (self.max - self.min).cast_unsigned();
                let offset = self.min.cast_unsigned();
                self.rows(
                    simd,
                    x,
                    out,
                    failed,
                    #[inline(always)]
                    move |c, raw| {
                        let low = raw.cast_unsigned().wrapping_sub(offset) & mask;
                        let cast = low.wrapping_add(offset).cast_signed();
                        (cast + zero, c.strict & (cast != raw))
                    },
                );
            }
        }
    }

    /// [`turned`](Self::turned) with the part that is not the same for all types.
    #[inline(always)]
    fn rows<T: Cell>(
        &self,
        simd: Simd,
        x: &[f32],
        out: &mut [T],
        failed: &mut [bool],
        limit: impl Fn(&Self, i32) -> (i32, bool) + Copy,
    ) {
        let cast = *self;
        let lanes = failed.len();
        let elements = x.len() / lanes;
        // What the loops read is moved into them: behind references it might be what is written.
        simd.vectorize(
            #[inline(always)]
            move || {
                let (cast, limit) = (cast, limit);
                let mut tile = [T::default(); TILE * TILE];
                for (n, failed) in failed.chunks_mut(TILE).enumerate() {
                    let first = n * TILE;
                    for column in (0..elements).step_by(TILE) {
                        let width = TILE.min(elements - column);
                        let rows = tile.chunks_exact_mut(TILE).zip(failed.iter_mut());
                        for (lane, (row, failed)) in rows.enumerate() {
                            let from = (first + lane) * elements + column;
                            let mut values = [0.0_f32; TILE];
                            match <&[f32; TILE]>::try_from(&x[from..from + width]) {
                                Ok(all) => values = *all,
                                Err(_) => values[..width].copy_from_slice(&x[from..from + width]),
                            }
                            let mut raws = [0_i32; TILE];
                            let mut fails = [0_i32; TILE];
                            for ((raw, fail), x) in raws.iter_mut().zip(&mut fails).zip(values) {
                                let scaled = x * cast.scale;
                                let bits = (scaled + ROUNDER).to_bits().cast_signed();
                                let rounded = bits.wrapping_sub(ROUNDER.to_bits().cast_signed());
                                let (limited, fails) = limit(&cast, rounded);
                                *raw = limited;
                                let in_domain = scaled.abs() < LIMIT;
                                *fail = i32::from(fails) | i32::from(!in_domain);
                            }
                            for (row, raw) in row.iter_mut().zip(raws) {
                                *row = T::of(raw);
                            }
                            *failed |= fails.iter().fold(0, |a, b| a | b) != 0;
                        }
                        let to = &mut out[column * lanes + first..];
                        T::turn(&tile, to, (width, failed.len()), lanes);
                    }
                }
            },
        );
    }
}

/// Rows and columns that are turned together.
const TILE: usize = 16;

/// What tiles are made of.
trait Cell: Copy + Default {
    /// Keeps the low bits.
    fn of(raw: i32) -> Self;

    /// Turns a tile `[event, element]`: element `n` goes to `out[n * lanes..]`. `(width, height)` are
    /// the elements and events in it.
    #[inline(always)]
    fn turn(
        tile: &[Self; TILE * TILE],
        out: &mut [Self],
        (width, height): (usize, usize),
        lanes: usize,
    ) {
        for n in 0..width {
            for lane in 0..height {
                out[n * lanes + lane] = tile[lane * TILE + n];
            }
        }
    }
}

impl Cell for i16 {
    #[inline(always)]
    fn of(raw: i32) -> Self {
        raw as Self
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn turn(
        tile: &[Self; TILE * TILE],
        out: &mut [Self],
        (width, height): (usize, usize),
        lanes: usize,
    ) {
        use std::arch::x86_64::{
            _mm_loadu_si128, _mm_storeu_si128, _mm_unpackhi_epi16, _mm_unpacklo_epi16,
        };
        const HALF: usize = TILE / 2;
        if height < TILE {
            for n in 0..width {
                for lane in 0..height {
                    out[n * lanes + lane] = tile[lane * TILE + n];
                }
            }
            return;
        }
        for corner in 0..4 {
            let (lane, element) = (corner / 2 * HALF, corner % 2 * HALF);
            // SAFETY: every x86-64 has SSE2, and each part has 16 bytes.
            let mut rows: [_; HALF] = std::array::from_fn(|n| unsafe {
                let from = (lane + n) * TILE + element;
                _mm_loadu_si128(tile[from..from + HALF].as_ptr().cast())
            });
            // Three perfect shuffles of 64 numbers turn them.
            for _ in 0..3 {
                rows = std::array::from_fn(|n| {
                    let (a, b) = (rows[n / 2], rows[n / 2 + HALF / 2]);
                    // SAFETY: every x86-64 has SSE2.
                    unsafe {
                        if n % 2 == 0 { _mm_unpacklo_epi16(a, b) } else { _mm_unpackhi_epi16(a, b) }
                    }
                });
            }
            for (n, row) in rows.into_iter().enumerate().take(width.saturating_sub(element)) {
                let at = (element + n) * lanes + lane;
                let to = &mut out[at..at + HALF];
                // SAFETY: `to` has 16 bytes.
                unsafe { _mm_storeu_si128(to.as_mut_ptr().cast(), row) };
            }
        }
    }
}

impl Cell for u8 {
    #[inline(always)]
    fn of(raw: i32) -> Self {
        raw as Self
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn turn(
        tile: &[Self; TILE * TILE],
        out: &mut [Self],
        (width, height): (usize, usize),
        lanes: usize,
    ) {
        use std::arch::x86_64::{
            _mm_loadu_si128, _mm_storeu_si128, _mm_unpackhi_epi8, _mm_unpacklo_epi8,
        };
        if height < TILE {
            for n in 0..width {
                for lane in 0..height {
                    out[n * lanes + lane] = tile[lane * TILE + n];
                }
            }
            return;
        }
        // SAFETY: every x86-64 has SSE2, and each part has 16 bytes.
        let mut rows: [_; TILE] = std::array::from_fn(|n| unsafe {
            _mm_loadu_si128(tile[n * TILE..(n + 1) * TILE].as_ptr().cast())
        });
        // Four perfect shuffles of 256 bytes turn them.
        for _ in 0..4 {
            rows = std::array::from_fn(|n| {
                let (a, b) = (rows[n / 2], rows[n / 2 + TILE / 2]);
                // SAFETY: every x86-64 has SSE2.
                unsafe {
                    if n % 2 == 0 { _mm_unpacklo_epi8(a, b) } else { _mm_unpackhi_epi8(a, b) }
                }
            });
        }
        for (n, row) in rows.into_iter().take(width).enumerate() {
            let to = &mut out[n * lanes..n * lanes + TILE];
            // SAFETY: `to` has 16 bytes.
            unsafe { _mm_storeu_si128(to.as_mut_ptr().cast(), row) };
        }
    }
}

#[cfg(test)]
mod tests {
    use bittrue_fixed::Dialect;

    use super::*;

    #[test]
    fn equals_definition() {
        let mut x: Vec<f32> = (-5000..5000).map(|n| n as f32 * 0.03125 + 1e-4).collect();
        x.extend((-5000..5000).map(|n| n as f32 * 0.03125));
        x.extend([f32::NAN, f32::INFINITY, -3e38, 1e-40, -1e-40, -0.0, 1e6, -2e5]);
        let mut casts = 0;
        for signed in [false, true] {
            for width in 2..=10 {
                for overflow in [Overflow::Sat, Overflow::SatSym, Overflow::Wrap] {
                    let target = FixedType::new(signed, width, 5, Rounding::RndConv, overflow)
                        .expect("a type");
                    let cast = InputCast::new(target).expect("a plain type");
                    let (mut out, mut failed) = (vec![0_i16; x.len()], vec![false; x.len()]);
                    cast.run(x.iter().copied(), &mut out, &mut failed);
                    for ((x, out), failed) in x.iter().zip(out).zip(failed) {
                        let scaled = f64::from(*x) * 2f64.powi(target.fractional());
                        assert_eq!(failed, x.is_nan() || scaled.abs() >= 4_194_304.0, "{x}");
                        if !failed {
                            let expected = target.convert_f64((*x).into(), Dialect::Hgq);
                            assert_eq!(Ok(i128::from(out)), expected, "{x} as {target}");
                        }
                    }
                    casts += 1;
                }
            }
        }
        assert_eq!(casts, 2 * 9 * 3);
    }

    #[test]
    fn bytes_are_the_same_raws_turned() {
        for (lanes, elements) in [(1, 1), (16, 16), (40, 5), (33, 16), (64, 37), (7, 48)] {
            let x: Vec<f32> =
                (0..lanes * elements).map(|n| (n * 7919 % 4001) as f32 * 0.01 - 20.0).collect();
            for text in [
                "ap_fixed<8,4,RND_CONV,SAT>",
                "ap_ufixed<8,5,RND_CONV,SAT>",
                "ap_fixed<6,3,RND_CONV,WRAP>",
                "ap_ufixed<5,2,RND_CONV,WRAP>",
            ] {
                let cast = InputCast::new(text.parse().expect("a type")).expect("plain");
                let both = cast.agreement(cast).expect("the same");
                for (cast, text) in [(cast, text), (both, "both")] {
                    let zero = i16::from(cast.byte_zero().expect("bytes"));
                    let mut expected = vec![0_i16; x.len()];
                    let mut expected_failed = vec![false; lanes];
                    for (e, out) in expected.chunks_mut(lanes).enumerate() {
                        let column = x[e..].iter().step_by(elements).copied();
                        cast.run(column, out, &mut expected_failed);
                    }
                    for simd in Simd::all() {
                        let (mut out, mut failed) = (vec![0; x.len()], vec![false; lanes]);
                        cast.bytes(simd, &x, &mut out, &mut failed);
                        let out: Vec<i16> = out.into_iter().map(|v| i16::from(v) - zero).collect();
                        assert_eq!((&out, &failed), (&expected, &expected_failed), "{text}");
                        let (mut out, mut failed) = (vec![0; x.len()], vec![false; lanes]);
                        cast.words(simd, &x, &mut out, &mut failed);
                        assert_eq!((&out, &failed), (&expected, &expected_failed), "{text}");
                    }
                }
            }
        }
        let wide = InputCast::new("ap_fixed<9,4,RND_CONV,SAT>".parse().expect("a type"));
        assert_eq!(wide.and_then(|w| w.byte_zero()), None);
    }

    #[test]
    fn two_casts_agree_where_nothing_overflows() {
        let cast = |overflow| {
            let target = FixedType::new(true, 4, 4, Rounding::RndConv, overflow).expect("a type");
            InputCast::new(target).expect("a plain type")
        };
        let both =
            cast(Overflow::Sat).agreement(cast(Overflow::Wrap)).expect("they differ only there");
        let (mut out, mut failed) = ([0_i32; 4], [false; 4]);
        both.run([7.5, 7.4, -8.5, -8.6].into_iter(), &mut out, &mut failed);
        assert_eq!(failed, [true, false, false, true]);
        assert_eq!(out[1..3], [7, -8]);
        assert_eq!(cast(Overflow::Sat).agreement(cast(Overflow::SatSym)), None);
    }

    #[test]
    fn types_without_a_fast_cast() {
        for text in
            ["ap_fixed<8,4>", "ap_fixed<8,4,RND_CONV,WRAP_SM>", "ap_fixed<23,4,RND_CONV,SAT>"]
        {
            assert_eq!(InputCast::new(text.parse().expect("a type")), None, "{text}");
        }
    }
}
