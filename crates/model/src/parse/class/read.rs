//! Which reader a class has.

use super::{conv, linear, norm, pool, proxy, simple};
use crate::parse::attributes::Attributes;
use crate::parse::shape::ShapeRule;
use crate::parse::tensors::Tensors;
use crate::{Concatenate, LayerKind, MergeKind, ModelError, Place, PoolKind};

/// The layer classes that can be read.
pub const SUPPORTED_CLASSES: [&str; 46] = [
    "InputLayer",
    "QActivation",
    "Activation",
    "ReLU",
    "LeakyReLU",
    "ThresholdedReLU",
    "ELU",
    "Softmax",
    "QDense",
    "Dense",
    "QConv1D",
    "QConv2D",
    "Conv1D",
    "Conv2D",
    "QSeparableConv1D",
    "QSeparableConv2D",
    "SeparableConv1D",
    "SeparableConv2D",
    "MaxPooling1D",
    "MaxPooling2D",
    "AveragePooling1D",
    "AveragePooling2D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "BatchNormalization",
    "Flatten",
    "Reshape",
    "Permute",
    "Dropout",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "Concatenate",
    "Add",
    "Subtract",
    "Multiply",
    "Average",
    "Maximum",
    "Minimum",
    "HGQ>FixedPointQuantizer",
    "FixedPointQuantizer",
    "HGQ>UnaryLUT",
    "UnaryLUT",
];

/// A layer that was understood.
pub(in crate::parse) struct Read {
    pub(in crate::parse) kind: LayerKind,
    pub(in crate::parse) rule: ShapeRule,
    /// What a `FixedPointQuantizer` says of its neighbourhood, to be held against the graph.
    pub(in crate::parse) fusible: Option<bool>,
}

impl Read {
    pub(super) fn new(kind: LayerKind, rule: ShapeRule) -> Self {
        Self { kind, rule, fusible: None }
    }
}

/// Reads one layer. The caller ends the reading of `tensors`.
pub(in crate::parse) fn read(
    class: &str,
    mut attributes: Attributes<'_, '_>,
    tensors: &mut Tensors<'_>,
) -> Result<Read, ModelError> {
    let a = &mut attributes;
    a.common()?;
    let read = match class {
        "InputLayer" => simple::input(a)?,
        "QActivation" => simple::q_activation(a)?,
        "Activation" => simple::keras_activation(a)?,
        "ReLU" => simple::relu(a)?,
        "LeakyReLU" => {
            let alpha = a.number("alpha", None)?;
            Read::new(LayerKind::LeakyRelu { alpha }, ShapeRule::Same)
        }
        "ThresholdedReLU" => simple::thresholded_relu(a)?,
        "ELU" => simple::elu(a)?,
        "Softmax" => simple::softmax(a)?,
        "QDense" => linear::dense(a, tensors, true)?,
        "Dense" => linear::dense(a, tensors, false)?,
        "QConv1D" => conv::conv(a, tensors, 1, true)?,
        "QConv2D" => conv::conv(a, tensors, 2, true)?,
        "Conv1D" => conv::conv(a, tensors, 1, false)?,
        "Conv2D" => conv::conv(a, tensors, 2, false)?,
        "QSeparableConv1D" => conv::separable(a, tensors, 1, true)?,
        "QSeparableConv2D" => conv::separable(a, tensors, 2, true)?,
        "SeparableConv1D" => conv::separable(a, tensors, 1, false)?,
        "SeparableConv2D" => conv::separable(a, tensors, 2, false)?,
        "MaxPooling1D" => pool::local(a, PoolKind::Max, 1)?,
        "MaxPooling2D" => pool::local(a, PoolKind::Max, 2)?,
        "AveragePooling1D" => pool::local(a, PoolKind::Average, 1)?,
        "AveragePooling2D" => pool::local(a, PoolKind::Average, 2)?,
        "GlobalMaxPooling1D" => pool::global(a, PoolKind::Max, 1)?,
        "GlobalMaxPooling2D" => pool::global(a, PoolKind::Max, 2)?,
        "GlobalAveragePooling1D" => pool::global(a, PoolKind::Average, 1)?,
        "GlobalAveragePooling2D" => pool::global(a, PoolKind::Average, 2)?,
        "ZeroPadding1D" => pool::zero_padding(a, 1)?,
        "ZeroPadding2D" => pool::zero_padding(a, 2)?,
        "BatchNormalization" => norm::batch_normalization(a, tensors)?,
        "Flatten" => simple::flatten(a)?,
        "Reshape" => simple::reshape(a)?,
        "Permute" => simple::permute(a)?,
        "Dropout" => simple::dropout(a, None),
        "SpatialDropout1D" => simple::dropout(a, Some(2)),
        "SpatialDropout2D" => simple::dropout(a, Some(3)),
        "Concatenate" => {
            let axis = a.integer("axis", Some(-1), i64::MIN, i64::MAX)?;
            // The axis within an event is known when the argument's rank is.
            let kind = LayerKind::Concatenate(Concatenate { axis, event_axis: 0 });
            Read::new(kind, ShapeRule::Concatenate(axis))
        }
        "Add" => simple::merge(MergeKind::Add),
        "Subtract" => simple::merge(MergeKind::Subtract),
        "Multiply" => simple::merge(MergeKind::Multiply),
        "Average" => simple::merge(MergeKind::Average),
        "Maximum" => simple::merge(MergeKind::Maximum),
        "Minimum" => simple::merge(MergeKind::Minimum),
        "HGQ>FixedPointQuantizer" | "FixedPointQuantizer" => {
            proxy::fixed_point_quantizer(a, tensors)?
        }
        "HGQ>UnaryLUT" | "UnaryLUT" => proxy::unary_lut(a, tensors)?,
        other => return Err(unsupported(a.layer(), other)),
    };
    // Keras writes it into whichever layer was given an input shape; only the graph decides.
    attributes.inert(&["batch_input_shape"]);
    attributes.finish()?;
    Ok(read)
}

/// The error for a class that cannot be read.
pub(in crate::parse) fn unsupported(layer: &str, class: &str) -> ModelError {
    let help = match class {
        "TFOpLambda" | "SlicingOpLambda" | "Lambda" => {
            "operators and functions on tensors become such layers; use a layer of Keras instead"
        }
        _ => "no leg can run it yet; tell us that you need it",
    };
    let supported = SUPPORTED_CLASSES.join(", ");
    ModelError::new(
        Place::layer(layer),
        format!("class `{class}` is not supported; supported: {supported}"),
    )
    .with_help(help)
}
