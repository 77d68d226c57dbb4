//! Comparisons that run: the table, the JSON report, and every flag that changes them.

use std::fs;

use insta::assert_snapshot;
use serde_json::Value;

use crate::support::{EVENTS, MODEL, Ran, Scratch, TestResult, program, testvectors, verify};

type Failure = Box<dyn std::error::Error>;

/// Runs a golden case.
fn golden(case: &str, flags: &[&str]) -> Result<Ran, Failure> {
    let (model, events) = (format!("golden/{case}/model.h5"), format!("golden/{case}/events.h5"));
    verify(["--model", &model, "--events", &events].iter().chain(flags))
}

/// Runs a golden case and reads its report.
fn report(case: &str, flags: &[&str]) -> Result<(Ran, Value), Failure> {
    let scratch = Scratch::new()?;
    let json = scratch.path("report.json");
    let ran = golden(case, &[flags, &["--json", &json]].concat())?;
    Ok((ran, serde_json::from_slice(&fs::read(&json)?)?))
}

#[test]
fn the_table() -> TestResult {
    let ran = golden("jet_mlp", &[])?;
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), ""));
    assert_snapshot!(ran.stdout);
    Ok(())
}

#[test]
fn one_target_that_is_exact() -> TestResult {
    let ran = golden("siamese", &["--target", "proxy:sat"])?;
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert_snapshot!(ran.stdout);
    Ok(())
}

#[test]
fn two_targets_in_the_order_of_the_flags() -> TestResult {
    let (ran, report) = report("merges", &["--target", "proxy:wrap", "--target", "proxy:sat"])?;
    assert_eq!(ran.code, Some(1));
    assert_eq!(report["comparisons"][0]["target"], "proxy:wrap");
    assert_eq!(report["comparisons"][1]["target"], "proxy:sat");
    Ok(())
}

#[test]
fn a_proxy_as_reference() -> TestResult {
    let (ran, report) = report("jet_mlp", &["--reference", "proxy:sat"])?;
    assert_eq!(ran.code, Some(1));
    let comparisons = report["comparisons"].as_array().ok_or("no list")?;
    assert_eq!(comparisons.len(), 1);
    assert_eq!(comparisons[0]["target"], "proxy:wrap");
    assert_eq!(comparisons[0]["events_differing"], 110);
    // Nothing is assumed of a leg that does not run.
    assert_eq!(report["assumptions"], serde_json::json!([]));
    Ok(())
}

#[test]
fn the_report_follows_its_schema() -> TestResult {
    let schema = fs::read(testvectors().join("../schema/report-v1.schema.json"))?;
    let validator = jsonschema::validator_for(&serde_json::from_slice(&schema)?)?;
    for case in ["jet_mlp", "jet_softmax", "siamese", "merges", "sig_keras"] {
        let (_, mut report) = report(case, &[])?;
        let errors: Vec<String> = validator.iter_errors(&report).map(|e| e.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new(), "{case}");
        report["comparisons"][0]["verdict"] = "perhaps".into();
        assert!(!validator.is_valid(&report), "{case}: the schema lets everything through");
    }
    Ok(())
}

#[test]
fn the_same_bytes_on_any_number_of_threads() -> TestResult {
    let scratch = Scratch::new()?;
    for case in ["jet_mlp", "merges", "sig_keras"] {
        let mut first: Option<(Vec<u8>, Vec<u8>)> = None;
        for threads in ["1", "2", "7"] {
            let json = scratch.path(&format!("{case}-{threads}.json"));
            let (model, events) =
                (format!("golden/{case}/model.h5"), format!("golden/{case}/events.h5"));
            let mut command = program();
            command.args(["--model", &model, "--events", &events, "--json", &json]);
            let output = command.env("RAYON_NUM_THREADS", threads).output()?;
            assert_eq!(output.status.code(), Some(1), "{case}");
            let bytes = (output.stdout, fs::read(&json)?);
            match &first {
                None => first = Some(bytes),
                Some(first) => assert!(*first == bytes, "{case} on {threads} threads"),
            }
        }
    }
    Ok(())
}

#[test]
fn strict_layers_count_in_the_verdict() -> TestResult {
    // The cast cuts off bits of the input that the first quantizer rounds away in any case.
    let flags = ["--target", "proxy:sat", "--input-type", "ap_fixed<29,7>"];
    let (lenient, of_outputs) = report("jet_mlp", &flags)?;
    assert_eq!(lenient.code, Some(0));
    let outputs = &of_outputs["comparisons"][0];
    assert_eq!(outputs["verdict"], "bit-exact");
    assert_eq!(outputs["events_differing"], 0);
    assert_eq!(outputs["layers_differing"], serde_json::json!(["in"]));
    let (strict, of_layers) = report("jet_mlp", &[&flags[..], &["--strict-layers"]].concat())?;
    assert_eq!(strict.code, Some(1));
    let all = &of_layers["comparisons"][0];
    assert_eq!(all["verdict"], "mismatch");
    assert_eq!(all["events_differing"], all["layers"][0]["events_differing"]);
    assert_eq!(all["layers"], outputs["layers"]);
    Ok(())
}

#[test]
fn a_part_of_the_events() -> TestResult {
    let wrap = |flags: &[&str]| -> Result<Value, Failure> {
        let (ran, report) = report("jet_mlp", &[&["--target", "proxy:wrap"], flags].concat())?;
        assert_eq!(ran.code, Some(1));
        Ok(report)
    };
    let differing = |report: &Value| report["comparisons"][0]["events_differing"].as_u64();
    let first = |report: &Value| report["comparisons"][0]["layers"][0]["first_event"].as_u64();
    let all = wrap(&[])?;
    let (head, tail) = (wrap(&["--max-events", "200"])?, wrap(&["--skip", "200"])?);
    assert_eq!((&head["events"]["count"], &head["events"]["skipped"]), (&200.into(), &0.into()));
    assert_eq!((&tail["events"]["count"], &tail["events"]["skipped"]), (&200.into(), &200.into()));
    let sum = differing(&head).zip(differing(&tail)).map(|(a, b)| a + b);
    assert_eq!(differing(&all), sum);
    assert_eq!(sum, Some(110));
    // Events are numbered from the start of the file, whatever is skipped.
    assert_eq!(first(&all), Some(1));
    let from = first(&tail).ok_or("no first event")?;
    assert!((200..400).contains(&from), "{from}");
    let alone = wrap(&["--skip", &from.to_string(), "--max-events", "1"])?;
    assert_eq!(first(&alone), Some(from));
    assert_eq!(differing(&alone), Some(1));
    // More than there are is all that there are.
    assert_eq!(wrap(&["--max-events", "100000"])?, all);
    Ok(())
}

/// A report without the commands at its end, which repeat the flags as they were given.
fn without_commands(text: &str) -> String {
    text.lines().filter(|line| !line.starts_with("  verify explain")).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_way_to_name_a_dataset() -> TestResult {
    let files = ["--model", MODEL, "--events", "bad/ambiguous.h5", "--dataset"];
    let mut texts = Vec::new();
    for dataset in ["raw", "/raw", "in=raw", "in=/raw", "scaled"] {
        let ran = verify(files.into_iter().chain([dataset]))?;
        assert_eq!(ran.stderr, "", "{dataset}");
        texts.push(without_commands(&ran.stdout));
    }
    let scaled = texts.pop();
    assert!(texts.iter().all(|t| *t == texts[0]));
    assert_ne!(scaled.as_ref(), Some(&texts[0]));

    // Two inputs: by name, exchanged, and both from one dataset.
    let named = golden("siamese", &["--dataset", "left=left", "--dataset", "right=/right"])?;
    let named = without_commands(&named.stdout);
    assert_eq!(named, without_commands(&golden("siamese", &[])?.stdout));
    let exchanged = golden("siamese", &["--dataset", "left=right", "--dataset", "right=left"])?;
    assert_ne!(without_commands(&exchanged.stdout), named);
    let one = golden("siamese", &["--dataset", "left=right"])?;
    assert_eq!((one.code, one.stderr.as_str()), (Some(1), ""));
    Ok(())
}

#[test]
fn an_input_type_is_cast_and_recorded() -> TestResult {
    let (ran, report) = report("jet_mlp", &["--input-type", "in=ap_fixed<10,4>"])?;
    assert_eq!(ran.code, Some(1));
    assert_eq!(report["input_types"], serde_json::json!(["in=ap_fixed<10,4,TRN,WRAP>"]));
    assert_eq!(report["comparisons"][0]["layers"][0]["name"], "in");
    assert!(ran.stdout.contains("in=ap_fixed<10,4,TRN,WRAP>"), "{}", ran.stdout);
    Ok(())
}

#[test]
fn the_events_are_hashed_on_request() -> TestResult {
    let (_, without) = report("siamese", &[])?;
    assert_eq!(without["events"].get("sha256"), None);
    let (_, with) = report("siamese", &["--hash"])?;
    let events = testvectors().join("golden/siamese/events.h5");
    let hash = bittrue_io::sha256_file(&events, bittrue_io::IoErrorKind::Events)?;
    assert_eq!(with["events"]["sha256"], hash);
    Ok(())
}

#[test]
fn colour_adds_nothing_but_colour() -> TestResult {
    let plain = golden("jet_mlp", &["--color", "never"])?.stdout;
    assert!(!plain.contains('\u{1b}'));
    // This test is no terminal.
    assert_eq!(golden("jet_mlp", &[])?.stdout, plain);
    let coloured = golden("jet_mlp", &["--color", "always"])?.stdout;
    assert_ne!(coloured, plain);
    let mut stripped = String::new();
    for (n, part) in coloured.split('\u{1b}').enumerate() {
        stripped += if n == 0 { part } else { part.split_once('m').ok_or("no end")?.1 };
    }
    assert_eq!(stripped, plain);
    // The flag is nearer than the environment.
    let mut command = program();
    command.args(["--model", "golden/jet_mlp/model.h5", "--events", "golden/jet_mlp/events.h5"]);
    let output = command.args(["--color", "always"]).env("NO_COLOR", "1").output()?;
    assert_eq!(String::from_utf8(output.stdout)?, coloured);
    Ok(())
}

#[test]
fn a_reader_that_has_gone_is_no_error() -> TestResult {
    // Like `verify … | head -1`, with a head that is gone before the first line.
    for (args, code) in [
        (&["--model", MODEL, "--events", EVENTS][..], 1),
        (&["inspect", "--model", MODEL], 0),
        (&["--help"], 0),
    ] {
        let (reader, writer) = std::io::pipe()?;
        drop(reader);
        let mut command = program();
        command.args(args).stdout(writer).stderr(std::process::Stdio::piped());
        let output = command.spawn()?.wait_with_output()?;
        assert_eq!(String::from_utf8(output.stderr)?, "", "{args:?}");
        assert_eq!(output.status.code(), Some(code), "{args:?}");
    }
    Ok(())
}
