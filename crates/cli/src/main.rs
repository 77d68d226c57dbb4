//! `verify`: does the proxy that goes to the FPGA give the same bits as the QKeras model?
#![forbid(unsafe_code)]

mod args;
mod bench;
mod compare;
mod diff;
mod event_files;
mod explain;
mod failure;
mod generate;
mod inspect;
mod legs;
mod lint;
mod output;
mod progress;
mod proxy;
mod reports;
mod save;
#[cfg(unix)]
mod supervise;
mod trace;
mod usage;

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode as ProcessCode;

use bittrue_record::ExitCode;

use args::{Cli, Command};
use failure::Failure;

fn main() -> ProcessCode {
    let cli = usage::parse();
    #[cfg(unix)]
    if cli.reads_files()
        && let Some(code) = supervise::supervise()
    {
        return code;
    }
    // A bug is reported like every other failure, with its own code.
    let outcome = std::panic::catch_unwind(|| run(cli)).unwrap_or_else(|_| Err(Failure::bug()));
    let code = match outcome {
        Ok(code) => code,
        Err(failure) => {
            failure.print();
            failure.code()
        }
    };
    ProcessCode::from(code.code())
}

fn run(cli: Cli) -> Result<ExitCode, Failure> {
    match cli.command {
        None => compare::compare(&cli.run),
        Some(Command::Inspect(args)) => inspect::inspect(&args),
        Some(Command::Explain(args)) => explain::explain(&args),
        Some(Command::Trace(args)) => trace::trace(&args),
        Some(Command::Lint(args)) => lint::lint(&args),
        Some(Command::Proxy(args)) => proxy::proxy(&args),
        Some(Command::Bench(args)) => bench::bench(&args),
        Some(Command::Diff(args)) => diff::diff(&args),
        Some(Command::Completions(args)) => generate::completions(&args),
        Some(Command::Man) => generate::man(),
    }
}

/// Prints to stdout; a reader that has closed its end (`| head`) is not an error.
fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::new(ExitCode::Output, format!("standard output cannot be written: {e}"))
                .with_help("send it to a terminal or to a file on a disk with space"))
        }
        _ => Ok(()),
    }
}

/// Whether the user has not asked all programs for plain text (<https://no-color.org>).
fn colors_wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
}
