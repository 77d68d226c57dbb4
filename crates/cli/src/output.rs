//! Files that the program writes: complete, or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bittrue_io::watch;
use bittrue_record::ExitCode;

use crate::args::{HlsConfigArgs, ModelArgs};
use crate::failure::Failure;

/// A file that appears under its name when it is complete.
#[derive(Debug)]
pub(crate) struct OutputFile {
    path: PathBuf,
    file: File,
    unfinished: Option<Unfinished>,
}

/// What is written before it has its name; removed when it never gets it.
#[derive(Debug)]
struct Unfinished {
    temporary: PathBuf,
    target: PathBuf,
}

impl OutputFile {
    /// Opens the file for writing, before the long work starts.
    pub(crate) fn create(path: &Path) -> Result<Self, Failure> {
        let failed = |e: io::Error| cannot_write(path, &e);
        // A link stays a link.
        let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if let Ok(found) = fs::metadata(&target) {
            // Whoever may write into the directory could replace a file that is write-protected;
            // the protection was meant.
            let file = OpenOptions::new().write(true).open(&target).map_err(failed)?;
            if !found.is_file() {
                // A terminal, a pipe or a device: it has no content to protect, and its name
                // must not be given to a file.
                return Ok(Self { path: path.to_owned(), file, unfinished: None });
            }
        }
        let mut name = target.file_name().unwrap_or_default().to_owned();
        name.push(format!(".part{}", std::process::id()));
        let temporary = target.with_file_name(name);
        watch::temporary(&temporary);
        let file = File::create(&temporary).map_err(failed)?;
        let unfinished = Some(Unfinished { temporary, target });
        Ok(Self { path: path.to_owned(), file, unfinished })
    }

    /// Writes everything and gives the file its name.
    pub(crate) fn finish(mut self, text: &str) -> Result<(), Failure> {
        let Self { path, file, unfinished } = &mut self;
        let written = file.write_all(text.as_bytes()).and_then(|()| match unfinished {
            Some(Unfinished { temporary, target }) => {
                file.sync_all().and_then(|()| fs::rename(temporary, target))
            }
            None => file.flush(),
        });
        written.map_err(|e| cannot_write(path, &e))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // After `finish` the temporary name is gone already.
        let _ = fs::remove_file(&self.temporary);
    }
}

/// Refuses an output that would replace a file that is read.
pub(crate) fn keep_inputs(
    flag: &str,
    output: &Path,
    model: &ModelArgs,
    config: &HlsConfigArgs,
    events: &[PathBuf],
) -> Result<(), Failure> {
    let inputs = [
        ("--model", Some(&model.model)),
        ("--proxy", model.proxy.as_ref()),
        ("--hls-config", config.hls_config.as_ref()),
    ];
    let events = events.iter().map(|file| ("--events", Some(file)));
    for (input_flag, input) in inputs.into_iter().chain(events) {
        let Some(input) = input else { continue };
        keep_file(flag, output, input_flag, input)?;
    }
    Ok(())
}

/// The same for one file.
pub(crate) fn keep_file(
    flag: &str,
    output: &Path,
    input_flag: &str,
    input: &Path,
) -> Result<(), Failure> {
    let Ok(output) = output.canonicalize() else { return Ok(()) };
    if input.canonicalize().is_ok_and(|input| input == output) {
        let message = format!("{flag} would replace the file of {input_flag}: {}", input.display());
        return Err(Failure::new(ExitCode::Usage, message).with_help("choose another file"));
    }
    Ok(())
}

/// Refuses outputs that would replace each other.
pub(crate) fn keep_apart(outputs: &[(&str, &Path)]) -> Result<(), Failure> {
    // A file that does not exist yet is known by its directory and its name.
    let resolved = |path: &Path| {
        let directory = path.parent().filter(|d| !d.as_os_str().is_empty());
        let named = || {
            let directory = directory.unwrap_or(Path::new(".")).canonicalize().ok()?;
            Some(directory.join(path.file_name()?))
        };
        path.canonicalize().ok().or_else(named).unwrap_or_else(|| path.to_owned())
    };
    for (n, (flag, path)) in outputs.iter().enumerate() {
        let same = |(_, other): &&(&str, &Path)| resolved(other) == resolved(path);
        if let Some((other, _)) = outputs[..n].iter().find(same) {
            let message = format!("{other} and {flag} name the same file: {}", path.display());
            return Err(
                Failure::new(ExitCode::Usage, message).with_help("give each a file of its own")
            );
        }
    }
    Ok(())
}

fn cannot_write(path: &Path, e: &io::Error) -> Failure {
    let directory = path.parent().filter(|d| !d.as_os_str().is_empty());
    let why = match (e.kind(), directory) {
        (io::ErrorKind::NotFound, Some(directory)) if !directory.exists() => {
            format!("there is no directory {}", directory.display())
        }
        (io::ErrorKind::IsADirectory, _) => "it is a directory".to_owned(),
        _ => e.to_string(),
    };
    let help = match e.kind() {
        io::ErrorKind::StorageFull => "free some space, or choose another disk",
        _ => "choose a file in a directory that exists and that you may write to",
    };
    Failure::new(ExitCode::Output, format!("{}: cannot be written: {why}", path.display()))
        .with_help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).expect("directory");
        entries.map(|e| e.expect("entry").file_name().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn complete_or_not_at_all() {
        let directory = tempfile::tempdir().expect("directory");
        let path = directory.path().join("r.json");
        drop(OutputFile::create(&path).expect("created"));
        assert_eq!(names(directory.path()), Vec::<String>::new());
        OutputFile::create(&path).expect("created").finish("new").expect("written");
        assert_eq!(names(directory.path()), ["r.json"]);
        assert_eq!(fs::read_to_string(&path).expect("readable"), "new");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link_and_a_device_a_device() {
        use std::os::unix::fs::{FileTypeExt, symlink};

        let directory = tempfile::tempdir().expect("directory");
        let (real, link) = (directory.path().join("real"), directory.path().join("link"));
        fs::write(&real, "old").expect("written");
        symlink(&real, &link).expect("linked");
        OutputFile::create(&link).expect("created").finish("new").expect("written");
        assert!(link.is_symlink());
        assert_eq!(fs::read_to_string(&real).expect("readable"), "new");
        let null = Path::new("/dev/null");
        OutputFile::create(null).expect("opened").finish("gone").expect("written");
        assert!(fs::metadata(null).expect("exists").file_type().is_char_device());
    }
}
