//! The values of a line, and what stands between them.

/// What separates the values of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Separator {
    /// One such byte; blanks beside it do not count.
    Byte(u8),
    /// Any number of blanks and tabs.
    Blanks,
}

impl Separator {
    /// What separates the values of this line: the first that it has of semicolon, comma and tab,
    /// else blanks. Tabs between values that have blanks inside are blanks too.
    pub(super) fn of(line: &[u8]) -> Self {
        for byte in *b";,\t" {
            let between = Self::Byte(byte);
            if line.contains(&byte)
                && (byte != b'\t' || between.split(line).all(|f| !f.iter().any(is_blank)))
            {
                return between;
            }
        }
        Self::Blanks
    }

    /// The values of a line without blanks at its ends.
    pub(super) fn split(self, line: &[u8]) -> Fields<'_> {
        Fields { rest: Some(line), separator: self }
    }

    /// The names of a header. They may be in double quotes, which then may hold separators; a
    /// quote inside is written twice.
    pub(super) fn names(self, line: &[u8]) -> Vec<Name> {
        let mut names = Vec::new();
        let mut rest = Some(line);
        while let Some(text) = rest {
            let text = text.trim_ascii_start();
            let Some(quoted) = text.strip_prefix(b"\"").and_then(unquote) else {
                let mut fields = Fields { rest: Some(text), separator: self };
                let name = fields.next().unwrap_or_default();
                names.push(Name { text: name.to_vec(), quoted: false });
                rest = fields.rest;
                continue;
            };
            let (text, behind) = quoted;
            names.push(Name { text, quoted: true });
            // What stands between a quote and the next separator belongs to nothing.
            let mut fields = Fields { rest: Some(behind.trim_ascii_start()), separator: self };
            rest = match (self, behind.trim_ascii_start()) {
                (_, []) => None,
                (Self::Blanks, next) => Some(next),
                (Self::Byte(_), _) => {
                    let stray = fields.next().unwrap_or_default();
                    if let (Some(name), false) = (names.last_mut(), stray.is_empty()) {
                        name.text.extend(stray);
                    }
                    fields.rest
                }
            };
        }
        names
    }
}

/// A name in a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) text: Vec<u8>,
    /// In quotes even what looks like a number is a name.
    pub(super) quoted: bool,
}

/// The text up to the closing quote, and what is behind it.
fn unquote(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        match rest {
            [b'"', b'"', tail @ ..] => {
                found.push(b'"');
                rest = tail;
            }
            [b'"', tail @ ..] => return Some((found, tail)),
            [byte, tail @ ..] => {
                found.push(*byte);
                rest = tail;
            }
            [] => return None,
        }
    }
}

fn is_blank(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// The values of a line, without blanks at their ends.
#[derive(Debug, Clone)]
pub(super) struct Fields<'a> {
    rest: Option<&'a [u8]>,
    separator: Separator,
}

impl<'a> Iterator for Fields<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let text = self.rest?;
        let end = match self.separator {
            Separator::Byte(byte) => text.iter().position(|&b| b == byte),
            Separator::Blanks => text.iter().position(is_blank),
        };
        let Some(end) = end else {
            self.rest = None;
            return Some(text.trim_ascii());
        };
        let (field, behind) = (&text[..end], &text[end + 1..]);
        self.rest = Some(match self.separator {
            Separator::Byte(_) => behind,
            Separator::Blanks => behind.trim_ascii_start(),
        });
        Some(field.trim_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(line: &str) -> Vec<&str> {
        let fields = Separator::of(line.as_bytes()).split(line.as_bytes());
        fields.map(|f| std::str::from_utf8(f).unwrap()).collect()
    }

    #[test]
    fn separators() {
        for (line, fields) in [
            ("1,2,3", vec!["1", "2", "3"]),
            ("1 , 2,3 ,", vec!["1", "2", "3", ""]),
            (",1,,2", vec!["", "1", "", "2"]),
            ("1;2", vec!["1", "2"]),
            ("1,5;2,5", vec!["1,5", "2,5"]),
            ("1\t2\t\t3", vec!["1", "2", "", "3"]),
            ("1 2   3\t4", vec!["1", "2", "3", "4"]),
            ("1", vec!["1"]),
        ] {
            assert_eq!(split(line), fields, "{line}");
        }
    }

    fn names(line: &str) -> Vec<String> {
        let names = Separator::of(line.as_bytes()).names(line.as_bytes());
        names.into_iter().map(|n| String::from_utf8(n.text).unwrap()).collect()
    }

    #[test]
    fn names_of_headers() {
        assert_eq!(names("pt, eta ,phi"), ["pt", "eta", "phi"]);
        assert_eq!(names("\"pt\";\"a;b\" ; \"say \"\"x\"\"\""), ["pt", "a;b", "say \"x\""]);
        assert_eq!(names("\"jet pt\" eta"), ["jet pt", "eta"]);
        assert_eq!(names("a,"), ["a", ""]);
        assert_eq!(names("\"a\","), ["a", ""]);
        assert_eq!(names("\"a\"b,c"), ["ab", "c"]);
        assert_eq!(names("\"a,b"), ["\"a", "b"]);
        assert_eq!(names("jet pt\teta"), ["jet", "pt", "eta"]);
    }
}
