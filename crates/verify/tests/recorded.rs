//! Recorded traces as targets: what hls4ml has left behind, what a board dumps, and our own.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use bittrue_io::{EventOptions, TraceOptions, read_datasets};
use bittrue_record::{Comparison, Report, Verdict};
use bittrue_verify::{
    Error, ErrorKind, Leg, RecordedTarget, TraceConfig, Unwatched, VerifyConfig, trace, verify,
};

const MODEL: &str = "golden/jet_mlp";

fn vectors(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testvectors").join(file)
}

fn first(events: u64) -> EventOptions {
    EventOptions { max_events: Some(events), ..EventOptions::default() }
}

fn run(
    case: &str,
    reference: Leg,
    targets: &[Leg],
    trace: (PathBuf, TraceOptions),
    options: EventOptions,
) -> Result<Report, Error> {
    let config = VerifyConfig {
        model: vectors(case).join("model.h5"),
        proxy: None,
        hls_config: None,
        events: vec![vectors(case).join("events.h5")],
        options,
        reference,
        targets: targets.to_vec(),
        traces: vec![RecordedTarget { path: trace.0, options: trace.1 }],
        input_types: Vec::new(),
        strict_layers: false,
        hash: false,
    };
    verify(&config, &Unwatched)
}

/// The jet model's first 40 events against a trace of its simulation.
fn jets(reference: Leg, file: &Path, options: TraceOptions) -> Comparison {
    let report = run(MODEL, reference, &[], (file.to_owned(), options), first(40));
    report.expect("a report").comparisons.pop().expect("a comparison")
}

/// Writes what our own leg gives.
fn own_trace(case: &str, leg: Leg, out: &Path) {
    let config = TraceConfig {
        model: vectors(case).join("model.h5"),
        proxy: None,
        hls_config: None,
        events: vec![vectors(case).join("events.h5")],
        options: EventOptions::default(),
        leg,
        input_types: Vec::new(),
        out: out.to_owned(),
    };
    trace(&config, &Unwatched).expect("a trace");
}

/// hls4ml's `trace()` and its testbench's log are counted as the leg that computes them.
#[test]
fn records_of_hls4ml_are_counted_like_its_leg() {
    for file in ["recorded/trace.npz", "recorded/csim_results.log"] {
        let record = (vectors(file), TraceOptions::default());
        let report = run(MODEL, Leg::Qkeras, &[Leg::Hls4mlWrap], record, first(40));
        let [leg, recorded] = &report.expect("a report").comparisons[..] else {
            panic!("two comparisons")
        };
        assert_eq!(recorded.events_differing, leg.events_differing, "{file}");
        assert!(recorded.events_differing > 0, "{file}");
        let layers = if file.ends_with("npz") { 7 } else { 1 };
        assert_eq!(recorded.layers.len(), layers, "{file}");
        for layer in &recorded.layers {
            let same = leg.layers.iter().find(|l| l.name == layer.name).expect("the layer");
            assert_eq!(layer.mismatches, same.mismatches, "{file} {}", layer.name);
            assert_eq!(layer.max_abs_diff, same.max_abs_diff, "{file} {}", layer.name);
            assert_eq!(
                (layer.first_event, layer.first_index),
                (same.first_event, same.first_index),
                "{file} {}",
                layer.name
            );
            assert_eq!(layer.own_mismatches, None);
        }
        let exact = jets(Leg::Hls4mlWrap, &vectors(file), TraceOptions::default());
        assert_eq!(exact.verdict, Verdict::BitExact, "{file}");
        assert!(exact.layers.iter().all(|l| l.ambiguous == 0 && l.mismatches == 0), "{file}");
    }
}

/// A trace of ours comes back as it was, bands and flags with it, whatever part of it is compared.
#[test]
fn our_own_traces_come_back() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("trace.h5");
    for (case, leg) in [("golden/bn", Leg::Qkeras), (MODEL, Leg::ProxyWrap)] {
        own_trace(case, leg, &file);
        for options in [EventOptions::default(), EventOptions { skip: 33, ..first(20) }, first(1)] {
            let report = run(case, leg, &[], (file.clone(), TraceOptions::default()), options);
            let report = report.expect("a report");
            let c = &report.comparisons[0];
            assert!(c.layers.len() > 2, "{case}");
            assert!(c.layers.iter().all(|l| l.mismatches + l.ambiguous == 0), "{case}");
            // What one leg has in a band is no mismatch of the other's file.
            let other = if leg == Leg::Qkeras { Leg::ProxySat } else { Leg::Qkeras };
            let live = run(case, leg, &[other], (file.clone(), TraceOptions::default()), first(20));
            let swapped =
                run(case, other, &[leg], (file.clone(), TraceOptions::default()), first(20));
            let (live, swapped) = (live.expect("a report"), swapped.expect("a report"));
            let counts = |c: &Comparison| -> Vec<(String, u64, u64)> {
                let of = |l: &bittrue_record::Layer| (l.name.clone(), l.mismatches, l.ambiguous);
                c.layers.iter().map(of).collect()
            };
            assert_eq!(counts(&live.comparisons[0]), counts(&swapped.comparisons[1]), "{case}");
        }
    }
}

/// One value of one event that is another is found.
#[test]
fn one_digit_is_found() {
    let text = fs::read_to_string(vectors("recorded/csim_results.log")).expect("the log");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut words: Vec<f64> =
        lines[17].split_whitespace().map(|w| w.parse().expect("a number")).collect();
    // The next code, of the one that was printed with six digits.
    words[3] = (words[3] * 2048.0).round() / 2048.0 + 1.0 / 2048.0;
    lines[17] = words.iter().map(|w| format!("{w:.5e} ")).collect();
    let file = tempfile::Builder::new().suffix(".log").tempfile().expect("a file");
    fs::write(file.path(), lines.join("\n")).expect("written");
    let c = jets(Leg::Hls4mlWrap, file.path(), TraceOptions::default());
    assert_eq!((c.verdict, c.events_differing), (Verdict::Mismatch, 1));
    let layer = &c.layers[0];
    assert_eq!((layer.first_event, layer.first_index), (Some(17), Some(3)));
    assert_eq!((layer.mismatches, layer.max_abs_diff), (1, 1.0 / 2048.0));
}

/// Raw codes: in bits of the links of a pattern file, with idle frames, and as columns of a table.
#[test]
fn raw_codes_of_boards_and_tables() {
    let directory = tempfile::tempdir().expect("a directory");
    let own = directory.path().join("own.h5");
    own_trace(MODEL, Leg::Hls4mlWrap, &own);
    let layers = read_datasets(&own, "layers").expect("layers");
    let (_, out) = layers.iter().find(|(name, _)| name == "out").expect("the output");
    let mut pattern = "Board emulator\n Quad/Chan : q00c0 q00c1\n      Link : 00 01\n".to_owned();
    let mut table = "event,a,b,c,d,e\n".to_owned();
    let mut frame = 0;
    for (event, values) in out.outer_iter().take(40).enumerate() {
        // The output has the type ap_fixed<15,4>.
        let codes: Vec<i64> = values.iter().map(|v| (v * 2048.0) as i64).collect();
        let bits: Vec<u64> = codes.iter().map(|c| *c as u64 & 0x7fff).collect();
        let first = (0..4).map(|n| bits[n] << (16 * n)).fold(0, |a, b| a | b);
        writeln!(pattern, "Frame {frame:04} : 1v{first:016x} 1v{:016x}", bits[4]).expect("text");
        writeln!(pattern, "Frame {:04} : 0v{:016x} 0v{:016x}", frame + 1, 0, 0).expect("text");
        frame += 2;
        let words: Vec<String> = codes.iter().map(i64::to_string).collect();
        writeln!(table, "{event},{}", words.join(",")).expect("text");
    }
    let code = |text: &str, hexadecimal: bool| {
        let fixed_type = text.parse().expect("a type");
        vec![(None, bittrue_io::CodeType { hexadecimal, fixed_type })]
    };
    let columns = |text: &str| {
        let columns = text.split(',').map(|c| c.parse().expect("a column")).collect();
        vec![(None, columns)]
    };
    let links = "00[14:0],00[30:16],00[46:32],00[62:48],01[14:0]";
    for (name, text, columns) in
        [("board.txt", pattern, columns(links)), ("table.csv", table, columns("a,b,c,d,e"))]
    {
        let file = directory.path().join(name);
        fs::write(&file, text).expect("written");
        let options =
            TraceOptions { columns: columns.clone(), codes: code("ap_fixed<15,4>", false) };
        let c = jets(Leg::Hls4mlWrap, &file, options);
        assert_eq!((c.verdict, c.layers[0].elements), (Verdict::BitExact, 200), "{name}");
        // Half the LSB: every value but 0 is another.
        let options = TraceOptions { columns, codes: code("ap_fixed<15,3>", false) };
        let c = jets(Leg::Hls4mlWrap, &file, options);
        assert_eq!(c.events_differing, 40, "{name}");
    }
}

/// A trace of other events or of another model is refused, with the reason.
#[test]
fn what_does_not_fit_is_refused() {
    let npz = vectors("recorded/trace.npz");
    let refused = |case: &str, file: &Path, options: EventOptions| {
        let record = (file.to_owned(), TraceOptions::default());
        run(case, Leg::Qkeras, &[], record, options).expect_err("a refusal")
    };
    let junk = tempfile::Builder::new().suffix(".log").tempfile().expect("a file");
    fs::write(junk.path(), "0.5 1 x 2 3\n").expect("written");
    for (error, words) in [
        (refused(MODEL, &npz, first(41)), &["`fc1` has 40 events", "41 are compared"][..]),
        (refused("golden/bn", &npz, first(40)), &["has no values of the output", "fc1"]),
        (refused(MODEL, &vectors("golden/jet_mlp/events.h5"), first(40)), &["output `out`"]),
        (refused(MODEL, junk.path(), first(1)), &["line"]),
        (refused(MODEL, &vectors("none.npz"), first(1)), &["does not exist"]),
    ] {
        assert_eq!(error.kind(), ErrorKind::Conversion, "{error}");
        let text = error.to_string();
        assert!(words.iter().all(|w| text.contains(w)), "{text}");
    }
}
