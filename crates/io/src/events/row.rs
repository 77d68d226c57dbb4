//! Numbers in the bytes of a row: the columns of an array, or the fields of a struct.

use std::ops::Range;

use bittrue_block::EventData;
use half::f16;

use crate::number::{Dtype, Wide};

/// Largest event, in bytes.
const MAX_ROW_BYTES: usize = 256 << 20;

/// A number as it lies in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scalar {
    pub(super) dtype: Dtype,
    pub(super) big_endian: bool,
}

/// Neighbouring numbers of a record that are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    /// Where they start in the record, in bytes.
    pub(super) offset: usize,
    /// How many there are.
    pub(super) count: usize,
    pub(super) scalar: Scalar,
}

/// Where the wanted numbers lie in the bytes of an event.
///
/// An event is a number of records of equal size, each with the same pieces: the structs of a
/// compound dataset, or the last axis of an array.
#[derive(Debug)]
pub(super) struct Row {
    record: usize,
    pieces: Vec<Piece>,
    bytes: usize,
    elements: usize,
    wide: Wide,
}

impl Row {
    /// An event of the shape `records`, each of `record` bytes.
    pub(super) fn new(
        record: usize,
        records: &[usize],
        pieces: Vec<Piece>,
    ) -> Result<Self, String> {
        let out_of_bounds =
            || format!("events of {records:?} times {record} bytes are out of bounds");
        let count = product(records).ok_or_else(out_of_bounds)?;
        let inside = |p: &Piece| {
            let bytes = p.count.checked_mul(p.scalar.dtype.size())?.checked_add(p.offset)?;
            (bytes <= record).then_some(p.count)
        };
        let per_record = pieces.iter().try_fold(0usize, |n, p| n.checked_add(inside(p)?));
        let elements = per_record.and_then(|n| n.checked_mul(count)).filter(|&n| n > 0);
        let bytes = record.checked_mul(count).filter(|&n| n <= MAX_ROW_BYTES);
        let (Some(elements), Some(bytes)) = (elements, bytes) else {
            return Err(out_of_bounds());
        };
        // Values may be wanted more than once, but not without end.
        if elements > MAX_ROW_BYTES {
            return Err(out_of_bounds());
        }
        let wide = Wide::of_all(pieces.iter().map(|p| p.scalar.dtype));
        Ok(Self { record, pieces, bytes, elements, wide })
    }

    /// Bytes of an event.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Wanted numbers of an event.
    pub(super) fn elements(&self) -> usize {
        self.elements
    }

    /// The dtype of its values.
    pub(super) fn dtype(&self) -> Wide {
        self.wide
    }

    /// An empty list of the dtype that holds all of them.
    pub(super) fn empty(&self) -> EventData {
        match self.wide {
            Wide::F32 => EventData::F32(Vec::new()),
            Wide::F64 => EventData::F64(Vec::new()),
            Wide::I64 => EventData::I64(Vec::new()),
            Wide::U64 => EventData::U64(Vec::new()),
        }
    }

    /// Appends the wanted numbers of whole events.
    pub(super) fn decode(&self, bytes: &[u8], into: &mut EventData) -> Result<(), String> {
        match into {
            EventData::F32(v) => self.extend(bytes, v),
            EventData::F64(v) => self.extend(bytes, v),
            EventData::I64(v) => self.extend(bytes, v),
            EventData::U64(v) => self.extend(bytes, v),
        }
    }

    /// Whether an event is nothing but its numbers, as this machine has them.
    pub(super) fn is_as_stored(&self) -> bool {
        let [piece] = self.pieces.as_slice() else { return false };
        let Scalar { dtype, big_endian } = piece.scalar;
        let same = match self.wide {
            Wide::F32 => dtype == Dtype::F32,
            Wide::F64 => dtype == Dtype::F64,
            Wide::I64 | Wide::U64 => true,
        };
        same && big_endian == cfg!(target_endian = "big")
            && self.elements * dtype.size() == self.bytes
    }

    /// Makes room for so many events.
    pub(super) fn resize(&self, events: usize, data: &mut EventData) {
        let values = events * self.elements;
        match data {
            EventData::F32(v) => v.resize(values, 0.0),
            EventData::F64(v) => v.resize(values, 0.0),
            EventData::I64(v) => v.resize(values, 0),
            EventData::U64(v) => v.resize(values, 0),
        }
    }

    /// The memory of some events that are [as stored](Self::is_as_stored).
    pub(super) fn stored<'a>(&self, events: Range<usize>, data: &'a mut EventData) -> &'a mut [u8] {
        let values = events.start * self.elements..events.end * self.elements;
        match data {
            EventData::F32(v) => bytemuck::cast_slice_mut(&mut v[values]),
            EventData::F64(v) => bytemuck::cast_slice_mut(&mut v[values]),
            EventData::I64(v) => bytemuck::cast_slice_mut(&mut v[values]),
            EventData::U64(v) => bytemuck::cast_slice_mut(&mut v[values]),
        }
    }

    fn extend<T: Exact>(&self, bytes: &[u8], into: &mut Vec<T>) -> Result<(), String> {
        into.reserve(bytes.len() / self.bytes * self.elements);
        for record in bytes.chunks_exact(self.record) {
            for p in &self.pieces {
                let bytes = &record[p.offset..p.offset + p.count * p.scalar.dtype.size()];
                numbers(p.scalar, bytes, into).ok_or_else(|| match p.scalar.dtype {
                    Dtype::Bool => "a boolean is neither 0 nor 1".to_owned(),
                    dtype => format!(
                        "one of the {dtype} values is not exact in float64, which the other \
                         fields need"
                    ),
                })?;
            }
        }
        Ok(())
    }
}

/// The number of elements of a shape, unless there are too many to count.
pub(super) fn product(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d))
}

/// Appends numbers; `None` where one cannot be held.
fn numbers<T: Exact>(scalar: Scalar, bytes: &[u8], into: &mut Vec<T>) -> Option<()> {
    let big = scalar.big_endian;
    match scalar.dtype {
        Dtype::F16 => each(bytes, big, into, |b| T::float32(f16::from_le_bytes(b).to_f32())),
        Dtype::F32 => each(bytes, big, into, |b| T::float32(f32::from_le_bytes(b))),
        Dtype::F64 => each(bytes, big, into, |b| T::float64(f64::from_le_bytes(b))),
        Dtype::Bool => {
            each(bytes, big, into, |[b]| if b < 2 { T::unsigned(b.into()) } else { None })
        }
        Dtype::Int { bits: 8, signed: true } => {
            each(bytes, big, into, |b| T::signed(i8::from_le_bytes(b).into()))
        }
        Dtype::Int { bits: 16, signed: true } => {
            each(bytes, big, into, |b| T::signed(i16::from_le_bytes(b).into()))
        }
        Dtype::Int { bits: 32, signed: true } => {
            each(bytes, big, into, |b| T::signed(i32::from_le_bytes(b).into()))
        }
        Dtype::Int { signed: true, .. } => {
            each(bytes, big, into, |b| T::signed(i64::from_le_bytes(b)))
        }
        Dtype::Int { bits: 8, signed: false } => {
            each(bytes, big, into, |[b]| T::unsigned(b.into()))
        }
        Dtype::Int { bits: 16, signed: false } => {
            each(bytes, big, into, |b| T::unsigned(u16::from_le_bytes(b).into()))
        }
        Dtype::Int { bits: 32, signed: false } => {
            each(bytes, big, into, |b| T::unsigned(u32::from_le_bytes(b).into()))
        }
        Dtype::Int { signed: false, .. } => {
            each(bytes, big, into, |b| T::unsigned(u64::from_le_bytes(b)))
        }
    }
}

fn each<T, const N: usize>(
    bytes: &[u8],
    big_endian: bool,
    into: &mut Vec<T>,
    convert: impl Fn([u8; N]) -> Option<T>,
) -> Option<()> {
    for &bytes in bytes.as_chunks::<N>().0 {
        let mut bytes = bytes;
        if big_endian {
            bytes.reverse();
        }
        into.push(convert(bytes)?);
    }
    Some(())
}

/// A dtype of events; a number that it cannot hold becomes `None`.
pub(super) trait Exact: Copy {
    fn float32(v: f32) -> Option<Self>;
    fn float64(v: f64) -> Option<Self>;
    fn signed(v: i64) -> Option<Self>;
    fn unsigned(v: u64) -> Option<Self>;
}

/// Whether an integer has at most so many significant bits.
fn fits(magnitude: u64, bits: u32) -> bool {
    magnitude == 0 || magnitude >> magnitude.trailing_zeros() < 1 << bits
}

impl Exact for f32 {
    fn float32(v: f32) -> Option<Self> {
        Some(v)
    }
    fn float64(v: f64) -> Option<Self> {
        let narrow = v as f32;
        (f64::from(narrow) == v || v.is_nan()).then_some(narrow)
    }
    fn signed(v: i64) -> Option<Self> {
        fits(v.unsigned_abs(), f32::MANTISSA_DIGITS).then_some(v as f32)
    }
    fn unsigned(v: u64) -> Option<Self> {
        fits(v, f32::MANTISSA_DIGITS).then_some(v as f32)
    }
}

impl Exact for f64 {
    fn float32(v: f32) -> Option<Self> {
        Some(v.into())
    }
    fn float64(v: f64) -> Option<Self> {
        Some(v)
    }
    fn signed(v: i64) -> Option<Self> {
        fits(v.unsigned_abs(), f64::MANTISSA_DIGITS).then_some(v as f64)
    }
    fn unsigned(v: u64) -> Option<Self> {
        fits(v, f64::MANTISSA_DIGITS).then_some(v as f64)
    }
}

impl Exact for i64 {
    fn float32(v: f32) -> Option<Self> {
        Self::float64(v.into())
    }
    fn float64(v: f64) -> Option<Self> {
        let whole = v.trunc() == v && (-(2f64.powi(63))..2f64.powi(63)).contains(&v);
        whole.then_some(v as Self)
    }
    fn signed(v: i64) -> Option<Self> {
        Some(v)
    }
    fn unsigned(v: u64) -> Option<Self> {
        v.try_into().ok()
    }
}

impl Exact for u64 {
    fn float32(v: f32) -> Option<Self> {
        Self::float64(v.into())
    }
    fn float64(v: f64) -> Option<Self> {
        let whole = v.trunc() == v && (0.0..2f64.powi(64)).contains(&v);
        whole.then_some(v as Self)
    }
    fn signed(v: i64) -> Option<Self> {
        v.try_into().ok()
    }
    fn unsigned(v: u64) -> Option<Self> {
        Some(v)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn int(bits: u32, signed: bool) -> Dtype {
        Dtype::Int { bits, signed }
    }

    fn piece(offset: usize, count: usize, dtype: Dtype, big_endian: bool) -> Piece {
        Piece { offset, count, scalar: Scalar { dtype, big_endian } }
    }

    fn read(row: &Row, bytes: &[u8]) -> Result<EventData, String> {
        let mut data = row.empty();
        row.decode(bytes, &mut data).map(|()| data)
    }

    #[test]
    fn fields_of_two_records_per_event() {
        // u1, padding, big-endian i2, little-endian f4.
        let mut bytes = Vec::new();
        for i in 0..4u8 {
            bytes.extend([200 + i, 0xee]);
            bytes.extend((-300 - i16::from(i)).to_be_bytes());
            bytes.extend((f32::from(i) + 0.5).to_le_bytes());
        }
        let pieces = vec![
            piece(4, 1, Dtype::F32, false),
            piece(0, 1, int(8, false), false),
            piece(2, 1, int(16, true), true),
        ];
        let row = Row::new(8, &[2], pieces).unwrap();
        assert_eq!((row.bytes(), row.elements()), (16, 6));
        let expected = EventData::F32(
            (0..4u8)
                .flat_map(|i| {
                    let f = f32::from(i);
                    [f + 0.5, 200.0 + f, -300.0 - f]
                })
                .collect(),
        );
        assert_eq!(read(&row, &bytes), Ok(expected));
    }

    #[test]
    fn mixed_dtypes_lose_nothing_or_fail() {
        let mixed = Row::new(
            16,
            &[],
            vec![piece(0, 1, int(64, true), false), piece(8, 1, Dtype::F64, false)],
        )
        .unwrap();
        let event = |a: i64, b: f64| [a.to_le_bytes(), b.to_le_bytes()].concat();
        assert_eq!(
            read(&mixed, &event(-(1 << 53), 0.1)),
            Ok(EventData::F64(vec![-9_007_199_254_740_992.0, 0.1]))
        );
        // More than 53 bits, but zeros at the end.
        assert_eq!(
            read(&mixed, &event(i64::MIN, 0.0)),
            Ok(EventData::F64(vec![-(2f64.powi(63)), 0.0]))
        );
        for odd in [(1 << 53) + 1, i64::MAX, -(1 << 53) - 1] {
            let error = read(&mixed, &event(odd, 0.0)).unwrap_err();
            assert!(error.contains("int64 values is not exact in float64"), "{error}");
        }
        let both = Row::new(
            16,
            &[],
            vec![piece(0, 1, int(64, true), false), piece(8, 1, int(64, false), false)],
        )
        .unwrap();
        assert!(matches!(both.empty(), EventData::F64(_)));
        let event = [(-1i64).to_le_bytes(), u64::MAX.to_le_bytes()].concat();
        assert!(read(&both, &event).unwrap_err().contains("uint64 values"));
    }

    #[test]
    fn booleans() {
        let row = Row::new(3, &[], vec![piece(0, 3, Dtype::Bool, false)]).unwrap();
        assert_eq!(read(&row, &[0, 1, 1]), Ok(EventData::F32(vec![0.0, 1.0, 1.0])));
        assert!(read(&row, &[0, 2, 1]).unwrap_err().contains("neither 0 nor 1"));
    }

    #[test]
    fn pieces_lie_in_the_record() {
        let f32s = |offset, count| vec![piece(offset, count, Dtype::F32, false)];
        assert!(Row::new(8, &[], f32s(4, 1)).is_ok());
        for (record, records, pieces) in [
            (8, vec![], f32s(5, 1)),
            (8, vec![], f32s(0, 3)),
            (8, vec![], f32s(usize::MAX, 1)),
            (8, vec![], f32s(0, usize::MAX)),
            (8, vec![], f32s(0, 0)),
            (8, vec![], Vec::new()),
            (8, vec![0], f32s(0, 1)),
            (8, vec![usize::MAX, 2], f32s(0, 1)),
            (8, vec![MAX_ROW_BYTES], f32s(0, 1)),
            (0, vec![], f32s(0, 1)),
        ] {
            assert!(Row::new(record, &records, pieces).is_err(), "{record} {records:?}");
        }
    }

    #[test]
    fn whole_numbers() {
        let edge = 2f64.powi(63);
        assert_eq!(i64::float64(-edge), Some(i64::MIN));
        assert_eq!(i64::float32(-7.0), Some(-7));
        assert_eq!(u64::float64(edge), Some(1 << 63));
        for v in [edge, 0.5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(i64::float64(v), None, "{v}");
        }
        assert_eq!([-1.0, 2.0 * edge, 1.5].map(u64::float64), [None; 3]);
    }

    #[test]
    fn significant_bits() {
        assert!(fits(0, 24) && fits(1, 24) && fits((1 << 24) - 1, 24) && fits(1 << 63, 24));
        assert!(fits(((1 << 24) - 1) << 40, 24));
        assert!(!fits((1 << 24) + 1, 24) && !fits(u64::MAX, 53));
    }
}
