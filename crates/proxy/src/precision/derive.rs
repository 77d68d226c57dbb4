//! The types of each layer of a proxy, and the rule that set each.

use std::fmt;

use bittrue_fixed::{Overflow, Rounding};
use bittrue_model::{Activation, CallId, FixedPointQuantizer, LayerKind, Model, Place};
use ndarray::ArrayD;

use super::bits::{Bits, WideType};
use super::flow::{Flow, of_constant, of_quantizer};
use crate::ConvertError;

/// Why a type is what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// The type of the only reader, a quantizer of that name, which is merged into the layer.
    Merged(String),
    /// All that the quantizers behind an input can use.
    InputQuantizers(Vec<String>),
    /// All that the layer can give: nothing behind it uses less.
    Everything,
    /// What the layer can give, as far as its readers use it.
    Used,
    /// Nothing is known: no quantizer limits it.
    Nothing,
    /// The smallest type that holds every weight.
    Weights,
    /// The exact sum of so many products.
    ExactSum(usize),
    /// The integer bits of the result, which wraps in the same way, and every fractional bit of the
    /// products.
    WrappingSum,
    /// The same with fewer fractional bits, by `accum_fp_max_offset`.
    CutSum,
    /// As the accumulator.
    Accumulator,
    /// The values of the result, stored by the argument.
    Table,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Merged(name) => write!(f, "that of {name}, merged into the layer"),
            Self::InputQuantizers(names) => write!(f, "all that {} can use", names.join(" and ")),
            Self::Everything => f.write_str("all that the layer can give"),
            Self::Used => f.write_str("what the layers behind it use of all that it can give"),
            Self::Nothing => f.write_str("no quantizer limits it"),
            Self::Weights => f.write_str("the smallest that holds every weight"),
            Self::ExactSum(1) => f.write_str("the exact product"),
            Self::ExactSum(n) => write!(f, "the exact sum of {n} products"),
            Self::WrappingSum => {
                f.write_str("integer bits of the result, which wraps as the sum does")
            }
            Self::CutSum => f.write_str("fractional bits cut by accum_fp_max_offset"),
            Self::Accumulator => f.write_str("as the accumulator"),
            Self::Table => f.write_str("entries are results"),
        }
    }
}

/// A type with its rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typed {
    /// The type.
    pub wide: WideType,
    /// Why.
    pub rule: Rule,
}

/// The precisions of one layer of a proxy.
#[derive(Debug, Clone, PartialEq)]
pub struct NodePrecision {
    /// The layer's call.
    pub call: CallId,
    /// What it gives.
    pub result: Typed,
    /// Its kernel.
    pub weight: Option<Typed>,
    /// Its sum of products.
    pub accum: Option<Typed>,
    /// Its bias.
    pub bias: Option<Typed>,
    /// The table of its function.
    pub table: Option<Typed>,
    /// Entries of that table: a number of HGQ's, that hls4ml may not follow.
    pub table_size: Option<i64>,
    /// For a quantizer that needs fewer bits than it has: the bits that HGQ leaves it when it
    /// registers precisions or makes tables.
    pub narrowed: Option<Bits>,
}

/// The precisions that HGQ derives for every layer of a proxy, in the order of its calls.
/// `accum_fp_max_offset` is HGQ's argument of that name.
///
/// # Errors
/// Where HGQ's derivation raises an error, naming the layer. Types that are too wide to be registered
/// are no error here.
pub fn precisions(
    model: &Model,
    accum_fp_max_offset: Option<i64>,
) -> Result<Vec<NodePrecision>, ConvertError> {
    let flow = Flow::of(model)?;
    let derivation = Derivation { model, flow: &flow, offset: accum_fp_max_offset };
    model.call_ids().map(|id| derivation.node(id)).collect()
}

/// The type of what one layer gives.
pub(crate) fn result_type(
    model: &Model,
    flow: &Flow,
    id: CallId,
) -> Result<WideType, ConvertError> {
    let typed = Derivation { model, flow, offset: None }.result(id)?;
    Ok(typed.wide)
}

struct Derivation<'a> {
    model: &'a Model,
    flow: &'a Flow,
    offset: Option<i64>,
}

impl Derivation<'_> {
    fn node(&self, id: CallId) -> Result<NodePrecision, ConvertError> {
        let kind = &self.model.layer_of(id).kind;
        let result = self.result(id)?;
        let mut node = NodePrecision {
            call: id,
            result,
            weight: None,
            accum: None,
            bias: None,
            table: None,
            table_size: None,
            narrowed: None,
        };
        match kind {
            LayerKind::Dense(d) => self.sum(&mut node, &d.kernel, d.bias.is_some()),
            LayerKind::Conv(c) => self.sum(&mut node, &c.kernel, c.bias.is_some()),
            LayerKind::Activation(a) => self.table(&mut node, a)?,
            LayerKind::FixedPointQuantizer(q) => {
                // Behind bits that have run over HGQ refuses to register precisions.
                let arguments = &self.model.call(id).inputs;
                if !arguments.iter().any(|a| self.flow.run_over[a.0]) {
                    node.narrowed = self.flow.narrowed[id.0].filter(|n| *n != of_quantizer(q));
                }
            }
            _ => {}
        }
        Ok(node)
    }

    /// The quantizer that is merged into a layer: its only reader, with one type for all elements.
    fn merged(&self, id: CallId) -> Option<(CallId, &FixedPointQuantizer)> {
        let &[reader] = self.flow.readers[id.0].as_slice() else { return None };
        let LayerKind::FixedPointQuantizer(q) = &self.model.layer_of(reader).kind else {
            return None;
        };
        let uniform = [&q.keep_negative, &q.bits, &q.integers]
            .into_iter()
            .all(|list| list.iter().all(|v| list.first() == Some(v)));
        uniform.then_some((reader, q))
    }

    fn result(&self, id: CallId) -> Result<Typed, ConvertError> {
        if let Some((reader, q)) = self.merged(id) {
            let wide =
                WideType { bits: of_quantizer(q), rounding: q.rounding, overflow: q.overflow };
            return Ok(Typed { wide, rule: Rule::Merged(self.model.call_name(reader)) });
        }
        if matches!(self.model.layer_of(id).kind, LayerKind::Input) {
            return self.input(id);
        }
        let (produced, requested) = (self.flow.produced[id.0], self.flow.requested[id.0]);
        let mut bits = Bits {
            keep_negative: produced.keep_negative,
            integer: produced.integer.min(requested.integer),
            fractional: produced.fractional.min(requested.fractional),
        };
        if produced.fractional > requested.fractional && produced.integer <= requested.integer {
            bits.integer += 1;
        }
        let rule = match () {
            () if bits.is_unlimited() => Rule::Nothing,
            () if bits == produced => Rule::Everything,
            () => Rule::Used,
        };
        Ok(Typed { wide: WideType::cut(bits), rule })
    }

    /// An input holds what its quantizers can use.
    fn input(&self, id: CallId) -> Result<Typed, ConvertError> {
        let nothing = Typed { wide: WideType::cut(Bits::ANYTHING), rule: Rule::Nothing };
        let mut quantizers = Vec::new();
        for &reader in &self.flow.readers[id.0] {
            let LayerKind::FixedPointQuantizer(q) = &self.model.layer_of(reader).kind else {
                return Ok(nothing);
            };
            quantizers.push((self.model.call_name(reader), q));
        }
        let Some((_, first)) = quantizers.first() else { return Ok(nothing) };
        if quantizers.iter().any(|(_, q)| q.overflow != first.overflow) {
            return Err(ConvertError::new(
                Place::layer(self.model.call_name(id)),
                "its quantizers have different overflow modes (HGQ: AssertionError, input layer \
                 has different SATs)",
                "give all quantizers of one input the same `symmetric`, or one quantizer for all \
                 readers",
            ));
        }
        let mut bits: Option<Bits> = None;
        for (_, q) in &quantizers {
            let mut own = of_quantizer(q);
            own.fractional += match q.rounding {
                Rounding::Trn => 0,
                Rounding::Rnd => 1,
                _ => 2,
            };
            bits = Some(bits.map_or(own, |b| b.union(own)));
        }
        let wide = WideType {
            bits: bits.unwrap_or(Bits::ANYTHING),
            rounding: Rounding::Trn,
            overflow: first.overflow,
        };
        let names = quantizers.iter().map(|(name, _)| name.clone()).collect();
        Ok(Typed { wide, rule: Rule::InputQuantizers(names) })
    }

    fn sum(&self, node: &mut NodePrecision, kernel: &ArrayD<f32>, has_bias: bool) {
        let weights = WideType::cut(of_constant(kernel));
        let produced = self.flow.produced[node.call.0];
        let result = node.result.wide;
        let units = kernel.shape().last().copied().unwrap_or(1).max(1);
        let cut = self.offset.map(|offset| result.bits.fractional + offset);
        let fractional = cut.map_or(produced.fractional, |cut| cut.min(produced.fractional));
        let wraps = result.overflow == Overflow::Wrap;
        let bits = match wraps {
            true => Bits { fractional, ..result.bits },
            false => Bits { fractional, ..produced },
        };
        let rule = match (fractional < produced.fractional, wraps) {
            (true, _) => Rule::CutSum,
            (false, true) => Rule::WrappingSum,
            (false, false) => Rule::ExactSum(kernel.len() / units),
        };
        let accum = WideType::cut(bits);
        node.weight = Some(Typed { wide: weights, rule: Rule::Weights });
        node.accum = Some(Typed { wide: accum, rule });
        node.bias = has_bias.then_some(Typed { wide: accum, rule: Rule::Accumulator });
    }

    fn table(&self, node: &mut NodePrecision, function: &Activation) -> Result<(), ConvertError> {
        let argument = self.model.call(node.call).inputs.first();
        let argument = argument.map_or(Bits::ANYTHING, |a| self.flow.produced[a.0]);
        node.table = Some(Typed { wide: node.result.wide, rule: Rule::Table });
        let range = match function {
            Activation::Tanh => Some(8),
            Activation::Sigmoid => Some(16),
            _ => None,
        };
        node.table_size = Some(match range {
            Some(range) => {
                // The table itself rounds and saturates.
                node.result.wide = WideType::cut(node.result.wide.bits);
                table_of_range(range, argument.fractional)
                    .ok_or_else(|| self.unlimited(node.call))?
            }
            // HGQ computes with an int64 that runs over.
            None => match argument.width() {
                width @ 0..63 => 1 << width,
                63 => i64::MIN,
                64.. => 0,
                _ => return Err(self.unlimited(node.call)),
            },
        });
        Ok(())
    }

    fn unlimited(&self, id: CallId) -> ConvertError {
        ConvertError::new(
            Place::layer(self.model.call_name(id)),
            "HGQ finds no size for the table of its function: nothing limits its argument \
             (OverflowError)",
            "put a quantized_bits(…, alpha=1) in front of it",
        )
    }
}

/// Entries of a table for so many units of the argument.
fn table_of_range(range: i64, fractional: i64) -> Option<i64> {
    match fractional {
        0..=58 => Some(range << fractional),
        -60..0 => Some(range >> -fractional),
        _ => None,
    }
}
