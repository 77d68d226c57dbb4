//! Where arithmetic with constants stays on a power-of-two grid.

use bittrue_fixed::exact_raw_f64;
use bittrue_model::Pool;

/// Whether a float32 constant has few enough bits that products with it are exact integers.
pub(super) fn is_dyadic(value: f64) -> bool {
    const BITS: u32 = 12;
    let value = value as f32;
    exact_raw_f64(value.into()).is_some_and(|(raw, _)| raw.unsigned_abs() < 1 << BITS)
}

/// Whether an average pooling divides by powers of two only: at the edges of a padded tensor a
/// window has fewer cells.
pub(super) fn averages_are_exact(pool: &Pool, argument: &[usize]) -> bool {
    let cells = &argument[..argument.len().saturating_sub(1)];
    let Some(window) = &pool.window else {
        return cells.iter().all(|n| n.is_power_of_two());
    };
    // A product is a power of two when its factors are.
    cells.iter().enumerate().all(|(axis, &n)| {
        let positions = window.positions(axis, n).unwrap_or(0);
        (0..positions).all(|p| {
            let valid = (0..window.size[axis]).filter(|&k| window.cell(axis, n, p, k).is_some());
            valid.count().is_power_of_two()
        })
    })
}

#[cfg(test)]
mod tests {
    use bittrue_model::{Padding, PoolKind, Window};

    use super::*;

    fn average(size: &[usize], stride: usize, padding: Padding) -> Pool {
        let window = Window {
            size: size.to_vec(),
            strides: vec![stride; size.len()],
            dilation: vec![1; size.len()],
            padding,
        };
        Pool { kind: PoolKind::Average, window: Some(window) }
    }

    #[test]
    fn every_window_counts() {
        assert!(averages_are_exact(&average(&[2, 4], 2, Padding::Valid), &[5, 9, 3]));
        assert!(!averages_are_exact(&average(&[3], 3, Padding::Valid), &[9, 3]));
        // Windows of 3 cells of which both ends see 2, and of 2 cells of which the last sees 1.
        assert!(!averages_are_exact(&average(&[3], 1, Padding::Same), &[5, 1]));
        assert!(averages_are_exact(&average(&[2], 2, Padding::Same), &[5, 1]));
        // 4 cells around 5: the first window sees 3.
        assert!(!averages_are_exact(&average(&[4], 1, Padding::Same), &[5, 1]));
        // Two windows of 3 cells, of which each sees 2 of the 4 cells... unless there is no padding.
        assert!(averages_are_exact(&average(&[3], 4, Padding::Same), &[2, 1]));
    }

    #[test]
    fn a_global_average_divides_by_all_cells() {
        let pool = Pool { kind: PoolKind::Average, window: None };
        assert!(averages_are_exact(&pool, &[4, 8, 3]));
        assert!(!averages_are_exact(&pool, &[6, 3]));
    }

    #[test]
    fn short_constants() {
        assert!(is_dyadic(0.25) && is_dyadic(6.0) && is_dyadic(0.0));
        assert!(!is_dyadic(0.3) && !is_dyadic(f64::NAN));
    }
}
