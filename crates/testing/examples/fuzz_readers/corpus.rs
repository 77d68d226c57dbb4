//! The files that are changed, and what is run on them.

use std::error::Error;
use std::fs;
use std::path::Path;

/// A good file.
#[derive(Debug)]
pub(crate) struct Entry {
    /// What reads it.
    pub(crate) reader: String,
    /// Where it is, below the test vectors.
    pub(crate) file: String,
    /// The arguments of the program; `@` stands for the changed file.
    pub(crate) arguments: Vec<String>,
    /// What it holds.
    pub(crate) bytes: Vec<u8>,
}

/// All good files.
#[derive(Debug)]
pub(crate) struct Corpus {
    /// In the order of the table.
    pub(crate) entries: Vec<Entry>,
}

impl Corpus {
    /// Reads the table, or only the lines of one reader.
    pub(crate) fn read(testvectors: &Path, reader: Option<&str>) -> Result<Self, Box<dyn Error>> {
        let table = fs::read_to_string(testvectors.join("fuzz/corpus.txt"))?;
        let mut entries = Vec::new();
        for line in table.lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
            let mut words = line.split_whitespace().map(str::to_owned);
            let (Some(of), Some(file)) = (words.next(), words.next()) else {
                return Err(format!("no reader and file: {line}").into());
            };
            if reader.is_none_or(|reader| of.starts_with(reader)) {
                let bytes =
                    fs::read(testvectors.join(&file)).map_err(|e| format!("{file}: {e}"))?;
                entries.push(Entry { reader: of, file, arguments: words.collect(), bytes });
            }
        }
        match entries.is_empty() {
            true => Err("the corpus has no such reader".into()),
            false => Ok(Self { entries }),
        }
    }
}
