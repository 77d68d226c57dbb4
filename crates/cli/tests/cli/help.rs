//! The help that teaches, and what is made from the same definition.

use bittrue_record::ExitCode;
use insta::assert_snapshot;

use crate::support::{TestResult, verify};

fn says(args: &[&str]) -> Result<String, Box<dyn std::error::Error>> {
    let ran = verify(args)?;
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{args:?}");
    Ok(ran.stdout)
}

#[test]
fn of_the_program() -> TestResult {
    let help = says(&["--help"])?;
    for code in ExitCode::ALL {
        let line = format!(" {}  ", code.code());
        assert!(help.contains(&line), "{code} is not explained");
    }
    assert_snapshot!(help);
    Ok(())
}

#[test]
fn of_the_commands() -> TestResult {
    for command in ["inspect", "explain", "trace", "lint", "proxy", "diff", "completions", "man"] {
        let help = says(&[command, "--help"])?;
        assert_eq!(says(&["help", command])?, help);
        assert_snapshot!(command, help);
    }
    Ok(())
}

#[test]
fn nothing_at_all_asks_for_flags() -> TestResult {
    let ran = verify([""; 0])?;
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(ran.stderr.contains("Usage: verify"), "{}", ran.stderr);
    Ok(())
}

#[test]
fn version() -> TestResult {
    let expected = format!("verify {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(says(&["--version"])?, expected);
    assert_eq!(says(&["-V"])?, expected);
    Ok(())
}

#[test]
fn completions_and_the_man_page_know_every_flag() -> TestResult {
    let man = says(&["man"])?.replace('\\', "");
    let bash = says(&["completions", "bash"])?;
    for flag in
        ["--model", "--events", "--dataset", "--input-type", "--strict-layers", "--json", "--junit"]
    {
        assert!(man.contains(flag), "{flag}");
        assert!(bash.contains(flag), "{flag}");
    }
    for shell in ["zsh", "fish"] {
        assert!(says(&["completions", shell])?.contains("strict-layers"), "{shell}");
    }
    Ok(())
}
