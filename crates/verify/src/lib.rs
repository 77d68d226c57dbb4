//! Comparing legs: from a model file and an event file to a report or a trace.
#![forbid(unsafe_code)]

mod bench;
mod beside;
mod between;
mod build;
mod compare;
mod differing;
mod error;
mod event_files;
mod events;
mod explain;
mod findings;
mod input_range;
mod input_type;
mod leg;
mod proof;
mod recorded;
mod session;
mod source;
mod trace;
mod verify;

pub use bench::{BenchConfig, bench};
pub use beside::{Beside, LoadedConfig};
pub use build::{BuiltProxy, ProxyOptions};
pub use error::{Error, ErrorKind};
pub use explain::{Elements, ExplainConfig, explain};
pub use findings::findings;
pub use input_type::{InputType, InputTypeOption};
pub use leg::{Leg, LegError};
pub use recorded::RecordedTarget;
pub use session::{LoadedModel, LoadedProxy, Session};
pub use trace::{OnlyDiffering, TraceConfig, TraceSummary, trace, trace_differing};
pub use verify::{SaveEvents, VerifyConfig, verify, verify_and_save};

/// How a long run tells of its progress, and is told to stop.
pub trait Progress: Sync {
    /// Called once, when the number of events is known.
    fn start(&self, events: u64);
    /// Called after each block, with the number of events in it.
    fn advance(&self, events: u64);
    /// Whether the run should end now, with what was counted so far.
    fn stop(&self) -> bool;
}

/// A run that nobody watches and nothing stops.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Progress for Unwatched {
    fn start(&self, _: u64) {}
    fn advance(&self, _: u64) {}
    fn stop(&self) -> bool {
        false
    }
}
