//! The words in which a difference of two reports is stated.

use std::fmt;

use serde::Serialize;

use crate::ExitCode;

/// Version of the JSON format of a [`Diff`]; fields are added to it and never renamed.
pub const DIFF_FORMAT_VERSION: u32 = 1;

/// What became of something from the earlier report to the later one; of several, the last of these
/// that holds for any of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Judgement {
    /// Nothing that a report states is different.
    Same,
    /// Something is different, and it is neither better nor worse.
    Changed,
    /// Something differs less.
    Better,
    /// Something differs that did not, differs more, or is not looked at any more.
    Worse,
}

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Same => "same",
            Self::Changed => "changed",
            Self::Better => "better",
            Self::Worse => "worse",
        })
    }
}

/// In which of the two reports something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Presence {
    /// In both.
    Both,
    /// Only in the later one.
    New,
    /// Only in the earlier one.
    Vanished,
}

/// A value of a report.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// Not there, or null in the report.
    None,
    /// Yes or no.
    Flag(bool),
    /// A number of things.
    Count(u64),
    /// A number of things and how many of them there are; compared as a share.
    Share {
        /// Those that are meant.
        count: u64,
        /// All.
        of: u64,
    },
    /// A magnitude.
    Number(f64),
    /// Words.
    Text(String),
}

/// A field of the reports that is not what it was.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// The field by its name in the report, such as `mismatches` or `model.sha256`.
    pub field: String,
    /// What became of it.
    pub judgement: Judgement,
    /// Its value in the earlier report.
    pub before: Value,
    /// Its value in the later report.
    pub after: Value,
}

/// An aligned layer whose numbers are not what they were.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerDiff {
    /// The layer.
    pub name: String,
    /// Which reports have it.
    pub presence: Presence,
    /// What became of it.
    pub judgement: Judgement,
    /// What is different.
    pub changes: Vec<Change>,
}

/// A comparison of either report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ComparisonDiff {
    /// The leg that counts as right.
    pub reference: String,
    /// The leg that is checked.
    pub target: String,
    /// Which reports have it.
    pub presence: Presence,
    /// What became of it and its layers.
    pub judgement: Judgement,
    /// What is different about it as a whole.
    pub changes: Vec<Change>,
    /// The layers that are different, in report order, those that vanished last.
    pub layers: Vec<LayerDiff>,
}

/// What is new from one report to a later one; made by [`Diff::new`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diff {
    /// [`DIFF_FORMAT_VERSION`].
    pub diff_format_version: u32,
    /// The worst of everything below.
    pub judgement: Judgement,
    /// Whether both reports are about the same events, as far as they tell.
    pub same_events: bool,
    /// What is different about program, model, events and warnings.
    pub run: Vec<Change>,
    /// The comparisons of the later report in its order, then those that vanished.
    pub comparisons: Vec<ComparisonDiff>,
}

impl Diff {
    /// [`ExitCode::Mismatch`] when anything is worse, else [`ExitCode::Success`].
    pub fn exit_code(&self) -> ExitCode {
        match self.judgement {
            Judgement::Worse => ExitCode::Mismatch,
            Judgement::Same | Judgement::Changed | Judgement::Better => ExitCode::Success,
        }
    }
}

impl Change {
    pub(super) fn new(
        field: impl Into<String>,
        judgement: Judgement,
        before: Value,
        after: Value,
    ) -> Self {
        Self { field: field.into(), judgement, before, after }
    }

    /// A field whose value is neither good nor bad; `None` where it is the same.
    pub(super) fn neutral(
        field: &str,
        before: impl Into<Value>,
        after: impl Into<Value>,
    ) -> Option<Self> {
        let (before, after) = (before.into(), after.into());
        (before != after).then(|| Self::new(field, Judgement::Changed, before, after))
    }
}

impl From<u64> for Value {
    fn from(n: u64) -> Self {
        Self::Count(n)
    }
}

impl From<f64> for Value {
    fn from(x: f64) -> Self {
        Self::Number(x)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::None, Into::into)
    }
}
