//! Pooling windows.

use super::dot::{Dot, dot};
use super::ftz::{add, div};

/// The average of the valid cells of one window in row-major order: float32 additions one after the
/// other and one division by their number.
///
/// NaN for no cells.
#[must_use]
pub fn average(cells: &[f32]) -> Dot {
    let sum = cells.iter().fold(0.0, |sum, &x| add(sum, x));
    let value = div(sum, cells.len() as f32);
    let wide = f64::from(value);
    Dot { value, lo: wide, hi: wide, exact: true }
}

/// The average over whole axes (GlobalAveragePooling1D and 2D), whose order of summation is not the
/// same everywhere: certain when the order does not matter, else with a band.
#[must_use]
pub fn global_average(cells: &[f32]) -> Dot {
    let ones = vec![1.0; cells.len()];
    let sum = dot(cells, &ones);
    let count = cells.len() as f32;
    let sequential = average(cells).value;
    if sum.exact {
        let value = div(sum.value, count);
        return Dot { value, lo: f64::from(value), hi: f64::from(value), exact: true };
    }
    let end = |x: f64, step: fn(f32) -> f32| {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "one step outwards covers the rounding"
        )]
        let x = x as f32;
        f64::from(div(step(x), count))
    };
    let (lo, hi) = (end(sum.lo, f32::next_down), end(sum.hi, f32::next_up));
    Dot { value: sequential, lo, hi, exact: false }
}

/// The largest of the valid cells of one window.
#[must_use]
pub fn max(cells: &[f32]) -> f32 {
    cells.iter().copied().fold(f32::NEG_INFINITY, |best, x| if x > best { x } else { best })
}
