//! The lines of a text file that hold something.

use std::io::{BufRead, Read};

use crate::watch;

/// Longest line, in bytes: an event of a million numbers fits.
const MAX_LINE: usize = 64 << 20;

/// How often the reading of a long text says that it goes on.
const STEP_LINES: u64 = 1 << 14;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads a text line by line. Lines end with LF or CRLF, the last one with the file.
#[derive(Debug)]
pub(super) struct Lines<R> {
    reader: R,
    buffer: Vec<u8>,
    position: Position,
}

/// A place between two lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Position {
    /// Bytes before it.
    pub(super) offset: u64,
    /// Lines before it.
    pub(super) line: u64,
}

/// A line with something in it, without blanks at its ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Counted from 1.
    pub(super) number: u64,
    pub(super) text: &'a [u8],
    /// Where it starts.
    pub(super) start: Position,
}

impl<R: BufRead> Lines<R> {
    /// The lines from `position` on, where `reader` stands.
    pub(super) fn new(reader: R, position: Position) -> Self {
        Self { reader, buffer: Vec::new(), position }
    }

    /// The next line that is not blank; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Line<'_>>, String> {
        loop {
            let start = self.position;
            self.buffer.clear();
            let most = MAX_LINE as u64 + 1;
            let length = (&mut self.reader)
                .take(most)
                .read_until(b'\n', &mut self.buffer)
                .map_err(|e| format!("cannot be read behind line {}: {e}", start.line))?;
            if length == 0 {
                return Ok(None);
            }
            let number = start.line + 1;
            if number.is_multiple_of(STEP_LINES) {
                watch::goes_on();
            }
            self.position = Position { offset: start.offset + length as u64, line: number };
            if length > MAX_LINE {
                return Err(format!(
                    "line {number} is longer than {MAX_LINE} bytes; write one event a line"
                ));
            }
            let blank = match start.offset {
                0 => self.buffer.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&self.buffer),
                _ => &self.buffer,
            };
            let range = trimmed(blank);
            if range.is_empty() {
                continue;
            }
            // The same once more: the borrow of a line that is returned would last for the loop.
            let from = self.buffer.len() - blank.len();
            let text = &self.buffer[from + range.start..from + range.end];
            return Ok(Some(Line { number, text, start }));
        }
    }
}

/// Where a text without the blanks at its ends is.
fn trimmed(text: &[u8]) -> std::ops::Range<usize> {
    let start = text.iter().position(|b| !b.is_ascii_whitespace()).unwrap_or(text.len());
    let end = text.iter().rposition(|b| !b.is_ascii_whitespace()).map_or(start, |n| n + 1);
    start..end
}

/// Some text as it may be shown in a message: short, and without control characters.
pub(super) fn shown(text: &[u8]) -> String {
    const LONGEST: usize = 24;
    let text = String::from_utf8_lossy(text);
    let mut shown: String = text.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &[u8]) -> Result<Vec<(u64, String, u64)>, String> {
        let mut lines = Lines::new(text, Position::default());
        let mut found = Vec::new();
        while let Some(line) = lines.next()? {
            let text = String::from_utf8_lossy(line.text).into_owned();
            found.push((line.number, text, line.start.offset));
        }
        Ok(found)
    }

    #[test]
    fn ends_of_lines() {
        let line = |number, text: &str, offset| (number, text.to_owned(), offset);
        let expected = vec![line(1, "1 2", 0), line(2, "3", 4)];
        assert_eq!(all(b"1 2\n3\n"), Ok(expected.clone()));
        assert_eq!(all(b"1 2\n3"), Ok(expected));
        assert_eq!(all(b"1 2\r\n3\r\n"), Ok(vec![line(1, "1 2", 0), line(2, "3", 5)]));
        assert_eq!(all(b"\n \t\r\n\n 1 \n"), Ok(vec![line(4, "1", 6)]));
        assert_eq!(
            all(b"\xef\xbb\xbf1\n\xef\xbb\xbf"),
            Ok(vec![line(1, "1", 0), line(2, "\u{feff}", 5)])
        );
        assert_eq!(all(b""), Ok(Vec::new()));
        assert_eq!(all(b"\xef\xbb\xbf\n"), Ok(Vec::new()));
    }

    #[test]
    fn endless_lines() {
        let long = vec![b'1'; MAX_LINE];
        let mut lines = Lines::new(long.as_slice(), Position::default());
        assert_eq!(lines.next().unwrap().unwrap().text.len(), MAX_LINE);
        let mut text = long;
        text.splice(0..0, *b"1\n7");
        let error = all(&text).unwrap_err();
        assert!(error.contains("line 2 is longer than 67108864 bytes"), "{error}");
    }

    #[test]
    fn what_is_shown() {
        assert_eq!(shown(b"1.2x"), "1.2x");
        assert_eq!(shown(b"a\0\x1b[1m\xff"), "a\\0\\u{1b}[1m\u{fffd}");
        assert_eq!(shown(&[b'7'; 100]), format!("{}…", "7".repeat(24)));
    }
}
