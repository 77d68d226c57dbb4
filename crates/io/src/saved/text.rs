//! Events as text: one a line, as hls4ml's test benches read them.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use bittrue_block::EventData;

/// A `.dat` file.
#[derive(Debug)]
pub(super) struct TextEvents(BufWriter<File>);

impl TextEvents {
    pub(super) fn create(path: &Path) -> Result<Self, String> {
        File::create(path).map(|file| Self(BufWriter::new(file))).map_err(|e| e.to_string())
    }

    pub(super) fn append(&mut self, events: usize, inputs: &[EventData]) -> Result<(), String> {
        for event in 0..events {
            let mut line = String::new();
            for input in inputs {
                let elements = input.len() / events.max(1);
                for at in event * elements..(event + 1) * elements {
                    if !line.is_empty() {
                        line.push(' ');
                    }
                    line += &number(input, at);
                }
            }
            line.push('\n');
            self.0.write_all(line.as_bytes()).map_err(|e| e.to_string())?;
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<(), String> {
        let file = self.0.into_inner().map_err(|e| e.to_string())?;
        file.sync_all().map_err(|e| e.to_string())
    }
}

/// The shortest text that is read back as the same double; integers with all digits.
fn number(data: &EventData, at: usize) -> String {
    let x = match data {
        EventData::F32(v) => f64::from(v[at]),
        EventData::F64(v) => v[at],
        EventData::I64(v) => return v[at].to_string(),
        EventData::U64(v) => return v[at].to_string(),
    };
    if x == 0.0 || (1e-5..1e15).contains(&x.abs()) {
        format!("{x}")
    } else if x.is_nan() {
        "nan".to_owned()
    } else {
        // Infinities are `inf` and `-inf`.
        format!("{x:e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_comes_back() {
        let values = vec![
            0.1,
            -0.0,
            1e-40,
            f64::MAX,
            f64::MIN_POSITIVE,
            1.0 / 3.0,
            1e15,
            123456.789,
            -5e-324,
        ];
        let data = EventData::F64(values.clone());
        for (at, value) in values.iter().enumerate() {
            let read: f64 = number(&data, at).parse().expect("a number");
            assert_eq!(read.to_bits(), value.to_bits());
        }
        // A float32 as the double that it is, not as the shortest float32.
        assert_eq!(number(&EventData::F32(vec![0.1]), 0), "0.10000000149011612");
        let odd = EventData::F64(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY]);
        assert_eq!([0, 1, 2].map(|at| number(&odd, at)), ["nan", "inf", "-inf"]);
        assert_eq!(number(&EventData::U64(vec![u64::MAX]), 0), "18446744073709551615");
    }
}
