//! Starting the second process and waiting for it.

use std::fs::{self, File};
use std::io::{self, IsTerminal, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode as ProcessCode, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use bittrue_record::ExitCode;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::state::State;
use super::worker;
use crate::failure::Failure;

/// Tells the second process that it is the second one.
const WORKER: &str = "BITTRUE_WORKER";

/// Hands the work to a second process and gives its exit code; `None` where this is the second
/// process, or where there can be none: then the work is done here.
pub(crate) fn supervise() -> Option<ProcessCode> {
    if std::env::var_os(WORKER).is_some() {
        // Without a first process that listens, everything else is as usual.
        let _ = worker::start();
        return None;
    }
    run().ok()
}

/// An error says that the second process could not be started.
fn run() -> io::Result<ProcessCode> {
    let (reader, writer) = io::pipe()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(std::env::args_os().skip(1)).env(WORKER, "1").stdin(Stdio::from(writer));
    // A C library that crashes may say so in its own words, which tell nobody anything. A terminal
    // shows them; the progress bar needs it.
    let hears = !io::stderr().is_terminal();
    if hears {
        command.stderr(Stdio::piped());
    }
    let mut child = command.spawn()?;
    // Our copy of the pipe's other end, which would keep it open.
    drop(command);
    let pid = Pid::from_raw(child.id().cast_signed());
    let over = Arc::new(AtomicBool::new(false));
    let forward = Arc::clone(&over);
    // A terminal sends Ctrl-C to both; batch systems know only this process.
    let _ = ctrlc::set_handler(move || {
        if !forward.load(Ordering::SeqCst) {
            let _ = kill(pid, Signal::SIGINT);
        }
    });
    let pipe = File::from(OwnedFd::from(reader));
    let listener = thread::spawn(move || {
        State::listen(pipe, || {
            let _ = kill(pid, Signal::SIGKILL);
        })
    });
    let mut words = Vec::new();
    if let Some(stderr) = &mut child.stderr {
        // What cannot be read any more is lost; the exit code is not.
        let _ = stderr.read_to_end(&mut words);
    }
    let status = child.wait();
    over.store(true, Ordering::SeqCst);
    let state = listener.join().unwrap_or_default();
    Ok(match status {
        Ok(status) => finish(status, &state, &words),
        Err(e) => fail(&Failure::new(ExitCode::Internal, format!("internal error: {e}"))),
    })
}

fn fail(failure: &Failure) -> ProcessCode {
    failure.print();
    ProcessCode::from(failure.code().code())
}

/// Says what the second process could not say itself.
fn finish(status: ExitStatus, state: &State, words: &[u8]) -> ProcessCode {
    if let Some(code) = status.code() {
        // When stderr is closed there is nobody left to tell.
        let _ = io::stderr().write_all(words);
        return ProcessCode::from(u8::try_from(code).unwrap_or(ExitCode::Internal.code()));
    }
    for path in &state.temporary {
        // It may have its final name already.
        let _ = fs::remove_file(path);
    }
    let number = status.signal().unwrap_or_default();
    let signal = Signal::try_from(number)
        .map_or_else(|_| format!("signal {number}"), |s| s.as_str().to_owned());
    if let Some(failure) = state.failure(&signal, proxy().as_ref()) {
        return fail(&failure);
    }
    let _ = io::stderr().write_all(words);
    match Signal::try_from(number) {
        // Somebody wanted it to end.
        Ok(Signal::SIGINT | Signal::SIGTERM | Signal::SIGHUP | Signal::SIGQUIT) => {
            ProcessCode::from(u8::try_from(128 + number).unwrap_or(u8::MAX))
        }
        Ok(Signal::SIGKILL) => fail(
            &Failure::new(ExitCode::Interrupted, "killed; perhaps the machine ran out of memory")
                .with_help("give it more memory, or fewer threads with RAYON_NUM_THREADS"),
        ),
        _ => fail(
            &Failure::new(
                ExitCode::Internal,
                format!("internal error ({signal}): this is a bug in bittrue"),
            )
            .with_help("please report it with the command, the model and one event"),
        ),
    }
}

/// The file of --proxy, in whichever subcommand.
fn proxy() -> Option<PathBuf> {
    let mut args = std::env::args_os();
    while let Some(arg) = args.next() {
        if arg == "--proxy" {
            return args.next().map(PathBuf::from);
        }
        if let Some(file) = arg.to_str().and_then(|a| a.strip_prefix("--proxy=")) {
            return Some(PathBuf::from(file));
        }
    }
    None
}
