//! Element-wise kernels: the lanes of all elements in one slice.

use bittrue_block::LaneInt;

use crate::Simd;

/// Raws on a finer grid: each is multiplied by `2^shift`. The caller proves that results fit `O`.
pub fn align<X: LaneInt, O: LaneInt>(x: &[X], shift: u32) -> Vec<O> {
    x.iter().map(|&v| O::truncate(v.into() << shift)).collect()
}

/// `max(x, 0)`, and `min(x, max)` where there is an upper limit.
pub fn relu<X: LaneInt>(x: &[X], max: Option<i64>) -> Vec<X> {
    let zero = X::default();
    // A limit that the type cannot reach is none.
    let max = max.and_then(|max| X::try_from(max).ok());
    let max = max.map(|max| max.max(zero));
    let mut all = vec![zero; x.len()];
    let out = all.as_mut_slice();
    Simd::chosen().vectorize(
        #[inline(always)]
        move || match max {
            None => out.iter_mut().zip(x).for_each(|(out, &v)| *out = v.max(zero)),
            Some(max) => out.iter_mut().zip(x).for_each(|(out, &v)| *out = v.max(zero).min(max)),
        },
    );
    all
}

/// `x * 2^shift` for positive raws, `x * slope` else, where the slope is `slope * 2^-shift`.
pub fn leaky_relu<X: LaneInt>(x: &[X], slope: i64, shift: u32) -> Vec<i64> {
    x.iter()
        .map(|&v| {
            let v: i64 = v.into();
            if v > 0 { v << shift } else { v * slope }
        })
        .collect()
}

/// `acc += sign * x * 2^shift`, with a sign of 1 or −1.
pub fn add_scaled<X: LaneInt>(acc: &mut [i64], x: &[X], sign: i64, shift: u32) {
    for (a, &v) in acc.iter_mut().zip(x) {
        *a += sign * (v.into() << shift);
    }
}

/// `acc *= x`.
pub fn multiply<X: LaneInt>(acc: &mut [i64], x: &[X]) {
    for (a, &v) in acc.iter_mut().zip(x) {
        *a *= v.into();
    }
}

/// `acc = max(acc, x * 2^shift)`.
pub fn maximum<X: LaneInt>(acc: &mut [i64], x: &[X], shift: u32) {
    for (a, &v) in acc.iter_mut().zip(x) {
        *a = (*a).max(v.into() << shift);
    }
}

/// `acc = min(acc, x * 2^shift)`.
pub fn minimum<X: LaneInt>(acc: &mut [i64], x: &[X], shift: u32) {
    for (a, &v) in acc.iter_mut().zip(x) {
        *a = (*a).min(v.into() << shift);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relus() {
        assert_eq!(relu(&[-3_i16, 0, 5, 9], None), [0, 0, 5, 9]);
        assert_eq!(relu(&[-3_i16, 0, 5, 9], Some(6)), [0, 0, 5, 6]);
        assert_eq!(leaky_relu(&[-3_i16, 2], 1, 2), [-3, 8]);
    }

    #[test]
    fn merges() {
        let mut acc = vec![0_i64; 3];
        add_scaled(&mut acc, &[1_i16, 2, -3], 1, 2);
        add_scaled(&mut acc, &[1_i32, 1, 1], -1, 0);
        assert_eq!(acc, [3, 7, -13]);
        maximum(&mut acc, &[1_i32, 4, 0], 1);
        assert_eq!(acc, [3, 8, 0]);
        minimum(&mut acc, &[5_i64, 4, -1], 0);
        assert_eq!(acc, [3, 4, -1]);
        multiply(&mut acc, &[2_i16, -1, 7]);
        assert_eq!(acc, [6, -4, -7]);
        assert_eq!(align::<i16, i32>(&[-1, 3], 4), [-16, 48]);
    }
}
