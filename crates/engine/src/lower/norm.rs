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
    let channel = norm.parameter_of(shape);
    let source = (norm.clone(), kinds);
    let kernel = Kernel::RealNorm(Box::new(RealNorm { prepared, channel, behind_product, source }));
    Ok(Lowered::one(kernel, Edge::real(false)))
}
