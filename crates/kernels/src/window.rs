//! Poolings and movements of elements: what reads other elements without multiplying them.

use bittrue_block::LaneInt;

use crate::{PADDING, Simd};

/// `out[row, lane] = max_k x[index[row, k], lane]` over the cells that are no padding. A row of
/// padding alone gives zero.
pub fn pool_max<X: LaneInt>(index: &[u32], terms: usize, lanes: usize, x: &[X]) -> Vec<X> {
    let mut out = Vec::with_capacity(index.len() / terms.max(1) * lanes);
    for row in index.chunks(terms.max(1)) {
        let mut cells = row.iter().filter(|&&e| e != PADDING).map(|&e| e as usize * lanes);
        let start = out.len();
        match cells.next() {
            Some(first) => out.extend_from_slice(&x[first..first + lanes]),
            None => out.resize(start + lanes, X::default()),
        }
        let largest = &mut out[start..];
        Simd::chosen().vectorize(
            #[inline(always)]
            || {
                for from in cells {
                    for (a, &v) in largest.iter_mut().zip(&x[from..from + lanes]) {
                        *a = (*a).max(v);
                    }
                }
            },
        );
    }
    out
}

/// `out[row, lane] = Σ_k x[index[row, k], lane] << shifts[row]` over the cells that are no padding.
pub fn pool_sum<X: LaneInt>(
    index: &[u32],
    terms: usize,
    shifts: &[u32],
    lanes: usize,
    x: &[X],
) -> Vec<i64> {
    let mut out = Vec::with_capacity(shifts.len() * lanes);
    let mut acc = vec![0_i64; lanes];
    for (row, shift) in index.chunks(terms.max(1)).zip(shifts) {
        acc.fill(0);
        let cells = row.iter().filter(|&&e| e != PADDING).map(|&e| e as usize * lanes);
        Simd::chosen().vectorize(
            #[inline(always)]
            || {
                for from in cells {
                    for (a, &v) in acc.iter_mut().zip(&x[from..from + lanes]) {
                        *a += v.into();
                    }
                }
                out.extend(acc.iter().map(|a| a << shift));
            },
        );
    }
    out
}

/// `out[n, lane] = x[index[n], lane]`, zero for padding.
pub fn gather<T: Copy + Default>(index: &[u32], lanes: usize, x: &[T]) -> Vec<T> {
    let mut out = Vec::with_capacity(index.len() * lanes);
    for &e in index {
        match e {
            PADDING => out.resize(out.len() + lanes, T::default()),
            e => out.extend_from_slice(&x[e as usize * lanes..(e as usize + 1) * lanes]),
        }
    }
    out
}

/// [`pool_max`] of raws stored in bytes, with the byte of a raw 0.
pub fn pool_max_bytes(index: &[u32], terms: usize, lanes: usize, x: &[u8], zero: u8) -> Vec<u8> {
    let mut out = Vec::with_capacity(index.len() / terms.max(1) * lanes);
    for row in index.chunks(terms.max(1)) {
        let mut cells = row.iter().filter(|&&e| e != PADDING).map(|&e| e as usize * lanes);
        let start = out.len();
        match cells.next() {
            Some(first) => out.extend_from_slice(&x[first..first + lanes]),
            None => out.resize(start + lanes, zero),
        }
        let largest = &mut out[start..];
        Simd::chosen().vectorize(
            #[inline(always)]
            || {
                for from in cells {
                    for (a, &v) in largest.iter_mut().zip(&x[from..from + lanes]) {
                        *a = (*a).max(v);
                    }
                }
            },
        );
    }
    out
}

/// [`pool_sum`] of raws without a sign stored in bytes, and again in bytes. The caller proves that the
/// results fit.
pub fn pool_sum_bytes(
    index: &[u32],
    terms: usize,
    shifts: &[u32],
    lanes: usize,
    x: &[u8],
) -> Vec<u8> {
    let mut out = vec![0_u8; shifts.len() * lanes];
    let rows = out.chunks_exact_mut(lanes.max(1)).zip(index.chunks(terms.max(1)));
    for ((sums, row), &shift) in rows.zip(shifts) {
        let cells = row.iter().filter(|&&e| e != PADDING).map(|&e| e as usize * lanes);
        Simd::chosen().vectorize(
            #[inline(always)]
            || {
                for from in cells {
                    for (a, &v) in sums.iter_mut().zip(&x[from..from + lanes]) {
                        *a += v;
                    }
                }
                for a in sums {
                    *a <<= shift;
                }
            },
        );
    }
    out
}

/// [`gather`] of raws stored in bytes, with the byte of a raw 0.
pub fn gather_bytes(index: &[u32], lanes: usize, x: &[u8], zero: u8) -> Vec<u8> {
    let mut out = Vec::with_capacity(index.len() * lanes);
    for &e in index {
        match e {
            PADDING => out.resize(out.len() + lanes, zero),
            e => out.extend_from_slice(&x[e as usize * lanes..(e as usize + 1) * lanes]),
        }
    }
    out
}

/// Raws as bytes, with `zero` added. The caller proves that they fit.
pub fn to_bytes<X: LaneInt>(simd: Simd, x: &[X], zero: u8) -> Vec<u8> {
    let mut all = vec![0; x.len()];
    let out: &mut [u8] = &mut all;
    simd.vectorize(
        #[inline(always)]
        move || {
            for (out, &v) in out.iter_mut().zip(x) {
                let raw: i64 = v.into();
                *out = (raw as u8).wrapping_add(zero);
            }
        },
    );
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_takes_no_part() {
        let x: [i16; 6] = [-3, 5, -1, -9, 7, 2];
        let index = [0, 1, PADDING, 2, PADDING, PADDING];
        assert_eq!(pool_max(&index, 2, 2, &x), [-1, 5, 7, 2, 0, 0]);
        assert_eq!(pool_sum(&index, 2, &[0, 1, 0], 2, &x), [-4, -4, 14, 4, 0, 0]);
        assert_eq!(gather(&[2, PADDING, 0], 2, &x), [7, 2, 0, 0, -3, 5]);
        // The same as bytes.
        let bytes = to_bytes(Simd::chosen(), &x, 128);
        assert_eq!(bytes, [125, 133, 127, 119, 135, 130]);
        let most = pool_max_bytes(&index, 2, 2, &bytes, 128);
        assert_eq!(most, to_bytes(Simd::chosen(), &pool_max(&index, 2, 2, &x), 128));
        let plain: Vec<i16> = x.iter().map(|v| v.abs()).collect();
        let sums: Vec<i64> =
            pool_sum_bytes(&index, 2, &[0, 1, 0], 2, &to_bytes(Simd::chosen(), &plain, 0))
                .into_iter()
                .map(i64::from)
                .collect();
        assert_eq!(sums, pool_sum(&index, 2, &[0, 1, 0], 2, &plain));
        let moved = gather_bytes(&[2, PADDING, 0], 2, &bytes, 128);
        assert_eq!(moved, to_bytes(Simd::chosen(), &gather(&[2, PADDING, 0], 2, &x), 128));
    }
}
