//! `verify bench`: what does not depend on the machine, and refusals.

use bittrue_record::Bench;

use crate::support::{MODEL, Scratch, TestResult, verify};

#[test]
fn the_jets() -> TestResult {
    let scratch = Scratch::new()?;
    let (json, svg) = (scratch.path("b.json"), scratch.path("b.svg"));
    let ran = verify([
        "bench",
        "--model",
        "jets/model.h5",
        "--events",
        "gen:uniform,n=5000",
        "--seconds",
        "0.01",
        "--explain",
        "--json",
        &json,
        "--svg",
        &svg,
    ])?;
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let bench: Bench = serde_json::from_str(&std::fs::read_to_string(&json)?)?;
    assert_eq!((bench.events_in_memory, bench.macs), (5000, 16 * 64 + 64 * 32 + 32 * 32 + 32 * 5));
    let names: Vec<&str> = bench.layers.iter().map(|l| l.name.as_str()).collect();
    assert_eq!(names.first(), Some(&"q_in"));
    assert_eq!(names.last(), Some(&"out"));
    assert!(names.contains(&"fc2 + relu2"), "{names:?}");
    let sum: u64 = bench.layers.iter().filter_map(|l| l.ebops).sum();
    assert_eq!((bench.hardware.ebops, bench.hardware.unknown.len()), (sum, 0));
    let products: u64 = bench.hardware.multiplications.iter().map(|m| m.count).sum();
    assert!(products > 1000 && products < bench.macs);
    let depth: u32 = bench.hardware.critical_path.iter().map(|p| p.depth).sum();
    assert_eq!(bench.hardware.depth, depth);
    for rate in [bench.target_only, bench.reference_only, bench.verify] {
        assert!(rate.events_per_s >= rate.median_events_per_s && rate.median_events_per_s > 0.0);
    }
    assert!(ran.stdout.contains("raws 0 to 63 and the weights give sums from"), "{}", ran.stdout);
    assert!(std::fs::read_to_string(&svg)?.starts_with("<svg"));
    Ok(())
}

#[test]
fn a_leg_on_reals_has_rates_and_no_layers() -> TestResult {
    let model = "golden/jet_softmax/model.h5";
    let ran =
        verify(["bench", "--model", model, "--events", "gen:uniform,n=300", "--seconds", "0"])?;
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert!(ran.stdout.contains("computes on reals in some layer"), "{}", ran.stdout);
    Ok(())
}

#[test]
fn refusals() -> TestResult {
    let scratch = Scratch::new()?;
    for (flags, code) in [
        (&["--events", "gen:flat,n=1"][..], 5),
        (&["--target", "qkeras"], 2),
        (&["--seconds", "-1"], 2),
        (&["--json", MODEL], 2),
        (&["--simd", "mmx"], 2),
    ] {
        let ran = verify(["bench", "--model", MODEL].iter().chain(flags))?;
        assert_eq!(ran.code, Some(code), "{flags:?} {}", ran.stderr);
        ran.refusal(&scratch)?;
    }
    Ok(())
}
