//! All tests of a file again at every level of vector instructions that this machine has.
//!
//! The level is fixed once for each process, so each has one of its own.

use std::process::Command;

use bittrue_engine::Simd;

/// This very test, which does not run itself.
const THIS: &str = "levels::every_level_passes_these_tests";

#[test]
fn every_level_passes_these_tests() {
    let tests = std::env::current_exe().expect("these tests");
    let mut passed = Vec::new();
    for simd in Simd::all() {
        let level = simd.level();
        let run = Command::new(&tests)
            .args(["--skip", THIS, "--test-threads", "1"])
            .env(Simd::VARIABLE, level.name())
            .output()
            .expect("these tests again");
        let text = String::from_utf8_lossy(&run.stdout);
        assert!(run.status.success(), "{level}: {text}");
        let summary = text.lines().find(|l| l.starts_with("test result: ok. "));
        passed.push(summary.and_then(|l| l.split(' ').nth(3)?.parse::<u32>().ok()));
    }
    // The one below is among them, and others.
    assert!(passed.iter().all(|&n| n == passed[0] && n > Some(1)), "{passed:?}");
}

#[test]
fn the_level_is_the_one_that_was_asked_for() {
    if let Ok(name) = std::env::var(Simd::VARIABLE) {
        assert_eq!(Simd::chosen().level().name(), name);
    }
}
