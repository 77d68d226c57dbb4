//! The orders in which the Eigen of TensorFlow 2.15.1 adds float32 values on a CPU.

use super::ftz::add;

/// Values in a vector.
const LANES: usize = 8;

/// The longest sum over a row that is not halved.
pub(super) const LONGEST_ROW: usize = 1024 * LANES;

/// One after the other.
pub(super) fn sum_one_by_one(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |sum, &value| add(sum, value))
}

/// Sums over an outer axis, eight of them at a time in vectors: from 16 values on there are four partial
/// sums of every fourth value, to which the last values are added.
pub(super) fn sum_of_vectors(values: &[f32]) -> f32 {
    if values.len() < 16 {
        return sum_one_by_one(values);
    }
    let (unrolled, rest) = values.split_at(values.len() - values.len() % 4);
    let partial = |start: usize| {
        unrolled.iter().skip(start).step_by(4).fold(0.0, |sum, &value| add(sum, value))
    };
    let sum = (1..4).fold(partial(0), |sum, start| add(sum, partial(start)));
    rest.iter().fold(sum, |sum, &value| add(sum, value))
}

/// Sums over the innermost axis, where `values` start at index `first` of the tensor: halves above 8,192
/// values, below that four partial sums of vectors.
pub(super) fn sum_of_row(values: &[f32], first: usize) -> f32 {
    let len = values.len();
    if len > LONGEST_ROW {
        let split = (LANES * (first + len.div_ceil(2)).div_ceil(LANES) - first).min(len);
        let (left, right) = values.split_at(split);
        let sum = sum_of_row(left, first);
        return if right.is_empty() { sum } else { add(sum, sum_of_row(right, first + split)) };
    }
    let vectors = values.chunks_exact(LANES);
    let rest = vectors.remainder();
    let vectors: Vec<&[f32]> = vectors.collect();
    let unrolled = vectors.len() - vectors.len() % 4;
    let mut lanes = [0.0; LANES];
    for (lane, sum) in lanes.iter_mut().enumerate() {
        let partial = |start: usize| {
            (start..unrolled).step_by(4).fold(0.0, |sum, v| add(sum, vectors[v][lane]))
        };
        *sum = (1..4).fold(partial(0), |sum, start| add(sum, partial(start)));
        *sum = vectors[unrolled..].iter().fold(*sum, |sum, vector| add(sum, vector[lane]));
    }
    let four: [f32; 4] = std::array::from_fn(|i| add(lanes[i], lanes[i + 4]));
    let total = add(add(four[0], four[2]), add(four[1], four[3]));
    add(sum_one_by_one(rest), total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_sums_do_not_depend_on_the_order() {
        for len in [0, 1, 7, 15, 16, 19, 64, 100, 9000] {
            let values: Vec<f32> = (0..len).map(|k| ((k * 37) % 101) as f32 - 50.0).collect();
            let sum: f32 = values.iter().sum();
            for found in [sum_one_by_one(&values), sum_of_vectors(&values), sum_of_row(&values, 0)]
            {
                assert_eq!(found, sum);
            }
        }
    }

    #[test]
    fn the_orders_differ() {
        // 2^24 + 1 is no float32 value: a one is lost next to it, two together are not.
        let mut values = [0.0; 16];
        (values[0], values[1], values[5]) = (16_777_216.0, 1.0, 1.0);
        assert_eq!(sum_one_by_one(&values), 16_777_216.0);
        assert_eq!(sum_of_vectors(&values), 16_777_218.0);
        (values[5], values[9]) = (0.0, 1.0);
        assert_eq!(sum_of_row(&values, 0), 16_777_218.0);
    }
}
