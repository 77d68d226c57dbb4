//! Keras' rules for the shape of a call's result, for one event (without the batch dimension).

use super::spatial;
use crate::{ModelError, Place, Window};

/// Most elements of one tensor of one event. Beyond it the file is wrong or hostile.
pub(super) const MAX_ELEMENTS: usize = 1 << 20;

/// Most dimensions of one event, the limit of HDF5.
pub(super) const MAX_RANK: usize = 32;

/// How the result's shape follows from the arguments' shapes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ShapeRule {
    /// No argument; this shape.
    Input(Vec<usize>),
    /// The shape of the one argument.
    Same,
    /// The shape of the one argument, whose last axis this one must be.
    Softmax(i64),
    /// The last axis of length `input` becomes `units`.
    LastAxis { input: usize, units: usize },
    /// All elements in one axis.
    Flatten,
    /// The target shape, at most one entry of which is -1.
    Reshape(Vec<i64>),
    /// Joined along an axis: negative from the end, positive counted with the batch.
    Concatenate(i64),
    /// Equal shapes; at least two arguments, and exactly so many if given.
    Merge { arguments: Option<usize> },
    /// The shape of the one argument, against which this shape (batch included) broadcasts.
    Broadcast(Vec<usize>),
    /// The shape of the one argument, which must have this rank.
    Rank(usize),
    /// A window over the spatial axes; `channels` become `filters`.
    Conv { window: Window, channels: usize, filters: usize },
    /// A window over the spatial axes; the channels stay.
    Pool(Window),
    /// So many spatial axes go, or become axes of one cell.
    GlobalPool { axes: usize, keep: bool },
    /// Cells before and after each spatial axis.
    ZeroPadding(Vec<(usize, usize)>),
    /// Axis `i` of the result is this axis of the argument.
    Permute(Vec<usize>),
    /// The shape of the one argument, of which `axes` (as in a concatenation) have parameters of
    /// this shape.
    Normalize { axes: Vec<i64>, parameters: Vec<usize> },
}

/// Number of elements, if it is in bounds.
pub(super) fn elements(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d)).filter(|&n| n > 0 && n <= MAX_ELEMENTS)
}

/// The axis of a concatenation within the shape of one event.
pub(super) fn event_axis(axis: i64, rank: usize) -> Option<usize> {
    let with_batch = i64::try_from(rank).ok()?.checked_add(1)?;
    let from_front = if axis < 0 { axis.checked_add(with_batch)? } else { axis };
    // Axis 0 is the batch.
    (1..with_batch).contains(&from_front).then_some(())?;
    usize::try_from(from_front - 1).ok()
}

impl ShapeRule {
    /// The shape of the result.
    pub(super) fn apply(
        &self,
        place: &Place,
        inputs: &[&[usize]],
    ) -> Result<Vec<usize>, ModelError> {
        let error = |what: String| ModelError::new(place.clone(), what);
        let shape = match self {
            Self::Input(shape) => {
                if !inputs.is_empty() {
                    return Err(error("an InputLayer has no arguments".to_owned()));
                }
                shape.clone()
            }
            Self::Concatenate(axis) => concatenate(place, *axis, inputs)?,
            Self::Merge { arguments } => merge(place, *arguments, inputs)?,
            _ => {
                let &[input] = inputs else {
                    return Err(error(format!(
                        "expected one argument, found {}: a list, as HGQ writes it where a layer \
                         reads a nested model with several outputs, is not supported",
                        inputs.len()
                    )));
                };
                self.apply_to_one(place, input)?
            }
        };
        if shape.len() > MAX_RANK || elements(&shape).is_none() {
            return Err(error(format!(
                "shape {shape:?} is out of bounds; supported are up to {MAX_RANK} dimensions and \
                 1 to {MAX_ELEMENTS} elements"
            )));
        }
        Ok(shape)
    }

    fn apply_to_one(&self, place: &Place, input: &[usize]) -> Result<Vec<usize>, ModelError> {
        let error = |what: String| Err(ModelError::new(place.clone(), what));
        match self {
            Self::Softmax(axis)
                if input.is_empty() || event_axis(*axis, input.len()) != Some(input.len() - 1) =>
            {
                error(format!(
                    "softmax over axis {axis} of an event of shape {input:?} is not supported; \
                     supported: the last axis"
                ))
            }
            Self::LastAxis { input: expected, units } => match input {
                [outer @ .., last] if last == expected => {
                    Ok(outer.iter().copied().chain([*units]).collect())
                }
                _ => error(format!(
                    "the kernel has shape [{expected}, {units}], but the argument has shape \
                     {input:?} for one event: its last axis must have length {expected}"
                )),
            },
            Self::Flatten => Ok(vec![input.iter().product()]),
            Self::Reshape(target) => reshape(place, target, input),
            Self::Broadcast(shape) => {
                // Trailing dimensions are compared; what is left must be the batch.
                let fits = shape.len() <= input.len() + 1
                    && shape.iter().rev().zip(input.iter().rev()).all(|(&s, &d)| s == 1 || s == d)
                    && (shape.len() <= input.len() || shape[0] == 1);
                if fits {
                    return Ok(input.to_vec());
                }
                error(format!(
                    "shape {shape:?} (with the batch) does not broadcast against an event of \
                     shape {input:?}"
                ))
            }
            Self::Rank(rank) => spatial::of_rank(place, *rank, input).map(<[usize]>::to_vec),
            Self::Conv { window, channels, filters } => {
                spatial::convolution(place, window, *channels, *filters, input)
            }
            Self::Pool(window) => spatial::pooling(place, window, input),
            Self::GlobalPool { axes, keep } => spatial::global_pooling(place, *axes, *keep, input),
            Self::ZeroPadding(cells) => spatial::padding(place, cells, input),
            Self::Permute(axes) => {
                spatial::of_rank(place, axes.len(), input)?;
                Ok(axes.iter().map(|&axis| input[axis]).collect())
            }
            Self::Normalize { axes, parameters } => {
                spatial::normalized_axes(place, axes, parameters, input)?;
                Ok(input.to_vec())
            }
            Self::Input(_)
            | Self::Same
            | Self::Softmax(_)
            | Self::Concatenate(_)
            | Self::Merge { .. } => Ok(input.to_vec()),
        }
    }
}

fn reshape(place: &Place, target: &[i64], input: &[usize]) -> Result<Vec<usize>, ModelError> {
    let fail = || {
        ModelError::new(
            place.clone(),
            format!("target_shape {target:?} does not fit an argument of shape {input:?}"),
        )
    };
    let total: usize = input.iter().product();
    let free = target.iter().filter(|&&d| d == -1).count();
    let fixed: Option<Vec<usize>> =
        target.iter().filter(|&&d| d != -1).map(|&d| usize::try_from(d).ok()).collect();
    let known = fixed.as_deref().and_then(elements).ok_or_else(fail)?;
    let rest = match free {
        0 if known == total => 1,
        1 if total.is_multiple_of(known) => total / known,
        _ => return Err(fail()),
    };
    Ok(target.iter().map(|&d| usize::try_from(d).unwrap_or(rest)).collect())
}

fn concatenate(place: &Place, axis: i64, inputs: &[&[usize]]) -> Result<Vec<usize>, ModelError> {
    let (first, others) = two_or_more(place, inputs)?;
    let Some(at) = event_axis(axis, first.len()) else {
        return Err(ModelError::new(
            place.clone().attribute("axis"),
            format!("{axis} is not an axis of an event of shape {first:?} (axis 0 is the batch)"),
        ));
    };
    let mut shape = first.to_vec();
    for other in others {
        let compatible =
            other.len() == first.len() && (0..first.len()).all(|i| i == at || other[i] == first[i]);
        if !compatible {
            return Err(ModelError::new(
                place.clone(),
                format!("shapes {first:?} and {other:?} must agree except on axis {axis}"),
            ));
        }
        shape[at] = shape[at].saturating_add(other[at]);
    }
    Ok(shape)
}

fn merge(
    place: &Place,
    arguments: Option<usize>,
    inputs: &[&[usize]],
) -> Result<Vec<usize>, ModelError> {
    if let Some(expected) = arguments.filter(|&n| n != inputs.len()) {
        return Err(ModelError::new(
            place.clone(),
            format!("expected {expected} arguments, found {}", inputs.len()),
        ));
    }
    let (first, others) = two_or_more(place, inputs)?;
    match others.iter().find(|&&other| other != first) {
        None => Ok(first.to_vec()),
        Some(other) => Err(ModelError::new(
            place.clone(),
            format!(
                "arguments of shapes {first:?} and {other:?} are merged; supported: equal shapes"
            ),
        )
        .with_help("no leg can broadcast yet; reshape or repeat the smaller argument")),
    }
}

fn two_or_more<'s, 'i>(
    place: &Place,
    inputs: &'s [&'i [usize]],
) -> Result<(&'i [usize], &'s [&'i [usize]]), ModelError> {
    match inputs {
        [first, others @ ..] if !others.is_empty() => Ok((first, others)),
        _ => Err(ModelError::new(
            place.clone(),
            format!("expected at least two arguments, found {}", inputs.len()),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(rule: ShapeRule, inputs: &[&[usize]]) -> Result<Vec<usize>, String> {
        rule.apply(&Place::layer("l"), inputs).map_err(|e| e.to_string())
    }

    #[test]
    fn dense_contracts_the_last_axis() {
        let rule = || ShapeRule::LastAxis { input: 4, units: 7 };
        assert_eq!(apply(rule(), &[&[4]]), Ok(vec![7]));
        assert_eq!(apply(rule(), &[&[3, 2, 4]]), Ok(vec![3, 2, 7]));
        let message = apply(rule(), &[&[4, 3]]).unwrap_err();
        assert!(message.contains("[4, 7]") && message.contains("[4, 3]"), "{message}");
        assert!(apply(rule(), &[&[]]).is_err());
        assert!(apply(rule(), &[&[4], &[4]]).is_err());
    }

    #[test]
    fn softmax_over_the_last_axis() {
        for (axis, shape, good) in [
            (-1, &[5][..], true),
            (1, &[5], true),
            (2, &[3, 5], true),
            (1, &[3, 5], false),
            (-2, &[3, 5], false),
            (0, &[5], false),
            (-1, &[], false),
        ] {
            assert_eq!(apply(ShapeRule::Softmax(axis), &[shape]).is_ok(), good, "{axis} {shape:?}");
        }
    }

    #[test]
    fn reshape_with_a_free_axis() {
        let rule = |t: &[i64]| ShapeRule::Reshape(t.to_vec());
        assert_eq!(apply(rule(&[2, -1, 3]), &[&[12, 2]]), Ok(vec![2, 4, 3]));
        assert_eq!(apply(rule(&[24]), &[&[12, 2]]), Ok(vec![24]));
        assert_eq!(apply(rule(&[]), &[&[1]]), Ok(vec![]));
        for bad in [&[5, -1][..], &[-1, -1], &[23], &[0, -1], &[-2, 12], &[i64::MAX, i64::MAX]] {
            assert!(apply(rule(bad), &[&[12, 2]]).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn concatenation_axes() {
        let rule = ShapeRule::Concatenate;
        let (a, b): (&[usize], &[usize]) = (&[2, 3], &[2, 4]);
        assert_eq!(apply(rule(-1), &[a, b]), Ok(vec![2, 7]));
        assert_eq!(apply(rule(2), &[a, b]), Ok(vec![2, 7]));
        assert_eq!(apply(rule(1), &[a, a, a]), Ok(vec![6, 3]));
        for axis in [0, -3, 3, i64::MIN, i64::MAX] {
            assert!(apply(rule(axis), &[a, a]).is_err(), "{axis}");
        }
        assert!(apply(rule(1), &[a, b]).is_err());
        assert!(apply(rule(1), &[a, &[2, 3, 1]]).is_err());
        assert!(apply(rule(1), &[a]).is_err());
    }

    #[test]
    fn merges_need_equal_shapes() {
        let rule = |arguments| ShapeRule::Merge { arguments };
        assert_eq!(apply(rule(None), &[&[2, 3], &[2, 3], &[2, 3]]), Ok(vec![2, 3]));
        let message = apply(rule(None), &[&[2, 3], &[1, 3]]).unwrap_err();
        assert!(message.contains("[2, 3]") && message.contains("[1, 3]"), "{message}");
        assert!(apply(rule(Some(2)), &[&[2], &[2], &[2]]).is_err());
        assert!(apply(rule(None), &[&[2]]).is_err());
    }

    #[test]
    fn broadcast_against_an_event() {
        let rule = |s: &[usize]| ShapeRule::Broadcast(s.to_vec());
        for good in [&[][..], &[1], &[6], &[1, 6], &[1, 1], &[4, 6], &[1, 4, 1]] {
            assert_eq!(apply(rule(good), &[&[4, 6]]), Ok(vec![4, 6]), "{good:?}");
        }
        for bad in [&[2][..], &[2, 4, 6], &[1, 1, 4, 6], &[6, 4]] {
            assert!(apply(rule(bad), &[&[4, 6]]).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn sizes_are_bounded() {
        let big: &[usize] = &[1 << 19];
        assert_eq!(apply(ShapeRule::Concatenate(-1), &[big, big]), Ok(vec![1 << 20]));
        assert!(apply(ShapeRule::Concatenate(-1), &[big, big, big]).is_err());
        assert!(apply(ShapeRule::Input(vec![3, 0]), &[]).is_err());
        assert!(apply(ShapeRule::Input(vec![1; 33]), &[]).is_err());
        assert_eq!(apply(ShapeRule::Input(vec![]), &[]), Ok(vec![]));
    }
}
