//! Effective bit operations (EBOPs): bits of the arguments times bits of the weights, summed over all
//! products of one event.

use bittrue_model::{CallId, LayerKind, Model, PoolKind};
use ndarray::ArrayD;

use super::flow::of_quantizer;
use super::products::{Products, largest, weight_bits};

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
/// Bits of an argument are those of the quantizer that it comes from, sign included; for those of a
/// weight see [`Products`].
pub fn effective_bits(model: &Model) -> Vec<Option<EffectiveBits>> {
    let mut widths: Vec<Option<Vec<u32>>> = Vec::with_capacity(model.calls.len());
    let mut costs = Vec::with_capacity(model.calls.len());
    for id in model.call_ids() {
        let argument = model.call(id).inputs.first().map(|a| a.0);
        let given = argument.and_then(|a| widths[a].as_deref());
        costs.push(match &model.layer_of(id).kind {
            LayerKind::Dense(d) => Some(cost(&d.kernel, || Products::dense(given?, &d.kernel))),
            LayerKind::Conv(c) => Some(cost(&c.kernel, || {
                let cells = &model.call(model.call(id).inputs[0]).shape;
                Products::conv(given?, cells, &c.window, c.groups, &c.kernel)
            })),
            _ => None,
        });
        let own = widths_of(model, id, &widths);
        widths.push(own);
    }
    costs
}

fn cost(kernel: &ArrayD<f32>, products: impl FnOnce() -> Option<Products>) -> EffectiveBits {
    let bits = kernel.mapv(weight_bits);
    let total: u64 = bits.iter().map(|&b| u64::from(b)).sum();
    EffectiveBits {
        mean_weight: total as f64 / bits.len().max(1) as f64,
        largest_weight: bits.iter().copied().max().unwrap_or(0),
        operations: products().map(|p| p.operations()),
    }
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
