//! Values in the one dtype that a saved dataset has.

use std::borrow::Cow;

use bittrue_block::EventData;

use crate::number::Wide;

/// The values in `dtype`, without loss; else the index of the first one that it does not hold.
pub(super) fn cast(data: &EventData, dtype: Wide) -> Result<Cow<'_, EventData>, usize> {
    let cast = match (data, dtype) {
        (EventData::F32(_), Wide::F32)
        | (EventData::F64(_), Wide::F64)
        | (EventData::I64(_), Wide::I64)
        | (EventData::U64(_), Wide::U64) => return Ok(Cow::Borrowed(data)),
        (EventData::F32(v), Wide::F64) => EventData::F64(v.iter().map(|&x| x.into()).collect()),
        (EventData::F64(v), Wide::F32) => {
            let exact = |x: f64| {
                let narrow = x as f32;
                (x.is_nan() || f64::from(narrow) == x).then_some(narrow)
            };
            EventData::F32(each(v, exact)?)
        }
        (EventData::I64(v), Wide::F32) => EventData::F32(each(v, |x| small(x.into()))?),
        (EventData::I64(v), Wide::F64) => EventData::F64(each(v, |x| double(x.into()))?),
        (EventData::I64(v), Wide::U64) => EventData::U64(each(v, |x| u64::try_from(x).ok())?),
        (EventData::U64(v), Wide::F32) => EventData::F32(each(v, |x| small(x.into()))?),
        (EventData::U64(v), Wide::F64) => EventData::F64(each(v, |x| double(x.into()))?),
        (EventData::U64(v), Wide::I64) => EventData::I64(each(v, |x| i64::try_from(x).ok())?),
        // A real may be −0, or have a fraction.
        (EventData::F32(_) | EventData::F64(_), Wide::I64 | Wide::U64) => return Err(0),
    };
    Ok(Cow::Owned(cast))
}

fn each<T: Copy, U>(values: &[T], exact: impl Fn(T) -> Option<U>) -> Result<Vec<U>, usize> {
    values.iter().enumerate().map(|(at, &value)| exact(value).ok_or(at)).collect()
}

fn double(x: i128) -> Option<f64> {
    let real = x as f64;
    (real as i128 == x).then_some(real)
}

fn small(x: i128) -> Option<f32> {
    let real = x as f32;
    (real as i128 == x).then_some(real)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(data: EventData, dtype: Wide) -> Result<EventData, usize> {
        cast(&data, dtype).map(Cow::into_owned)
    }

    #[test]
    fn floats_widen() {
        let widened = of(EventData::F32(vec![0.1, -0.0, f32::INFINITY]), Wide::F64);
        let expected = EventData::F64(vec![0.10000000149011612, 0.0, f64::INFINITY]);
        assert_eq!(widened, Ok(expected));
        assert_eq!(of(EventData::F64(vec![0.5, 0.1]), Wide::F32), Err(1));
    }

    #[test]
    fn integers_become_reals_where_these_hold_them() {
        let most = (1 << 53) + 1;
        let data = EventData::I64(vec![i64::MIN, most - 1, most]);
        assert_eq!(of(data, Wide::F64), Err(2));
        let data = EventData::I64(vec![i64::MIN, most - 1]);
        let reals = EventData::F64(vec![-(2f64.powi(63)), 2f64.powi(53)]);
        assert_eq!(of(data, Wide::F64), Ok(reals));
        // The nearest double of the largest integer is one more.
        assert_eq!(of(EventData::U64(vec![0, u64::MAX]), Wide::F64), Err(1));
        assert_eq!(of(EventData::U64(vec![7, 1 << 63]), Wide::I64), Err(1));
        assert_eq!(of(EventData::U64(vec![7]), Wide::I64), Ok(EventData::I64(vec![7])));
        assert_eq!(of(EventData::F64(vec![1.0]), Wide::I64), Err(0));
    }
}
