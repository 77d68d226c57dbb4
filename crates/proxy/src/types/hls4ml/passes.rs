//! hls4ml's optimizer passes in their order, as far as they change a proxy.

use bittrue_model::Model;

use super::build::build;
use super::fuse::{fix_inputs, fuse_one};
use super::graph::{Closest, Graph, Kind};
use super::produce::Derivation;
use super::stream::stream;
use crate::{ConvertError, HlsConfig};

/// The graph of a proxy with all types.
pub(super) fn derive(model: &Model, config: &HlsConfig) -> Result<Graph, ConvertError> {
    let mut graph = build(model, config)?;
    graph.stream = config.stream;
    warn_of_unknown_names(&mut graph, model, config);
    let mut fused = vec![false; graph.nodes.len()];
    let quantized = |graph: &Graph| {
        graph.order.iter().any(|&n| matches!(graph.nodes[n].kind, Kind::Quantizer(_)))
    };
    let mut derived = false;
    // hls4ml starts again from the first pass after each change.
    loop {
        // Both are for arrays only.
        if !config.stream
            && (remove_transpose_before_flatten(&mut graph)
                || remove_transpose_of_one_channel(&mut graph))
        {
            continue;
        }
        if !derived && quantized(&graph) {
            Derivation::new(&mut graph).bit_exact();
            derived = true;
        }
        if derived && fuse_one(&mut graph, &mut fused) {
            continue;
        }
        break;
    }
    if !derived {
        return Err(super::build::refuse(
            bittrue_model::Place::model(),
            "the proxy has no quantizer at all, so hls4ml derives no types for it",
            "quantise the input and the activations",
        ));
    }
    fix_inputs(&mut graph)?;
    remove_trivial_normalisations(&mut graph);
    if config.stream {
        stream(&mut graph, config)?;
    } else {
        remove_final_reshapes(&mut graph);
        share_reshapes(&mut graph);
    }
    skip_softmax(&mut graph);
    shrink_softmax_tables(&mut graph);
    Ok(graph)
}

/// hls4ml ignores what is said of layers that are not there.
fn warn_of_unknown_names(graph: &mut Graph, model: &Model, config: &HlsConfig) {
    for name in config.layer_names() {
        // Some are there at first only: hls4ml writes them into configurations too.
        let linear = name.strip_suffix("_linear").unwrap_or(name);
        let of_layer = model.layers.iter().any(|l| l.name == name || l.name == linear);
        if !of_layer && !graph.nodes.iter().any(|n| n.name == name) {
            let text = "the configuration names this layer, and the proxy has none of this name: \
                        hls4ml ignores what it says";
            graph.warnings.push((name.to_owned(), text.to_owned()));
        }
    }
}

/// `remove_transpose_before_flatten` (M25, M27, M28): the rows of the Dense kernel are permuted as
/// if the Transpose were that of hls4ml's own conversion to channels last.
fn remove_transpose_before_flatten(graph: &mut Graph) -> bool {
    for id in graph.order.clone() {
        let node = &graph.nodes[id];
        if !matches!(node.kind, Kind::Reshape) || node.shape.len() != 1 {
            continue;
        }
        let transpose = node.inputs[0];
        if !matches!(graph.nodes[transpose].kind, Kind::Transpose { .. }) {
            continue;
        }
        let readers = graph.readers(id);
        let [reader] = readers[..] else { continue };
        let shape = graph.nodes[transpose].shape.clone();
        let (2..=3) = shape.len() else { continue };
        let Kind::Dense { kernel, .. } = &mut graph.nodes[reader].kind else { continue };
        // The first axis of the result becomes the last one.
        let (first, rest) = (shape[0], shape[1..].iter().product::<usize>());
        let units = kernel.len() / (first * rest).max(1);
        let old = kernel.clone();
        for b in 0..rest {
            for a in 0..first {
                for u in 0..units {
                    kernel[(b * first + a) * units + u] = old[(a * rest + b) * units + u];
                }
            }
        }
        let source = graph.nodes[transpose].inputs[0];
        graph.lose(transpose, Closest::Result(source));
        graph.lose(id, Closest::Result(id));
        graph.remove(transpose);
        return true;
    }
    false
}

/// `remove_single_channel_transpose`.
fn remove_transpose_of_one_channel(graph: &mut Graph) -> bool {
    for id in graph.order.clone() {
        let Kind::Transpose { index } = &graph.nodes[id].kind else { continue };
        let in_order = index.iter().enumerate().all(|(n, &from)| n == from);
        let input = graph.nodes[id].inputs[0];
        let is_input = matches!(graph.nodes[input].kind, Kind::Input { .. });
        if is_input && graph.nodes[input].shape.first() == Some(&1) {
            graph.nodes[input].shape.rotate_left(1);
            if in_order {
                let forms = std::mem::take(&mut graph.nodes[id].forms);
                graph.nodes[input].forms.extend(forms);
            }
            graph.drop_value(id);
            return true;
        }
    }
    false
}

/// `remove_nop_batch_normalization`.
fn remove_trivial_normalisations(graph: &mut Graph) {
    for id in graph.order.clone() {
        let Kind::Norm { scale, bias } = &graph.nodes[id].kind else { continue };
        if scale.iter().all(|&s| s == 1.0) && bias.iter().all(|&b| b == 0.0) {
            let source = graph.nodes[id].inputs[0];
            if graph.nodes[id].cast == graph.nodes[id].call {
                let forms = std::mem::take(&mut graph.nodes[id].forms);
                graph.nodes[source].forms.extend(forms);
            } else {
                // A quantizer was fused into it, and goes with it.
                graph.drop_value(id);
                continue;
            }
            graph.remove(id);
        }
    }
}

/// `remove_final_reshape`.
fn remove_final_reshapes(graph: &mut Graph) {
    while let Some(id) =
        graph.order.iter().copied().find(|&id| {
            matches!(graph.nodes[id].kind, Kind::Reshape) && graph.readers(id).is_empty()
        })
    {
        let forms = graph.nodes[id].forms.clone();
        let source = graph.nodes[id].inputs[0];
        graph.nodes[source].forms.extend(forms);
        graph.remove(id);
    }
}

/// `inplace_parallel_reshape`: the result is the argument, type and all.
fn share_reshapes(graph: &mut Graph) {
    for id in graph.order.clone() {
        if matches!(graph.nodes[id].kind, Kind::Reshape) {
            let source = graph.nodes[id].inputs[0];
            graph.nodes[id].types.result = graph.nodes[source].types.result;
        }
    }
}

/// `skip_softmax`.
fn skip_softmax(graph: &mut Graph) {
    for id in graph.order.clone() {
        if matches!(graph.nodes[id].kind, Kind::Softmax(softmax) if softmax.skip) {
            let text = "the configuration says skip: hls4ml takes the softmax out, and what follows, \
                        or the output, is its argument";
            graph.warnings.push((graph.nodes[id].name.clone(), text.to_owned()));
            graph.drop_value(id);
        }
    }
}

/// `fix_softmax_table_size`.
fn shrink_softmax_tables(graph: &mut Graph) {
    for id in graph.order.clone() {
        let Kind::Softmax(softmax) = graph.nodes[id].kind else { continue };
        if softmax.inv_size.is_some() {
            continue;
        }
        let source = graph.nodes[id].inputs[0];
        let table = softmax.inv_table.width;
        let width = graph.nodes[source].types.result.map_or(table, |t| t.width).min(table);
        let most = 1_u128 << width.clamp(0, 126);
        let size = &mut graph.nodes[id].types.table_size;
        *size = size.map(|n| n.min(most));
    }
}
