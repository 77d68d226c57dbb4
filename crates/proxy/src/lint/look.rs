//! A model with its proxy, as all checks see it.

use bittrue_model::{CallId, LayerKind, Model};

use super::codes::Code;
use super::run::Finding;
use crate::precision::Flow;
use crate::{Bits, Converted};

/// What the checks look at, and what they have found.
pub(super) struct Look<'a> {
    pub(super) source: &'a Model,
    pub(super) converted: &'a Converted,
    /// The proxy.
    pub(super) model: &'a Model,
    /// Bits on every edge of the proxy; `None` where HGQ cannot derive them.
    pub(super) flow: Option<Flow>,
    /// For each call of the proxy the calls that read it, each once.
    pub(super) readers: Vec<Vec<CallId>>,
    pub(super) findings: Vec<Finding>,
}

impl<'a> Look<'a> {
    pub(super) fn new(source: &'a Model, converted: &'a Converted) -> Self {
        let model = &converted.model;
        Self {
            source,
            converted,
            model,
            flow: Flow::of(model).ok(),
            readers: model.call_ids().map(|id| model.consumers(id)).collect(),
            findings: Vec::new(),
        }
    }

    pub(super) fn kind(&self, id: CallId) -> &'a LayerKind {
        &self.model.layer_of(id).kind
    }

    pub(super) fn calls(&self) -> impl Iterator<Item = CallId> + use<> {
        self.model.call_ids()
    }

    /// The layer of the source that a call of the proxy comes from.
    pub(super) fn name(&self, id: CallId) -> String {
        self.source.call_name(self.converted.origins[id.0])
    }

    /// The first argument of a call.
    pub(super) fn argument(&self, id: CallId) -> Option<CallId> {
        self.model.call(id).inputs.first().copied()
    }

    /// What a call gives, by HGQ's rules; `None` where nothing limits it.
    pub(super) fn produced(&self, id: CallId) -> Option<Bits> {
        let flow = self.flow.as_ref()?;
        let bits = flow.produced.get(id.0).copied()?;
        (!bits.is_unlimited() && !flow.run_over[id.0]).then_some(bits)
    }

    pub(super) fn is_quantizer(&self, id: CallId) -> bool {
        matches!(self.kind(id), LayerKind::FixedPointQuantizer(_))
    }

    /// Whether a layer only moves values.
    pub(super) fn only_moves(&self, id: CallId) -> bool {
        matches!(self.kind(id), LayerKind::Flatten | LayerKind::Reshape | LayerKind::Permute(_))
    }

    /// Adds a finding about the layer that a call of the proxy comes from.
    pub(super) fn find(&mut self, code: &'static Code, id: CallId, found: String) {
        let layer = self.name(id);
        self.findings.push(Finding { code, layer, found });
    }
}
