//! The committed schema is the one that the types give, and it accepts what is written and refuses
//! what is not a report.

use std::error::Error;
use std::fs;
use std::path::Path;

use bittrue_record::{
    Comparison, ComparisonCounts, ComparisonMeta, Difference, EventFileInfo, EventsInfo,
    FORMAT_VERSION, FileInfo, LayerCounts, LayerMeta, ModelInfo, Report, ToolInfo, Warning,
    schema_json,
};
use proptest::prelude::*;
use serde_json::{Value, json};

type TestResult = Result<(), Box<dyn Error>>;

/// To update the file after a change of the types: `UPDATE_SCHEMA=1 cargo test -p bittrue-record`.
#[test]
fn the_committed_schema_is_current() -> TestResult {
    let name = format!("../../schema/report-v{FORMAT_VERSION}.schema.json");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(&path, schema_json())?;
    }
    assert_eq!(
        fs::read_to_string(&path)?,
        schema_json(),
        "the report's types have changed; see this test for how to update the schema"
    );
    Ok(())
}

fn report() -> Result<Report, Box<dyn Error>> {
    let meta = ComparisonMeta {
        reference: "qkeras".to_owned(),
        target: "proxy:wrap".to_owned(),
        layers: vec![
            LayerMeta {
                name: "q_in".to_owned(),
                class: "QActivation".to_owned(),
                result_t: Some("ap_fixed<10,4,RND_CONV,WRAP>".parse()?),
                is_output: false,
                reference_proven: true,
            },
            LayerMeta {
                name: "out".to_owned(),
                class: "QDense".to_owned(),
                result_t: None,
                is_output: true,
                reference_proven: false,
            },
        ],
        not_formed: vec!["relu".to_owned()],
        own_known: true,
    };
    let wraps = LayerCounts {
        elements: 6400,
        mismatches: 658,
        events_differing: 110,
        max_abs_diff: 15.984_375,
        first: Some(Difference { event: 1, index: 0 }),
        own_mismatches: 658,
        flags: [0, 0, 0, 5, 0, 0, 0, 0],
        ..LayerCounts::default()
    };
    let equal = LayerCounts { elements: 2000, ambiguous: 3, ..LayerCounts::default() };
    let counts = ComparisonCounts {
        layers: vec![wraps, equal],
        events: 400,
        events_differing: 0,
        events_differing_any_layer: 110,
    };
    Ok(Report {
        format_version: FORMAT_VERSION,
        tool: ToolInfo {
            name: "bittrue".to_owned(),
            version: "0.1.0".to_owned(),
            profiles: vec!["qkeras-0.9.0".to_owned(), "hgq-0.2.6".to_owned()],
        },
        partial: false,
        model: ModelInfo {
            path: "model.h5".to_owned(),
            sha256: "00".repeat(32),
            class: "Sequential".to_owned(),
        },
        proxy: Some(FileInfo { path: "proxy.h5".to_owned(), sha256: "ff".repeat(32) }),
        hls_config: Some(FileInfo { path: "c.yml".to_owned(), sha256: "ee".repeat(32) }),
        events: EventsInfo {
            path: "events.h5".to_owned(),
            size: 22_545,
            count: 400,
            skipped: 0,
            sha256: None,
            files: Vec::new(),
            datasets: Vec::new(),
            columns: Vec::new(),
        },
        input_types: vec!["input_1=ap_fixed<14,4,TRN,WRAP>".to_owned()],
        assumptions: Vec::new(),
        warnings: vec![Warning {
            code: "raw-input".to_owned(),
            layer: None,
            text: "No quantizer follows the input.".to_owned(),
        }],
        comparisons: vec![Comparison::from_counts(meta, &counts, false)?],
        between_targets: Vec::new(),
    })
}

fn of_two_files() -> Result<Report, Box<dyn Error>> {
    let file = |path: &str, sha256: Option<String>| EventFileInfo {
        path: path.to_owned(),
        size: 10,
        count: 200,
        sha256,
    };
    let mut report = report()?;
    report.events.path = "a.h5, b.h5".to_owned();
    report.events.datasets = vec!["in=/jets".to_owned()];
    report.events.columns = vec!["in=pt,eta".to_owned()];
    report.events.files = vec![file("a.h5", Some("0".repeat(64))), file("b.h5", None)];
    Ok(report)
}

fn validator() -> Result<jsonschema::Validator, Box<dyn Error>> {
    Ok(jsonschema::validator_for(&serde_json::from_str(&schema_json())?)?)
}

#[test]
fn a_written_report_fits_the_schema() -> TestResult {
    let report = report()?;
    let value = serde_json::to_value(&report)?;
    let errors: Vec<_> = validator()?.iter_errors(&value).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(serde_json::from_value::<Report>(value)?, report);
    Ok(())
}

#[test]
fn a_report_of_several_files_fits_the_schema() -> TestResult {
    let report = of_two_files()?;
    let value = serde_json::to_value(&report)?;
    assert!(validator()?.is_valid(&value));
    assert_eq!(serde_json::from_value::<Report>(value.clone())?, report);
    for (pointer, wrong) in [
        ("/events/files", json!("a.h5")),
        ("/events/files/0/path", json!(1)),
        ("/events/files/0/sha256", json!("unknown")),
        ("/events/files/1/count", json!(-1)),
        ("/events/datasets", json!("in=/jets")),
        ("/events/columns/0", json!(["pt", "eta"])),
    ] {
        let mut bad = value.clone();
        *bad.pointer_mut(pointer).ok_or(pointer)? = wrong;
        assert!(!validator()?.is_valid(&bad), "{pointer}");
    }
    Ok(())
}

#[test]
fn fields_are_written_in_the_published_order() -> TestResult {
    let value = serde_json::to_value(report()?)?;
    let keys = |pointer: &str| -> Vec<String> {
        let object = value.pointer(pointer).and_then(Value::as_object);
        object.map(|o| o.keys().cloned().collect()).unwrap_or_default()
    };
    assert_eq!(
        keys("").join(" "),
        "format_version tool partial model proxy hls_config events input_types assumptions warnings comparisons"
    );
    let mut two = report()?;
    two.between_targets = two.comparisons.clone();
    let two = serde_json::to_value(two)?;
    assert!(validator()?.is_valid(&two));
    assert_eq!(
        two.as_object().and_then(|o| o.keys().next_back()).map(String::as_str),
        Some("between_targets")
    );
    assert_eq!(keys("/tool").join(" "), "name version profiles");
    assert_eq!(keys("/model").join(" "), "path sha256 class");
    assert_eq!(keys("/events").join(" "), "path size count skipped");
    let value = serde_json::to_value(of_two_files()?)?;
    let keys_of_files = value.pointer("/events/files/0").and_then(Value::as_object);
    let keys_of_files = keys_of_files.map(|o| o.keys().cloned().collect::<Vec<_>>().join(" "));
    assert_eq!(keys_of_files.as_deref(), Some("path size count sha256"));
    assert_eq!(keys("/warnings/0").join(" "), "code layer text");
    assert_eq!(
        keys("/comparisons/0").join(" "),
        "reference target verdict outputs events_differing layers_differing first_layer not_formed \
         layers"
    );
    assert_eq!(
        keys("/comparisons/0/layers/0").join(" "),
        "name class type elements mismatches ambiguous events_differing max_abs_diff max_lsb_diff \
         first_event first_index own_mismatches inherited_mismatches not_finite_mismatches flags \
         reference"
    );
    assert_eq!(
        keys("/comparisons/0/layers/0/reference").join(" "),
        "class order_dependent function_inexact"
    );
    Ok(())
}

#[test]
fn the_schema_refuses_what_is_no_report() -> TestResult {
    let validator = validator()?;
    let good = serde_json::to_value(report()?)?;
    let edits = [
        ("/format_version", json!(2)),
        ("/partial", json!("no")),
        ("/proxy", Value::Null),
        ("/model/sha256", json!("unknown")),
        ("/events/count", json!(-1)),
        ("/warnings/0/layer", json!(3)),
        ("/comparisons/0/verdict", json!("bit_exact")),
        ("/comparisons/0/layers/0/type", json!(10)),
        ("/comparisons/0/layers/0/type", json!("float32")),
        ("/comparisons/0/layers/0/max_abs_diff", Value::Null),
        ("/comparisons/0/layers/0/flags/not-finite", json!(1.5)),
        ("/comparisons/0/layers/0/first_event", json!("1")),
        ("/comparisons/0/layers/0/reference/class", json!("exact_on_these_events")),
        ("/comparisons/0/layers/0/reference/order_dependent", Value::Null),
    ];
    for (pointer, value) in edits {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).ok_or(pointer)? = value;
        assert!(!validator.is_valid(&bad), "{pointer}");
    }
    // A proxy may be missing; whatever else is unknown is null.
    for (parent, key, may_be_missing) in [
        ("", "proxy", true),
        ("", "input_types", false),
        ("/comparisons/0", "first_layer", false),
        ("/comparisons/0/layers/1", "type", false),
        ("/comparisons/0/layers/1", "own_mismatches", false),
        ("/comparisons/0/layers/1", "reference", false),
        ("/comparisons/0/layers/1/reference", "function_inexact", false),
    ] {
        let mut edited = good.clone();
        let object = edited.pointer_mut(parent).and_then(Value::as_object_mut).ok_or(parent)?;
        object.remove(key).ok_or(key)?;
        assert_eq!(validator.is_valid(&edited), may_be_missing, "{parent}/{key}");
    }
    Ok(())
}

#[test]
fn a_reader_ignores_fields_that_it_does_not_know() -> TestResult {
    let mut value = serde_json::to_value(report()?)?;
    value["comparisons"][0]["first_cause"] = json!("overflow");
    assert!(validator()?.is_valid(&value));
    assert_eq!(serde_json::from_value::<Report>(value)?, report()?);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn numbers_keep_every_bit(bits in any::<u64>()) {
        let x = f64::from_bits(bits);
        prop_assume!(x.is_finite());
        let text = serde_json::to_string(&x).map_err(|e| TestCaseError::fail(e.to_string()))?;
        let back: f64 = serde_json::from_str(&text).map_err(|e| TestCaseError::fail(e.to_string()))?;
        prop_assert_eq!(back.to_bits(), bits, "{}", text);
    }
}
