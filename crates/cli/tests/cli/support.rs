//! Running the binary and writing down what it did.

use std::error::Error;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

pub(crate) type TestResult = Result<(), Box<dyn Error>>;

/// A model that is good, and events for it; both by their path from the directory of all tests.
pub(crate) const MODEL: &str = "golden/a_leaky/model.h5";
pub(crate) const EVENTS: &str = "golden/a_leaky/events.h5";

pub(crate) fn testvectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testvectors")
}

/// The program with a clean environment, in the directory of the test vectors so that the paths
/// in messages are the same everywhere.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_verify"));
    command.current_dir(testvectors());
    for variable in [
        "NO_COLOR",
        "CLICOLOR_FORCE",
        "COLUMNS",
        "RAYON_NUM_THREADS",
        "RUST_BACKTRACE",
        "BITTRUE_SIMD",
    ] {
        command.env_remove(variable);
    }
    // The tests write HDF5 files while others start programs, which hold copies of such a file's
    // lock for a moment.
    command.env("HDF5_USE_FILE_LOCKING", "FALSE");
    command
}

/// What the program did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    args: Vec<String>,
}

impl Ran {
    pub(crate) fn new(command: &Command, output: Output) -> Result<Self, Box<dyn Error>> {
        let args = command.get_args().map(|a| a.to_string_lossy().into_owned()).collect();
        Ok(Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout)?,
            stderr: String::from_utf8(output.stderr)?,
            args,
        })
    }

    /// Command, exit code and message as one text, with temporary directories made nameless.
    pub(crate) fn refusal(&self, directory: &Scratch) -> Result<String, Box<dyn Error>> {
        assert_eq!(self.stdout, "", "a refusal prints nothing on stdout");
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        let remedy = ["\n  help: ", "\n  tip: ", "try '--help'"];
        assert!(remedy.iter().any(|r| self.stderr.contains(r)), "no remedy: {}", self.stderr);
        let code = self.code.ok_or("killed by a signal")?;
        let text = format!("$ verify {}\n[exit code {code}]\n{}", self.args.join(" "), self.stderr);
        Ok(directory.redact(&text))
    }
}

/// Runs the program.
pub(crate) fn verify(
    args: impl IntoIterator<Item = impl AsRef<OsStr>>,
) -> Result<Ran, Box<dyn Error>> {
    let mut command = program();
    command.args(args);
    let output = command.output()?;
    Ran::new(&command, output)
}

/// Runs a comparison of some model with some events.
pub(crate) fn compare(model: &str, events: &str) -> Result<Ran, Box<dyn Error>> {
    verify(["--model", model, "--events", events])
}

/// The number of [`Scratch::endless_events`].
pub(crate) const ENDLESS: u64 = 2_000_000_000;

/// A directory for one test.
#[derive(Debug)]
pub(crate) struct Scratch(TempDir);

impl Scratch {
    pub(crate) fn new() -> io::Result<Self> {
        tempfile::tempdir().map(Self)
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_string_lossy().into_owned()
    }

    /// A file with these contents.
    pub(crate) fn file(&self, name: &str, contents: &[u8]) -> io::Result<String> {
        fs::write(self.0.path().join(name), contents)?;
        Ok(self.path(name))
    }

    /// Events for [`MODEL`] that last for hours, in a file that takes no space.
    pub(crate) fn endless_events(&self) -> io::Result<String> {
        let shape = format!("({ENDLESS}, 16)");
        let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
        let start = format!("{header:<117}\n");
        let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
        bytes.extend(start.as_bytes());
        let path = self.file("endless.npy", &bytes)?;
        let file = fs::OpenOptions::new().write(true).open(&path)?;
        file.set_len(bytes.len() as u64 + 64 * ENDLESS)?;
        Ok(path)
    }

    /// The first part of a good file.
    pub(crate) fn truncated(&self, name: &str, good: &str, bytes: usize) -> io::Result<String> {
        let whole = fs::read(testvectors().join(good))?;
        assert!(bytes < whole.len(), "{good} has only {} bytes", whole.len());
        self.file(name, &whole[..bytes])
    }

    /// The names in the directory.
    pub(crate) fn names(&self) -> io::Result<Vec<String>> {
        let entries = fs::read_dir(self.0.path())?;
        let mut names: Vec<String> = entries
            .map(|e| e.map(|e| e.file_name().to_string_lossy().into_owned()))
            .collect::<Result<_, _>>()?;
        names.sort();
        Ok(names)
    }

    pub(crate) fn redact(&self, text: &str) -> String {
        text.replace(&*self.0.path().to_string_lossy(), "<dir>")
    }
}
