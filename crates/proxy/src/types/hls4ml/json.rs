//! The derived types as JSON, in the form of `types_*.json`.

use std::fmt::Write as _;

use super::graph::{Graph, Kind, Node};
use super::precision::Precision;

/// `{node: {class, inputs, result_t, …}}` with the keys that each node has.
pub(super) fn write(graph: &Graph) -> String {
    let mut text = String::from("{");
    for (n, &id) in graph.order.iter().enumerate() {
        let node = &graph.nodes[id];
        let comma = if n == 0 { "" } else { "," };
        let _ = write!(text, "{comma}\n {}: {{", quoted(&node.name));
        let mut fields = vec![
            format!("\"class\": {}", quoted(&node.class)),
            format!("\"inputs\": [{}]", inputs(graph, node)),
        ];
        fields.extend(types(node));
        fields.extend(quantizer(node));
        let _ = write!(text, "\n  {}\n }}", fields.join(",\n  "));
    }
    text.push_str("\n}\n");
    text
}

fn inputs(graph: &Graph, node: &Node) -> String {
    if matches!(node.kind, Kind::Input { .. }) {
        return quoted("input");
    }
    let names: Vec<String> = node.inputs.iter().map(|&n| quoted(&graph.nodes[n].name)).collect();
    names.join(", ")
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
