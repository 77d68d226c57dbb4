//! `verify lint`: what HGQ and hls4ml will do with a model without a word.

use std::fmt::Write;

use bittrue_proxy::lint::{Finding, Severity};
use bittrue_record::ExitCode;
use bittrue_verify::findings;

use crate::args::{DenyArgs, LintArgs, ModelArgs};
use crate::failure::Failure;

/// The finding that there is no proxy at all.
const REFUSED: [&str; 2] = ["hgq-refuses", "random-kernels"];

pub(crate) fn lint(args: &LintArgs) -> Result<ExitCode, Failure> {
    let all = findings(&args.model.model, args.model.proxy.as_deref())?;
    let mut text = format!("Model    {}\n", args.model.model.display());
    for finding in &all {
        let Finding { code, layer, found } = finding;
        let place = if layer.is_empty() { String::new() } else { format!("{layer}: ") };
        let _ = write!(text, "\n{:8} {}\n         {place}{found}\n", code.severity, code.name);
        let _ = writeln!(text, "         {}\n         Do: {}", code.consequence, code.remedy);
    }
    text.push_str(&summary(&all));
    crate::print(&text)?;
    let refused = all.iter().any(|f| REFUSED.contains(&f.code.name));
    match denied(&all, &args.deny) {
        Some(finding) => Err(failure(finding)),
        None if refused => Ok(ExitCode::Conversion),
        None => Ok(ExitCode::Success),
    }
}

fn summary(all: &[Finding]) -> String {
    let severities = [Severity::Refused, Severity::Differs, Severity::Wide, Severity::Note];
    let counts: Vec<String> = severities
        .iter()
        .filter_map(|&s| match all.iter().filter(|f| f.code.severity == s).count() {
            0 => None,
            n => Some(format!("{n} {s}")),
        })
        .collect();
    match counts.is_empty() {
        true => "\nNothing found.\n".to_owned(),
        false => format!("\nFound    {}\n", counts.join(", ")),
    }
}

/// Ends a run whose model has a finding that is denied.
pub(crate) fn check_denied(model: &ModelArgs, deny: &DenyArgs) -> Result<(), Failure> {
    if deny.deny.is_empty() {
        return Ok(());
    }
    let all = findings(&model.model, model.proxy.as_deref())?;
    denied(&all, deny).map_or(Ok(()), |finding| Err(failure(finding)))
}

/// The first finding that is denied.
fn denied<'a>(all: &'a [Finding], deny: &DenyArgs) -> Option<&'a Finding> {
    all.iter().find(|f| {
        deny.deny.iter().any(|name| match name.as_str() {
            "all" => f.code.severity != Severity::Note,
            name => name == f.code.name,
        })
    })
}

fn failure(finding: &Finding) -> Failure {
    let Finding { code, layer, found } = finding;
    let message = format!("--deny: {} in layer `{layer}`: {found}", code.name);
    Failure::new(ExitCode::Conversion, message).with_help(code.remedy)
}
