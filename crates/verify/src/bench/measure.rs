//! Passes over events in memory.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bittrue_block::EventBlock;
use bittrue_engine::{Selection, Timing};
use bittrue_record::{ComparisonCounts, Rate};
use rayon::prelude::*;

use crate::compare::{Scope, agreeing, count};
use crate::session::Session;
use crate::verify::compared;
use crate::{Error, ErrorKind, Progress};

/// Events that one thread takes at a time, as in a verification.
const SPAN: usize = 2048;

/// Passes that each measurement has at least.
const PASSES: usize = 3;

/// How long threads count, and how often.
const SPIN: Duration = Duration::from_millis(10);
const SPINS: usize = 8;

/// What is measured.
pub(super) struct Measured<'a> {
    pub(super) session: &'a Session,
    pub(super) block: &'a EventBlock,
    /// How long.
    pub(super) time: Duration,
    pub(super) progress: &'a dyn Progress,
}

impl Measured<'_> {
    fn selection(&self) -> Selection {
        Selection { first: self.block.first, count: self.block.count as u64 }
    }

    /// The outputs of a leg with some threads.
    pub(super) fn emulated(&self, leg: usize, threads: usize) -> Result<Rate, Error> {
        let engine = &self.session.engine;
        let width = engine.output_values();
        let mut out = vec![0.0_f32; self.block.count * width];
        self.rate(threads, || {
            let spans = out.par_chunks_mut((SPAN * width).max(1)).enumerate();
            spans.for_each(|(n, out)| {
                let span = n * SPAN..((n + 1) * SPAN).min(self.block.count);
                engine.emulate(leg, self.selection(), self.block, span, out, None);
            });
        })
    }

    /// Reference and target compared in every layer, as a verification does it.
    pub(super) fn verified(&self, threads: usize) -> Result<Rate, Error> {
        let (_, scope) = compared(self.session, 1);
        self.rate(threads, || self.verify_all(&scope))
    }

    /// Events per second of as many comparisons as fit into some time, at least one.
    pub(super) fn verified_for(&self, threads: usize, time: Duration) -> Result<f64, Error> {
        let (pool, (_, scope)) = (pool(threads)?, compared(self.session, 1));
        let start = Instant::now();
        let mut passes = 0_u64;
        while passes == 0 || start.elapsed() < time {
            pool.install(|| self.verify_all(&scope));
            passes += 1;
        }
        Ok((passes * self.block.count as u64) as f64 / start.elapsed().as_secs_f64())
    }

    fn verify_all(&self, scope: &Scope) {
        let counts: Vec<ComparisonCounts> = (0..self.block.count.div_ceil(SPAN))
            .into_par_iter()
            .map(|n| n * SPAN..((n + 1) * SPAN).min(self.block.count))
            .map(|span| compare(self.session, self.selection(), self.block, span, scope))
            .collect();
        let mut total = ComparisonCounts::default();
        counts.iter().for_each(|c| total.merge(c));
        assert_eq!(total.events, self.block.count as u64, "every event is counted");
    }

    /// How much more several threads do than one, where each counts for itself.
    pub(super) fn spin(&self, threads: usize) -> Result<f64, Error> {
        let (one, all) = (pool(1)?, pool(threads)?);
        let turns = |pool: &rayon::ThreadPool| {
            let counted = AtomicU64::new(0);
            let start = Instant::now();
            pool.broadcast(|_| {
                let mut turns = 0_u64;
                while start.elapsed() < SPIN {
                    (0..1000_u64).for_each(|n| {
                        std::hint::black_box(n);
                    });
                    turns += 1;
                }
                counted.fetch_add(turns, Ordering::Relaxed);
            });
            counted.into_inner() as f64 / start.elapsed().as_secs_f64()
        };
        let (mut alone, mut together) = (0.0_f64, 0.0_f64);
        for _ in 0..SPINS {
            self.go_on()?;
            alone = alone.max(turns(&one));
            together = together.max(turns(&all));
        }
        Ok(together / alone)
    }

    /// The time of each step of a leg, on this thread.
    pub(super) fn layers(&self, leg: usize) -> Result<Timing, Error> {
        let engine = &self.session.engine;
        let width = engine.output_values();
        let mut out = vec![0.0_f32; SPAN.min(self.block.count) * width];
        let mut best: Vec<u64> = Vec::new();
        let end = Instant::now() + self.time;
        let events = self.block.count.min(32 * SPAN);
        let mut passes = 0;
        while passes < PASSES || Instant::now() < end {
            self.go_on()?;
            let mut timing = Timing::default();
            for start in (0..events).step_by(SPAN) {
                let span = start..(start + SPAN).min(events);
                let out = &mut out[..span.len() * width];
                engine.emulate(leg, self.selection(), self.block, span, out, Some(&mut timing));
            }
            if best.is_empty() || timing.steps.iter().sum::<u64>() < best.iter().sum() {
                best = timing.steps;
            }
            passes += 1;
        }
        Ok(Timing { steps: best, events: events as u64 })
    }

    fn rate(&self, threads: usize, mut pass: impl FnMut() + Send) -> Result<Rate, Error> {
        let pool = pool(threads)?;
        // Once for memory that was never touched.
        pool.install(&mut pass);
        let mut rates: Vec<f64> = Vec::new();
        let end = Instant::now() + self.time;
        while rates.len() < PASSES || Instant::now() < end {
            self.go_on()?;
            let start = Instant::now();
            pool.install(&mut pass);
            rates.push(self.block.count as f64 / start.elapsed().as_secs_f64());
        }
        Ok(summary(rates))
    }

    pub(super) fn go_on(&self) -> Result<(), Error> {
        match self.progress.stop() {
            true => Err(Error::new(ErrorKind::Interrupted, "interrupted: nothing is reported")),
            false => Ok(()),
        }
    }
}

/// Reference and target compared in every layer for some events of a block.
pub(super) fn compare(
    session: &Session,
    selection: Selection,
    block: &EventBlock,
    span: Range<usize>,
    scope: &Scope,
) -> ComparisonCounts {
    let engine = &session.engine;
    let rows = engine.screen(block, span.clone());
    let mut counts = agreeing((span.len() - rows.len()) as u64, scope);
    for rows in rows.chunks(engine.lanes()) {
        for part in engine.run(selection, block, rows) {
            counts.merge(&count(&part, scope));
        }
    }
    counts
}

/// So many threads.
pub(super) fn pool(threads: usize) -> Result<rayon::ThreadPool, Error> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.map_err(|e| Error::new(ErrorKind::Internal, e.to_string()))
}

/// The best rate and the median.
pub(super) fn summary(mut rates: Vec<f64>) -> Rate {
    rates.sort_by(f64::total_cmp);
    Rate {
        events_per_s: rates.last().copied().unwrap_or_default(),
        median_events_per_s: rates.get(rates.len() / 2).copied().unwrap_or_default(),
    }
}
