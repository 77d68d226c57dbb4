//! Ctrl-C: the run ends after its current block, says what it saw, and leaves nothing half-written.

#![cfg(unix)]

use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::{ENDLESS, MODEL, Ran, Scratch, TestResult, program};

type Failure = Box<dyn std::error::Error>;

/// Longer than any of these steps takes on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Starts the program and waits until its output file is begun: from then on it catches signals.
fn start(args: &[&str], scratch: &Scratch) -> Result<Child, Failure> {
    let before = scratch.names()?;
    let mut command = program();
    command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let started = Instant::now();
    while scratch.names()? == before {
        if let Some(status) = child.try_wait()? {
            return Err(format!("ended before it was interrupted: {status}").into());
        }
        if started.elapsed() > PATIENCE {
            child.kill()?;
            return Err("does not begin its output".into());
        }
        sleep(Duration::from_millis(5));
    }
    Ok(child)
}

/// Sends a signal and waits for the end.
fn end(mut child: Child, signal: &str) -> Result<Ran, Failure> {
    let sent =
        Command::new("sh").arg("-c").arg(format!("kill -{signal} {}", child.id())).status()?;
    assert!(sent.success());
    let started = Instant::now();
    while child.try_wait()?.is_none() {
        if started.elapsed() > PATIENCE {
            child.kill()?;
            return Err(format!("does not end after SIG{signal}").into());
        }
        sleep(Duration::from_millis(5));
    }
    Ran::new(&Command::new("verify"), child.wait_with_output()?)
}

#[test]
fn a_comparison_reports_what_it_saw() -> TestResult {
    let (scratch, files) = (Scratch::new()?, Scratch::new()?);
    let events = files.endless_events()?;
    let json = scratch.path("report.json");
    // A machine that is busy may not finish a single block in the first pause.
    for pause in [1, 5, 25] {
        let args = ["--model", MODEL, "--events", &events, "--json", &json];
        let child = start(&args, &scratch)?;
        sleep(Duration::from_secs(pause));
        let ran = end(child, "INT")?;
        assert_eq!(ran.code, Some(130), "{}", ran.stderr);
        assert_eq!(scratch.names()?, ["report.json"]);
        let report: serde_json::Value = serde_json::from_slice(&std::fs::read(&json)?)?;
        assert_eq!(report["partial"], true);
        let seen = report["events"]["count"].as_u64().ok_or("no count")?;
        assert!(seen < ENDLESS);
        assert_eq!(
            ran.stderr,
            format!("error: interrupted: the report covers the first {seen} of {ENDLESS} events\n")
        );
        assert!(ran.stdout.contains("PARTIAL RUN"), "{}", ran.stdout);
        assert!(ran.stdout.contains("proxy:wrap against qkeras"), "{}", ran.stdout);
        let of_outputs = &report["comparisons"][0]["layers"][4];
        assert_eq!(of_outputs["elements"], seen * 5);
        if seen > 0 {
            return Ok(());
        }
        std::fs::remove_file(&json)?;
    }
    Err("no event was compared in 25 seconds".into())
}

#[test]
fn the_search_for_an_input_type_reports_nothing() -> TestResult {
    let (scratch, files) = (Scratch::new()?, Scratch::new()?);
    let events = files.endless_events()?;
    let json = scratch.path("report.json");
    let args = ["--model", MODEL, "--events", &events, "--input-type", "auto", "--json", &json];
    let ran = end(start(&args, &scratch)?, "INT")?;
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(130), ""));
    assert!(ran.stderr.starts_with("error: interrupted"), "{}", ran.stderr);
    assert_eq!(scratch.names()?, Vec::<String>::new());
    Ok(())
}

#[test]
fn a_trace_is_not_written() -> TestResult {
    let (scratch, files) = (Scratch::new()?, Scratch::new()?);
    let events = files.endless_events()?;
    let out = scratch.path("trace.h5");
    let args = ["trace", "--model", MODEL, "--events", &events];
    let flags = ["--semantics", "proxy:wrap", "--out", &out];
    // A batch system asks with this signal.
    let ran = end(start(&[&args[..], &flags].concat(), &scratch)?, "TERM")?;
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(130), ""));
    assert_eq!(scratch.redact(&ran.stderr), "error: interrupted: <dir>/trace.h5 was not written\n");
    assert_eq!(scratch.names()?, Vec::<String>::new());
    Ok(())
}
