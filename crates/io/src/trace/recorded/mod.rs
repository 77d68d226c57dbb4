//! Traces that were recorded elsewhere: what hls4ml's `trace()` gives, logs of simulations, dumps of
//! boards, and our own trace files.
//!
//! | file | one idea |
//! |---|---|
//! | `arrays` | tensors in HDF5 and NumPy files |
//! | `table` | lines of text, and which of their words are which element |
//! | `column` | what the user says of the columns |
//! | `words` | from a word to a value |
//! | `precision` | which values a rounded number may stand for |

mod arrays;
mod column;
mod precision;
mod table;
mod words;

use std::path::Path;

use bittrue_fixed::FixedType;

use crate::file::{self, Content};
use crate::{InputSpec, IoError, IoErrorKind};
use arrays::Arrays;
pub use column::{Column, ColumnError};
pub use precision::Precision;
use table::Table;

/// What the user says of the words of a text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TraceOptions {
    /// Columns that hold the elements of an output, in C order; the output may be left out when the
    /// model has one.
    pub columns: Vec<(Option<String>, Vec<Column>)>,
    /// The type of which an output's words, or an array's integers, are the raw codes.
    pub codes: Vec<(Option<String>, CodeType)>,
}

/// How raw codes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeType {
    /// Whether words without `0x` are hexadecimal too.
    pub hexadecimal: bool,
    /// The type: code 1 is its LSB.
    pub fixed_type: FixedType,
}

/// A tensor of a recorded trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedTensor {
    /// Its name in the file: a layer of ours, a node of hls4ml, or for a text an output.
    pub name: String,
    /// Shape of one event, as far as the file says.
    pub shape: Vec<usize>,
    /// Events that the file has of it.
    pub events: u64,
    /// How exactly the file holds its values.
    pub precision: Precision,
}

/// The values of some events of a tensor, event-major.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RecordedRows {
    /// Values.
    pub values: Vec<f64>,
    /// What one of our own traces says of their uncertainty.
    pub uncertain: Option<RecordedBands>,
}

/// Bands and flags, as a trace holds them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RecordedBands {
    /// Lowest value that the real software may give.
    pub lo: Vec<f64>,
    /// Highest value that the real software may give.
    pub hi: Vec<f64>,
    /// Flags, one bit each.
    pub flags: Vec<u16>,
}

/// Which names the tensors of a recorded trace have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordedNames {
    /// The layers of the model, as in reports: a trace of ours.
    Layers,
    /// Names of arrays: hls4ml's nodes, or layers.
    Arrays,
    /// The outputs of the model: a text has no other.
    Outputs,
}

/// A recorded trace, read forward.
#[derive(Debug)]
pub struct RecordedTrace(Form);

#[derive(Debug)]
enum Form {
    Arrays(Arrays),
    Table(Table),
}

impl RecordedTrace {
    /// Opens a trace: an HDF5 file (one of ours, or datasets `[event, …]`), `.npz` or `.npy` arrays,
    /// or text. `outputs` are the model's, for a text: it holds them one after the other, on one line
    /// for each event or on one line for each output, as hls4ml's `tb_data/*.log` do; or in the
    /// columns that [`TraceOptions::columns`] names.
    ///
    /// # Errors
    /// [`IoErrorKind::Trace`]: an unreadable file, one without tensors, a text that does not have the
    /// values of the outputs, words that are no numbers, columns that are not there.
    pub fn open(
        path: &Path,
        outputs: &[InputSpec],
        options: &TraceOptions,
    ) -> Result<Self, IoError> {
        let kind = IoErrorKind::Trace;
        let form = match file::probe(kind, path)? {
            Content::Text => Form::Table(Table::open(path, outputs, options)?),
            _ => Form::Arrays(Arrays::open(path, outputs, options)?),
        };
        Ok(Self(form))
    }

    /// The tensors.
    pub fn tensors(&self) -> &[RecordedTensor] {
        match &self.0 {
            Form::Arrays(arrays) => arrays.tensors(),
            Form::Table(table) => table.tensors(),
        }
    }

    /// What their names are.
    pub fn names(&self) -> RecordedNames {
        match &self.0 {
            Form::Arrays(arrays) => arrays.names(),
            Form::Table(_) => RecordedNames::Outputs,
        }
    }

    /// Begins to read these tensors, by their index, from event `skip` on.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn start(&mut self, tensors: &[usize], skip: u64) -> Result<(), IoError> {
        match &mut self.0 {
            Form::Arrays(arrays) => arrays.start(tensors, skip),
            Form::Table(table) => {
                table.start(tensors, skip);
                Ok(())
            }
        }
    }

    /// The next `count` events of the tensors that were asked for, in that order.
    ///
    /// # Errors
    /// [`IoErrorKind::Trace`]: fewer events are left, or the file is damaged.
    pub fn advance(&mut self, count: usize) -> Result<Vec<RecordedRows>, IoError> {
        match &mut self.0 {
            Form::Arrays(arrays) => arrays.advance(count),
            Form::Table(table) => table.advance(count),
        }
    }
}

/// What belongs to an output: what names it, else what names none where the model has only one.
fn of_output<'a, T>(list: &'a [(Option<String>, T)], name: &str, only: bool) -> Option<&'a T> {
    let named = list.iter().find(|(output, _)| output.as_deref() == Some(name));
    let unnamed = || list.iter().find(|(output, _)| output.is_none() && only);
    named.or_else(unnamed).map(|(_, value)| value)
}

/// Refuses what is said of outputs that the model has not.
fn check_outputs(
    path: &Path,
    outputs: &[InputSpec],
    flag: &str,
    named: impl Iterator<Item = Option<String>>,
) -> Result<(), IoError> {
    let list = || outputs.iter().map(|o| o.name.as_str()).collect::<Vec<_>>().join(", ");
    for name in named {
        let what = match &name {
            Some(name) if !outputs.iter().any(|o| o.name == *name) => {
                format!("{flag}: the model has no output `{name}`; its outputs are {}", list())
            }
            None if outputs.len() != 1 => {
                format!("{flag}: the model has {} outputs, {}", outputs.len(), list())
            }
            _ => continue,
        };
        return Err(IoError::new(IoErrorKind::Trace, path, what)
            .with_help(format!("write {flag} 'OUTPUT=…'")));
    }
    Ok(())
}
