//! The closing sentences: the verdict of each comparison in words, and what to do next.
//!
//! They say what the counts prove and no more: a count shows where legs part, not why.

use bittrue_fixed::{FixedType, Overflow};
use bittrue_record::{Comparison, Layer, Report, Verdict};

use super::format::{
    NO_BREAK, bound, clean, count, magnitude, percent, shell_word, thousands, wrap,
};
use super::paint::{Paint, Tone};
use super::table::ambiguous_at_outputs;

pub(crate) fn conclusion(report: &Report, paint: Paint, width: usize) -> Vec<String> {
    let mut sentences: Vec<String> =
        report.comparisons.iter().map(|c| sentence(report, c)).collect();
    if report.comparisons.is_empty() || report.events.count == 0 {
        sentences = vec!["Nothing was compared, so nothing is shown.".to_owned()];
    }
    let mut lines = wrap("", &sentences.join(" "), width);
    if report.partial {
        let text = "PARTIAL: the run did not see all events; nothing is known of the others.";
        lines.extend(wrap("", text, width).iter().map(|line| paint.apply(Tone::Caution, line)));
    }
    let (text, commands) = next(report);
    let mut text = wrap("", &format!("Next: {text}"), width);
    if let Some(first) = text.first_mut() {
        *first = first.replacen("Next:", &paint.apply(Tone::Strong, "Next:"), 1);
    }
    lines.extend(text);
    lines.extend(commands.iter().map(|command| format!("  {command}")));
    lines
}

/// What one comparison found, in words.
pub(crate) fn sentence(report: &Report, c: &Comparison) -> String {
    let (target, reference) = (clean(&c.target), clean(&c.reference));
    let n = report.events.count;
    let events = match count(n, "event") {
        events if report.partial => format!("the {events} compared"),
        events if n == 1 => format!("the {events}"),
        events => format!("all {events}"),
    };
    let differing = format!(
        "{target} differs from {reference} in {} of {} ({})",
        thousands(c.events_differing),
        count(n, "event"),
        percent(c.events_differing, n).replace(' ', NO_BREAK)
    );
    match c.verdict {
        Verdict::Mismatch => format!("{differing}; {}.{}", first(c), range(c)),
        Verdict::WithinTolerance => {
            format!("{differing}, nowhere by more than the tolerance asked for.")
        }
        Verdict::BitExact => {
            let ambiguous = ambiguous_at_outputs(c);
            let inside = inside(c, ambiguous);
            if ambiguous > 0 {
                format!(
                    "{target} contradicts {reference} at no output on {events}, but {} there {} \
                     ambiguous: the values differ within the bands of what the real software may \
                     give{inside}.",
                    count(ambiguous, "element"),
                    if ambiguous == 1 { "is" } else { "are" },
                )
            } else {
                let outputs = if inside.is_empty() { "" } else { " at the outputs" };
                format!("{target} gives the same bits as {reference}{outputs} on {events}{inside}.")
            }
        }
    }
}

/// What the outputs do not show.
fn inside(c: &Comparison, at_outputs: u64) -> String {
    let mut text = String::new();
    if !c.layers_differing.is_empty() {
        let layers = count(c.layers_differing.len() as u64, "layer");
        let verb = if c.layers_differing.len() == 1 { "differs" } else { "differ" };
        text += &format!("; inside, {layers} {verb}, which no output shows; {}", first(c));
    }
    let everywhere = c.layers.iter().map(|layer| layer.ambiguous).fold(0, u64::saturating_add);
    if everywhere > at_outputs {
        let ambiguous = count(everywhere.saturating_sub(at_outputs), "element");
        text += &format!("; {ambiguous} inside ambiguous");
    }
    text
}

/// Where the difference starts.
fn first(c: &Comparison) -> String {
    let Some(layer) = c.first() else {
        return "no layer is named as the first".to_owned();
    };
    let name = clean(&layer.name);
    match layer.own_mismatches {
        Some(own) if own > 0 => {
            let inherited = layer.inherited_mismatches.unwrap_or(0);
            let also = match inherited {
                0 => String::new(),
                n => format!(" of its own, {} inherited", thousands(n)),
            };
            let extent = format!("{}{also}{}", count(own, "element"), size(layer));
            format!("the first difference arises in layer {name} ({extent})")
        }
        Some(_) => format!(
            "no layer differs of its own, the first that differs is {name} ({}{})",
            count(layer.mismatches, "element"),
            size(layer)
        ),
        None => format!(
            "the first layer that differs is {name} ({}{})",
            count(layer.mismatches, "element"),
            size(layer)
        ),
    }
}

/// How large the layer's differences are.
pub(crate) fn size(layer: &Layer) -> String {
    match (layer.max_lsb_diff, layer.result_t) {
        _ if layer.mismatches == 0 => String::new(),
        _ if layer.max_abs_diff == 0.0 => ", each with a NaN or an infinity on one side".to_owned(),
        (Some(lsb), Some(result_t)) => format!(", up to {} LSB of {result_t}", magnitude(lsb)),
        _ => format!(", up to {}", magnitude(layer.max_abs_diff)),
    }
}

/// The first guilty layer and its type, when that type wraps and the layer's differences are as
/// large as wrapping usually makes them: half the span of the type or more. This decides whether
/// wrapping is worth a word; it is no proof that a value wrapped.
fn wrapping(c: &Comparison) -> Option<(&Layer, FixedType)> {
    let layer = c.first().filter(|layer| layer.own_mismatches != Some(0))?;
    let result_t = layer.result_t?;
    let wraps = matches!(result_t.overflow, Overflow::Wrap | Overflow::WrapSm);
    let half_span = (f64::from(result_t.width) - 1.0).exp2();
    (wraps && layer.max_lsb_diff? >= half_span).then_some((layer, result_t))
}

fn range(c: &Comparison) -> String {
    let Some((_, result_t)) = wrapping(c) else {
        return String::new();
    };
    let (min, max) = (result_t.value(result_t.raw_min()), result_t.value(result_t.raw_max()));
    format!(" Values outside its range, {} to {}, wrap.", bound(min), bound(max))
}

/// What to do next, and the commands for it.
fn next(report: &Report) -> (String, Vec<String>) {
    let comparisons = &report.comparisons;
    if let Some(c) = comparisons.iter().find(|c| c.verdict == Verdict::Mismatch) {
        return after_mismatch(report, c);
    }
    let ambiguous = |c: &Comparison| c.layers.iter().any(|layer| layer.ambiguous > 0);
    let text = if report.partial {
        "run it again to the end.".to_owned()
    } else if comparisons.is_empty() || report.events.count == 0 {
        "run it with at least one target and one event.".to_owned()
    } else if comparisons.iter().any(|c| c.verdict == Verdict::WithinTolerance) {
        "judge whether the tolerance is right: without it the verdict is a mismatch.".to_owned()
    } else if comparisons.iter().any(|c| !c.layers_differing.is_empty()) {
        "nothing to repair for the outputs; with --strict-layers such layers count too.".to_owned()
    } else if comparisons.iter().any(ambiguous) {
        "`verify trace` writes the bands of the ambiguous elements.".to_owned()
    } else {
        let events = match report.events.count {
            1 => "this event".to_owned(),
            n => format!("these {}", count(n, "event")),
        };
        format!(
            "this is shown for {events} only; run more, above all at the edges of the input range."
        )
    };
    (text, Vec::new())
}

pub(crate) fn after_mismatch(report: &Report, c: &Comparison) -> (String, Vec<String>) {
    let mut steps = Vec::new();
    if let Some((layer, _)) = wrapping(c) {
        let name = clean(&layer.name);
        steps.push(format!("if {name} should hold larger values, give it more integer bits"));
    }
    if let Some(sat) = saturating(&c.target) {
        let tried = report.comparisons.iter().find(|c| c.target == sat);
        let step = "convert with aggressive=False";
        match tried.map(|c| c.verdict) {
            Some(Verdict::Mismatch) => {}
            Some(Verdict::BitExact) if !report.partial => {
                steps.push(format!("{step} ({sat}, which is bit-exact on these events)"));
            }
            _ => steps.push(format!("{step} ({sat})")),
        }
    }
    let mut text = steps.join(", or ");
    let Some((event, index)) = c.first().and_then(|l| l.first_event.zip(l.first_index)) else {
        let fallback = "write both legs with `verify trace` and compare them.".to_owned();
        return (if steps.is_empty() { fallback } else { text + "." }, Vec::new());
    };
    if !text.is_empty() {
        text += "; then ";
    }
    let layer = c.first_layer.as_deref().map(clean).unwrap_or_default();
    text += &format!("look at element {index} of layer {layer} in event {event}");
    // Values from a file have no layers that could be explained.
    if [&c.reference, &c.target].iter().any(|leg| leg.starts_with("trace:")) {
        return (text + ".", Vec::new());
    }
    (text + ":", vec![explain_command(report, c, event)])
}

/// The leg that differs from `target` only in HGQ's `aggressive` flag.
fn saturating(target: &str) -> Option<&'static str> {
    match target {
        "proxy:wrap" => Some("proxy:sat"),
        "hls4ml:wrap" => Some("hls4ml:sat"),
        _ => None,
    }
}

/// The command that explains one event.
fn explain_command(report: &Report, c: &Comparison, event: u64) -> String {
    let mut words = vec!["verify".to_owned(), "explain".to_owned()];
    let mut flag = |name: &str, value: &str| {
        words.push(name.to_owned());
        words.push(shell_word(&clean(value)));
    };
    flag("--model", &report.model.path);
    if let Some(proxy) = &report.proxy {
        flag("--proxy", &proxy.path);
    }
    if let Some(config) = &report.hls_config
        && [&c.reference, &c.target].iter().any(|leg| leg.starts_with("hls4ml"))
    {
        flag("--hls-config", &config.path);
    }
    match report.events.files.as_slice() {
        [] => flag("--events", &report.events.path),
        files => files.iter().for_each(|file| flag("--events", &file.path)),
    }
    report.events.datasets.iter().for_each(|dataset| flag("--dataset", dataset));
    report.events.columns.iter().for_each(|columns| flag("--columns", columns));
    for input_type in &report.input_types {
        flag("--input-type", input_type);
    }
    if c.reference != "qkeras" {
        flag("--reference", &c.reference);
    }
    let targets: Vec<&str> = report.comparisons.iter().map(|c| c.target.as_str()).collect();
    let by_default: &[&str] = match report.proxy {
        Some(_) => &["proxy"],
        None => &["proxy:sat", "proxy:wrap"],
    };
    if targets != by_default {
        flag("--target", &c.target);
    }
    // Keras' batches count from the first event that is read.
    if report.events.skipped > 0 {
        flag("--skip", &report.events.skipped.to_string());
    }
    flag("--event", &event.to_string());
    words.join(" ")
}
