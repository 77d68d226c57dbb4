//! A table, read once from start to end.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use super::columns::{Class, Columns};
use super::fields::{Name, Separator};
use super::lines::{Line, Lines, Position, shown};
use super::number::{Value, classify};
use crate::events::catalogue::{Entry, Kind};

/// The name of the one dataset that a table is.
const NAME: &str = "table";

/// Events between two places that are remembered.
const STEP: usize = 4096;

/// Bytes that are read at once.
const BUFFER_BYTES: usize = 1 << 18;

/// Most columns.
const MAX_COLUMNS: usize = 1 << 22;

/// A text file of one event a line.
#[derive(Debug)]
pub(in crate::events) struct Table {
    path: PathBuf,
    pub(super) separator: Separator,
    pub(super) columns: Columns,
    pub(super) events: usize,
    /// Where every 4,096th event starts.
    marks: Vec<Position>,
}

impl Table {
    /// Reads all of a file: how many events it has, and what its columns hold.
    pub(in crate::events) fn open(path: &Path) -> Result<Self, String> {
        let file = File::open(path).map_err(|e| e.to_string())?;
        let mut table = scan(BufReader::with_capacity(BUFFER_BYTES, file))?;
        path.clone_into(&mut table.path);
        Ok(table)
    }

    /// The table as the one dataset of its file.
    pub(in crate::events) fn entries(&self) -> Vec<Entry> {
        let shape = vec![self.events, self.columns.classes.len()];
        vec![Entry { path: NAME.to_owned(), shape, kind: Kind::Text(self.columns.clone()) }]
    }

    /// The lines from an event on, or from some events before it; and how many.
    pub(super) fn lines_before(
        &self,
        event: usize,
    ) -> Result<(Lines<BufReader<File>>, usize), String> {
        use std::io::{Seek, SeekFrom};
        let mark = event / STEP;
        let position = *self.marks.get(mark).ok_or("is shorter than it was")?;
        let mut file = File::open(&self.path).map_err(|e| e.to_string())?;
        file.seek(SeekFrom::Start(position.offset)).map_err(|e| e.to_string())?;
        let reader = BufReader::with_capacity(BUFFER_BYTES, file);
        Ok((Lines::new(reader, position), event - mark * STEP))
    }
}

/// Whether a line is only for people.
pub(super) fn is_comment(text: &[u8]) -> bool {
    text.starts_with(b"#")
}

/// What the first line is.
enum First {
    Header(Vec<String>),
    Event,
}

fn scan(reader: impl BufRead) -> Result<Table, String> {
    let mut lines = Lines::new(reader, Position::default());
    let mut comment: Option<Vec<u8>> = None;
    let Some((first, first_at)) = kept(&mut lines, |text| comment = Some(text.to_vec()))? else {
        return Err("it holds no event".to_owned());
    };
    // The first line may be a header, with other characters than numbers have.
    let second = kept(&mut lines, |_| {})?;
    let separator = match second.as_ref().map(|(text, _)| Separator::of(text)) {
        Some(separator @ Separator::Byte(_)) => separator,
        // A single value does not tell.
        _ if second.as_ref().is_none_or(|(text, _)| Separator::Blanks.split(text).count() < 2) => {
            Separator::of(&first)
        }
        _ => Separator::Blanks,
    };
    let mut table = Table {
        path: PathBuf::new(),
        separator,
        columns: Columns { names: None, classes: Vec::new() },
        events: 0,
        marks: Vec::new(),
    };
    let number = first_at.line + 1;
    match of_first(separator, &first, number)? {
        First::Header(names) => {
            let Some((text, start)) = &second else {
                return Err(format!("line {number} is a header, and no event follows"));
            };
            let values = separator.split(text).count();
            if names.len() != values {
                return Err(format!(
                    "line {} has {values} values, but the header in line {number} has {} names",
                    start.line + 1,
                    names.len()
                ));
            }
            table.columns.names = Some(names);
        }
        First::Event => table.add(&first, first_at)?,
    }
    if let Some((text, start)) = second {
        table.add(&text, start)?;
    }
    while let Some(Line { text, start, .. }) = lines.next()? {
        if !is_comment(text) {
            table.add(text, start)?;
        }
    }
    if let (None, Some(comment)) = (&table.columns.names, comment) {
        table.columns.names = of_comment(separator, &comment, table.columns.classes.len());
    }
    Ok(table)
}

/// The next line that is no comment, and where it starts.
fn kept(
    lines: &mut Lines<impl BufRead>,
    mut comment: impl FnMut(&[u8]),
) -> Result<Option<(Vec<u8>, Position)>, String> {
    while let Some(Line { text, start, .. }) = lines.next()? {
        match is_comment(text) {
            true => comment(text),
            false => return Ok(Some((text.to_vec(), start))),
        }
    }
    Ok(None)
}

impl Table {
    fn add(&mut self, text: &[u8], start: Position) -> Result<(), String> {
        let number = start.line + 1;
        let columns = &mut self.columns;
        let is_first = self.events == 0;
        let mut count = 0;
        for field in self.separator.split(text) {
            let value = classify(field);
            let other = || match field {
                [] => format!("line {number} has no value there"),
                _ => format!("line {number} has `{}`", shown(field)),
            };
            if value == Value::Other && field.contains(&0) {
                return Err(format!("line {number} holds a NUL byte; the file is damaged"));
            }
            match (columns.classes.get_mut(count), value) {
                (None, _) if is_first && count >= MAX_COLUMNS => {
                    return Err(format!("line {number} has more than {MAX_COLUMNS} values"));
                }
                (None, value) if is_first => columns.classes.push(match value {
                    Value::Integer => Class::Integer,
                    Value::Real => Class::Real,
                    Value::Other => Class::Other(other()),
                }),
                (Some(class @ (Class::Integer | Class::Real)), Value::Other) => {
                    *class = Class::Other(other());
                }
                (Some(class @ Class::Integer), Value::Real) => *class = Class::Real,
                _ => {}
            }
            count += 1;
        }
        let expected = columns.classes.len();
        if count != expected {
            return Err(format!(
                "line {number} has {count} values, but the lines before it have {expected}"
            ));
        }
        if self.events.is_multiple_of(STEP) {
            self.marks.push(start);
        }
        self.events += 1;
        Ok(())
    }
}

fn text(name: &Name) -> String {
    String::from_utf8_lossy(&name.text).into_owned()
}

/// Whether a name is one, and no number, and no number with a mistake.
fn is_name(name: &Name) -> bool {
    match name.text.first() {
        None => false,
        Some(_) if name.quoted => true,
        Some(b'0'..=b'9' | b'+' | b'-' | b'.') => false,
        Some(_) => classify(&name.text) == Value::Other,
    }
}

/// A header holds names only, and an event numbers only. What is between them is not guessed at.
fn of_first(separator: Separator, line: &[u8], number: u64) -> Result<First, String> {
    let names = separator.names(line);
    if names.iter().all(|n| !n.quoted && classify(&n.text) != Value::Other) {
        return Ok(First::Event);
    }
    // A table that pandas writes has an index, whose column has no name.
    if names.iter().all(|n| is_name(n) || n.text.is_empty()) && names.iter().any(is_name) {
        return Ok(First::Header(names.iter().map(text).collect()));
    }
    let broken = |n: &&Name| !n.text.is_empty() && !is_name(n) && classify(&n.text) == Value::Other;
    let wrong = names.iter().find(broken).or_else(|| names.iter().find(|n| is_name(n)));
    let wrong = match wrong {
        Some(name) => format!(": `{}` is no number", shown(&name.text)),
        None => ": a value is missing".to_owned(),
    };
    Err(format!("line {number} is neither an event nor a header{wrong}"))
}

/// The names in a comment above the events, as `numpy.savetxt` writes them; else it is prose.
fn of_comment(separator: Separator, line: &[u8], columns: usize) -> Option<Vec<String>> {
    let names = separator.names(line.trim_ascii_start().strip_prefix(b"#")?.trim_ascii());
    (names.len() == columns && names.iter().all(is_name)).then(|| names.iter().map(text).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Result<Table, String> {
        scan(text.as_bytes())
    }

    fn names(text: &str) -> Option<Vec<String>> {
        table(text).unwrap().columns.names
    }

    fn owned(names: &[&str]) -> Option<Vec<String>> {
        Some(names.iter().map(|&n| n.to_owned()).collect())
    }

    #[test]
    fn headers() {
        assert_eq!(names("pt,eta\n1,2\n"), owned(&["pt", "eta"]));
        assert_eq!(names("# run 7\n\npt;\"a;b\"\n1;2"), owned(&["pt", "a;b"]));
        assert_eq!(names(",pt\n0,1.5\n1,2.5"), owned(&["", "pt"]));
        assert_eq!(names("1,2\n3,4"), None);
        assert_eq!(names("nan,inf\n3,4"), None);
        assert_eq!(names("\"0\",\"1\"\n3,4"), owned(&["0", "1"]));
        // As numpy.savetxt writes it.
        assert_eq!(names("# pt eta\n1.0 2.0\n"), owned(&["pt", "eta"]));
        assert_eq!(names("# about\n# pt,eta\n1.0,2.0\n"), owned(&["pt", "eta"]));
        assert_eq!(names("# three words here\n1.0 2.0\n"), None);
        assert_eq!(names("# run 7\n1.0 2.0\n"), None);
        assert_eq!(names("1.0 2.0\n# pt eta\n"), None);
    }

    #[test]
    fn columns_and_events() {
        let t = table("a b c d\n1 2 3 x\n-4 2.5 5 6\n# end\n\n7 8 9 10").unwrap();
        assert_eq!((t.events, t.separator), (3, Separator::Blanks));
        let other = Class::Other("line 2 has `x`".to_owned());
        let expected = [Class::Integer, Class::Real, Class::Integer, other];
        assert_eq!(t.columns.classes, expected);
        let entry = &t.entries()[0];
        assert_eq!((entry.path.as_str(), entry.shape.as_slice()), ("table", &[3, 4][..]));
        let t = table("1,2,3\n1,,3").unwrap();
        assert_eq!(t.columns.classes[1], Class::Other("line 2 has no value there".to_owned()));
    }

    #[test]
    fn places_are_remembered() {
        let text: String = (0..3 * STEP + 5).map(|i| format!("{i}\n")).collect();
        let t = table(&text).unwrap();
        assert_eq!((t.events, t.marks.len()), (3 * STEP + 5, 4));
        for (n, mark) in t.marks.iter().enumerate() {
            let rest = &text[mark.offset as usize..];
            assert_eq!(rest.lines().next(), Some((n * STEP).to_string().as_str()));
            assert_eq!(mark.line, (n * STEP) as u64);
        }
    }

    #[test]
    fn what_is_no_table() {
        for (text, why) in [
            ("", "it holds no event"),
            ("# pt,eta\n\n", "it holds no event"),
            ("pt,eta\n", "line 1 is a header, and no event follows"),
            ("1,2\n3\n", "line 2 has 1 values, but the lines before it have 2"),
            ("1 2\n3 4 5\n", "line 2 has 3 values, but the lines before it have 2"),
            ("a,b\n# c\n1,2,3\n", "line 3 has 3 values, but the header in line 1 has 2 names"),
            ("1.0,2.x\n3,4", "line 1 is neither an event nor a header: `2.x` is no number"),
            ("1.0,b\n3,4", "line 1 is neither an event nor a header: `b` is no number"),
            (",0,1\n0,3,4", "line 1 is neither an event nor a header: a value is missing"),
            ("1.0x\n2.0", "line 1 is neither an event nor a header: `1.0x` is no number"),
            ("1\n2\0\n", "line 2 holds a NUL byte"),
            ("1,2\n3;4\n", "line 1 is neither an event nor a header: `1,2` is no number"),
        ] {
            let error = table(text).unwrap_err();
            assert!(error.contains(why), "{text:?}: {error}");
        }
    }
}
