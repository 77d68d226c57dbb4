//! Events in every form, as the command line takes them; and what is said of those that are not
//! right.

use std::error::Error;
use std::fs;

use insta::assert_snapshot;
use serde_json::Value;

use crate::support::{MODEL, Ran, Scratch, TestResult, verify};

const NAMES: [&str; 16] =
    ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p"];

/// Some events for [`MODEL`]: lines of 16 numbers.
fn text(from: usize, to: usize) -> String {
    let line = |event: usize| {
        let values: Vec<String> = (0..16)
            .map(|i| format!("{}", ((event * 16 + i) * 7 % 101) as f64 / 8.0 - 6.0))
            .collect();
        values.join(",") + "\n"
    };
    (from..to).map(line).collect()
}

fn header() -> String {
    NAMES.join(",") + "\n"
}

/// The events as one dataset for each feature, with labels beside them.
fn features(scratch: &Scratch, name: &str, groups: &[&str]) -> Result<String, Box<dyn Error>> {
    let path = scratch.path(name);
    let file = hdf5::File::create(&path)?;
    let rows: Vec<Vec<f64>> = text(0, 40)
        .lines()
        .map(|line| line.split(',').map(str::parse).collect::<Result<_, _>>())
        .collect::<Result<_, _>>()?;
    for group in groups {
        let group = file.create_group(group)?;
        for (n, name) in NAMES.iter().enumerate() {
            let column: Vec<f64> = rows.iter().map(|row| row[n]).collect();
            group.new_dataset_builder().with_data(&column).create(*name)?;
        }
        group.new_dataset_builder().with_data(&[1i32; 40]).create("label")?;
    }
    file.close()?;
    Ok(path)
}

/// Runs a comparison and reads its report.
fn report(scratch: &Scratch, flags: &[&str]) -> Result<(Ran, Value), Box<dyn Error>> {
    let json = scratch.path("r.json");
    let ran = verify(["--model", MODEL, "--json", &json, "--events"].iter().chain(flags))?;
    assert!(ran.code.is_some_and(|code| code < 2), "{}", ran.stderr);
    Ok((ran, serde_json::from_str(&fs::read_to_string(json)?)?))
}

/// A comparison that is refused.
fn refused(scratch: &Scratch, flags: &[&str]) -> Result<String, Box<dyn Error>> {
    let ran = verify(["--model", MODEL, "--events"].iter().chain(flags))?;
    assert_eq!(ran.code, Some(5), "{}", ran.stderr);
    ran.refusal(scratch)
}

#[test]
fn every_form_gives_the_same_counts() -> TestResult {
    let scratch = Scratch::new()?;
    let csv = scratch.file("e.csv", (header() + &text(0, 40)).as_bytes())?;
    let dat = scratch.file("tb.dat", text(0, 40).replace(',', " ").as_bytes())?;
    let group = features(&scratch, "e.h5", &["nt/jets"])?;
    scratch.file("run2.csv", (header() + &text(0, 7)).as_bytes())?;
    scratch.file("run10.csv", text(7, 40).as_bytes())?;
    let columns = NAMES.join(",");
    let (pattern, part) = (scratch.path("run*.csv"), scratch.path("run2.csv"));
    let whole = scratch.path("run10.csv");
    let (_, expected) = report(&scratch, &[&csv])?;
    assert_eq!(expected["events"]["count"], 40);
    for flags in [
        vec![dat.as_str()],
        vec![&csv, "--columns", &columns],
        vec![&csv, "--dataset", "[0:16]"],
        vec![&group, "--columns", &columns],
        vec![&group, "--columns", &columns, "--dataset", "/nt/jets"],
        vec![&pattern],
        vec![&part, &whole],
        vec![&part, "--events", &whole],
    ] {
        let (_, found) = report(&scratch, &flags)?;
        assert_eq!(found["comparisons"], expected["comparisons"], "{flags:?}");
        assert_eq!(found["events"]["count"], 40);
    }
    let (_, found) = report(&scratch, &[&pattern])?;
    let files = found["events"]["files"].as_array().ok_or("no files")?;
    let names: Vec<&str> = files.iter().filter_map(|f| f["path"].as_str()).collect();
    assert_eq!(names, [part.as_str(), whole.as_str()], "run2 before run10");
    assert_eq!(found["events"]["path"], names.join(", "));
    assert_eq!((&files[0]["count"], &files[1]["count"]), (&7.into(), &33.into()));
    assert_eq!(expected["events"].get("files"), None);
    Ok(())
}

/// What the report says to do next works, with the files and columns that were given.
#[test]
fn the_next_step_can_be_copied() -> TestResult {
    let scratch = Scratch::new()?;
    let group = features(&scratch, "e.h5", &["jets", "muons"])?;
    let columns = NAMES.join(",");
    let flags = ["--columns", &columns, "--dataset", "/jets", "--target", "proxy:wrap"];
    let (ran, _) = report(&scratch, &[&[group.as_str(), &group], &flags[..]].concat())?;
    let step = ran.stdout.lines().find(|line| line.trim().starts_with("verify explain"));
    let step = step.ok_or("no next step")?.trim();
    assert!(step.contains(&format!("--events {group} --events {group} --dataset /jets --columns")));
    let words: Vec<&str> = step.split(' ').skip(1).collect();
    let explained = verify(&words)?;
    assert_eq!((explained.code, explained.stderr.as_str()), (Some(0), ""));
    Ok(())
}

#[test]
fn labels_beside_events() -> TestResult {
    let scratch = Scratch::new()?;
    // Written once each: a lock on a file opened again may still be held by the child that
    // another test is just starting.
    let write = |path: &str, more: Option<&str>| -> TestResult {
        let array = |columns: usize| ndarray::Array2::<f32>::zeros((9, columns));
        let file = hdf5::File::create(path)?;
        file.new_dataset_builder().with_data(&array(16)).create("events")?;
        file.new_dataset_builder().with_data(&array(5)).create("labels")?;
        file.new_dataset_builder().with_data(&[1.0f32; 9]).create("weight")?;
        if let Some(name) = more {
            file.new_dataset_builder().with_data(&array(16)).create(name)?;
        }
        Ok(file.close()?)
    };
    let path = scratch.path("labels.h5");
    write(&path, None)?;
    assert_eq!(report(&scratch, &[&path])?.1["events"]["count"], 9);
    // Labels of the events' own shape: no guess.
    let path = scratch.path("e.h5");
    write(&path, Some("targets"))?;
    assert_snapshot!(refused(&scratch, &[&path])?);
    assert_eq!(report(&scratch, &[&path, "--dataset", "events"])?.1["events"]["count"], 9);
    Ok(())
}

#[test]
fn texts_that_are_wrong() -> TestResult {
    let scratch = Scratch::new()?;
    let good = text(0, 3);
    let mut texts = String::new();
    for (name, contents) in [
        ("word.csv", format!("{}{}", header(), good.replace(",-4", ",n/a"))),
        ("missing.csv", format!("{good}1,2,,4,5,6,7,8,9,10,11,12,13,14,15,16\n")),
        ("short.dat", format!("{good}1,2,3\n").replace(',', " ")),
        ("first.csv", format!("0.5,1.x{}", good.replacen("-6,-5.125", "", 1))),
        ("header.csv", header()),
        ("prose.txt", "Dear all,\nplease find the events\n".to_owned()),
        ("comments.csv", "# nothing but this\n".to_owned()),
        ("columns.csv", "a,b,c\n1,2,3\n".to_owned()),
        (
            "wide.csv",
            format!(
                "id,{}{}",
                header(),
                good.lines().map(|l| format!("7,{l}\n")).collect::<String>()
            ),
        ),
        ("nul.csv", format!("{}\0\n", good.repeat(9))),
    ] {
        let path = scratch.file(name, contents.as_bytes())?;
        texts += &refused(&scratch, &[&path])?;
    }
    assert_snapshot!(texts);
    Ok(())
}

#[test]
fn files_of_other_kinds() -> TestResult {
    let scratch = Scratch::new()?;
    let mut texts = String::new();
    for (name, contents) in [
        ("nano.root", &b"root\0\0\xf7\x84\0\0\0d"[..]),
        ("e.csv.gz", b"\x1f\x8b\x08\x08\0\0\0\0"),
        ("excel.txt", b"\xff\xfep\0t\0"),
    ] {
        let path = scratch.file(name, contents)?;
        texts += &refused(&scratch, &[&path])?;
    }
    assert_snapshot!(texts);
    Ok(())
}

#[test]
fn columns_that_are_not_there() -> TestResult {
    let scratch = Scratch::new()?;
    let one = features(&scratch, "one.h5", &["nt/jets"])?;
    let two = features(&scratch, "two.h5", &["jets", "muons"])?;
    let csv = scratch.file("plain.csv", text(0, 3).as_bytes())?;
    let names = NAMES.join(",");
    let mut texts = String::new();
    for flags in [
        vec![one.as_str()],
        vec![&one, "--dataset", "/nt/jets"],
        vec![&one, "--columns", "a,b,q"],
        vec![&one, "--columns", "a,b,c"],
        vec![&one, "--columns", &names, "--dataset", "/nowhere"],
        vec![&one, "--columns", &names, "--columns", "a"],
        vec![&two],
        vec![&two, "--columns", &names],
        vec![&csv, "--columns", &names],
    ] {
        texts += &refused(&scratch, &flags)?;
    }
    assert_snapshot!(texts);
    Ok(())
}

#[test]
fn several_files_of_which_one_is_wrong() -> TestResult {
    let scratch = Scratch::new()?;
    let good = scratch.file("run1.csv", (header() + &text(0, 5)).as_bytes())?;
    let empty = scratch.file("run2.csv", header().as_bytes())?;
    let narrow = scratch.file("run3.csv", b"1,2\n3,4\n")?;
    let mut names = NAMES;
    names.swap(0, 1);
    let swapped = names.join(",") + "\n" + &text(0, 5);
    let swapped = scratch.file("run4.csv", swapped.as_bytes())?;
    let (absent, pattern) = (scratch.path("run9.csv"), scratch.path("jets*.h5"));
    let mut texts = String::new();
    for flags in [
        vec![good.as_str(), &empty, &good],
        vec![&good, &narrow],
        vec![&good, &swapped],
        vec![&good, &absent],
        vec![&good, &pattern],
        vec![&scratch.path("run[1.csv")],
        vec![&good, &good, "--skip", "10"],
    ] {
        texts += &refused(&scratch, &flags)?;
    }
    assert_snapshot!(texts);
    Ok(())
}
