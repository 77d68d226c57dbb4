//! What one leg makes of one layer: its values, and what its quantizers did to each.

use std::sync::Arc;

use bittrue_block::{Flag, Flags, LaneBlock};
use bittrue_engine::NodeValues;
use bittrue_fixed::{Dialect, FixedType};
use bittrue_keras::exact;
use bittrue_model::{
    CallId, EdgeType, Firmware, Model, NodeId, Op, Rounding32, TypedModel, TypedNode,
};
use bittrue_record::{
    Actions, Ending, ExplainedCast, ExplainedTensor, ExplainedValue, InnerQuantizer,
    OverflowAction, Relation,
};

use super::{bits, cast};
use crate::compare;

/// One leg and what it computed for the event.
#[derive(Debug)]
pub(super) struct LegEvent<'a> {
    pub(super) name: &'a str,
    pub(super) typed: &'a TypedModel,
    pub(super) nodes: NodeValues,
    pub(super) aligned: &'a [Option<Arc<LaneBlock>>],
    pub(super) own: &'a [Option<Arc<LaneBlock>>],
}

/// The cast that a quantizer means.
#[derive(Debug, Clone)]
enum Cast {
    One(FixedType),
    Each(Arc<[FixedType]>),
    /// `None` where no bit is left.
    EachOrNone(Arc<[Option<FixedType>]>),
    /// Of what is positive.
    Relu(FixedType),
}

impl Cast {
    fn target(&self, element: usize) -> Option<FixedType> {
        match self {
            Self::One(t) | Self::Relu(t) => Some(*t),
            Self::Each(types) => types.get(element).copied(),
            Self::EachOrNone(types) => types.get(element).copied().flatten(),
        }
    }

    fn common(&self) -> Option<FixedType> {
        match self {
            Self::One(t) | Self::Relu(t) => Some(*t),
            Self::Each(_) | Self::EachOrNone(_) => None,
        }
    }
}

/// Whether the operation quantises, and the cast that it means if it means one.
fn quantizer(op: &Op) -> Option<Option<Cast>> {
    match op {
        Op::Quantize(t) => Some(Some(Cast::One(*t))),
        Op::QuantizeEach(types) => Some(Some(Cast::Each(Arc::clone(types)))),
        Op::QuantizedBits(q) => Some(exact::bits_cast(q).map(Cast::One)),
        Op::Firmware(firmware) => match &**firmware {
            Firmware::Input { target, .. } => Some(Some(Cast::One(*target))),
            Firmware::Cast(target) => Some(Some(Cast::One(*target))),
            Firmware::CastEach(types) => Some(Some(Cast::EachOrNone(Arc::clone(types)))),
            _ => None,
        },
        Op::QuantizedRelu(q) => Some(exact::relu_cast(q).map(Cast::Relu)),
        Op::QuantizedCurve(q) => Some(exact::curve_cast(q).map(Cast::One)),
        _ => None,
    }
}

/// One layer in one leg.
#[derive(Debug)]
pub(super) struct LegLayer<'a> {
    leg: &'a str,
    values: &'a Arc<LaneBlock>,
    own: Option<&'a Arc<LaneBlock>>,
    same_as: Option<CallId>,
    ending: Ending,
    /// The cast at the end, and what it did to each element.
    cast: Option<Cast>,
    casts: Vec<Option<ExplainedCast>>,
    /// The type of all elements, without a cast.
    result_t: Option<FixedType>,
    inner: Vec<InnerQuantizer>,
}

impl<'a> LegLayer<'a> {
    /// The layer of call `call`; `None` where the leg never forms its tensor. `result_t` is its type
    /// in the engine's plan.
    pub(super) fn new(
        leg: &'a LegEvent<'_>,
        call: CallId,
        result_t: Option<FixedType>,
    ) -> Option<Self> {
        let values = leg.aligned[call.0].as_ref()?;
        let last = ending(leg.typed, leg.typed.aligned[call.0]?.node);
        let node = &leg.typed.nodes[last.0];
        let of_other = leg.typed.aligned[node.origin.0]
            .is_some_and(|a| node.origin != call && ending(leg.typed, a.node) == last);
        let mut layer = Self {
            leg: leg.name,
            values,
            own: leg.own[call.0].as_ref(),
            same_as: of_other.then_some(node.origin),
            ending: match (&node.edge, node.rules.arithmetic) {
                (EdgeType::Derived, Rounding32::Float32) => Ending::Float32,
                _ => Ending::Exact,
            },
            cast: None,
            casts: Vec::new(),
            result_t,
            inner: Vec::new(),
        };
        if of_other {
            return Some(layer);
        }
        for (n, inside) in leg.typed.nodes.iter().enumerate() {
            let Some(found) = quantizer(&inside.op).filter(|_| inside.origin == call) else {
                continue;
            };
            let casts = found.as_ref().map(|c| apply(c, inside, NodeId(n), &leg.nodes));
            if NodeId(n) == last {
                layer.ending = if found.is_some() { Ending::Cast } else { Ending::Other };
                layer.cast = found;
                layer.casts = casts.unwrap_or_default();
            } else if let (Some(found), Some(casts)) = (found, casts) {
                layer.inner.push(InnerQuantizer {
                    name: inside.name.clone(),
                    result_t: found.common(),
                    elements: casts.len() as u64,
                    actions: actions(&casts),
                });
            }
        }
        Some(layer)
    }

    /// Elements.
    pub(super) fn elements(&self) -> usize {
        self.values.elements
    }

    /// The type of an element, if it has one in this leg.
    pub(super) fn target(&self, element: usize) -> Option<FixedType> {
        self.cast.as_ref().and_then(|c| c.target(element)).or(self.result_t)
    }

    /// The record of the whole tensor.
    pub(super) fn tensor(&self, model: &Model, reference: Option<&Self>) -> ExplainedTensor {
        let count = |f: &dyn Fn(usize) -> bool| (0..self.elements()).filter(|&e| f(e)).count();
        let compared =
            |f: &dyn Fn(&Self, usize) -> bool| reference.map(|r| count(&|e| f(r, e)) as u64);
        let is = |wanted| move |r: &Self, e: usize| self.relation(Some(r), e) == wanted;
        ExplainedTensor {
            leg: self.leg.to_owned(),
            formed: true,
            same_as: self.same_as.map(|c| model.call_name(c)),
            result_t: match &self.cast {
                Some(cast) => cast.common(),
                None => self.result_t,
            },
            quantizer: self.ending,
            elements: self.elements() as u64,
            actions: actions(&self.casts),
            flagged: count(&|e| self.values.band(e, 0).2 != Flags::NONE) as u64,
            mismatches: compared(&is(Relation::Differs)),
            own_mismatches: compared(&|r, e| self.own_value(r, e).is_some()),
            ambiguous: compared(&is(Relation::Ambiguous)),
            inner: self.inner.clone(),
        }
    }

    /// The record of one element. `target` is the type in which it is spelled.
    pub(super) fn value(
        &self,
        element: usize,
        target: Option<FixedType>,
        reference: Option<&Self>,
    ) -> ExplainedValue {
        let (lo, hi, flags) = self.values.band(element, 0);
        let value = self.values.value(element, 0);
        let raw = target.and_then(|t| bits::raw_of(value, t));
        ExplainedValue {
            leg: self.leg.to_owned(),
            value,
            fixed: target,
            raw: raw.and_then(|r| i64::try_from(r).ok()),
            bits: raw.zip(target).map(|(r, t)| bits::of_raw(r, t)),
            cast: self.cast_of(element).cloned(),
            relation: self.relation(reference, element),
            own: reference.and_then(|r| self.own_value(r, element)),
            band: (lo < hi).then_some([lo, hi]),
            flags: Flag::ALL
                .into_iter()
                .filter(|f| flags.has(*f))
                .map(|f| f.name().to_owned())
                .collect(),
        }
    }

    /// What the quantizer at the end did to an element.
    pub(super) fn cast_of(&self, element: usize) -> Option<&ExplainedCast> {
        self.casts.get(element)?.as_ref()
    }

    /// How an element relates to the reference's.
    pub(super) fn relation(&self, reference: Option<&Self>, element: usize) -> Relation {
        let Some(reference) = reference else { return Relation::Reference };
        match compare::relation(reference.values, self.values, element) {
            compare::Relation::Equal => Relation::Equal,
            compare::Relation::Ambiguous => Relation::Ambiguous,
            compare::Relation::Mismatch => Relation::Differs,
        }
    }

    /// What the leg's layer gives for the reference's input, where that is an own mismatch.
    pub(super) fn own_value(&self, reference: &Self, element: usize) -> Option<f64> {
        let own = self.own?;
        let both = [reference.values, own];
        let differs = compare::relation(both[0], own, element) == compare::Relation::Mismatch;
        (differs && compare::all_finite(&both, element)).then(|| own.value(element, 0))
    }
}

/// The record of a layer that a leg never forms.
pub(super) fn not_formed(leg: &str, is_reference: bool) -> ExplainedTensor {
    let none = (!is_reference).then_some(0);
    ExplainedTensor {
        leg: leg.to_owned(),
        formed: false,
        same_as: None,
        result_t: None,
        quantizer: Ending::Exact,
        elements: 0,
        actions: Actions::default(),
        flagged: 0,
        mismatches: none,
        own_mismatches: none,
        ambiguous: none,
        inner: Vec::new(),
    }
}

/// The node behind which nothing but the shape changes.
fn ending(typed: &TypedModel, mut node: NodeId) -> NodeId {
    while let (Op::Reshape | Op::Identity, Some(&argument)) =
        (&typed.nodes[node.0].op, typed.nodes[node.0].inputs.first())
    {
        node = argument;
    }
    node
}

/// What a quantizer did to each element.
fn apply(
    cast: &Cast,
    node: &TypedNode,
    id: NodeId,
    nodes: &NodeValues,
) -> Vec<Option<ExplainedCast>> {
    let (result, dialect): (_, Dialect) = (nodes.result(id), node.rules.dialect);
    let of_event = match &node.op {
        Op::Firmware(firmware) => match **firmware {
            Firmware::Input { index, .. } => Some(nodes.event(index)),
            _ => None,
        },
        _ => None,
    };
    let argument = node.inputs.first().map(|&n| nodes.feed(n));
    (0..result.elements)
        .map(|e| {
            let x = match of_event {
                Some(event) => *event.get(e)?,
                None => argument?.value(e, 0),
            };
            // Not max, which loses NaN.
            let from = if matches!(cast, Cast::Relu(_)) && x < 0.0 { 0.0 } else { x };
            cast::explain(from, cast.target(e)?, dialect, result.value(e, 0))
        })
        .collect()
}

fn actions(casts: &[Option<ExplainedCast>]) -> Actions {
    let mut actions = Actions::default();
    // What float32 makes of a value is another story, told by its flag.
    for cast in casts.iter().flatten().filter(|c| c.plain.is_none()) {
        actions.rounded += u64::from(!cast.dropped.is_empty());
        match cast.overflow {
            Some(OverflowAction::Wraps) => actions.wrapped += 1,
            Some(OverflowAction::Saturates | OverflowAction::Zero) => actions.saturated += 1,
            None => {}
        }
    }
    actions
}
