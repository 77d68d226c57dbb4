//! Poolings, local and global, and zero padding.

use serde_json::Value;

use super::{Read, window};
use crate::parse::attributes::Attributes;
use crate::parse::json::{integer, items, short};
use crate::parse::shape::{MAX_ELEMENTS, ShapeRule};
use crate::{LayerKind, ModelError, Pool, PoolKind};

/// Reads a pooling over windows on `axes` spatial axes.
pub(super) fn local(
    a: &mut Attributes<'_, '_>,
    kind: PoolKind,
    axes: usize,
) -> Result<Read, ModelError> {
    let window = window::of_pooling(a, axes)?;
    let kind = LayerKind::Pool(Pool { kind, window: Some(window.clone()) });
    Ok(Read::new(kind, ShapeRule::Pool(window)))
}

/// Reads a pooling of all cells on `axes` spatial axes.
pub(super) fn global(
    a: &mut Attributes<'_, '_>,
    kind: PoolKind,
    axes: usize,
) -> Result<Read, ModelError> {
    window::channels_last(a)?;
    let keep = a.truth("keepdims", false)?;
    let kind = LayerKind::Pool(Pool { kind, window: None });
    Ok(Read::new(kind, ShapeRule::GlobalPool { axes, keep }))
}

/// Reads `ZeroPadding1D` or `ZeroPadding2D`.
pub(super) fn zero_padding(a: &mut Attributes<'_, '_>, axes: usize) -> Result<Read, ModelError> {
    const KEY: &str = "padding";
    let value = a.take(KEY).ok_or_else(|| a.missing(KEY))?;
    if axes > 1 {
        window::channels_last(a)?;
    }
    let Some(cells) = cells(value, axes) else {
        let what = format!(
            "{} is not supported; supported: the numbers of cells before and after each of the \
             {axes} spatial axes",
            short(value)
        );
        return Err(a.error(KEY, what));
    };
    Ok(Read::new(LayerKind::ZeroPadding(cells.clone()), ShapeRule::ZeroPadding(cells)))
}

/// Cells before and after each axis: a pair for each, or one number for both ends of an axis or of
/// all axes. With one axis the pair stands by itself.
fn cells(value: &Value, axes: usize) -> Option<Vec<(usize, usize)>> {
    let number =
        |v: &Value| integer(v).and_then(|i| usize::try_from(i).ok()).filter(|&n| n <= MAX_ELEMENTS);
    let pair = |v: &Value| match items(v) {
        None => number(v).map(|n| (n, n)),
        Some([before, after]) => Some((number(before)?, number(after)?)),
        Some(_) => None,
    };
    match items(value) {
        Some(list) if axes > 1 && list.len() == axes => list.iter().map(pair).collect(),
        Some(_) if axes > 1 => None,
        _ => pair(value).map(|p| vec![p; axes]),
    }
}
