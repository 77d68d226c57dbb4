//! The part of Python's literals that NumPy writes into its headers.

use std::iter::Peekable;
use std::str::Chars;

/// Deepest brackets; NumPy needs one more than the structs of a dtype are deep, and two for the
/// rest.
const MAX_DEPTH: usize = 16;

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Literal {
    Text(String),
    Integer(u64),
    Bool(bool),
    List(Vec<Literal>),
    Tuple(Vec<Literal>),
    Dict(Vec<(Literal, Literal)>),
}

/// Reads one value, with nothing but white space around it.
pub(super) fn parse(text: &str) -> Result<Literal, String> {
    let mut parser = Parser { rest: text.chars().peekable() };
    let value = parser.value(0)?;
    match parser.token() {
        None => Ok(value),
        Some(c) => Err(format!("{c:?} behind its end")),
    }
}

struct Parser<'t> {
    rest: Peekable<Chars<'t>>,
}

impl Parser<'_> {
    /// The next character that is not white space.
    fn token(&mut self) -> Option<char> {
        while self.rest.next_if(|c| c.is_ascii_whitespace() || *c == '\0').is_some() {}
        self.rest.peek().copied()
    }

    fn skip(&mut self, wanted: char) -> bool {
        self.token() == Some(wanted) && self.rest.next().is_some()
    }

    fn expect(&mut self, wanted: char) -> Result<(), String> {
        match self.skip(wanted) {
            true => Ok(()),
            false => Err(self.unexpected(&format!("{wanted:?}"))),
        }
    }

    fn unexpected(&mut self, wanted: &str) -> String {
        match self.rest.peek() {
            Some(found) => format!("{found:?} instead of {wanted}"),
            None => format!("it ends where {wanted} should be"),
        }
    }

    fn value(&mut self, depth: usize) -> Result<Literal, String> {
        if depth > MAX_DEPTH {
            return Err(format!("brackets deeper than {MAX_DEPTH}"));
        }
        match self.token() {
            Some('{') => self.dict(depth),
            Some('(') => {
                let (mut items, comma) = self.items(')', depth)?;
                // Brackets around one value without a comma do not make a tuple.
                match (items.len(), comma) {
                    (1, false) => Ok(items.remove(0)),
                    _ => Ok(Literal::Tuple(items)),
                }
            }
            Some('[') => self.items(']', depth).map(|(items, _)| Literal::List(items)),
            Some('\'' | '"') => self.text(),
            Some('0'..='9') => self.integer(),
            Some('A'..='Z' | 'a'..='z') => self.word(),
            _ => Err(self.unexpected("a value")),
        }
    }

    /// The values up to a closing bracket, and whether a comma follows the last one.
    fn items(&mut self, close: char, depth: usize) -> Result<(Vec<Literal>, bool), String> {
        self.rest.next();
        let mut items = Vec::new();
        let mut comma = false;
        while !self.skip(close) {
            if !items.is_empty() && !comma {
                return Err(self.unexpected("a comma"));
            }
            items.push(self.value(depth + 1)?);
            comma = self.skip(',');
        }
        Ok((items, comma))
    }

    fn dict(&mut self, depth: usize) -> Result<Literal, String> {
        self.rest.next();
        let mut items = Vec::new();
        let mut comma = true;
        while !self.skip('}') {
            if !comma {
                return Err(self.unexpected("a comma"));
            }
            let key = self.value(depth + 1)?;
            self.expect(':')?;
            items.push((key, self.value(depth + 1)?));
            comma = self.skip(',');
        }
        Ok(Literal::Dict(items))
    }

    fn integer(&mut self) -> Result<Literal, String> {
        let mut value = 0u64;
        while let Some(digit) = self.rest.peek().and_then(|c| c.to_digit(10)) {
            self.rest.next();
            value = value
                .checked_mul(10)
                .and_then(|v| v.checked_add(digit.into()))
                .ok_or_else(|| "a number above 2^64".to_owned())?;
        }
        // Python 2 wrote long integers so.
        self.rest.next_if_eq(&'L');
        Ok(Literal::Integer(value))
    }

    fn word(&mut self) -> Result<Literal, String> {
        let mut word = String::new();
        while let Some(c) = self.rest.next_if(char::is_ascii_alphanumeric) {
            word.push(c);
            // Python 2 marked some texts.
            if matches!(word.as_str(), "u" | "b") && matches!(self.rest.peek(), Some('\'' | '"')) {
                return self.text();
            }
        }
        match word.as_str() {
            "True" => Ok(Literal::Bool(true)),
            "False" => Ok(Literal::Bool(false)),
            _ => Err(format!("the word {word}")),
        }
    }

    fn text(&mut self) -> Result<Literal, String> {
        let quote = self.rest.next();
        let mut text = String::new();
        loop {
            match self.rest.next() {
                None => return Err("a text without an end".to_owned()),
                Some('\\') => text.push(self.escape()?),
                c if c == quote => return Ok(Literal::Text(text)),
                Some(c) => text.push(c),
            }
        }
    }

    fn escape(&mut self) -> Result<char, String> {
        let wrong = || "a text with an unknown escape".to_owned();
        let digits = match self.rest.next().ok_or_else(wrong)? {
            c @ ('\\' | '\'' | '"') => return Ok(c),
            'n' => return Ok('\n'),
            'r' => return Ok('\r'),
            't' => return Ok('\t'),
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => return Err(wrong()),
        };
        let mut code = 0u32;
        for _ in 0..digits {
            let digit = self.rest.next().and_then(|c| c.to_digit(16)).ok_or_else(wrong)?;
            code = code.wrapping_mul(16).wrapping_add(digit);
        }
        char::from_u32(code).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A value as Python writes it.
    fn written(value: &Literal) -> String {
        let all = |items: &[Literal]| items.iter().map(|i| written(i) + ",").collect::<String>();
        match value {
            Literal::Text(t) => {
                let escape = |c: char| match c {
                    '\\' | '\'' => format!("\\{c}"),
                    c if c.is_control() => format!("\\U{:08x}", u32::from(c)),
                    c => c.to_string(),
                };
                format!("'{}'", t.chars().map(escape).collect::<String>())
            }
            Literal::Integer(n) => n.to_string(),
            Literal::Bool(true) => "True".to_owned(),
            Literal::Bool(false) => "False".to_owned(),
            Literal::List(items) => format!("[{}]", all(items)),
            Literal::Tuple(items) => format!("({})", all(items)),
            Literal::Dict(items) => {
                let pair = |(k, v): &(Literal, Literal)| format!("{}: {},", written(k), written(v));
                format!("{{{}}}", items.iter().map(pair).collect::<String>())
            }
        }
    }

    fn any_literal() -> impl Strategy<Value = Literal> {
        let leaf = prop_oneof![
            any::<String>().prop_map(Literal::Text),
            any::<u64>().prop_map(Literal::Integer),
            any::<bool>().prop_map(Literal::Bool),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            let items = || prop::collection::vec(inner.clone(), 0..4);
            prop_oneof![
                items().prop_map(Literal::List),
                items().prop_map(Literal::Tuple),
                prop::collection::vec((inner.clone(), inner.clone()), 0..3).prop_map(Literal::Dict),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(value in any_literal()) {
            prop_assert_eq!(parse(&written(&value)), Ok(value));
        }

        #[test]
        fn any_text_is_a_value_or_an_error(text in ".{0,60}", brackets in r#"[\]\[(){},:'"\\0-9 ]{0,60}"#) {
            let _ = parse(&text);
            let _ = parse(&brackets);
        }
    }

    fn text(t: &str) -> Literal {
        Literal::Text(t.to_owned())
    }

    #[test]
    fn what_numpy_writes() {
        use Literal::{Bool, Dict, Integer, List, Tuple};
        let header = "{'descr': [('a', '<f4'), (('title', \"it's\"), '>i2', (3,))], \
                      'fortran_order': False, 'shape': (10L, 4), }         \n";
        assert_eq!(
            parse(header),
            Ok(Dict(vec![
                (
                    text("descr"),
                    List(vec![
                        Tuple(vec![text("a"), text("<f4")]),
                        Tuple(vec![
                            Tuple(vec![text("title"), text("it's")]),
                            text(">i2"),
                            Tuple(vec![Integer(3)]),
                        ]),
                    ])
                ),
                (text("fortran_order"), Bool(false)),
                (text("shape"), Tuple(vec![Integer(10), Integer(4)])),
            ]))
        );
        assert_eq!(parse("()"), Ok(Tuple(Vec::new())));
        assert_eq!(parse("(3)"), Ok(Integer(3)));
        assert_eq!(parse("{}"), Ok(Dict(Vec::new())));
        assert_eq!(
            parse(r"['\x41\u00e9\U0001F600\\\'\n', u'a', b'b']"),
            Ok(List(vec![text("Aé😀\\'\n"), text("a"), text("b")]))
        );
    }

    #[test]
    fn what_it_does_not() {
        for (wrong, why) in [
            ("", "it ends where a value should be"),
            ("(1, 2", "it ends where a comma should be"),
            ("[1 2]", "'2' instead of a comma"),
            ("[,]", "',' instead of a value"),
            ("{'a' 1}", "'1' instead of ':'"),
            ("{'a': 1 'b': 2}", "'\\'' instead of a comma"),
            ("{} x", "'x' behind its end"),
            ("-1", "'-' instead of a value"),
            ("None", "the word None"),
            ("99999999999999999999", "above 2^64"),
            ("'a", "without an end"),
            (r"'\q'", "unknown escape"),
            (r"'\ud800'", "unknown escape"),
        ] {
            let found = parse(wrong).unwrap_err();
            assert!(found.contains(why), "{wrong}: {found}");
        }
        assert!(parse(&"[".repeat(100_000)).unwrap_err().contains("deeper"));
        assert!(parse(&"{(".repeat(100_000)).unwrap_err().contains("deeper"));
    }
}
