//! Every row of the table: bittrue does what HGQ does, or says why not.

use std::collections::BTreeMap;

use bittrue_model::parse::from_keras;
use bittrue_proxy::{Mode, convert};

use crate::rows::{Row, describe, eighths, rows, table};

/// The rows that HGQ converts and bittrue cannot read yet: layer, configuration, and a part of the
/// message, separated by ` ¦ `. A row that can be read makes the test fail until it is struck here.
const NOT_YET: &str = include_str!("not_yet.txt");

/// The rows of which there is no file, and why.
const NO_FILE: [(&str, &str); 4] = [
    ("QActivation", "cannot be saved: TypeError: Unable to serialize 1.0 to JSON"),
    ("HDense", "cannot be built: AttributeError: Exception encountered when calling layer 'i1'"),
    ("Sequential", "a model that was never built cannot be saved"),
    ("Model subclass", "a subclassed model cannot be saved as .h5"),
];

/// How bittrue and HGQ stand to each other on a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// The same proxy.
    SameProxy,
    /// The same proxy, and a warning that it is not what the model computes.
    SameProxyWithWarning,
    /// HGQ raises an error, bittrue has one too.
    BothRefuse,
    /// HGQ makes a proxy that is not what the model computes, bittrue an error.
    RefusedAsWrong,
    /// HGQ makes a proxy, bittrue cannot read the model yet.
    NotYet,
    /// There is no file to read.
    NoFile,
}

fn outcome(row: &Row) -> Result<Outcome, String> {
    let file = match &row.file {
        Ok(file) => file,
        Err(reason) => {
            let known = NO_FILE.iter().any(|(l, why)| *l == row.layer && reason.starts_with(why));
            return if known { Ok(Outcome::NoFile) } else { Err(format!("no file: {reason}")) };
        }
    };
    let not_yet = NOT_YET.lines().find_map(|line| {
        let mut parts = line.split(" ¦ ");
        let same = (parts.next(), parts.next()) == (Some(&row.layer), Some(&row.config));
        same.then(|| parts.next().expect("a message"))
    });
    let model = match (from_keras(file), &row.hgq, not_yet) {
        (Ok(_), _, Some(_)) => return Err("can be read: strike it in not_yet.txt".to_owned()),
        (Ok(model), _, None) => model,
        (Err(e), Ok(_), Some(part)) if e.to_string().contains(part) => return Ok(Outcome::NotYet),
        (Err(e), Ok(_), Some(part)) => return Err(format!("`{part}` is not in: {e}")),
        (Err(e), Ok(_), None) => return Err(format!("HGQ converts it, but: {e}")),
        (Err(e), Err(_), _) => {
            clear(&e.to_string(), e.place().layer_name())?;
            return Ok(Outcome::BothRefuse);
        }
    };
    match (convert(&model, Mode::Sat), &row.hgq) {
        (Ok(ours), Ok(theirs)) => {
            let described = describe(&ours);
            if described != *theirs {
                return Err(format!("HGQ makes {theirs:#?}, bittrue {described:#?}"));
            }
            match (row.silently_wrong, ours.warnings.as_slice()) {
                (true, []) => Err("HGQ is silently wrong, and there is no warning".to_owned()),
                (true, _) => Ok(Outcome::SameProxyWithWarning),
                (false, _) => Ok(Outcome::SameProxy),
            }
        }
        (Ok(_), Err(error)) => Err(format!("HGQ refuses it: {error}")),
        (Err(e), theirs) => {
            clear(&e.to_string(), e.place().layer_name())?;
            if e.help().is_empty() {
                return Err(format!("no help: {e}"));
            }
            match theirs {
                Err(_) => Ok(Outcome::BothRefuse),
                Ok(_) if row.silently_wrong => Ok(Outcome::RefusedAsWrong),
                Ok(_) => Err(format!("HGQ converts it, but: {e}")),
            }
        }
    }
}

/// A message has to say where, and either what is accepted or what HGQ does.
fn clear(message: &str, layer: Option<&str>) -> Result<(), String> {
    let says = ["supported", "HGQ", "expected"].iter().any(|word| message.contains(word));
    if layer.is_some_and(|layer| message.contains(layer)) && says {
        return Ok(());
    }
    Err(format!("not a clear message: {message}"))
}

#[test]
fn every_row_is_what_hgq_makes_of_it() {
    let rows = rows(eighths);
    let mut counts: BTreeMap<Outcome, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for row in &rows {
        match outcome(row) {
            Ok(outcome) => *counts.entry(outcome).or_default() += 1,
            Err(why) => wrong.push(format!("{} | {}: {why}", row.layer, row.config)),
        }
    }
    for (outcome, count) in &counts {
        println!("{count:4} {outcome:?}");
    }
    assert!(wrong.is_empty(), "{} rows of {}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
    assert_eq!(counts[&Outcome::NoFile], NO_FILE.len());
    assert_eq!(
        counts[&Outcome::NotYet],
        NOT_YET.lines().count(),
        "a line of not_yet.txt is no row"
    );
}

#[test]
fn the_rows_are_those_of_the_table() {
    let (rows, table) = (rows(eighths), table());
    assert_eq!(table.len(), 355);
    let (of_table, more) = rows.split_at(table.len());
    for (row, expected) in of_table.iter().zip(&table) {
        assert_eq!([&row.layer, &row.config], [&expected["layer"], &expected["config"]]);
    }
    // Beside the table: quantizers of weights, and a layer that it does not have.
    assert!(more.iter().all(|row| ["QDense", "SpatialDropout2D"].contains(&&*row.layer)));
}
