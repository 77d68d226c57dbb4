//! Passes over events in memory.

use std::ops::Range;
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
        let spans: Vec<Range<usize>> = (0..self.block.count)
            .step_by(SPAN)
            .map(|start| start..(start + SPAN).min(self.block.count))
            .collect();
        self.rate(threads, || {
            let counts: Vec<ComparisonCounts> =
                spans.par_iter().map(|span| self.compare(span.clone(), &scope)).collect();
            let mut total = ComparisonCounts::default();
            counts.iter().for_each(|c| total.merge(c));
            assert_eq!(total.events, self.block.count as u64, "every event is counted");
        })
    }

    fn compare(&self, span: Range<usize>, scope: &Scope) -> ComparisonCounts {
        let engine = &self.session.engine;
        let rows = engine.screen(self.block, span.clone());
        let mut counts = agreeing((span.len() - rows.len()) as u64, scope);
        for rows in rows.chunks(engine.lanes()) {
            for part in engine.run(self.selection(), self.block, rows) {
                counts.merge(&count(&part, scope));
            }
        }
        counts
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
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.map_err(|e| Error::new(ErrorKind::Internal, e.to_string()))?;
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
        rates.sort_by(f64::total_cmp);
        Ok(Rate {
            events_per_s: rates.last().copied().unwrap_or_default(),
            median_events_per_s: rates[rates.len() / 2],
        })
    }

    fn go_on(&self) -> Result<(), Error> {
        match self.progress.stop() {
            true => Err(Error::new(ErrorKind::Interrupted, "interrupted: nothing is reported")),
            false => Ok(()),
        }
    }
}
