//! The report as JUnit XML, for continuous integration.
//!
//! GitLab, Jenkins and the usual GitHub actions read different parts of the format. GitLab shows
//! `classname`, `name` and the *content* of a failure, of test cases with equal names only the first;
//! Jenkins also shows the attribute `message` and the properties of a suite. So numbers are in the
//! message and in the content, and names are unique. There are no times: the same report gives the
//! same bytes.

use std::io;

use bittrue_record::{Comparison, Layer, Report, Verdict};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use crate::RunFailure;
use crate::text::audit::doubt;
use crate::text::conclusion::{after_mismatch, sentence, size};
use crate::text::format::{clean, count, percent, thousands};
use crate::text::table::{notes, verdict};

/// The name of everything that is about the run and not about a comparison.
const RUN: &str = "verify";

/// The report as JUnit XML: a test suite for each comparison, with a test case for its verdict and
/// one for each aligned layer.
///
/// A suite has failures exactly when its verdict is a mismatch: a layer that differs inside without
/// any output showing it passes, and says so in its `system-out`. A report that is partial or
/// compares nothing has an error.
pub fn junit(report: &Report) -> String {
    let mut suites: Vec<Suite> = report.comparisons.iter().map(|c| suite(report, c)).collect();
    let error = if report.partial {
        let seen = count(report.events.count, "event");
        Some(format!("interrupted: only the first {seen} were compared"))
    } else if report.comparisons.is_empty() {
        Some("nothing was compared".to_owned())
    } else {
        None
    };
    if let Some(message) = error {
        suites.push(run_suite("incomplete", message.clone(), message));
    }
    write(&suites)
}

/// A run that ended without a report, as JUnit XML with one error.
pub fn junit_failure(failure: &RunFailure<'_>) -> String {
    let kind = format!("exit code {}", failure.code.code());
    let content = failure.lines().join("\n");
    write(&[run_suite(&kind, failure.message.to_owned(), content)])
}

/// A `<testsuite>`.
struct Suite {
    name: String,
    properties: Vec<(&'static str, String)>,
    cases: Vec<Case>,
}

/// A `<testcase>`.
struct Case {
    name: String,
    outcome: Outcome,
    /// What else there is to say.
    output: String,
}

enum Outcome {
    Passed,
    Skipped(String),
    Failure { message: String, content: String },
    Error { kind: String, message: String, content: String },
}

fn run_suite(kind: &str, message: String, content: String) -> Suite {
    let outcome = Outcome::Error { kind: kind.to_owned(), message, content };
    let case = Case { name: "run".to_owned(), outcome, output: String::new() };
    Suite { name: RUN.to_owned(), properties: Vec::new(), cases: vec![case] }
}

fn suite(report: &Report, c: &Comparison) -> Suite {
    let mut cases = vec![verdict_case(report, c)];
    cases.extend(c.layers.iter().map(|layer| layer_case(report, c, layer)));
    Suite {
        name: format!("{} against {}", c.target, c.reference),
        properties: properties(report, c),
        cases,
    }
}

fn properties(report: &Report, c: &Comparison) -> Vec<(&'static str, String)> {
    let (model, events) = (&report.model, &report.events);
    let mut properties = vec![
        ("tool", format!("{} {}", report.tool.name, report.tool.version)),
        ("profiles", report.tool.profiles.join(", ")),
        ("model", model.path.clone()),
        ("model.sha256", model.sha256.clone()),
    ];
    if let Some(proxy) = &report.proxy {
        properties.push(("proxy", proxy.path.clone()));
        properties.push(("proxy.sha256", proxy.sha256.clone()));
    }
    if let Some(config) = &report.hls_config {
        properties.push(("hls_config", config.path.clone()));
        properties.push(("hls_config.sha256", config.sha256.clone()));
    }
    properties.extend([
        ("events", events.path.clone()),
        ("events.count", events.count.to_string()),
        ("events.skipped", events.skipped.to_string()),
    ]);
    properties.extend(events.sha256.iter().map(|sha256| ("events.sha256", sha256.clone())));
    properties.extend(report.input_types.iter().map(|text| ("input_type", text.clone())));
    properties.extend(report.assumptions.iter().map(|text| ("assumption", text.clone())));
    properties.extend(report.warnings.iter().map(|w| {
        let layer = w.layer.iter().map(|layer| format!(", layer {layer}")).collect::<String>();
        ("warning", format!("{}{layer}: {}", w.code, w.text))
    }));
    properties.push(("outputs", c.outputs.join(", ")));
    if !c.not_formed.is_empty() {
        properties.push(("not_formed", c.not_formed.join(", ")));
    }
    properties.push(("verdict", c.verdict.to_string()));
    properties.extend(report.between_targets.iter().filter_map(|other| {
        let [a, b] = [&other.reference, &other.target];
        let leg = if *a == c.target { b } else { a };
        let of_target = [a, b].contains(&&c.target);
        let events = count(other.events_differing, "event");
        of_target.then(|| ("events.differing_from_target", format!("{leg}: {events}")))
    }));
    properties
}

fn verdict_case(report: &Report, c: &Comparison) -> Case {
    let (word, _, extent) = verdict(report, c);
    let message = format!("{word}{extent}");
    let mut lines = vec![format!("{message}."), sentence(report, c)];
    let outcome = match c.verdict {
        Verdict::Mismatch => {
            let (text, commands) = after_mismatch(report, c);
            lines.push(format!("Next: {text}"));
            lines.extend(commands.iter().map(|command| format!("  {command}")));
            Outcome::Failure { message, content: lines.join("\n") }
        }
        // What was seen of a part of the events is no pass.
        _ if report.partial => Outcome::Skipped(message),
        Verdict::BitExact | Verdict::WithinTolerance => Outcome::Passed,
    };
    let output = match outcome {
        Outcome::Passed => lines.join("\n"),
        _ => String::new(),
    };
    Case { name: "verdict".to_owned(), outcome, output }
}

fn layer_case(report: &Report, c: &Comparison, layer: &Layer) -> Case {
    let difference = (layer.mismatches > 0).then(|| difference(report, c, layer));
    let also: Vec<String> = [notes(layer, true), doubt(layer).unwrap_or_default()]
        .into_iter()
        .filter(|line| !line.is_empty())
        .collect();
    let also = also.join("\n");
    let (outcome, output) = match difference {
        Some(message) if c.verdict == Verdict::Mismatch => {
            let content = format!("{message}\n{also}").trim_end().to_owned();
            (Outcome::Failure { message, content }, also)
        }
        Some(message) => (passed(report), format!("{message}\n{also}").trim_end().to_owned()),
        None => (passed(report), also),
    };
    Case { name: format!("layer {}", layer.name), outcome, output }
}

fn passed(report: &Report) -> Outcome {
    match report.partial {
        true => Outcome::Skipped("the run did not see all events".to_owned()),
        false => Outcome::Passed,
    }
}

/// How a layer differs: where, by how much, and where it comes from.
fn difference(report: &Report, c: &Comparison, layer: &Layer) -> String {
    let events = report.events.count;
    let mut text = format!(
        "{} of {} differ in {} of {} ({}){}",
        thousands(layer.mismatches),
        count(layer.elements, "element"),
        thousands(layer.events_differing),
        count(events, "event"),
        percent(layer.events_differing, events),
        size(layer)
    );
    if let (Some(event), Some(index)) = (layer.first_event, layer.first_index) {
        text += &format!("; first at event {event}, element {index}");
    }
    if let (Some(own), Some(inherited)) = (layer.own_mismatches, layer.inherited_mismatches) {
        text += &format!("; {} own, {} inherited", thousands(own), thousands(inherited));
    }
    if c.first_layer.as_ref() == Some(&layer.name) {
        text += "; the first layer that is at fault";
    }
    if c.verdict != Verdict::Mismatch {
        text += "; the verdict does not count it";
    }
    text
}

fn write(suites: &[Suite]) -> String {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    // Writing into memory does not fail.
    write_suites(&mut writer, suites).expect("memory takes every byte");
    let mut text = String::from_utf8(writer.into_inner()).expect("text in, text out");
    text.push('\n');
    text
}

type Xml = Writer<Vec<u8>>;

/// Tests, failures, errors and skipped tests.
fn totals<'a>(cases: impl Iterator<Item = &'a Case>) -> [(&'static str, String); 4] {
    let [mut tests, mut failures, mut errors, mut skipped] = [0u64; 4];
    for case in cases {
        tests += 1;
        match case.outcome {
            Outcome::Passed => {}
            Outcome::Skipped(_) => skipped += 1,
            Outcome::Failure { .. } => failures += 1,
            Outcome::Error { .. } => errors += 1,
        }
    }
    let numbers = [("tests", tests), ("failures", failures), ("errors", errors)];
    let [a, b, c] = numbers.map(|(name, n)| (name, n.to_string()));
    [a, b, c, ("skipped", skipped.to_string())]
}

fn write_suites(xml: &mut Xml, suites: &[Suite]) -> io::Result<()> {
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let totals = totals(suites.iter().flat_map(|suite| &suite.cases));
    let mut element = xml.create_element("testsuites").with_attribute(("name", RUN));
    // The schemas know no skipped tests of all suites together.
    for (name, n) in &totals[..3] {
        element = element.with_attribute((*name, n.as_str()));
    }
    element
        .write_inner_content(|xml| suites.iter().try_for_each(|suite| write_suite(xml, suite)))?;
    Ok(())
}

fn write_suite(xml: &mut Xml, suite: &Suite) -> io::Result<()> {
    let name = clean(&suite.name);
    let mut element = xml.create_element("testsuite").with_attribute(("name", name.as_str()));
    for (name, n) in &totals(suite.cases.iter()) {
        element = element.with_attribute((*name, n.as_str()));
    }
    element.write_inner_content(|xml| {
        if !suite.properties.is_empty() {
            xml.create_element("properties").write_inner_content(|xml| {
                suite.properties.iter().try_for_each(|(name, value)| {
                    let value = clean(value);
                    let property = xml.create_element("property").with_attribute(("name", *name));
                    property.with_attribute(("value", value.as_str())).write_empty().map(|_| ())
                })
            })?;
        }
        suite.cases.iter().try_for_each(|case| write_case(xml, &name, case))
    })?;
    Ok(())
}

fn write_case(xml: &mut Xml, class: &str, case: &Case) -> io::Result<()> {
    let name = clean(&case.name);
    let element = xml.create_element("testcase").with_attribute(("classname", class));
    let element = element.with_attribute(("name", name.as_str()));
    if matches!(case.outcome, Outcome::Passed) && case.output.is_empty() {
        element.write_empty()?;
        return Ok(());
    }
    element.write_inner_content(|xml| {
        match &case.outcome {
            Outcome::Passed => {}
            Outcome::Skipped(message) => {
                let message = clean(message);
                let skipped = xml.create_element("skipped");
                skipped.with_attribute(("message", message.as_str())).write_empty()?;
            }
            Outcome::Failure { message, content } => {
                told(xml, "failure", "mismatch", message, content)?;
            }
            Outcome::Error { kind, message, content } => {
                told(xml, "error", kind, message, content)?;
            }
        }
        if !case.output.is_empty() {
            let output = clean_lines(&case.output);
            xml.create_element("system-out").write_text_content(BytesText::new(&output))?;
        }
        Ok(())
    })?;
    Ok(())
}

fn told(xml: &mut Xml, tag: &str, kind: &str, message: &str, content: &str) -> io::Result<()> {
    let (message, content) = (clean(message), clean_lines(content));
    let element = xml.create_element(tag).with_attribute(("type", kind));
    let element = element.with_attribute(("message", message.as_str()));
    element.write_text_content(BytesText::new(&content)).map(|_| ())
}

/// [`clean`] for text whose lines are ours.
fn clean_lines(text: &str) -> String {
    text.lines().map(clean).collect::<Vec<_>>().join("\n")
}
