//! Reading the command line, with a tip where the parser's own message leaves a newcomer alone.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Error, Parser};

use crate::args::Cli;

const FILES: &str = "files are named by flags: --model <FILE> --events <FILE>";
const ORDER: &str = "the command comes first: verify inspect --model <FILE>";

/// Reads the flags, or says what is wrong with them and ends the program with exit code 2.
pub(crate) fn parse() -> Cli {
    Cli::try_parse().unwrap_or_else(|mut e| {
        if let Some(tip) = tip(&e) {
            e.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
        }
        e.exit()
    })
}

fn tip(e: &Error) -> Option<&'static str> {
    let text = |kind| match e.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    match e.kind() {
        // A misspelt command has a tip of its own.
        ErrorKind::InvalidSubcommand if e.get(ContextKind::SuggestedSubcommand).is_none() => {
            Some(FILES)
        }
        ErrorKind::UnknownArgument => {
            text(ContextKind::InvalidArg).filter(|a| !a.starts_with('-')).map(|_| FILES)
        }
        // Behind flags the parser takes any word for a command.
        ErrorKind::ArgumentConflict => text(ContextKind::InvalidSubcommand)
            .map(|word| if Cli::command().find_subcommand(word).is_some() { ORDER } else { FILES }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tip_for(args: &[&str]) -> Option<&'static str> {
        tip(&Cli::try_parse_from(std::iter::once(&"verify").chain(args)).expect_err("wrong flags"))
    }

    #[test]
    fn files_without_flags() {
        assert_eq!(tip_for(&["model.h5", "events.h5"]), Some(FILES));
        assert_eq!(tip_for(&["inspect", "model.h5"]), Some(FILES));
        assert_eq!(tip_for(&["--events", "e.h5", "--model", "m.h5", "x.h5"]), Some(FILES));
    }

    #[test]
    fn flags_before_the_command() {
        assert_eq!(tip_for(&["--model", "m.h5", "inspect"]), Some(ORDER));
    }

    #[test]
    fn other_mistakes_have_the_parsers_own_tips() {
        assert_eq!(tip_for(&["inspct"]), None);
        assert_eq!(tip_for(&["--modle", "m.h5"]), None);
        assert_eq!(tip_for(&["--model", "m.h5"]), None);
    }
}
