//! Events block by block, each on all threads, while the next one is read; or read by the threads
//! themselves where their file allows it.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bittrue_block::EventBlock;
use bittrue_engine::{Engine, Selection};
use bittrue_io::Held;
use rayon::prelude::*;

use crate::source::{Batch, Source};
use crate::{Error, Progress};

/// Values held at a time: enough for every thread to have several spans.
const READ_VALUES: usize = 1 << 20;

/// Most and fewest events read at a time.
const READ_EVENTS: (usize, usize) = (1 << 10, 1 << 16);

/// Events of a span: so many that what is done once for it does not count.
const SPAN: usize = 2048;

/// Threads meet at the end of each batch: one that takes less time than this is followed by a larger
/// one, up to `GROWTH` times as many events, unless events or results have to be held in memory.
const SHORT: Duration = Duration::from_millis(40);
const GROWTH: usize = 16;

/// Runs `each` on spans of all events and hands the results over in file order. `values` are those
/// that are held for one event. `beside` reads what belongs to a batch, given its first row and its
/// number of events. Returns whether the run was stopped before its end.
pub(crate) fn run<T: Send, B: Send + Sync>(
    engine: &Engine,
    source: &mut Source,
    values: usize,
    progress: &dyn Progress,
    mut beside: impl FnMut(u64, usize) -> Result<B, Error> + Send,
    each: impl Fn(Selection, &EventBlock, Range<usize>, &B) -> T + Sync,
    mut take: impl FnMut(Vec<T>) -> Result<(), Error>,
) -> Result<bool, Error> {
    let selection = Selection { first: source.skipped(), count: source.count() };
    progress.start(source.count());
    let read = (READ_VALUES / values.max(1)).clamp(READ_EVENTS.0, READ_EVENTS.1);
    let span = SPAN.min(read / 4).next_multiple_of(engine.lanes());
    let spans = |block: &EventBlock, beside: &B| -> Vec<T> {
        let starts: Vec<usize> = (0..block.count).step_by(span).collect();
        let run =
            |start: usize| each(selection, block, start..(start + span).min(block.count), beside);
        match starts.as_slice() {
            [one] => vec![run(*one)],
            _ => starts.into_par_iter().map(run).collect(),
        }
    };
    let memory: Mutex<Vec<Held>> = Mutex::new(Vec::new());
    let most = if values > source.elements() { read } else { GROWTH * read };
    let mut wanted = read;
    let mut row = selection.first;
    let mut read_next = |wanted: usize| -> Result<Option<(Batch, B)>, Error> {
        let Some(batch) = source.next_batch(wanted)? else { return Ok(None) };
        let beside = beside(row, batch.count())?;
        row += batch.count() as u64;
        Ok(Some((batch, beside)))
    };
    let mut next = read_next(wanted)?;
    while let Some((batch, beside)) = next {
        if progress.stop() {
            return Ok(true);
        }
        let start = Instant::now();
        let (following, results) = rayon::join(
            || read_next(wanted),
            || -> Result<Vec<T>, Error> {
                let piece = |piece: Range<usize>| {
                    let taken = memory.lock().unwrap_or_else(PoisonError::into_inner).pop();
                    let mut held = taken.unwrap_or_default();
                    let results = batch.piece(piece, &mut held).map(|block| spans(block, &beside));
                    memory.lock().unwrap_or_else(PoisonError::into_inner).push(held);
                    results
                };
                match &batch {
                    Batch::Read(block) => Ok(spans(block, &beside)),
                    _ => {
                        let pieces: Result<Vec<Vec<T>>, Error> =
                            batch.pieces(span).into_par_iter().map(piece).collect();
                        Ok(pieces?.into_iter().flatten().collect())
                    }
                }
            },
        );
        take(results?)?;
        progress.advance(batch.count() as u64);
        if start.elapsed() < SHORT && wanted < most && batch.is_light() {
            wanted *= 2;
        }
        next = following?;
    }
    Ok(false)
}
