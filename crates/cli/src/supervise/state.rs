//! What the first process has heard of the second one.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use bittrue_record::ExitCode;

use super::worker::{MAX_CALL, MAX_READING};
use crate::failure::Failure;

// The first byte of a message; a path and a zero byte follow.
pub(super) const IDLE: u8 = b'i';
pub(super) const MODEL: u8 = b'm';
pub(super) const EVENTS: u8 = b'e';
pub(super) const TRACE: u8 = b'r';
pub(super) const OUTPUT: u8 = b'o';
pub(super) const TEMPORARY: u8 = b't';
pub(super) const STUCK: u8 = b's';

/// What is known of the second process.
#[derive(Debug, Default)]
pub(super) struct State {
    /// The file that it reads in this moment.
    pub(super) reading: Option<(ExitCode, PathBuf)>,
    /// Files that are of no use if it does not end by itself.
    pub(super) temporary: Vec<PathBuf>,
    /// Whether reading does not end.
    pub(super) stuck: bool,
}

impl State {
    /// Listens until the second process has closed its end, or does not get any further.
    pub(super) fn listen(pipe: File, stuck: impl FnOnce()) -> Self {
        let mut state = Self::default();
        let mut pipe = BufReader::new(pipe);
        let mut message = Vec::new();
        // Whatever cannot be read any more does not matter: the process is at its end.
        while matches!(pipe.read_until(0, &mut message), Ok(n) if n > 0) {
            if message.pop() == Some(0)
                && let Some((&what, path)) = message.split_first()
            {
                state.hear(what, PathBuf::from(OsString::from_vec(path.to_vec())));
            }
            message.clear();
            if state.stuck {
                stuck();
                break;
            }
        }
        state
    }

    fn hear(&mut self, what: u8, path: PathBuf) {
        match what {
            IDLE => self.reading = None,
            MODEL => self.reading = Some((ExitCode::Model, path)),
            EVENTS => self.reading = Some((ExitCode::Events, path)),
            TRACE => self.reading = Some((ExitCode::Conversion, path)),
            OUTPUT => self.reading = Some((ExitCode::Output, path)),
            TEMPORARY => self.temporary.push(path),
            STUCK => self.stuck = true,
            _ => {}
        }
    }

    /// What to say of a second process that `signal` has ended while it read; `None` where it did
    /// not read. `proxy` is the file of --proxy, whose errors are the conversion's.
    pub(super) fn failure(&self, signal: &str, proxy: Option<&PathBuf>) -> Option<Failure> {
        let (code, path) = self.reading.as_ref()?;
        let (code, flag) = match (code, proxy) {
            (ExitCode::Model, Some(proxy)) if proxy == path => (ExitCode::Conversion, "--proxy: "),
            (code, _) => (*code, ""),
        };
        let why = match self.stuck {
            true => format!(
                "is damaged: the HDF5 library does not come to an end with it (more than {} s of \
                 processor time in one call, or {} s in all)",
                MAX_CALL.as_secs(),
                MAX_READING.as_secs()
            ),
            false => format!(
                "is damaged: the HDF5 library has crashed on it, or needed too much memory \
                 ({signal})"
            ),
        };
        let help = "copy or download it again; if it is as it was written, `h5repack OLD NEW` may \
                    help";
        Some(Failure::new(code, format!("{flag}{}: {why}", path.display())).with_help(help))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(bytes: &[u8]) -> (State, bool) {
        let directory = tempfile::tempdir().expect("directory");
        let file = directory.path().join("pipe");
        std::fs::write(&file, bytes).expect("written");
        let mut called = false;
        let state = State::listen(File::open(file).expect("opened"), || called = true);
        (state, called)
    }

    #[test]
    fn messages() {
        let (state, stuck) = heard(b"ma\0i\0tx\0ep\n\xff\0ty\0");
        assert!(!stuck && !state.stuck);
        assert_eq!(state.temporary, [PathBuf::from("x"), PathBuf::from("y")]);
        let (code, path) = state.reading.as_ref().expect("reads");
        assert_eq!((*code, path.as_os_str().len()), (ExitCode::Events, 3));
        assert!(state.failure("SIGSEGV", None).is_some_and(|f| f.code() == ExitCode::Events));
        assert!(heard(b"ma\0i\0").0.failure("SIGSEGV", None).is_none());
        // Nothing of what comes behind the last word counts, and no message is cut in two.
        let (state, stuck) = heard(b"ma\0s\0i\0");
        assert!(stuck && state.reading.is_some());
        assert!(heard(b"ma").0.reading.is_none());
    }

    #[test]
    fn a_proxy_is_the_conversions() {
        let (state, _) = heard(b"mp.h5\0");
        let code =
            |proxy: &str| state.failure("SIGSEGV", Some(&PathBuf::from(proxy))).map(|f| f.code());
        assert_eq!(code("p.h5"), Some(ExitCode::Conversion));
        assert_eq!(code("q.h5"), Some(ExitCode::Model));
    }
}
