//! One comparison: a headline and a table with one row per aligned layer.

use bittrue_record::{Comparison, Layer, Report, Verdict};

use super::format::{clean, columns, count, cut, left, magnitude, percent, right, thousands, wrap};
use super::paint::{Paint, Tone};

/// Columns below which a class name is not cut.
const LEAST_CLASS: usize = 8;
/// Columns of the marker and the blank behind it.
const MARKER: usize = 2;
/// Blanks between two columns, and before the numbers that stand below their layer.
const GAP: usize = 2;

/// A row before the widths are known.
struct Row {
    marker: &'static str,
    name: String,
    class: String,
    type_text: String,
    cells: Cells,
    notes: String,
    /// `None` for a layer that differs but is not the first.
    tone: Option<Tone>,
}

/// What stands behind the type.
enum Cells {
    /// One number per column.
    Numbers(Vec<String>),
    /// Words instead of numbers.
    Status(String),
}

/// Widths of the columns.
struct Widths {
    name: usize,
    class: usize,
    type_text: usize,
    numbers: Vec<usize>,
    /// Whether the numbers stand in a line of their own, below their layer.
    stacked: bool,
}

pub(super) fn comparison(
    report: &Report,
    comparison: &Comparison,
    paint: Paint,
    width: usize,
) -> Vec<String> {
    let mut lines = headline(report, comparison, paint, width);
    let told_apart = comparison.layers.iter().any(|layer| layer.own_mismatches.is_some());
    let rows: Vec<Row> =
        comparison.layers.iter().map(|layer| row(report, comparison, layer, told_apart)).collect();
    let mut labels = if told_apart { vec!["own", "inherited"] } else { vec!["differ"] };
    // Without numbers in any row there is nothing to label.
    if rows.iter().any(|row| matches!(row.cells, Cells::Numbers(_))) {
        labels.extend(["events", "max diff", "first"]);
    } else {
        labels.clear();
    }
    let widths = Widths::new(&rows, &labels, width);

    let title = Row::title(&labels);
    lines.extend(title.lines(&widths, paint, width));
    for row in &rows {
        lines.extend(row.lines(&widths, paint, width));
    }
    lines
}

/// Ambiguous elements of the outputs: the verdict passes over them.
pub(super) fn ambiguous_at_outputs(c: &Comparison) -> u64 {
    let outputs = c.layers.iter().filter(|layer| c.outputs.contains(&layer.name));
    outputs.map(|layer| layer.ambiguous).fold(0, u64::saturating_add)
}

/// The verdict in a word, and in how many events it is so.
pub(crate) fn verdict(report: &Report, c: &Comparison) -> (String, Tone, String) {
    let events = report.events.count;
    let (word, tone) = match c.verdict {
        _ if events == 0 => ("NOTHING COMPARED", Tone::Caution),
        Verdict::BitExact => ("BIT-EXACT", Tone::Good),
        Verdict::Mismatch => ("MISMATCH", Tone::Bad),
        Verdict::WithinTolerance => ("WITHIN TOLERANCE", Tone::Caution),
    };
    // What was found stands; that nothing was found yet does not.
    let so_far = report.partial && events > 0 && c.verdict != Verdict::Mismatch;
    let word = format!("{word}{}", if so_far { " SO FAR" } else { "" });
    let differ = count(events, "event");
    let mut extent = format!(", {} of {differ} differ", thousands(c.events_differing));
    if c.events_differing > 0 {
        extent += &format!(" ({})", percent(c.events_differing, events));
    }
    let ambiguous = ambiguous_at_outputs(c);
    if ambiguous > 0 {
        extent += &format!(", {} ambiguous at the outputs", count(ambiguous, "element"));
    }
    if events == 0 {
        extent.clear();
    }
    (word, tone, extent)
}

/// The verdict, and which layers it is about.
fn headline(report: &Report, c: &Comparison, paint: Paint, width: usize) -> Vec<String> {
    let (word, tone, extent) = verdict(report, c);
    let legs = format!("{} against {}", clean(&c.target), clean(&c.reference));
    let (legs, word) = (paint.apply(Tone::Strong, &legs), paint.apply(tone, &word));
    let mut lines = vec![format!("{legs}: {word}{extent}")];
    let mut names = format!("outputs: {}", clean(&c.outputs.join(", ")));
    if !c.not_formed.is_empty() {
        names += &format!("; not formed by the target: {}", clean(&c.not_formed.join(", ")));
    }
    let names = wrap("  ", &names, width);
    lines.extend(names.iter().map(|line| paint.apply(Tone::Quiet, line)));
    lines
}

fn row(report: &Report, comparison: &Comparison, layer: &Layer, told_apart: bool) -> Row {
    let guilty = comparison.first_layer.as_ref() == Some(&layer.name);
    let differs = layer.mismatches > 0;
    let own = layer.own_mismatches.unwrap_or(0) > 0;
    let (marker, tone) = match (guilty, differs || own) {
        (true, _) => (">", Some(Tone::Bad)),
        (false, true) => ("!", None),
        (false, false) => (" ", Some(Tone::Quiet)),
    };
    let cells = if differs || own {
        Cells::Numbers(numbers(report, layer, told_apart))
    } else if layer.ambiguous > 0 {
        Cells::Status(format!("{} ambiguous", thousands(layer.ambiguous)))
    } else {
        Cells::Status("ok".to_owned())
    };
    Row {
        marker,
        name: clean(&layer.name),
        class: clean(&layer.class),
        type_text: layer.result_t.map_or_else(|| "-".to_owned(), |t| t.to_string()),
        notes: notes(layer, matches!(cells, Cells::Numbers(_))),
        cells,
        tone,
    }
}

/// The columns of a layer that differs.
pub(crate) fn numbers(report: &Report, layer: &Layer, told_apart: bool) -> Vec<String> {
    let known = |n: Option<u64>| n.map_or_else(|| "-".to_owned(), thousands);
    let mut cells = if told_apart {
        vec![known(layer.own_mismatches), known(layer.inherited_mismatches)]
    } else {
        vec![thousands(layer.mismatches)]
    };
    let share = percent(layer.events_differing, report.events.count);
    cells.push(format!("{} {share:>6}", thousands(layer.events_differing)));
    cells.push(match layer.max_lsb_diff {
        // Mismatches without a finite pair: a NaN or an infinity on one side.
        _ if layer.max_abs_diff == 0.0 => "-".to_owned(),
        Some(lsb) => format!("{} LSB", magnitude(lsb)),
        None => magnitude(layer.max_abs_diff),
    });
    cells.push(match (layer.first_event, layer.first_index) {
        // Rows and indices are put into commands, so they have no separators.
        (Some(event), Some(index)) => format!("{event}:{index}"),
        _ => "-".to_owned(),
    });
    cells
}

/// What the columns do not show; the ambiguous elements only `with_ambiguous`.
pub(crate) fn notes(layer: &Layer, with_ambiguous: bool) -> String {
    let mut notes = Vec::new();
    if layer.ambiguous > 0 && with_ambiguous {
        notes.push(format!("{} ambiguous", thousands(layer.ambiguous)));
    }
    if layer.not_finite_mismatches > 0 {
        notes.push(format!(
            "{} differ and depend on a NaN or an infinity (neither own nor inherited)",
            thousands(layer.not_finite_mismatches)
        ));
    }
    if let (Some(own), Some(inherited)) = (layer.own_mismatches, layer.inherited_mismatches) {
        let shown = layer.mismatches.saturating_sub(inherited);
        let hidden = own.saturating_sub(shown.saturating_sub(layer.not_finite_mismatches));
        if hidden > 0 {
            notes.push(format!("{} of its own are hidden by upstream ones", thousands(hidden)));
        }
    }
    if !layer.flags.is_empty() {
        let flags =
            layer.flags.iter().map(|(name, &n)| format!("{} {}", clean(name), thousands(n)));
        notes.push(format!("flagged: {}", flags.collect::<Vec<_>>().join(", ")));
    }
    notes.join("; ")
}

impl Widths {
    /// Natural widths while they fit, then shorter class names. If that is not enough, the numbers
    /// move below their layers: names, types and numbers are never cut.
    fn new(rows: &[Row], labels: &[&str], width: usize) -> Self {
        let longest = |text: &dyn Fn(&Row) -> &str, label: &str| {
            let texts = rows.iter().map(|row| columns(text(row)));
            texts.fold(columns(label), usize::max)
        };
        let mut numbers: Vec<usize> = labels.iter().map(|label| columns(label)).collect();
        let mut status = 0;
        for row in rows {
            match &row.cells {
                Cells::Numbers(cells) => {
                    for (width, cell) in numbers.iter_mut().zip(cells) {
                        *width = columns(cell).max(*width);
                    }
                }
                Cells::Status(text) => status = columns(text).max(status),
            }
        }
        let (name, type_text) =
            (longest(&|row| &row.name, "layer"), longest(&|row| &row.type_text, "type"));
        let class = longest(&|row| &row.class, "class");
        let others = MARKER + name + GAP + GAP + type_text;
        let behind = numbers.iter().map(|width| GAP + width).sum::<usize>().max(GAP + status);
        let stacked = others + class.min(LEAST_CLASS) + behind > width;
        let behind = if stacked { GAP + status } else { behind };
        let room = width.saturating_sub(others + behind);
        Self { name, class: class.min(room.max(LEAST_CLASS)), type_text, numbers, stacked }
    }
}

impl Row {
    /// The labels of the columns.
    fn title(labels: &[&str]) -> Self {
        Self {
            marker: " ",
            name: "layer".to_owned(),
            class: "class".to_owned(),
            type_text: "type".to_owned(),
            cells: Cells::Numbers(labels.iter().map(|&label| label.to_owned()).collect()),
            notes: String::new(),
            tone: Some(Tone::Quiet),
        }
    }

    fn lines(&self, widths: &Widths, paint: Paint, width: usize) -> Vec<String> {
        let mut line = left(self.marker, MARKER);
        line += &left(&self.name, widths.name + GAP);
        line += &left(&cut(&self.class, widths.class), widths.class + GAP);
        line += &left(&self.type_text, widths.type_text);
        let mut notes = self.notes.as_str();
        let mut below = None;
        match &self.cells {
            Cells::Numbers(cells) => {
                let cells = cells.iter().zip(&widths.numbers);
                let cells: String =
                    cells.map(|(cell, &width)| " ".repeat(GAP) + &right(cell, width)).collect();
                if !widths.stacked {
                    line += &cells;
                } else if !cells.is_empty() {
                    below = Some(" ".repeat(MARKER) + &cells);
                }
            }
            Cells::Status(status) => {
                line += &" ".repeat(GAP);
                line += status;
                if !notes.is_empty() && columns(&line) + columns("; ") + columns(notes) <= width {
                    line += "; ";
                    line += std::mem::take(&mut notes);
                }
            }
        }
        let toned = |line: String| match self.tone {
            Some(tone) => paint.apply(tone, line.trim_end()),
            None => line,
        };
        let mut lines: Vec<String> = [Some(line), below].into_iter().flatten().map(toned).collect();
        if !notes.is_empty() {
            let notes = wrap(&" ".repeat(MARKER + GAP), notes, width);
            lines.extend(notes.iter().map(|line| paint.apply(Tone::Quiet, line)));
        }
        lines
    }
}
