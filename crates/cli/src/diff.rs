//! `verify diff`: what is new from one report to a later one.

use std::fs::File;
use std::path::Path;

use bittrue_record::{Diff, ExitCode, ReadError, Report};
use bittrue_report::{diff_json, diff_text};

use crate::args::DiffArgs;
use crate::failure::Failure;
use crate::output::{self, OutputFile};

pub(crate) fn diff(args: &DiffArgs) -> Result<ExitCode, Failure> {
    if let Some(json) = &args.json {
        output::keep_file("--json", json, "BEFORE", &args.before)?;
        output::keep_file("--json", json, "AFTER", &args.after)?;
    }
    let (before, after) = (read(&args.before)?, read(&args.after)?);
    let json = args.json.as_deref().map(OutputFile::create).transpose()?;
    let diff = Diff::new(&before, &after);
    let paths = [&args.before, &args.after].map(|path| path.display().to_string());
    let printed = crate::print(&diff_text(&diff, (&paths[0], &before), (&paths[1], &after)));
    if let Some(json) = json {
        json.finish(&diff_json(&diff))?;
    }
    printed?;
    Ok(diff.exit_code())
}

/// Reads a report. What cannot be read is at fault like unreadable events: the flags are right.
fn read(path: &Path) -> Result<Report, Failure> {
    let report = File::open(path).map_err(ReadError::from).and_then(Report::read_json);
    report.map_err(|e| {
        Failure::new(ExitCode::Events, format!("{}: {e}", path.display())).with_help(e.help())
    })
}
