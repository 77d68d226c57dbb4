//! Text tables: `.csv` files, and the `tb_data` files of hls4ml, one event a line.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::catalogue::{Entry, Kind};
use super::records::{Records, RowBytes};
use super::row::{Piece, Row, Scalar};
use super::select::Pick;
use crate::number::Dtype;

/// Longest line, in bytes.
const MAX_LINE: usize = 64 << 20;

/// Most columns.
const MAX_COLUMNS: usize = 1 << 22;

/// The name of the one dataset that a table is.
const NAME: &str = "table";

/// An open table.
#[derive(Debug)]
pub(super) struct Table {
    path: PathBuf,
    layout: Layout,
    rows: usize,
}

/// How the lines of a table are read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Layout {
    separator: Separator,
    columns: usize,
    /// Names of the columns, or none.
    names: Vec<String>,
    /// Lines before the first event, comments left out.
    header: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Separator {
    Byte(char),
    Blanks,
}

impl Separator {
    /// The separator of a line: the first of comma, semicolon and tab that it has, else blanks.
    fn of(line: &str) -> Self {
        [',', ';', '\t'].into_iter().find(|&c| line.contains(c)).map_or(Self::Blanks, Self::Byte)
    }

    fn split(self, line: &str) -> Vec<&str> {
        fn strip(field: &str) -> &str {
            let field = field.trim();
            field.strip_prefix('"').and_then(|f| f.strip_suffix('"')).unwrap_or(field)
        }
        match self {
            Self::Byte(c) => line.split(c).map(strip).collect(),
            Self::Blanks => line.split_whitespace().map(strip).collect(),
        }
    }
}

/// Whether a file begins like text.
pub(super) fn is_text(head: &[u8]) -> bool {
    let control = |b: &u8| *b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r' | 0x0c);
    !head.is_empty() && !head.iter().any(control) && starts_with_utf8(head)
}

/// The end may be in the middle of a character.
fn starts_with_utf8(head: &[u8]) -> bool {
    match std::str::from_utf8(head) {
        Ok(_) => true,
        Err(e) => e.error_len().is_none(),
    }
}

impl Table {
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let mut lines = Lines::open(path)?;
        let mut before: Option<String> = None;
        let mut comment: Option<String> = None;
        // The first line of numbers, and what stands before it.
        let first = loop {
            match lines.next_any()? {
                None => return Err("is text without a line of numbers".to_owned()),
                Some(Line::Comment(text)) => comment = Some(text),
                Some(Line::Text(text)) => {
                    let numbers = Separator::of(&text).split(&text);
                    if numbers.iter().all(|field| number(field).is_some()) {
                        break text;
                    }
                    if before.is_some() {
                        return Err(format!(
                            "is text whose line {} is neither numbers nor the first line",
                            lines.line
                        ));
                    }
                    before = Some(text);
                }
            }
        };
        let separator = Separator::of(&first);
        let columns = separator.split(&first).len();
        if columns > MAX_COLUMNS {
            return Err(format!("has {columns} columns, more than {MAX_COLUMNS}"));
        }
        let named = |text: &String| -> Option<Vec<String>> {
            let names: Vec<String> =
                separator.split(text).iter().map(|&name| name.to_owned()).collect();
            (names.len() == columns).then_some(names)
        };
        if let Some(header) = &before
            && named(header).is_none()
        {
            return Err(format!(
                "has {columns} columns in line {}, but {} names before it",
                lines.line,
                separator.split(header).len()
            ));
        }
        // numpy.savetxt writes names into a comment.
        let names = before.as_ref().or(comment.as_ref()).and_then(named).unwrap_or_default();
        let layout = Layout { separator, columns, names, header: usize::from(before.is_some()) };
        let mut rows = 1;
        while lines.skip()? {
            rows += 1;
        }
        Ok(Self { path: path.to_owned(), layout, rows })
    }

    pub(super) fn entry(&self) -> Entry {
        let shape = vec![self.rows, self.layout.columns];
        Entry { path: NAME.to_owned(), shape, kind: Kind::Table(self.layout.names.clone()) }
    }

    pub(super) fn records(&self, pick: &Pick) -> Result<Records, String> {
        let scalar = Scalar { dtype: Dtype::F64, big_endian: false };
        let piece = |first: usize, count| Piece { offset: first * 8, count, scalar };
        let pieces = match pick {
            Pick::All | Pick::Fields(_) => vec![piece(0, self.layout.columns)],
            Pick::Columns(range) => vec![piece(range.start, range.len())],
            Pick::Listed(columns) => columns.iter().map(|&c| piece(c, 1)).collect(),
        };
        let row = Row::new(self.layout.columns * 8, &[], pieces)?;
        let mut lines = Lines::open(&self.path)?;
        for _ in 0..self.layout.header {
            lines.skip()?;
        }
        let numbers = Numbers { lines, layout: self.layout.clone(), next: 0 };
        Ok(Records::new(row, Box::new(numbers)))
    }
}

/// The number that a field holds.
fn number(field: &str) -> Option<f64> {
    let value: f64 = field.parse().ok()?;
    // An integer has to be what it says.
    let exact = match field.parse::<i128>() {
        Ok(integer) => value as i128 == integer,
        Err(_) => true,
    };
    exact.then_some(value)
}

/// The numbers of a table as bytes.
#[derive(Debug)]
struct Numbers {
    lines: Lines,
    layout: Layout,
    next: usize,
}

impl RowBytes for Numbers {
    fn read(&mut self, row: usize, into: &mut [u8]) -> Result<(), String> {
        const EARLY: &str = "the file ends too early";
        while self.next < row {
            if !self.lines.skip()? {
                return Err(EARLY.to_owned());
            }
            self.next += 1;
        }
        for event in into.chunks_exact_mut(self.layout.columns * 8) {
            let text = self.lines.next()?.ok_or(EARLY)?;
            let fields = self.layout.separator.split(&text);
            if fields.len() != self.layout.columns {
                return Err(format!(
                    "line {} has {} columns instead of {}",
                    self.lines.line,
                    fields.len(),
                    self.layout.columns
                ));
            }
            for (n, (field, bytes)) in fields.iter().zip(event.chunks_exact_mut(8)).enumerate() {
                let value = number(field).ok_or_else(|| {
                    let shown: String = field.chars().take(40).collect();
                    let name = self.layout.names.get(n).map(|name| format!(" ({name})"));
                    format!(
                        "line {}, column {}{}: `{shown}` is no number that float64 holds",
                        self.lines.line,
                        n + 1,
                        name.unwrap_or_default()
                    )
                })?;
                bytes.copy_from_slice(&value.to_le_bytes());
            }
            self.next += 1;
        }
        Ok(())
    }
}

/// The lines of a file, without empty ones.
#[derive(Debug)]
struct Lines {
    reader: BufReader<File>,
    /// Number of the last line that was read, from 1.
    line: usize,
    buffer: Vec<u8>,
}

enum Line {
    /// What stands behind `#`.
    Comment(String),
    Text(String),
}

impl Lines {
    fn open(path: &Path) -> Result<Self, String> {
        let file = File::open(path).map_err(|e| e.to_string())?;
        let reader = BufReader::with_capacity(1 << 20, file);
        Ok(Self { reader, line: 0, buffer: Vec::new() })
    }

    /// Reads a line into the buffer; `false` at the end.
    fn fill(&mut self) -> Result<bool, String> {
        self.buffer.clear();
        let mut limited = self.reader.by_ref().take(MAX_LINE as u64 + 1);
        let read = limited.read_until(b'\n', &mut self.buffer).map_err(|e| e.to_string())?;
        if read > MAX_LINE {
            return Err(format!("line {} is longer than {MAX_LINE} bytes", self.line + 1));
        }
        self.line += 1;
        Ok(read > 0)
    }

    /// What is on the line in the buffer, without blanks around it.
    fn content(&self) -> &[u8] {
        let line = match self.line {
            1 => self.buffer.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.buffer),
            _ => &self.buffer,
        };
        line.trim_ascii()
    }

    fn text(&self, bytes: &[u8]) -> Result<String, String> {
        match std::str::from_utf8(bytes) {
            Ok(text) if !text.contains('\0') => Ok(text.to_owned()),
            _ => Err(format!("line {} is no text", self.line)),
        }
    }

    fn next_any(&mut self) -> Result<Option<Line>, String> {
        while self.fill()? {
            match self.content() {
                [] => {}
                [b'#', comment @ ..] => {
                    return Ok(Some(Line::Comment(self.text(comment.trim_ascii())?)));
                }
                line => return Ok(Some(Line::Text(self.text(line)?))),
            }
        }
        Ok(None)
    }

    /// The next line that is no comment.
    fn next(&mut self) -> Result<Option<String>, String> {
        while let Some(line) = self.next_any()? {
            if let Line::Text(text) = line {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }

    /// Leaves out a line that is no comment; `false` at the end.
    fn skip(&mut self) -> Result<bool, String> {
        while self.fill()? {
            if !matches!(self.content(), [] | [b'#', ..]) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use bittrue_block::EventData;

    use super::*;

    fn table(text: impl AsRef<[u8]>) -> (tempfile::TempDir, Result<Table, String>) {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("t.csv");
        std::fs::write(&path, text).expect("a file");
        let table = Table::open(&path);
        (directory, table)
    }

    fn read(text: &str, pick: &Pick) -> Result<Vec<f64>, String> {
        let (_directory, table) = table(text);
        let table = table?;
        match table.records(pick)?.read(0..table.rows)? {
            EventData::F64(values) => Ok(values),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn separators_headers_and_comments() {
        let expected = [1.0, -2.5, 3.0, 4e3];
        for text in [
            "1,-2.5\n3,4e3\n",
            "a,b\n1,-2.5\n3,4e3",
            "\u{feff}a;b\r\n1;-2.5\r\n\r\n3;4e3\r\n",
            "# a b\n1 -2.5\n# in between\n  3   4e3  \n",
            "\"a\"\t\"b\"\n1\t-2.5\n3\t4e3\n",
        ] {
            assert_eq!(read(text, &Pick::All), Ok(expected.to_vec()), "{text}");
        }
        let (_directory, named) = table("# pt, eta\n1,2\n");
        assert_eq!(
            named.expect("a table").entry().kind,
            Kind::Table(vec!["pt".into(), "eta".into()])
        );
        assert_eq!(
            read("a,b\n1,2\n3,4\n", &Pick::Listed(vec![1, 0])),
            Ok(vec![2.0, 1.0, 4.0, 3.0])
        );
        assert_eq!(read("1 2 3\n", &Pick::Columns(1..3)), Ok(vec![2.0, 3.0]));
        let special = read("nan,-inf\n", &Pick::All).expect("numbers");
        assert!(special[0].is_nan() && special[1] == f64::NEG_INFINITY);
    }

    #[test]
    fn what_is_no_table() {
        for (text, why) in [
            ("a,b\n", "without a line of numbers"),
            ("a,b\nc,d\n1,2\n", "line 2 is neither numbers nor the first line"),
            ("a\n1,2\n", "2 columns in line 2, but 1 names"),
            ("1,2\n3\n", "line 2 has 1 columns instead of 2"),
            ("a,b\n1,2\n3,x\n", "line 3, column 2 (b): `x` is no number"),
            ("1,9007199254740993\n", "without a line of numbers"),
            ("1,2\n1,9007199254740993\n", "line 2, column 2: `9007199254740993` is no number that"),
            ("1,2\n3,\n", "column 2: `` is no number"),
            ("1,2\n3,4\0\n", "line 2 is no text"),
        ] {
            let found = read(text, &Pick::All).expect_err(text);
            assert!(found.contains(why), "{text:?}: {found}");
        }
    }

    #[test]
    fn text_by_its_first_bytes() {
        assert!(is_text("pt,η\n1,2".as_bytes()));
        assert!(is_text(&"ηη".as_bytes()[..3]));
        assert!(!is_text(b"\x89HDF\r\n\x1a\n"));
        assert!(!is_text(b"\xff\xfe1\0"));
        assert!(!is_text(b""));
    }

    #[test]
    fn a_table_that_shrinks() {
        let (directory, table) = table("1,2\n3,4\n");
        let table = table.expect("a table");
        std::fs::write(directory.path().join("t.csv"), "1,2\n").expect("a file");
        let mut records = table.records(&Pick::All).expect("records");
        let found = records.read(0..2).expect_err("too short");
        assert!(found.contains("ends too early"), "{found}");
    }
}
