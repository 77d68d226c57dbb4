//! A run that ended without a report.

use bittrue_record::ExitCode;

/// What a run that ended early says in place of a report.
#[derive(Debug, Clone, Copy)]
pub struct RunFailure<'a> {
    /// The exit code of the run.
    pub code: ExitCode,
    /// What is wrong.
    pub message: &'a str,
    /// What to do.
    pub help: Option<&'a str>,
}

impl RunFailure<'_> {
    /// Message, help and the meaning of the exit code, a line each.
    pub(crate) fn lines(&self) -> Vec<String> {
        let code = format!("exit code {}", self.code);
        let help = self.help.map(|help| format!("help: {help}"));
        [Some(self.message.to_owned()), help, Some(code)].into_iter().flatten().collect()
    }
}
