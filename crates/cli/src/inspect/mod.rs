//! `verify inspect`: what a model really says.

mod layers;
mod ledger;
pub(crate) mod meaning;

use std::fmt::Write;

use bittrue_block::Storage;
use bittrue_engine::EdgeInfo;
use bittrue_model::{Activation, CallId, Conv, Dense, LayerKind, SeparableConv};
use bittrue_record::ExitCode;
use bittrue_verify::{Beside, ErrorKind, Leg, LoadedModel, Session};

use crate::args::InspectArgs;
use crate::failure::Failure;
use crate::legs::DEFAULT_TARGETS;

pub(crate) fn inspect(args: &InspectArgs) -> Result<ExitCode, Failure> {
    let loaded = LoadedModel::open(&args.model.model)?;
    let model = loaded.model.clone();
    let mut text = header(&loaded)?;
    layers::write(&mut text, &model);
    // The proxies are a second opinion: a model that cannot be converted can still be looked at.
    let (reference, targets): (Leg, &[Leg]) = match &args.model.proxy {
        Some(_) => (Leg::Qkeras, &[Leg::Proxy]),
        None if loaded.is_proxy() => (Leg::Proxy, &[]),
        None => (Leg::Qkeras, &DEFAULT_TARGETS),
    };
    // A proxy file that is named has to be right.
    let beside = Beside::open(args.model.proxy.as_deref(), None, &loaded)?;
    match Session::new(loaded, beside, reference, targets, Vec::new()) {
        Ok(session) => legs(&mut text, &session),
        Err(e) if e.kind() == ErrorKind::Conversion => {
            let _ = writeln!(text, "\nNo proxy: {e}");
            if let Some(help) = e.help() {
                let _ = writeln!(text, "  help: {help}");
            }
        }
        Err(e) => return Err(e.into()),
    }
    ledger::write(&mut text, &model);
    // Names and values are the file's own.
    let text: String = text.lines().map(|line| bittrue_report::clean(line) + "\n").collect();
    crate::print(&text)?;
    Ok(ExitCode::Success)
}

fn header(loaded: &LoadedModel) -> Result<String, Failure> {
    let info = loaded.info()?;
    let model = &loaded.model;
    let names = |calls: &[CallId]| -> String {
        let one = |c: &CallId| format!("{} {:?}", model.call_name(*c), model.call(*c).shape);
        calls.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    let parameters = model.layers.iter().flat_map(|l| l.kind.parameters());
    let parameters = parameters.map(|p| p.values.len()).sum();
    Ok(format!(
        "Model    {} ({}, {} layers, {} parameters)\nSHA-256  {}\nInputs   {}\nOutputs  {}\n",
        info.path,
        info.class,
        model.layers.len(),
        layers::count(parameters),
        info.sha256,
        names(&model.inputs),
        names(&model.outputs),
    ))
}

/// What each leg makes of each layer.
fn legs(text: &mut String, session: &Session) {
    let model = &session.loaded.model;
    let engine = &session.engine;
    let how = |leg: usize, call: CallId| match engine.edge(leg, call) {
        None => "not formed".to_owned(),
        Some(EdgeInfo { storage: Storage::Real, exact: false }) => "float32".to_owned(),
        Some(EdgeInfo { storage: Storage::Real, exact: true }) => "exact reals".to_owned(),
        Some(EdgeInfo { .. }) => "integers".to_owned(),
    };
    let reference = engine.leg(0);
    let mut rows = vec![vec!["layer".to_owned(), format!("{reference} is")]];
    rows[0].extend((1..engine.legs()).map(|leg| engine.leg(leg).to_owned()));
    if reference == Leg::Proxy.name() {
        rows[0].push("result_t".to_owned());
    }
    for &call in &session.calls {
        let target = |leg: usize| match engine.result_t(leg, call) {
            Some(t) => t.to_string(),
            None => how(leg, call),
        };
        let mut row = vec![model.call_name(call)];
        if reference == Leg::Proxy.name() {
            row.extend([how(0, call), target(0)]);
        } else {
            row.push(certainty(session, call));
            row.extend((1..engine.legs()).map(target));
        }
        rows.push(row);
    }
    text.push_str(match reference == Leg::Proxy.name() {
        true => "\nThe proxy: how each layer is computed, and its result_t\n",
        false => "\nLegs: where the reference is proven exact, and the proxies' result_t\n",
    });
    let columns = rows[0].len();
    let width = |c: usize| rows.iter().map(|r| r[c].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in &rows {
        let mut line = String::from(" ");
        for (cell, &width) in row.iter().zip(&widths) {
            let _ = write!(line, " {cell:width$} ");
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    for w in &session.warnings {
        let layer = w.layer.as_deref().unwrap_or("model");
        let _ = writeln!(text, "warning[{}] {layer}: {}", w.code, w.text);
    }
}

/// What is known of the reference's values without any event: exact by proof, or float32 and why.
fn certainty(session: &Session, call: CallId) -> String {
    if session.proven[call.0] {
        return "exact".to_owned();
    }
    let model = &session.loaded.model;
    let inputs = &model.call(call).inputs;
    let raw = |c: &CallId| matches!(model.layer_of(*c).kind, LayerKind::Input);
    let why = if let Some(&unproven) = inputs.iter().find(|c| !session.proven[c.0]) {
        format!(": behind {}", model.call_name(unproven))
    } else if inputs.iter().any(raw) {
        ": its input has no fixed type".to_owned()
    } else {
        // What a quantizer makes of a sum is on its grid, so the sum is what is not proven.
        let rounded = session.engine.edge(0, call).is_some_and(|e| e.storage != Storage::Real);
        match &model.layer_of(call).kind {
            LayerKind::Dense(Dense { activation, .. })
            | LayerKind::Conv(Conv { activation, .. })
            | LayerKind::SeparableConv(SeparableConv { activation, .. })
                if rounded || matches!(activation, Activation::Linear) =>
            {
                ": its sums may need more than 24 bits".to_owned()
            }
            LayerKind::BatchNorm(_) => ": a product with a number on no grid".to_owned(),
            _ => String::new(),
        }
    };
    format!("float32{why}")
}
