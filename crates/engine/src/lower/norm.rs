//! Batch normalisation.

use bittrue_keras::float::{self, BatchNormKind};
use bittrue_model::{BatchNorm, Place};

use super::Lowered;
use crate::PlanError;
use crate::edge::Edge;
use crate::kernel::Kernel;
use crate::real::RealNorm;

/// Where a normalisation is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// By itself.
    Alone,
    /// Inside the kernel of a convolution.
    Within,
    /// One or the other.
    Either,
}

/// A normalisation of an event of this shape. Behind a product of tensors its factors may be multiplied
/// first.
pub(crate) fn lower(
    norm: &BatchNorm,
    shape: &[usize],
    form: Form,
    behind_product: bool,
    place: &Place,
) -> Result<Lowered, PlanError> {
    // Keras counts axes with the batch.
    let axes: Vec<usize> = norm.axes.iter().map(|a| a + 1).collect();
    let alone = BatchNormKind::of(shape.len() + 1, &axes);
    let kinds = match form {
        Form::Alone => vec![alone],
        Form::Within => vec![BatchNormKind::Convolution],
        Form::Either => vec![alone, BatchNormKind::Convolution],
    };
    let flat = |a: &ndarray::ArrayD<f32>| a.iter().copied().collect::<Vec<f32>>();
    let parameters = float::BatchNorm {
        gamma: norm.gamma.as_ref().map(flat),
        beta: norm.beta.as_ref().map(flat),
        mean: flat(&norm.mean),
        variance: flat(&norm.variance),
        epsilon: norm.epsilon as f32,
    };
    let prepared = kinds
        .iter()
        .map(|&kind| parameters.prepare(kind))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| PlanError::new(place.clone(), e.to_string()))?;
    let channel = parameter_of(&norm.axes, shape);
    let source = (norm.clone(), kinds);
    let kernel = Kernel::RealNorm(Box::new(RealNorm { prepared, channel, behind_product, source }));
    Ok(Lowered::one(kernel, Edge::real(false)))
}

/// For each element of a shape in C order the index of its parameters over the axes that have some.
fn parameter_of(axes: &[usize], shape: &[usize]) -> Vec<u32> {
    let total: usize = shape.iter().product();
    let mut steps = vec![0; shape.len()];
    let mut step = 1;
    for &axis in axes.iter().rev() {
        steps[axis] = step;
        step *= shape[axis];
    }
    (0..total)
        .map(|mut flat| {
            let mut parameter = 0;
            for axis in (0..shape.len()).rev() {
                parameter += flat % shape[axis] * steps[axis];
                flat /= shape[axis];
            }
            parameter as u32
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_by_axis() {
        assert_eq!(parameter_of(&[1], &[2, 3]), [0, 1, 2, 0, 1, 2]);
        assert_eq!(parameter_of(&[0], &[2, 3]), [0, 0, 0, 1, 1, 1]);
        assert_eq!(parameter_of(&[0, 2], &[2, 2, 2]), [0, 1, 0, 1, 2, 3, 2, 3]);
    }
}
