//! The columns of a table.

use std::fmt;

/// Most names that a message lists.
const LISTED: usize = 40;

/// What is known of the columns of a table once all of it has been seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::events) struct Columns {
    /// The names of the header, if there is one: as many as columns.
    pub(in crate::events) names: Option<Vec<String>>,
    pub(in crate::events) classes: Vec<Class>,
}

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::events) enum Class {
    /// Integers of at most 64 bits with sign, nothing else.
    Integer,
    /// Numbers.
    Real,
    /// Something that is no number, and where the first of it is.
    Other(String),
}

impl Columns {
    /// How a message calls a column.
    pub(in crate::events) fn called(&self, column: usize) -> String {
        match self.names.as_ref().and_then(|names| names.get(column)) {
            Some(name) => format!("column {} (`{name}`)", column + 1),
            None => format!("column {}", column + 1),
        }
    }

    /// The first column of a name.
    pub(in crate::events) fn position(&self, name: &str) -> Option<usize> {
        self.names.as_ref()?.iter().position(|n| n == name)
    }

    /// Why these columns cannot be read as numbers, if they cannot.
    pub(in crate::events) fn complaint(
        &self,
        mut columns: impl Iterator<Item = usize>,
    ) -> Option<String> {
        columns.find_map(|c| match self.classes.get(c) {
            Some(Class::Other(what)) => {
                Some(format!("holds something else than numbers in {}: {what}", self.called(c)))
            }
            _ => None,
        })
    }

    /// The names, for a message.
    pub(in crate::events) fn list(&self) -> String {
        let Some(names) = &self.names else {
            return "no header".to_owned();
        };
        let mut shown: Vec<&str> = names.iter().take(LISTED).map(String::as_str).collect();
        if names.len() > LISTED {
            shown.push("…");
        }
        shown.join(", ")
    }
}

impl fmt::Display for Columns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.names {
            Some(_) => write!(f, "text with columns {}", self.list()),
            None => f.write_str("text without a header"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_messages_say() {
        let mut columns = Columns {
            names: Some(vec!["pt".to_owned(), "name".to_owned()]),
            classes: vec![Class::Real, Class::Other("line 2 has `b`".to_owned())],
        };
        assert_eq!(columns.to_string(), "text with columns pt, name");
        assert_eq!(columns.complaint([0].into_iter()), None);
        let complaint = columns.complaint([0, 1].into_iter()).unwrap();
        assert_eq!(
            complaint,
            "holds something else than numbers in column 2 (`name`): line 2 has `b`"
        );
        columns.names = None;
        assert_eq!(columns.called(1), "column 2");
        assert_eq!(columns.to_string(), "text without a header");
        columns.names = Some(vec!["x".to_owned(); 50]);
        assert_eq!(columns.list(), format!("{}…", "x, ".repeat(40)));
    }
}
