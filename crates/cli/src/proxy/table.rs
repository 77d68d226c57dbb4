//! The precisions of every layer of a proxy, and why.

use std::fmt::Write;

use bittrue_fixed::FixedType;
use bittrue_model::{Activation, CallId, LayerKind, Quantizer};
use bittrue_proxy::{
    EffectiveBits, NodePrecision, Rule, Typed, WideType, effective_bits, precisions,
};
use bittrue_verify::BuiltProxy;
use indicatif::HumanCount;

use crate::failure::Failure;
use crate::inspect::meaning::bits_call;

const EXPLANATION: &str = "
Precisions by HGQ's own rules. ap_fixed<W,I>: W bits, I of them before the point, the sign counted.
What a layer gives is result_t, in front of it is its exact sum; hls4ml 1.2 and newer derives its types
again, in the same way but not always with the same result.
";

/// One line: which type, what it is, why.
struct Line {
    what: &'static str,
    value: String,
    why: String,
}

/// Writes the table.
pub(super) fn write(
    text: &mut String,
    built: &BuiltProxy,
    accum_fp_max_offset: Option<i64>,
) -> Result<(), Failure> {
    text.push_str(EXPLANATION);
    let model = &built.converted.model;
    let nodes = match precisions(model, accum_fp_max_offset) {
        Ok(nodes) => nodes,
        Err(e) => {
            let _ = writeln!(text, "\nNo precisions: {e}\n  help: {}", e.help());
            return Ok(());
        }
    };
    let costs = effective_bits(model);
    let rows: Vec<(String, Vec<Line>)> = nodes
        .iter()
        .zip(&costs)
        .map(|(node, cost)| (name(built, node.call), lines(built, node, cost.as_ref())))
        .collect();
    let all = || rows.iter().flat_map(|(_, lines)| lines);
    let widths = [
        rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0).max(4),
        all().map(|l| l.what.chars().count()).max().unwrap_or(0),
        all().map(|l| l.value.chars().count()).max().unwrap_or(0),
    ];
    let [w0, w1, w2] = widths;
    let _ = writeln!(text, "\n  {:w0$}  {:w1$}  {:w2$}  set by", "node", "", "type");
    for (name, lines) in &rows {
        for (n, Line { what, value, why }) in lines.iter().enumerate() {
            let name = if n == 0 { name.as_str() } else { "" };
            let line = format!("  {name:w0$}  {what:w1$}  {value:w2$}  {why}");
            let _ = writeln!(text, "{}", line.trim_end());
        }
    }
    total(text, &costs);
    Ok(())
}

fn total(text: &mut String, costs: &[Option<EffectiveBits>]) {
    let known: u64 = costs.iter().flatten().filter_map(|c| c.operations).sum();
    let unknown = costs.iter().flatten().filter(|c| c.operations.is_none()).count();
    let _ = write!(text, "\nEBOPs    {}", HumanCount(known));
    let _ = match unknown {
        0 => writeln!(text),
        1 => writeln!(text, ", without one layer whose argument has no quantizer"),
        n => writeln!(text, ", without {n} layers whose arguments have no quantizer"),
    };
    text.push_str(
        "         bits of the argument times bits of the weight, summed over every product of one \
         event\n         (bits of a weight: from its highest to its lowest one, without sign)\n",
    );
}

fn name(built: &BuiltProxy, call: CallId) -> String {
    let layer = built.converted.model.layer_of(call);
    let class = layer.class_name.strip_prefix("HGQ>").unwrap_or(&layer.class_name);
    match class {
        "FixedPointQuantizer" | "InputLayer" => layer.name.clone(),
        class => format!("{} ({class})", layer.name),
    }
}

fn lines(built: &BuiltProxy, node: &NodePrecision, cost: Option<&EffectiveBits>) -> Vec<Line> {
    let layer = built.converted.model.layer_of(node.call);
    if let LayerKind::FixedPointQuantizer(_) = &layer.kind {
        return quantizer(built, node);
    }
    let typed = |what, typed: &Typed| Line { what, value: typed.wide.to_string(), why: why(typed) };
    let mut lines = Vec::new();
    for (what, found) in [
        ("weight_t", &node.weight),
        ("bias_t", &node.bias),
        ("accum_t", &node.accum),
        ("table_t", &node.table),
    ] {
        // A relu has no table, whatever HGQ's rules say of one.
        let is_relu = matches!(&layer.kind, LayerKind::Activation(Activation::Relu));
        if let Some(found) = found.as_ref().filter(|_| !(what == "table_t" && is_relu)) {
            lines.push(typed(what, found));
            if what == "table_t" {
                let size = node.table_size.unwrap_or_default();
                let why = "entries, by the fractional bits of the argument".to_owned();
                lines.push(Line { what: "table_size", value: size.to_string(), why });
            }
        }
    }
    if let LayerKind::UnaryLut(table) = &layer.kind {
        let value = table.table.len().to_string();
        let width = table.input.width();
        let why = format!("entries, one for each value of the argument's {width} bits");
        lines.push(Line { what: "table_size", value, why });
    }
    lines.push(typed("result_t", &node.result));
    if let Some(cost) = cost {
        let value = format!("{:.2} bits", cost.mean_weight);
        let why = format!("of a weight on average, {} at most", cost.largest_weight);
        lines.push(Line { what: "weights", value, why });
        let (value, why) = match cost.operations {
            Some(n) => (HumanCount(n).to_string(), String::new()),
            None => ("unknown".to_owned(), "no quantizer in front of it".to_owned()),
        };
        lines.push(Line { what: "EBOPs", value, why });
    }
    lines
}

/// The rule that set a type; and what HGQ refuses to register, where it is not said already.
fn why(typed: &Typed) -> String {
    match (&typed.rule, typed.wide.is_huge()) {
        (rule @ (Rule::Accumulator | Rule::Table), _) | (rule, false) => rule.to_string(),
        (Rule::WrappingSum | Rule::ExactSum(_), true) if typed.wide.bits.is_unlimited() => {
            Rule::Nothing.to_string()
        }
        (rule, true) => format!("{rule}; more than 64 bits"),
    }
}

/// A quantizer's own type, and where it comes from.
fn quantizer(built: &BuiltProxy, node: &NodePrecision) -> Vec<Line> {
    let converted = &built.converted;
    let LayerKind::FixedPointQuantizer(q) = &converted.model.layer_of(node.call).kind else {
        return Vec::new();
    };
    let one = |list: &ndarray::ArrayD<i32>| list.first().copied().unwrap_or_default();
    let (bits, integers) = (one(&q.bits), one(&q.integers));
    let fixed = u32::try_from(bits).ok().and_then(|w| {
        FixedType::new(one(&q.keep_negative) != 0, w, integers, q.rounding, q.overflow).ok()
    });
    let origin = built.source.layer_of(converted.origins[node.call.0]);
    let function = match &origin.kind {
        LayerKind::QActivation(a) => Some(a),
        LayerKind::Dense(d) => Some(&d.activation),
        LayerKind::Conv(c) => Some(&c.activation),
        LayerKind::SeparableConv(c) => Some(&c.activation),
        _ => None,
    };
    let written = match function {
        Some(Activation::Quantizer(Quantizer::QuantizedBits(q))) => bits_call(q),
        Some(Activation::Quantizer(Quantizer::QuantizedRelu(q))) => {
            format!("quantized_relu({}, {})", q.bits, q.integer)
        }
        _ => origin.class_name.clone(),
    };
    let mut lines = vec![Line {
        what: "result_t",
        value: fixed.map_or_else(|| format!("{bits} bits"), |t| t.to_string()),
        why: format!("{written} of {}", built.source.call_name(converted.origins[node.call.0])),
    }];
    if let Some(narrowed) = node.narrowed {
        let value = WideType { bits: narrowed, rounding: q.rounding, overflow: q.overflow };
        let why = "all that it needs: its argument has no more".to_owned();
        lines.push(Line { what: "needs", value: value.to_string(), why });
    }
    lines
}
