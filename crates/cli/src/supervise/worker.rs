//! What the second process says: which file it reads, and which files are unfinished.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bittrue_io::IoErrorKind;
use bittrue_io::watch::{self, Watcher};

use super::state::{EVENTS, IDLE, MODEL, OUTPUT, TEMPORARY, TRACE};

/// Most processor time of one call of the HDF5 library.
pub(super) const MAX_CALL: Duration = Duration::from_secs(5);

/// Most processor time for opening a file, or for one block of events.
pub(super) const MAX_READING: Duration = Duration::from_secs(60);

/// Begins to report to the first process, which reads what is written to our standard input.
pub(super) fn start() -> io::Result<()> {
    let parent = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    #[cfg(target_os = "linux")]
    {
        use nix::sys::{prctl, signal::Signal};
        // Nobody is left to take the result when the first process is killed.
        let _ = prctl::set_pdeathsig(Signal::SIGKILL);
        let parent = parent.try_clone()?;
        // Without a thread there is no clock, but everything else goes on.
        let _ = std::thread::Builder::new().spawn(move || super::clock::look_at_the_clock(parent));
    }
    watch::watch(Box::new(Reports { parent: Mutex::new(parent), limit: Mutex::new(None) }));
    Ok(())
}

/// Reports to the first process.
#[derive(Debug)]
struct Reports {
    parent: Mutex<File>,
    /// The limit of memory that is set aside while a file is read.
    limit: Mutex<Option<u64>>,
}

impl Watcher for Reports {
    fn reading(&self, file: Option<(IoErrorKind, &Path)>) {
        match file {
            None => self.say(IDLE, Path::new("")),
            Some((IoErrorKind::Model, path)) => self.say(MODEL, path),
            Some((IoErrorKind::Events, path)) => self.say(EVENTS, path),
            Some((IoErrorKind::Trace, path)) => self.say(TRACE, path),
            Some((IoErrorKind::Output, path)) => self.say(OUTPUT, path),
        }
        self.bound(file.is_some());
    }

    fn temporary(&self, path: &Path) {
        self.say(TEMPORARY, path);
    }
}

impl Reports {
    fn say(&self, what: u8, path: &Path) {
        let mut parent = self.parent.lock().unwrap_or_else(PoisonError::into_inner);
        say(&mut parent, what, path);
    }

    /// Bounds time and memory while a file is read.
    fn bound(&self, reads: bool) {
        let mut limit = self.limit.lock().unwrap_or_else(PoisonError::into_inner);
        #[cfg(target_os = "linux")]
        {
            super::clock::turn(reads);
            match (reads, limit.take()) {
                (true, None) => *limit = super::memory::limit(),
                (true, found) => *limit = found,
                (false, found) => super::memory::restore(found),
            }
        }
        #[cfg(not(target_os = "linux"))]
        let _ = (reads, &mut limit);
    }
}

/// Tells the first process something.
pub(super) fn say(parent: &mut File, what: u8, path: &Path) {
    let mut message = vec![what];
    message.extend(path.as_os_str().as_bytes());
    message.push(0);
    // A first process that is gone cannot be told, and takes us with it.
    let _ = parent.write_all(&message);
}
