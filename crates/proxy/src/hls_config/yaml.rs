//! YAML as PyYAML reads it, as far as a configuration needs it: a tree with lines, within limits.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput, Tag};

use super::ConfigError;

/// Longest file in bytes. What hls4ml writes has a few kilobytes.
pub(super) const MOST_BYTES: usize = 1 << 20;

/// Deepest nesting. What hls4ml writes has five levels.
const MOST_LEVELS: usize = 32;

/// Most values, those that aliases repeat counted again.
const MOST_VALUES: usize = 100_000;

/// One value and the line that it starts in, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) value: Value,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// Nothing: `null`, `~` or no text at all.
    Null,
    /// Text; `plain` where it stands without quotes, so that it may be meant as a number or a truth value.
    Scalar {
        text: String,
        plain: bool,
    },
    Sequence(Vec<Node>),
    /// Keys in the order of the file, each once.
    Mapping(Vec<(String, Node)>),
}

impl Node {
    /// The value as people would write it, for messages.
    pub(super) fn shown(&self) -> String {
        match &self.value {
            Value::Null => "nothing".to_owned(),
            Value::Scalar { text, .. } => {
                let short: String = text.chars().take(80).collect();
                format!("`{short}`")
            }
            Value::Sequence(_) => "a list".to_owned(),
            Value::Mapping(_) => "a mapping".to_owned(),
        }
    }

    /// Text, quoted or not.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// A whole number. hls4ml takes no text for one, so quoted digits are none.
    pub(super) fn integer(&self) -> Option<i64> {
        let Value::Scalar { text, plain: true } = &self.value else { return None };
        text.replace('_', "").parse().ok()
    }

    /// A truth value in one of PyYAML's spellings.
    pub(super) fn truth(&self) -> Option<bool> {
        let Value::Scalar { text, plain: true } = &self.value else { return None };
        match text.to_lowercase().as_str() {
            "true" | "yes" | "on" => Some(true),
            "false" | "no" | "off" => Some(false),
            _ => None,
        }
    }
}

/// Reads the one document of a file.
///
/// # Errors
///
/// Where it is no YAML, exceeds a limit, or has what no configuration has: several documents, keys
/// that are no text, a key twice.
pub(super) fn read(text: &str) -> Result<Node, ConfigError> {
    if text.len() > MOST_BYTES {
        let message = format!("the file has {} bytes; at most {MOST_BYTES} are read", text.len());
        return Err(ConfigError::new(None, message));
    }
    let mut reader = Reader {
        events: Parser::new_from_str(text),
        line: 1,
        values: 0,
        anchors: HashMap::new(),
        open: Vec::new(),
    };
    reader.document()
}

/// A collection that is being read.
struct Open {
    line: usize,
    anchor: usize,
    /// The items, and for a mapping the keys of those that are complete, and the key that waits.
    items: Vec<Node>,
    keys: Option<Vec<String>>,
}

struct Reader<'a> {
    events: Parser<'a, StrInput<'a>>,
    line: usize,
    values: usize,
    anchors: HashMap<usize, (Node, usize)>,
    open: Vec<Open>,
}

impl Reader<'_> {
    fn next(&mut self) -> Result<Event<'_>, ConfigError> {
        match self.events.next_event() {
            Some(Ok((event, Span { start, .. }))) => {
                self.line = start.line();
                Ok(event)
            }
            Some(Err(e)) => {
                let message = format!("it is no YAML: {}", e.info());
                Err(ConfigError::new(Some(e.marker().line()), message))
            }
            None => Ok(Event::StreamEnd),
        }
    }

    fn error<T>(&self, message: impl Into<String>) -> Result<T, ConfigError> {
        Err(ConfigError::new(Some(self.line), message))
    }

    fn document(&mut self) -> Result<Node, ConfigError> {
        let mut root = None;
        loop {
            // What an event holds of the text is copied, so that the reader can go on.
            let complete = match self.next()? {
                Event::StreamEnd => break,
                Event::Nothing
                | Event::StreamStart
                | Event::DocumentStart(_)
                | Event::DocumentEnd => None,
                Event::Scalar(text, style, anchor, tag) => {
                    // hls4ml writes `KerasModel: !keras_model FILE`; all that matters of it is text.
                    let plain = style == ScalarStyle::Plain && tag.is_none();
                    Some((scalar(&text, plain), anchor, 1))
                }
                Event::Alias(anchor) => match self.anchors.get(&anchor) {
                    Some((node, values)) => Some((node.value.clone(), 0, *values)),
                    None => return self.error("an alias stands inside of what it names"),
                },
                // A tag says that a tuple or an object of Python was written, which is nowhere needed.
                Event::SequenceStart(anchor, _) => {
                    self.start(anchor, None)?;
                    None
                }
                Event::MappingStart(anchor, tag) => {
                    let python = tag.filter(|t| is_python(t)).map(|t| t.to_string());
                    if let Some(kind) = python {
                        return self.error(format!("it holds a value of the kind {kind}"));
                    }
                    self.start(anchor, Some(Vec::new()))?;
                    None
                }
                Event::SequenceEnd | Event::MappingEnd => self.end(),
            };
            let Some((value, anchor, values)) = complete else { continue };
            self.values += values;
            if self.values > MOST_VALUES {
                return self.error(format!("it has more than {MOST_VALUES} values"));
            }
            let node = Node { line: self.line, value };
            if anchor > 0 {
                self.anchors.insert(anchor, (node.clone(), count(&node)));
            }
            if self.open.is_empty() {
                if root.replace(node).is_some() {
                    return self.error("it has several documents; a configuration is one");
                }
                continue;
            }
            self.add(node)?;
        }
        Ok(root.unwrap_or(Node { line: 1, value: Value::Null }))
    }

    fn start(&mut self, anchor: usize, keys: Option<Vec<String>>) -> Result<(), ConfigError> {
        if self.open.len() == MOST_LEVELS {
            return self.error(format!("it is nested more than {MOST_LEVELS} levels deep"));
        }
        self.open.push(Open { line: self.line, anchor, items: Vec::new(), keys });
        Ok(())
    }

    /// Closes a collection: its value, its anchor, and what it counts itself.
    fn end(&mut self) -> Option<(Value, usize, usize)> {
        let open = self.open.pop()?;
        self.line = open.line;
        let value = match open.keys {
            None => Value::Sequence(open.items),
            Some(keys) => Value::Mapping(keys.into_iter().zip(open.items).collect()),
        };
        Some((value, open.anchor, 1))
    }

    /// Adds a value to the collection that is open.
    fn add(&mut self, node: Node) -> Result<(), ConfigError> {
        let line = node.line;
        let Some(open) = self.open.last_mut() else { return Ok(()) };
        match &mut open.keys {
            Some(keys) if keys.len() == open.items.len() => {
                let Value::Scalar { text, .. } = node.value else {
                    return Err(ConfigError::new(Some(line), "a key is no text"));
                };
                if keys.contains(&text) {
                    return Err(ConfigError::new(Some(line), format!("`{text}` is given twice")));
                }
                keys.push(text);
            }
            _ => open.items.push(node),
        }
        Ok(())
    }
}

fn scalar(text: &str, plain: bool) -> Value {
    match plain && matches!(text, "" | "~" | "null" | "Null" | "NULL") {
        true => Value::Null,
        false => Value::Scalar { text: text.to_owned(), plain },
    }
}

/// Whether a tag names an object of Python, which PyYAML's safe loader does not make either.
fn is_python(tag: &Tag) -> bool {
    tag.suffix.starts_with("python") || tag.handle.contains("python")
}

/// All values in a tree.
fn count(node: &Node) -> usize {
    match &node.value {
        Value::Null | Value::Scalar { .. } => 1,
        Value::Sequence(items) => 1 + items.iter().map(count).sum::<usize>(),
        Value::Mapping(items) => 1 + items.iter().map(|(_, v)| count(v)).sum::<usize>(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get<'a>(node: &'a Node, key: &str) -> &'a Node {
        let Value::Mapping(items) = &node.value else { panic!("no mapping: {node:?}") };
        &items.iter().find(|(k, _)| k == key).expect(key).1
    }

    fn refusal(text: &str) -> String {
        read(text).expect_err(text).to_string()
    }

    #[test]
    fn a_tree_with_lines() {
        let root = read("a:\n  b: 'x'\n  c: [1, yes, ~]\nd: !keras_model f.h5\n").expect("YAML");
        let c = get(get(&root, "a"), "c");
        assert_eq!((get(&root, "d").line, c.line), (4, 3));
        let Value::Sequence(items) = &c.value else { panic!("no list: {c:?}") };
        assert_eq!(
            (items[0].integer(), items[1].truth(), &items[2].value),
            (Some(1), Some(true), &Value::Null)
        );
        assert_eq!(get(&root, "d").text(), Some("f.h5"));
        // Quoted words are no truth values.
        let quoted = read("a: 'yes'").expect("YAML");
        assert_eq!(get(&quoted, "a").truth(), None);
        assert_eq!(read("").expect("nothing").value, Value::Null);
    }

    #[test]
    fn aliases_repeat_what_they_name() {
        let root = read("a: &x {b: 1}\nc: *x\n").expect("YAML");
        assert_eq!(get(get(&root, "c"), "b").integer(), Some(1));
    }

    #[test]
    fn limits() {
        let deep = format!("{}1{}", "[".repeat(40), "]".repeat(40));
        assert!(refusal(&deep).contains("32 levels"));
        let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for n in 1..12 {
            let ten = vec![format!("*a{}", n - 1); 10].join(", ");
            laughs += &format!("a{n}: &a{n} [{ten}]\n");
        }
        assert!(refusal(&laughs).contains("more than 100000 values"));
        assert!(refusal(&" ".repeat(MOST_BYTES + 1)).contains("bytes"));
    }

    #[test]
    fn what_no_configuration_has() {
        assert!(refusal("a: 1\na: 2\n").contains("line 2: `a` is given twice"));
        assert!(refusal("a: [1\nb: 2").contains("no YAML"));
        assert!(refusal("a: 1\n---\nb: 2\n").contains("several documents"));
        assert!(refusal("? [1, 2]\n: 3\n").contains("a key is no text"));
        assert!(refusal("a: !!python/object:x.Y {b: 1}\n").contains("python/object"));
        assert!(read("a: !!python/tuple [1]\n").is_ok());
        assert!(refusal("a: &x [*x]\n").contains("alias"));
    }
}
