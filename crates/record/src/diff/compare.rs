//! Two reports, comparison by comparison.
//!
//! The rule, which `docs/nightly.md` states for users. **Worse** is a worse verdict; a mismatch or an
//! ambiguous element where there was none; of the same events more of them, or a larger difference;
//! of other events a larger share of differing events, beyond chance; a comparison that is missing,
//! or a layer of the same model; a run that did not see all events. **Better** is the reverse, for
//! what both reports have. Whatever else is different is **changed**.

use std::collections::BTreeMap;

use super::layer::{self, Events, Share, judge};
use super::types::{
    Change, ComparisonDiff, DIFF_FORMAT_VERSION, Diff, Judgement, LayerDiff, Presence, Value,
};
use crate::{Comparison, EventsInfo, Layer, Report, Verdict, Warning};

impl Diff {
    /// What is new in `after`.
    ///
    /// Comparisons are matched by reference and target, layers by name.
    pub fn new(before: &Report, after: &Report) -> Self {
        let events = Events {
            before: before.events.count,
            after: after.events.count,
            same: same_events(&before.events, &after.events),
        };
        let same_model = before.model.sha256 == after.model.sha256;
        let run = run(before, after);
        let key = |c: &Comparison| (c.reference.clone(), c.target.clone());
        let pairs = pairs(&before.comparisons, &after.comparisons, key);
        let comparisons: Vec<ComparisonDiff> = pairs
            .into_iter()
            .filter_map(|(b, a)| match (b, a) {
                (b, Some(a)) => Some(comparison(b, a, events, same_model)),
                (Some(b), None) => Some(vanished(b)),
                (None, None) => None,
            })
            .collect();
        let judgements =
            run.iter().map(|c| c.judgement).chain(comparisons.iter().map(|c| c.judgement));
        let judgement = judgements.fold(Judgement::Same, Judgement::max);
        Self {
            diff_format_version: DIFF_FORMAT_VERSION,
            judgement,
            same_events: events.same,
            run,
            comparisons,
        }
    }
}

/// Whether the reports are about the same events, as far as they tell: with hashes they know,
/// without, path and size have to do.
fn same_events(b: &EventsInfo, a: &EventsInfo) -> bool {
    let same_file = match (&b.sha256, &a.sha256) {
        (Some(before), Some(after)) => before == after,
        _ => b.path == a.path && b.size == a.size,
    };
    same_file && b.count == a.count && b.skipped == a.skipped
}

/// Matches what two lists have in common, in the order of the later one, then what vanished. Where
/// a list has the same key several times, they are matched in their order.
fn pairs<'a, T, K: Ord + Clone>(
    before: &'a [T],
    after: &'a [T],
    key: impl Fn(&T) -> K,
) -> Vec<(Option<&'a T>, Option<&'a T>)> {
    let mut found: BTreeMap<K, Vec<usize>> = BTreeMap::new();
    for (at, item) in before.iter().enumerate().rev() {
        found.entry(key(item)).or_default().push(at);
    }
    let mut matched = vec![false; before.len()];
    let mut list: Vec<(Option<&T>, Option<&T>)> = Vec::new();
    for item in after {
        let at = found.get_mut(&key(item)).and_then(Vec::pop);
        if let Some(at) = at {
            matched[at] = true;
        }
        list.push((at.map(|at| &before[at]), Some(item)));
    }
    let rest = before.iter().zip(&matched).filter(|(_, matched)| !**matched);
    list.extend(rest.map(|(item, _)| (Some(item), None)));
    list
}

/// Program, model, events and warnings.
fn run(b: &Report, a: &Report) -> Vec<Change> {
    let hash = |file: &Option<crate::FileInfo>| file.as_ref().map(|f| f.sha256.clone());
    let mut changes: Vec<Change> = [
        Change::neutral("tool.name", b.tool.name.as_str(), a.tool.name.as_str()),
        Change::neutral("tool.version", b.tool.version.as_str(), a.tool.version.as_str()),
        Change::neutral("tool.profiles", b.tool.profiles.join(", "), a.tool.profiles.join(", ")),
        Change::neutral("model.sha256", b.model.sha256.as_str(), a.model.sha256.as_str()),
        Change::neutral("model.class", b.model.class.as_str(), a.model.class.as_str()),
        Change::neutral("proxy.sha256", hash(&b.proxy), hash(&a.proxy)),
        Change::neutral("hls_config.sha256", hash(&b.hls_config), hash(&a.hls_config)),
        Change::neutral("events.path", b.events.path.as_str(), a.events.path.as_str()),
        Change::neutral("events.size", b.events.size, a.events.size),
        Change::neutral("events.count", b.events.count, a.events.count),
        Change::neutral("events.skipped", b.events.skipped, a.events.skipped),
        Change::neutral("events.sha256", b.events.sha256.clone(), a.events.sha256.clone()),
    ]
    .into_iter()
    .flatten()
    .collect();
    if b.partial != a.partial {
        let judgement = judge(b.partial.cmp(&a.partial));
        let (before, after) = (Value::Flag(b.partial), Value::Flag(a.partial));
        changes.insert(0, Change::new("partial", judgement, before, after));
    }
    let listed = |field: &str, before: &[String], after: &[String]| -> Vec<Change> {
        let pairs = pairs(before, after, |text: &String| text.clone());
        let changes = pairs
            .into_iter()
            .map(|(b, a)| Change::neutral(field, b.map(String::as_str), a.map(String::as_str)));
        changes.flatten().collect()
    };
    let texts = |warnings: &[Warning]| -> Vec<String> { warnings.iter().map(told).collect() };
    changes.extend(listed("input_types", &b.input_types, &a.input_types));
    changes.extend(listed("assumptions", &b.assumptions, &a.assumptions));
    changes.extend(listed("warnings", &texts(&b.warnings), &texts(&a.warnings)));
    if a.comparisons.is_empty() {
        // A report that compares nothing proves nothing.
        let before = Value::Count(b.comparisons.len() as u64);
        changes.push(Change::new("comparisons", Judgement::Worse, before, Value::Count(0)));
    }
    changes
}

fn told(warning: &Warning) -> String {
    let layer = warning.layer.iter().map(|layer| format!(", layer {layer}")).collect::<String>();
    format!("{}{layer}: {}", warning.code, warning.text)
}

/// A comparison that the later report has. One that is new is held against one in which nothing
/// differs.
fn comparison(
    before: Option<&Comparison>,
    a: &Comparison,
    events: Events,
    same_model: bool,
) -> ComparisonDiff {
    let verdict = before.map_or(Verdict::BitExact, |b| b.verdict);
    let mut changes = Vec::new();
    if verdict != a.verdict || before.is_none() {
        let judgement = match judge(rank(verdict).cmp(&rank(a.verdict))) {
            Judgement::Same => Judgement::Changed,
            judged => judged,
        };
        let old = before.map(|b| b.verdict.to_string());
        changes.push(Change::new("verdict", judgement, old.into(), a.verdict.to_string().into()));
    }
    let differing = Share { count: a.events_differing, of: events.after };
    let differed = match before {
        Some(b) => Share { count: b.events_differing, of: events.before },
        None => Share { count: 0, of: events.after },
    };
    changes.extend(Share::change("events_differing", differed, differing, events.counting()));
    let mut layers = Vec::new();
    match before {
        Some(b) => {
            let first = (b.first_layer.as_deref(), a.first_layer.as_deref());
            changes.extend(Change::neutral("first_layer", first.0, first.1));
            changes.extend(Change::neutral("outputs", b.outputs.join(", "), a.outputs.join(", ")));
            let not_formed = |c: &Comparison| c.not_formed.join(", ");
            changes.extend(Change::neutral("not_formed", not_formed(b), not_formed(a)));
            // The layers of another model are other layers.
            let gone = if same_model { Judgement::Worse } else { Judgement::Changed };
            for pair in pairs(&b.layers, &a.layers, |l: &Layer| l.name.clone()) {
                layers.extend(match pair {
                    (Some(b), Some(a)) => layer::both(b, a, events),
                    (Some(b), None) => Some(layer::vanished(b, gone)),
                    (None, Some(a)) => Some(layer::new(a, events)),
                    (None, None) => None,
                });
            }
        }
        None => {
            let new = a.layers.iter().map(|a| layer::new(a, events));
            layers.extend(new.filter(|l| l.judgement == Judgement::Worse));
        }
    }
    let presence = if before.is_some() { Presence::Both } else { Presence::New };
    let judgement = worst(&changes, &layers);
    let (reference, target) = (a.reference.clone(), a.target.clone());
    ComparisonDiff { reference, target, presence, judgement, changes, layers }
}

/// A comparison that is not made any more.
fn vanished(b: &Comparison) -> ComparisonDiff {
    let was = Value::Text(b.verdict.to_string());
    ComparisonDiff {
        reference: b.reference.clone(),
        target: b.target.clone(),
        presence: Presence::Vanished,
        judgement: Judgement::Worse,
        changes: vec![Change::new("verdict", Judgement::Worse, was, Value::None)],
        layers: Vec::new(),
    }
}

fn worst(changes: &[Change], layers: &[LayerDiff]) -> Judgement {
    let changes = changes.iter().map(|c| c.judgement);
    changes.chain(layers.iter().map(|l| l.judgement)).fold(Judgement::Same, Judgement::max)
}

/// Verdicts from good to bad.
fn rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::BitExact => 0,
        Verdict::WithinTolerance => 1,
        Verdict::Mismatch => 2,
    }
}
