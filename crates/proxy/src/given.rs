//! A proxy that comes from a file instead of being built: by itself, or beside the QKeras model that
//! it was made from.

mod fitting;

use std::collections::HashMap;

use bittrue_fixed::{Kif, Overflow, QInterval};
use bittrue_model::{
    Activation, CallId, FixedPointQuantizer, Layer, LayerKind, Model, SeparableConv,
};
use ndarray::ArrayD;

use self::fitting::Fitted;
use crate::convert::{self, Converted, DeclaredGrid, Mode};
use crate::{ConvertError, Warning};

/// Bits, without the sign, up to which the values of a constant show their grid.
const GRID_BITS: i32 = 22;

/// A proxy by itself: its calls are their own origins.
pub fn by_itself(model: Model) -> Converted {
    let calls: Vec<CallId> = model.call_ids().collect();
    Converted {
        declared: model.layers.iter().map(shown_grid).collect(),
        origins: calls.clone(),
        aligned: calls.into_iter().map(Some).collect(),
        warnings: Vec::new(),
        model,
    }
}

/// What the constants of a layer themselves show of their grid.
fn shown_grid(layer: &Layer) -> DeclaredGrid {
    let shows = |values: Option<&ArrayD<f32>>| values.is_none_or(has_grid);
    match &layer.kind {
        LayerKind::Dense(d) => DeclaredGrid {
            kernel: has_grid(&d.kernel),
            pointwise: false,
            bias: shows(d.bias.as_ref()),
        },
        LayerKind::Conv(c) => DeclaredGrid {
            kernel: has_grid(&c.kernel),
            pointwise: false,
            bias: shows(c.bias.as_ref()),
        },
        LayerKind::SeparableConv(c) => DeclaredGrid {
            kernel: has_grid(&c.depthwise_kernel),
            pointwise: has_grid(&c.pointwise_kernel),
            bias: shows(c.bias.as_ref()),
        },
        _ => DeclaredGrid::default(),
    }
}

/// Whether the smallest format that holds all values has few bits.
fn has_grid(values: &ArrayD<f32>) -> bool {
    let mut all: Option<QInterval> = None;
    for &v in values {
        let Some(one) = QInterval::from_value_exact(v.into()) else { return false };
        all = match all {
            None => Some(one),
            Some(a) => match a.union(&one) {
                Some(u) => Some(u),
                None => return false,
            },
        };
    }
    all.is_none_or(|r| {
        let Kif { integer, fractional, .. } = r.min_kif();
        (r.min, r.max) == (0, 0) || integer + fractional <= GRID_BITS
    })
}

/// The proxy of a file, aligned with the model that it was made from by replaying the conversion.
///
/// What the conversion leaves open is taken from the file: the overflow mode of signed quantizers,
/// the kernels of separable convolutions, tables, and quantizers that HGQ made narrower.
///
/// # Errors
///
/// When the proxy does not belong to the model: names the first node, in the order of the
/// conversion, that does not fit. And where the conversion itself is refused.
pub fn fit(source: &Model, proxy: Model) -> Result<Converted, ConvertError> {
    let expected = convert::replay(source, Mode::Wrap)?;
    let Fitted { of, mut warnings } = fitting::search(source, &expected, &proxy)?;
    let mut origins = vec![CallId(0); proxy.calls.len()];
    let place: HashMap<CallId, CallId> = of.iter().copied().collect();
    for (expected_id, given_id) in of {
        origins[given_id.0] = expected.origins[expected_id.0];
    }
    // What is wrong on purpose in a conversion is so here too.
    warnings.extend(expected.warnings.into_iter().filter(|w| w.code != "symmetric-saturates"));
    Ok(Converted {
        origins,
        aligned: expected.aligned.iter().map(|a| a.and_then(|a| place.get(&a).copied())).collect(),
        declared: proxy.layers.iter().map(shown_grid).collect(),
        warnings,
        model: proxy,
    })
}

fn class(layer: &Layer) -> &str {
    layer.class_name.strip_prefix("HGQ>").unwrap_or(&layer.class_name)
}

/// Layers whose names are counters of the process that converted.
fn is_automatic(kind: &LayerKind) -> bool {
    matches!(
        kind,
        LayerKind::FixedPointQuantizer(_) | LayerKind::UnaryLut(_) | LayerKind::Activation(_)
    )
}

/// The name without the suffixes that HGQ appends where a name is taken.
fn base(name: &str) -> &str {
    let mut name = name;
    while let Some((rest, number)) = name.rsplit_once('_') {
        if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
            break;
        }
        name = rest;
    }
    name
}

/// Why a given layer cannot be the expected one.
fn differs(expected: &Layer, given: &Layer, random: bool) -> Option<String> {
    if let (LayerKind::Activation(_), LayerKind::UnaryLut(_)) = (&expected.kind, &given.kind) {
        return None;
    }
    if class(expected) != class(given) {
        return Some(format!("another class than {}", class(expected)));
    }
    if !is_automatic(&expected.kind) && base(&expected.name) != base(&given.name) {
        return Some("another name".to_owned());
    }
    match (&expected.kind, &given.kind) {
        (LayerKind::FixedPointQuantizer(e), LayerKind::FixedPointQuantizer(g)) => quantizer(e, g),
        (LayerKind::Activation(e), LayerKind::Activation(g)) => {
            (e != g).then(|| format!("the function is {}, not {}", function(g), function(e)))
        }
        (e, g) => {
            let (e, g) = (comparable(e, random), comparable(g, random));
            for (e, g) in e.parameters().iter().zip(g.parameters()) {
                if e.values.shape() != g.values.shape() {
                    return Some(format!(
                        "{} has shape {:?} instead of {:?}",
                        g.name,
                        g.values.shape(),
                        e.values.shape()
                    ));
                }
                let different = e.values.iter().zip(g.values).filter(|(a, b)| a != b).count();
                if different > 0 {
                    return Some(format!(
                        "{} differs from what the conversion gives in {different} of {} values",
                        g.name,
                        e.values.len()
                    ));
                }
            }
            (e != g).then(|| "its arguments differ".to_owned())
        }
    }
}

/// The kind with random kernels taken out of the comparison.
fn comparable(kind: &LayerKind, random: bool) -> LayerKind {
    match kind {
        LayerKind::SeparableConv(c) if random => {
            let blank = |a: &ArrayD<f32>| ArrayD::zeros(a.raw_dim());
            LayerKind::SeparableConv(SeparableConv {
                depthwise_kernel: blank(&c.depthwise_kernel),
                pointwise_kernel: blank(&c.pointwise_kernel),
                ..c.clone()
            })
        }
        kind => kind.clone(),
    }
}

fn function(activation: &Activation) -> String {
    match activation {
        Activation::Quantizer(q) => q.class_name().to_owned(),
        plain => format!("{plain:?}").to_lowercase(),
    }
}

/// A quantizer fits when it is the expected one, or narrower: HGQ narrows quantizers when it makes
/// tables or registers precisions. The overflow mode of signed ones depends on `aggressive`.
fn quantizer(expected: &FixedPointQuantizer, given: &FixedPointQuantizer) -> Option<String> {
    if expected.rounding != given.rounding {
        return Some(format!("it rounds by {}, not {}", given.rounding, expected.rounding));
    }
    let wraps = expected.overflow == Overflow::Wrap;
    let same = expected.overflow == given.overflow || (wraps && given.overflow == Overflow::Sat);
    if !same {
        let saturating = if wraps { " or SAT" } else { "" };
        return Some(format!(
            "it overflows by {}, not {}{saturating}",
            given.overflow, expected.overflow
        ));
    }
    let (e, g) = (kif(expected)?, kif(given));
    // HGQ limits sign, integer bits with the sign, and width, each by itself: where the sign is not
    // needed its bit may become an integer bit.
    let with_sign = |k: Kif| k.integer + i32::from(k.keep_negative);
    let narrower = |g: Kif| {
        g.width() == 0
            || (g.keep_negative <= e.keep_negative
                && with_sign(g) <= with_sign(e)
                && g.fractional <= e.fractional
                && g.width() <= e.width())
    };
    match g {
        Some(g) if narrower(g) => None,
        Some(g) => Some(format!(
            "it keeps {} integer and {} fractional bits, sign {}; the conversion gives {}, {}, \
             sign {}",
            g.integer,
            g.fractional,
            u8::from(g.keep_negative),
            e.integer,
            e.fractional,
            u8::from(e.keep_negative)
        )),
        None => Some("it has a type for each element".to_owned()),
    }
}

/// The format of a quantizer that has one for all elements.
fn kif(q: &FixedPointQuantizer) -> Option<Kif> {
    let one = |a: &ArrayD<i32>| a.first().copied().filter(|f| a.iter().all(|v| v == f));
    let (k, b, i) = (one(&q.keep_negative)?, one(&q.bits)?, one(&q.integers)?);
    Some(Kif { keep_negative: k != 0, integer: i - k, fractional: b - i })
}

/// What a fitting layer has that the conversion would not give.
fn remark(expected: &Layer, given: &Layer) -> Option<Warning> {
    let (LayerKind::FixedPointQuantizer(e), LayerKind::FixedPointQuantizer(g)) =
        (&expected.kind, &given.kind)
    else {
        return None;
    };
    (kif(e) != kif(g)).then(|| Warning {
        code: "narrowed-quantizer",
        layer: given.name.clone(),
        text:
            "the quantizer of the proxy file is narrower than the one that the conversion gives: \
               HGQ narrows quantizers in place when it makes tables or registers precisions, and \
               where one saturates this changes values"
                .to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_show_their_grid() {
        let array = |v: &[f32]| ArrayD::from_shape_vec(vec![v.len()], v.to_vec()).expect("1-D");
        assert!(has_grid(&array(&[0.5, -0.25, 3.0])));
        assert!(has_grid(&array(&[0.0, 0.0])));
        // 2^-21 and 1.5 need 22 bits, 2^-22 and 1.5 need 23.
        assert!(has_grid(&array(&[2f32.powi(-21), 1.5])));
        assert!(!has_grid(&array(&[2f32.powi(-22), 1.5])));
        assert!(!has_grid(&array(&[0.7])));
    }

    #[test]
    fn suffixes_of_names() {
        assert_eq!(base("fc1_0_0"), "fc1");
        assert_eq!(base("fc_1"), "fc");
        assert_eq!(base("fc"), "fc");
        assert_eq!(base("a_b"), "a_b");
    }
}
