//! The command line.

use std::error::Error;
use std::path::PathBuf;

/// What to run, and for how long.
pub(crate) struct Options {
    /// The program.
    pub(crate) verify: PathBuf,
    /// The directory of all test vectors.
    pub(crate) testvectors: PathBuf,
    /// Where findings go.
    pub(crate) out: PathBuf,
    /// How long.
    pub(crate) seconds: u64,
    /// Of the random numbers.
    pub(crate) seed: u64,
    /// Only this reader of the corpus.
    pub(crate) reader: Option<String>,
    /// How many crashes and loops of the library to keep for each reader, although the program has
    /// made a message of them.
    pub(crate) keep: u64,
}

impl Options {
    /// Reads `--name value` pairs.
    pub(crate) fn read() -> Result<Self, Box<dyn Error>> {
        let mut options = Self {
            verify: "target/release/verify".into(),
            testvectors: "testvectors".into(),
            out: "target/fuzz".into(),
            seconds: 60,
            seed: 1,
            reader: None,
            keep: 3,
        };
        let mut args = std::env::args().skip(1);
        while let Some(name) = args.next() {
            let value = args.next().ok_or_else(|| format!("{name} needs a value"))?;
            match name.as_str() {
                "--verify" => options.verify = value.into(),
                "--testvectors" => options.testvectors = value.into(),
                "--out" => options.out = value.into(),
                "--seconds" => options.seconds = value.parse()?,
                "--seed" => options.seed = value.parse()?,
                "--reader" => options.reader = Some(value),
                "--keep" => options.keep = value.parse()?,
                _ => return Err(format!("unknown flag {name}").into()),
            }
        }
        options.verify = options.verify.canonicalize()?;
        Ok(options)
    }
}
