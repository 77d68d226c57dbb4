//! Colours, or none. Nothing is said by colour alone.

use anstyle::{AnsiColor, Style};

/// What a piece of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Headings and names to look at.
    Strong,
    /// Good news.
    Good,
    /// Bad news.
    Bad,
    /// Warnings, and what limits the result.
    Caution,
    /// What may be skipped.
    Quiet,
}

/// Adds colours when they are wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint {
    pub(crate) color: bool,
}

impl Paint {
    /// `text` in the colour of `tone`. Pad before painting: the codes have no width.
    pub(crate) fn apply(self, tone: Tone, text: &str) -> String {
        if !self.color || text.is_empty() {
            return text.to_owned();
        }
        let color = |color: AnsiColor| Style::new().fg_color(Some(color.into()));
        let style = match tone {
            Tone::Strong => Style::new().bold(),
            Tone::Good => color(AnsiColor::Green).bold(),
            Tone::Bad => color(AnsiColor::Red).bold(),
            Tone::Caution => color(AnsiColor::Yellow).bold(),
            Tone::Quiet => Style::new().dimmed(),
        };
        format!("{style}{text}{style:#}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colour_nothing_is_added() {
        assert_eq!(Paint { color: false }.apply(Tone::Bad, "x"), "x");
        assert_eq!(Paint { color: true }.apply(Tone::Bad, ""), "");
        assert_eq!(Paint { color: true }.apply(Tone::Strong, "x"), "\u{1b}[1mx\u{1b}[0m");
    }
}
