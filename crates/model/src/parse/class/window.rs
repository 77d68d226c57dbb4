//! The arguments of a sliding window: size, stride, dilation, padding.

use serde_json::{Value, json};

use crate::parse::attributes::Attributes;
use crate::parse::json::{integer, items, short};
use crate::{ModelError, Padding, Window};

/// Largest length of a window, its stride or its dilation along one axis.
const MAX_LENGTH: i64 = i32::MAX as i64;

/// The paddings that a layer may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paddings {
    /// `valid` and `same`.
    Centred,
    /// Also `causal`: 1-D convolutions.
    AlsoCausal,
}

/// The one data format that is supported.
pub(super) fn channels_last(a: &mut Attributes<'_, '_>) -> Result<(), ModelError> {
    a.only("data_format", &[json!("channels_last"), Value::Null])
}

/// The window of a convolution over `axes` spatial axes.
pub(super) fn of_convolution(
    a: &mut Attributes<'_, '_>,
    axes: usize,
) -> Result<Window, ModelError> {
    let one = Some(vec![1; axes]);
    let size = lengths(a, "kernel_size", axes, None)?;
    let strides = lengths(a, "strides", axes, one.clone())?;
    let dilation = lengths(a, "dilation_rate", axes, one)?;
    let paddings = if axes == 1 { Paddings::AlsoCausal } else { Paddings::Centred };
    let padding = padding(a, paddings)?;
    channels_last(a)?;
    if strides.iter().any(|&s| s > 1) && dilation.iter().any(|&d| d > 1) {
        let what =
            format!("{dilation:?} and strides {strides:?}: Keras has no convolution with both");
        return Err(a.error("dilation_rate", what));
    }
    Ok(Window { size, strides, dilation, padding })
}

/// The window of a pooling over `axes` spatial axes.
pub(super) fn of_pooling(a: &mut Attributes<'_, '_>, axes: usize) -> Result<Window, ModelError> {
    let size = lengths(a, "pool_size", axes, Some(vec![2; axes]))?;
    let strides = match a.peek("strides") {
        // Keras' default: windows side by side.
        None | Some(Value::Null) => {
            a.take("strides");
            size.clone()
        }
        Some(_) => lengths(a, "strides", axes, None)?,
    };
    let padding = padding(a, Paddings::Centred)?;
    channels_last(a)?;
    Ok(Window { size, strides, dilation: vec![1; axes], padding })
}

/// One length of at least 1 for each axis; a single number stands for all of them.
fn lengths(
    a: &mut Attributes<'_, '_>,
    key: &'static str,
    axes: usize,
    default: Option<Vec<usize>>,
) -> Result<Vec<usize>, ModelError> {
    let Some(value) = a.take(key) else {
        return default.ok_or_else(|| a.missing(key));
    };
    let length = |v: &Value| {
        integer(v).filter(|i| (1..=MAX_LENGTH).contains(i)).and_then(|i| usize::try_from(i).ok())
    };
    let found = match items(value) {
        Some(list) if list.len() == axes => list.iter().map(length).collect(),
        Some(_) => None,
        None => length(value).map(|l| vec![l; axes]),
    };
    found.ok_or_else(|| {
        let what = format!(
            "{} is not supported; supported: a number of 1 to {MAX_LENGTH} for each of the {axes} \
             spatial axes",
            short(value)
        );
        a.error(key, what)
    })
}

fn padding(a: &mut Attributes<'_, '_>, allowed: Paddings) -> Result<Padding, ModelError> {
    const KEY: &str = "padding";
    let Some(value) = a.take(KEY) else {
        return Ok(Padding::Valid);
    };
    match (value.as_str(), allowed) {
        (Some("valid"), _) => Ok(Padding::Valid),
        (Some("same"), _) => Ok(Padding::Same),
        (Some("causal"), Paddings::AlsoCausal) => Ok(Padding::Causal),
        _ => {
            let causal = match allowed {
                Paddings::Centred => "",
                Paddings::AlsoCausal => ", \"causal\"",
            };
            let found = short(value);
            let what = format!("{found} is not supported; supported: \"valid\", \"same\"{causal}");
            Err(a.error(KEY, what))
        }
    }
}
