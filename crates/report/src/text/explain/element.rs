//! Elements in bits: a row for each group of legs that say the same.

use bittrue_record::{
    ExplainedCast, ExplainedElement, ExplainedLayer, ExplainedValue, OverflowAction, Relation,
    RoundedTo,
};

use crate::text::format::{bound, clean, columns, left, wrap};
use crate::text::paint::{Paint, Tone};

/// Longest string of bits above or below the type that is shown in full.
const LONGEST: usize = 10;

struct Row {
    index: String,
    legs: String,
    before: String,
    arrow: &'static str,
    after: String,
    note: String,
    bad: bool,
}

pub(super) fn lines(layer: &ExplainedLayer, paint: Paint, width: usize) -> Vec<String> {
    let rows: Vec<Row> = layer.elements.iter().flat_map(|e| rows(layer, e)).collect();
    let widest = |f: fn(&Row) -> &str| rows.iter().map(|r| columns(f(r))).max().unwrap_or(0);
    let widths = [
        widest(|r| &r.index),
        widest(|r| &r.legs),
        widest(|r| &r.before),
        widest(|r| r.arrow),
        widest(|r| &r.after),
    ];
    let mut lines = Vec::new();
    for row in &rows {
        let cells = [row.index.as_str(), &row.legs, &row.before, row.arrow, &row.after];
        let mut line = String::from("  ");
        for (cell, &width) in cells.into_iter().zip(&widths).filter(|(_, w)| **w > 0) {
            line += &left(cell, width);
            line += if cell == "->" { " " } else { "  " };
        }
        let beside = columns(&line) + columns(&row.note) <= width;
        if beside {
            line += &row.note;
        }
        let tone = |line: &str| match row.bad {
            true => paint.apply(Tone::Bad, line.trim_end()),
            false => line.to_owned(),
        };
        lines.push(tone(&line));
        if !beside {
            // Notes are never cut: they stand below the row.
            let indent = " ".repeat(2 + widths[0] + 2);
            lines.extend(wrap(&indent, &row.note, width).iter().map(|l| tone(l)));
        }
    }
    lines
}

fn rows(layer: &ExplainedLayer, element: &ExplainedElement) -> Vec<Row> {
    let mut rows: Vec<(Vec<&str>, Row)> = Vec::new();
    for value in &element.values {
        let row = row(value);
        let same = |r: &&mut (Vec<&str>, Row)| {
            let r = &r.1;
            (&r.before, &r.after, &r.note) == (&row.before, &row.after, &row.note)
        };
        match rows.iter_mut().find(same) {
            Some((legs, _)) => legs.push(&value.leg),
            None => rows.push((vec![&value.leg], row)),
        }
    }
    let index = index(layer, element.index);
    rows.into_iter()
        .enumerate()
        .map(|(n, (legs, row))| Row {
            index: if n == 0 { index.clone() } else { String::new() },
            legs: clean(&legs.join(", ")),
            ..row
        })
        .collect()
}

/// `[15]`, and `[37 = 1,2,1]` where the layer has more than one axis.
fn index(layer: &ExplainedLayer, flat: u64) -> String {
    if layer.shape.len() < 2 {
        return format!("[{flat}]");
    }
    let mut rest = flat;
    let mut places: Vec<String> = Vec::new();
    for &length in layer.shape.iter().rev() {
        let length = (length as u64).max(1);
        places.push((rest % length).to_string());
        rest /= length;
    }
    places.reverse();
    format!("[{flat} = {}]", places.join(","))
}

fn row(v: &ExplainedValue) -> Row {
    let bits = v.bits.as_ref().map(|b| format!(" = {b}")).unwrap_or_default();
    Row {
        index: String::new(),
        legs: String::new(),
        before: v.cast.as_ref().map(before).unwrap_or_default(),
        arrow: if v.cast.is_some() { "->" } else { "" },
        after: format!("{}{bits}", number(v.value)),
        note: note(v),
        bad: v.relation == Relation::Differs || v.own.is_some(),
    }
}

/// `12.5 = (0)1100.1000`.
fn before(c: &ExplainedCast) -> String {
    let outside = |bits: &str| match columns(bits) {
        0 => String::new(),
        n if n <= LONGEST => format!("({bits})"),
        _ => format!("({}…)", &bits[..LONGEST - 2]),
    };
    format!("{} = {}{}{}", number(c.from), outside(&c.above), c.kept, outside(&c.dropped))
}

/// What happened, and how it compares.
fn note(v: &ExplainedValue) -> String {
    let mut notes = Vec::new();
    match &v.cast {
        Some(ExplainedCast { plain: Some(plain), .. }) => {
            notes.push(format!("float32; a plain cast gives {}", number(*plain)));
        }
        Some(cast) => {
            // Where a value stops at an end of the range, its lowest bits do not matter.
            let stops = cast.overflow.is_some_and(|o| o != OverflowAction::Wraps);
            notes.extend(rounding(cast).filter(|_| !stops));
            notes.extend(overflow(cast, v));
        }
        None => {}
    }
    if v.bits.is_none()
        && v.value.is_finite()
        && let Some(fixed) = v.fixed
    {
        notes.push(format!("not on the grid of {fixed}"));
    }
    match (v.relation, v.own.is_some()) {
        (Relation::Differs, true) => notes.push("differs, of its own".to_owned()),
        (Relation::Differs, false) => notes.push("differs".to_owned()),
        (Relation::Ambiguous, _) => notes.push("ambiguous".to_owned()),
        (_, true) => notes.push("a difference of its own is hidden".to_owned()),
        _ => {}
    }
    if let Some([low, high]) = v.band {
        notes.push(format!("the real software gives {} to {}", number(low), number(high)));
    }
    if !v.flags.is_empty() {
        notes.push(format!("flagged {}", clean(&v.flags.join(", "))));
    }
    notes.join("; ")
}

fn rounding(c: &ExplainedCast) -> Option<String> {
    let way = match c.rounding {
        RoundedTo::Exact => return None,
        RoundedTo::Up => "rounded up",
        RoundedTo::Down => "rounded down",
    };
    Some(if c.tie { format!("tie, {way}") } else { way.to_owned() })
}

/// What became of a value outside the range: `exceeds 7.9375, wraps (-16)`.
fn overflow(c: &ExplainedCast, v: &ExplainedValue) -> Option<String> {
    let action = match c.overflow? {
        OverflowAction::Saturates => "saturates".to_owned(),
        OverflowAction::Zero => "becomes zero".to_owned(),
        OverflowAction::Wraps => match (c.wraps, v.fixed) {
            (Some(n), Some(fixed)) => {
                let modulus = number(f64::from(fixed.integer).exp2());
                let sign = if n > 0 { '-' } else { '+' };
                match n.unsigned_abs() {
                    1 => format!("wraps ({sign}{modulus})"),
                    n => format!("wraps ({sign}{n} * {modulus})"),
                }
            }
            _ => "wraps".to_owned(),
        },
    };
    Some(format!("{}, {action}", beyond(c, v)))
}

/// `exceeds 7.9375` or `is below -8`.
pub(super) fn beyond(c: &ExplainedCast, v: &ExplainedValue) -> String {
    let Some(fixed) = v.fixed else { return "is outside the range".to_owned() };
    let range = fixed.interval();
    let (low, high) = (fixed.value(range.min), fixed.value(range.max));
    match (c.from > high, c.from < low) {
        (true, _) => format!("exceeds {}", bound(high)),
        (_, true) => format!("is below {}", bound(low)),
        // Rounding carried it over.
        _ if c.rounding == RoundedTo::Up => format!("rounded exceeds {}", bound(high)),
        _ => format!("rounded is below {}", bound(low)),
    }
}

/// A value with all its digits.
pub(super) fn number(x: f64) -> String {
    if x == 0.0 || !x.is_finite() || (1e-6..1e15).contains(&x.abs()) {
        format!("{x}")
    } else {
        format!("{x:e}")
    }
}
