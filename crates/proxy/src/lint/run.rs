//! All checks on one model.

use bittrue_model::{LayerKind, Model, SeparableConv};

use super::codes::{self, CODES, Code};
use super::look::Look;
use super::{constants, layers, permute, quantizers, widths};
use crate::{ConvertError, Converted};

/// Something that HGQ or hls4ml does with a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind of thing.
    pub code: &'static Code,
    /// The layer of the source model.
    pub layer: String,
    /// What was found there: attribute and value, tensor and type.
    pub found: String,
}

/// Everything that is found in a model and the proxy that was built from it: refusals first, then by
/// the order of the codes and of the layers.
pub fn lint(source: &Model, converted: &Converted) -> Vec<Finding> {
    let mut look = Look::new(source, converted);
    for warning in &converted.warnings {
        if let Some(code) = codes::code(warning.code) {
            let (layer, found) = (warning.layer.clone(), warning.text.clone());
            look.findings.push(Finding { code, layer, found });
        }
    }
    constants::check(&mut look);
    widths::check(&mut look);
    quantizers::check(&mut look);
    layers::check(&mut look);
    permute::check(&mut look);
    sort(&mut look.findings);
    look.findings
}

/// What is found in a model that HGQ refuses.
pub fn lint_refused(source: &Model, refusal: &ConvertError) -> Vec<Finding> {
    let random = |kind: &LayerKind| {
        matches!(kind, LayerKind::SeparableConv(SeparableConv { quantized: true, .. }))
    };
    let mut findings: Vec<Finding> = source
        .layers
        .iter()
        .filter(|layer| random(&layer.kind))
        .map(|layer| Finding {
            code: &codes::RANDOM_KERNELS,
            layer: layer.name.clone(),
            found: format!("this {} has two kernels, and HGQ copies none", layer.class_name),
        })
        .collect();
    if findings.is_empty() {
        // The layer is said already.
        let in_layer = format!(
            "{}, ",
            refusal
                .place()
                .layer_name()
                .map_or_else(|| "model".to_owned(), |name| format!("layer `{name}`"),)
        );
        findings.push(Finding {
            code: &codes::HGQ_REFUSES,
            layer: refusal.place().layer_name().unwrap_or_default().to_owned(),
            found: format!(
                "{}; {}",
                refusal.to_string().trim_start_matches(&in_layer),
                refusal.help()
            ),
        });
    }
    findings
}

/// The worst first, then by the order of the codes; layers stay in their order.
pub fn sort(findings: &mut Vec<Finding>) {
    let place = |f: &Finding| CODES.iter().position(|c| c.name == f.code.name);
    findings.sort_by_key(|f| (f.code.severity, place(f)));
    findings.dedup();
}
