//! What is being read right now, for whoever watches over it.
//!
//! The HDF5 C library can hang or crash on a damaged file, and nothing inside a process helps
//! against that. So every entry point of this crate says which file it reads while it does; the
//! program tells a second process, which can still speak when the first one cannot.

use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use crate::IoErrorKind;

/// Somebody who wants to know what is being read.
pub trait Watcher: Debug + Send + Sync {
    /// From now on this file is read, or none.
    fn reading(&self, file: Option<(IoErrorKind, &Path)>);

    /// This file is unfinished, and of no use should the program end here.
    fn temporary(&self, path: &Path);
}

static WATCHER: OnceLock<Box<dyn Watcher>> = OnceLock::new();

/// Files that are being read; the last one in this moment.
static READING: Mutex<Vec<(IoErrorKind, PathBuf)>> = Mutex::new(Vec::new());

static STEPS: AtomicU64 = AtomicU64::new(0);

/// Sets the watcher of this process; there can be one, and `false` says that there is one already.
pub fn watch(watcher: Box<dyn Watcher>) -> bool {
    WATCHER.set(watcher).is_ok()
}

/// Counts what reading has achieved: while a file is read and this number stays, one call of the
/// library is under way.
pub fn steps() -> u64 {
    STEPS.load(Ordering::Relaxed)
}

/// Says that a temporary file is about to be made.
pub fn temporary(path: &Path) {
    if let Some(watcher) = WATCHER.get() {
        watcher.temporary(path);
    }
}

/// A call of the library is done, the next one begins.
pub(crate) fn step() {
    STEPS.fetch_add(1, Ordering::Relaxed);
}

/// Says that a file is read until the result is dropped.
pub(crate) fn reading(kind: IoErrorKind, path: &Path) -> Reading {
    change(|open| open.push((kind, path.to_owned())));
    Reading(())
}

/// The file is long and read by this crate itself: it takes its time, and the limit of one reading
/// begins anew.
pub(crate) fn goes_on() {
    change(|_| {});
}

/// A file is being read.
#[derive(Debug)]
pub(crate) struct Reading(());

impl Drop for Reading {
    fn drop(&mut self) {
        change(|open| {
            open.pop();
        });
    }
}

fn change(how: impl FnOnce(&mut Vec<(IoErrorKind, PathBuf)>)) {
    step();
    let Some(watcher) = WATCHER.get() else { return };
    // The list is as good after a panic as before.
    let mut open: MutexGuard<'_, _> = READING.lock().unwrap_or_else(PoisonError::into_inner);
    how(&mut open);
    watcher.reading(open.last().map(|(kind, path)| (*kind, path.as_path())));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Log;
    static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());

    impl Watcher for Log {
        fn reading(&self, file: Option<(IoErrorKind, &Path)>) {
            LOG.lock().unwrap().push(format!("{file:?}"));
        }
        fn temporary(&self, path: &Path) {
            LOG.lock().unwrap().push(path.display().to_string());
        }
    }

    #[test]
    fn files_are_announced_from_the_outside_in_and_back() {
        assert!(watch(Box::new(Log)) && !watch(Box::new(Log)));
        let before = steps();
        {
            let _model = reading(IoErrorKind::Model, Path::new("m"));
            let _events = reading(IoErrorKind::Events, Path::new("e"));
            temporary(Path::new("t"));
        }
        assert!(steps() >= before + 4);
        let log = LOG.lock().unwrap().join(" ");
        let (m, e) = (r#"Some((Model, "m"))"#, r#"Some((Events, "e"))"#);
        assert_eq!(log, format!("{m} {e} t {m} None"));
    }
}
