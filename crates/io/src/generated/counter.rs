//! Random numbers as a function of their place: any part of the events can be made at any time, by
//! any thread, in blocks of any size.

/// Events that share a key, so that the places of their values stay below 2^32 in inputs of up to
/// four million elements.
const EVENTS: u64 = 1 << 10;

/// The random words of one input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Words {
    seed: u64,
}

impl Words {
    /// The words of input `input` under a seed.
    pub(super) fn new(seed: u64, input: usize) -> Self {
        Self { seed: mix64(seed).wrapping_add(mix64(!(input as u64))) }
    }

    /// Hands the words of one event to `each`, as `(place in out, word)`.
    #[inline(always)]
    pub(super) fn fill<T>(self, event: u64, out: &mut [T], each: impl Fn(u32) -> T) {
        let key = mix64(self.seed ^ mix64(event / EVENTS));
        let first = ((event % EVENTS) as u32).wrapping_mul(out.len() as u32);
        let (low, high) = (key as u32, (key >> 32) as u32);
        for (n, out) in out.iter_mut().enumerate() {
            *out = each(mix32(first.wrapping_add(n as u32), low, high));
        }
    }
}

/// One step of SplitMix64 (Steele, Lea, Flood 2014).
fn mix64(n: u64) -> u64 {
    let z = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A permutation of 32 bits chosen by a key, from multiplications and shifts that vectorise.
#[inline(always)]
fn mix32(n: u32, low: u32, high: u32) -> u32 {
    let x = n.wrapping_mul(0x9e37_79b9).wrapping_add(low);
    let x = (x ^ (x >> 16)).wrapping_mul(0x21f0_aaad) ^ high;
    let x = (x ^ (x >> 15)).wrapping_mul(0x735a_2d97);
    let x = (x ^ (x >> 15) ^ low).wrapping_mul(0x846c_a68b);
    x ^ (x >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(seed: u64, events: u64, elements: usize) -> Vec<u32> {
        let of = Words::new(seed, 0);
        let mut all = vec![0; events as usize * elements];
        for (event, out) in all.chunks_mut(elements).enumerate() {
            of.fill(event as u64, out, |w| w);
        }
        all
    }

    /// χ² of the counts of `values`, each below `cells`, against equal ones.
    fn chi_squared(values: impl Iterator<Item = usize>, cells: usize) -> f64 {
        let mut counts = vec![0_u64; cells];
        let mut n = 0.0;
        for v in values {
            counts[v] += 1;
            n += 1.0;
        }
        let expected = n / cells as f64;
        counts.iter().map(|&c| (c as f64 - expected).powi(2) / expected).sum()
    }

    #[test]
    fn every_byte_and_pairs_of_neighbours_are_uniform() {
        let all = words(7, 20_000, 16);
        // 255 and 4095 degrees of freedom: six standard deviations.
        for shift in [0, 8, 16, 24] {
            let x = chi_squared(all.iter().map(|w| (w >> shift) as usize & 255), 256);
            assert!((x - 255.0).abs() < 136.0, "{x} at {shift}");
        }
        for step in [1, 16] {
            let pairs = all.iter().zip(&all[step..]);
            let x = chi_squared(pairs.map(|(a, b)| (a >> 26 << 6 | b >> 26) as usize), 4096);
            assert!((x - 4095.0).abs() < 544.0, "{x} at a distance of {step}");
        }
        let others = words(8, 20_000, 16);
        let pairs = all.iter().zip(&others);
        let x = chi_squared(pairs.map(|(a, b)| (a >> 26 << 6 | b >> 26) as usize), 4096);
        assert!((x - 4095.0).abs() < 544.0, "{x} between seeds");
    }

    #[test]
    fn inputs_differ() {
        let (mut a, mut b) = ([0; 8], [0; 8]);
        Words::new(1, 0).fill(5000, &mut a, |w| w);
        Words::new(1, 1).fill(5000, &mut b, |w| w);
        assert!(a.iter().zip(b).all(|(a, b)| *a != b));
    }
}
