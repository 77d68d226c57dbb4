//! Raw inputs that are given a type.

use bittrue_fixed::FixedType;
use bittrue_model::{Call, CallId, FixedPointQuantizer, Layer, LayerKind};
use ndarray::ArrayD;

use crate::{Converted, DeclaredGrid};

/// Puts a quantizer of its type behind every input that has one and that something else than a
/// quantizer reads, as the user would have to for hls4ml. Returns the types that are left: those
/// of inputs that quantizers read alone, whose events are cast before hls4ml sees them.
pub(super) fn quantised(
    converted: &Converted,
    input_types: &[Option<FixedType>],
) -> (Converted, Vec<Option<FixedType>>) {
    let mut converted = converted.clone();
    let mut left = input_types.to_vec();
    for (n, given) in left.iter_mut().enumerate() {
        let Some(&input) = converted.model.inputs.get(n) else { continue };
        let readers = converted.model.consumers(input);
        let raw = readers.iter().any(|&r| {
            !matches!(converted.model.layer_of(r).kind, LayerKind::FixedPointQuantizer(_))
        });
        if let Some(t) = given.filter(|_| raw) {
            insert(&mut converted, input, &readers, t);
            *given = None;
        }
    }
    (converted, left)
}

fn insert(converted: &mut Converted, input: CallId, readers: &[CallId], t: FixedType) {
    let one = |value: i32| ArrayD::from_elem(vec![1], value);
    let kind = LayerKind::FixedPointQuantizer(FixedPointQuantizer {
        keep_negative: one(i32::from(t.signed)),
        bits: one(t.width.cast_signed()),
        integers: one(t.integer),
        rounding: t.rounding,
        overflow: t.overflow,
    });
    let model = &mut converted.model;
    let name = format!("{}_type", model.layer_of(input).name);
    model.layers.push(Layer { name, class_name: "FixedPointQuantizer".to_owned(), kind });
    let shape = model.call(input).shape.clone();
    let layer = model.layers.len() - 1;
    let call = Call { layer, node_index: 0, inputs: vec![input], shape, nested: None, output: 0 };
    model.calls.push(call);
    let new = CallId(model.calls.len() - 1);
    for reader in readers {
        for argument in &mut model.calls[reader.0].inputs {
            if *argument == input {
                *argument = new;
            }
        }
    }
    for output in &mut model.outputs {
        if *output == input {
            *output = new;
        }
    }
    converted.origins.push(converted.origins[input.0]);
    converted.declared.push(DeclaredGrid::default());
    // The cast is the aligned tensor of the input, and of whatever vanished behind it.
    for aligned in converted.aligned.iter_mut().flatten() {
        if *aligned == input {
            *aligned = new;
        }
    }
}
