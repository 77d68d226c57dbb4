//! Datasets of one feature each, side by side: the columns of a group.

use std::ops::Range;

use bittrue_block::EventData;

use super::row::{Exact, product};
use super::stream::Stream;
use crate::number::{Dtype, Wide};

/// How the features make the last axis of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    /// `[…, last]` of an event.
    pub(super) shape: Vec<usize>,
    /// How much of the last axis each feature is.
    widths: Vec<usize>,
}

impl Layout {
    /// The layout that gives an input's shape: features of equal shape are a new last axis, as ten
    /// particles' `pt` and `eta` of `[event, 10]` make `[event, 10, 2]`; else their own last axes
    /// follow each other, as `[event]` and `[event, 3]` make `[event, 4]`.
    ///
    /// The second of the two where neither gives the shape; `None` where the features have no
    /// shape in common.
    pub(super) fn of(features: &[&[usize]], input: &[usize]) -> Option<Self> {
        let (&first, _) = features.split_first()?;
        let stacked = features.iter().all(|&f| f == first).then(|| {
            let mut shape = first.to_vec();
            shape.push(features.len());
            Self { shape, widths: vec![1; features.len()] }
        });
        if let Some(stacked) = stacked.as_ref().filter(|s| s.shape == input) {
            return Some(stacked.clone());
        }
        let apart = |f: &[usize]| match f {
            [] => (Vec::new(), 1),
            [outer @ .., last] => (outer.to_vec(), *last),
        };
        let outer = apart(first).0;
        let widths: Option<Vec<usize>> = features
            .iter()
            .map(|f| {
                let (found, width) = apart(f);
                (found == outer).then_some(width)
            })
            .collect();
        let chained = widths.and_then(|widths| {
            let last = widths.iter().try_fold(0usize, |n, w| n.checked_add(*w))?;
            let mut shape = outer;
            shape.push(last);
            Some(Self { shape, widths })
        });
        chained.or(stacked)
    }
}

/// The events of several features, of one dtype that holds all of them.
#[derive(Debug)]
pub(super) struct Joined {
    parts: Vec<Stream>,
    widths: Vec<usize>,
    elements: usize,
    wide: Wide,
}

impl Joined {
    /// Features in their order, with the dtypes that they have in the file.
    pub(super) fn new(
        parts: Vec<Stream>,
        dtypes: &[Dtype],
        layout: &Layout,
    ) -> Result<Self, String> {
        let elements = product(&layout.shape).filter(|&n| n > 0 && n <= 1 << 30);
        let elements =
            elements.ok_or_else(|| format!("events of {:?} are out of bounds", layout.shape))?;
        let wide = Wide::of_all(dtypes.iter().copied());
        Ok(Self { parts, widths: layout.widths.clone(), elements, wide })
    }

    /// Values per event.
    pub(super) fn elements(&self) -> usize {
        self.elements
    }

    /// The dtype of its values.
    pub(super) fn dtype(&self) -> Wide {
        self.wide
    }

    /// Bytes that are kept in memory while it is read.
    pub(super) fn buffer_bytes(&self) -> usize {
        self.parts.iter().fold(0, |sum, part| sum.saturating_add(part.buffer_bytes()))
    }

    /// Refuses rows that the file does not hold, although it claims to.
    pub(super) fn check_rows(&self, rows: &Range<usize>) -> Result<(), String> {
        self.parts.iter().try_for_each(|part| part.check_rows(rows))
    }

    /// The values of some events.
    pub(super) fn read(&mut self, events: Range<usize>) -> Result<EventData, String> {
        match self.wide {
            Wide::F32 => self.fill(events, 0.0).map(EventData::F32),
            Wide::F64 => self.fill(events, 0.0).map(EventData::F64),
            Wide::I64 => self.fill(events, 0).map(EventData::I64),
            Wide::U64 => self.fill(events, 0).map(EventData::U64),
        }
    }

    fn fill<T: Exact>(&mut self, events: Range<usize>, zero: T) -> Result<Vec<T>, String> {
        let mut values = vec![zero; events.len() * self.elements];
        let last: usize = self.widths.iter().sum();
        let mut from = 0;
        for (part, &width) in self.parts.iter_mut().zip(&self.widths) {
            let data = part.read(events.start, events.end)?;
            let exact = match data {
                EventData::F32(v) => scatter(&v, T::float32, &mut values, last, from, width),
                EventData::F64(v) => scatter(&v, T::float64, &mut values, last, from, width),
                EventData::I64(v) => scatter(&v, T::signed, &mut values, last, from, width),
                EventData::U64(v) => scatter(&v, T::unsigned, &mut values, last, from, width),
            };
            exact.ok_or("one of its integers is not exact in float64, which the others need")?;
            from += width;
        }
        Ok(values)
    }
}

/// Writes a feature to its place in each row of `last` values; `None` where a value does not fit.
fn scatter<S: Copy, T>(
    feature: &[S],
    convert: impl Fn(S) -> Option<T>,
    into: &mut [T],
    last: usize,
    from: usize,
    width: usize,
) -> Option<()> {
    for (row, values) in into.chunks_exact_mut(last).zip(feature.chunks_exact(width)) {
        for (place, &value) in row[from..from + width].iter_mut().zip(values) {
            *place = convert(value)?;
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts() {
        let of = |features: &[&[usize]], input: &[usize]| {
            Layout::of(features, input).map(|l| (l.shape, l.widths))
        };
        assert_eq!(of(&[&[], &[], &[]], &[3]), Some((vec![3], vec![1, 1, 1])));
        assert_eq!(of(&[&[], &[3]], &[4]), Some((vec![4], vec![1, 3])));
        assert_eq!(of(&[&[10], &[10]], &[10, 2]), Some((vec![10, 2], vec![1, 1])));
        assert_eq!(of(&[&[10], &[10]], &[20]), Some((vec![20], vec![10, 10])));
        assert_eq!(of(&[&[10, 2], &[10, 1]], &[10, 3]), Some((vec![10, 3], vec![2, 1])));
        // Neither fits: the one to tell the user about.
        assert_eq!(of(&[&[10], &[10]], &[7]), Some((vec![20], vec![10, 10])));
        assert_eq!(of(&[&[10, 2], &[9, 2]], &[38]), None);
        assert_eq!(of(&[&[], &[2, 2]], &[5]), None);
        assert_eq!(of(&[], &[1]), None);
        assert_eq!(of(&[&[usize::MAX], &[2]], &[1]), None);
    }

    #[test]
    fn places() {
        let mut values = vec![0.0f64; 8];
        scatter(&[1i64, 2], f64::signed, &mut values, 4, 3, 1).unwrap();
        scatter(&[0.5f32, 1.5, 2.5, 3.5], f64::float32, &mut values, 4, 1, 2).unwrap();
        assert_eq!(values, [0.0, 0.5, 1.5, 1.0, 0.0, 2.5, 3.5, 2.0]);
        assert_eq!(scatter(&[(1i64 << 53) + 1], f64::signed, &mut values, 4, 0, 1), None);
    }
}
