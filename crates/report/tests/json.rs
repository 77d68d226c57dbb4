//! The JSON renderer.

use bittrue_record::{
    EventsInfo, FORMAT_VERSION, ModelInfo, Report, ToolInfo, Warning, schema_json,
};
use bittrue_report::json;

type TestResult = Result<(), Box<dyn std::error::Error>>;

fn report() -> Report {
    Report {
        format_version: FORMAT_VERSION,
        tool: ToolInfo {
            name: "bittrue".to_owned(),
            version: "0.1.0".to_owned(),
            profiles: Vec::new(),
        },
        partial: false,
        model: ModelInfo {
            path: "models/\u{1b}\"λ\\.h5".to_owned(),
            sha256: "0".repeat(64),
            class: "Functional".to_owned(),
        },
        proxy: None,
        hls_config: None,
        events: EventsInfo {
            path: "events.h5".to_owned(),
            size: u64::MAX,
            count: 1,
            skipped: 0,
            sha256: None,
            files: Vec::new(),
            datasets: Vec::new(),
            columns: Vec::new(),
        },
        input_types: Vec::new(),
        assumptions: Vec::new(),
        warnings: vec![Warning { code: "c".to_owned(), layer: None, text: "t".to_owned() }],
        comparisons: Vec::new(),
        between_targets: Vec::new(),
    }
}

#[test]
fn every_report_is_read_back_as_it_was() -> TestResult {
    let report = report();
    let text = json(&report);
    assert_eq!(serde_json::from_str::<Report>(&text)?, report);
    assert_eq!(json(&serde_json::from_str::<Report>(&text)?), text);

    let schema: serde_json::Value = serde_json::from_str(&schema_json())?;
    assert!(jsonschema::is_valid(&schema, &serde_json::from_str(&text)?));
    Ok(())
}

#[test]
fn the_text_is_indented_and_ends_in_one_newline() {
    let text = json(&report());
    assert!(text.starts_with("{\n  \"format_version\": 1,\n  \"tool\": {\n"), "{text}");
    assert!(text.ends_with("\n}\n"), "{text}");
    // Control characters of a path never reach the terminal.
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text}");
}
