//! How long reading has been under way.
//!
//! Only the processor time of the thread that reads tells: on the clock a network may be slow, and the
//! other threads work on events meanwhile.

use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use bittrue_io::watch;
use nix::time::{ClockId, clock_gettime};
use nix::unistd::gettid;

use super::state::STUCK;
use super::worker::{MAX_CALL, MAX_READING, say};

/// How often the clock is looked at.
const PERIOD: Duration = Duration::from_millis(200);

/// The thread that reads, 0 if none does.
static THREAD: AtomicI32 = AtomicI32::new(0);

/// Counts files and blocks of events.
static TURN: AtomicU64 = AtomicU64::new(0);

/// From now on this thread reads another file or block, or nothing.
pub(super) fn turn(reads: bool) {
    TURN.fetch_add(1, Ordering::Release);
    THREAD.store(if reads { gettid().as_raw() } else { 0 }, Ordering::Release);
}

/// Tells the first process when one call of the library, or reading as a whole, takes too long.
pub(super) fn look_at_the_clock(mut parent: File) {
    let mut watch = Stopwatch::default();
    loop {
        thread::sleep(PERIOD);
        let thread = THREAD.load(Ordering::Acquire);
        let turn = (TURN.load(Ordering::Acquire), watch::steps());
        // The thread may be gone, and then it reads nothing.
        let now = (thread != 0).then(|| processor_time(thread)).flatten();
        if watch.is_late(turn, now) {
            say(&mut parent, STUCK, Path::new(""));
            return;
        }
    }
}

/// Processor time of a thread of this process. The others work on events meanwhile.
fn processor_time(thread: i32) -> Option<Duration> {
    // How Linux writes "the clock of this thread" as the number of a clock.
    let clock = ClockId::from_raw((!thread << 3) | 0b110);
    clock_gettime(clock).ok().map(Duration::from)
}

/// How long reading has been under way.
#[derive(Debug, Default)]
struct Stopwatch {
    /// Which file or block, which call of the library, and when both began.
    seen: Option<((u64, u64), Duration, Duration)>,
}

impl Stopwatch {
    /// Whether the call or the reading that is under way takes too long. `now` is the processor
    /// time of the thread that reads, if any does.
    fn is_late(&mut self, turn: (u64, u64), now: Option<Duration>) -> bool {
        let Some(now) = now else {
            self.seen = None;
            return false;
        };
        let (whole, call) = match self.seen {
            Some((seen, whole, call)) if seen == turn => (whole, call),
            Some((seen, whole, _)) if seen.0 == turn.0 => (whole, now),
            _ => (now, now),
        };
        self.seen = Some((turn, whole, call));
        now.saturating_sub(call) > MAX_CALL || now.saturating_sub(whole) > MAX_READING
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_late() {
        let at = |tenths: u64| Some(Duration::from_millis(100 * tenths));
        let mut watch = Stopwatch::default();
        // Calls of 4.9 s each, until the whole takes too long; then the next block.
        for n in 0..12 {
            assert!(!watch.is_late((1, n), at(49 * n)), "{n}");
        }
        assert!(!watch.is_late((1, 12), at(600)));
        assert!(watch.is_late((1, 13), at(601)));
        assert!(!watch.is_late((2, 13), at(602)));
        assert!(!watch.is_late((2, 13), at(652)));
        assert!(watch.is_late((2, 13), at(653)));
        // Nobody reads.
        assert!(!watch.is_late((2, 13), None));
        assert!(!watch.is_late((2, 13), at(700)));
    }

    #[test]
    fn each_thread_has_its_clock() {
        let idle = nix::unistd::gettid().as_raw();
        let before = processor_time(idle).expect("a clock");
        let busy = thread::spawn(|| {
            let own = nix::unistd::gettid().as_raw();
            let mut sum = 0_u64;
            while processor_time(own).expect("a clock") < Duration::from_millis(50) {
                sum = std::hint::black_box(sum.wrapping_add(1));
            }
            sum
        });
        busy.join().expect("no panic");
        let used = processor_time(idle).expect("a clock").saturating_sub(before);
        assert!(used < Duration::from_millis(50), "{used:?}");
        assert_eq!(processor_time(i32::MAX >> 4), None);
    }
}
