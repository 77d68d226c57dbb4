//! The smallest format of some numbers, and of the results of a function.

use super::bits::{Bits, UNLIMITED};

/// Finest and coarsest grid that HGQ looks for.
const FINEST: i32 = 32;

/// The smallest format that holds all numbers, as HGQ's `get_arr_container` finds it: its grid is
/// 2^-32 at the finest, and then perhaps none of theirs. The integer bits are [`UNLIMITED`] where HGQ
/// raises an OverflowError: for an infinity, also one that comes from counting in steps of the grid.
pub(super) fn container(values: &[f32]) -> Bits {
    if values.iter().all(|&v| v == 0.0) {
        return Bits { keep_negative: false, integer: 1, fractional: 0 };
    }
    let grid = Grid::of(values);
    let (mut low, mut high) = (-FINEST, FINEST);
    while high - low > 1 {
        let middle = (low + high).div_euclid(2);
        let whole = match &grid {
            Some(grid) => grid.is_whole(middle),
            None => values.iter().all(|&v| is_whole(v, middle)),
        };
        if whole {
            high = middle;
        } else {
            low = middle;
        }
    }
    let scale = 2f32.powi(high);
    // The logarithm and the sum are float32. Both grow with the number, so those at the ends tell.
    let log2 = |v: f32| f64::from(v * scale).log2() as f32;
    let bits = |v: f32| if v < 0.0 { log2(-v).ceil() } else { (1.0 + log2(v)).floor() };
    let (min, max) = values.iter().fold((0.0_f32, 0.0_f32), |(a, b), &v| (a.min(v), b.max(v)));
    let most = bits(min).max(bits(max));
    Bits {
        keep_negative: min < 0.0,
        integer: if most.is_finite() { most as i64 - i64::from(high) } else { UNLIMITED },
        fractional: i64::from(high),
    }
}

/// Whether a number is on the grid of 2^-`places`; NumPy casts to int64 and compares.
fn is_whole(v: f32, places: i32) -> bool {
    let scaled = v * 2f32.powi(places);
    scaled.fract() == 0.0 && scaled.abs() < 2f32.powi(63)
}

/// What the grids of many numbers have in common. There may be a million of them.
struct Grid {
    /// Places of the finest.
    places: i32,
    /// Largest magnitude.
    largest: f32,
}

impl Grid {
    /// `None` where scaling a number might not be exact.
    fn of(values: &[f32]) -> Option<Self> {
        let (mut places, mut largest) = (i32::MIN, 0.0_f32);
        for &v in values.iter().filter(|&&v| v != 0.0) {
            let magnitude = v.abs();
            if !(2f32.powi(-80)..2f32.powi(80)).contains(&magnitude) {
                return None;
            }
            // The exponent of the lowest bit of a normal number.
            let exponent = (magnitude.to_bits() >> 23).cast_signed() - 127 - 23;
            let zeros = (magnitude.to_bits() | 0x80_0000).trailing_zeros().cast_signed();
            places = places.max(-(exponent + zeros));
            largest = largest.max(magnitude);
        }
        Some(Self { places, largest })
    }

    /// Whether all numbers are on the grid of 2^-`places`.
    fn is_whole(&self, places: i32) -> bool {
        self.places <= places && self.largest * 2f32.powi(places) < 2f32.powi(63)
    }
}

/// Most arguments at which HGQ evaluates a function.
const MAX_ARGUMENTS: i64 = 1 << 20;

/// The format of the results of a function on all arguments of a format; of some arguments between
/// the ends where there are very many. `None` where HGQ raises an error.
pub(super) fn function(
    function: impl Fn(usize, usize, f32) -> f32,
    arguments: Bits,
) -> Option<Bits> {
    let Bits { mut keep_negative, mut integer, mut fractional } = arguments;
    if arguments.width() <= 0 {
        (keep_negative, integer, fractional) = (false, 1, 0);
    }
    let width = i64::from(keep_negative) + integer + fractional;
    let count = match width {
        0..63 => (1i64 << width).min(MAX_ARGUMENTS),
        // The sign of an int64: a negative number of arguments.
        63 => return None,
        // An int64 that has run over: no argument, so "all zero".
        _ => return Some(container(&[])),
    };
    let power = |exponent: i64| i32::try_from(exponent).map(|e| 2f64.powi(e));
    let (Ok(end), Ok(step)) = (power(integer), power(-fractional)) else { return None };
    let start = if keep_negative { -end } else { 0.0 };
    let stop = end - step;
    let step = (stop - start) / (count - 1).max(1) as f64;
    let count = usize::try_from(count).ok()?;
    let results: Vec<f32> = (0..count)
        .map(|n| {
            let last = n + 1 == count && count > 1;
            let x = if last { stop } else { n as f64 * step + start };
            function(n, count, x as f32)
        })
        .collect();
    Some(container(&results))
}

#[cfg(test)]
mod tests {
    use bittrue_keras::float::activations::{self, Position};

    use super::*;

    fn bits(keep_negative: bool, integer: i64, fractional: i64) -> Bits {
        Bits { keep_negative, integer, fractional }
    }

    /// Values from HGQ 0.2.6 itself.
    #[test]
    fn smallest_formats() {
        assert_eq!(container(&[0.0, -0.0]), bits(false, 1, 0));
        assert_eq!(container(&[0.375, -0.5]), bits(true, -1, 3));
        assert_eq!(container(&[-4.0]), bits(true, 2, -2));
        assert_eq!(container(&[4.0]), bits(false, 3, -2));
        assert_eq!(container(&[3.0, 0.25]), bits(false, 2, 2));
        assert_eq!(container(&[0.1]), bits(false, -3, 27));
        assert_eq!(container(&[1.0, 2f32.powi(-31)]), bits(false, 1, 31));
        // Where HGQ raises: of the second, 2^32 times as much is beyond float32.
        assert_eq!(container(&[f32::INFINITY, -1.0]), bits(true, UNLIMITED, 32));
        assert_eq!(container(&[1.25e31]), bits(false, UNLIMITED, 32));
        // Finer than any grid that HGQ knows.
        assert_eq!(container(&[2f32.powi(-40)]), bits(false, -39, 32));
    }

    /// One by one, or all at once.
    #[test]
    fn grids() {
        let mut seed = 1_u32;
        let mut sets: Vec<Vec<f32>> =
            vec![vec![1e-38, 1.0], vec![f32::INFINITY], vec![f32::NAN, 2.0]];
        for n in 0..400 {
            let mut next = || {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let (mantissa, exponent) = ((seed >> 8) >> (n % 24), (seed >> 3) % 90);
                (mantissa as f32)
                    * 2f32.powi(exponent as i32 - 60 + n % 7)
                    * if seed & 1 == 0 { 1.0 } else { -1.0 }
            };
            sets.push((0..1 + n % 5).map(|_| next()).collect());
        }
        let mut known = 0;
        for set in &sets {
            let Some(grid) = Grid::of(set) else { continue };
            known += 1;
            for places in -FINEST..=FINEST {
                let expected = set.iter().all(|&v| is_whole(v, places));
                assert_eq!(grid.is_whole(places), expected, "{set:?} {places}");
            }
        }
        assert!(known > 300 && Grid::of(&sets[0]).is_none(), "{known}");
        assert!(sets[1..3].iter().all(|s| Grid::of(s).is_none()));
    }

    #[test]
    fn formats_of_functions() {
        let relu = |_, _, x| activations::relu(x);
        assert_eq!(function(relu, bits(true, 3, 4)), Some(bits(false, 3, 4)));
        assert_eq!(function(relu, bits(false, 3, 4)), Some(bits(false, 3, 4)));
        // More than 2^20 arguments: the ones in between are on no grid.
        assert_eq!(function(relu, bits(true, 10, 12)), Some(bits(false, 11, 32)));
        let tanh = |_, _, x| activations::tanh(x);
        assert_eq!(function(tanh, bits(true, 3, 4)), Some(bits(true, 1, 28)));
        assert_eq!(function(tanh, bits(true, 10, 12)), Some(bits(true, 1, 32)));
        let sigmoid = |n, count, x| activations::sigmoid(x, Position::of(n, count)).value;
        assert_eq!(function(sigmoid, bits(true, 3, 4)), Some(bits(false, 0, 32)));
        assert_eq!(function(sigmoid, bits(false, 3, 4)), Some(bits(false, 0, 24)));
        // Nothing is known of the argument.
        assert_eq!(function(relu, Bits::ANYTHING), Some(bits(false, 1, 0)));
        assert_eq!(function(relu, bits(true, 31, 31)), None);
    }
}
