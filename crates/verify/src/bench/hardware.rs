//! What a leg costs in hardware: effective bit operations, multiplications by bits, depth of adders.

use std::collections::BTreeMap;

use bittrue_keras::exact;
use bittrue_model::{NodeId, Op, PoolKind, TypedModel, TypedNode};
use bittrue_proxy::Products;
use bittrue_record::{Hardware, Multiplications, PathStep};

/// The products of one node.
#[derive(Debug, Clone, Default)]
pub(super) struct EffectiveBits {
    /// Sum over all products of one event of the bits of the argument times those of the weight;
    /// `None` where it is not known how many bits an argument has.
    pub(super) operations: Option<u64>,
    /// Products of weights that are not zero, by bits of argument and weight.
    pub(super) products: Products,
    /// Two-input additions behind each other in the longest sum.
    pub(super) adder_depth: u32,
}

/// The products of each node that has some.
///
/// Bits of an argument are those of the quantizer that it comes from, sign included; for those of a
/// weight see [`Products`]. Where no quantizer says it, `derived` may: bits of an exact result.
pub(super) fn effective_bits(
    typed: &TypedModel,
    derived: impl Fn(NodeId) -> Option<u32>,
) -> Vec<Option<EffectiveBits>> {
    let mut widths: Vec<Option<Vec<u32>>> = Vec::with_capacity(typed.nodes.len());
    let mut all = Vec::with_capacity(typed.nodes.len());
    for (id, node) in typed.nodes.iter().enumerate() {
        let argument = node.inputs.first().and_then(|n| widths[n.0].as_deref());
        all.push(products(typed, node, argument));
        let exact = || Some(vec![derived(NodeId(id))?; node.shape.iter().product()]);
        widths.push(widths_of(node, argument).or_else(exact));
    }
    all
}

/// The bits of each element of a node's result, where a quantizer says them.
fn widths_of(node: &TypedNode, argument: Option<&[u32]>) -> Option<Vec<u32>> {
    let elements = node.shape.iter().product();
    let uniform = |width: u32| Some(vec![width; elements]);
    match &node.op {
        Op::Quantize(t) => uniform(t.width),
        Op::QuantizeEach(types) => Some(types.iter().map(|t| t.width).collect()),
        Op::QuantizedBits(q) => uniform(exact::bits_cast(q)?.width),
        Op::QuantizedRelu(q) => uniform(exact::relu_cast(q)?.width),
        Op::QuantizedCurve(q) => uniform(exact::curve_type(q)?.width),
        Op::Reshape => argument.map(<[u32]>::to_vec),
        // Values that only move keep their bits, where all have the same.
        Op::ZeroPadding(_) | Op::Permute(_) => uniform(the_same(argument?)?),
        Op::Pool(pool) if pool.kind == PoolKind::Max => uniform(the_same(argument?)?),
        Op::Table(lut) => {
            let out = lut.output;
            let bits = out.integer + out.fractional + i32::from(out.keep_negative);
            uniform(u32::try_from(bits).ok()?)
        }
        _ => None,
    }
}

fn the_same(widths: &[u32]) -> Option<u32> {
    let first = *widths.first()?;
    widths.iter().all(|&w| w == first).then_some(first)
}

fn products(typed: &TypedModel, node: &TypedNode, given: Option<&[u32]>) -> Option<EffectiveBits> {
    let (kernel, bias) = match &node.op {
        Op::Dense { kernel, bias } | Op::Conv { kernel, bias, .. } => (kernel, bias.as_ref()),
        _ => return None,
    };
    let columns = kernel.values.shape().last().copied().unwrap_or(1).max(1);
    let mut terms = vec![0_u32; columns];
    for (n, &w) in kernel.values.iter().enumerate() {
        terms[n % columns] += u32::from(w != 0.0);
    }
    if let Some(bias) = bias {
        for (terms, &b) in terms.iter_mut().zip(&bias.values) {
            *terms += u32::from(b != 0.0);
        }
    }
    let adder_depth = terms.iter().map(|&t| t.max(1).next_power_of_two().ilog2()).max()?;
    let mut found = EffectiveBits { adder_depth, ..EffectiveBits::default() };
    let counted = given.and_then(|given| match &node.op {
        Op::Conv { window, groups, .. } => {
            let cells = &typed.nodes[node.inputs.first()?.0].shape;
            Products::conv(given, cells, window, *groups, &kernel.values)
        }
        _ => Products::dense(given, &kernel.values),
    });
    if let Some(products) = counted {
        found.operations = Some(products.operations());
        found.products = products;
    }
    Some(found)
}

/// Two-input operations behind each other in one node; casts count as one, for they round.
fn depth(typed: &TypedModel, node: &TypedNode, bits: Option<&EffectiveBits>) -> u32 {
    let tree = |n: usize| n.max(1).next_power_of_two().ilog2();
    match &node.op {
        Op::Dense { .. } | Op::Conv { .. } => 1 + bits.map_or(0, |b| b.adder_depth),
        Op::Pool(_) => {
            let shape = node.inputs.first().map(|n| typed.nodes[n.0].shape.as_slice());
            let before: usize = shape.map_or(1, |s| s.iter().product());
            let after: usize = node.shape.iter().product();
            tree(before / after.max(1))
        }
        Op::Merge(_) => tree(node.inputs.len()),
        Op::Input { .. }
        | Op::Reshape
        | Op::ZeroPadding(_)
        | Op::Permute(_)
        | Op::Concatenate { .. } => 0,
        _ => 1,
    }
}

/// The whole leg; `name` gives the layer of a node.
pub(super) fn hardware(
    typed: &TypedModel,
    bits: &[Option<EffectiveBits>],
    name: impl Fn(&TypedNode) -> String,
) -> Hardware {
    let mut all: BTreeMap<(u32, u32), u64> = BTreeMap::new();
    let (mut ebops, mut unknown) = (0, Vec::new());
    for (node, bits) in typed.nodes.iter().zip(bits) {
        let Some(bits) = bits else { continue };
        match bits.operations {
            Some(n) => ebops += n,
            None => unknown.push(name(node)),
        }
        for (kind, n) in bits.products.counts() {
            *all.entry(kind).or_insert(0) += n;
        }
    }
    let mut multiplications: Vec<Multiplications> = all
        .into_iter()
        .map(|((argument_bits, weight_bits), count)| Multiplications {
            argument_bits,
            weight_bits,
            count,
        })
        .collect();
    multiplications.sort_by_key(|m| std::cmp::Reverse(m.count));
    // The longest path to each node, and where it comes from.
    let mut longest: Vec<(u32, Option<NodeId>)> = Vec::with_capacity(typed.nodes.len());
    for (node, bits) in typed.nodes.iter().zip(bits) {
        let from = node.inputs.iter().copied().max_by_key(|n| longest[n.0].0);
        let before = from.map_or(0, |n| longest[n.0].0);
        longest.push((before + depth(typed, node, bits.as_ref()), from));
    }
    let mut at = typed.outputs.iter().copied().max_by_key(|n| longest[n.0].0);
    let total = at.map_or(0, |n| longest[n.0].0);
    let mut path: Vec<PathStep> = Vec::new();
    while let Some(node) = at {
        let (until, from) = longest[node.0];
        let own = until - from.map_or(0, |n| longest[n.0].0);
        let layer = name(&typed.nodes[node.0]);
        match path.last_mut() {
            Some(last) if last.layer == layer => last.depth += own,
            _ => path.push(PathStep { layer, depth: own }),
        }
        at = from;
    }
    path.reverse();
    path.retain(|p| p.depth > 0);
    Hardware { ebops, unknown, multiplications, depth: total, critical_path: path }
}
