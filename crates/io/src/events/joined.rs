//! Several datasets beside each other: one for each feature of an input.

use bittrue_block::EventData;

use super::stream::Stream;

/// The parts of an input. An event is a number of rows, each with the numbers of every part in turn.
#[derive(Debug)]
pub(super) struct Joined {
    parts: Vec<Stream>,
    /// Rows of an event.
    outer: usize,
}

impl Joined {
    pub(super) fn new(parts: Vec<Stream>, outer: usize) -> Self {
        Self { parts, outer: outer.max(1) }
    }

    pub(super) fn elements(&self) -> usize {
        self.parts.iter().map(Stream::elements).sum()
    }

    pub(super) fn read(&mut self, start: usize, end: usize) -> Result<EventData, String> {
        let widths: Vec<usize> = self.parts.iter().map(|p| p.elements() / self.outer).collect();
        let parts =
            self.parts.iter_mut().map(|p| p.read(start, end)).collect::<Result<Vec<_>, _>>()?;
        let rows = (end - start) * self.outer;
        macro_rules! same {
            ($variant:ident) => {{
                let parts: Option<Vec<&Vec<_>>> = parts
                    .iter()
                    .map(|p| match p {
                        EventData::$variant(values) => Some(values),
                        _ => None,
                    })
                    .collect();
                if let Some(parts) = parts {
                    return Ok(EventData::$variant(interleave(&parts, &widths, rows)));
                }
            }};
        }
        same!(F32);
        same!(F64);
        same!(I64);
        same!(U64);
        let wide = parts.iter().map(to_f64).collect::<Result<Vec<_>, _>>()?;
        Ok(EventData::F64(interleave(&wide.iter().collect::<Vec<_>>(), &widths, rows)))
    }
}

fn interleave<T: Copy>(parts: &[&Vec<T>], widths: &[usize], rows: usize) -> Vec<T> {
    let mut all = Vec::with_capacity(parts.iter().map(|p| p.len()).sum());
    for row in 0..rows {
        for (part, &width) in parts.iter().zip(widths) {
            all.extend_from_slice(&part[row * width..(row + 1) * width]);
        }
    }
    all
}

/// Values of different dtypes have float64 in common, unless an integer is too large for it.
fn to_f64(data: &EventData) -> Result<Vec<f64>, String> {
    let integer = |v: i128| {
        let wide = v as f64;
        match wide as i128 == v {
            true => Ok(wide),
            false => Err(format!("{v} is not exact in float64, which the other columns need")),
        }
    };
    match data {
        EventData::F32(v) => Ok(v.iter().map(|&v| v.into()).collect()),
        EventData::F64(v) => Ok(v.clone()),
        EventData::I64(v) => v.iter().map(|&v| integer(v.into())).collect(),
        EventData::U64(v) => v.iter().map(|&v| integer(v.into())).collect(),
    }
}
