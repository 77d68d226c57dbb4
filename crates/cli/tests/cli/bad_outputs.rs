//! Outputs that cannot be written: exit code 7 before any event is read where that can be known,
//! and nothing half-written is left behind.

use std::fs;

use insta::assert_snapshot;

use crate::support::{EVENTS, MODEL, Ran, Scratch, TestResult, testvectors, verify};

type Refused = Result<Ran, Box<dyn std::error::Error>>;

fn compare_to(json: &str) -> Refused {
    verify(["--model", MODEL, "--events", EVENTS, "--json", json])
}

fn trace_to(out: &str) -> Refused {
    let files = ["trace", "--model", MODEL, "--events", EVENTS];
    verify(files.into_iter().chain(["--semantics", "proxy:wrap", "--out", out]))
}

#[test]
fn directories_that_do_not_exist() -> TestResult {
    let scratch = Scratch::new()?;
    let texts = compare_to(&scratch.path("nowhere/report.json"))?.refusal(&scratch)?
        + &trace_to(&scratch.path("nowhere/trace.h5"))?.refusal(&scratch)?;
    assert_snapshot!(texts);
    assert_eq!(scratch.names()?, Vec::<String>::new());
    Ok(())
}

#[test]
fn directories_instead_of_files() -> TestResult {
    let scratch = Scratch::new()?;
    fs::create_dir(scratch.path("reports"))?;
    let texts = compare_to(&scratch.path("reports"))?.refusal(&scratch)?
        + &trace_to(&scratch.path("reports"))?.refusal(&scratch)?;
    assert_snapshot!(texts);
    assert_eq!(scratch.names()?, ["reports"]);
    Ok(())
}

#[cfg(unix)]
#[test]
fn files_that_may_not_be_written() -> TestResult {
    use std::os::unix::fs::PermissionsExt;

    let scratch = Scratch::new()?;
    let json = scratch.file("report.json", b"precious")?;
    let trace = scratch.file("trace.h5", b"precious")?;
    for file in [&json, &trace] {
        fs::set_permissions(file, fs::Permissions::from_mode(0o444))?;
    }
    if fs::OpenOptions::new().write(true).open(&json).is_ok() {
        eprintln!("skipped: this user (root?) writes every file, whatever its permissions");
        return Ok(());
    }
    let texts = compare_to(&json)?.refusal(&scratch)? + &trace_to(&trace)?.refusal(&scratch)?;
    assert_snapshot!(texts);
    for file in [&json, &trace] {
        assert_eq!(fs::read(file)?, b"precious");
    }
    assert_eq!(scratch.names()?, ["report.json", "trace.h5"]);
    Ok(())
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk() -> TestResult {
    use std::fs::OpenOptions;
    use std::process::Stdio;

    use crate::support::program;

    // The table comes all the same: it took the time.
    let ran = compare_to("/dev/full")?;
    assert!(ran.stdout.contains("proxy:wrap against qkeras"), "{}", ran.stdout);
    assert_eq!(ran.code, Some(7));
    let mut command = program();
    command.args(["--model", MODEL, "--events", EVENTS]);
    command.stdout(OpenOptions::new().write(true).open("/dev/full")?).stderr(Stdio::piped());
    let output = command.spawn()?.wait_with_output()?;
    let to_stdout = Ran::new(&command, output)?;
    assert_eq!(to_stdout.code, Some(7));
    assert_snapshot!(format!("{}{}", ran.stderr, to_stdout.stderr));
    Ok(())
}

#[test]
fn outputs_that_would_replace_an_input() -> TestResult {
    let scratch = Scratch::new()?;
    let (model, events) = (scratch.path("model.h5"), scratch.path("events.h5"));
    for (from, to) in [(MODEL, &model), (EVENTS, &events)] {
        fs::copy(testvectors().join(from), to)?;
    }
    let mut texts = String::new();
    for out in [&scratch.path("./model.h5"), &events] {
        texts +=
            &verify(["--model", &model, "--events", &events, "--json", out])?.refusal(&scratch)?;
        let files = ["trace", "--model", &model, "--events", &events];
        texts += &verify(files.into_iter().chain(["--semantics", "qkeras", "--out", out]))?
            .refusal(&scratch)?;
    }
    assert_snapshot!(texts);
    for (from, to) in [(MODEL, &model), (EVENTS, &events)] {
        assert_eq!(fs::read(testvectors().join(from))?, fs::read(to)?);
    }
    Ok(())
}

#[test]
fn a_failed_run_leaves_no_output() -> TestResult {
    let scratch = Scratch::new()?;
    let (json, out) = (scratch.path("report.json"), scratch.path("trace.h5"));
    for (model, events) in [
        ("bad/nan_weights.h5", EVENTS),
        ("bad/alpha_unset.h5", EVENTS),
        (MODEL, "bad/empty_events.h5"),
        // The damage is met while events are read, when the outputs are open already.
        ("golden/a_leaky/model.h5", "bad/damaged_events.h5"),
    ] {
        let files = ["--model", model, "--events", events];
        let compared = verify(files.into_iter().chain(["--json", &json]))?;
        let flags = ["--semantics", "proxy:sat", "--out", &out];
        let traced = verify(["trace"].into_iter().chain(files).chain(flags))?;
        assert_eq!(compared.stderr, traced.stderr);
        assert!(matches!(compared.code, Some(3..=5)), "{}", compared.stderr);
        assert_eq!(compared.code, traced.code);
        assert_eq!(scratch.names()?, Vec::<String>::new(), "{model} {events}");
    }
    Ok(())
}

#[test]
fn a_report_replaces_an_older_one() -> TestResult {
    let scratch = Scratch::new()?;
    let json = scratch.file("report.json", b"old")?;
    assert_eq!(compare_to(&json)?.code, Some(1));
    assert!(fs::read_to_string(&json)?.starts_with('{'));
    assert_eq!(scratch.names()?, ["report.json"]);
    Ok(())
}
