//! The report: everything that one run says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Comparison, ExitCode, Verdict};

/// Version of the JSON format. It changes only when a reader of the old format would read
/// something wrong; added fields do not change it, and fields are never renamed.
pub const FORMAT_VERSION: u32 = 1;

/// What the schema demands of a hash.
const SHA256: &str = "^[0-9a-f]{64}$";

/// The result of one run of the verifier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "bittrue report, format 1")]
pub struct Report {
    /// Version of this format. Readers must refuse a version they do not know, and must ignore
    /// fields they do not know.
    #[schemars(extend("const" = FORMAT_VERSION))]
    pub format_version: u32,
    /// The program that made the report.
    pub tool: ToolInfo,
    /// Whether the run stopped before all events were compared. All counts then hold for the
    /// events compared so far, and nothing is said of the rest.
    pub partial: bool,
    /// The model.
    pub model: ModelInfo,
    /// The proxy model file, when the user gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "FileInfo")]
    pub proxy: Option<FileInfo>,
    /// The configuration of hls4ml, when the user gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "FileInfo")]
    pub hls_config: Option<FileInfo>,
    /// The events.
    pub events: EventsInfo,
    /// Casts of the model's inputs in the target legs, spelled `INPUT=TYPE` like the flag
    /// `--input-type`; empty when there are none.
    pub input_types: Vec<String>,
    /// What was assumed and cannot be read from the files, one sentence each.
    pub assumptions: Vec<String>,
    /// Findings about the model that do not stop the run.
    pub warnings: Vec<Warning>,
    /// One entry per target, in the order of the flags.
    pub comparisons: Vec<Comparison>,
    /// Each target against each earlier one, which stands as the reference: what two of them share
    /// is no difference here. Left out with a single target. Without a say in the exit code.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub between_targets: Vec<Comparison>,
}

/// The program and the rules by which it computes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ToolInfo {
    /// `bittrue`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The versioned sets of rules that were used, e.g. `qkeras-0.9.0`.
    pub profiles: Vec<String>,
}

/// The model file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ModelInfo {
    /// Path as given.
    pub path: String,
    /// SHA-256 of the file, in lower-case hexadecimal.
    #[schemars(extend("pattern" = SHA256))]
    pub sha256: String,
    /// `Sequential` or `Functional`.
    pub class: String,
}

/// Another file that took part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileInfo {
    /// Path as given.
    pub path: String,
    /// SHA-256 of the file, in lower-case hexadecimal.
    #[schemars(extend("pattern" = SHA256))]
    pub sha256: String,
}

/// The event files and the events that were compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventsInfo {
    /// Path as given; of several files all paths, with commas between them.
    pub path: String,
    /// Size of the file in bytes, of several files the sum.
    pub size: u64,
    /// Events compared.
    pub count: u64,
    /// Events at the start of the file, or of the first files, that were left out.
    pub skipped: u64,
    /// SHA-256 of the file, in lower-case hexadecimal; only when it was asked for, and only of one
    /// file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("pattern" = SHA256))]
    pub sha256: Option<String>,
    /// The files in the order in which they were read, when there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<EventFileInfo>,
    /// Datasets that the user chose, as in `--dataset`: `INPUT=PATH` or `PATH`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub datasets: Vec<String>,
    /// Columns that the user chose, as in `--columns`: `INPUT=a,b` or `a,b`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
}

/// One of several event files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventFileInfo {
    /// Path as given.
    pub path: String,
    /// Size of the file in bytes.
    pub size: u64,
    /// Events of the file that were compared.
    pub count: u64,
    /// SHA-256 of the file, in lower-case hexadecimal; only when it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("pattern" = SHA256))]
    pub sha256: Option<String>,
}

/// A finding about the model that does not stop the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Warning {
    /// Short name that flags can refer to.
    pub code: String,
    /// The layer it is about; null when it is about the whole model.
    pub layer: Option<String>,
    /// What was found and what to do, in sentences.
    pub text: String,
}

impl Report {
    /// The exit code of the run.
    ///
    /// A partial report is [`ExitCode::Interrupted`] whatever was found so far. A report that
    /// compares nothing proves nothing: it is [`ExitCode::Internal`], never a success.
    pub fn exit_code(&self) -> ExitCode {
        if self.partial {
            ExitCode::Interrupted
        } else if self.comparisons.is_empty() {
            ExitCode::Internal
        } else if self.comparisons.iter().any(|c| c.verdict == Verdict::Mismatch) {
            ExitCode::Mismatch
        } else {
            ExitCode::Success
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(partial: bool, verdicts: &[Verdict]) -> Report {
        let comparison = |&verdict: &Verdict| Comparison {
            reference: "qkeras".to_owned(),
            target: "proxy:sat".to_owned(),
            verdict,
            outputs: vec!["out".to_owned()],
            events_differing: 0,
            layers_differing: Vec::new(),
            first_layer: None,
            not_formed: Vec::new(),
            layers: Vec::new(),
        };
        Report {
            format_version: FORMAT_VERSION,
            tool: ToolInfo {
                name: "bittrue".to_owned(),
                version: "0.1.0".to_owned(),
                profiles: vec!["qkeras-0.9.0".to_owned()],
            },
            partial,
            model: ModelInfo {
                path: "model.h5".to_owned(),
                sha256: "00".repeat(32),
                class: "Functional".to_owned(),
            },
            proxy: None,
            hls_config: None,
            events: EventsInfo {
                path: "events.h5".to_owned(),
                size: 1,
                count: 1,
                skipped: 0,
                sha256: None,
                files: Vec::new(),
                datasets: Vec::new(),
                columns: Vec::new(),
            },
            input_types: Vec::new(),
            assumptions: Vec::new(),
            warnings: Vec::new(),
            comparisons: verdicts.iter().map(comparison).collect(),
            between_targets: Vec::new(),
        }
    }

    #[test]
    fn exit_codes_follow_the_verdicts() {
        use Verdict::{BitExact, Mismatch, WithinTolerance};
        let code = |verdicts: &[Verdict]| report(false, verdicts).exit_code();
        assert_eq!(code(&[BitExact]), ExitCode::Success);
        assert_eq!(code(&[BitExact, WithinTolerance]), ExitCode::Success);
        assert_eq!(code(&[BitExact, Mismatch, WithinTolerance]), ExitCode::Mismatch);
        assert_eq!(code(&[]), ExitCode::Internal);
        for verdicts in [&[BitExact][..], &[Mismatch], &[]] {
            assert_eq!(report(true, verdicts).exit_code(), ExitCode::Interrupted);
        }
    }

    #[test]
    fn absent_files_and_hashes_are_left_out_not_null() -> Result<(), serde_json::Error> {
        let mut report = report(false, &[Verdict::BitExact]);
        let value = serde_json::to_value(&report)?;
        assert!(value.get("proxy").is_none());
        assert!(value["events"].get("sha256").is_none());
        assert_eq!(serde_json::from_value::<Report>(value)?, report);

        report.proxy = Some(FileInfo { path: "p.h5".to_owned(), sha256: "ab".repeat(32) });
        report.events.sha256 = Some("cd".repeat(32));
        let value = serde_json::to_value(&report)?;
        assert_eq!(value["proxy"]["path"], "p.h5");
        assert_eq!(value["events"]["sha256"], "cd".repeat(32));
        assert_eq!(serde_json::from_value::<Report>(value)?, report);
        Ok(())
    }
}
