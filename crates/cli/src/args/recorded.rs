//! What is said of the words of recorded traces.

use bittrue_io::{CodeType, Column, TraceOptions};
use clap::Args;

/// How recorded traces are read.
#[derive(Debug, Args)]
pub(crate) struct RecordedArgs {
    /// The columns of a text given as trace:FILE that are the elements of an output, in C order
    ///
    /// A column is named by the header of the file, or by its number from 0; `NAME[HIGH:LOW]` takes
    /// bits of a word, as of a link of a pattern file. OUTPUT may be left out where the model has one.
    #[arg(long, value_name = "[OUTPUT=]COLUMN,…", value_parser = columns)]
    pub(crate) trace_columns: Vec<(Option<String>, Vec<Column>)>,

    /// Read the words of an output, or the integers of an array, of a trace:FILE as raw codes of a type
    ///
    /// TYPE is e.g. 'ap_fixed<16,6>', of which code 1 is the LSB. hex: in front of it says that words
    /// are hexadecimal without 0x too; those of a pattern file always are.
    #[arg(long, value_name = "[OUTPUT=][hex:]TYPE", value_parser = code_type)]
    pub(crate) trace_type: Vec<(Option<String>, CodeType)>,
}

impl RecordedArgs {
    /// The options by which a trace is read.
    pub(crate) fn options(&self) -> TraceOptions {
        TraceOptions { columns: self.trace_columns.clone(), codes: self.trace_type.clone() }
    }
}

fn columns(text: &str) -> Result<(Option<String>, Vec<Column>), String> {
    let (output, list) = of_output(text);
    let columns: Result<Vec<Column>, _> = list.split(',').map(str::parse).collect();
    Ok((output, columns.map_err(|e| format!("{e}"))?))
}

fn code_type(text: &str) -> Result<(Option<String>, CodeType), String> {
    let (output, text) = of_output(text);
    let (hexadecimal, text) = match text.strip_prefix("hex:") {
        Some(text) => (true, text),
        None => (false, text),
    };
    let fixed_type = text.parse().map_err(|e| format!("{e}"))?;
    Ok((output, CodeType { hexadecimal, fixed_type }))
}

/// What stands in front of a `=`.
fn of_output(text: &str) -> (Option<String>, &str) {
    match text.split_once('=') {
        Some((output, rest)) => (Some(output.to_owned()), rest),
        None => (None, text),
    }
}
