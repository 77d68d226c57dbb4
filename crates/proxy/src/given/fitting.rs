//! The search for the calls of a given proxy that are those of the conversion.
//!
//! Several calls may read the same value: two quantizers of one tensor, of which HGQ may have made
//! one narrower. Which is which shows only behind them, so that a choice may have to be taken back.

use std::collections::HashMap;

use bittrue_model::{CallId, LayerKind, Model, Place, SeparableConv};

use super::{differs, remark};
use crate::convert::Converted;
use crate::{ConvertError, Warning};

/// Choices that are taken back before the search is given up. Between branches that are equal up
/// to their last layer they double with each pair.
const MOST_STEPS: usize = 10_000;

/// What fits.
#[derive(Debug)]
pub(super) struct Fitted {
    /// Pairs of expected and given calls.
    pub(super) of: Vec<(CallId, CallId)>,
    /// What the given proxy has that the conversion would not give.
    pub(super) warnings: Vec<Warning>,
}

/// Pairs all calls of a conversion with those of a given proxy.
///
/// # Errors
///
/// When they do not fit: of all attempts that came furthest names the first node.
pub(super) fn search(
    source: &Model,
    expected: &Converted,
    given: &Model,
) -> Result<Fitted, ConvertError> {
    let mut fitting = Fitting {
        expected: &expected.model,
        given,
        of: Vec::new(),
        place: HashMap::new(),
        readers: readers(given),
        used: vec![false; given.calls.len()],
    };
    fitting.inputs()?;
    let calls: Vec<CallId> =
        expected.model.call_ids().filter(|id| !expected.model.inputs.contains(id)).collect();
    let random = |id: CallId| {
        matches!(
            source.layer_of(expected.origins[id.0]).kind,
            LayerKind::SeparableConv(SeparableConv { quantized: true, .. })
        )
    };
    let first = fitting.of.len();
    // For each call on the way the choices that are left.
    let mut left: Vec<Vec<CallId>> = Vec::new();
    let mut furthest: Option<(usize, ConvertError)> = None;
    let mut steps = 0;
    loop {
        let failed = match calls.get(left.len()) {
            Some(&id) => match fitting.candidates(id, random(id)) {
                Ok(candidates) => {
                    left.push(candidates);
                    None
                }
                Err(error) => Some(error),
            },
            None => match fitting.ends() {
                Ok(()) => break,
                Err(error) => Some(error),
            },
        };
        if let Some(error) = failed {
            let depth = left.len();
            if furthest.as_ref().is_none_or(|(d, _)| depth > *d) {
                furthest = Some((depth, error));
            }
            steps += 1;
            while left.last().is_some_and(Vec::is_empty) {
                left.pop();
            }
        }
        let choice = left.last_mut().filter(|_| steps <= MOST_STEPS).and_then(Vec::pop);
        let Some(choice) = choice else {
            // Without a choice at least one attempt has failed, or there was nothing to pair.
            match furthest {
                Some((_, error)) => return Err(error),
                None => break,
            }
        };
        let at = left.len() - 1;
        fitting.back_to(first + at);
        fitting.take(calls[at], choice);
    }
    let of = fitting.of;
    let layers = |&(e, g): &(CallId, CallId)| remark(expected.model.layer_of(e), given.layer_of(g));
    let warnings = of.iter().skip(first).filter_map(layers).collect();
    Ok(Fitted { of, warnings })
}

struct Fitting<'a> {
    expected: &'a Model,
    given: &'a Model,
    /// Pairs of expected and given calls, in the order of their finding.
    of: Vec<(CallId, CallId)>,
    /// The same, to look up.
    place: HashMap<CallId, CallId>,
    /// The given calls by their arguments, in order.
    readers: HashMap<Vec<CallId>, Vec<CallId>>,
    used: Vec<bool>,
}

/// The calls of a model by their arguments.
fn readers(model: &Model) -> HashMap<Vec<CallId>, Vec<CallId>> {
    let mut readers: HashMap<Vec<CallId>, Vec<CallId>> = HashMap::new();
    for id in model.call_ids() {
        readers.entry(model.call(id).inputs.clone()).or_default().push(id);
    }
    readers
}

const HELP: &str = "give the proxy that HGQ made of this very model";

impl Fitting<'_> {
    /// The proxy is wrong at this node.
    fn error(&self, node: &str, what: impl Into<String>) -> ConvertError {
        let what = format!("does not fit the model: {}", what.into());
        ConvertError::new(Place::layer(node), what, HELP)
    }

    fn inputs(&mut self) -> Result<(), ConvertError> {
        let (expected, given) = (&self.expected.inputs, &self.given.inputs);
        if expected.len() != given.len() {
            let what = format!(
                "does not fit the model: it has {} inputs, the model has {}",
                given.len(),
                expected.len()
            );
            let place = Place::model().attribute("input_layers");
            return Err(ConvertError::new(place, what, HELP));
        }
        for (&e, &g) in expected.iter().zip(given) {
            let (shape, found) = (&self.expected.call(e).shape, &self.given.call(g).shape);
            if shape != found {
                let what = format!("it takes shape {found:?}, the model {shape:?}");
                return Err(self.error(&self.given.call_name(g), what));
            }
            self.take(e, g);
        }
        Ok(())
    }

    fn given_of(&self, expected: CallId) -> Option<CallId> {
        self.place.get(&expected).copied()
    }

    /// The given calls that can be the expected one, the likeliest first, in reverse.
    fn candidates(&self, id: CallId, random: bool) -> Result<Vec<CallId>, ConvertError> {
        let expected = self.expected.layer_of(id);
        let arguments: Option<Vec<CallId>> =
            self.expected.call(id).inputs.iter().map(|&a| self.given_of(a)).collect();
        let readers = arguments.as_ref().and_then(|a| self.readers.get(a)).into_iter().flatten();
        let readers: Vec<CallId> = readers.copied().filter(|g| !self.used[g.0]).collect();
        let shape = &self.expected.call(id).shape;
        let mut reasons = Vec::new();
        let mut fit = Vec::new();
        for reader in readers {
            let given = self.given.layer_of(reader);
            let found = &self.given.call(reader).shape;
            let reason = if shape == found {
                differs(expected, given, random)
            } else {
                Some(format!("its result has shape {found:?} instead of {shape:?}"))
            };
            match reason {
                None => fit.push(reader),
                Some(reason) => reasons.push((
                    reader,
                    given.name.clone(),
                    format!(
                        "this {} stands where the conversion puts `{}` ({}): {reason}",
                        given.class_name, expected.name, expected.class_name
                    ),
                )),
            }
        }
        let likelihood = |g: CallId| {
            let given = self.given.layer_of(g);
            (given.name != expected.name, remark(expected, given).is_some())
        };
        fit.sort_by_key(|&g| likelihood(g));
        fit.reverse();
        if !fit.is_empty() {
            return Ok(fit);
        }
        reasons.sort_by_key(|(g, ..)| likelihood(*g));
        let reason = reasons.into_iter().next().map(|(_, node, what)| (node, what));
        let (node, what) = reason.unwrap_or_else(|| {
            let arguments = arguments.unwrap_or_default();
            let read: Vec<String> =
                arguments.iter().map(|a| format!("`{}`", self.given.call_name(*a))).collect();
            let what = format!(
                "this {} of the conversion is missing: nothing more reads {}",
                expected.class_name,
                read.join(" and ")
            );
            (expected.name.clone(), what)
        });
        Err(self.error(&node, what))
    }

    fn take(&mut self, expected: CallId, given: CallId) {
        self.used[given.0] = true;
        self.of.push((expected, given));
        self.place.insert(expected, given);
    }

    /// Forgets all but the first pairs.
    fn back_to(&mut self, pairs: usize) {
        for (expected, given) in self.of.drain(pairs..) {
            self.place.remove(&expected);
            self.used[given.0] = false;
        }
    }

    /// Nothing is left over, and the outputs are the same.
    fn ends(&self) -> Result<(), ConvertError> {
        if let Some(extra) = self.given.call_ids().find(|g| !self.used[g.0]) {
            let layer = self.given.layer_of(extra);
            let what = format!("the conversion makes no such {} here", layer.class_name);
            return Err(self.error(&layer.name, what));
        }
        let outputs: Vec<Option<CallId>> =
            self.expected.outputs.iter().map(|&o| self.given_of(o)).collect();
        let given: Vec<Option<CallId>> = self.given.outputs.iter().copied().map(Some).collect();
        if outputs == given {
            return Ok(());
        }
        let names = |model: &Model| -> String {
            model.outputs.iter().map(|&o| model.call_name(o)).collect::<Vec<_>>().join(", ")
        };
        let what = format!(
            "does not fit the model: the outputs are {}, those of the conversion {}",
            names(self.given),
            names(self.expected)
        );
        Err(ConvertError::new(Place::model().attribute("output_layers"), what, HELP))
    }
}
