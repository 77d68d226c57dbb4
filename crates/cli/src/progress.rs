//! A progress bar on stderr, and Ctrl-C.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bittrue_record::ExitCode;
use bittrue_verify::Progress;
use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

/// Progress of a run, shown only where stderr is a terminal.
pub(crate) struct Bar {
    bar: ProgressBar,
    interrupted: Arc<AtomicBool>,
    hidden: bool,
}

impl Bar {
    /// A bar, which may be `hidden`, and a handler for Ctrl-C: the first press ends the run after the current block, a
    /// second one at once.
    pub(crate) fn new(hidden: bool) -> Self {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
        let style = ProgressStyle::with_template(
            "{elapsed_precise} {wide_bar} {human_pos}/{human_len} events ({rate}/s, {eta} left)",
        );
        if let Ok(style) = style {
            bar.set_style(style.with_key("rate", rate));
        }
        let interrupted = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&interrupted);
        // Without a handler Ctrl-C just ends the program, which is what a failure here leaves.
        let _ = ctrlc::set_handler(move || {
            if flag.swap(true, Ordering::SeqCst) {
                std::process::exit(ExitCode::Interrupted.code().into());
            }
        });
        Self { bar, interrupted, hidden }
    }

    /// Removes the bar.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    /// Events of the whole run, once it has started.
    pub(crate) fn length(&self) -> u64 {
        self.bar.length().unwrap_or_default()
    }
}

/// Events per second, whole ones.
fn rate(state: &ProgressState, text: &mut dyn fmt::Write) {
    // Nobody can be told that a bar cannot be drawn.
    let _ = write!(text, "{}", HumanCount(state.per_sec() as u64));
}

impl Progress for Bar {
    fn start(&self, events: u64) {
        self.bar.set_length(events);
        self.bar.reset();
        if !self.hidden {
            self.bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(8));
        }
    }

    fn advance(&self, events: u64) {
        self.bar.inc(events);
    }

    fn stop(&self) -> bool {
        self.interrupted.load(Ordering::SeqCst)
    }
}
