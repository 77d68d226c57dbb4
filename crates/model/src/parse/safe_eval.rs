//! The string form of quantizers and activations: `safe_eval` of QKeras 0.9.0, oddities included.
//!
//! A `QActivation` that was given a string keeps that string in the file, so the numbers depend on
//! what QKeras makes of it. It does not parse Python:
//!
//! * the text is split at every `(`; only with exactly one `(` are there arguments, so
//!   `quantized_bits(4,0,1,(1))` silently has none and means 8 bits;
//! * anything after the first `)` is ignored;
//! * a value is `True`, `False`, an integer or a float in Python's notation; everything else is
//!   taken for quoted text and loses its first and last character, so `alpha=auto` is `"ut"` and
//!   `alpha=None` is `"on"`;
//! * a tab is as many spaces as it takes to the next multiple of 8 columns;
//! * a repeated keyword is no error, the last one counts.

use std::borrow::Cow;
use std::fmt;

use serde_json::Value;

/// A text taken apart.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parsed<'t> {
    /// What stands before the first bracket, blanks included.
    pub(super) name: &'t str,
    /// The arguments, absent unless there is exactly one bracket.
    pub(super) arguments: Option<Arguments>,
}

/// Arguments of a call.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Arguments {
    pub(super) positional: Vec<Argument>,
    pub(super) keywords: Vec<(String, Argument)>,
}

/// A converted value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Argument {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
}

/// Why a text cannot be taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum SyntaxError {
    /// The grammar does not allow it here.
    #[error("expected `,` or `)` after argument {0}")]
    Delimiter(usize),
    /// A positional argument after a keyword.
    #[error("argument {0} has no name but follows one that has")]
    PositionalAfterKeyword(usize),
}

impl Argument {
    /// The value in JSON, `None` for NaN and infinities.
    pub(super) fn to_json(&self) -> Option<Value> {
        Some(match self {
            Self::Bool(b) => Value::Bool(*b),
            Self::Int(i) => Value::from(*i),
            Self::Float(f) => Value::Number(serde_json::Number::from_f64(*f)?),
            Self::Text(t) => Value::from(t.as_str()),
        })
    }
}

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(true) => f.write_str("True"),
            Self::Bool(false) => f.write_str("False"),
            Self::Int(i) => write!(f, "{i}"),
            Self::Float(v) => write!(f, "{v:?}"),
            Self::Text(t) => write!(f, "{t:?}"),
        }
    }
}

/// Takes a text apart as QKeras does.
pub(super) fn parse(text: &str) -> Result<Parsed<'_>, SyntaxError> {
    let mut parts = text.split('(');
    let name = parts.next().unwrap_or_default();
    let arguments = match (parts.next(), parts.next()) {
        (Some(inner), None) => Some(arguments(inner)?),
        _ => None,
    };
    Ok(Parsed { name, arguments })
}

/// Tabs become spaces up to the next multiple of 8 columns before the text is parsed; the text
/// begins with the bracket, so its first column is 1.
fn expand_tabs(inner: &str) -> Cow<'_, str> {
    if !inner.contains('\t') {
        return Cow::Borrowed(inner);
    }
    let mut expanded = String::new();
    let mut column = 1;
    for c in inner.chars() {
        match c {
            '\t' => {
                let blanks = 8 - column % 8;
                expanded.extend(std::iter::repeat_n(' ', blanks));
                column += blanks;
            }
            '\n' | '\r' => {
                expanded.push(c);
                column = 0;
            }
            _ => {
                expanded.push(c);
                column += 1;
            }
        }
    }
    Cow::Owned(expanded)
}

/// Blanks that the grammar skips between tokens.
fn skip_blanks(text: &str) -> &str {
    text.trim_start_matches([' ', '\t', '\n', '\r'])
}

/// What Python's `\s` matches.
fn is_python_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// What `int` and `float` skip: in a text of ASCII only the blanks of C.
fn trim_number(text: &str) -> &str {
    if text.is_ascii() {
        text.trim_matches([' ', '\t', '\n', '\u{b}', '\u{c}', '\r'])
    } else {
        text.trim_matches(is_python_space)
    }
}

/// Splits `text` before the first character for which `stop` holds.
fn split_at_char(text: &str, stop: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(stop).unwrap_or(text.len()))
}

fn arguments(inner: &str) -> Result<Arguments, SyntaxError> {
    let inner = expand_tabs(inner);
    let mut found = Arguments::default();
    let mut rest = skip_blanks(&inner);
    if rest.starts_with(')') {
        return Ok(found);
    }
    let mut count = 0;
    loop {
        let (token, after) =
            split_at_char(rest, |c| matches!(c, '=' | ',' | ')') || is_python_space(c));
        if token.is_empty() {
            return Err(SyntaxError::Delimiter(count));
        }
        count += 1;
        rest = skip_blanks(after);
        if let Some(after) = rest.strip_prefix('=') {
            let (value, after) = split_at_char(skip_blanks(after), |c| matches!(c, ',' | ')'));
            found.keywords.retain(|(name, _)| name != token);
            found.keywords.push((token.to_owned(), convert(value)));
            rest = after;
        } else if found.keywords.is_empty() {
            found.positional.push(convert(token));
        } else {
            return Err(SyntaxError::PositionalAfterKeyword(count));
        }
        rest = skip_blanks(rest);
        match rest.strip_prefix(',') {
            Some(after) => rest = skip_blanks(after),
            None if rest.starts_with(')') => return Ok(found),
            None => return Err(SyntaxError::Delimiter(count)),
        }
    }
}

fn convert(token: &str) -> Argument {
    match token {
        "True" => return Argument::Bool(true),
        "False" => return Argument::Bool(false),
        _ => {}
    }
    if let Some(number) = number(token) {
        return number;
    }
    let mut inner = token.chars();
    inner.next();
    inner.next_back();
    Argument::Text(inner.as_str().to_owned())
}

/// Python's `int(text)`, else `float(text)`.
fn number(text: &str) -> Option<Argument> {
    let text = trim_number(text);
    let plain = without_digit_separators(text)?;
    let digits = plain.strip_prefix(['+', '-']).unwrap_or(&plain);
    if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        // An integer beyond 64 bits is out of every range; as a float it is still shown well.
        return Some(match plain.parse() {
            Ok(i) => Argument::Int(i),
            Err(_) => Argument::Float(plain.parse().ok()?),
        });
    }
    // Rust takes the same floats as Python: also `.5`, `5.`, `1e0`, `nan`, `inf`, `Infinity`.
    plain.parse().ok().map(Argument::Float)
}

/// Removes single underscores between digits; `None` where another underscore is left.
fn without_digit_separators(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    for (i, _) in text.match_indices('_') {
        let digit =
            |at: Option<usize>| at.and_then(|i| bytes.get(i)).is_some_and(|b| b.is_ascii_digit());
        if !digit(i.checked_sub(1)) || !digit(Some(i + 1)) {
            return None;
        }
    }
    Some(text.replace('_', ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What real QKeras 0.9.0 makes of these texts: `testvectors/safe_eval/make.py`.
    const VECTORS: &str = include_str!("../../../../testvectors/safe_eval/vectors.json");

    fn same(found: &Argument, expected: &Value) -> bool {
        match (found, expected) {
            (Argument::Bool(b), Value::Bool(e)) => b == e,
            (Argument::Int(i), Value::Number(e)) => e.as_i64() == Some(*i),
            (Argument::Text(t), Value::String(e)) => t == e,
            // Python's integers have no bounds.
            (Argument::Float(f), Value::Number(e)) => !e.is_i64() && e.as_f64() == Some(*f),
            (Argument::Float(f), Value::Array(e)) => {
                let text = e[1].as_str().unwrap();
                let e: f64 = text.parse().unwrap();
                *f == e || (f.is_nan() && e.is_nan())
            }
            _ => false,
        }
    }

    #[test]
    fn agrees_with_qkeras() {
        let vectors: Vec<(String, String, Value)> = serde_json::from_str(VECTORS).unwrap();
        assert!(vectors.len() > 2000);
        let mut wrong = Vec::new();
        for (text, name, expected) in &vectors {
            let agrees = match (parse(text), expected) {
                (Err(_), Value::String(_)) => true,
                (Ok(Parsed { name: n, arguments: None }), Value::Null) => n == name,
                (Ok(Parsed { name: n, arguments: Some(found) }), Value::Array(expected)) => {
                    let positional = expected[0].as_array().unwrap();
                    let keywords = expected[1].as_object().unwrap();
                    n == name
                        && found.positional.len() == positional.len()
                        && found.positional.iter().zip(positional).all(|(f, e)| same(f, e))
                        && found.keywords.len() == keywords.len()
                        && found.keywords.iter().all(|(k, f)| same(f, &keywords[k]))
                }
                _ => false,
            };
            if !agrees {
                wrong.push(format!("{text:?}: expected {expected}, found {:?}", parse(text)));
            }
        }
        assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    }

    /// A value that is written as QKeras reads it.
    fn argument() -> impl Strategy<Value = Argument> {
        prop_oneof![
            any::<bool>().prop_map(Argument::Bool),
            any::<i64>().prop_map(Argument::Int),
            any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(Argument::Float),
            "[a-z_ ]{0,8}".prop_map(Argument::Text),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            name in "[a-z_]{1,12}",
            positional in prop::collection::vec(argument(), 0..4),
            keywords in prop::collection::btree_map("[a-z_]{1,6}", argument(), 0..4),
        ) {
            // A blank would end a positional text.
            let positional: Vec<Argument> = positional
                .into_iter()
                .filter(|a| !matches!(a, Argument::Text(t) if t.contains(' ')))
                .collect();
            let keywords: Vec<(String, Argument)> = keywords.into_iter().collect();
            let written: Vec<String> = positional
                .iter()
                .map(Argument::to_string)
                .chain(keywords.iter().map(|(k, v)| format!("{k}={v}")))
                .collect();
            let text = format!("{name}({})", written.join(", "));
            let arguments = Some(Arguments { positional, keywords });
            prop_assert_eq!(parse(&text), Ok(Parsed { name: &name, arguments }), "{}", text);
        }

        #[test]
        fn never_panics(text in ".*", inner in "[(),= _0-9a-zA-Z'\"+.\\-\\t\\u{85}é]*") {
            let _ = parse(&text);
            let _ = parse(&format!("quantized_bits({inner})"));
        }
    }
}
