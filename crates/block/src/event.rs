//! Events as read from a file.

/// Consecutive events of a file, with one array for each input of the model.
#[derive(Debug, Clone, PartialEq)]
pub struct EventBlock {
    /// Row of the first event in the file, 0-based, counted before any `--skip`.
    pub first: u64,
    /// Number of events.
    pub count: usize,
    /// The inputs, in the model's order.
    pub inputs: Vec<InputEvents>,
}

/// The events of one model input, event-major: `[event, element]`, elements in C order.
#[derive(Debug, Clone, PartialEq)]
pub struct InputEvents {
    /// Elements per event (product of the input shape).
    pub elements: usize,
    /// `count * elements` values.
    pub data: EventData,
}

/// Values in a dtype that holds the file's dtype without loss.
#[derive(Debug, Clone, PartialEq)]
pub enum EventData {
    /// From float16, float32, and integers of up to 16 bits.
    F32(Vec<f32>),
    /// From float64, and integers of up to 32 bits.
    F64(Vec<f64>),
    /// From signed 64-bit integers.
    I64(Vec<i64>),
    /// From unsigned 64-bit integers.
    U64(Vec<u64>),
}

impl EventBlock {
    /// The values of some events, by their index in the block, for each input.
    pub fn pick(&self, events: &[usize]) -> Vec<EventData> {
        fn of<T: Copy>(values: &[T], elements: usize, events: &[usize]) -> Vec<T> {
            let rows = events.iter().map(|e| &values[e * elements..(e + 1) * elements]);
            rows.flatten().copied().collect()
        }
        let pick = |input: &InputEvents| match &input.data {
            EventData::F32(v) => EventData::F32(of(v, input.elements, events)),
            EventData::F64(v) => EventData::F64(of(v, input.elements, events)),
            EventData::I64(v) => EventData::I64(of(v, input.elements, events)),
            EventData::U64(v) => EventData::U64(of(v, input.elements, events)),
        };
        self.inputs.iter().map(pick).collect()
    }
}

impl EventData {
    /// Number of values.
    pub fn len(&self) -> usize {
        match self {
            Self::F32(v) => v.len(),
            Self::F64(v) => v.len(),
            Self::I64(v) => v.len(),
            Self::U64(v) => v.len(),
        }
    }

    /// The first `count` values.
    #[must_use]
    pub fn head(&self, count: usize) -> Self {
        match self {
            Self::F32(v) => Self::F32(v[..count].to_vec()),
            Self::F64(v) => Self::F64(v[..count].to_vec()),
            Self::I64(v) => Self::I64(v[..count].to_vec()),
            Self::U64(v) => Self::U64(v[..count].to_vec()),
        }
    }

    /// Whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Value `index` rounded once to float32 (to nearest, ties to even), as Keras does on entry.
    pub fn as_f32(&self, index: usize) -> f32 {
        match self {
            Self::F32(v) => v[index],
            Self::F64(v) => v[index] as f32,
            Self::I64(v) => v[index] as f32,
            Self::U64(v) => v[index] as f32,
        }
    }

    /// Value `index` as the double that hls4ml's C simulation takes.
    pub fn as_f64(&self, index: usize) -> f64 {
        match self {
            Self::F32(v) => v[index].into(),
            Self::F64(v) => v[index],
            Self::I64(v) => v[index] as f64,
            Self::U64(v) => v[index] as f64,
        }
    }

    /// Whether rounding value `index` to float32 changes it (NaN does not count as a change).
    pub fn rounds_to_f32(&self, index: usize) -> bool {
        match self {
            Self::F32(_) => false,
            Self::F64(v) => !v[index].is_nan() && f64::from(v[index] as f32) != v[index],
            Self::I64(v) => (v[index] as f32) as i128 != i128::from(v[index]),
            Self::U64(v) => (v[index] as f32) as i128 != i128::from(v[index]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_round_once() {
        // 2^24 + 1 + 2^-30 of the next tie: through f64 would be right here too, but 2^60 + 2^36
        // + 1 ties in f64 first.
        let v = (1_i64 << 60) + (1 << 36) + 1;
        let data = EventData::I64(vec![v, 7]);
        assert_eq!(data.as_f32(0), v as f32);
        assert_ne!(data.as_f32(0), (v as f64) as f32);
        assert!(data.rounds_to_f32(0));
        assert!(!data.rounds_to_f32(1));
    }

    #[test]
    fn events_are_picked_by_their_index() {
        let data = EventData::I64((0..8).collect());
        let block =
            EventBlock { first: 70, count: 4, inputs: vec![InputEvents { elements: 2, data }] };
        assert_eq!(block.pick(&[1, 3]), [EventData::I64(vec![2, 3, 6, 7])]);
        assert_eq!(block.pick(&[]), [EventData::I64(Vec::new())]);
    }

    #[test]
    fn float64_beyond_float32() {
        let data = EventData::F64(vec![0.1, 0.5, f64::NAN, 1e300]);
        assert_eq!(
            (0..4).map(|i| data.rounds_to_f32(i)).collect::<Vec<_>>(),
            [true, false, false, true]
        );
    }
}
