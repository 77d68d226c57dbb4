//! Numbers, names and lines as people read them.

/// `1234567` as `1,234,567`.
pub(crate) fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 event`, `2,000 events`.
pub(crate) fn count(n: u64, what: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{} {what}{plural}", thousands(n))
}

/// A share in percent with one decimal; never 0 % or 100 % unless it is.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "-".to_owned();
    }
    let percent = 100.0 * part as f64 / whole as f64;
    if part == 0 {
        "0 %".to_owned()
    } else if part == whole {
        "100 %".to_owned()
    } else if percent < 0.05 {
        "<0.1 %".to_owned()
    } else if percent >= 99.95 {
        ">99.9 %".to_owned()
    } else {
        format!("{percent:.1} %")
    }
}

/// A magnitude: four significant digits, but never fewer than the whole part has, which has
/// separators. Not for negative numbers.
pub(crate) fn magnitude(x: f64) -> String {
    // Whole, or rounded to a whole number of at least four digits; below 2^53, so exact.
    if (x.fract() == 0.0 && x < 1e15) || (999.95..1e15).contains(&x) {
        return thousands(x.round() as u64);
    }
    let scientific = format!("{x:.3e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    match exponent.parse() {
        Ok(exponent @ -4..=2i32) => {
            let decimals = usize::try_from(3 - exponent).unwrap_or(0);
            trim_zeros(&format!("{x:.decimals$}")).to_owned()
        }
        _ => format!("{}e{exponent}", trim_zeros(digits)),
    }
}

/// A bound of a type's range, in full as far as that is readable.
pub(crate) fn bound(x: f64) -> String {
    if x == 0.0 || (1e-9..1e15).contains(&x.abs()) { format!("{x}") } else { format!("{x:e}") }
}

/// A decimal number with a point, without the zeros at its end.
fn trim_zeros(decimal: &str) -> &str {
    decimal.trim_end_matches('0').trim_end_matches('.')
}

/// Text from a file, made safe to print: names come from model files that anyone may have written,
/// so control characters, those that reorder or hide text and those that are none are written as
/// escapes.
pub(crate) fn clean(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(
                c,
                '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
                    | '\u{fffe}' | '\u{ffff}'
            )
    };
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if hidden(c) {
            safe.extend(c.escape_unicode());
        } else {
            safe.push(c);
        }
    }
    safe
}

/// Columns that `text` takes.
pub(crate) fn columns(text: &str) -> usize {
    text.chars().count()
}

/// `text` cut to `width` columns, with `…` for what is missing.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{kept}…")
}

/// `text` padded with blanks on the right.
pub(crate) fn left(text: &str, width: usize) -> String {
    format!("{text:<width$}")
}

/// `text` padded with blanks on the left.
pub(crate) fn right(text: &str, width: usize) -> String {
    format!("{text:>width$}")
}

/// A blank at which [`wrap`] does not break a line; it is written as an ordinary blank.
pub(crate) const NO_BREAK: &str = "\u{a0}";

/// Breaks `text` at blanks into lines of at most `width` columns, `first` before the first line and
/// as many blanks before the others. A word that is longer than a line is not broken.
pub(crate) fn wrap(first: &str, text: &str, width: usize) -> Vec<String> {
    let indent = " ".repeat(columns(first));
    let mut lines = Vec::new();
    let mut line = first.to_owned();
    let mut empty = true;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        if !empty && columns(&line) + 1 + columns(word) > width {
            lines.push(std::mem::replace(&mut line, indent.clone()));
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line += &word.replace(NO_BREAK, " ");
        empty = false;
    }
    lines.push(line);
    lines
}

/// A word of a command line, quoted where a POSIX shell would split or expand it.
pub(crate) fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn counts_have_separators() {
        let texts = [0, 7, 999, 1000, 25_600, 1_234_567].map(thousands);
        assert_eq!(texts, ["0", "7", "999", "1,000", "25,600", "1,234,567"]);
        assert_eq!(thousands(u64::MAX), "18,446,744,073,709,551,615");
        assert_eq!((count(1, "event"), count(0, "event")), ("1 event".into(), "0 events".into()));
    }

    #[test]
    fn a_share_is_never_rounded_to_none_or_all() {
        assert_eq!(percent(110, 400), "27.5 %");
        assert_eq!(percent(0, 400), "0 %");
        assert_eq!(percent(400, 400), "100 %");
        assert_eq!(percent(1, 10_000_000), "<0.1 %");
        assert_eq!(percent(9_999_999, 10_000_000), ">99.9 %");
        assert_eq!(percent(9_994, 10_000), "99.9 %");
        assert_eq!(percent(0, 0), "-");
    }

    #[test]
    fn magnitudes_have_four_digits_unless_whole() {
        let texts = [
            1023.0,
            105_369.0,
            15.984_375,
            0.984_375,
            99.999,
            999.949,
            999.96,
            1_022.5,
            0.000_12,
            2.870_569e-6,
            0.0,
        ];
        assert_eq!(
            texts.map(magnitude),
            [
                "1,023", "105,369", "15.98", "0.9844", "100", "999.9", "1,000", "1,023", "0.00012",
                "2.871e-6", "0"
            ]
        );
        assert_eq!(magnitude(1e15), "1e15");
        assert_eq!(magnitude(f64::MAX), "1.798e308");
    }

    #[test]
    fn bounds_are_exact() {
        assert_eq!((bound(-8.0), bound(7.984_375)), ("-8".into(), "7.984375".into()));
        assert_eq!(
            (bound(2f64.powi(100)), bound(0.0)),
            ("1.2676506002282294e30".into(), "0".into())
        );
    }

    #[test]
    fn names_cannot_drive_the_terminal() {
        assert_eq!(clean("q_in λ"), "q_in λ");
        assert_eq!(clean("a\u{1b}[2Jb\nc"), r"a\u{1b}[2Jb\u{a}c");
        assert_eq!(clean("a\u{202e}b"), r"a\u{202e}b");
    }

    #[test]
    fn lines_break_at_blanks() {
        assert_eq!(wrap("- ", "aa bb cc", 7), ["- aa bb", "  cc"]);
        assert_eq!(wrap("- ", "a_word_too_long b", 7), ["- a_word_too_long", "  b"]);
        assert_eq!(wrap("- ", "", 7), ["- "]);
        assert_eq!(wrap("", &format!("aaa 1{NO_BREAK}%"), 5), ["aaa", "1 %"]);
    }

    #[test]
    fn command_words_are_quoted_when_needed() {
        assert_eq!(shell_word("data/events-1.h5"), "data/events-1.h5");
        assert_eq!(shell_word("my model.h5"), "'my model.h5'");
        assert_eq!(shell_word("ap_fixed<14,4>"), "'ap_fixed<14,4>'");
        assert_eq!(shell_word("it's"), r"'it'\''s'");
        assert_eq!(shell_word(""), "''");
    }

    proptest! {
        #[test]
        fn no_number_breaks_the_text(x in any::<f64>(), part in any::<u64>(), whole in any::<u64>()) {
            prop_assert!(columns(&magnitude(x.abs())) < 25);
            prop_assert!(columns(&percent(part.min(whole), whole)) <= 7);
        }

        #[test]
        fn wrapped_lines_keep_every_word(text in "[a-z ]{0,80}", width in 0..40usize) {
            let lines = wrap("> ", &text, width);
            let words: Vec<_> = lines.iter().flat_map(|l| l[2..].split_whitespace()).collect();
            prop_assert_eq!(words, text.split_whitespace().collect::<Vec<_>>());
            for line in &lines {
                prop_assert!(columns(line) <= width || line[2..].split(' ').count() == 1);
            }
        }
    }
}
