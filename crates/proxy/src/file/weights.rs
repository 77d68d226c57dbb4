//! The weights of each layer of a proxy, with Keras' names and dtypes.

use bittrue_model::{BatchNorm, FixedPointQuantizer, LayerKind, Place, Weight};
use ndarray::{ArrayD, Dimension};

use crate::ConvertError;

/// The weights of a layer. Names have `scope` before them, `bn/gamma:0`: the name under which the
/// weights were made. `rank` is that of the layer's argument, without the batch.
pub(super) fn of(
    kind: &LayerKind,
    scope: Option<&str>,
    rank: usize,
    place: &Place,
) -> Result<Vec<(String, Weight)>, ConvertError> {
    let named = |name: &str| match scope {
        Some(scope) => format!("{scope}/{name}:0"),
        None => format!("{name}:0"),
    };
    match kind {
        LayerKind::FixedPointQuantizer(q) => quantizer(q, place),
        LayerKind::UnaryLut(table) => {
            let values = ArrayD::from_shape_vec(vec![table.table.len()], table.table.clone())
                .map_err(|e| unfit(place, "table", &e.to_string()))?;
            Ok(vec![(named("table"), Weight::Float(values))])
        }
        LayerKind::BatchNorm(norm) => kind
            .parameters()
            .into_iter()
            .map(|p| {
                let values = stored_shape(norm, p.values, rank)
                    .ok_or_else(|| unfit(place, p.name, "its axes do not fit the argument"))?;
                Ok((named(p.name), Weight::Float(values)))
            })
            .collect(),
        kind => Ok(kind
            .parameters()
            .into_iter()
            .map(|p| (named(p.name), Weight::Float(p.values.clone())))
            .collect()),
    }
}

/// HGQ forgets sign and integer bits where there are no bits.
fn quantizer(
    q: &FixedPointQuantizer,
    place: &Place,
) -> Result<Vec<(String, Weight)>, ConvertError> {
    let lists = [("keep_negative", &q.keep_negative), ("bits", &q.bits), ("integers", &q.integers)];
    lists
        .into_iter()
        .map(|(name, values)| {
            let mut stored = ArrayD::<i8>::zeros(values.raw_dim());
            for (index, &value) in values.indexed_iter() {
                let no_bits = q.bits.get(index.slice()).is_some_and(|&b| b == 0);
                let value = if no_bits { 0 } else { value };
                stored[index.slice()] = i8::try_from(value)
                    .map_err(|_| unfit(place, name, &format!("{value} does not fit into int8")))?;
            }
            Ok((format!("{name}:0"), Weight::Int8(stored)))
        })
        .collect()
}

/// With one axis Keras stores a list, with several a shape that broadcasts against a batch.
fn stored_shape(norm: &BatchNorm, values: &ArrayD<f32>, rank: usize) -> Option<ArrayD<f32>> {
    if norm.axes.len() < 2 {
        return Some(values.clone());
    }
    let mut shape = vec![1; rank + 1];
    for (&axis, &length) in norm.axes.iter().zip(values.shape()) {
        *shape.get_mut(axis + 1)? = length;
    }
    values.clone().into_shape_with_order(shape).ok()
}

fn unfit(place: &Place, name: &str, what: &str) -> ConvertError {
    ConvertError::new(
        place.clone().attribute(name),
        format!("it cannot be written: {what}"),
        "please report this with the model",
    )
}

#[cfg(test)]
mod tests {
    use bittrue_fixed::{Overflow, Rounding};

    use super::*;

    #[test]
    fn a_quantizer_without_bits_has_nothing_else() {
        let one = |v: i32| ArrayD::from_elem(vec![1], v);
        let q = |bits| {
            LayerKind::FixedPointQuantizer(FixedPointQuantizer {
                keep_negative: one(1),
                bits: one(bits),
                integers: one(-3),
                rounding: Rounding::RndConv,
                overflow: Overflow::Sat,
            })
        };
        let stored = |bits| of(&q(bits), None, 1, &Place::layer("q")).expect("weights");
        let int8 =
            |name: &str, v: i8| (name.to_owned(), Weight::Int8(ArrayD::from_elem(vec![1], v)));
        assert_eq!(
            stored(8),
            [int8("keep_negative:0", 1), int8("bits:0", 8), int8("integers:0", -3)]
        );
        assert_eq!(
            stored(0),
            [int8("keep_negative:0", 0), int8("bits:0", 0), int8("integers:0", 0)]
        );
        assert!(of(&q(128), None, 1, &Place::layer("q")).is_err());
    }

    #[test]
    fn a_normalisation_of_several_axes_is_stored_for_a_batch() {
        let values = ArrayD::from_shape_fn(vec![3, 5], |i| (i[0] * 5 + i[1]) as f32);
        let norm = BatchNorm {
            axes: vec![0, 2],
            gamma: None,
            beta: None,
            mean: values.clone(),
            variance: values,
            epsilon: 1e-3,
        };
        let kind = LayerKind::BatchNorm(norm);
        let stored = of(&kind, Some("bn"), 3, &Place::layer("bn")).expect("weights");
        let (name, Weight::Float(mean)) = &stored[0] else { panic!("float32") };
        assert_eq!((name.as_str(), mean.shape()), ("bn/moving_mean:0", &[1, 3, 1, 5][..]));
        assert_eq!(mean.as_slice().map(|s| s[7]), Some(7.0));
    }
}
