//! Lines of text, and which of their words are which element of an output.

use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::words::{coded, decimal, digits};
use super::{
    CodeType, Column, Precision, RecordedRows, RecordedTensor, TraceOptions, check_outputs,
    of_output,
};
use crate::{InputSpec, IoError, IoErrorKind};

/// Largest text that is read. Simulations and boards that write text are slow.
const MAX_BYTES: u64 = 1 << 30;

/// Digits that a C++ stream prints, and strips of zeros at their end.
const STREAM_DIGITS: u32 = 6;

#[derive(Debug)]
pub(super) struct Table {
    path: PathBuf,
    text: String,
    /// The lines with words, for each its number in the file.
    lines: Vec<(usize, Range<usize>)>,
    /// Lines of one event.
    per_event: usize,
    /// Whether lines are those of a pattern file, `Frame n : words`.
    frames: bool,
    tensors: Vec<RecordedTensor>,
    fields: Vec<Fields>,
    wanted: Vec<usize>,
    next: usize,
}

/// The words of a tensor in the lines of an event.
#[derive(Debug)]
struct Fields {
    words: Vec<Field>,
    code: Option<CodeType>,
}

#[derive(Debug)]
struct Field {
    line: usize,
    word: usize,
    bits: Option<(u32, u32)>,
}

impl Table {
    pub(super) fn open(
        path: &Path,
        outputs: &[InputSpec],
        options: &TraceOptions,
    ) -> Result<Self, IoError> {
        let error = |what: String| IoError::new(IoErrorKind::Trace, path, what);
        let columns = options.columns.iter().map(|(name, _)| name.clone());
        check_outputs(path, outputs, "--trace-columns", columns)?;
        let codes = options.codes.iter().map(|(name, _)| name.clone());
        check_outputs(path, outputs, "--trace-type", codes)?;
        let text = read(path).map_err(error)?;
        let mut table = Self {
            path: path.to_owned(),
            lines: Vec::new(),
            text,
            per_event: 1,
            frames: false,
            tensors: Vec::new(),
            fields: Vec::new(),
            wanted: Vec::new(),
            next: 0,
        };
        let header = table.find_lines();
        if table.lines.is_empty() {
            return Err(error("holds no line with numbers".to_owned()));
        }
        table.choose(outputs, options, header.as_deref())?;
        if table.frames {
            table.drop_idle_frames()?;
        }
        table.check()?;
        Ok(table)
    }

    pub(super) fn tensors(&self) -> &[RecordedTensor] {
        &self.tensors
    }

    pub(super) fn start(&mut self, tensors: &[usize], skip: u64) {
        self.wanted = tensors.to_vec();
        self.next = usize::try_from(skip).unwrap_or(usize::MAX);
    }

    pub(super) fn advance(&mut self, count: usize) -> Result<Vec<RecordedRows>, IoError> {
        let end = self.next.saturating_add(count);
        if end > self.lines.len() / self.per_event {
            return Err(self.error("has fewer events than were asked for".to_owned()));
        }
        let mut rows = vec![RecordedRows::default(); self.wanted.len()];
        for event in self.next..end {
            let words = self.words_of_event(event);
            for (rows, &tensor) in rows.iter_mut().zip(&self.wanted) {
                let fields = &self.fields[tensor];
                for field in &fields.words {
                    let value = self.value(event, &words, field, fields.code.as_ref())?;
                    rows.values.push(value);
                }
            }
        }
        self.next = end;
        Ok(rows)
    }

    fn error(&self, what: String) -> IoError {
        IoError::new(IoErrorKind::Trace, &self.path, what)
    }

    /// Finds the lines with values; the names of their columns, if a line before them has some.
    fn find_lines(&mut self) -> Option<Vec<String>> {
        let mut header = None;
        let mut start = 0;
        for (n, line) in self.text.split_inclusive('\n').enumerate() {
            let range = start..start + line.len();
            start = range.end;
            let trimmed = line.trim();
            if trimmed.is_empty() || trimmed.starts_with('#') {
                continue;
            }
            if let Some((label, rest)) = trimmed.split_once(':')
                && let Some(first) = label.split_whitespace().next()
                && matches!(first, "Board" | "Quad/Chan" | "Link" | "Frame")
            {
                match first {
                    "Link" => header = Some(split(rest).map(str::to_owned).collect()),
                    "Frame" => {
                        self.frames = true;
                        self.lines.push((n + 1, range));
                    }
                    _ => {}
                }
                continue;
            }
            if trimmed.starts_with("Board ") && self.lines.is_empty() {
                continue;
            }
            let is_value = |w: &str| {
                let w = w.strip_prefix("0x").unwrap_or(w);
                decimal(w).is_some() || w.bytes().all(|b| b.is_ascii_hexdigit())
            };
            if self.lines.is_empty() && header.is_none() && !split(trimmed).all(is_value) {
                header = Some(split(trimmed).map(|w| w.trim_matches('"').to_owned()).collect());
                continue;
            }
            self.lines.push((n + 1, range));
        }
        header
    }

    /// The words of a line, by its index.
    fn words(&self, line: usize) -> Vec<&str> {
        let text = &self.text[self.lines[line].1.clone()];
        let text = match self.frames {
            true => text.split_once(':').map_or(text, |(_, words)| words),
            false => text,
        };
        split(text).collect()
    }

    fn words_of_event(&self, event: usize) -> Vec<Vec<&str>> {
        (0..self.per_event).map(|n| self.words(event * self.per_event + n)).collect()
    }

    /// Decides which words are which output.
    fn choose(
        &mut self,
        outputs: &[InputSpec],
        options: &TraceOptions,
        header: Option<&[String]>,
    ) -> Result<(), IoError> {
        let size = |o: &InputSpec| o.shape.iter().product::<usize>();
        let counts: Vec<usize> =
            (0..self.lines.len().min(outputs.len())).map(|n| self.words(n).len()).collect();
        let total: usize = outputs.iter().map(size).sum();
        let sizes: Vec<usize> = outputs.iter().map(size).collect();
        let only = outputs.len() == 1;
        let place = |line: usize, word: usize| Field { line, word, bits: None };
        let mut words: Vec<(usize, Vec<Field>)> = Vec::new();
        if !options.columns.is_empty() {
            for (n, output) in outputs.iter().enumerate() {
                let Some(columns) = of_output(&options.columns, &output.name, only) else {
                    continue;
                };
                if columns.len() != sizes[n] {
                    return Err(self.error(format!(
                        "--trace-columns: {} columns for output `{}`, which has {} elements",
                        columns.len(),
                        output.name,
                        sizes[n]
                    )));
                }
                let fields = columns.iter().map(|column| {
                    let word = self.column(column, header)?;
                    Ok(Field { line: 0, word, bits: column.bits })
                });
                words.push((n, fields.collect::<Result<_, IoError>>()?));
            }
        } else if counts.first() == Some(&total) {
            let mut from = 0;
            for (n, &size) in sizes.iter().enumerate() {
                words.push((n, (from..from + size).map(|w| place(0, w)).collect()));
                from += size;
            }
        } else if counts == sizes && !self.frames {
            // hls4ml's testbench prints a line for each output.
            self.per_event = outputs.len();
            for (n, &size) in sizes.iter().enumerate() {
                words.push((n, (0..size).map(|w| place(n, w)).collect()));
            }
        } else {
            let each: Vec<String> =
                outputs.iter().zip(&sizes).map(|(o, n)| format!("`{}` {n}", o.name)).collect();
            return Err(self
                .error(format!(
                    "line {} has {} values, but an event has {total} (output {})",
                    self.lines[0].0,
                    counts.first().copied().unwrap_or(0),
                    each.join(", output ")
                ))
                .with_help("say which columns they are: --trace-columns '[OUTPUT=]a,b,…'"));
        }
        let ragged = self.lines.len() % self.per_event;
        if ragged != 0 {
            let what = format!("has {ragged} lines left behind the last event");
            return Err(self.error(what).with_help("was the simulation stopped?"));
        }
        let events = (self.lines.len() / self.per_event) as u64;
        for (n, words) in words {
            let output = &outputs[n];
            let code = of_output(&options.codes, &output.name, only).copied();
            if self.frames && code.is_none() {
                return Err(self
                    .error(format!(
                        "output `{}`: the words of a pattern file are codes",
                        output.name
                    ))
                    .with_help("give their type, such as --trace-type 'ap_fixed<16,6>'"));
            }
            if code.is_none()
                && let Some(field) = words.iter().find(|f| f.bits.is_some())
            {
                return Err(self
                    .error(format!("bits are taken of column {}, which has no type", field.word))
                    .with_help("give the type of its codes: --trace-type '[OUTPUT=]hex:TYPE'"));
            }
            self.tensors.push(RecordedTensor {
                name: output.name.clone(),
                shape: output.shape.clone(),
                events,
                precision: Precision::Exact,
            });
            self.fields.push(Fields { words, code });
        }
        Ok(())
    }

    /// Which word of a line a column is.
    fn column(&self, column: &Column, header: Option<&[String]>) -> Result<usize, IoError> {
        let named = header.and_then(|names| names.iter().position(|n| *n == column.name));
        let width = self.words(0).len();
        let found = named.or_else(|| match header {
            // The links of a pattern file are numbered with zeros in front.
            Some(names) if self.frames => {
                let wanted: usize = column.name.parse().ok()?;
                names.iter().position(|n| n.parse() == Ok(wanted))
            }
            _ => column.name.parse().ok(),
        });
        found.filter(|&at| at < width).ok_or_else(|| {
            let known = match header {
                Some(names) => format!("its columns are {}", names.join(", ")),
                None => format!("its columns are 0 to {}", width.max(1) - 1),
            };
            self.error(format!("--trace-columns: has no column `{}`; {known}", column.name))
        })
    }

    /// Leaves out the frames in which no word that is wanted is valid.
    fn drop_idle_frames(&mut self) -> Result<(), IoError> {
        let mut kept = Vec::with_capacity(self.lines.len());
        for line in 0..self.lines.len() {
            let words = self.words(line);
            let mut valid = self.fields.iter().flat_map(|f| &f.words).map(|f| {
                let word = words.get(f.word).copied().unwrap_or_default();
                Some(pattern_word(word)?.0)
            });
            let (mut some, mut all) = (false, true);
            let bad = valid.any(|v| {
                some |= v == Some(true);
                all &= v == Some(true);
                v.is_none()
            });
            let number = self.lines[line].0;
            if bad {
                return Err(self
                    .error(format!("line {number}: not every word is a valid flag, v and a code"))
                    .with_help("words such as 1v00000000000000ff are read"));
            }
            if some && !all {
                return Err(
                    self.error(format!("line {number}: some words of the event are not valid"))
                );
            }
            if some {
                kept.push(self.lines[line].clone());
            }
        }
        if kept.is_empty() {
            return Err(self.error("holds no frame with valid words".to_owned()));
        }
        self.lines = kept;
        for tensor in &mut self.tensors {
            tensor.events = self.lines.len() as u64;
        }
        Ok(())
    }

    /// Reads every word once: those of any line may be damaged, and all of them tell how many digits
    /// were printed.
    fn check(&mut self) -> Result<(), IoError> {
        let width: Vec<usize> = (0..self.per_event).map(|n| self.words(n).len()).collect();
        let mut most = STREAM_DIGITS;
        for event in 0..self.lines.len() / self.per_event {
            let words = self.words_of_event(event);
            for (n, words) in words.iter().enumerate() {
                if words.len() != width[n] {
                    let number = self.lines[event * self.per_event + n].0;
                    return Err(self.error(format!(
                        "line {number} has {} values, and others have {}",
                        words.len(),
                        width[n]
                    )));
                }
            }
            for fields in &self.fields {
                for field in &fields.words {
                    self.value(event, &words, field, fields.code.as_ref())?;
                    if fields.code.is_none() {
                        most = most.max(digits(words[field.line][field.word]));
                    }
                }
            }
        }
        for (tensor, fields) in self.tensors.iter_mut().zip(&self.fields) {
            // 17 digits tell every float64.
            if fields.code.is_none() && most < 17 {
                tensor.precision = Precision::Digits(most);
            }
        }
        Ok(())
    }

    fn value(
        &self,
        event: usize,
        words: &[Vec<&str>],
        field: &Field,
        code: Option<&CodeType>,
    ) -> Result<f64, IoError> {
        let word = words[field.line][field.word];
        let bare = match self.frames {
            true => pattern_word(word).map_or(word, |(_, digits)| digits),
            false => word,
        };
        let value = match code {
            Some(code) => {
                let hexadecimal = code.hexadecimal || self.frames;
                coded(bare, field.bits, &CodeType { hexadecimal, ..*code })
            }
            None => decimal(bare).ok_or_else(|| {
                let hint =
                    if bare.starts_with("0x") { "; give its type with --trace-type" } else { "" };
                format!("`{bare}` is no number{hint}")
            }),
        };
        value.map_err(|what| {
            let line = self.lines[event * self.per_event + field.line].0;
            self.error(format!("line {line}, column {}: {what}", field.word))
        })
    }
}

fn read(path: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|e| e.to_string())?;
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|e| e.to_string())?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("is longer than {MAX_BYTES} bytes, more than is read of a text"));
    }
    String::from_utf8(bytes).map_err(|_| "is no UTF-8 text".to_owned())
}

/// The words of a line.
fn split(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';')).filter(|w| !w.is_empty())
}

/// Whether a word of a pattern file is valid, and its digits: `1v00000000000000ff`.
fn pattern_word(word: &str) -> Option<(bool, &str)> {
    let (flag, digits) = word.split_once('v')?;
    let valid = match flag {
        "0" => false,
        "1" => true,
        _ => return None,
    };
    (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit())).then_some((valid, digits))
}
