//! Effective bit operations (EBOPs): bits of the arguments times bits of the weights, summed over all
//! products of one event.

use bittrue_model::{CallId, LayerKind, Model, PoolKind, Window};
use ndarray::ArrayD;

use super::flow::of_quantizer;

/// The cost of the products of one layer.
#[derive(Debug, Clone, PartialEq)]
pub struct EffectiveBits {
    /// Mean of the bits of a weight, zeros included.
    pub mean_weight: f64,
    /// Largest number of bits of a weight.
    pub largest_weight: u32,
    /// Sum over all products of one event of the bits of the argument times those of the weight;
    /// `None` where no quantizer says how many bits an argument has.
    pub operations: Option<u64>,
}

/// The bits of each layer's products, for the layers that have a kernel, by call.
///
/// Bits of an argument are those of the quantizer that it comes from, sign included; bits of a
/// weight are those from its highest to its lowest one, without sign, and none for zero. HGQ counts
/// its own layers by the same rule.
pub fn effective_bits(model: &Model) -> Vec<Option<EffectiveBits>> {
    let mut widths: Vec<Option<Vec<u32>>> = Vec::with_capacity(model.calls.len());
    let mut costs = Vec::with_capacity(model.calls.len());
    for id in model.call_ids() {
        let argument = model.call(id).inputs.first().map(|a| a.0);
        let given = argument.and_then(|a| widths[a].as_deref());
        costs.push(match &model.layer_of(id).kind {
            LayerKind::Dense(d) => Some(cost(&d.kernel, |weights| dense(given?, weights))),
            LayerKind::Conv(c) => Some(cost(&c.kernel, |weights| {
                let cells = &model.call(model.call(id).inputs[0]).shape;
                conv(given?, cells, &c.window, c.groups, weights)
            })),
            _ => None,
        });
        let own = widths_of(model, id, &widths);
        widths.push(own);
    }
    costs
}

/// Bits from the highest to the lowest one of a weight.
fn weight_bits(w: f32) -> u32 {
    if w == 0.0 || !w.is_finite() {
        return 0;
    }
    let bits = w.to_bits();
    let mantissa = bits & 0x7f_ffff;
    let whole = if bits & 0x7f80_0000 == 0 { mantissa } else { mantissa | 0x80_0000 };
    u32::BITS - whole.leading_zeros() - whole.trailing_zeros()
}

fn cost(
    kernel: &ArrayD<f32>,
    operations: impl FnOnce(&ArrayD<u32>) -> Option<u64>,
) -> EffectiveBits {
    let bits = kernel.mapv(weight_bits);
    let total: u64 = bits.iter().map(|&b| u64::from(b)).sum();
    EffectiveBits {
        mean_weight: total as f64 / bits.len().max(1) as f64,
        largest_weight: bits.iter().copied().max().unwrap_or(0),
        operations: operations(&bits),
    }
}

/// Every row of the last axis times `[input, unit]`.
fn dense(widths: &[u32], weights: &ArrayD<u32>) -> Option<u64> {
    let &[inputs, units] = weights.shape() else { return None };
    let per_input: Vec<u64> = (0..inputs)
        .map(|i| (0..units).map(|u| u64::from(weights[[i, u].as_slice()])).sum())
        .collect();
    let products = widths.iter().zip(per_input.iter().cycle());
    Some(products.map(|(&w, &b)| u64::from(w) * b).sum())
}

/// Windows over `[cell…, channel]` times `[cell…, channel / group, filter]`.
fn conv(
    widths: &[u32],
    shape: &[usize],
    window: &Window,
    groups: usize,
    weights: &ArrayD<u32>,
) -> Option<u64> {
    let (&channels, cells) = shape.split_last()?;
    let &[.., per_group, filters] = weights.shape() else { return None };
    let positions: Vec<usize> =
        (0..cells.len()).map(|axis| window.positions(axis, cells[axis])).collect::<Option<_>>()?;
    // The weights that read a channel, over all filters, for each cell of the window.
    let of_group = filters / groups.max(1);
    let offsets: Vec<(Vec<usize>, Vec<u64>)> = indices(&window.size)
        .map(|offset| {
            let read = |channel: usize| {
                let group = channel / per_group.max(1);
                let filters = group * of_group..(group + 1) * of_group;
                let weight = |filter| {
                    let index = [offset.as_slice(), &[channel % per_group, filter]].concat();
                    u64::from(weights[index.as_slice()])
                };
                filters.map(weight).sum()
            };
            let reads = (0..channels).map(read).collect();
            (offset, reads)
        })
        .collect();
    let mut total = 0;
    for position in indices(&positions) {
        for (offset, reads) in &offsets {
            let Some(cell) = cell_under(window, cells, &position, offset) else { continue };
            let given = &widths[cell * channels..(cell + 1) * channels];
            total += given.iter().zip(reads).map(|(&w, &r)| u64::from(w) * r).sum::<u64>();
        }
    }
    Some(total)
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

/// The bits of each element of what a call gives, where a quantizer says them.
fn widths_of(model: &Model, id: CallId, known: &[Option<Vec<u32>>]) -> Option<Vec<u32>> {
    let call = model.call(id);
    let argument = || call.inputs.first().and_then(|a| known[a.0].clone());
    match &model.layer_of(id).kind {
        LayerKind::FixedPointQuantizer(q) => {
            let list = q.bits.broadcast(call.shape.as_slice())?;
            let zero = of_quantizer(q).width() <= 0;
            Some(list.iter().map(|&b| if zero { 0 } else { b.max(0) as u32 }).collect())
        }
        LayerKind::UnaryLut(table) => {
            let width = u32::try_from(table.output.width()).unwrap_or(0);
            Some(vec![width; call.shape.iter().product()])
        }
        LayerKind::Flatten | LayerKind::Reshape => argument(),
        LayerKind::Permute(axes) => {
            let shape = &model.call(*call.inputs.first()?).shape;
            let moved = ArrayD::from_shape_vec(shape.clone(), argument()?).ok()?;
            Some(moved.permuted_axes(axes.clone()).iter().copied().collect())
        }
        LayerKind::Concatenate(c) => {
            let parts: Option<Vec<ArrayD<u32>>> = call
                .inputs
                .iter()
                .map(|a| {
                    ArrayD::from_shape_vec(model.call(*a).shape.clone(), known[a.0].clone()?).ok()
                })
                .collect();
            let parts = parts?;
            let views: Vec<_> = parts.iter().map(|p| p.view()).collect();
            let joined = ndarray::concatenate(ndarray::Axis(c.event_axis), &views).ok()?;
            Some(joined.iter().copied().collect())
        }
        LayerKind::Pool(p) if p.kind == PoolKind::Max => {
            let (window, shape) = (p.window.as_ref()?, &model.call(*call.inputs.first()?).shape);
            largest(&argument()?, shape, window)
        }
        _ => None,
    }
}

/// The largest of each window.
fn largest(widths: &[u32], shape: &[usize], window: &Window) -> Option<Vec<u32>> {
    let (&channels, cells) = shape.split_last()?;
    let positions: Vec<usize> =
        (0..cells.len()).map(|axis| window.positions(axis, cells[axis])).collect::<Option<_>>()?;
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
        let weights = [3, 1, 3, 2, 0, 4, 1, 3, 1, 2, 1, 3];
        let weights = ArrayD::from_shape_vec(vec![4, 3], weights.to_vec()).expect("12");
        assert_eq!(dense(&[7, 6, 6, 6], &weights), Some(151));
        // Every row of a matrix is multiplied.
        assert_eq!(dense(&[7, 6, 6, 6, 7, 6, 6, 6], &weights), Some(302));
    }

    #[test]
    fn products_of_a_convolution_stop_at_the_edges() {
        let window =
            Window { size: vec![3], strides: vec![1], dilation: vec![1], padding: Padding::Same };
        let weights = ArrayD::from_shape_vec(vec![3, 1, 2], vec![1, 2, 3, 4, 5, 6]).expect("6");
        // Cells 4, 5, 6 with 3, 7, 11 for the cells of the window.
        let expected = (4 * 7 + 5 * 11) + (4 * 3 + 5 * 7 + 6 * 11) + (5 * 3 + 6 * 7);
        assert_eq!(conv(&[4, 5, 6], &[3, 1], &window, 1, &weights), Some(expected));
        assert_eq!(largest(&[4, 5, 6], &[3, 1], &window), Some(vec![5, 6, 6]));
        // Two groups: filter 0 reads channel 0, filter 1 channel 1.
        let weights = ArrayD::from_shape_vec(vec![1, 1, 2], vec![2, 3]).expect("2");
        let one = Window { size: vec![1], ..window };
        assert_eq!(conv(&[4, 5], &[1, 2], &one, 2, &weights), Some(4 * 2 + 5 * 3));
    }
}
