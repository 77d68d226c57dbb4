//! One run of the program, and whether it ended as it should.

use std::fs;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, UsageWho, getrusage, setrlimit};

use crate::corpus::Entry;
use crate::options::Options;

/// Most processor time of a run.
const MAX_CPU: Duration = Duration::from_secs(10);

/// Most time on the clock, on a machine that does other things too.
const MAX_TIME: Duration = Duration::from_secs(600);

/// Most memory of a run, as resident and as addresses.
const MAX_MEMORY: u64 = 2 << 30;

/// Memory of a run that is worth a look.
const LARGE: u64 = 256 << 20;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ending {
    /// With a report.
    Compared,
    /// With a message and this exit code.
    Refused(i32),
    /// With a message that the HDF5 library has crashed.
    Crashed,
    /// With a message that the HDF5 library does not come to an end.
    Stuck,
    /// In a way that is not documented.
    Wrong,
}

/// What a run did.
#[derive(Debug)]
pub(crate) struct Ran {
    /// How it ended.
    pub(crate) ending: Ending,
    /// What is wrong with that, if anything.
    pub(crate) finding: Option<String>,
    /// What it said.
    pub(crate) stderr: String,
    /// Its memory in bytes, if no run before needed nearly as much.
    pub(crate) record: Option<u64>,
}

/// Runs the program.
#[derive(Debug)]
pub(crate) struct Runner {
    verify: PathBuf,
    testvectors: PathBuf,
    scratch: PathBuf,
    peak: u64,
}

impl Runner {
    /// Prepares runs with files in a directory.
    pub(crate) fn new(options: &Options, scratch: &Path) -> io::Result<Self> {
        // The program inherits it; this one needs little itself.
        setrlimit(Resource::RLIMIT_AS, MAX_MEMORY, MAX_MEMORY)?;
        setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
        Ok(Self {
            verify: options.verify.clone(),
            testvectors: options.testvectors.clone(),
            scratch: scratch.to_owned(),
            peak: 0,
        })
    }

    /// Largest memory of any run so far, in bytes.
    pub(crate) fn peak_memory(&self) -> u64 {
        self.peak
    }

    /// Runs the program on changed bytes of a file.
    pub(crate) fn run(&mut self, entry: &Entry, bytes: &[u8]) -> io::Result<Ran> {
        let extension = Path::new(&entry.file).extension().unwrap_or_default();
        let file = self.scratch.join("changed").with_extension(extension);
        fs::write(&file, bytes)?;
        let mut words = tempfile::tempfile()?;
        let before = used()?.0;
        let mut child = Command::new(&self.verify)
            .args(entry.arguments.iter().map(|a| match a.as_str() {
                "@" => file.clone(),
                other => PathBuf::from(other),
            }))
            .current_dir(&self.testvectors)
            .env("RAYON_NUM_THREADS", "1")
            .env("MALLOC_ARENA_MAX", "2")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(words.try_clone()?)
            .spawn()?;
        let started = Instant::now();
        let mut pause = Duration::from_micros(500);
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break Some(status);
            }
            if started.elapsed() > MAX_TIME {
                child.kill()?;
                child.wait()?;
                break None;
            }
            sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
        };
        let (after, memory) = used()?;
        let mut stderr = Vec::new();
        words.seek(SeekFrom::Start(0))?;
        words.read_to_end(&mut stderr)?;
        let stderr = String::from_utf8_lossy(&stderr).into_owned();
        let code = status.and_then(|s| s.code());
        let mut finding = match status {
            None => Some("does not end".to_owned()),
            Some(status) => wrong(code, &stderr).map(|what| format!("{what} ({status})")),
        };
        let cpu = after.saturating_sub(before);
        if finding.is_none() && cpu > MAX_CPU {
            finding = Some(format!("takes {cpu:?} of processor time"));
        }
        let mut record = None;
        if memory > self.peak {
            record = (memory > LARGE && memory > self.peak / 4 * 5).then_some(memory);
            self.peak = memory;
            if finding.is_none() && memory > MAX_MEMORY {
                finding = Some(format!("takes {} MB", memory >> 20));
            }
        }
        let ending = match code {
            _ if finding.is_some() => Ending::Wrong,
            Some(0 | 1) => Ending::Compared,
            Some(_) if stderr.contains("library has crashed") => Ending::Crashed,
            Some(_) if stderr.contains("does not come to an end") => Ending::Stuck,
            Some(code) => Ending::Refused(code),
            None => Ending::Wrong,
        };
        Ok(Ran { ending, finding, stderr, record })
    }
}

/// Processor time of all runs, and the memory of the largest.
fn used() -> io::Result<(Duration, u64)> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let time = |t: nix::sys::time::TimeVal| {
        Duration::from_secs(t.tv_sec().unsigned_abs())
            + Duration::from_micros(t.tv_usec().unsigned_abs())
    };
    let cpu = time(usage.user_time()) + time(usage.system_time());
    Ok((cpu, usage.max_rss().unsigned_abs() << 10))
}

/// What is wrong with an exit code and the words that came with it.
fn wrong(code: Option<i32>, stderr: &str) -> Option<String> {
    let messages = stderr.lines().filter(|l| l.starts_with("error:")).count();
    match code {
        // What a configuration names and the model does not have is worth a word.
        Some(0 | 1) if stderr.lines().all(|l| l.starts_with("warning: ")) => None,
        Some(0 | 1) => Some("says something, but it is no error".to_owned()),
        Some(3..=5) if !stderr.starts_with("error: ") || messages != 1 => {
            Some(format!("{messages} messages"))
        }
        Some(3..=5) if stderr.contains("panicked") => Some("panics".to_owned()),
        Some(3..=5) => None,
        Some(code) => Some(format!("exit code {code}")),
        None => Some("no exit code".to_owned()),
    }
}
