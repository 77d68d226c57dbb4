//! Reading events block by block and running each block on all threads.

use std::ops::Range;

use bittrue_block::EventBlock;
use bittrue_engine::{Engine, Selection};
use bittrue_io::EventSource;
use rayon::prelude::*;

use crate::{Error, Progress};

/// Events read at a time: enough for every thread to have several blocks.
const READ: usize = 16_384;

/// Runs `each` on all blocks of all events and hands the results over in file order. Returns
/// whether the run was stopped before its end.
pub(crate) fn run<T: Send>(
    engine: &Engine,
    source: &mut EventSource,
    progress: &dyn Progress,
    each: impl Fn(Selection, &EventBlock, Range<usize>) -> T + Sync,
    mut take: impl FnMut(Vec<T>) -> Result<(), Error>,
) -> Result<bool, Error> {
    let selection = Selection { first: source.skipped(), count: source.count() };
    progress.start(source.count());
    while !progress.stop() {
        let Some(block) = source.next_block(READ)? else { return Ok(false) };
        let lanes = engine.lanes();
        let spans: Vec<Range<usize>> = (0..block.count)
            .step_by(lanes)
            .map(|start| start..(start + lanes).min(block.count))
            .collect();
        let results = spans.into_par_iter().map(|span| each(selection, &block, span)).collect();
        take(results)?;
        progress.advance(block.count as u64);
    }
    Ok(true)
}
