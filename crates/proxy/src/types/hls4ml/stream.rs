//! `IOType: io_stream`: tensors are streams of packs, a pack being the last axis. hls4ml clones what
//! is read more than once and repacks what is reshaped; its C++ cannot do all that it converts.

use bittrue_model::Place;

use super::build::refuse;
use super::configure::default_result;
use super::graph::{Cells, Closest, Graph, Kind, Node, Types};
use crate::{ConvertError, HlsConfig};

/// Most readers that hls4ml clones a stream for.
const MOST_CLONES: usize = 7;

/// The passes of hls4ml's flow `streaming`.
///
/// # Errors
///
/// For what hls4ml refuses to convert, and for what its C++ does not come through.
pub(super) fn stream(graph: &mut Graph, config: &HlsConfig) -> Result<(), ConvertError> {
    for &id in &graph.order {
        check_node(&graph.nodes[id])?;
    }
    repack(graph);
    check_flattened(graph)?;
    clone(graph, config)
}

fn check_node(node: &Node) -> Result<(), ConvertError> {
    let no = |what: &str, help: &str| Err(refuse(Place::layer(&node.name), what, help));
    match &node.kind {
        Kind::Quantizer(_) => no(
            "hls4ml cannot stream a quantizer that is not the only reader of its argument, or that \
             has a type for each element (NotImplementedError: Heterogenous quantization for \
             activations is only supported with IOType=io_parallel)",
            "set IOType to io_parallel, or give the argument one quantizer with one type",
        ),
        Kind::Pool { cells, .. } if node.class != "GlobalPooling1D" => {
            if padded(cells) {
                return no(
                    "hls4ml's C++ ends at an assertion for a padded pooling in a stream",
                    "use padding='valid' and a window that divides the axis, or IOType: io_parallel",
                );
            }
            if cells.size.len() > 1 && cells.size != cells.strides {
                return no(
                    "hls4ml's C++ ends at an assertion for a pooling in a stream whose strides are \
                     not its window",
                    "use strides equal to pool_size, or IOType: io_parallel",
                );
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Whether a window reaches over an end.
pub(super) fn padded(cells: &Cells) -> bool {
    (0..cells.size.len()).any(|axis| {
        let last = cells.output[axis].saturating_sub(1) * cells.strides[axis] + cells.size[axis];
        cells.before[axis] > 0 || last > cells.input[axis]
    })
}

/// `inplace_stream_flatten`, `reshape_stream`: what becomes one axis stays the stream that it is, and
/// everything else is packed anew, in its own type.
fn repack(graph: &mut Graph) {
    for id in graph.order.clone() {
        if !matches!(graph.nodes[id].kind, Kind::Reshape) {
            continue;
        }
        if graph.nodes[id].shape.len() == 1 && !graph.outputs.contains(&id) {
            let source = graph.nodes[id].inputs[0];
            graph.nodes[id].types.result = graph.nodes[source].types.result;
        } else {
            let node = &mut graph.nodes[id];
            node.name = format!("repack_{}", node.name);
            node.class = "Repack".to_owned();
        }
    }
}

/// Elements of a pack of a node's result.
fn pack(graph: &Graph, id: usize) -> usize {
    let node = &graph.nodes[id];
    match node.kind {
        Kind::Reshape if node.class != "Repack" => pack(graph, node.inputs[0]),
        _ => node.shape.last().copied().unwrap_or(1),
    }
}

/// A flattened stream still has its old packs. Dense layers and concatenations count them; what else
/// reads them takes a pack for the whole.
fn check_flattened(graph: &Graph) -> Result<(), ConvertError> {
    for &id in &graph.order {
        let node = &graph.nodes[id];
        if !matches!(node.kind, Kind::Reshape)
            || node.class == "Repack"
            || pack(graph, id) == node.elements()
        {
            continue;
        }
        for reader in graph.readers(id) {
            let reader = &graph.nodes[reader];
            if !matches!(reader.kind, Kind::Dense { .. } | Kind::Concatenate { .. } | Kind::Reshape)
            {
                return Err(refuse(
                    Place::layer(&reader.name),
                    format!(
                        "it reads `{}`, which hls4ml flattens by leaving the stream as it is: its C++ \
                         takes one pack of {} for all {} elements, and what it gives then means nothing",
                        node.name,
                        pack(graph, id),
                        node.elements()
                    ),
                    "let only Dense and Concatenate layers read a Flatten, or use IOType: io_parallel",
                ));
            }
        }
    }
    Ok(())
}

/// `clone_output`.
fn clone(graph: &mut Graph, config: &HlsConfig) -> Result<(), ConvertError> {
    for id in graph.order.clone() {
        let is_output = graph.outputs.contains(&id);
        let inputs = graph.order.iter().flat_map(|&n| &graph.nodes[n].inputs);
        let uses = inputs.filter(|&&n| n == id).count() + usize::from(is_output);
        if uses < 2 {
            continue;
        }
        let source = graph.nodes[id].clone();
        if uses > MOST_CLONES {
            return Err(refuse(
                Place::layer(&source.name),
                format!(
                    "it is read {uses} times, and hls4ml copies a stream at most {MOST_CLONES} times \
                     (ValueError: ERROR: Cloning output)"
                ),
                "let fewer layers read it, or use IOType: io_parallel",
            ));
        }
        // A Repack has its type by hand; its attribute, which a Clone copies, is still the default.
        let is_repack = source.class == "Repack";
        let result = match is_repack {
            true => Some(default_result(&source.name, "Repack", config)?),
            false => source.types.result,
        };
        let readers = graph.readers(id);
        let new = graph.nodes.len();
        graph.nodes.push(Node {
            name: format!("clone_{}", source.name),
            class: "Clone".to_owned(),
            kind: Kind::Clone { is_output },
            inputs: vec![id],
            types: Types { result, ..Types::default() },
            forms: Vec::new(),
            ..source
        });
        for reader in readers {
            for input in &mut graph.nodes[reader].inputs {
                if *input == id {
                    *input = new;
                }
            }
        }
        for output in &mut graph.outputs {
            if *output == id {
                *output = new;
            }
        }
        if is_repack && result != graph.nodes[id].types.result {
            let name = graph.nodes[id].name.clone();
            let text =
                "hls4ml copies this stream in the default precision of the configuration, not in \
                        the type of its values"
                    .to_owned();
            graph.warnings.push((name, text));
            let forms = std::mem::take(&mut graph.nodes[id].forms);
            graph.nodes[new].forms = forms;
            for (_, closest) in &mut graph.lost {
                if *closest == Closest::Result(id) {
                    *closest = Closest::Result(new);
                }
            }
        }
        let at = graph.order.iter().position(|&n| n == id).map_or(graph.order.len(), |n| n + 1);
        graph.order.insert(at, new);
    }
    Ok(())
}
