//! The values of events, read forward.

use std::fs::File;
use std::io::BufReader;
use std::ops::Range;
use std::sync::Arc;

use bittrue_block::EventData;

use super::columns::Class;
use super::lines::{Line, Lines, shown};
use super::number::{integer, real};
use super::scan::{Table, is_comment};
use crate::number::Wide;

/// Some columns of a table.
#[derive(Debug)]
pub(in crate::events) struct Rows {
    table: Arc<Table>,
    /// For each column up to the last one that is wanted, where its value goes.
    places: Vec<Option<usize>>,
    elements: usize,
    /// Whether all of them hold only integers.
    integers: bool,
    /// The lines behind those that have been read, and how many events these were.
    lines: Option<(Lines<BufReader<File>>, usize)>,
}

impl Rows {
    /// Prepares to read columns of a table, in this order.
    pub(in crate::events) fn new(table: Arc<Table>, columns: &[usize]) -> Result<Self, String> {
        if let Some(complaint) = table.columns.complaint(columns.iter().copied()) {
            return Err(complaint);
        }
        let classes = &table.columns.classes;
        let integers = columns.iter().all(|&c| classes.get(c) == Some(&Class::Integer));
        let mut places = vec![None; columns.iter().max().map_or(0, |last| last + 1)];
        for (place, &column) in columns.iter().enumerate() {
            places[column] = Some(place);
        }
        Ok(Self { places, elements: columns.len(), integers, lines: None, table })
    }

    /// Values per event.
    pub(in crate::events) fn elements(&self) -> usize {
        self.elements
    }

    /// The dtype of its values.
    pub(in crate::events) fn dtype(&self) -> Wide {
        if self.integers { Wide::I64 } else { Wide::F64 }
    }

    /// The values of some events.
    pub(in crate::events) fn read(&mut self, events: Range<usize>) -> Result<EventData, String> {
        match self.integers {
            true => self.fill(events, 0, integer).map(EventData::I64),
            false => self.fill(events, 0.0, real).map(EventData::F64),
        }
    }

    fn fill<T: Copy>(
        &mut self,
        events: Range<usize>,
        zero: T,
        read: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<Vec<T>, String> {
        let ahead = self.lines.take().filter(|(_, next)| *next <= events.start);
        let (mut lines, mut next) = match ahead {
            Some(ahead) => ahead,
            None => {
                let (lines, before) = self.table.lines_before(events.start)?;
                (lines, events.start - before)
            }
        };
        let mut values = vec![zero; events.len() * self.elements];
        while next < events.end {
            let Some(Line { text, number, .. }) = lines.next()? else {
                return Err(format!(
                    "it ends behind {next} events, but had {} when it was opened",
                    self.table.events
                ));
            };
            if is_comment(text) {
                continue;
            }
            if next >= events.start {
                let event = &mut values[(next - events.start) * self.elements..][..self.elements];
                self.row(text, number, event, &read)?;
            }
            next += 1;
        }
        self.lines = Some((lines, next));
        Ok(values)
    }

    fn row<T>(
        &self,
        text: &[u8],
        number: u64,
        event: &mut [T],
        read: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<(), String> {
        let mut fields = self.table.separator.split(text);
        // The file has been seen as a whole, and may have been changed since then.
        for (column, place) in self.places.iter().enumerate() {
            let field = fields
                .next()
                .ok_or_else(|| format!("line {number} has lost {}", self.called(column)))?;
            if let Some(place) = place {
                event[*place] = read(field).ok_or_else(|| {
                    format!("line {number}, {}: `{}`", self.called(column), shown(field))
                })?;
            }
        }
        Ok(())
    }

    fn called(&self, column: usize) -> String {
        self.table.columns.called(column)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    fn rows(path: &Path, columns: &[usize]) -> Rows {
        Rows::new(Arc::new(Table::open(path).unwrap()), columns).unwrap()
    }

    #[test]
    fn columns_in_any_order() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.csv");
        fs::write(&path, "id,pt,name\n1,0.5,a\n#\n2,nan,b\n\n3,-1e3,c").unwrap();
        let read = rows(&path, &[1, 0]).read(0..3).unwrap();
        let EventData::F64(values) = read else { panic!() };
        assert_eq!([&values[..2], &values[3..]].concat(), [0.5, 1.0, 2.0, -1000.0, 3.0]);
        assert!(values[2].is_nan());
        assert_eq!(rows(&path, &[0]).read(1..3), Ok(EventData::I64(vec![2, 3])));
        let complaint = Rows::new(Arc::new(Table::open(&path).unwrap()), &[2]).unwrap_err();
        assert!(complaint.contains("column 3 (`name`): line 2 has `a`"), "{complaint}");
    }

    #[test]
    fn events_far_from_the_start() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.dat");
        let text: String = (0..10_000).map(|i| format!("{i} {}.5 \n", 2 * i)).collect();
        fs::write(&path, text).unwrap();
        for (start, end) in [(0, 1), (4095, 4097), (4096, 4098), (9_999, 10_000), (5, 9_000)] {
            let mut rows = rows(&path, &[0]);
            let expected = (start..end).map(|i| i as i64).collect();
            assert_eq!(rows.read(start..end), Ok(EventData::I64(expected)));
        }
        // Forward, with gaps.
        let mut rows = rows(&path, &[1]);
        for start in [0, 7, 4_000, 8_200, 8_201] {
            let expected = EventData::F64(vec![2.0 * start as f64 + 0.5]);
            assert_eq!(rows.read(start..start + 1), Ok(expected), "{start}");
        }
    }

    #[test]
    fn files_that_change() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.dat");
        for (later, why) in [
            ("1 2\n3 4\n", "it ends behind 2 events, but had 3 when it was opened"),
            ("1 2\n3 4\n5\n", "line 3 has lost column 2"),
            ("1 2\n3 4\n5 6.5\n", "line 3, column 2: `6.5`"),
        ] {
            fs::write(&path, "1 2\n3 4\n5 6\n").unwrap();
            let mut rows = rows(&path, &[0, 1]);
            fs::write(&path, later).unwrap();
            assert_eq!(rows.read(0..2), Ok(EventData::I64(vec![1, 2, 3, 4])));
            assert_eq!(rows.read(2..3), Err(why.to_owned()));
        }
    }
}
