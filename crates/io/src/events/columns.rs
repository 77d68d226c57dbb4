//! `--columns`: the columns of a table, the fields of structs, or the datasets of a group.

use super::catalogue::{Entry, Kind};
use super::joined::Layout;
use super::mapping::{Choice, MappingError, enumerate, input_index, needed};
use super::select::Pick;
use super::source::InputSpec;
use crate::number::Dtype;

/// Most columns that a message lists.
const LISTED: usize = 100;

/// The columns that the user gives to each input.
pub(super) fn of_inputs<'c>(
    inputs: &[InputSpec],
    given: &'c [(Option<String>, Vec<String>)],
) -> Result<Vec<Option<&'c [String]>>, MappingError> {
    let mut columns: Vec<Option<&[String]>> = vec![None; inputs.len()];
    for (input, names) in given {
        let at = input_index(inputs, input.as_deref(), "--columns INPUT=a,b,…")?;
        if columns[at].replace(names).is_some() {
            let what = format!("input `{}` is given columns more than once", inputs[at].name);
            let help = "name all its columns in one list, --columns a,b,…".to_owned();
            return Err(MappingError::new(what).with_help(help));
        }
    }
    Ok(columns)
}

/// Finds the columns of an input: in the dataset or group of this path, or else wherever in the
/// file all of them are.
pub(super) fn choose(
    input: &InputSpec,
    entries: &[Entry],
    path: Option<&str>,
    names: &[String],
) -> Result<Choice, MappingError> {
    let places = places(entries, names);
    let wanted = path.map(|p| p.trim_matches('/'));
    let place = match wanted {
        // The one dataset of a file needs no name, nor does the root.
        Some("") if places.len() == 1 => &places[0],
        Some(path) => match places.iter().find(|p| p.path == path) {
            Some(place) => place,
            None => return Err(missing(input, entries, Some(path), names)),
        },
        None => match places.as_slice() {
            [place] => place,
            [] => return Err(missing(input, entries, None, names)),
            several => {
                let list: Vec<String> = several.iter().map(|p| format!("/{}", p.path)).collect();
                return Err(MappingError::new(format!(
                    "which columns feed input `{}`? {} have all of {}",
                    input.name,
                    list.join(", "),
                    shown(names)
                ))
                .with_help(format!(
                    "choose with --dataset {} beside --columns",
                    quoted(&format!("{}={}", input.name, list[0]))
                )));
            }
        },
    };
    match &place.what {
        What::Fields(index) => {
            let entry = &entries[*index];
            let pick = Pick::of_names(names, entry).map_err(|why| {
                MappingError::new(format!("dataset {} {why}", entry.path))
                    .with_help("choose other columns".to_owned())
            })?;
            super::mapping::check(input, entry, &pick)?;
            Ok(Choice::One { index: *index, pick })
        }
        What::Datasets(indices) => join(input, entries, &place.path, indices.clone(), names),
    }
}

/// A group or dataset in which all columns are.
struct Place {
    /// Without leading `/`.
    path: String,
    what: What,
}

enum What {
    /// Columns of this dataset.
    Fields(usize),
    /// Datasets.
    Datasets(Vec<usize>),
}

fn places(entries: &[Entry], names: &[String]) -> Vec<Place> {
    let mut places = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let has = |name: &String| match &entry.kind {
            Kind::Text(columns) => columns.names.as_ref().is_some_and(|n| n.contains(name)),
            Kind::Record(record) => record.fields.iter().any(|f| f.name == *name),
            _ => false,
        };
        if names.iter().all(has) {
            places.push(Place { path: entry.path.clone(), what: What::Fields(index) });
        }
    }
    for group in groups(entries) {
        let find = |name: &String| {
            let path = match group {
                "" => name.trim_matches('/').to_owned(),
                group => format!("{group}/{}", name.trim_matches('/')),
            };
            entries.iter().position(|e| e.path == path)
        };
        if let Some(indices) = names.iter().map(find).collect() {
            places.push(Place { path: group.to_owned(), what: What::Datasets(indices) });
        }
    }
    places
}

/// All groups that datasets are in, the root too.
fn groups(entries: &[Entry]) -> Vec<&str> {
    let mut groups = vec![""];
    for entry in entries {
        let ends = entry.path.match_indices('/').map(|(end, _)| end);
        groups.extend(ends.map(|end| &entry.path[..end]));
    }
    groups.sort_unstable();
    groups.dedup();
    groups
}

fn join(
    input: &InputSpec,
    entries: &[Entry],
    group: &str,
    indices: Vec<usize>,
    names: &[String],
) -> Result<Choice, MappingError> {
    let mut features: Vec<&[usize]> = Vec::with_capacity(indices.len());
    for (n, &index) in indices.iter().enumerate() {
        let entry = &entries[index];
        if indices[..n].contains(&index) {
            let what = format!("column {} is named twice", entry.path);
            return Err(MappingError::new(what).with_help("name each column once".to_owned()));
        }
        match (&entry.kind, entry.shape.split_first()) {
            (Kind::Numbers(_), Some((_, event))) => features.push(event),
            _ => {
                return Err(MappingError::new(format!(
                    "column {entry} is no list of numbers per event"
                ))
                .with_help("choose datasets [event] or [event, …] of numbers".to_owned()));
            }
        }
    }
    let listed: Vec<&Entry> = indices.iter().map(|&i| &entries[i]).collect();
    let Some(layout) = Layout::of(&features, &input.shape) else {
        return Err(MappingError::new(format!(
            "columns of these shapes make no event: {}",
            enumerate(&listed)
        ))
        .with_help(format!("choose columns that make {}", needed(input))));
    };
    if layout.shape == input.shape {
        return Ok(Choice::Joined { group: group.to_owned(), indices, layout });
    }
    let mut shape = "[event".to_owned();
    layout.shape.iter().for_each(|d| shape.push_str(&format!(", {d}")));
    Err(MappingError::new(format!(
        "the columns {} make events of shape {shape}], but input `{}` needs {}",
        shown(names),
        input.name,
        needed(input)
    ))
    .with_help(format!("choose columns that make {}", needed(input))))
}

fn missing(
    input: &InputSpec,
    entries: &[Entry],
    path: Option<&str>,
    names: &[String],
) -> MappingError {
    // The first name that is nowhere, else the list as a whole.
    let nowhere = names.iter().find(|n| places(entries, std::slice::from_ref(n)).is_empty());
    let what = match nowhere {
        Some(name) => format!("has no column {name}"),
        None => format!("has no one place with all of the columns {}", shown(names)),
    };
    let place = match path {
        Some(path) => format!(" in /{path}"),
        None => String::new(),
    };
    let all: Vec<&Entry> = entries.iter().collect();
    let help = match entries {
        [Entry { kind: Kind::Text(columns), .. }] if columns.names.is_none() => format!(
            "the file has no header; choose columns by number with --dataset '{}=[a:b]'",
            input.name
        ),
        _ => {
            "columns are the names in a header, the fields of a compound dataset, or the datasets \
              of a group; names are as in the file, and --dataset INPUT=/GROUP says where"
                .to_owned()
        }
    };
    MappingError::new(format!("{what}{place}; it holds {}", enumerate(&all))).with_help(help)
}

/// What to write where the events are one dataset per feature: the exact flags.
pub(super) fn remedy<'e>(
    input: &InputSpec,
    entries: &'e [Entry],
    several_inputs: bool,
) -> Option<String> {
    let (&last, outer) = input.shape.split_last().filter(|(last, _)| **last > 1)?;
    let mut found: Option<(&str, Vec<(&str, Dtype)>)> = None;
    for group in groups(entries) {
        let member = |e: &'e Entry| {
            let Kind::Numbers(dtype) = e.kind else { return None };
            let name = match group {
                "" => e.path.as_str(),
                _ => e.path.strip_prefix(group)?.strip_prefix('/')?,
            };
            (e.shape.get(1..) == Some(outer) && !name.contains('/')).then_some((name, dtype))
        };
        let names: Vec<(&str, Dtype)> = entries.iter().filter_map(member).collect();
        // The group with the fewest columns to choose from.
        let enough = names.len() >= last;
        if enough && found.as_ref().is_none_or(|(_, best)| names.len() < best.len()) {
            found = Some((group, names));
        }
    }
    let (group, members) = found?;
    let names: Vec<&str> = members.iter().map(|(name, _)| *name).collect();
    // Labels and numbers of events are seldom of the dtype of features.
    let as_often = |dtype: Dtype| members.iter().filter(|(_, d)| *d == dtype).count();
    let common = members.iter().map(|(_, d)| *d).max_by_key(|d| as_often(*d))?;
    let alike = members.iter().filter(|(_, d)| *d == common || as_often(common) < last);
    let columns: Vec<&str> = alike.take(last.min(LISTED)).map(|(name, _)| *name).collect();
    let more = if last > LISTED { ",…" } else { "" };
    let input_is = if several_inputs { format!("{}=", input.name) } else { String::new() };
    let flag = |name: &str, value: String| format!("--{name} {}", quoted(&value));
    let mut flags = Vec::new();
    let elsewhere =
        |n: &&str| entries.iter().filter(|e| e.path.ends_with(&format!("/{n}"))).count();
    if !group.is_empty() && names.iter().any(|n| elsewhere(n) > 1) {
        flags.push(flag("dataset", format!("{input_is}/{group}")));
    }
    flags.push(flag("columns", format!("{input_is}{}{more}", columns.join(","))));
    let which = match names.len() == last {
        true => format!("the {last} columns of /{group}"),
        false => format!("{last} of the {} columns of /{group} ({})", names.len(), list(&names)),
    };
    Some(format!(
        "name {which} in the order that the model was trained with, as in {}",
        flags.join(" ")
    ))
}

fn shown(names: &[String]) -> String {
    list(&names.iter().map(String::as_str).collect::<Vec<_>>())
}

fn list(names: &[&str]) -> String {
    let mut shown: Vec<&str> = names.iter().take(LISTED).copied().collect();
    if names.len() > LISTED {
        shown.push("…");
    }
    shown.join(",")
}

/// A word for the shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-./=,:+@%…".contains(c);
    match word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}
