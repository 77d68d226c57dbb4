//! Numeric datasets.

use std::fmt;
use std::ops::Range;

use hdf5::types::{FloatSize, IntSize, TypeDescriptor};
use hdf5::{Dataset, H5Type, Hyperslab, Selection, SliceOrIndex};
use ndarray::{ArrayD, IxDyn};

/// Numeric dtypes, both byte orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dtype {
    F16,
    F32,
    F64,
    /// One byte, 0 or 1.
    Bool,
    Int {
        bits: u32,
        signed: bool,
    },
}

/// The dtypes in which events are handed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wide {
    /// float32.
    F32,
    /// float64.
    F64,
    /// Signed 64-bit integers.
    I64,
    /// Unsigned 64-bit integers.
    U64,
}

impl fmt::Display for Wide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "float32",
            Self::F64 => "float64",
            Self::I64 => "int64",
            Self::U64 => "uint64",
        })
    }
}

impl Wide {
    /// What holds values of both, as of two files; a 64-bit integer has to be checked where it
    /// meets another dtype.
    pub(crate) fn with(self, other: Self) -> Self {
        match (self, other) {
            (a, b) if a == b => a,
            (Self::I64, Self::U64) | (Self::U64, Self::I64) => Self::I64,
            _ => Self::F64,
        }
    }

    /// The narrowest that holds every value of all dtypes; float64 where none does, and then a
    /// 64-bit integer has to be checked.
    pub(crate) fn of_all(dtypes: impl Iterator<Item = Dtype> + Clone) -> Self {
        let mut widest = dtypes.clone().map(Dtype::wide);
        let Some(first) = widest.next() else { return Self::F32 };
        if widest.all(|w| w == first) {
            return first;
        }
        let all = |holds: fn(Dtype) -> bool| dtypes.clone().all(holds);
        let some = |wide| dtypes.clone().any(|d| d.wide() == wide);
        let unsigned = |d| matches!(d, Dtype::Bool | Dtype::Int { signed: false, .. });
        let signed = |d| match d {
            Dtype::Bool | Dtype::Int { signed: true, .. } => true,
            Dtype::Int { bits, .. } => bits < 64,
            _ => false,
        };
        if some(Self::I64) && all(signed) {
            Self::I64
        } else if some(Self::U64) && all(unsigned) {
            Self::U64
        } else {
            Self::F64
        }
    }
}

impl Dtype {
    /// The dtype of a dataset, or its name where it holds no numbers.
    pub(crate) fn of(dataset: &Dataset) -> Result<Self, String> {
        let descriptor = dataset
            .dtype()
            .and_then(|d| d.to_descriptor())
            .map_err(|_| "an unknown type".to_owned())?;
        Self::of_type(&descriptor)
    }

    /// The dtype of a type, or its name where it is no number.
    pub(crate) fn of_type(descriptor: &TypeDescriptor) -> Result<Self, String> {
        let bits = |size: IntSize| match size {
            IntSize::U1 => 8,
            IntSize::U2 => 16,
            IntSize::U4 => 32,
            IntSize::U8 => 64,
        };
        match descriptor {
            TypeDescriptor::Float(FloatSize::U2) => Ok(Self::F16),
            TypeDescriptor::Float(FloatSize::U4) => Ok(Self::F32),
            TypeDescriptor::Float(FloatSize::U8) => Ok(Self::F64),
            TypeDescriptor::Integer(size) => Ok(Self::Int { bits: bits(*size), signed: true }),
            TypeDescriptor::Unsigned(size) => Ok(Self::Int { bits: bits(*size), signed: false }),
            TypeDescriptor::Compound(_) => Err("a compound type".to_owned()),
            other => Err(other.to_string()),
        }
    }

    /// Bytes of a value.
    pub(crate) fn size(self) -> usize {
        match self {
            Self::Bool => 1,
            Self::F16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
            Self::Int { bits, .. } => bits as usize / 8,
        }
    }

    /// The narrowest dtype of events that holds every value.
    pub(crate) fn wide(self) -> Wide {
        match self {
            Self::F16 | Self::F32 | Self::Bool | Self::Int { bits: 8 | 16, .. } => Wide::F32,
            Self::Int { bits: 64, signed: true } => Wide::I64,
            Self::Int { bits: 64, signed: false } => Wide::U64,
            Self::F64 | Self::Int { .. } => Wide::F64,
        }
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::F16 => f.write_str("float16"),
            Self::F32 => f.write_str("float32"),
            Self::F64 => f.write_str("float64"),
            Self::Bool => f.write_str("bool"),
            Self::Int { bits, signed: true } => write!(f, "int{bits}"),
            Self::Int { bits, signed: false } => write!(f, "uint{bits}"),
        }
    }
}

/// All of a dataset, rounded once to float32.
pub(crate) fn read_f32(dataset: &Dataset) -> Result<ArrayD<f32>, String> {
    let dtype = Dtype::of(dataset).map_err(|found| format!("holds {found}, expected numbers"))?;
    let read = match dtype {
        Dtype::F16 | Dtype::F32 => dataset.read_dyn::<f32>(),
        Dtype::F64 => dataset.read_dyn::<f64>().map(|a| a.mapv(|v| v as f32)),
        Dtype::Int { bits: 64, signed: false } => {
            dataset.read_dyn::<u64>().map(|a| a.mapv(|v| v as f32))
        }
        Dtype::Bool | Dtype::Int { .. } => dataset.read_dyn::<i64>().map(|a| a.mapv(|v| v as f32)),
    };
    read.map_err(|e| format!("cannot be read: {e}"))
}

/// All of a dataset in float64, which must hold every value of its dtype.
pub(crate) fn read_f64(dataset: &Dataset) -> Result<ArrayD<f64>, String> {
    match Dtype::of(dataset).map_err(|found| format!("holds {found}, expected numbers"))? {
        Dtype::Int { bits: 64, .. } => {
            Err("holds 64-bit integers, expected floats or shorter integers".to_owned())
        }
        _ => dataset.read_dyn::<f64>().map_err(|e| format!("cannot be read: {e}")),
    }
}

/// Rows `start..end` of a dataset in C order; of the last axis only `columns`, if given.
pub(crate) fn read_rows<T: H5Type>(
    dataset: &Dataset,
    rank: usize,
    rows: Range<usize>,
    columns: Option<&Range<usize>>,
) -> Result<Vec<T>, hdf5::Error> {
    let selected = match (columns, rank) {
        (Some(columns), 2..) => selection(rank, rows, columns.clone().into()),
        _ => selected_rows(rank, rows.start, rows.end),
    };
    let array: ArrayD<T> = dataset.read_slice::<T, _, IxDyn>(selected)?;
    // The library fills C-contiguous memory, so this is a move.
    Ok(array.into_raw_vec_and_offset().0)
}

/// The selection of rows `start..end`.
pub(crate) fn selected_rows(rank: usize, start: usize, end: usize) -> Selection {
    selection(rank, start..end, (..).into())
}

fn selection(rank: usize, rows: Range<usize>, last: SliceOrIndex) -> Selection {
    let mut axes: Vec<SliceOrIndex> = vec![SliceOrIndex::from(..); rank];
    if let Some(axis) = axes.last_mut() {
        *axis = last;
    }
    if let Some(axis) = axes.first_mut() {
        *axis = rows.into();
    }
    Hyperslab::from(axes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_common_dtype_holds_all() {
        let int = |bits, signed| Dtype::Int { bits, signed };
        for (dtypes, expected) in [
            (vec![Dtype::F16, Dtype::F32, Dtype::Bool, int(16, true), int(8, false)], Wide::F32),
            (vec![Dtype::F32, int(32, true)], Wide::F64),
            (vec![int(32, false), int(32, true)], Wide::F64),
            (vec![Dtype::F16, Dtype::F64], Wide::F64),
            (vec![int(64, true)], Wide::I64),
            (vec![int(64, true), int(8, true), int(32, false), Dtype::Bool], Wide::I64),
            (vec![int(64, false), int(32, false), Dtype::Bool], Wide::U64),
            (vec![int(64, false), int(64, true)], Wide::F64),
            (vec![int(64, false), int(8, true)], Wide::F64),
            (vec![int(64, true), Dtype::F16], Wide::F64),
            (vec![int(16, false), int(32, false)], Wide::F64),
        ] {
            assert_eq!(Wide::of_all(dtypes.iter().copied()), expected, "{dtypes:?}");
            assert_eq!(Wide::of_all(dtypes.iter().rev().copied()), expected, "{dtypes:?}");
        }
    }
}
