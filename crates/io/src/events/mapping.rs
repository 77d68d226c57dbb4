//! Which dataset feeds which input of the model.

use super::catalogue::{Entry, Kind};
use super::row::product;
use super::select::{Pick, split};
use super::source::InputSpec;

/// Most datasets that a message lists.
const LISTED: usize = 20;

/// What helps where a dataset holds no numbers.
const NUMBERS: &str = "store the events as float32, float64 or integers";

/// What feeds an input: a dataset by its index, and what is taken of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) index: usize,
    pub(super) pick: Pick,
}

impl Choice {
    fn all(index: usize) -> Self {
        Self { index, pick: Pick::All }
    }
}

/// Why no dataset can be assigned: what is wrong, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MappingError {
    pub(super) what: String,
    pub(super) help: Option<String>,
}

impl MappingError {
    pub(super) fn new(what: String) -> Self {
        Self { what, help: None }
    }

    pub(super) fn with_help(mut self, help: String) -> Self {
        self.help = Some(help);
        self
    }
}

/// Chooses a dataset for each input; the result is in the order of `inputs` and indexes
/// `entries`.
///
/// What the user says decides; else a dataset named like the input; else the only one whose shape
/// fits.
pub(super) fn choose(
    inputs: &[InputSpec],
    entries: &[Entry],
    chosen_by_user: &[(Option<String>, String)],
) -> Result<Vec<Choice>, MappingError> {
    let mut chosen: Vec<Option<Choice>> = vec![None; inputs.len()];
    for (input, path) in chosen_by_user {
        let at = input_index(inputs, input.as_deref())?;
        if chosen[at].is_some() {
            return Err(MappingError::new(format!(
                "input `{}` is given more than one dataset",
                inputs[at].name
            ))
            .with_help("name one dataset for each input".to_owned()));
        }
        chosen[at] = Some(by_path(&inputs[at], entries, path)?);
    }
    for (input, choice) in inputs.iter().zip(&mut chosen) {
        if choice.is_none() {
            *choice = by_name(input, entries)?.map(Choice::all);
        }
    }
    if chosen.iter().all(Option::is_none)
        && let Some(split) = split_table(inputs, entries)
    {
        return Ok(split);
    }
    let taken: Vec<usize> = chosen.iter().flatten().map(|c| c.index).collect();
    let mut complete: Vec<Choice> = Vec::with_capacity(inputs.len());
    for (input, choice) in inputs.iter().zip(chosen) {
        let choice = match choice {
            Some(choice) => choice,
            None => {
                let index = by_shape(input, entries, &taken)?;
                // Only a choice by shape can come twice unintended: by_shape does not know of the
                // others.
                if complete.iter().any(|c| c.index == index) {
                    return Err(ambiguous(input, &[&entries[index]], "also fits another input"));
                }
                Choice::all(index)
            }
        };
        complete.push(choice);
    }
    Ok(complete)
}

/// The inputs of a model side by side in the one table of a file, as hls4ml writes them.
fn split_table(inputs: &[InputSpec], entries: &[Entry]) -> Option<Vec<Choice>> {
    let [Entry { kind: Kind::Table(_), shape, .. }] = entries else { return None };
    let mut next = 0;
    let mut choices = Vec::new();
    for input in inputs {
        let end = next + product(&input.shape)?;
        choices.push(Choice { index: 0, pick: Pick::Columns(next..end) });
        next = end;
    }
    (inputs.len() > 1 && shape.get(1) == Some(&next)).then_some(choices)
}

/// Whether what is taken of a dataset holds events of an input. A line of text has no shape of its own.
fn entry_fits(entry: &Entry, pick: &Pick, input: &[usize]) -> bool {
    let shape = pick.shape(entry);
    match (&entry.kind, shape.as_slice()) {
        (Kind::Table(_), [_, columns]) => product(input) == Some(*columns),
        _ => fits(&shape, input),
    }
}

/// Whether a dataset holds events of an input: `[event, shape…]`, where an input of one element
/// may lack its last axis.
pub(super) fn fits(dataset: &[usize], input: &[usize]) -> bool {
    match dataset {
        [_, event @ ..] => event == input || (event.is_empty() && input == [1]),
        [] => false,
    }
}

pub(super) fn input_index(inputs: &[InputSpec], name: Option<&str>) -> Result<usize, MappingError> {
    let names = || inputs.iter().map(|i| i.name.as_str()).collect::<Vec<_>>().join(", ");
    match (name, inputs) {
        (Some(name), _) => inputs.iter().position(|i| i.name == name).ok_or_else(|| {
            MappingError::new(format!(
                "the model has no input `{name}`; its inputs are {}",
                names()
            ))
            .with_help("write --dataset INPUT=PATH with one of these inputs".to_owned())
        }),
        (None, [_]) => Ok(0),
        (None, _) => Err(MappingError::new(format!(
            "a dataset is given without the input it feeds; the model's inputs are {}",
            names()
        ))
        .with_help("write --dataset INPUT=PATH".to_owned())),
    }
}

fn by_path(input: &InputSpec, entries: &[Entry], text: &str) -> Result<Choice, MappingError> {
    let find = |path: &str| {
        let wanted = path.trim_matches('/');
        match entries {
            [_] if wanted.is_empty() => Some(0),
            _ => entries.iter().position(|e| e.path == wanted),
        }
    };
    // A name may have brackets itself.
    let (path, inside) = match find(text) {
        Some(_) => (text, None),
        None => split(text),
    };
    let Some(index) = find(path) else {
        let all: Vec<&Entry> = entries.iter().collect();
        return Err(MappingError::new(format!(
            "has no dataset {path}; it holds {}",
            enumerate(&all)
        ))
        .with_help(format!("choose one that it holds with --dataset {}=PATH", input.name)));
    };
    let entry = &entries[index];
    let pick = match inside {
        None => Pick::All,
        Some(inside) => Pick::parse(inside, entry).map_err(|why| {
            MappingError::new(format!("dataset {} {why}", entry.path)).with_help(
                "--dataset 'PATH[a:b]' takes columns of the last axis, as in Python; \
                 'PATH[name,…]' takes fields of a compound dataset"
                    .to_owned(),
            )
        })?,
    };
    check(input, entry, &pick)?;
    Ok(Choice { index, pick })
}

fn by_name(input: &InputSpec, entries: &[Entry]) -> Result<Option<usize>, MappingError> {
    let named: Vec<usize> = match entries.iter().position(|e| e.path == input.name) {
        Some(at_root) => vec![at_root],
        None => (0..entries.len())
            .filter(|&i| entries[i].path.rsplit('/').next() == Some(input.name.as_str()))
            .collect(),
    };
    match named.as_slice() {
        [] => Ok(None),
        [index] => check(input, &entries[*index], &Pick::All).map(|()| Some(*index)),
        several => {
            let list: Vec<&Entry> = several.iter().map(|&i| &entries[i]).collect();
            Err(ambiguous(input, &list, "have its name"))
        }
    }
}

fn by_shape(input: &InputSpec, entries: &[Entry], taken: &[usize]) -> Result<usize, MappingError> {
    let candidates: Vec<usize> = (0..entries.len())
        .filter(|i| !taken.contains(i))
        .filter(|&i| is_numeric(&entries[i]) && entry_fits(&entries[i], &Pick::All, &input.shape))
        .collect();
    match candidates.as_slice() {
        [index] => Ok(*index),
        [] => {
            let all: Vec<&Entry> = entries.iter().collect();
            let what = format!(
                "no dataset fits input `{}`, which needs {}; the file holds {}",
                input.name,
                needed(input),
                enumerate(&all)
            );
            Err(MappingError::new(what).with_help(remedy(input, entries)))
        }
        several => {
            let list: Vec<&Entry> = several.iter().map(|&i| &entries[i]).collect();
            Err(ambiguous(input, &list, "fit its shape"))
        }
    }
}

fn is_numeric(entry: &Entry) -> bool {
    matches!(entry.kind, Kind::Numbers(_) | Kind::Table(_))
}

/// What to do where no dataset fits.
fn remedy(input: &InputSpec, entries: &[Entry]) -> String {
    if let Some(entry) = same_size(input, entries) {
        return format!(
            "{} has as many values per event; reshape it to {}",
            entry.path,
            needed(input)
        );
    }
    if let Some(help) = entries.iter().find_map(|e| choose_fields(input, e)) {
        return help;
    }
    if let Some(help) = super::columns::hint(input, entries) {
        return help;
    }
    if let [Entry { kind: Kind::Table(names), shape, .. }] = entries
        && shape.get(1).copied() > product(&input.shape)
    {
        return match names.is_empty() {
            true => format!("choose columns with --dataset '{}=[a:b]'", input.name),
            false => format!("choose columns by name with --columns {}=a,b,…", input.name),
        };
    }
    if entries.iter().any(|e| !is_numeric(e) && fits(&e.shape, &input.shape)) {
        return NUMBERS.to_owned();
    }
    if entries.is_empty() {
        return format!("write the events to it as a dataset {}", needed(input));
    }
    format!(
        "name the dataset with --dataset {0}=PATH, or only some of its columns with \
         --dataset '{0}=PATH[a:b]'; or check that these events belong to this model",
        input.name
    )
}

/// How to choose the fields of a compound dataset.
fn choose_fields(input: &InputSpec, entry: &Entry) -> Option<String> {
    let Kind::Record(record) = &entry.kind else { return None };
    let mut names: Vec<&str> = record
        .fields
        .iter()
        .filter(|f| f.scalar.is_ok())
        .take(2)
        .map(|f| f.name.as_str())
        .collect();
    if names.is_empty() {
        return None;
    }
    names.push("…");
    Some(format!(
        "choose fields with --dataset '{}={}[{}]'",
        input.name,
        entry.path,
        names.join(",")
    ))
}

/// Whether what was named can feed an input.
fn check(input: &InputSpec, entry: &Entry, pick: &Pick) -> Result<(), MappingError> {
    if *pick == Pick::All && !is_numeric(entry) {
        return Err(MappingError::new(format!(
            "dataset {} holds {}, but input `{}` needs numbers",
            entry.path, entry.kind, input.name
        ))
        .with_help(choose_fields(input, entry).unwrap_or_else(|| NUMBERS.to_owned())));
    }
    let shape = pick.shape(entry);
    if entry_fits(entry, pick, &input.shape) {
        return Ok(());
    }
    Err(MappingError::new(format!(
        "dataset {}{} has shape {shape:?}, but input `{}` needs {}",
        entry.path,
        pick.suffix(entry),
        input.name,
        needed(input)
    ))
    .with_help(match pick {
        Pick::All => remedy(input, std::slice::from_ref(entry)),
        _ => format!("choose columns or fields that make {}", needed(input)),
    }))
}

/// The shape that an input needs, as in `[event, 16]`.
fn needed(input: &InputSpec) -> String {
    let mut text = "[event".to_owned();
    for d in &input.shape {
        text.push_str(&format!(", {d}"));
    }
    text.push(']');
    text
}

/// A numeric dataset with as many values per event, in another shape.
fn same_size<'e>(input: &InputSpec, entries: &'e [Entry]) -> Option<&'e Entry> {
    let wanted = product(&input.shape);
    entries.iter().find(|e| is_numeric(e) && e.shape.len() > 1 && product(&e.shape[1..]) == wanted)
}

fn ambiguous(input: &InputSpec, entries: &[&Entry], why: &str) -> MappingError {
    MappingError::new(format!(
        "which dataset feeds input `{}`? These {why}: {}",
        input.name,
        enumerate(entries)
    ))
    .with_help(format!("choose with --dataset {}=PATH", input.name))
}

fn enumerate(entries: &[&Entry]) -> String {
    if entries.is_empty() {
        return "no datasets".to_owned();
    }
    let mut list: Vec<String> = entries.iter().take(LISTED).map(ToString::to_string).collect();
    if entries.len() > LISTED {
        list.push(format!("and {} more", entries.len() - LISTED));
    }
    list.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::catalogue::{Field, Record};
    use crate::events::row::Scalar;
    use crate::number::Dtype;

    fn entry(path: &str, shape: &[usize]) -> Entry {
        Entry { path: path.to_owned(), shape: shape.to_vec(), kind: Kind::Numbers(Dtype::F32) }
    }

    fn input(name: &str, shape: &[usize]) -> InputSpec {
        InputSpec { name: name.to_owned(), shape: shape.to_vec() }
    }

    /// The indexes of datasets of which all is taken.
    fn choose_all(
        inputs: &[InputSpec],
        entries: &[Entry],
        user: &[(Option<String>, String)],
    ) -> Vec<usize> {
        let chosen = choose(inputs, entries, user).unwrap();
        assert!(chosen.iter().all(|c| c.pick == Pick::All));
        chosen.iter().map(|c| c.index).collect()
    }

    fn user(list: &[(Option<&str>, &str)]) -> Vec<(Option<String>, String)> {
        list.iter().map(|(i, p)| (i.map(str::to_owned), (*p).to_owned())).collect()
    }

    #[test]
    fn shapes_that_fit() {
        assert!(fits(&[100, 16], &[16]));
        assert!(fits(&[100], &[1]));
        assert!(fits(&[100, 1], &[1]));
        assert!(fits(&[100], &[]));
        assert!(!fits(&[100, 16], &[4, 4]));
        assert!(!fits(&[100, 1], &[]));
        assert!(!fits(&[100], &[16]));
        assert!(!fits(&[], &[]));
    }

    #[test]
    fn by_shape_when_one_fits() {
        let entries = [entry("events", &[9, 16]), entry("labels", &[9, 5]), entry("id", &[9])];
        assert_eq!(choose_all(&[input("in", &[16])], &entries, &[]), vec![0]);
    }

    #[test]
    fn a_name_goes_before_a_shape() {
        let entries = [entry("a", &[9, 16]), entry("deep/in", &[9, 16])];
        assert_eq!(choose_all(&[input("in", &[16])], &entries, &[]), vec![1]);
        let wrong = [entry("a", &[9, 16]), entry("in", &[9, 4])];
        let error = choose(&[input("in", &[16])], &wrong, &[]).unwrap_err();
        assert!(error.what.contains("[9, 4]") && error.what.contains("[event, 16]"));
    }

    #[test]
    fn ambiguity_lists_the_candidates() {
        let entries = [entry("a", &[9, 16]), entry("b", &[9, 16])];
        let error = choose(&[input("in", &[16])], &entries, &[]).unwrap_err();
        assert!(error.what.contains("a [9, 16] float32; b [9, 16] float32"), "{}", error.what);
        assert_eq!(error.help.as_deref(), Some("choose with --dataset in=PATH"));
        // Two inputs of one shape cannot share a dataset by accident…
        let inputs = [input("l", &[16]), input("r", &[16])];
        assert!(choose(&inputs, &entries[..1], &[]).is_err());
        // …but by the user's word.
        let both = user(&[(Some("l"), "/a"), (Some("r"), "a")]);
        assert_eq!(choose_all(&inputs, &entries, &both), vec![0, 0]);
        // What is taken by name is no candidate for the others.
        let entries = [entry("l", &[9, 16]), entry("x", &[9, 16])];
        assert_eq!(choose_all(&inputs, &entries, &[]), vec![0, 1]);
    }

    #[test]
    fn the_user_decides() {
        let entries = [entry("a", &[9, 16]), entry("b/c", &[9, 16]), entry("s", &[9, 2])];
        let inputs = [input("in", &[16])];
        assert_eq!(choose_all(&inputs, &entries, &user(&[(None, "b/c")])), vec![1]);
        for (choice, message) in [
            (user(&[(None, "nope")]), "has no dataset nope"),
            (user(&[(Some("x"), "a")]), "no input `x`"),
            (user(&[(None, "a"), (Some("in"), "b/c")]), "more than one dataset"),
            (user(&[(None, "s")]), "[9, 2]"),
        ] {
            let error = choose(&inputs, &entries, &choice).unwrap_err();
            assert!(error.what.contains(message), "{}", error.what);
        }
        let two = [input("a", &[16]), input("s", &[2])];
        let error = choose(&two, &entries, &user(&[(None, "a")])).unwrap_err();
        assert_eq!(error.help.as_deref(), Some("write --dataset INPUT=PATH"));
    }

    #[test]
    fn a_remedy_for_flattened_events() {
        let entries = [entry("images", &[9, 16])];
        let error = choose(&[input("in", &[4, 4])], &entries, &[]).unwrap_err();
        assert!(error.help.is_some_and(|h| h.contains("reshape it to [event, 4, 4]")));
    }

    #[test]
    fn columns_and_fields() {
        let table = || {
            let scalar = Ok(Scalar { dtype: Dtype::F32, big_endian: false });
            let field = |name: &str, offset| Field {
                name: name.to_owned(),
                offset,
                count: 1,
                scalar: scalar.clone(),
            };
            let fields = vec![field("pt", 0), field("eta", 4)];
            let kind = Kind::Record(Record { size: 8, fields });
            Entry { path: "t".to_owned(), shape: vec![9], kind }
        };
        let entries = [entry("wide", &[9, 20]), entry("wide[0:2]", &[9, 2]), table()];
        let inputs = [input("in", &[2])];
        let chosen = |path: &str| choose(&inputs, &entries, &user(&[(None, path)]));
        let choice = |index, pick| Ok(vec![Choice { index, pick }]);
        assert_eq!(chosen("/wide[3:5]"), choice(0, Pick::Columns(3..5)));
        // A dataset of that very name goes first.
        assert_eq!(chosen("wide[0:2]"), choice(1, Pick::All));
        assert_eq!(chosen("t[eta,pt]"), choice(2, Pick::Fields(vec![1, 0])));
        for (path, message, help) in [
            ("wide[0:3]", "dataset wide[0:3] has shape [9, 3], but", None),
            ("wide[0:99]", "dataset wide has 20 columns", None),
            ("t[pt]", "dataset t[pt] has shape [9, 1], but", None),
            ("t[phi]", "dataset t has no field phi; its fields are pt, eta", None),
            ("[0:2]", "has no dataset ; it holds", None),
            ("t", "compound type with fields pt, eta", Some("--dataset 'in=t[pt,eta,…]'")),
        ] {
            let error = chosen(path).unwrap_err();
            assert!(error.what.contains(message), "{}", error.what);
            let remedy = error.help.unwrap_or_default();
            assert!(!remedy.is_empty() && remedy.contains(help.unwrap_or("")), "{path}: {remedy}");
        }
        // One dataset needs no name, and one of structs is never taken by itself.
        let only = [table()];
        let picked = choose(&inputs, &only, &user(&[(None, "[pt,eta]")]));
        assert_eq!(picked, choice(0, Pick::Fields(vec![0, 1])));
        let error = choose(&[input("in", &[])], &only, &[]).unwrap_err();
        assert!(error.help.is_some_and(|h| h.contains("t[pt,eta,…]")));
        // Two inputs of one dataset.
        let both = [input("a", &[2]), input("b", &[3])];
        let split = user(&[(Some("a"), "wide[0:2]"), (Some("b"), "wide[2:5]")]);
        let first = [entry("wide", &[9, 20])];
        let chosen = choose(&both, &first, &split).unwrap();
        assert_eq!(chosen[1], Choice { index: 0, pick: Pick::Columns(2..5) });
    }
}
