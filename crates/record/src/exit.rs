//! Exit codes of the program: part of its interface, so that scripts can tell a mismatch from a
//! model that could not be read.

use std::fmt;

/// How a run ended. Every code has one meaning and never changes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ExitCode {
    /// Every comparison is bit-exact, or within the tolerance that the user asked for.
    Success = 0,
    /// Some comparison is a mismatch.
    Mismatch = 1,
    /// Unknown flag, contradictory flags, unknown leg.
    Usage = 2,
    /// The model cannot be read, or holds something that the reference cannot evaluate.
    Model = 3,
    /// The reference can evaluate the model, but the chosen conversion or target cannot; or a lint
    /// code named by `--deny` was raised.
    Conversion = 4,
    /// The events are unreadable, of the wrong shape, empty or unfit.
    Events = 5,
    /// A bug in bittrue.
    Internal = 6,
    /// An output file cannot be written.
    Output = 7,
    /// Stopped by Ctrl-C; what was counted so far is printed and marked partial.
    Interrupted = 130,
}

impl ExitCode {
    /// Every code, ascending.
    pub const ALL: [Self; 9] = [
        Self::Success,
        Self::Mismatch,
        Self::Usage,
        Self::Model,
        Self::Conversion,
        Self::Events,
        Self::Internal,
        Self::Output,
        Self::Interrupted,
    ];

    /// The number that the process returns.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// One line for help texts.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Success => "every comparison is bit-exact (or within the tolerance asked for)",
            Self::Mismatch => "some comparison is a mismatch",
            Self::Usage => "usage: unknown or contradictory flags, unknown leg",
            Self::Model => "the model cannot be read, or the reference cannot evaluate it",
            Self::Conversion => {
                "the chosen conversion or target cannot handle the model, or --deny named a warning"
            }
            Self::Events => "the events are unreadable, of the wrong shape, empty or unfit",
            Self::Internal => "internal error: a bug in bittrue",
            Self::Output => "an output file cannot be written",
            Self::Interrupted => "interrupted; the report is partial",
        }
    }
}

impl fmt::Display for ExitCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code(), self.meaning())
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_the_published_ones() {
        let codes = ExitCode::ALL.map(ExitCode::code);
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 130]);
    }

    #[test]
    fn each_code_says_something_of_its_own() {
        let mut meanings = ExitCode::ALL.map(ExitCode::meaning).to_vec();
        meanings.sort_unstable();
        meanings.dedup();
        assert_eq!(meanings.len(), ExitCode::ALL.len());
        assert_eq!(ExitCode::Mismatch.to_string(), "1: some comparison is a mismatch");
    }
}
