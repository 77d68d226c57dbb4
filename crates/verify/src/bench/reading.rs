//! Passes over events in their files.

use std::time::{Duration, Instant};

use bittrue_record::{ComparisonCounts, FileRates};

use super::measure::{Measured, compare, pool, summary};
use crate::source::Source;
use crate::verify::compared;
use crate::{Error, Unwatched, events};

/// Passes of each kind.
const PASSES: usize = 5;

impl Measured<'_> {
    /// Reading alone, reading and comparing, and comparing in memory, in turns. `open` gives at most so
    /// many events from their start; `None` where they are in no file. `rate` is about that of comparing:
    /// a pass is as long as a measurement at most.
    pub(super) fn in_files(
        &self,
        threads: usize,
        rate: f64,
        open: impl Fn(u64) -> Result<Source, Error> + Sync,
    ) -> Result<Option<FileRates>, Error> {
        let most = (rate * self.time.as_secs_f64()) as u64;
        let most = most.max(self.block.count as u64);
        let open = || open(most);
        let first = open()?;
        if first.is_generated() {
            return Ok(None);
        }
        let (events, pool) = (first.count(), pool(threads)?);
        let (_, scope) = compared(self.session, 1);
        let (mut read, mut verify, mut memory) = (Vec::new(), Vec::new(), Vec::new());
        let end = Instant::now() + self.time;
        while read.len() < PASSES || Instant::now() < end {
            self.go_on()?;
            let seconds = pool.install(|| self.pass(&open, |_, _, _| ()))?.0;
            read.push(events as f64 / seconds);
            self.go_on()?;
            let (seconds, counts) = pool.install(|| {
                self.pass(&open, |selection, block, span| {
                    compare(self.session, selection, block, span, &scope)
                })
            })?;
            let mut total = ComparisonCounts::default();
            counts.iter().for_each(|c| total.merge(c));
            assert_eq!(total.events, events, "every event is counted");
            verify.push(events as f64 / seconds);
            memory.push(self.verified_for(threads, Duration::from_secs_f64(seconds))?);
        }
        let mut ratios: Vec<f64> = verify.iter().zip(&memory).map(|(v, m)| v / m).collect();
        ratios.sort_by(f64::total_cmp);
        Ok(Some(FileRates {
            of_memory: ratios[ratios.len() / 2],
            events,
            read: summary(read),
            verify: summary(verify),
            in_memory: summary(memory),
        }))
    }

    /// One pass: its seconds, from opening the files on, and what `each` gave.
    fn pass<T: Send>(
        &self,
        open: &impl Fn() -> Result<Source, Error>,
        each: impl Fn(
            bittrue_engine::Selection,
            &bittrue_block::EventBlock,
            std::ops::Range<usize>,
        ) -> T
        + Sync,
    ) -> Result<(f64, Vec<T>), Error> {
        let start = Instant::now();
        let mut source = open()?;
        let values = source.elements();
        let mut all = Vec::new();
        events::run(
            &self.session.engine,
            &mut source,
            values,
            &Unwatched,
            |_, _| Ok(()),
            |s, b, r, ()| each(s, b, r),
            |results| {
                all.extend(results);
                Ok(())
            },
        )?;
        Ok((start.elapsed().as_secs_f64(), all))
    }
}
