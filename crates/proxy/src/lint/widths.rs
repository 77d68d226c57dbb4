//! Tensors without a quantizer, types that are too wide, scales that do not fit together.

use bittrue_model::{Activation, CallId, Dense, LayerKind, MergeKind, PoolKind};
use ndarray::Axis;

use super::codes::{MISSING_QUANTIZER, MIXED_SCALE, WIDE_TYPE};
use super::look::Look;
use crate::precision::{WideType, of_constant, of_quantizer, precisions};

/// A factor of so many bits needs no quantizer.
const NARROW: i64 = 16;

pub(super) fn check(look: &mut Look<'_>) {
    for id in look.calls() {
        missing_quantizer(look, id);
        mixed_scale(look, id);
    }
    wide_types(look);
}

/// Whether a call multiplies its argument with weights, or two arguments with each other.
fn multiplies(kind: &LayerKind) -> bool {
    matches!(
        kind,
        LayerKind::Dense(_)
            | LayerKind::Conv(_)
            | LayerKind::SeparableConv(_)
            | LayerKind::Merge(MergeKind::Multiply)
    )
}

/// Follows the arguments of a product back to a quantizer, or to arithmetic without one.
fn missing_quantizer(look: &mut Look<'_>, id: CallId) {
    if !multiplies(look.kind(id)) {
        return;
    }
    let mut open: Vec<CallId> = look.model.call(id).inputs.clone();
    let mut seen = vec![false; look.model.calls.len()];
    while let Some(at) = open.pop() {
        if std::mem::replace(&mut seen[at.0], true) {
            continue;
        }
        match look.kind(at) {
            // An input without a quantizer has a code of its own.
            LayerKind::Input | LayerKind::FixedPointQuantizer(_) | LayerKind::UnaryLut(_) => {}
            LayerKind::Flatten
            | LayerKind::Reshape
            | LayerKind::Permute(_)
            | LayerKind::Concatenate(_)
            | LayerKind::Relu(_)
            | LayerKind::ZeroPadding(_)
            | LayerKind::Activation(Activation::Relu) => {
                open.extend(&look.model.call(at).inputs);
            }
            LayerKind::Pool(p) if p.kind == PoolKind::Max => {
                open.extend(&look.model.call(at).inputs);
            }
            _ => {
                if look.produced(at).is_some_and(|bits| bits.width() <= NARROW) {
                    continue;
                }
                let next = look.name(id);
                let has = |bits| WideType::cut(bits).to_string();
                let found = match (look.produced(at), look.produced(id)) {
                    (Some(from), Some(to)) => format!(
                        "its result, {}, goes into `{next}` as it is, whose sum is {}",
                        has(from),
                        has(to)
                    ),
                    _ => format!(
                        "its result goes into `{next}` as it is, and no rule of HGQ's limits its \
                         bits"
                    ),
                };
                look.find(&MISSING_QUANTIZER, at, found);
            }
        }
    }
}

fn wide_types(look: &mut Look<'_>) {
    let Ok(nodes) = precisions(look.model, None) else { return };
    for node in nodes {
        let types = [
            ("weight_t", node.weight.as_ref()),
            ("accum_t", node.accum.as_ref()),
            ("result_t", Some(&node.result)),
        ];
        let huge = types.into_iter().find_map(|(name, typed)| {
            let wide = typed?.wide;
            (wide.is_huge() && !wide.bits.is_unlimited()).then_some((name, wide))
        });
        if let Some((name, wide)) = huge {
            look.find(&WIDE_TYPE, node.call, format!("{name} is {wide}"));
        }
    }
}

/// Integer bits with the sign, and fractional bits, of one element.
#[derive(Debug, Clone, Copy)]
struct Element {
    integer: i64,
    fractional: i64,
}

/// A quantizer behind elements of different scales: hls4ml takes the largest width and the largest
/// integer part of all elements, so that fractional bits may be left out.
fn mixed_scale(look: &mut Look<'_>, id: CallId) {
    let LayerKind::FixedPointQuantizer(q) = look.kind(id) else { return };
    let own = of_quantizer(q);
    let Some(elements) = look.argument(id).and_then(|a| elements(look, a)) else { return };
    let limited: Vec<Element> = elements
        .iter()
        .map(|e| Element {
            integer: e.integer.min(own.integer + i64::from(own.keep_negative)),
            fractional: e.fractional.min(own.fractional),
        })
        .collect();
    let largest = |of: &dyn Fn(&Element) -> i64| limited.iter().map(of).max().unwrap_or_default();
    let left = largest(&|e| e.integer + e.fractional) - largest(&|e| e.integer);
    let needed = largest(&|e| e.fractional);
    if left < needed {
        let found = format!(
            "the finest element in front of its quantizer of {} fractional bits needs {needed} of \
             them and does not get all: the elements have different scales",
            own.fractional
        );
        look.find(&MIXED_SCALE, id, found);
    }
}

/// The elements that a layer gives, each with its own range and grid.
fn elements(look: &Look<'_>, id: CallId) -> Option<Vec<Element>> {
    match look.kind(id) {
        LayerKind::Dense(d) => units(look, id, d),
        LayerKind::Concatenate(_) => {
            let mut all = Vec::new();
            for &part in &look.model.call(id).inputs {
                let LayerKind::FixedPointQuantizer(q) = look.kind(part) else { return None };
                let bits = of_quantizer(q);
                all.push(Element {
                    integer: bits.integer + i64::from(bits.keep_negative),
                    fractional: bits.fractional,
                });
            }
            Some(all)
        }
        _ => None,
    }
}

/// The units of a dense layer behind a quantizer, by interval arithmetic.
fn units(look: &Look<'_>, id: CallId, dense: &Dense) -> Option<Vec<Element>> {
    let mut at = look.argument(id)?;
    while look.only_moves(at) {
        at = look.argument(at)?;
    }
    let LayerKind::FixedPointQuantizer(q) = look.kind(at) else { return None };
    let argument = of_quantizer(q);
    let top = 2f64.powi(i32::try_from(argument.integer).ok()?);
    let low = if argument.keep_negative { -top } else { 0.0 };
    let high = top - 2f64.powi(i32::try_from(-argument.fractional).ok()?);
    let mut elements = Vec::new();
    for (unit, column) in dense.kernel.axis_iter(Axis(1)).enumerate() {
        let bias = dense.bias.as_ref().map_or(0.0, |b| b[[unit].as_slice()]);
        let (mut lo, mut hi) = (f64::from(bias), f64::from(bias));
        for &w in &column {
            let w = f64::from(w);
            lo += (w * low).min(w * high);
            hi += (w * low).max(w * high);
        }
        let weights = of_constant(&column.to_owned());
        let mut fractional = argument.fractional + weights.fractional;
        if bias != 0.0 {
            let own = of_constant(&ndarray::arr1(&[bias]).into_dyn());
            fractional = fractional.max(own.fractional);
        }
        if lo == 0.0 && hi == 0.0 {
            continue;
        }
        let below = if lo < 0.0 { (-lo).log2().ceil() as i64 + 1 } else { i64::MIN };
        let sign = i64::from(lo < 0.0);
        let above = if hi > 0.0 { hi.log2().floor() as i64 + 1 + sign } else { i64::MIN };
        elements.push(Element { integer: below.max(above), fractional });
    }
    Some(elements)
}
