//! HGQ's second pass: functions of few bits become tables (`unary_lut_max_table_size`).

use std::collections::BTreeSet;

use bittrue_fixed::Kif;
use bittrue_keras::float::HgqQuantizer;
use bittrue_keras::float::activations::{self, Position};
use bittrue_keras::{float::Mode, prepare_bits, prepare_curve, prepare_relu};
use bittrue_model::{Activation, CallId, LayerKind, Model, Place, Quantizer, UnaryLut};

use crate::file::finished_order;
use crate::precision::{Bits, Flow, WideType, narrow, result_type};
use crate::{ConvertError, Converted};

/// HGQ makes no table of so many entries or more, unless an environment variable says so.
const LIMIT: i64 = 4096;

/// Makes tables of the functions (other than relu and softmax) whose arguments have few enough bits:
/// at most `max_table_size` entries. HGQ also takes bits that are not needed from every quantizer in
/// front of a function, table or not, and builds all inputs anew.
///
/// # Errors
/// Where HGQ raises an error.
pub fn make_tables(converted: &mut Converted, max_table_size: i64) -> Result<(), ConvertError> {
    if max_table_size <= 0 {
        return Ok(());
    }
    rename(converted)?;
    let model = &converted.model;
    let flow = Flow::of(model)?;
    let mut tables: Vec<(usize, UnaryLut)> = Vec::new();
    let mut narrowed: BTreeSet<CallId> = BTreeSet::new();
    for id in finished_order(model) {
        let layer = model.layer_of(id);
        let LayerKind::Activation(function) = &layer.kind else { continue };
        if matches!(function, Activation::Relu | Activation::Softmax | Activation::Linear) {
            continue;
        }
        let Some(&argument) = model.call(id).inputs.first() else { continue };
        quantizers_before(model, argument, &mut narrowed);
        let arguments = flow.produced[argument.0];
        let entries = match arguments.width() {
            width @ ..=62 => 1i64 << width.max(0),
            _ => i64::MAX,
        };
        if entries > max_table_size {
            continue;
        }
        let place = Place::layer(&layer.name);
        let result = result_type(model, &flow, id)?;
        tables.push((model.call(id).layer, table(function, arguments, &result, entries, &place)?));
    }
    for (n, (layer, table)) in tables.into_iter().enumerate() {
        let wanted = if n == 0 { "unary_lut".to_owned() } else { format!("unary_lut_{n}") };
        if converted.model.layers.iter().any(|l| l.name == wanted) {
            return Err(taken(&wanted));
        }
        let layer = &mut converted.model.layers[layer];
        layer.name = wanted;
        layer.class_name = "HGQ>UnaryLUT".to_owned();
        layer.kind = LayerKind::UnaryLut(table);
    }
    for call in narrowed {
        if let Some(bits) = flow.narrowed[call.0] {
            narrow(converted, call, bits);
        }
    }
    Ok(())
}

/// The pass makes new inputs and a new model: the counters go on.
fn rename(converted: &mut Converted) -> Result<(), ConvertError> {
    let model = &mut converted.model;
    // Every layer of QKeras has taken one number of each.
    let thrown_away: usize =
        model.name.strip_prefix("model_").and_then(|n| n.parse().ok()).unwrap_or(0);
    model.name = format!("model_{}", thrown_away + 1);
    let first = thrown_away + model.inputs.len() + 1;
    for (n, input) in model.inputs.clone().into_iter().enumerate() {
        let name = format!("input_{}", first + n);
        let layer = model.call(input).layer;
        if model.layers.iter().enumerate().any(|(l, other)| l != layer && other.name == name) {
            return Err(taken(&name));
        }
        model.layers[layer].name = name;
    }
    Ok(())
}

fn taken(name: &str) -> ConvertError {
    ConvertError::new(
        Place::layer(name),
        "HGQ gives this name to a layer that it makes itself",
        "rename the layer",
    )
}

/// All quantizers that a call depends on, itself included.
fn quantizers_before(model: &Model, call: CallId, found: &mut BTreeSet<CallId>) {
    let mut seen = BTreeSet::new();
    let mut open = vec![call];
    while let Some(at) = open.pop() {
        if !seen.insert(at) {
            continue;
        }
        if matches!(model.layer_of(at).kind, LayerKind::FixedPointQuantizer(_)) {
            found.insert(at);
        }
        open.extend(&model.call(at).inputs);
    }
}

fn table(
    function: &Activation,
    arguments: Bits,
    result: &WideType,
    entries: i64,
    place: &Place,
) -> Result<UnaryLut, ConvertError> {
    let refused = |what: String| {
        ConvertError::new(
            place.clone(),
            format!("{what} (HGQ: AssertionError)"),
            "put a quantizer of other bits in front of it, or behind it",
        )
    };
    if arguments.width() <= 0 {
        return Err(refused("its argument has no bits, and a table of it no entries".to_owned()));
    }
    if entries >= LIMIT {
        return Err(refused(format!(
            "a table of its argument has {entries} entries, and HGQ makes none of {LIMIT} or more"
        )));
    }
    if result.bits.width() <= 0 {
        return Err(refused("its result has no bits".to_owned()));
    }
    let kif = |bits: Bits| {
        let part = |v: i64| i32::try_from(v).ok();
        Some(Kif {
            keep_negative: bits.keep_negative,
            integer: part(bits.integer)?,
            fractional: part(bits.fractional)?,
        })
    };
    let (Some(input), Some(output)) = (kif(arguments), kif(result.bits)) else {
        return Err(refused("its bits are unlimited".to_owned()));
    };
    let integers = output.integer + i32::from(output.keep_negative);
    let width = output.width().unsigned_abs();
    let modes = (result.rounding, result.overflow);
    let quantizer = HgqQuantizer::new(output.keep_negative, width, integers, modes.0, modes.1)
        .map_err(|e| refused(e.to_string()))?;
    let step = 2f64.powi(-input.fractional);
    // The index is the two's complement of the argument: first what is not negative.
    let negative_from = if input.keep_negative { entries / 2 } else { entries };
    let mut values = Vec::new();
    for n in 0..entries {
        let code = if n < negative_from { n } else { n - entries };
        values.push((code as f64 * step) as f32);
    }
    let count = values.len();
    let apply: Box<dyn Fn(usize, f32) -> f32> = match function {
        Activation::Sigmoid => {
            Box::new(|n, x| activations::sigmoid(x, Position::of(n, count)).value)
        }
        Activation::Tanh => Box::new(|_, x| activations::tanh(x)),
        Activation::Elu => Box::new(|n, x| activations::elu(x, Position::of(n, count)).value),
        Activation::Quantizer(Quantizer::QuantizedBits(q)) => {
            let q = prepare_bits(q, place)?;
            Box::new(move |_, x| q.apply(x))
        }
        Activation::Quantizer(Quantizer::QuantizedRelu(q)) => {
            let q = prepare_relu(q, Mode::Eager, place)?;
            Box::new(move |_, x| q.apply(x))
        }
        Activation::Quantizer(Quantizer::QuantizedCurve(q)) => {
            let q = prepare_curve(q, place)?;
            Box::new(move |n, x| q.apply(x, Position::of(n, count)))
        }
        Activation::Quantizer(q) => {
            return Err(refused(format!("a table of {} cannot be made", q.class_name())));
        }
        Activation::Linear | Activation::Relu | Activation::Softmax => Box::new(|_, x| x),
    };
    let table = values.iter().enumerate().map(|(n, &x)| quantizer.apply(apply(n, x))).collect();
    Ok(UnaryLut { input, output, table })
}
