//! The inputs of a model in the lines of a text.

use super::catalogue::{Entry, Kind};
use super::mapping::{Choice, MappingError, needed};
use super::row::product;
use super::select::Pick;
use super::source::InputSpec;
use super::table::Columns;

/// All inputs of a table in which nothing is chosen.
pub(super) fn choose(inputs: &[InputSpec], entry: &Entry) -> Result<Vec<Choice>, MappingError> {
    let Kind::Text(columns) = &entry.kind else { return Ok(Vec::new()) };
    let count = columns.classes.len();
    let sizes: Vec<usize> =
        inputs.iter().map(|i| product(&i.shape).unwrap_or(usize::MAX)).collect();
    // Columns that are named like the inputs are these inputs, in whatever order they come.
    let named = |input: &InputSpec| {
        let names = columns.names.as_ref()?;
        names.iter().position(|n| *n == input.name)
    };
    let by_name: Vec<usize> = inputs.iter().filter_map(named).collect();
    let picks: Vec<Pick> = if inputs.len() > 1 && !by_name.is_empty() {
        if by_name.len() < inputs.len() || sizes.iter().any(|&n| n != 1) {
            return Err(MappingError::new(format!(
                "the header has names of inputs ({}), but not one column for each input",
                columns.list()
            ))
            .with_help(remedy(inputs, count, true)));
        }
        by_name.into_iter().map(|c| Pick::Fields(vec![c])).collect()
    } else {
        let total = sizes.iter().fold(0usize, |n, s| n.saturating_add(*s));
        if total != count {
            let needs: Vec<String> = inputs
                .iter()
                .zip(&sizes)
                .map(|(i, n)| format!("`{}` needs {n} values", i.name))
                .collect();
            return Err(MappingError::new(format!(
                "holds {count} values a line, but input {}; {columns}",
                needs.join(" and input ")
            ))
            .with_help(remedy(inputs, count, columns.names.is_some())));
        }
        let mut from = 0;
        let ranges = sizes.iter().map(|size| {
            from += size;
            from - size..from
        });
        match inputs {
            [_] => vec![Pick::All],
            _ => ranges.map(Pick::Columns).collect(),
        }
    };
    let checked = inputs.iter().zip(picks).map(|(input, pick)| {
        check(input, entry, &pick, columns)?;
        Ok(Choice::One { index: 0, pick })
    });
    checked.collect()
}

/// Whether columns of a table can feed an input: as many as it has values, in C order.
pub(super) fn check(
    input: &InputSpec,
    entry: &Entry,
    pick: &Pick,
    columns: &Columns,
) -> Result<(), MappingError> {
    let picked = pick.columns_of_table(columns.classes.len());
    let wanted = product(&input.shape);
    if wanted != Some(picked.len()) {
        return Err(MappingError::new(format!(
            "{}{} has {} values a line, but input `{}` needs {} of them for {}",
            entry.path,
            pick.suffix(entry),
            picked.len(),
            input.name,
            wanted.map_or_else(|| "more".to_owned(), |n| n.to_string()),
            needed(input)
        ))
        .with_help("choose as many columns as the input has values".to_owned()));
    }
    match columns.complaint(picked.into_iter()) {
        None => Ok(()),
        Some(complaint) => Err(MappingError::new(complaint).with_help(
            "write numbers such as 1, -2.5, 3e-4, nan or inf there, or choose other columns with \
             --dataset or --columns"
                .to_owned(),
        )),
    }
}

/// What to write where a table does not have as many columns as an input needs.
fn remedy(inputs: &[InputSpec], columns: usize, has_header: bool) -> String {
    let sizes: Vec<usize> = inputs.iter().map(|i| product(&i.shape).unwrap_or(0)).collect();
    let total = sizes.iter().fold(0usize, |n, s| n.saturating_add(*s));
    if total > columns {
        return "check that these events belong to this model; a table has one event a line, with \
                the values of all inputs one after the other"
            .to_owned();
    }
    let mut from = 0;
    let mut flags = Vec::new();
    for (input, size) in inputs.iter().zip(sizes) {
        flags.push(format!("--dataset '{}=[{from}:{}]'", input.name, from + size));
        from += size;
    }
    let by_name = if has_header { " or --columns NAME,NAME,…" } else { "" };
    format!("choose columns, as in {}{by_name}", flags.join(" "))
}
