//! Runs the real program on changed files and looks at how it ends.
//!
//! `scripts/fuzz_readers.sh` builds and starts it. Every run must end by itself, with a documented
//! exit code, one message, bounded memory and bounded processor time; whatever else happens is kept
//! as a file, with as few changed bytes as show it.

mod change;
mod config;
mod corpus;
mod options;
mod random;
mod run;
mod shrink;

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use corpus::Corpus;
use options::Options;
use random::Random;
use run::{Ending, Runner};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let options = Options::read()?;
    let corpus = Corpus::read(&options.testvectors, options.reader.as_deref())?;
    let scratch = tempfile::tempdir()?;
    let mut runner = Runner::new(&options, scratch.path())?;
    // What is not changed must pass, or the corpus is wrong.
    for entry in &corpus.entries {
        let ran = runner.run(entry, &entry.bytes)?;
        if !matches!(ran.ending, Ending::Compared | Ending::Refused(_)) || ran.finding.is_some() {
            return Err(format!("{}: {ran:?}", entry.file).into());
        }
    }
    fs::create_dir_all(&options.out)?;
    let mut random = Random::new(options.seed);
    let mut endings: BTreeMap<&str, BTreeMap<Ending, u64>> = BTreeMap::new();
    let (mut count, mut findings) = (0_u64, 0_u64);
    let started = Instant::now();
    while started.elapsed().as_secs() < options.seconds {
        let entry = &corpus.entries[random.below(corpus.entries.len())];
        let changed = change::change(&mut random, entry, &corpus, scratch.path());
        let ran = runner.run(entry, &changed)?;
        count += 1;
        *endings.entry(&entry.reader).or_default().entry(ran.ending).or_default() += 1;
        let kept = match (&ran.finding, ran.ending) {
            (Some(_), _) => true,
            // Caught, but worth a look while there are few.
            (None, Ending::Crashed | Ending::Stuck) => {
                endings[entry.reader.as_str()][&ran.ending] <= options.keep
            }
            _ => false,
        };
        if kept || ran.record.is_some() {
            let small = match kept {
                true => shrink::shrink(&mut runner, entry, &changed, &ran)?,
                false => changed,
            };
            let label = match (&ran.finding, ran.record) {
                (Some(finding), _) => finding.clone(),
                (None, Some(memory)) => format!("needs {} MB", memory >> 20),
                (None, None) => "caught".to_owned(),
            };
            let name = format!("{}-{}-{count}", entry.reader, options.seed);
            keep(&options.out, &name, &entry.file, &small)?;
            println!("{name}: {label}; {:?}\n{}", ran.ending, ran.stderr.trim_end());
        }
        findings += u64::from(ran.finding.is_some());
    }
    println!(
        "seed {}: {count} runs in {} s, {findings} findings; peak memory {} MB",
        options.seed,
        started.elapsed().as_secs(),
        runner.peak_memory() >> 20
    );
    for (reader, endings) in endings {
        let list: Vec<String> = endings.iter().map(|(e, n)| format!("{e:?} {n}")).collect();
        println!("  {reader}: {}", list.join(", "));
    }
    Ok(if findings == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Keeps a file, and where it came from.
fn keep(out: &Path, name: &str, file: &str, bytes: &[u8]) -> std::io::Result<()> {
    let extension = Path::new(file).extension().unwrap_or_default();
    fs::write(out.join(name).with_extension(extension), bytes)?;
    fs::write(out.join(name).with_extension("origin"), format!("{file}\n"))
}
