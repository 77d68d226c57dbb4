//! The layers of HGQ's proxy models: `FixedPointQuantizer` and `UnaryLUT`.

use bittrue_fixed::{Kif, Overflow, Rounding};
use ndarray::{ArrayD, Dimension};

use super::Read;
use crate::parse::attributes::Attributes;
use crate::parse::json::{integer, items, short};
use crate::parse::shape::ShapeRule;
use crate::parse::tensors::Tensors;
use crate::{FixedPointQuantizer, LayerKind, ModelError, UnaryLut};

/// Widest index of a table, in bits. HGQ stops at 12, or at what an environment variable says, but
/// never beyond this.
const MAX_INDEX: i32 = 16;

/// Most integer and fractional bits of an entry, either way: the exponents of float32.
const MAX_BITS: i64 = 160;

pub(super) fn fixed_point_quantizer(
    a: &mut Attributes<'_, '_>,
    tensors: &mut Tensors<'_>,
) -> Result<Read, ModelError> {
    // HGQ's own defaults for a missing mode.
    let rounding = mode(
        a,
        "RND",
        Rounding::Trn,
        "TRN, TRN_ZERO, RND, RND_ZERO, RND_INF, RND_MIN_INF, RND_CONV",
    )?;
    let overflow = mode(a, "SAT", Overflow::Wrap, "WRAP, SAT, SAT_ZERO, SAT_SYM, WRAP_SM")?;
    // `overrides` holds types for hls4ml below 1.2 only.
    a.inert(&["overrides"]);
    let shape_value = a.take("shape").ok_or_else(|| a.missing("shape"))?;
    let shape: Option<Vec<usize>> = items(shape_value).and_then(|list| {
        list.iter().map(|d| d.as_u64().and_then(|d| usize::try_from(d).ok())).collect()
    });
    let shape = shape.ok_or_else(|| {
        a.error("shape", format!("expected a list of lengths, found {}", short(shape_value)))
    })?;
    let fusible = match a.peek("fusible") {
        None => None,
        Some(_) => Some(a.truth("fusible", true)?),
    };

    // HGQ assigns these weights by order, so a file in another order would be read otherwise.
    const NAMES: [&str; 3] = ["keep_negative", "bits", "integers"];
    let found = tensors.suffixes();
    if found != NAMES {
        return Err(ModelError::new(
            a.place().clone(),
            format!(
                "expected the weights {} in this order, found {}",
                NAMES.join(", "),
                if found.is_empty() { "none".to_owned() } else { found.join(", ") }
            ),
        ));
    }
    // HGQ keeps all three in int8 variables.
    let mut integers = |name: &str, min: i32, max: i32| -> Result<ArrayD<i32>, ModelError> {
        let tensor = tensors.take(name)?;
        if tensor.shape() != shape.as_slice() {
            return Err(ModelError::new(
                a.place().clone(),
                format!("{name} has shape {:?}, expected {shape:?}", tensor.shape()),
            ));
        }
        let fits =
            |v: f32| v.fract() == 0.0 && (f64::from(min)..=f64::from(max)).contains(&v.into());
        if let Some((index, value)) = tensor.indexed_iter().find(|(_, v)| !fits(**v)) {
            return Err(ModelError::new(
                a.place().clone(),
                format!(
                    "{name} is {value} at index {:?}; supported are the integers {min} to {max}",
                    index.slice()
                ),
            ));
        }
        Ok(tensor.mapv(|v| v as i32))
    };
    let kind = LayerKind::FixedPointQuantizer(FixedPointQuantizer {
        keep_negative: integers("keep_negative", 0, 1)?,
        bits: integers("bits", 0, 127)?,
        integers: integers("integers", -128, 127)?,
        rounding,
        overflow,
    });
    Ok(Read { kind, rule: ShapeRule::Broadcast(shape), fusible })
}

fn mode<T: std::str::FromStr + std::fmt::Display>(
    a: &mut Attributes<'_, '_>,
    key: &'static str,
    default: T,
    supported: &str,
) -> Result<T, ModelError> {
    let Some(value) = a.take(key) else {
        return Ok(default);
    };
    // HGQ looks the name up as it stands, without the freedom that the type parser gives.
    value
        .as_str()
        .and_then(|text| text.parse::<T>().ok().filter(|mode| mode.to_string() == text))
        .ok_or_else(|| {
            a.error(key, format!("{} is not supported; supported: {supported}", short(value)))
        })
}

/// Reads a table.
pub(super) fn unary_lut(
    a: &mut Attributes<'_, '_>,
    tensors: &mut Tensors<'_>,
) -> Result<Read, ModelError> {
    let (input, output) = (kif(a, "kif_in")?, kif(a, "kif_out")?);
    // HGQ refuses both formats when they hold no bit, and larger tables.
    if !(1..=MAX_INDEX).contains(&input.width()) {
        let what = format!(
            "a table of 2^{} entries is not supported; supported: 2^1 to 2^{MAX_INDEX}",
            input.width()
        );
        return Err(a.error("kif_in", what));
    }
    if output.width() < 1 {
        return Err(a.error("kif_out", "the format of the entries has no bits"));
    }
    let table = tensors.take("table")?;
    let entries = 1usize << input.width();
    if table.shape() != [entries] {
        let what = format!("table has shape {:?}, expected [{entries}] by kif_in", table.shape());
        return Err(ModelError::new(a.place().clone(), what));
    }
    let table = table.iter().copied().collect();
    let kind = LayerKind::UnaryLut(UnaryLut { input, output, table });
    Ok(Read::new(kind, ShapeRule::Same))
}

/// A format as `[k, i, f]`, where `i` does not count the sign.
fn kif(a: &mut Attributes<'_, '_>, key: &'static str) -> Result<Kif, ModelError> {
    let value = a.take(key).ok_or_else(|| a.missing(key))?;
    let found = match items(value) {
        Some([k, i, f]) => match (integer(k), integer(i), integer(f)) {
            (Some(k @ 0..=1), Some(i), Some(f)) if i.abs().max(f.abs()) <= MAX_BITS => {
                Some(Kif { keep_negative: k == 1, integer: i as i32, fractional: f as i32 })
            }
            _ => None,
        },
        _ => None,
    };
    found.ok_or_else(|| {
        let what = format!(
            "{} is not supported; supported: [k, i, f] with k 0 or 1 and i, f of {} to {MAX_BITS}",
            short(value),
            -MAX_BITS
        );
        a.error(key, what)
    })
}
