//! Which files `--events` names: paths as they are, and patterns for what they match.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};

use bittrue_record::ExitCode;

use crate::failure::Failure;

/// Most files that patterns may name.
const MAX_FILES: usize = 100_000;

/// The files, in the order of the arguments. What a pattern matches is in natural order: numbers
/// in names count as numbers, so that `run2.h5` goes before `run10.h5`.
pub(crate) fn expand(arguments: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for argument in arguments {
        let pattern = argument.to_str().filter(|text| text.contains(['*', '?', '[']));
        match pattern {
            // A file may have such a name itself.
            Some(pattern) if !argument.exists() => files.extend(matches(pattern)?),
            _ => files.push(argument.clone()),
        }
    }
    Ok(files)
}

fn matches(pattern: &str) -> Result<Vec<PathBuf>, Failure> {
    let refuse = |what: &str, help: &str| {
        Failure::new(ExitCode::Events, format!("{pattern}: {what}")).with_help(help)
    };
    // As in a shell, `*` does not match what starts with a dot.
    let options = glob::MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };
    let paths = glob::glob_with(pattern, options).map_err(|e| {
        refuse(&format!("is no pattern: {}", e.msg), "in a pattern * ? and [abc] match names")
    })?;
    let mut found = Vec::new();
    for path in paths {
        let path = path.map_err(|e| {
            refuse(&format!("cannot be searched: {e}"), "check who may read the directory")
        })?;
        if path.is_dir() {
            continue;
        }
        found.push(path);
        if found.len() > MAX_FILES {
            return Err(refuse("matches more than 100,000 files", "name fewer"));
        }
    }
    if found.is_empty() {
        return Err(refuse(
            "no file matches",
            "check the path; a pattern in quotes is searched from the working directory",
        ));
    }
    found.sort_by(|a, b| natural(a, b));
    Ok(found)
}

/// Compares paths with their numbers as numbers.
fn natural(a: &Path, b: &Path) -> Ordering {
    let (first, second) = (a.to_string_lossy(), b.to_string_lossy());
    let (mut x, mut y) = (first.as_bytes(), second.as_bytes());
    loop {
        let order = match (x.first(), y.first()) {
            (Some(c), Some(d)) if c.is_ascii_digit() && d.is_ascii_digit() => {
                let (left, right);
                (left, x) = number(x);
                (right, y) = number(y);
                // Without leading zeros the longer number is the larger one.
                left.len().cmp(&right.len()).then_with(|| left.cmp(right))
            }
            (Some(c), Some(d)) => {
                (x, y) = (&x[1..], &y[1..]);
                c.cmp(d)
            }
            // What is left differs in leading zeros only.
            (None, None) => return a.cmp(b),
            (c, d) => c.cmp(&d),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// The number at the start, without leading zeros, and what is behind it.
fn number(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let zeros = digits.iter().position(|&b| b != b'0').unwrap_or(end);
    (&digits[zeros..], rest)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn natural_order() {
        let sorted = [
            "a",
            "a1",
            "a2.h5",
            "a02.h5",
            "a10.h5",
            "a10b",
            "a18446744073709551616",
            "b0",
            "b00",
            "b1",
            "c",
        ];
        for (i, a) in sorted.iter().enumerate() {
            for (j, b) in sorted.iter().enumerate() {
                let (a, b) = (Path::new(a), Path::new(b));
                // Equal numbers: more zeros go first or last, but always the same way.
                let order = natural(a, b);
                assert_eq!(order, natural(b, a).reverse());
                let same_number = |n: usize| [2, 3].contains(&n) || [7, 8].contains(&n);
                if !(same_number(i) && same_number(j) && i.abs_diff(j) == 1) {
                    assert_eq!(order, i.cmp(&j), "{a:?} {b:?}");
                }
            }
        }
    }

    #[test]
    fn patterns() {
        let directory = tempfile::tempdir().expect("directory");
        let path = |name: &str| directory.path().join(name);
        for name in ["run10.h5", "run2.h5", "run1.h5", ".run3.h5", "run[1].csv", "other.npy"] {
            fs::write(path(name), "").expect("written");
        }
        fs::create_dir(path("run4.h5")).expect("made");
        let names = |patterns: &[&str]| {
            let patterns: Vec<PathBuf> = patterns.iter().map(|p| path(p)).collect();
            let files = expand(&patterns).expect("files");
            let name = |p: &PathBuf| p.file_name().map(|n| n.to_string_lossy().into_owned());
            files.iter().filter_map(name).collect::<Vec<_>>()
        };
        assert_eq!(names(&["run*.h5"]), ["run1.h5", "run2.h5", "run10.h5"]);
        assert_eq!(names(&["run?.h5", "other.npy"]), ["run1.h5", "run2.h5", "other.npy"]);
        // The order of the arguments is kept, and so is a file that is named twice or not there.
        let given = ["run2.h5", "nowhere.h5", "run2.h5"];
        assert_eq!(names(&given), given);
        assert_eq!(names(&["run[1].csv"]), ["run[1].csv"]);
        assert!(expand(&[path("nothing*.h5")]).is_err());
        assert!(expand(&[path("run[.h5")]).is_err());
    }
}
