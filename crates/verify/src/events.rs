//! Reading events block by block and running each block on all threads, while the next one is read.

use std::ops::Range;

use bittrue_block::EventBlock;
use bittrue_engine::{Engine, Selection};
use rayon::prelude::*;

use crate::source::Source;
use crate::{Error, Progress};

/// Values held at a time: enough for every thread to have several spans.
const READ_VALUES: usize = 1 << 20;

/// Most and fewest events read at a time.
const READ_EVENTS: (usize, usize) = (1 << 10, 1 << 16);

/// Events of a span: so many that what is done once for it does not count.
const SPAN: usize = 2048;

/// Runs `each` on spans of all events and hands the results over in file order. `values` are those
/// that are held for one event. Returns whether the run was stopped before its end.
pub(crate) fn run<T: Send>(
    engine: &Engine,
    source: &mut Source,
    values: usize,
    progress: &dyn Progress,
    each: impl Fn(Selection, &EventBlock, Range<usize>) -> T + Sync,
    mut take: impl FnMut(Vec<T>) -> Result<(), Error>,
) -> Result<bool, Error> {
    let selection = Selection { first: source.skipped(), count: source.count() };
    progress.start(source.count());
    let read = (READ_VALUES / values.max(1)).clamp(READ_EVENTS.0, READ_EVENTS.1);
    let span = SPAN.min(read / 4).next_multiple_of(engine.lanes());
    let mut next = source.next_block(read)?;
    while let Some(block) = next {
        if progress.stop() {
            return Ok(true);
        }
        let spans: Vec<Range<usize>> = (0..block.count)
            .step_by(span)
            .map(|start| start..(start + span).min(block.count))
            .collect();
        let (following, results) = rayon::join(
            || source.next_block(read),
            || spans.into_par_iter().map(|span| each(selection, &block, span)).collect(),
        );
        take(results)?;
        progress.advance(block.count as u64);
        next = following?;
    }
    Ok(false)
}
