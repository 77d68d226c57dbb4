//! The derived types as JSON, in the form of `types_*.json`.

use std::fmt::Write as _;

use super::graph::{Graph, Kind, Node};
use super::precision::Precision;
use super::stream::padded;

/// `{node: {class, inputs, result_t, …}}` with the keys that each node has.
pub(super) fn write(graph: &Graph) -> String {
    let mut text = String::from("{");
    let mut push = |name: &str, class: &str, inputs: &str, more: Vec<String>| {
        let comma = if text.len() == 1 { "" } else { "," };
        let mut fields =
            vec![format!("\"class\": {}", quoted(class)), format!("\"inputs\": [{inputs}]")];
        fields.extend(more);
        let _ = write!(text, "{comma}\n {}: {{\n  {}\n }}", quoted(name), fields.join(",\n  "));
    };
    for &id in &graph.order {
        let node = &graph.nodes[id];
        let mut inputs = inputs(graph, id);
        if let Some((name, class)) = padding(graph, node) {
            let argument = graph.nodes[node.inputs[0]].types.result;
            let result = argument.map(|t| format!("\"result_t\": \"{t}\""));
            push(&name, &class, &inputs, result.into_iter().collect());
            inputs = quoted(&name);
        }
        push(
            &node.name,
            &node.class,
            &inputs,
            types(node).into_iter().chain(quantizer(node)).collect(),
        );
    }
    text.push_str("\n}\n");
    text
}

fn inputs(graph: &Graph, id: usize) -> String {
    let node = &graph.nodes[id];
    if matches!(node.kind, Kind::Input { .. }) {
        return quoted("input");
    }
    let name = |at: usize, n: usize| match graph.nodes[n].kind {
        Kind::Clone { is_output } => {
            let source = &graph.nodes[graph.nodes[n].inputs[0]].name;
            // The streams of a clone are numbered as they are read, that of the model's output first.
            let before = graph.order.iter().take_while(|&&reader| reader != id);
            let all = before.flat_map(|&reader| &graph.nodes[reader].inputs);
            let earlier = all.chain(&node.inputs[..at]).filter(|&&input| input == n).count();
            quoted(&format!("{source}_cpy{}", earlier + 1 + usize::from(is_output)))
        }
        _ => quoted(&graph.nodes[n].name),
    };
    let names: Vec<String> = node.inputs.iter().enumerate().map(|(at, &n)| name(at, n)).collect();
    names.join(", ")
}

/// Name and class of the node that pads the stream in front of a convolution.
fn padding(graph: &Graph, node: &Node) -> Option<(String, String)> {
    let Kind::Conv { cells, .. } = &node.kind else { return None };
    let dims = cells.size.len();
    let pads = graph.stream && padded(cells);
    pads.then(|| (format!("zp{dims}d_{}", node.name), format!("ZeroPadding{dims}D")))
}

fn types(node: &Node) -> Vec<String> {
    let t = &node.types;
    let all: [(&str, Option<Precision>); 7] = [
        ("result_t", t.result),
        ("accum_t", t.accum),
        ("weight_t", t.weight),
        ("bias_t", t.bias),
        ("scale_t", t.scale),
        ("table_t", t.table),
        ("param_t", t.param),
    ];
    let mut fields: Vec<String> =
        all.into_iter().filter_map(|(key, t)| Some(format!("\"{key}\": \"{}\"", t?))).collect();
    if let Some(size) = t.table_size {
        fields.push(format!("\"table_size\": {size}"));
    }
    fields
}

/// What a quantizer that stays a node of its own has left.
fn quantizer(node: &Node) -> Option<String> {
    let Kind::Quantizer(q) = &node.kind else { return None };
    let list = |f: &dyn Fn([i32; 3]) -> i32| {
        let all: Vec<String> =
            (0..q.formats.len()).map(|n| f(q.formats.at(n)).to_string()).collect();
        all.join(", ")
    };
    Some(format!(
        "\"quantizer\": {{\"RND\": \"{}\", \"SAT\": \"{}\", \"keep_negative\": [{}], \"bits\": [{}], \
         \"integers\": [{}]}}",
        q.rounding,
        q.overflow,
        list(&|[k, _, _]| k),
        list(&|[k, i, f]| k + i + f),
        list(&|[k, i, _]| k + i),
    ))
}

/// A JSON string.
fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped() {
        assert_eq!(quoted("a\"b\\\n"), "\"a\\\"b\\\\\\u000a\"");
    }
}
