//! Scales that are computed from the data: maxima, least squares, and rounding to powers of two.

use super::{ArgumentError, Mode, Scale, Tensor};
use crate::float::ftz::{add, div, ftz, mul};
use crate::float::round::{power_of_two, round_through};
use crate::float::{eigen, libm, reduce};

/// `K.epsilon()`.
pub(super) const EPSILON: f32 = 1.0e-7;

/// Beyond this length TensorFlow may split the sum over a whole tensor among its threads (its cost model
/// does so from about 260,000 values on).
const LONGEST_SUM: usize = 100_000;

/// The largest magnitude per channel; over the whole tensor for rank 1.
pub(super) fn largest(tensor: &Tensor<'_>, magnitudes: &[f32]) -> Scale {
    let largest = |values: &mut dyn Iterator<Item = f32>| {
        values.fold(0.0, |a: f32, b| if b > a || b.is_nan() { b } else { a })
    };
    if tensor.rank() == 1 {
        return Scale::One(largest(&mut magnitudes.iter().copied()));
    }
    let channel =
        |c: usize| largest(&mut magnitudes.iter().skip(c).step_by(tensor.channels).copied());
    Scale::Channels((0..tensor.channels).map(channel).collect())
}

/// QKeras' `_get_scale`: the factor that brings `q` closest to `x` per channel, `mean(x·q)/(mean(q·q) + eps)`;
/// for rank 1 per element and without a mean.
pub(super) fn least_squares(tensor: &Tensor<'_>, x: &[f32], q: &[f32]) -> Scale {
    let xq: Vec<f32> = x.iter().zip(q).map(|(&x, &q)| mul(x, q)).collect();
    let qq: Vec<f32> = q.iter().map(|&q| mul(q, q)).collect();
    let ratio = |(&xq, &qq): (&f32, &f32)| div(xq, add(qq, EPSILON));
    if tensor.rank() == 1 {
        return Scale::Each(xq.iter().zip(&qq).map(ratio).collect());
    }
    let (xq, qq) = (channel_means(&xq, tensor.channels), channel_means(&qq, tensor.channels));
    Scale::Channels(xq.iter().zip(&qq).map(ratio).collect())
}

/// Whether [`least_squares`] sums in an order that does not depend on the number of threads.
pub(super) fn certain(tensor: &Tensor<'_>) -> bool {
    tensor.rank() == 1 || tensor.channels > 1 || tensor.values.len() <= LONGEST_SUM
}

/// Rounds a scale to the next power of two in the logarithm, `2^round(log(scale + eps)/ln 2)`.
pub(super) fn to_power_of_two(scale: Scale, mode: Mode) -> Scale {
    let rounded = |scales: &[f32]| -> Vec<f32> {
        let len = scales.len();
        let round = |(i, &scale): (usize, &f32)| {
            power(round_through(log2(add(scale, EPSILON), i, len, mode)))
        };
        scales.iter().enumerate().map(round).collect()
    };
    match scale {
        Scale::One(scale) => Scale::One(rounded(&[scale])[0]),
        Scale::Channels(scales) => Scale::Channels(rounded(&scales)),
        Scale::Each(scales) => Scale::Each(rounded(&scales)),
    }
}

/// `log(x)/ln 2` of element `index` of a tensor of `len` elements, in two float32 operations.
pub(super) fn log2(x: f32, index: usize, len: usize, mode: Mode) -> f32 {
    use std::f32::consts::LN_2;
    let log = if index < len - len % 8 { eigen::log(x) } else { libm::log(x) };
    match mode {
        Mode::Eager => div(log, LN_2),
        Mode::Predict => mul(log, 1.0 / LN_2),
    }
}

/// `2^exponent` for an integral exponent; zero where the result would be denormal.
pub(super) fn power(exponent: f32) -> f32 {
    if exponent.is_nan() {
        exponent
    } else if exponent < -126.0 {
        0.0
    } else if exponent > 127.0 {
        f32::INFINITY
    } else {
        #[expect(clippy::cast_possible_truncation, reason = "between -126 and 127")]
        power_of_two(exponent as i32)
    }
}

/// The mean per channel as TensorFlow's CPU kernel computes it: a float32 sum and one division.
fn channel_means(values: &[f32], channels: usize) -> Vec<f32> {
    let rows = values.len() / channels;
    #[expect(clippy::cast_precision_loss, reason = "TensorFlow converts the count to float32")]
    let count = rows as f32;
    if channels == 1 {
        return vec![div(reduce::sum_of_row(values, 0), count)];
    }
    // Eight channels at a time go through vector code, the last ones do not.
    let vectors = channels - channels % 8;
    (0..channels)
        .map(|c| {
            let column: Vec<f32> = values.iter().skip(c).step_by(channels).copied().collect();
            let sum = if c < vectors {
                reduce::sum_of_vectors(&column)
            } else {
                reduce::sum_one_by_one(&column)
            };
            div(sum, count)
        })
        .collect()
}

/// Spreads an array over the tensor by NumPy's rules.
pub(super) fn broadcast(
    tensor: &Tensor<'_>,
    shape: &[usize],
    values: &[f32],
) -> Result<Vec<f32>, ArgumentError> {
    let error = |reason| ArgumentError::new("alpha", "shape", format!("{shape:?}"), reason);
    let size = shape.iter().try_fold(1_usize, |size, &axis| size.checked_mul(axis));
    if size != Some(values.len()) {
        return Err(error("its product has to be the number of values"));
    }
    let missing = tensor
        .rank()
        .checked_sub(shape.len())
        .ok_or_else(|| error("more axes than the weights have"))?;
    let mut strides = vec![0; tensor.rank()];
    let mut stride = 1;
    for (axis, &length) in shape.iter().enumerate().rev() {
        if length != 1 && length != tensor.shape[missing + axis] {
            return Err(error(
                "each axis has to be 1 or that of the weights, counted from the last",
            ));
        }
        strides[missing + axis] = if length == 1 { 0 } else { stride };
        stride *= length;
    }
    let place = |mut index: usize| {
        let mut place = 0;
        for (&length, &stride) in tensor.shape.iter().zip(&strides).rev() {
            place += index % length * stride;
            index /= length;
        }
        place
    };
    Ok((0..tensor.values.len()).map(|index| ftz(values[place(index)])).collect())
}
