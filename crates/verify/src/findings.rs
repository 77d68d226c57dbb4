//! What is known of a model before any event is run.

use std::path::Path;

use bittrue_model::Model;
use bittrue_proxy::lint::{self, Finding};
use bittrue_proxy::{Converted, Mode, by_itself, convert};
use bittrue_record::Warning;

use crate::Error;
use crate::session::{LoadedModel, LoadedProxy};

/// The findings of a model, in both modes of the conversion; or of the proxy file that goes to the
/// FPGA. Whether HGQ converts it at all is a finding too.
///
/// # Errors
///
/// When a file cannot be read, or the proxy does not belong to the model.
pub fn findings(model: &Path, proxy: Option<&Path>) -> Result<Vec<Finding>, Error> {
    let loaded = LoadedModel::open(model)?;
    let source = &loaded.model;
    if let Some(proxy) = proxy {
        let proxy = LoadedProxy::open(proxy, &loaded)?;
        return Ok(lint::lint(source, proxy.converted()));
    }
    if loaded.is_proxy() {
        return Ok(lint::lint(source, &by_itself(source.clone())));
    }
    let mut all: Vec<Finding> = Vec::new();
    for mode in [Mode::Sat, Mode::Wrap] {
        let found = match convert(source, mode) {
            Ok(converted) => lint::lint(source, &converted),
            Err(refusal) => lint::lint_refused(source, &refusal),
        };
        for finding in found {
            if !all.contains(&finding) {
                all.push(finding);
            }
        }
    }
    lint::sort(&mut all);
    Ok(all)
}

/// Adds what is found in a proxy to the warnings of a report; notes are left to `verify lint`.
pub(crate) fn warn(source: &Model, converted: &Converted, warnings: &mut Vec<Warning>) {
    for finding in lint::lint(source, converted) {
        let known = |w: &Warning| {
            w.code == finding.code.name && w.layer.as_deref() == Some(finding.layer.as_str())
        };
        if finding.code.severity != lint::Severity::Note && !warnings.iter().any(known) {
            warnings.push(Warning {
                code: finding.code.name.to_owned(),
                layer: Some(finding.layer.clone()),
                text: format!(
                    "{}. {} {}",
                    finding.found, finding.code.consequence, finding.code.remedy
                ),
            });
        }
    }
}
