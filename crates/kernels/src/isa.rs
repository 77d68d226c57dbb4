//! The vector operations that sums of products need, for each set of instructions.

/// Vectors of [`Isa::LANES`] 16-bit numbers, or half as many of 32 bits.
///
/// All methods are unsafe for one reason: the machine must have the instructions.
pub(crate) trait Isa {
    /// Lanes of 16 bits.
    const LANES: usize;
    /// A vector.
    type V: Copy;

    unsafe fn zero() -> Self::V;
    /// Reads [`Isa::LANES`] numbers.
    unsafe fn load(from: *const i16) -> Self::V;
    /// Writes [`Isa::LANES`] numbers.
    unsafe fn store(v: Self::V, to: *mut i16);
    /// The lanes of two vectors in turn, in two vectors. Which lanes are in which does not matter as
    /// long as [`Isa::narrow`] and [`Isa::store_sums`] undo it.
    unsafe fn interleave(a: Self::V, b: Self::V) -> [Self::V; 2];
    /// Puts 32-bit numbers back into the order of lanes, as 16-bit ones; all must fit.
    unsafe fn narrow(halves: [Self::V; 2]) -> Self::V;
    /// Writes [`Isa::LANES`] 32-bit numbers in the order of lanes.
    unsafe fn store_sums(halves: [Self::V; 2], to: *mut i32);
    /// A 32-bit number in every place.
    unsafe fn splat(v: i32) -> Self::V;
    /// `sum + a₀·b₀ + a₁·b₁` in 32 bits, for each pair of 16-bit numbers. The caller proves that the
    /// sums fit.
    unsafe fn dot(sum: Self::V, a: Self::V, b: Self::V) -> Self::V;
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn and(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn min(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn max(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn shift_left(a: Self::V, by: u32) -> Self::V;
    /// Keeps the sign.
    unsafe fn shift_right(a: Self::V, by: u32) -> Self::V;
}

/// What products of bytes need besides. A vector has `2 * LANES` bytes.
pub(crate) trait ByteIsa: Isa {
    /// Reads a vector of bytes.
    unsafe fn load8(from: *const u8) -> Self::V;
    /// Writes a vector of bytes.
    unsafe fn store8(v: Self::V, to: *mut u8);
    unsafe fn splat8(v: u8) -> Self::V;
    unsafe fn splat16(v: i16) -> Self::V;
    /// The bytes of four vectors in turn, in four vectors: within each 128 bits the first four lanes in
    /// the first vector, and so on.
    unsafe fn interleave4(x: [Self::V; 4]) -> [Self::V; 4];
    /// `sum + Σ aᵢ·bᵢ` in 32 bits, for each four bytes: those of `a` have no sign, those of `b` have.
    /// Where the level has no such instruction, sums of two products must fit into 16 bits.
    unsafe fn dot4(sum: Self::V, a: Self::V, b: Self::V) -> Self::V;
    /// 32-bit numbers as 16-bit ones, to the nearest.
    unsafe fn pack16(lower: Self::V, upper: Self::V) -> Self::V;
    /// 16-bit numbers as bytes without a sign, to the nearest.
    unsafe fn pack8(lower: Self::V, upper: Self::V) -> Self::V;
    unsafe fn add16(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn min16(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn max16(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn shift_left16(a: Self::V, by: u32) -> Self::V;
    /// Keeps the sign.
    unsafe fn shift_right16(a: Self::V, by: u32) -> Self::V;
}

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{Avx2, Avx512, Vnni};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{ByteIsa, Isa};

    pub(crate) struct Avx2;
    pub(crate) struct Avx512;
    pub(crate) struct Vnni;

    // SAFETY of all blocks below: the caller says that the machine has the instructions, and that
    // pointers lead to as many numbers as are read or written.

    impl Isa for Avx2 {
        const LANES: usize = 16;
        type V = __m256i;

        #[inline(always)]
        unsafe fn zero() -> Self::V {
            unsafe { _mm256_setzero_si256() }
        }
        #[inline(always)]
        unsafe fn load(from: *const i16) -> Self::V {
            unsafe { _mm256_loadu_si256(from.cast()) }
        }
        #[inline(always)]
        unsafe fn store(v: Self::V, to: *mut i16) {
            unsafe { _mm256_storeu_si256(to.cast(), v) }
        }
        #[inline(always)]
        unsafe fn interleave(a: Self::V, b: Self::V) -> [Self::V; 2] {
            unsafe { [_mm256_unpacklo_epi16(a, b), _mm256_unpackhi_epi16(a, b)] }
        }
        #[inline(always)]
        unsafe fn narrow([lower, upper]: [Self::V; 2]) -> Self::V {
            unsafe { _mm256_packs_epi32(lower, upper) }
        }
        #[inline(always)]
        unsafe fn store_sums([lower, upper]: [Self::V; 2], to: *mut i32) {
            unsafe {
                let first = _mm256_permute2x128_si256::<0x20>(lower, upper);
                let second = _mm256_permute2x128_si256::<0x31>(lower, upper);
                _mm256_storeu_si256(to.cast(), first);
                _mm256_storeu_si256(to.add(8).cast(), second);
            }
        }
        #[inline(always)]
        unsafe fn splat(v: i32) -> Self::V {
            unsafe { _mm256_set1_epi32(v) }
        }
        #[inline(always)]
        unsafe fn dot(sum: Self::V, a: Self::V, b: Self::V) -> Self::V {
            unsafe { _mm256_add_epi32(sum, _mm256_madd_epi16(a, b)) }
        }
        #[inline(always)]
        unsafe fn add(a: Self::V, b: Self::V) -> Self::V {
            unsafe { _mm256_add_epi32(a, b) }
        }
        #[inline(always)]
        unsafe fn and(a: Self::V, b: Self::V) -> Self::V {
            unsafe { _mm256_and_si256(a, b) }
        }
        #[inline(always)]
        unsafe fn min(a: Self::V, b: Self::V) -> Self::V {
            unsafe { _mm256_min_epi32(a, b) }
        }
        #[inline(always)]
        unsafe fn max(a: Self::V, b: Self::V) -> Self::V {
            unsafe { _mm256_max_epi32(a, b) }
        }
        #[inline(always)]
        unsafe fn shift_left(a: Self::V, by: u32) -> Self::V {
            unsafe { _mm256_sll_epi32(a, _mm_cvtsi32_si128(by as i32)) }
        }
        #[inline(always)]
        unsafe fn shift_right(a: Self::V, by: u32) -> Self::V {
            unsafe { _mm256_sra_epi32(a, _mm_cvtsi32_si128(by as i32)) }
        }
    }

    /// AVX-512 differs from AVX-512 with VNNI in one operation.
    macro_rules! avx512 {
        ($name:ident, $dot:item) => {
            impl Isa for $name {
                const LANES: usize = 32;
                type V = __m512i;

                #[inline(always)]
                unsafe fn zero() -> Self::V {
                    unsafe { _mm512_setzero_si512() }
                }
                #[inline(always)]
                unsafe fn load(from: *const i16) -> Self::V {
                    unsafe { _mm512_loadu_si512(from.cast()) }
                }
                #[inline(always)]
                unsafe fn store(v: Self::V, to: *mut i16) {
                    unsafe { _mm512_storeu_si512(to.cast(), v) }
                }
                #[inline(always)]
                unsafe fn interleave(a: Self::V, b: Self::V) -> [Self::V; 2] {
                    unsafe { [_mm512_unpacklo_epi16(a, b), _mm512_unpackhi_epi16(a, b)] }
                }
                #[inline(always)]
                unsafe fn narrow([lower, upper]: [Self::V; 2]) -> Self::V {
                    unsafe { _mm512_packs_epi32(lower, upper) }
                }
                #[inline(always)]
                unsafe fn store_sums([lower, upper]: [Self::V; 2], to: *mut i32) {
                    unsafe {
                        // In units of 128 bits: lower and upper in turn.
                        let a = _mm512_shuffle_i32x4::<0b01_00_01_00>(lower, upper);
                        let b = _mm512_shuffle_i32x4::<0b11_10_11_10>(lower, upper);
                        let first = _mm512_shuffle_i32x4::<0b11_01_10_00>(a, a);
                        let second = _mm512_shuffle_i32x4::<0b11_01_10_00>(b, b);
                        _mm512_storeu_si512(to.cast(), first);
                        _mm512_storeu_si512(to.add(16).cast(), second);
                    }
                }
                #[inline(always)]
                unsafe fn splat(v: i32) -> Self::V {
                    unsafe { _mm512_set1_epi32(v) }
                }
                #[inline(always)]
                $dot
                #[inline(always)]
                unsafe fn add(a: Self::V, b: Self::V) -> Self::V {
                    unsafe { _mm512_add_epi32(a, b) }
                }
                #[inline(always)]
                unsafe fn and(a: Self::V, b: Self::V) -> Self::V {
                    unsafe { _mm512_and_si512(a, b) }
                }
                #[inline(always)]
                unsafe fn min(a: Self::V, b: Self::V) -> Self::V {
                    unsafe { _mm512_min_epi32(a, b) }
                }
                #[inline(always)]
                unsafe fn max(a: Self::V, b: Self::V) -> Self::V {
                    unsafe { _mm512_max_epi32(a, b) }
                }
                #[inline(always)]
                unsafe fn shift_left(a: Self::V, by: u32) -> Self::V {
                    unsafe { _mm512_sll_epi32(a, _mm_cvtsi32_si128(by as i32)) }
                }
                #[inline(always)]
                unsafe fn shift_right(a: Self::V, by: u32) -> Self::V {
                    unsafe { _mm512_sra_epi32(a, _mm_cvtsi32_si128(by as i32)) }
                }
            }
        };
    }
    avx512!(
        Avx512,
        unsafe fn dot(sum: Self::V, a: Self::V, b: Self::V) -> Self::V {
            unsafe { _mm512_add_epi32(sum, _mm512_madd_epi16(a, b)) }
        }
    );
    avx512!(
        Vnni,
        unsafe fn dot(sum: Self::V, a: Self::V, b: Self::V) -> Self::V {
            unsafe { _mm512_dpwssd_epi32(sum, a, b) }
        }
    );

    impl ByteIsa for Avx2 {
        #[inline(always)]
        unsafe fn load8(from: *const u8) -> Self::V {
            unsafe { _mm256_loadu_si256(from.cast()) }
        }
        #[inline(always)]
        unsafe fn store8(v: Self::V, to: *mut u8) {
            unsafe { _mm256_storeu_si256(to.cast(), v) }
        }
        #[inline(always)]
        unsafe fn splat8(v: u8) -> Self::V {
            unsafe { _mm256_set1_epi8(v.cast_signed()) }
        }
        #[inline(always)]
        unsafe fn splat16(v: i16) -> Self::V {
            unsafe { _mm256_set1_epi16(v) }
        }
        #[inline(always)]
        unsafe fn interleave4([a, b, c, d]: [Self::V; 4]) -> [Self::V; 4] {
            unsafe {
                let (ab, cd) = (_mm256_unpacklo_epi8(a, b), _mm256_unpacklo_epi8(c, d));
                let (ef, gh) = (_mm256_unpackhi_epi8(a, b), _mm256_unpackhi_epi8(c, d));
                [
                    _mm256_unpacklo_epi16(ab, cd),
                    _mm256_unpackhi_epi16(ab, cd),
                    _mm256_unpacklo_epi16(ef, gh),
                    _mm256_unpackhi_epi16(ef, gh),
                ]
            }
        }
        #[inline(always)]
        unsafe fn dot4(sum: Self::V, a: Self::V, b: Self::V) -> Self::V {
            unsafe {
                _mm256_add_epi32(
                    sum,
                    _mm256_madd_epi16(_mm256_maddubs_epi16(a, b), _mm256_set1_epi16(1)),
                )
            }
        }
        #[inline(always)]
        unsafe fn pack16(lower: Self::V, upper: Self::V) -> Self::V {
            unsafe { _mm256_packs_epi32(lower, upper) }
        }
        #[inline(always)]
        unsafe fn pack8(lower: Self::V, upper: Self::V) -> Self::V {
            unsafe { _mm256_packus_epi16(lower, upper) }
        }
        #[inline(always)]
        unsafe fn add16(a: Self::V, b: Self::V) -> Self::V {
            unsafe { _mm256_add_epi16(a, b) }
        }
        #[inline(always)]
        unsafe fn min16(a: Self::V, b: Self::V) -> Self::V {
            unsafe { _mm256_min_epi16(a, b) }
        }
        #[inline(always)]
        unsafe fn max16(a: Self::V, b: Self::V) -> Self::V {
            unsafe { _mm256_max_epi16(a, b) }
        }
        #[inline(always)]
        unsafe fn shift_left16(a: Self::V, by: u32) -> Self::V {
            unsafe { _mm256_sll_epi16(a, _mm_cvtsi32_si128(by as i32)) }
        }
        #[inline(always)]
        unsafe fn shift_right16(a: Self::V, by: u32) -> Self::V {
            unsafe { _mm256_sra_epi16(a, _mm_cvtsi32_si128(by as i32)) }
        }
    }

    impl ByteIsa for Avx512 {
        #[inline(always)]
        unsafe fn load8(from: *const u8) -> Self::V {
            unsafe { _mm512_loadu_si512(from.cast()) }
        }
        #[inline(always)]
        unsafe fn store8(v: Self::V, to: *mut u8) {
            unsafe { _mm512_storeu_si512(to.cast(), v) }
        }
        #[inline(always)]
        unsafe fn splat8(v: u8) -> Self::V {
            unsafe { _mm512_set1_epi8(v.cast_signed()) }
        }
        #[inline(always)]
        unsafe fn splat16(v: i16) -> Self::V {
            unsafe { _mm512_set1_epi16(v) }
        }
        #[inline(always)]
        unsafe fn interleave4([a, b, c, d]: [Self::V; 4]) -> [Self::V; 4] {
            unsafe {
                let (ab, cd) = (_mm512_unpacklo_epi8(a, b), _mm512_unpacklo_epi8(c, d));
                let (ef, gh) = (_mm512_unpackhi_epi8(a, b), _mm512_unpackhi_epi8(c, d));
                [
                    _mm512_unpacklo_epi16(ab, cd),
                    _mm512_unpackhi_epi16(ab, cd),
                    _mm512_unpacklo_epi16(ef, gh),
                    _mm512_unpackhi_epi16(ef, gh),
                ]
            }
        }
        #[inline(always)]
        unsafe fn dot4(sum: Self::V, a: Self::V, b: Self::V) -> Self::V {
            unsafe {
                _mm512_add_epi32(
                    sum,
                    _mm512_madd_epi16(_mm512_maddubs_epi16(a, b), _mm512_set1_epi16(1)),
                )
            }
        }
        #[inline(always)]
        unsafe fn pack16(lower: Self::V, upper: Self::V) -> Self::V {
            unsafe { _mm512_packs_epi32(lower, upper) }
        }
        #[inline(always)]
        unsafe fn pack8(lower: Self::V, upper: Self::V) -> Self::V {
            unsafe { _mm512_packus_epi16(lower, upper) }
        }
        #[inline(always)]
        unsafe fn add16(a: Self::V, b: Self::V) -> Self::V {
            unsafe { _mm512_add_epi16(a, b) }
        }
        #[inline(always)]
        unsafe fn min16(a: Self::V, b: Self::V) -> Self::V {
            unsafe { _mm512_min_epi16(a, b) }
        }
        #[inline(always)]
        unsafe fn max16(a: Self::V, b: Self::V) -> Self::V {
            unsafe { _mm512_max_epi16(a, b) }
        }
        #[inline(always)]
        unsafe fn shift_left16(a: Self::V, by: u32) -> Self::V {
            unsafe { _mm512_sll_epi16(a, _mm_cvtsi32_si128(by as i32)) }
        }
        #[inline(always)]
        unsafe fn shift_right16(a: Self::V, by: u32) -> Self::V {
            unsafe { _mm512_sra_epi16(a, _mm_cvtsi32_si128(by as i32)) }
        }
    }

    impl ByteIsa for Vnni {
        #[inline(always)]
        unsafe fn load8(from: *const u8) -> Self::V {
            unsafe { _mm512_loadu_si512(from.cast()) }
        }
        #[inline(always)]
        unsafe fn store8(v: Self::V, to: *mut u8) {
            unsafe { _mm512_storeu_si512(to.cast(), v) }
        }
        #[inline(always)]
        unsafe fn splat8(v: u8) -> Self::V {
            unsafe { _mm512_set1_epi8(v.cast_signed()) }
        }
        #[inline(always)]
        unsafe fn splat16(v: i16) -> Self::V {
            unsafe { _mm512_set1_epi16(v) }
        }
        #[inline(always)]
        unsafe fn interleave4([a, b, c, d]: [Self::V; 4]) -> [Self::V; 4] {
            unsafe {
                let (ab, cd) = (_mm512_unpacklo_epi8(a, b), _mm512_unpacklo_epi8(c, d));
                let (ef, gh) = (_mm512_unpackhi_epi8(a, b), _mm512_unpackhi_epi8(c, d));
                [
                    _mm512_unpacklo_epi16(ab, cd),
                    _mm512_unpackhi_epi16(ab, cd),
                    _mm512_unpacklo_epi16(ef, gh),
                    _mm512_unpackhi_epi16(ef, gh),
                ]
            }
        }
        #[inline(always)]
        unsafe fn dot4(sum: Self::V, a: Self::V, b: Self::V) -> Self::V {
            unsafe { _mm512_dpbusd_epi32(sum, a, b) }
        }
        #[inline(always)]
        unsafe fn pack16(lower: Self::V, upper: Self::V) -> Self::V {
            unsafe { _mm512_packs_epi32(lower, upper) }
        }
        #[inline(always)]
        unsafe fn pack8(lower: Self::V, upper: Self::V) -> Self::V {
            unsafe { _mm512_packus_epi16(lower, upper) }
        }
        #[inline(always)]
        unsafe fn add16(a: Self::V, b: Self::V) -> Self::V {
            unsafe { _mm512_add_epi16(a, b) }
        }
        #[inline(always)]
        unsafe fn min16(a: Self::V, b: Self::V) -> Self::V {
            unsafe { _mm512_min_epi16(a, b) }
        }
        #[inline(always)]
        unsafe fn max16(a: Self::V, b: Self::V) -> Self::V {
            unsafe { _mm512_max_epi16(a, b) }
        }
        #[inline(always)]
        unsafe fn shift_left16(a: Self::V, by: u32) -> Self::V {
            unsafe { _mm512_sll_epi16(a, _mm_cvtsi32_si128(by as i32)) }
        }
        #[inline(always)]
        unsafe fn shift_right16(a: Self::V, by: u32) -> Self::V {
            unsafe { _mm512_sra_epi16(a, _mm_cvtsi32_si128(by as i32)) }
        }
    }
}
