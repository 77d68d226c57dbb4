//! The words in which bittrue states its results: the [`Report`] and its JSON schema, the
//! [`Verdict`], the [`ExitCode`], and the counters from which a report is made.
//!
//! Other programs may depend on this crate alone: it knows no engine, reads no model and prints
//! nothing. The format is explained field by field in `docs/report.md`.
//!
//! Results are made in two steps. While events run, each worker adds to its own
//! [`ComparisonCounts`]; these merge in any order and any grouping to the same sums. At the end
//! [`Comparison::from_counts`] derives everything else (verdict, differing layers, first guilty
//! layer), so a report of the same input has the same bytes whatever the number of threads.
//!
//! ```
//! use bittrue_record::{Comparison, ComparisonCounts, ComparisonMeta, Difference, LayerCounts};
//! use bittrue_record::{LayerMeta, Verdict};
//!
//! let meta = ComparisonMeta {
//!     reference: "qkeras".to_owned(),
//!     target: "proxy:wrap".to_owned(),
//!     layers: vec![LayerMeta {
//!         name: "q_in".to_owned(),
//!         class: "QActivation".to_owned(),
//!         result_t: Some("ap_fixed<10,4,RND_CONV,WRAP>".parse()?),
//!         is_output: true,
//!         reference_proven: true,
//!     }],
//!     not_formed: Vec::new(),
//!     own_known: true,
//! };
//! let mut counts = ComparisonCounts::default();
//! // Two blocks of one event with two elements; in the second block one element wraps.
//! for (wrapped, first) in [(0, None), (1, Some(Difference { event: 1, index: 0 }))] {
//!     counts.merge(&ComparisonCounts {
//!         layers: vec![LayerCounts {
//!             elements: 2,
//!             mismatches: wrapped,
//!             own_mismatches: wrapped,
//!             events_differing: wrapped,
//!             max_abs_diff: 15.984375 * wrapped as f64,
//!             first,
//!             ..LayerCounts::default()
//!         }],
//!         events: 1,
//!         events_differing: wrapped,
//!         events_differing_any_layer: wrapped,
//!     });
//! }
//! let comparison = Comparison::from_counts(meta, &counts, false)?;
//! assert_eq!(comparison.verdict, Verdict::Mismatch);
//! assert_eq!(comparison.first_layer.as_deref(), Some("q_in"));
//! assert_eq!(comparison.layers[0].max_lsb_diff, Some(1023.0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod audit;
mod bench;
mod check;
mod comparison;
mod counts;
mod derive;
mod diff;
mod exit;
mod explanation;
#[cfg(test)]
mod fixtures;
mod flags;
mod read;
mod report;
mod schema;

pub use audit::{AuditClass, ReferenceAudit};
pub use bench::{
    Bench, BenchLayer, FileRates, Hardware, Machine, Multiplications, PathStep, Rate, ThreadRate,
};
pub use check::CountsError;
pub use comparison::{Comparison, Layer, Verdict};
pub use counts::{ComparisonCounts, Difference, LayerCounts};
pub use derive::{ComparisonMeta, LayerMeta};
pub use diff::{
    Change, ComparisonDiff, DIFF_FORMAT_VERSION, Diff, Judgement, LayerDiff, Presence, Value,
};
pub use exit::ExitCode;
pub use explanation::{
    Actions, Ending, EventPlace, ExplainedCast, ExplainedElement, ExplainedLayer, ExplainedTensor,
    ExplainedValue, Explanation, InnerQuantizer, OverflowAction, Relation, RoundedTo,
};
pub use flags::FLAG_NAMES;
pub use read::{Detail, MAX_REPORT_BYTES, ReadError};
pub use report::{
    EventFileInfo, EventsInfo, FORMAT_VERSION, FileInfo, ModelInfo, Report, ToolInfo, Warning,
};
pub use schema::schema_json;
