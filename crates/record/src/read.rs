//! Reading a report back: one that this or another run wrote, or a file that only claims to be one.

use std::fmt;
use std::io::{self, Read};

use serde::Deserialize;
use thiserror::Error;

use crate::{FORMAT_VERSION, Report};

/// The longest report that is read, in bytes: room for some ten thousand layers, and little enough
/// that a hostile file cannot fill the memory.
pub const MAX_REPORT_BYTES: u64 = 16 << 20;

/// Characters of a parser's message that are passed on: it may quote the file.
const MAX_DETAIL: usize = 200;

/// Why a file is not a report that can be read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// Nothing in it.
    #[error("is empty")]
    Empty,
    /// Longer than [`MAX_REPORT_BYTES`].
    #[error("is longer than {} MiB, more than any report", MAX_REPORT_BYTES >> 20)]
    TooLarge,
    /// It ends too early.
    #[error("ends in the middle: {0}")]
    Truncated(Detail),
    /// It is no JSON.
    #[error("is no JSON: {0}")]
    NotJson(Detail),
    /// It is JSON, but no report.
    #[error("is no report of bittrue: {0}")]
    NotAReport(Detail),
    /// It is a report in a format that this version does not know.
    #[error("is a report in format_version {0}; this program reads {FORMAT_VERSION}")]
    Version(u64),
}

impl ReadError {
    /// What to do.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Io(_) => "give the path of a report that `verify --json` wrote",
            Self::Version(_) => "read it with the version that wrote it, or write it again",
            Self::Empty | Self::Truncated(_) => {
                "was the job that wrote it stopped, or the disk full? run `verify --json` again"
            }
            Self::TooLarge | Self::NotJson(_) | Self::NotAReport(_) => {
                "give a report that `verify --json` wrote (docs/report.md)"
            }
        }
    }
}

/// A parser's message, short and without control characters, whatever the file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail(String);

impl Detail {
    fn new(e: &serde_json::Error) -> Self {
        let text = e.to_string();
        let mut detail = String::new();
        for c in text.chars().take(MAX_DETAIL) {
            if c.is_control() {
                detail.extend(c.escape_default());
            } else {
                detail.push(c);
            }
        }
        if text.chars().nth(MAX_DETAIL).is_some() {
            detail += &format!("… at line {} column {}", e.line(), e.column());
        }
        Self(detail)
    }
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The one field that tells whether the others may be read.
#[derive(Deserialize)]
struct Head {
    format_version: u64,
}

impl Report {
    /// Reads a report that was written as JSON.
    ///
    /// The format version is looked at before anything else. Fields that are not known are
    /// ignored, fields that are missing or of another type are errors.
    ///
    /// # Errors
    ///
    /// [`ReadError`] for everything that is not a report in format [`FORMAT_VERSION`]: no file,
    /// however made, ends the program or takes more memory than some times [`MAX_REPORT_BYTES`].
    pub fn read_json(source: impl Read) -> Result<Self, ReadError> {
        let mut bytes = Vec::new();
        // One byte more tells a file that ends at the limit from one that does not.
        source.take(MAX_REPORT_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_REPORT_BYTES {
            return Err(ReadError::TooLarge);
        }
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Err(ReadError::Empty);
        }
        // A list would do for the parser too: its items would be taken for the fields.
        if bytes.iter().find(|b| !b.is_ascii_whitespace()) != Some(&b'{') {
            let _: serde::de::IgnoredAny = parse(&bytes)?;
            return Err(ReadError::NotAReport(Detail("it is no object with fields".to_owned())));
        }
        let head: Head = parse(&bytes)?;
        if head.format_version != u64::from(FORMAT_VERSION) {
            return Err(ReadError::Version(head.format_version));
        }
        parse(&bytes)
    }
}

fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, ReadError> {
    use serde_json::error::Category;

    serde_json::from_slice(bytes).map_err(|e| match e.classify() {
        Category::Eof => ReadError::Truncated(Detail::new(&e)),
        Category::Data => ReadError::NotAReport(Detail::new(&e)),
        Category::Syntax | Category::Io => ReadError::NotJson(Detail::new(&e)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(bytes: &[u8]) -> String {
        Report::read_json(bytes).expect_err("no report").to_string()
    }

    #[test]
    fn what_is_no_report_is_told_apart() {
        assert_eq!(error(b""), "is empty");
        assert_eq!(error(b" \n"), "is empty");
        assert!(error(b"\x89HDF\r\n\x1a\n").starts_with("is no JSON: expected value"));
        assert!(error(b"{\"format_version\": 1").starts_with("ends in the middle: EOF"));
        assert_eq!(
            error(b"{}"),
            "is no report of bittrue: missing field `format_version` at line 1 column 2"
        );
        for other in [&b"[]"[..], b"[1, 2]", b"[99]", b" null", b"\"x\"", b"1"] {
            assert_eq!(error(other), "is no report of bittrue: it is no object with fields");
        }
        assert!(error(b"{\"format_version\": \"1\"}").starts_with("is no report of bittrue: "));
        assert!(error(b"{\"format_version\": 1}").contains("missing field `tool`"));
        // A later format may hold anything.
        assert_eq!(
            error(b"{\"format_version\": 99, \"tool\": 3}"),
            "is a report in format_version 99; this program reads 1"
        );
        assert!(error(b"{\"format_version\": 1}{}").starts_with("is no JSON: trailing"));
    }

    #[test]
    fn hostile_files_end_in_an_error() {
        let deep = "[".repeat(1 << 20);
        assert!(error(deep.as_bytes()).starts_with("ends in the middle: EOF while parsing a list"));
        let deep = format!("{{\"format_version\": 1, \"x\": {deep}");
        let told = error(deep.as_bytes());
        assert!(told.starts_with("is no ") || told.starts_with("ends in"), "{told}");
        // The same, closed: once where nothing is expected and once where something is.
        for field in ["x", "tool", "comparisons"] {
            let (open, close) = ("[".repeat(1 << 20), "]".repeat(1 << 20));
            let deep = format!("{{\"format_version\": 1, \"{field}\": {open}{close}}}");
            let told = error(deep.as_bytes());
            assert!(told.starts_with("is no "), "{field}: {told}");
        }
        for number in ["1e999", "-1", "1.5", &"9".repeat(400), "18446744073709551616"] {
            let told = error(format!("{{\"format_version\": {number}}}").as_bytes());
            assert!(told.starts_with("is no "), "{number}: {told}");
        }
        // What the file says does not reach the terminal as it is.
        let named = format!("{{\"format_version\": \"\\u001b[2J{}\"}}", "x".repeat(5000));
        let told = error(named.as_bytes());
        assert!(told.chars().all(|c| !c.is_control()) && told.len() < 400, "{told}");
    }

    #[test]
    fn an_endless_file_is_not_read_to_its_end() {
        let told = Report::read_json(io::repeat(b' ')).expect_err("no report").to_string();
        assert_eq!(told, "is longer than 16 MiB, more than any report");
    }
}
