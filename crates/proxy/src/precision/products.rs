//! The products of a layer, by the bits of argument and weight.

use std::collections::BTreeMap;

use bittrue_model::Window;
use ndarray::ArrayD;

/// The products of one event by weights that are not zero, by bits of argument and weight.
///
/// Bits of a weight are those from its highest to its lowest one, without sign, and none for zero. HGQ
/// counts its own layers by the same rule.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Products(BTreeMap<(u32, u32), u64>);

impl Products {
    /// How many there are, by `(bits of the argument, bits of the weight)`, in ascending order.
    pub fn counts(&self) -> impl Iterator<Item = ((u32, u32), u64)> {
        self.0.iter().map(|(&bits, &count)| (bits, count))
    }

    /// Effective bit operations: bits of the argument times those of the weight, summed.
    pub fn operations(&self) -> u64 {
        self.counts()
            .map(|((argument, weight), n)| u64::from(argument) * u64::from(weight) * n)
            .sum()
    }

    /// Those of arguments of these bits, every row of the last axis, times weights `[input, unit]`.
    /// `None` for weights of another shape.
    pub fn dense(arguments: &[u32], weights: &ArrayD<f32>) -> Option<Self> {
        let &[inputs, units] = weights.shape() else { return None };
        let mut seen = vec![BTreeMap::new(); inputs];
        for (n, &bits) in arguments.iter().enumerate() {
            *seen.get_mut(n % inputs.max(1))?.entry(bits).or_insert(0) += 1;
        }
        let mut all = Self::default();
        for (input, seen) in seen.iter().enumerate() {
            let weights = (0..units).map(|unit| weights[[input, unit].as_slice()]);
            all.add(seen, weights);
        }
        Some(all)
    }

    /// Those of arguments `[cell…, channel]` of these bits times weights
    /// `[cell…, channel / group, filter]`. `None` where the shapes do not fit.
    pub fn conv(
        arguments: &[u32],
        shape: &[usize],
        window: &Window,
        groups: usize,
        weights: &ArrayD<f32>,
    ) -> Option<Self> {
        let (&channels, cells) = shape.split_last()?;
        let &[.., per_group, filters] = weights.shape() else { return None };
        let positions = positions(window, cells)?;
        let of_group = filters / groups.max(1);
        let mut all = Self::default();
        for offset in indices(&window.size) {
            // A cell of the window meets those of the argument at which it lies inside.
            let mut seen: Vec<BTreeMap<u32, u64>> = vec![BTreeMap::new(); channels];
            for position in indices(&positions) {
                let Some(cell) = cell_under(window, cells, &position, &offset) else { continue };
                let given = arguments.get(cell * channels..(cell + 1) * channels)?;
                for (seen, &bits) in seen.iter_mut().zip(given) {
                    *seen.entry(bits).or_insert(0) += 1;
                }
            }
            for (channel, seen) in seen.iter().enumerate() {
                let group = channel / per_group.max(1);
                let weight = |filter| {
                    let index = [offset.as_slice(), &[channel % per_group, filter]].concat();
                    weights[index.as_slice()]
                };
                all.add(seen, (group * of_group..(group + 1) * of_group).map(weight));
            }
        }
        Some(all)
    }

    /// Each of the arguments times each of the weights.
    fn add(&mut self, arguments: &BTreeMap<u32, u64>, weights: impl Iterator<Item = f32>) {
        let mut by_bits: BTreeMap<u32, u64> = BTreeMap::new();
        for bits in weights.map(weight_bits).filter(|&b| b > 0) {
            *by_bits.entry(bits).or_insert(0) += 1;
        }
        for (&argument, &n) in arguments {
            for (&weight, &m) in &by_bits {
                *self.0.entry((argument, weight)).or_insert(0) += n * m;
            }
        }
    }
}

/// Bits from the highest to the lowest one of a weight.
pub(super) fn weight_bits(w: f32) -> u32 {
    if w == 0.0 || !w.is_finite() {
        return 0;
    }
    let bits = w.to_bits();
    let mantissa = bits & 0x7f_ffff;
    let whole = if bits & 0x7f80_0000 == 0 { mantissa } else { mantissa | 0x80_0000 };
    u32::BITS - whole.leading_zeros() - whole.trailing_zeros()
}

fn positions(window: &Window, cells: &[usize]) -> Option<Vec<usize>> {
    (0..cells.len()).map(|axis| window.positions(axis, cells[axis])).collect()
}

/// The cell of the argument under one of the window, as index over all spatial axes.
fn cell_under(
    window: &Window,
    cells: &[usize],
    position: &[usize],
    offset: &[usize],
) -> Option<usize> {
    let mut index = 0;
    for (axis, &n) in cells.iter().enumerate() {
        index = index * n + window.cell(axis, n, position[axis], offset[axis])?;
    }
    Some(index)
}

/// All indices of an array of some shape, the last axis first.
fn indices(shape: &[usize]) -> impl Iterator<Item = Vec<usize>> + '_ {
    (0..shape.iter().product::<usize>()).map(move |mut n| {
        let mut index = vec![0; shape.len()];
        for (at, &length) in index.iter_mut().zip(shape).rev() {
            *at = n % length;
            n /= length;
        }
        index
    })
}

/// The largest number of each window over `[cell…, channel]`.
pub(super) fn largest(widths: &[u32], shape: &[usize], window: &Window) -> Option<Vec<u32>> {
    let (&channels, cells) = shape.split_last()?;
    let positions = positions(window, cells)?;
    let mut pooled = Vec::new();
    for position in indices(&positions) {
        let mut best = vec![0; channels];
        for offset in indices(&window.size) {
            let Some(cell) = cell_under(window, cells, &position, &offset) else { continue };
            for (channel, best) in best.iter_mut().enumerate() {
                *best = (*best).max(widths[cell * channels + channel]);
            }
        }
        pooled.extend(best);
    }
    Some(pooled)
}

#[cfg(test)]
mod tests {
    use bittrue_model::Padding;

    use super::*;

    /// A weight of so many bits.
    fn of(bits: u32) -> f32 {
        if bits == 0 { 0.0 } else { ((1_u32 << bits) - 1) as f32 }
    }

    fn weights(shape: &[usize], bits: &[u32]) -> ArrayD<f32> {
        let values = bits.iter().map(|&b| of(b)).collect();
        ArrayD::from_shape_vec(shape.to_vec(), values).expect("a shape")
    }

    fn counts(products: &Products) -> Vec<((u32, u32), u64)> {
        products.counts().collect()
    }

    /// Values of HGQ 0.2.6.
    #[test]
    fn bits_of_weights() {
        for (w, bits) in [(0.375, 2), (-0.5, 1), (5.5, 4), (1024.0, 1), (7.0, 3), (0.0, 0)] {
            assert_eq!(weight_bits(w), bits, "{w}");
        }
    }

    /// The example that was measured with HGQ: 49 + 36 + 30 + 36.
    #[test]
    fn products_of_a_dense_layer() {
        let weights = weights(&[4, 3], &[3, 1, 3, 2, 0, 4, 1, 3, 1, 2, 1, 3]);
        let dense = |bits: &[u32]| Products::dense(bits, &weights).expect("dense");
        assert_eq!(dense(&[7, 6, 6, 6]).operations(), 151);
        let expected =
            [((6, 1), 3), ((6, 2), 2), ((6, 3), 2), ((6, 4), 1), ((7, 1), 1), ((7, 3), 2)];
        assert_eq!(counts(&dense(&[7, 6, 6, 6])), expected);
        // Every row of a matrix is multiplied.
        assert_eq!(dense(&[7, 6, 6, 6, 7, 6, 6, 6]).operations(), 302);
    }

    #[test]
    fn products_of_a_convolution_stop_at_the_edges() {
        let window =
            Window { size: vec![3], strides: vec![1], dilation: vec![1], padding: Padding::Same };
        let both = weights(&[3, 1, 2], &[1, 2, 3, 4, 5, 6]);
        // Cells 4, 5, 6 with 3, 7, 11 for the cells of the window.
        let expected = (4 * 7 + 5 * 11) + (4 * 3 + 5 * 7 + 6 * 11) + (5 * 3 + 6 * 7);
        let found = Products::conv(&[4, 5, 6], &[3, 1], &window, 1, &both).expect("conv");
        assert_eq!(found.operations(), expected);
        assert_eq!(largest(&[4, 5, 6], &[3, 1], &window), Some(vec![5, 6, 6]));
        // Four cells of one width: the outer cells of the window meet three of them.
        let one = weights(&[3, 1, 1], &[1, 2, 3]);
        let found = Products::conv(&[8; 4], &[4, 1], &window, 1, &one).expect("conv");
        assert_eq!(counts(&found), [((8, 1), 3), ((8, 2), 4), ((8, 3), 3)]);
        // Two groups: filter 0 reads channel 0, filter 1 channel 1.
        let single = Window { size: vec![1], ..window };
        let found = Products::conv(&[4, 5], &[1, 2], &single, 2, &weights(&[1, 1, 2], &[2, 3]));
        assert_eq!(found.expect("conv").operations(), 4 * 2 + 5 * 3);
    }
}
