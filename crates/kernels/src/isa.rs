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

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{Avx2, Avx512, Vnni};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::Isa;

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
}
