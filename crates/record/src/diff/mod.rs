//! What is new from one report to a later one.

mod compare;
mod layer;
mod types;

pub use types::{
    Change, ComparisonDiff, DIFF_FORMAT_VERSION, Diff, Judgement, LayerDiff, Presence, Value,
};
