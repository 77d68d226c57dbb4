//! The files that tell what a comparison found: all of them checked before the work starts, and those
//! that a failed run leaves behind.

use std::path::PathBuf;

use bittrue_record::Report;
use bittrue_report::{json, junit, junit_failure, markdown, markdown_failure};

use crate::args::{ModelArgs, RunArgs};
use crate::failure::Failure;
use crate::output::{self, OutputFile};

/// The report files of one run, open.
#[derive(Debug, Default)]
pub(crate) struct Reports {
    json: Option<OutputFile>,
    junit: Option<OutputFile>,
    markdown: Option<OutputFile>,
}

/// Refuses files that would replace an input or each other.
pub(crate) fn check(args: &RunArgs, model: &ModelArgs, events: &[PathBuf]) -> Result<(), Failure> {
    let files = [("--json", &args.json), ("--junit", &args.junit), ("--markdown", &args.markdown)];
    let files = files.into_iter().filter_map(|(flag, path)| Some((flag, path.as_deref()?)));
    let files: Vec<_> = files.collect();
    for (flag, path) in &files {
        output::keep_inputs(flag, path, model, &args.hls_config, events)?;
    }
    output::keep_apart(&files)
}

impl Reports {
    /// Opens the files. Where one cannot be opened, those that were say so.
    pub(crate) fn create(args: &RunArgs) -> Result<Self, Failure> {
        let mut reports = Self::default();
        let mut open = || {
            reports.junit = args.junit.as_deref().map(OutputFile::create).transpose()?;
            reports.markdown = args.markdown.as_deref().map(OutputFile::create).transpose()?;
            reports.json = args.json.as_deref().map(OutputFile::create).transpose()?;
            Ok(())
        };
        match open() {
            Ok(()) => Ok(reports),
            Err(failure) => {
                reports.fail(&failure);
                Err(failure)
            }
        }
    }

    /// Writes what was found to every file.
    pub(crate) fn finish(self, report: &Report) -> Result<(), Failure> {
        let written = [
            self.json.map(|file| file.finish(&json(report))),
            self.junit.map(|file| file.finish(&junit(report))),
            self.markdown.map(|file| file.finish(&markdown(report))),
        ];
        // One full disk is no reason to keep the others waiting.
        let mut failures = written.into_iter().flatten().filter_map(Result::err);
        let first = failures.next();
        failures.for_each(|failure| failure.print());
        first.map_or(Ok(()), Err)
    }

    /// Says in the files that people and CI read why there is no report; there is no JSON then.
    pub(crate) fn fail(self, failure: &Failure) {
        let failed = failure.of_the_run();
        let written = [
            self.junit.map(|file| file.finish(&junit_failure(&failed))),
            self.markdown.map(|file| file.finish(&markdown_failure(&failed))),
        ];
        // The failure of the run decides the exit code; these are told beside it.
        written.into_iter().flatten().filter_map(Result::err).for_each(|f| f.print());
    }
}
