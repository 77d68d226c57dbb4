//! Failures: one message on stderr, one documented exit code.

use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use bittrue_record::ExitCode;
use bittrue_report::RunFailure;
use bittrue_verify::{Error, ErrorKind};

/// A run that ended early.
#[derive(Debug)]
pub(crate) struct Failure {
    code: ExitCode,
    message: String,
    help: Option<String>,
}

impl Failure {
    pub(crate) fn new(code: ExitCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: None }
    }

    /// A panic, after its own message.
    pub(crate) fn bug() -> Self {
        Self::new(ExitCode::Internal, "internal error: this is a bug in bittrue").with_help(
            "please report it with the message above, the command, the model and one event",
        )
    }

    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn code(&self) -> ExitCode {
        self.code
    }

    /// The failure for the files that tell of the run.
    pub(crate) fn of_the_run(&self) -> RunFailure<'_> {
        RunFailure { code: self.code, message: &self.message, help: self.help.as_deref() }
    }

    /// Prints the message to stderr.
    pub(crate) fn print(&self) {
        let stderr = io::stderr();
        let colored = crate::colors_wanted() && stderr.is_terminal();
        // When stderr is closed there is nobody left to tell.
        let _ = stderr.lock().write_all(self.text(colored).as_bytes());
    }

    fn text(&self, colored: bool) -> String {
        let paint = |color: AnsiColor, text: &str| {
            let style = if colored { color.on_default().bold() } else { Style::new() };
            format!("{style}{text}{style:#}")
        };
        let mut text = format!("{} {}\n", paint(AnsiColor::Red, "error:"), self.message);
        if let Some(help) = &self.help {
            text.push_str(&format!("  {} {help}\n", paint(AnsiColor::Green, "help:")));
        }
        text
    }
}

impl From<Error> for Failure {
    fn from(e: Error) -> Self {
        let code = match e.kind() {
            ErrorKind::Usage => ExitCode::Usage,
            ErrorKind::Model => ExitCode::Model,
            ErrorKind::Conversion => ExitCode::Conversion,
            ErrorKind::Events => ExitCode::Events,
            ErrorKind::Output => ExitCode::Output,
            ErrorKind::Interrupted => ExitCode::Interrupted,
            ErrorKind::Internal => ExitCode::Internal,
        };
        let failure = Self::new(code, e.to_string());
        match e.help() {
            Some(help) => failure.with_help(help),
            None => failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors_surround_words_only() {
        let failure = Failure::new(ExitCode::Usage, "no").with_help("yes");
        assert_eq!(failure.text(false), "error: no\n  help: yes\n");
        assert_eq!(
            failure.text(true),
            "\u{1b}[1m\u{1b}[31merror:\u{1b}[0m no\n  \u{1b}[1m\u{1b}[32mhelp:\u{1b}[0m yes\n"
        );
    }
}
