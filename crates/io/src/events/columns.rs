//! Columns by name: datasets of a group, fields of a compound dataset, or columns of a table.

use super::catalogue::{Entry, Kind, Record};
use super::mapping::{Choice, MappingError};
use super::row::product;
use super::select::{Pick, listed};
use super::source::InputSpec;

/// Most places that a message lists.
const LISTED: usize = 8;

/// What feeds an input, column by column.
///
/// `place` is a group, or a compound dataset, or a table; without it there has to be just one that has
/// all columns.
pub(super) fn by_columns(
    input: &InputSpec,
    entries: &[Entry],
    place: Option<&str>,
    names: &[String],
) -> Result<Vec<Choice>, MappingError> {
    let place = place.map(|p| p.trim_matches('/'));
    let mut found: Vec<(String, Vec<Choice>)> = Vec::new();
    let mut missing: Vec<String> = Vec::new();
    for (at, columns) in places(entries) {
        if place.is_some_and(|place| place != at) {
            continue;
        }
        match columns.choose(names) {
            Ok(chosen) => found.push((at, chosen)),
            Err(why) => missing.push(format!("/{at} {why}")),
        }
    }
    match found.as_slice() {
        [(at, chosen)] => check(input, entries, at, chosen).map(|()| chosen.clone()),
        [] => {
            missing.truncate(LISTED);
            let what = match (missing.as_slice(), place) {
                ([], Some(place)) => format!("/{place} is neither a group nor a table"),
                ([], None) => "holds no columns".to_owned(),
                (missing, _) => format!("has no place with these columns: {}", missing.join("; ")),
            };
            Err(MappingError::new(format!("--columns {}: {what}", names.join(","))).with_help(
                "--columns [INPUT=]a,b,c names datasets of one group, fields of a compound \
                 dataset, or columns of a text file"
                    .to_owned(),
            ))
        }
        several => {
            let list: Vec<String> =
                several.iter().take(LISTED).map(|(at, _)| format!("/{at}")).collect();
            Err(MappingError::new(format!(
                "--columns {}: {} have these columns",
                names.join(","),
                list.join(", ")
            ))
            .with_help(format!("choose one with --dataset {}=PATH", input.name)))
        }
    }
}

/// The columns of a group of datasets of one number per event, as a flag would name them.
pub(super) fn hint(input: &InputSpec, entries: &[Entry]) -> Option<String> {
    let scalar = |e: &&Entry| matches!(e.kind, Kind::Numbers(_)) && e.shape.len() == 1;
    let first = entries.iter().find(scalar)?;
    let group = parent(&first.path);
    let names: Vec<&str> = entries
        .iter()
        .filter(scalar)
        .filter(|e| parent(&e.path) == group)
        .map(|e| leaf(&e.path))
        .collect();
    let shown: Vec<&str> = names.iter().take(3).copied().collect();
    (names.len() > 1).then(|| {
        format!(
            "the {} datasets in /{group} hold one number for each event: choose some, in the order \
             of the model's input, with --columns {}={}{}",
            names.len(),
            input.name,
            shown.join(","),
            if names.len() > shown.len() { ",…" } else { "" }
        )
    })
}

/// Somewhere that has columns.
enum Columns<'e> {
    Group(Vec<(&'e str, usize)>),
    Record(usize, &'e Record),
    Table(usize, &'e [String]),
}

impl Columns<'_> {
    fn choose(&self, names: &[String]) -> Result<Vec<Choice>, String> {
        match self {
            Self::Group(members) => names
                .iter()
                .map(|name| match members.iter().find(|(member, _)| member == name) {
                    Some((_, index)) => Ok(Choice { index: *index, pick: Pick::All }),
                    None => Err(format!("has no dataset {name}")),
                })
                .collect(),
            Self::Record(index, record) => {
                let list = names.join(",");
                let entry = Entry {
                    path: String::new(),
                    shape: Vec::new(),
                    kind: Kind::Record((*record).clone()),
                };
                Ok(vec![Choice { index: *index, pick: Pick::parse(&list, &entry)? }])
            }
            Self::Table(index, columns) => {
                let chosen = listed(names.iter().map(String::as_str), columns)?;
                Ok(vec![Choice { index: *index, pick: Pick::Listed(chosen) }])
            }
        }
    }
}

fn places(entries: &[Entry]) -> Vec<(String, Columns<'_>)> {
    let mut all: Vec<(String, Columns<'_>)> = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        match &entry.kind {
            Kind::Record(record) => all.push((entry.path.clone(), Columns::Record(index, record))),
            Kind::Table(names) => all.push((entry.path.clone(), Columns::Table(index, names))),
            Kind::Numbers(_) => {
                let group = parent(&entry.path);
                let member = (leaf(&entry.path), index);
                let known = all.iter_mut().find_map(|(at, columns)| match columns {
                    Columns::Group(members) if at == group => Some(members),
                    _ => None,
                });
                match known {
                    Some(members) => members.push(member),
                    None => all.push((group.to_owned(), Columns::Group(vec![member]))),
                }
            }
            Kind::Other(_) => {}
        }
    }
    all
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn leaf(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, leaf)| leaf)
}

/// Whether the columns make the input: each has the input's shape but for the last axis.
fn check(
    input: &InputSpec,
    entries: &[Entry],
    at: &str,
    chosen: &[Choice],
) -> Result<(), MappingError> {
    let wrong = |what: String| {
        Err(MappingError::new(format!("/{at}: {what}"))
            .with_help("choose as many columns as the last axis of the input is long".to_owned()))
    };
    let (outer, last) = match input.shape.as_slice() {
        [outer @ .., last] => (outer, *last),
        [] => (&[][..], 1),
    };
    let outer_size = product(outer).unwrap_or(usize::MAX);
    let mut columns = 0_usize;
    for Choice { index, pick } in chosen {
        let entry = &entries[*index];
        let shape = pick.shape(entry);
        let event = shape.get(1..).unwrap_or_default();
        let is_table = matches!(entry.kind, Kind::Table(_));
        let width = match event {
            _ if event == outer && !is_table => 1,
            [first @ .., width] if first == outer => *width,
            [width] if is_table => *width / outer_size.max(1),
            _ => {
                return wrong(format!(
                    "{} has shape {shape:?}, but input `{}` has shape {:?}",
                    entry.path, input.name, input.shape
                ));
            }
        };
        columns = columns.saturating_add(width);
    }
    match columns == last {
        true => Ok(()),
        false => {
            wrong(format!("{columns} columns are chosen, but input `{}` needs {last}", input.name))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::Dtype;

    fn entry(path: &str, shape: &[usize], kind: Kind) -> Entry {
        Entry { path: path.to_owned(), shape: shape.to_vec(), kind }
    }

    fn numbers(path: &str, shape: &[usize]) -> Entry {
        entry(path, shape, Kind::Numbers(Dtype::F32))
    }

    fn input(shape: &[usize]) -> InputSpec {
        InputSpec { name: "x".to_owned(), shape: shape.to_vec() }
    }

    fn choose(
        shape: &[usize],
        entries: &[Entry],
        place: Option<&str>,
        names: &str,
    ) -> Result<Vec<usize>, String> {
        let names: Vec<String> = names.split(',').map(str::to_owned).collect();
        by_columns(&input(shape), entries, place, &names)
            .map(|c| c.iter().map(|c| c.index).collect())
            .map_err(|e| e.what)
    }

    #[test]
    fn datasets_of_a_group() {
        let entries = [
            numbers("jets/pt", &[9]),
            numbers("jets/eta", &[9]),
            numbers("jets/cov", &[9, 3]),
            numbers("muons/pt", &[9]),
            numbers("w", &[9]),
        ];
        assert_eq!(choose(&[2], &entries, None, "eta,pt"), Ok(vec![1, 0]));
        assert_eq!(choose(&[4], &entries, None, "cov,pt"), Ok(vec![2, 0]));
        assert_eq!(choose(&[1], &entries, Some("/muons"), "pt"), Ok(vec![3]));
        for (shape, place, names, why) in [
            (&[1][..], None, "pt", "/jets, /muons have these columns"),
            (&[2], None, "pt,phi", "/jets has no dataset phi; /muons has no dataset phi"),
            (&[3], None, "eta,pt", "2 columns are chosen, but input `x` needs 3"),
            (&[2, 2], None, "cov,eta", "has shape [9, 3], but input `x` has shape [2, 2]"),
            (&[1], Some("none"), "pt", "/none is neither a group nor a table"),
        ] {
            let found = choose(shape, &entries, place, names).expect_err(why);
            assert!(found.contains(why), "{found}");
        }
        let hint = hint(&input(&[2]), &entries).expect("columns");
        assert!(hint.contains("the 2 datasets in /jets") && hint.contains("--columns x=pt,eta"));
    }

    #[test]
    fn features_of_particles() {
        let entries = [numbers("pt", &[9, 5]), numbers("eta", &[9, 5]), numbers("id", &[9, 5, 2])];
        assert_eq!(choose(&[5, 4], &entries, None, "pt,eta,id"), Ok(vec![0, 1, 2]));
    }

    #[test]
    fn columns_of_a_table() {
        let table =
            [entry("table", &[9, 3], Kind::Table(vec!["a".into(), "b".into(), "c".into()]))];
        assert_eq!(choose(&[2], &table, None, "c,a"), Ok(vec![0]));
        let found = choose(&[2], &table, None, "c,d").expect_err("no d");
        assert!(found.contains("/table has no column d; its columns are a, b, c"), "{found}");
    }
}
