//! What `docs/report.md` says is what the program writes.

use std::error::Error;

use bittrue_record::{ExitCode, FLAG_NAMES, Report, schema_json};
use bittrue_report::{TextOptions, json, text};
use serde_json::Value;

type TestResult = Result<(), Box<dyn Error>>;

const DOC: &str = include_str!("../../../docs/report.md");

/// The only fenced block of the document in `language`.
fn fenced(language: &str) -> Result<&'static str, Box<dyn Error>> {
    let fence = format!("```{language}\n");
    let (_, block) = DOC.split_once(&fence).ok_or("no such block")?;
    assert!(!block.contains(&fence), "two blocks in {language}");
    let (block, _) = block.split_once("```").ok_or("the block has no end")?;
    Ok(block)
}

#[test]
fn the_json_example_is_what_the_program_writes() -> TestResult {
    let example = fenced("json")?;
    let schema: Value = serde_json::from_str(&schema_json())?;
    let validator = jsonschema::validator_for(&schema)?;
    let value: Value = serde_json::from_str(example)?;
    let errors: Vec<_> = validator.iter_errors(&value).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(json(&serde_json::from_str::<Report>(example)?), example);
    Ok(())
}

#[test]
fn the_text_example_is_of_the_same_report() -> TestResult {
    let report: Report = serde_json::from_str(fenced("json")?)?;
    assert_eq!(text(&report, &TextOptions::default()), fenced("text")?);
    Ok(())
}

#[test]
fn every_field_is_explained() -> TestResult {
    let schema: Value = serde_json::from_str(&schema_json())?;
    let definitions = schema["$defs"].as_object().ok_or("no definitions")?;
    let objects = definitions.values().chain([&schema]);
    let mut fields = 0;
    for name in objects.filter_map(|o| o["properties"].as_object()).flat_map(|o| o.keys()) {
        // In the first column of a table, alone or behind its parent: `name` or `parent.name`.
        let explained = DOC.lines().filter_map(|line| line.strip_prefix("| `")).any(|line| {
            let field = line.split('`').next().unwrap_or_default();
            field.trim_end_matches("[]").rsplit('.').next() == Some(name)
        });
        assert!(explained, "{name} is not explained");
        fields += 1;
    }
    assert!(fields > 40, "only {fields} fields in the schema");
    Ok(())
}

#[test]
fn flags_and_exit_codes_are_those_of_the_program() {
    for name in FLAG_NAMES {
        assert!(DOC.contains(&format!("\n| `{name}` | ")), "{name}");
    }
    for code in ExitCode::ALL {
        let row = format!("\n| {} | {} |\n", code.code(), code.meaning());
        assert!(DOC.contains(&row), "{row}");
    }
}
