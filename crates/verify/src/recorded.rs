//! Recorded traces as targets: which layer each of their tensors is, and their values as one leg
//! more of a block.

use std::path::PathBuf;
use std::sync::Arc;

use bittrue_block::{Band, Flag, Flags, LaneBlock, Lanes, RealLanes};
use bittrue_engine::{BlockResult, LegValues};
use bittrue_io::{
    InputSpec, IoErrorKind, Precision, RecordedBands, RecordedNames, RecordedRows, RecordedTrace,
    TraceOptions, sha256_file,
};
use bittrue_model::{CallId, TypedModel};
use bittrue_record::{ComparisonMeta, LayerMeta};

use crate::compare::Scope;
use crate::session::{self, Session};
use crate::source::Source;
use crate::{Error, ErrorKind, Leg};

/// A recorded trace that is checked like a leg.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedTarget {
    /// The file.
    pub path: PathBuf,
    /// What is said of its words.
    pub options: TraceOptions,
}

impl RecordedTarget {
    /// What a leg's name begins with when it is a recorded trace.
    pub const PREFIX: &'static str = "trace:";

    /// The name in reports.
    pub fn name(&self) -> String {
        format!("{}{}", Self::PREFIX, self.path.display())
    }
}

/// The recorded traces of a run, lined up with its layers and events.
pub(crate) struct Recorded {
    /// Their files, at the first event that is compared.
    pub(crate) readers: Vec<RecordedTrace>,
    /// What is compared of each.
    pub(crate) traces: Vec<Trace>,
}

/// What is compared of one trace.
pub(crate) struct Trace {
    name: String,
    tensors: Vec<Tensor>,
    /// For the report: what is to be known of the file.
    pub(crate) remarks: Vec<String>,
}

/// A tensor of a trace, as the value of a layer.
struct Tensor {
    call: CallId,
    elements: usize,
    precision: Precision,
    /// Fractional bits of the finest type that a computed leg has there.
    fractional: Option<i32>,
}

/// The recorded values of some events that follow each other.
pub(crate) struct Rows {
    first: u64,
    /// For each trace its tensors.
    traces: Vec<Vec<RecordedRows>>,
}

impl Recorded {
    /// Opens the traces and finds the layers and events that they are of.
    pub(crate) fn open(
        targets: &[RecordedTarget],
        session: &Session,
        source: &Source,
        strict_layers: bool,
    ) -> Result<Self, Error> {
        let nodes = if targets.is_empty() { None } else { node_names(session) };
        let mut recorded = Self { readers: Vec::new(), traces: Vec::new() };
        for target in targets {
            let (reader, trace) = open(target, session, nodes.as_ref(), source, strict_layers)?;
            recorded.readers.push(reader);
            recorded.traces.push(trace);
        }
        Ok(recorded)
    }
}

/// The next `count` events of all traces, of which the first is row `first`.
pub(crate) fn read(readers: &mut [RecordedTrace], first: u64, count: usize) -> Result<Rows, Error> {
    let traces: Result<Vec<_>, _> = readers.iter_mut().map(|r| r.advance(count)).collect();
    Ok(Rows { first, traces: traces? })
}

impl Trace {
    /// Values that are held for one event.
    pub(crate) fn elements(&self) -> usize {
        self.tensors.iter().map(|t| t.elements).sum()
    }

    /// What is compared with the reference; `target` is the index of the leg.
    pub(crate) fn compared(&self, session: &Session, target: usize) -> (ComparisonMeta, Scope) {
        let model = &session.loaded.model;
        let calls: Vec<CallId> = self.tensors.iter().map(|t| t.call).collect();
        let is_output: Vec<bool> = calls.iter().map(|c| model.outputs.contains(c)).collect();
        let layers = calls.iter().zip(&is_output).map(|(&c, &is_output)| LayerMeta {
            name: model.call_name(c),
            class: model.layer_of(c).class_name.clone(),
            result_t: None,
            is_output,
            reference_proven: session.proven[c.0],
        });
        let meta = ComparisonMeta {
            reference: session.engine.leg(0).to_owned(),
            target: self.name.clone(),
            layers: layers.collect(),
            not_formed: Vec::new(),
            own_known: false,
        };
        let elements = self.tensors.iter().map(|t| t.elements as u64).collect();
        (meta, Scope { reference: 0, target, calls, is_output, elements })
    }
}

/// Puts the recorded values of the events of a block beside what the legs have computed.
pub(crate) fn add(traces: &[Trace], rows: &Rows, part: &mut BlockResult) {
    let calls = part.legs[0].aligned.len();
    for (trace, recorded) in traces.iter().zip(&rows.traces) {
        let mut leg = LegValues { aligned: vec![None; calls], own: vec![None; calls] };
        for (tensor, recorded) in trace.tensors.iter().zip(recorded) {
            let computed = part.legs.iter().filter_map(|l| l.aligned[tensor.call.0].as_deref());
            let grid = computed.filter_map(fractional).max().or(tensor.fractional);
            let block = tensor.lanes(recorded, rows.first, &part.rows, grid);
            leg.aligned[tensor.call.0] = Some(Arc::new(block));
        }
        part.legs.push(leg);
    }
}

impl Tensor {
    /// The values of the events `rows`, events innermost.
    fn lanes(
        &self,
        recorded: &RecordedRows,
        first: u64,
        rows: &[u64],
        grid: Option<i32>,
    ) -> LaneBlock {
        let mut real = RealLanes { value: Vec::new(), band: None };
        let mut band = Band::default();
        let mut has_band = false;
        for element in 0..self.elements {
            for row in rows {
                let at = (row - first) as usize * self.elements + element;
                let (value, lo, hi, flags) = match &recorded.uncertain {
                    Some(RecordedBands { lo, hi, flags }) => {
                        (recorded.values[at], lo[at], hi[at], Flags(flags[at]))
                    }
                    None => self.meant(recorded.values[at], grid),
                };
                has_band |= lo != hi || flags != Flags::NONE;
                real.value.push(value);
                band.lo.push(lo);
                band.hi.push(hi);
                band.flags.push(flags);
            }
        }
        real.band = has_band.then_some(band);
        LaneBlock { elements: self.elements, lanes: rows.len(), data: Lanes::Real(real) }
    }

    /// The value that was recorded, from before it was rounded: the one on the grid of the legs that
    /// it may stand for; a band where there are several.
    fn meant(&self, recorded: f64, grid: Option<i32>) -> (f64, f64, f64, Flags) {
        let (lo, hi) = self.precision.range(recorded);
        match grid.map(|f| self.precision.on_grid(recorded, f)) {
            _ if lo == hi || recorded.is_nan() => (recorded, recorded, recorded, Flags::NONE),
            Some(Ok(value)) => (value, value, value, Flags::NONE),
            Some(Err(false)) => (recorded, recorded, recorded, Flags::NONE),
            Some(Err(true)) | None => (recorded, lo, hi, Flag::RecordedDigits.into()),
        }
    }
}

fn fractional(block: &LaneBlock) -> Option<i32> {
    match block.data {
        Lanes::I16 { fractional, .. }
        | Lanes::I32 { fractional, .. }
        | Lanes::I64 { fractional, .. } => Some(fractional),
        Lanes::Real(_) => None,
    }
}

/// The nodes of the C simulation, with the layer call that each is aligned with.
struct NodeNames(Vec<(String, Option<CallId>)>);

impl NodeNames {
    fn of(typed: &TypedModel, calls: &[CallId]) -> Self {
        let mut names: Vec<(String, Option<CallId>)> =
            typed.nodes.iter().map(|n| (n.name.clone(), None)).collect();
        // The first call of several that one node stands for is the one that computes it.
        for call in calls.iter().rev() {
            if let Some(aligned) = typed.aligned[call.0] {
                names[aligned.node.0].1 = Some(*call);
            }
        }
        Self(names)
    }

    /// Whether there is such a node, and its call.
    fn find(&self, name: &str) -> Option<Option<CallId>> {
        let mut found = self.0.iter().filter(|(n, _)| n == name).map(|(_, call)| *call).peekable();
        found.peek()?;
        // A node may be computed in several steps, of which the last is aligned.
        Some(found.flatten().last())
    }
}

/// Those of a simulation among the legs, else of the one that hls4ml would make.
fn node_names(session: &Session) -> Option<NodeNames> {
    let simulated = session.firmware.iter().position(Option::is_some);
    if let Some(leg) = simulated {
        return Some(NodeNames::of(&session.typed[leg], &session.calls));
    }
    let leg = match session.beside.proxy.is_some() || session.loaded.is_proxy() {
        true => Leg::Hls4ml,
        false => Leg::Hls4mlSat,
    };
    let built = session::typed_model(
        &session.loaded,
        &session.beside,
        leg,
        &session.input_types,
        &mut Vec::new(),
    );
    // Without a simulation there are no nodes; names of layers remain.
    built.ok().map(|(typed, _)| NodeNames::of(&typed, &session.calls))
}

fn open(
    target: &RecordedTarget,
    session: &Session,
    nodes: Option<&NodeNames>,
    source: &Source,
    strict_layers: bool,
) -> Result<(RecordedTrace, Trace), Error> {
    let model = &session.loaded.model;
    let error = |what: String| {
        Error::new(ErrorKind::Conversion, format!("--target: {}: {what}", target.name()))
    };
    let outputs: Vec<InputSpec> = model
        .outputs
        .iter()
        .map(|&c| InputSpec { name: model.call_name(c), shape: model.call(c).shape.clone() })
        .collect();
    let mut reader = RecordedTrace::open(&target.path, &outputs, &target.options)?;
    let mut found: Vec<(usize, CallId)> = Vec::new();
    let mut ignored = Vec::new();
    for (n, tensor) in reader.tensors().iter().enumerate() {
        let by_name = || session.calls.iter().copied().find(|&c| model.call_name(c) == tensor.name);
        let call = match nodes.and_then(|nodes| nodes.find(&tensor.name)) {
            Some(call) if reader.names() == RecordedNames::Arrays => call,
            _ => by_name(),
        };
        match call {
            Some(call) => found.push((n, call)),
            None => ignored.push(tensor.name.as_str()),
        }
    }
    found.sort_by_key(|(n, call)| (session.calls.iter().position(|c| c == call), *n));
    found.dedup_by_key(|(_, call)| *call);
    let missing = model.outputs.iter().find(|o| !found.iter().any(|(_, c)| c == *o));
    if let Some(&missing) = missing.filter(|_| found.is_empty() || !strict_layers) {
        let tensors: Vec<&str> = reader.tensors().iter().map(|t| t.name.as_str()).collect();
        let what = format!(
            "has no values of the output `{}`; it has {}",
            model.call_name(missing),
            listed(&tensors)
        );
        return Err(error(what).with_help(Some(
            "arrays are named after layers of the model, or after nodes of hls4ml's simulation as \
             its trace() does; hidden layers alone are compared with --strict-layers",
        )));
    }
    let mut tensors = Vec::new();
    for &(n, call) in &found {
        let recorded = &reader.tensors()[n];
        let shape = &model.call(call).shape;
        let elements: usize = shape.iter().product();
        if recorded.shape.iter().product::<usize>() != elements {
            return Err(error(format!(
                "`{}` has the shape {:?} for an event, and layer `{}` has {shape:?}",
                recorded.name,
                recorded.shape,
                model.call_name(call),
            )));
        }
        let legs = 0..session.engine.legs();
        let types = legs.filter_map(|leg| session.engine.result_t(leg, call));
        let fractional = types.map(|t| t.kif().fractional).max();
        tensors.push(Tensor { call, elements, precision: recorded.precision, fractional });
    }
    let skip = first_row(&reader, &found, source).map_err(|what| {
        error(what).with_help(Some(
            "a trace holds the events that are compared, or all of the file; choose with \
             --max-events and --skip",
        ))
    })?;
    let mut remarks = remarks(&target.name(), &reader, &found, session.calls.len(), &ignored);
    let hash = sha256_file(&target.path, IoErrorKind::Trace)?;
    remarks.push(format!("{} has the SHA-256 {hash}", target.name()));
    let chosen: Vec<usize> = found.iter().map(|(n, _)| *n).collect();
    reader.start(&chosen, skip)?;
    Ok((reader, Trace { name: target.name(), tensors, remarks }))
}

/// The row of a trace at which the compared events begin.
fn first_row(
    reader: &RecordedTrace,
    found: &[(usize, CallId)],
    source: &Source,
) -> Result<u64, String> {
    let (count, skipped) = (source.count(), source.skipped());
    let all: u64 = source.files().iter().map(|f| f.events).sum();
    let mut skip = 0;
    for (n, _) in found {
        let tensor = &reader.tensors()[*n];
        skip = match tensor.events {
            events if events == count => 0,
            events if events == all => skipped,
            events => {
                return Err(format!(
                    "`{}` has {events} events, and {count} are compared",
                    tensor.name
                ));
            }
        };
    }
    Ok(skip)
}

/// What is to be known of a trace.
fn remarks(
    name: &str,
    reader: &RecordedTrace,
    found: &[(usize, CallId)],
    layers: usize,
    ignored: &[&str],
) -> Vec<String> {
    let mut remarks = Vec::new();
    if found.len() < layers {
        remarks.push(format!("{name} holds {} of {layers} layers", found.len()));
    }
    if !ignored.is_empty() {
        remarks.push(format!(
            "{name} has values that are no layer's result and are left out: {}",
            listed(ignored)
        ));
    }
    let digits = found.iter().filter_map(|(n, _)| match reader.tensors()[*n].precision {
        Precision::Digits(digits) => Some(digits),
        Precision::Exact | Precision::Bits(_) => None,
    });
    if let Some(digits) = digits.max() {
        remarks.push(format!(
            "{name} has decimal numbers of {digits} digits: each stands for the code that it may be \
             rounded from, and where there are several the element is flagged recorded-digits"
        ));
    }
    remarks
}

/// Names for a message, the first ones where they are many.
fn listed(names: &[&str]) -> String {
    const MOST: usize = 8;
    match names.len() {
        ..=MOST => names.join(", "),
        all => format!("{} and {} more", names[..MOST].join(", "), all - MOST),
    }
}
