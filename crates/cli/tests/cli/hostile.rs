//! Files that hang or crash the HDF5 library, and a second process that dies: one message, and the
//! documented exit code.

#![cfg(unix)]

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use insta::assert_snapshot;

use crate::support::{EVENTS, MODEL, Ran, Scratch, TestResult, program, testvectors, verify};

/// The file that keeps the library busy for ever.
const HANG: &str = "hang_in_the_global_heap";

/// A line of `testvectors/fuzz/found.txt`.
struct Found {
    name: String,
    code: i32,
    file: String,
    bytes: Vec<u8>,
    arguments: Vec<String>,
}

impl Found {
    /// All lines.
    fn all() -> Result<Vec<Self>, Box<dyn Error>> {
        let table = fs::read_to_string(testvectors().join("fuzz/found.txt"))?;
        let lines = table.lines().filter(|l| !l.is_empty() && !l.starts_with('#'));
        lines.map(Self::read).collect()
    }

    fn read(line: &str) -> Result<Self, Box<dyn Error>> {
        let mut words = line.split_whitespace().map(str::to_owned);
        let mut next = || words.next().ok_or_else(|| format!("too short: {line}"));
        let (name, code, file, changes) = (next()?, next()?.parse()?, next()?, next()?);
        let mut bytes = fs::read(testvectors().join(&file))?;
        for change in changes.split(',') {
            let (at, hex) = change.split_once('=').ok_or("no offset=hex")?;
            let at: usize = at.parse()?;
            for (n, pair) in hex.as_bytes().chunks(2).enumerate() {
                bytes[at + n] = u8::from_str_radix(std::str::from_utf8(pair)?, 16)?;
            }
        }
        Ok(Self { name, code, file, bytes, arguments: words.collect() })
    }

    /// The changed file in a directory, and the arguments for it.
    fn arguments(&self, scratch: &Scratch) -> Result<Vec<String>, Box<dyn Error>> {
        let file = Path::new(&self.file).file_name().unwrap_or_default().to_string_lossy();
        let path = scratch.file(&file, &self.bytes)?;
        Ok(self.arguments.iter().map(|a| if a == "@" { path.clone() } else { a.clone() }).collect())
    }
}

#[test]
fn what_the_fuzzer_has_found() -> TestResult {
    let all = Found::all()?;
    assert!(all.iter().any(|f| f.name == HANG));
    for found in all {
        let scratch = Scratch::new()?;
        let ran = verify(found.arguments(&scratch)?)?;
        if found.code == 0 {
            assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{}", found.name);
            continue;
        }
        let text = ran.refusal(&scratch)?;
        assert_eq!(ran.code, Some(found.code), "{}: {text}", found.name);
        assert_eq!(ran.stderr.matches("error:").count(), 1, "{text}");
        assert_snapshot!(format!("found_{}", found.name), text);
    }
    Ok(())
}

/// The process that works for another one.
#[cfg(target_os = "linux")]
fn worker(of: u32) -> Option<u32> {
    let children = fs::read_to_string(format!("/proc/{of}/task/{of}/children")).ok()?;
    children.split_whitespace().next()?.parse().ok()
}

/// Sends a signal to the process that works, and gives what the other one makes of it.
#[cfg(target_os = "linux")]
fn killed(
    arguments: &[String],
    signal: &str,
    ready: impl Fn() -> bool,
) -> Result<Ran, Box<dyn Error>> {
    let mut command = program();
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let started = Instant::now();
    let worker = loop {
        if let Some(worker) = worker(child.id()).filter(|_| ready()) {
            break worker;
        }
        if started.elapsed() > Duration::from_secs(60) {
            child.kill()?;
            return Err("does not begin its work".into());
        }
        sleep(Duration::from_millis(2));
    };
    // It has to be in the middle of its work.
    sleep(Duration::from_millis(500));
    let sent = Command::new("sh").args(["-c", &format!("kill -{signal} {worker}")]).status()?;
    assert!(sent.success());
    Ran::new(&command, child.wait_with_output()?)
}

/// While a file is read, a crash is the file's fault: the message says so.
#[cfg(target_os = "linux")]
#[test]
fn a_crash_while_a_file_is_read() -> TestResult {
    let scratch = Scratch::new()?;
    let found = Found::all()?.into_iter().find(|f| f.name == HANG).ok_or("no such line")?;
    let ran = killed(&found.arguments(&scratch)?, "ABRT", || true)?;
    assert_snapshot!(ran.refusal(&scratch)?);
    Ok(())
}

/// Elsewhere it is a bug. Nothing half-written is left behind.
#[cfg(target_os = "linux")]
#[test]
fn a_crash_while_events_are_computed() -> TestResult {
    for (signal, code) in [("ABRT", 6), ("KILL", 130)] {
        let scratch = Scratch::new()?;
        let out = scratch.path("trace.h5");
        let events = Scratch::new()?;
        let file = events.endless_events()?;
        let arguments = ["trace", "--model", MODEL, "--events", &file];
        let more = ["--semantics", "qkeras", "--max-events", "100000000", "--out", &out];
        let arguments: Vec<String> = arguments.into_iter().chain(more).map(str::to_owned).collect();
        let begun = || scratch.names().is_ok_and(|names| !names.is_empty());
        let ran = killed(&arguments, signal, begun)?;
        // Most of the time is spent in computing, but reading is a part of it.
        assert!(ran.code == Some(code) || ran.code == Some(5), "{}", ran.stderr);
        assert_eq!(ran.stderr.matches("error:").count(), 1, "{}", ran.stderr);
        assert_eq!(scratch.names()?, Vec::<String>::new());
    }
    Ok(())
}

/// The second process ends with the first one.
#[cfg(target_os = "linux")]
#[test]
fn nobody_works_for_nobody() -> TestResult {
    let scratch = Scratch::new()?;
    let mut command = program();
    command.args(["--model", MODEL, "--events", &scratch.endless_events()?]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let started = Instant::now();
    let worker = loop {
        if let Some(worker) = worker(child.id()) {
            break worker;
        }
        assert!(started.elapsed() < Duration::from_secs(60));
        sleep(Duration::from_millis(2));
    };
    sleep(Duration::from_millis(500));
    child.kill()?;
    child.wait()?;
    let started = Instant::now();
    // What is dead but not yet buried has no command line any more.
    let alive = || fs::read(format!("/proc/{worker}/cmdline")).is_ok_and(|c| !c.is_empty());
    while alive() {
        assert!(started.elapsed() < Duration::from_secs(60), "{worker} still works");
        sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Where there can be no second process, or no first one, the work is done all the same.
#[test]
fn one_process_is_enough() -> TestResult {
    let usual = verify(["--model", MODEL, "--events", EVENTS])?;
    let mut command = program();
    command.args(["--model", MODEL, "--events", EVENTS]).env("BITTRUE_WORKER", "1");
    let output = command.stdin(Stdio::null()).output()?;
    let alone = Ran::new(&command, output)?;
    assert_eq!((alone.code, alone.stdout), (usual.code, usual.stdout));
    Ok(())
}
