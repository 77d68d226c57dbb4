//! What is taken of a dataset: `PATH`, `PATH[a:b]` or `PATH[name,…]`.

use std::ops::Range;

use super::catalogue::{Entry, Kind, Record, list_names};
use super::row::{Piece, Row, Scalar};

/// What is taken of a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pick {
    /// Everything.
    All,
    /// A part of the last axis.
    Columns(Range<usize>),
    /// Fields of a struct by index, in this order.
    Fields(Vec<usize>),
    /// Columns of a table by index, in this order.
    Listed(Vec<usize>),
}

/// Takes `PATH[…]` apart; the second part is absent where nothing is chosen.
pub(super) fn split(text: &str) -> (&str, Option<&str>) {
    match text.strip_suffix(']').and_then(|t| t.rsplit_once('[')) {
        Some((path, inside)) => (path, Some(inside)),
        None => (text, None),
    }
}

impl Pick {
    /// What the text between the brackets takes of a dataset.
    pub(super) fn parse(inside: &str, entry: &Entry) -> Result<Self, String> {
        match &entry.kind {
            Kind::Record(record) => fields(inside, record).map(Self::Fields),
            Kind::Numbers(_) => columns(inside, &entry.shape).map(Self::Columns),
            Kind::Table(_) if inside.contains(':') => {
                columns(inside, &entry.shape).map(Self::Columns)
            }
            Kind::Table(names) => listed(inside.split(',').map(str::trim), names).map(Self::Listed),
            Kind::Other(name) => Err(format!("holds {name}, of which nothing can be chosen")),
        }
    }

    /// `[event, …]` of what is taken.
    pub(super) fn shape(&self, entry: &Entry) -> Vec<usize> {
        let mut shape = entry.shape.clone();
        match (self, &entry.kind) {
            (Self::Columns(columns), _) => {
                if let Some(last) = shape.last_mut() {
                    *last = columns.len();
                }
            }
            (Self::Listed(columns), _) => {
                if let Some(last) = shape.last_mut() {
                    *last = columns.len();
                }
            }
            (Self::Fields(fields), Kind::Record(record)) => {
                let count = |&f: &usize| record.fields.get(f).map_or(0, |field| field.count);
                shape.push(fields.iter().map(count).fold(0, usize::saturating_add));
            }
            _ => {}
        }
        shape
    }

    /// What stands behind the path in messages and in the report.
    pub(super) fn suffix(&self, entry: &Entry) -> String {
        match (self, &entry.kind) {
            (Self::Columns(columns), _) => format!("[{}:{}]", columns.start, columns.end),
            (Self::Fields(fields), Kind::Record(record)) => {
                let names: Vec<&str> = fields
                    .iter()
                    .filter_map(|&f| record.fields.get(f).map(|f| f.name.as_str()))
                    .collect();
                format!("[{}]", names.join(","))
            }
            (Self::Listed(columns), Kind::Table(names)) => {
                let names: Vec<&str> =
                    columns.iter().filter_map(|&c| names.get(c).map(String::as_str)).collect();
                format!("[{}]", names.join(","))
            }
            _ => String::new(),
        }
    }

    /// Where the numbers lie in the rows of an array of shape `[event, …]`.
    pub(super) fn row_of_numbers(&self, shape: &[usize], scalar: Scalar) -> Result<Row, String> {
        let size = scalar.dtype.size();
        let piece = |columns: &Range<usize>| Piece {
            offset: columns.start.saturating_mul(size),
            count: columns.len(),
            scalar,
        };
        match shape {
            [_, outer @ .., last] => {
                let columns = match self {
                    Self::Columns(columns) => columns.clone(),
                    _ => 0..*last,
                };
                Row::new(last.saturating_mul(size), outer, vec![piece(&columns)])
            }
            _ => Row::new(size, &[], vec![piece(&(0..1))]),
        }
    }

    /// Where the fields lie in the rows of an array of structs.
    pub(super) fn row_of_fields(&self, shape: &[usize], record: &Record) -> Result<Row, String> {
        let Self::Fields(fields) = self else {
            return Err(format!("holds {}", Kind::Record(record.clone())));
        };
        let mut pieces = Vec::with_capacity(fields.len());
        for field in fields.iter().filter_map(|&f| record.fields.get(f)) {
            let scalar = field.scalar.clone().map_err(|what| holds(&field.name, &what))?;
            pieces.push(Piece { offset: field.offset, count: field.count, scalar });
        }
        Row::new(record.size, shape.get(1..).unwrap_or_default(), pieces)
    }
}

fn holds(field: &str, what: &str) -> String {
    format!("field {field} holds {what}, expected numbers")
}

/// Columns of a table by their names.
pub(super) fn listed<'n>(
    wanted: impl Iterator<Item = &'n str>,
    names: &[String],
) -> Result<Vec<usize>, String> {
    let mut chosen = Vec::new();
    for name in wanted {
        let Some(index) = names.iter().position(|n| n == name) else {
            return Err(match names {
                [] => format!("has no names of columns, and {name} is asked for"),
                _ => format!("has no column {name}; its columns are {}", list_names(names)),
            });
        };
        if chosen.contains(&index) {
            return Err(format!("is asked for its column {name} twice"));
        }
        chosen.push(index);
    }
    Ok(chosen)
}

fn fields(inside: &str, record: &Record) -> Result<Vec<usize>, String> {
    let mut chosen = Vec::new();
    for name in inside.split(',').map(str::trim) {
        let Some(index) = record.fields.iter().position(|f| f.name == name) else {
            return Err(format!("has no field {name}; its fields are {}", record.names()));
        };
        if chosen.contains(&index) {
            return Err(format!("is asked for its field {name} twice"));
        }
        if let Err(what) = &record.fields[index].scalar {
            return Err(holds(name, what));
        }
        chosen.push(index);
    }
    Ok(chosen)
}

/// Columns as in Python: half-open, either end may be missing, negative ones count from the end.
/// What lies outside is an error, not cut off.
fn columns(inside: &str, shape: &[usize]) -> Result<Range<usize>, String> {
    let [_, .., last] = shape else {
        return Err(format!("has shape {shape:?}, without columns to choose [{inside}] of"));
    };
    let Some((from, to)) = inside.split_once(':') else {
        return Err(format!(
            "holds numbers, no fields: choose columns as [a:b] instead of [{inside}]"
        ));
    };
    let place = |text: &str, default: usize| {
        let text = text.trim();
        if text.is_empty() {
            return Ok(default);
        }
        let wrong = || format!("cannot be asked for [{inside}]: {text} is no whole number");
        let place: i64 = text.parse().map_err(|_| wrong())?;
        let distance = usize::try_from(place.unsigned_abs()).unwrap_or(usize::MAX);
        let place = match place < 0 {
            true => last.checked_sub(distance),
            false => Some(distance).filter(|&d| d <= *last),
        };
        place.ok_or_else(|| format!("has {last} columns, and [{inside}] goes beyond them"))
    };
    let (from, to) = (place(from, 0)?, place(to, *last)?);
    match from < to {
        true => Ok(from..to),
        false => Err(format!("has {last} columns, of which [{inside}] chooses none")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::catalogue::Field;
    use crate::number::Dtype;

    fn numbers(shape: &[usize]) -> Entry {
        Entry { path: "e".to_owned(), shape: shape.to_vec(), kind: Kind::Numbers(Dtype::F32) }
    }

    fn table() -> Entry {
        let field = |name: &str, offset, count, scalar: Result<Dtype, &str>| Field {
            name: name.to_owned(),
            offset,
            count,
            scalar: scalar.map(|dtype| Scalar { dtype, big_endian: false }).map_err(str::to_owned),
        };
        let fields = vec![
            field("pt", 0, 1, Ok(Dtype::F32)),
            field("cov", 4, 3, Ok(Dtype::F64)),
            field("name", 28, 1, Err("text")),
        ];
        Entry {
            path: "t".to_owned(),
            shape: vec![9],
            kind: Kind::Record(Record { size: 32, fields }),
        }
    }

    #[test]
    fn brackets() {
        assert_eq!(split("a/b"), ("a/b", None));
        assert_eq!(split("a/b[1:2]"), ("a/b", Some("1:2")));
        assert_eq!(split("[pt,eta]"), ("", Some("pt,eta")));
        assert_eq!(split("a[0][b]"), ("a[0]", Some("b")));
        assert_eq!(split("a[0"), ("a[0", None));
        assert_eq!(split("a]"), ("a]", None));
        assert_eq!(split("a[]"), ("a", Some("")));
    }

    #[test]
    fn columns_as_in_python() {
        let entry = numbers(&[100, 4, 20]);
        for (inside, from, to) in [
            ("0:16", 0, 16),
            (":16", 0, 16),
            ("4:", 4, 20),
            (":", 0, 20),
            ("-16:", 4, 20),
            (":-4", 0, 16),
            (" 2 : -2 ", 2, 18),
            ("-20:20", 0, 20),
        ] {
            let pick = Pick::parse(inside, &entry).unwrap();
            assert_eq!(pick, Pick::Columns(from..to), "{inside}");
            assert_eq!(pick.shape(&entry), [100, 4, to - from]);
            assert_eq!(pick.suffix(&entry), format!("[{from}:{to}]"));
        }
        for (inside, why) in [
            ("0:21", "has 20 columns, and [0:21] goes beyond"),
            ("-21:", "goes beyond"),
            ("5:5", "chooses none"),
            ("9:3", "chooses none"),
            ("20:", "chooses none"),
            ("a:b", "a is no whole number"),
            ("0:1:2", "1:2 is no whole number"),
            ("3", "choose columns as [a:b] instead of [3]"),
            ("", "choose columns as [a:b]"),
            ("pt,eta", "no fields"),
            ("0:99999999999999999999", "no whole number"),
            ("-9223372036854775808:", "goes beyond"),
        ] {
            let found = Pick::parse(inside, &entry).unwrap_err();
            assert!(found.contains(why), "{inside}: {found}");
        }
        let flat = Pick::parse("0:1", &numbers(&[9])).unwrap_err();
        assert!(flat.contains("has shape [9], without columns"), "{flat}");
    }

    #[test]
    fn fields_in_their_order() {
        let entry = table();
        let pick = Pick::parse("cov, pt", &entry).unwrap();
        assert_eq!(pick, Pick::Fields(vec![1, 0]));
        assert_eq!(pick.shape(&entry), [9, 4]);
        assert_eq!(pick.suffix(&entry), "[cov,pt]");
        for (inside, why) in [
            ("eta", "has no field eta; its fields are pt, cov, name"),
            ("pt,", "has no field ; its"),
            ("pt,pt", "field pt twice"),
            ("pt,name", "field name holds text, expected numbers"),
            ("0:2", "has no field 0:2"),
        ] {
            let found = Pick::parse(inside, &entry).unwrap_err();
            assert!(found.contains(why), "{inside}: {found}");
        }
    }

    #[test]
    fn rows() {
        let scalar = Scalar { dtype: Dtype::F32, big_endian: false };
        let row = Pick::Columns(2..5).row_of_numbers(&[9, 2, 6], scalar).unwrap();
        assert_eq!((row.bytes(), row.elements()), (48, 6));
        let row = Pick::All.row_of_numbers(&[9], scalar).unwrap();
        assert_eq!((row.bytes(), row.elements()), (4, 1));
        assert!(Pick::All.row_of_numbers(&[9, 0], scalar).is_err());
        assert!(Pick::All.row_of_numbers(&[9, usize::MAX], scalar).is_err());
        let Kind::Record(record) = table().kind else { panic!() };
        let row = Pick::Fields(vec![1, 0]).row_of_fields(&[9, 5], &record).unwrap();
        assert_eq!((row.bytes(), row.elements()), (160, 20));
        assert!(Pick::All.row_of_fields(&[9], &record).is_err());
        assert!(Pick::Fields(vec![2]).row_of_fields(&[9], &record).is_err());
    }
}
