//! Quantizers that become the type of what they read, and the types of inputs.

use bittrue_fixed::{Overflow, Rounding};
use bittrue_model::{CallId, Place};

use super::build::refuse;
use super::graph::{Closest, Graph, Kind, Quantizer};
use super::kif::largest;
use super::precision::Precision;
use super::produce::Derivation;
use crate::ConvertError;

/// Fuses the first quantizer that can be; whether there was one.
pub(super) fn fuse_one(graph: &mut Graph, fused: &mut [bool]) -> bool {
    for id in graph.order.clone() {
        let Kind::Quantizer(q) = &graph.nodes[id].kind else { continue };
        let Some(precision) = single_type(q, graph.nodes[id].types.result) else { continue };
        let source = graph.nodes[id].inputs[0];
        if graph.readers(source).len() != 1 {
            continue;
        }
        let forms = graph.nodes[id].forms.clone();
        propagate(graph, source, precision, graph.nodes[id].call, fused);
        graph.nodes[source].forms = forms;
        graph.remove(id);
        return true;
    }
    false
}

/// The type that a quantizer gives to what it reads, if all elements have the same.
fn single_type(q: &Quantizer, result: Option<Precision>) -> Option<Precision> {
    let [k, i, f] = q.formats.at(0);
    let (b, integer) = (k + i + f, k + i);
    // Sign, width and integer bits are each the same everywhere.
    let same = (1..q.formats.len()).all(|n| q.formats.at(n) == [k, i, f]);
    if !same {
        return None;
    }
    if q.rounding == Rounding::Trn && q.overflow == Overflow::Wrap {
        return result;
    }
    // M7: a quantizer without bits keeps one.
    Some(Precision {
        signed: k != 0,
        width: b.max(1),
        integer,
        rounding: q.rounding,
        overflow: q.overflow,
    })
}

/// Gives `id` the type of the quantizer `call`, and what it only passes on too.
fn propagate(graph: &mut Graph, id: usize, precision: Precision, call: CallId, fused: &mut [bool]) {
    if fused[id] {
        // M14.
        let text = "two quantizers in a row: hls4ml keeps the last only".to_owned();
        graph.warnings.push((graph.nodes[id].name.clone(), text));
    }
    fused[id] = true;
    graph.lose(id, closest(graph, id));
    graph.nodes[id].cast = call;
    graph.nodes[id].types.result = Some(precision);
    if !matches!(graph.nodes[id].kind, Kind::Reshape | Kind::Transpose { .. }) {
        return;
    }
    let source = graph.nodes[id].inputs[0];
    if graph.readers(source).len() != 1 {
        return;
    }
    graph.nodes[id].types.result =
        Some(Precision { rounding: Rounding::Trn, overflow: Overflow::Wrap, ..precision });
    propagate(graph, source, precision, call, fused);
}

/// Where a value before a fused quantizer would be: a Reshape has none of its own.
fn closest(graph: &Graph, mut id: usize) -> Closest {
    while matches!(graph.nodes[id].kind, Kind::Reshape) {
        let source = graph.nodes[id].inputs[0];
        if graph.readers(source).len() != 1 {
            return Closest::Result(source);
        }
        id = source;
    }
    Closest::BeforeCast(id)
}

/// The pass `fix_input_precision`.
pub(super) fn fix_inputs(graph: &mut Graph) -> Result<(), ConvertError> {
    for id in graph.order.clone() {
        let node = &graph.nodes[id];
        let is_input = matches!(node.kind, Kind::Input { .. });
        let Some(old) = node.types.result.filter(|t| is_input && t.width > 100) else { continue };
        let (mut layers, mut quantizers) = (Vec::new(), Vec::new());
        chain(graph, id, &mut layers, &mut quantizers)?;
        if quantizers.is_empty() {
            graph.nodes[id].types.result = Some(Precision::of([0, 0, 1]));
            continue;
        }
        let modes: Vec<(Rounding, Overflow)> = quantizers
            .iter()
            .filter_map(|&q| match &graph.nodes[q].kind {
                Kind::Quantizer(q) => Some((q.rounding, q.overflow)),
                _ => None,
            })
            .collect();
        let mut derivation = Derivation::new(graph);
        let [k, i, _] = quantizers
            .iter()
            .map(|&q| derivation.produce(q).max())
            .reduce(largest)
            .unwrap_or([0; 3]);
        // M16: other modes see what is left of the input at 24 fractional bits.
        let plain = modes.iter().all(|(r, _)| matches!(r, Rounding::Trn | Rounding::Rnd));
        let f = if plain { old.fractional() } else { 24 };
        let mut precision = Precision::of([k, i, f]);
        let saturates =
            |o: &Overflow| matches!(o, Overflow::Sat | Overflow::SatZero | Overflow::SatSym);
        precision.overflow =
            if modes.iter().all(|(_, o)| saturates(o)) { Overflow::Sat } else { Overflow::Wrap };
        let node = &mut derivation.graph.nodes[id];
        node.types.result = Some(precision);
        node.trusted = true;
        for &layer in &layers {
            derivation.produce_again(layer);
        }
        for &layer in &layers {
            derivation.register(layer);
        }
    }
    Ok(())
}

/// The quantizers behind an input, and the layers between.
fn chain(
    graph: &Graph,
    id: usize,
    layers: &mut Vec<usize>,
    quantizers: &mut Vec<usize>,
) -> Result<(), ConvertError> {
    for reader in graph.readers(id) {
        match graph.nodes[reader].kind {
            Kind::Quantizer(_) => quantizers.push(reader),
            Kind::Reshape | Kind::Transpose { .. } | Kind::Concatenate { .. } => {
                layers.push(reader);
                chain(graph, reader, layers, quantizers)?;
            }
            _ => {
                let (node, source) = (&graph.nodes[reader], &graph.nodes[id]);
                return Err(refuse(
                    Place::layer(&source.name),
                    format!(
                        "hls4ml raises ValueError (unexpected input layer chain): `{}` ({}) reads \
                         the input without a quantizer before it",
                        node.name, node.class
                    ),
                    "put a QActivation('quantized_bits(…, alpha=1)') behind the input, or give its \
                     type with --input-type",
                ));
            }
        }
    }
    Ok(())
}
