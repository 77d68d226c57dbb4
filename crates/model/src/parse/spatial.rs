//! Shape rules of layers that know spatial axes: events `[cell…, channel]`, channels last.

use super::shape::event_axis;
use crate::{ModelError, Place, Window};

/// The shape, if it has this rank.
pub(super) fn of_rank<'s>(
    place: &Place,
    rank: usize,
    input: &'s [usize],
) -> Result<&'s [usize], ModelError> {
    if input.len() == rank {
        return Ok(input);
    }
    let what = format!("the argument has shape {input:?} for one event; supported: {rank} axes");
    Err(ModelError::new(place.clone(), what))
}

/// The spatial axes and the channels of an event with so many spatial axes.
fn split<'s>(
    place: &Place,
    axes: usize,
    input: &'s [usize],
) -> Result<(&'s [usize], usize), ModelError> {
    match input {
        [cells @ .., channels] if cells.len() == axes => Ok((cells, *channels)),
        _ => {
            let names = if axes == 1 { "step, channel" } else { "row, column, channel" };
            let what = format!(
                "the argument has shape {input:?} for one event; supported: {} axes [{names}]",
                axes + 1
            );
            Err(ModelError::new(place.clone(), what))
        }
    }
}

/// The positions of a window along each spatial axis.
fn positions(place: &Place, window: &Window, cells: &[usize]) -> Result<Vec<usize>, ModelError> {
    let along = |(axis, &n): (usize, &usize)| {
        window.positions(axis, n).ok_or_else(|| {
            let what = format!(
                "a window of {} cells does not fit into the {n} cells of spatial axis {axis}",
                window.span(axis)
            );
            ModelError::new(place.clone(), what)
                .with_help("with padding \"valid\" the result would be empty")
        })
    };
    cells.iter().enumerate().map(along).collect()
}

/// A convolution of `channels` channels.
pub(super) fn convolution(
    place: &Place,
    window: &Window,
    channels: usize,
    filters: usize,
    input: &[usize],
) -> Result<Vec<usize>, ModelError> {
    let (cells, found) = split(place, window.size.len(), input)?;
    if found != channels {
        let what = format!(
            "the kernel takes {channels} channels, but the argument has shape {input:?} for one \
             event"
        );
        return Err(ModelError::new(place.clone(), what));
    }
    let mut shape = positions(place, window, cells)?;
    shape.push(filters);
    Ok(shape)
}

/// A pooling over windows.
pub(super) fn pooling(
    place: &Place,
    window: &Window,
    input: &[usize],
) -> Result<Vec<usize>, ModelError> {
    let (cells, channels) = split(place, window.size.len(), input)?;
    let mut shape = positions(place, window, cells)?;
    shape.push(channels);
    Ok(shape)
}

/// A pooling of all cells.
pub(super) fn global_pooling(
    place: &Place,
    axes: usize,
    keep: bool,
    input: &[usize],
) -> Result<Vec<usize>, ModelError> {
    let (_, channels) = split(place, axes, input)?;
    let mut shape = vec![1; if keep { axes } else { 0 }];
    shape.push(channels);
    Ok(shape)
}

/// Cells before and after each spatial axis.
pub(super) fn padding(
    place: &Place,
    padding: &[(usize, usize)],
    input: &[usize],
) -> Result<Vec<usize>, ModelError> {
    let (cells, channels) = split(place, padding.len(), input)?;
    let padded = cells.iter().zip(padding).map(|(&n, &(before, after))| {
        // Too large a sum is found with the number of elements.
        n.saturating_add(before).saturating_add(after)
    });
    Ok(padded.chain([channels]).collect())
}

/// The axes of one event that a normalisation has parameters for, rising, held against the
/// parameters' shape: for one axis its length; for several the shape of the argument (batch
/// included) with 1 at all other axes.
pub(super) fn normalized_axes(
    place: &Place,
    axes: &[i64],
    parameters: &[usize],
    input: &[usize],
) -> Result<Vec<usize>, ModelError> {
    let place = || place.clone().attribute("axis");
    let mut found = Vec::with_capacity(axes.len());
    for &axis in axes {
        let Some(event) = event_axis(axis, input.len()) else {
            let what = format!(
                "{axis} is not an axis of an event of shape {input:?} (axis 0 is the batch)"
            );
            return Err(ModelError::new(place(), what));
        };
        if found.contains(&event) {
            return Err(ModelError::new(place(), format!("{axes:?} holds an axis twice")));
        }
        found.push(event);
    }
    let expected: Vec<usize> = match found.as_slice() {
        &[axis] => vec![input[axis]],
        several => {
            let length = |axis| if several.contains(&axis) { input[axis] } else { 1 };
            std::iter::once(1).chain((0..input.len()).map(length)).collect()
        }
    };
    if parameters != expected {
        let what = format!(
            "{axes:?} of an event of shape {input:?} asks for parameters of shape {expected:?}, \
             found {parameters:?}"
        );
        return Err(ModelError::new(place(), what));
    }
    found.sort_unstable();
    Ok(found)
}
