//! Pooling windows.
//!
//! `predict` runs MaxPooling and AveragePooling with oneDNN and Eigen kernels that take the valid cells of a
//! window one after the other; the global layers are Eigen reductions, whose order depends on the number
//! of channels and, for some numbers, on the event's place in its batch.

use super::dot::Dot;
use super::ftz::{add, div, ftz};
use super::reduce::{self, LONGEST_ROW};

/// The average of the valid cells of one window in row-major order (AveragePooling1D and 2D): float32
/// additions one after the other and one division by their number.
///
/// NaN for no cells.
#[must_use]
pub fn average(cells: &[f32]) -> Dot {
    either(&[reduce::sum_one_by_one(cells)], cells.len())
}

/// The average over whole axes (GlobalAveragePooling1D and 2D) of one of `channels` channels, cells in
/// row-major order.
///
/// Certain for one channel, below eight and for multiples of eight, and for fewer than 16 cells. For other
/// numbers it depends on the event's place in its batch which channels fall into a vector of eight: then
/// the band holds both orders.
#[must_use]
pub fn global_average_of(cells: &[f32], channels: usize) -> Dot {
    let vectors = || reduce::sum_of_vectors(cells);
    let one_by_one = || reduce::sum_one_by_one(cells);
    match channels {
        1 => long_row(cells, either(&[reduce::sum_of_row(cells, 0)], cells.len())),
        0..8 => either(&[one_by_one()], cells.len()),
        _ if channels.is_multiple_of(8) => either(&[vectors()], cells.len()),
        _ => either(&[vectors(), one_by_one()], cells.len()),
    }
}

/// How a row of more than 8,192 cells is halved depends on the event's place in its batch: then the band
/// is that of any order.
fn long_row(cells: &[f32], average: Dot) -> Dot {
    if cells.len() <= LONGEST_ROW {
        return average;
    }
    let ones = vec![1.0; cells.len()];
    let sum = super::dot(cells, &ones);
    if sum.exact {
        return average;
    }
    let end = |x: f64, step: fn(f32) -> f32| {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "one step outwards covers the rounding"
        )]
        let x = x as f32;
        f64::from(div(step(x), count(cells.len())))
    };
    let (lo, hi) = (end(sum.lo, f32::next_down), end(sum.hi, f32::next_up));
    Dot { value: average.value, lo: lo.min(average.lo), hi: hi.max(average.hi), exact: false }
}

/// The averages of sums that are all possible, the likeliest first.
fn either(sums: &[f32], cells: usize) -> Dot {
    let averages = sums.iter().map(|&sum| div(add(sum, 0.0), count(cells)));
    let mut all = Dot { value: f32::NAN, lo: 0.0, hi: 0.0, exact: true };
    for (i, value) in averages.enumerate() {
        let wide = f64::from(value);
        if i == 0 {
            all = Dot { value, lo: wide, hi: wide, exact: true };
        } else if value.to_bits() != all.value.to_bits() && !(value.is_nan() && all.value.is_nan())
        {
            // A NaN next to numbers means that nothing is known.
            let known = !value.is_nan() && !all.value.is_nan();
            all.lo = if known { all.lo.min(wide) } else { f64::NEG_INFINITY };
            all.hi = if known { all.hi.max(wide) } else { f64::INFINITY };
            all.exact = false;
        }
    }
    all
}

#[expect(clippy::cast_precision_loss, reason = "TensorFlow converts the count to float32")]
fn count(cells: usize) -> f32 {
    cells as f32
}

/// The largest of the valid cells of one window (MaxPooling1D and 2D).
///
/// oneDNN starts from the lowest finite number and takes a cell that is greater. So NaN is skipped, a
/// window of NaN and -inf gives `-f32::MAX`, of equal cells the first stays (`+0` and `-0` are equal, and
/// denormals are equal to them but are handed on).
#[must_use]
pub fn max(cells: &[f32]) -> f32 {
    cells.iter().fold(f32::MIN, |best, &x| if ftz(x) > ftz(best) { x } else { best })
}

/// The largest cell of whole axes (GlobalMaxPooling1D and 2D); NaN if there is one, -inf for no cells.
///
/// Denormals are zeros. Of equal zeros the last stays; with 16 cells or more their order, and so the sign
/// of a zero, is not followed.
#[must_use]
pub fn global_max(cells: &[f32]) -> f32 {
    cells
        .iter()
        .map(|&x| ftz(x))
        .fold(f32::NEG_INFINITY, |best, x| if best > x || best.is_nan() { best } else { x })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_averages_are_certain_in_every_order() {
        let cells: Vec<f32> = (0..40).map(|k| k as f32 * 0.25 - 3.0).collect();
        let expected = average(&cells);
        assert!(expected.exact);
        for channels in [1, 5, 8, 9] {
            assert_eq!(global_average_of(&cells, channels), expected);
        }
    }

    #[test]
    fn the_place_in_the_batch_matters_for_some_channels_only() {
        let mut cells = [0.0; 16];
        (cells[0], cells[1], cells[5]) = (16_777_216.0, 1.0, 1.0);
        assert_eq!(global_average_of(&cells, 7).value, 1_048_576.0);
        assert_eq!(global_average_of(&cells, 8).value, 16_777_218.0 / 16.0);
        let band = global_average_of(&cells, 9);
        assert!(!band.exact && band.lo == 1_048_576.0 && band.hi == 16_777_218.0 / 16.0);
        assert!(global_average_of(&cells[..15], 9).exact);
    }

    #[test]
    fn a_long_row_is_not_certain() {
        let cells: Vec<f32> = (0..9000).map(|k| 1.0 / (k as f32 + 1.0)).collect();
        let found = global_average_of(&cells, 1);
        assert!(!found.exact && found.lo < f64::from(found.value));
        assert!(global_average_of(&vec![0.5; 9000], 1).exact);
    }

    #[test]
    fn no_cells_and_not_a_number() {
        assert!(average(&[]).value.is_nan());
        let nan = global_average_of(&[f32::NAN; 20], 9);
        assert!(nan.exact && nan.value.is_nan());
        assert_eq!(max(&[f32::NAN, f32::NEG_INFINITY]), f32::MIN);
        assert_eq!(max(&[f32::NAN, 1.0]), 1.0);
        assert!(global_max(&[f32::NAN, 1.0]).is_nan());
        assert_eq!(global_max(&[f32::NEG_INFINITY]), f32::NEG_INFINITY);
    }
}
