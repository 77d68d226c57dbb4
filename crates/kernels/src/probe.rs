//! What this machine's multiply instructions can do: the peak that a kernel's rate is compared with.

#[cfg(target_arch = "x86_64")]
use std::time::Duration;

use crate::Simd;
#[cfg(target_arch = "x86_64")]
use crate::{Level, isa};

/// The rate of an instruction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Peak {
    /// Its name; where the products of a level need more than one instruction, the first of them.
    pub instruction: &'static str,
    /// Multiplications and additions in 10⁹ per second, of this thread.
    pub gmac_s: f64,
}

/// Measures the instructions of a level that kernels multiply with, each for about `time`, on this
/// thread. Empty where there are only plain loops.
#[cfg(target_arch = "x86_64")]
pub fn peaks(simd: Simd, time: Duration) -> Vec<Peak> {
    #[target_feature(enable = "avx2")]
    unsafe fn avx2(bytes: bool, rounds: u64) {
        // SAFETY: the caller's.
        unsafe { burn::<isa::Avx2>(bytes, rounds) }
    }
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
    unsafe fn avx512(bytes: bool, rounds: u64) {
        // SAFETY: the caller's.
        unsafe { burn::<isa::Avx512>(bytes, rounds) }
    }
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    unsafe fn vnni(bytes: bool, rounds: u64) {
        // SAFETY: the caller's.
        unsafe { burn::<isa::Vnni>(bytes, rounds) }
    }
    let (run, lanes, names): (unsafe fn(bool, u64), usize, [&'static str; 2]) = match simd.level() {
        Level::Scalar => return Vec::new(),
        Level::Avx2 => (avx2, 16, ["vpmaddwd", "vpmaddubsw"]),
        Level::Avx512 => (avx512, 32, ["vpmaddwd", "vpmaddubsw"]),
        Level::Vnni => (vnni, 32, ["vpdpwssd", "vpdpbusd"]),
    };
    let measure = |bytes: bool| {
        let products = (CHAINS * lanes * if bytes { 2 } else { 1 }) as f64;
        let mut rounds = 1 << 12;
        let mut best = 0.0_f64;
        let end = std::time::Instant::now() + time;
        while std::time::Instant::now() < end {
            let start = std::time::Instant::now();
            // SAFETY: the token proves that the machine has the level.
            unsafe { run(bytes, rounds) };
            let seconds = start.elapsed().as_secs_f64();
            best = best.max(products * rounds as f64 / seconds / 1e9);
            // Long enough for the clock, short enough for an undisturbed one to be found.
            if seconds < 5e-4 {
                rounds *= 2;
            }
        }
        best
    };
    [false, true]
        .into_iter()
        .zip(names)
        .map(|(bytes, instruction)| Peak { instruction, gmac_s: measure(bytes) })
        .collect()
}

/// There are only plain loops.
#[cfg(not(target_arch = "x86_64"))]
pub fn peaks(_: Simd, _: std::time::Duration) -> Vec<Peak> {
    Vec::new()
}

/// Sums that do not wait for each other.
#[cfg(target_arch = "x86_64")]
const CHAINS: usize = 12;

/// Nothing but products.
///
/// # Safety
/// The machine has the instructions of `I`.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn burn<I: isa::ByteIsa>(bytes: bool, rounds: u64) {
    // SAFETY: the machine has the instructions.
    unsafe {
        let mut a = std::hint::black_box(I::splat(3));
        let (b, one) = (std::hint::black_box(I::splat(5)), std::hint::black_box(I::splat(1)));
        let mut sums = [I::zero(); CHAINS];
        for _ in 0..rounds {
            for sum in &mut sums {
                *sum = if bytes { I::dot4(*sum, a, b) } else { I::dot(*sum, a, b) };
            }
            // Else a level without a joint instruction could compute its products once.
            a = I::and(I::add(a, one), b);
        }
        std::hint::black_box(sums.map(|s| {
            let mut out = [0_i16; 32];
            I::store(s, out.as_mut_ptr());
            out[0]
        }));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn wider_instructions_do_more() {
        for simd in Simd::all() {
            for peak in peaks(simd, Duration::from_millis(5)) {
                // One product a nanosecond is below every machine that has the level.
                assert!(peak.gmac_s > 1.0, "{peak:?}");
            }
        }
    }
}
