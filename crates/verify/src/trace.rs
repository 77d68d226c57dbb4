//! Writing what one leg gives, layer by layer.

use std::path::PathBuf;

use bittrue_block::{Flag, Flags};
use bittrue_engine::BlockResult;
use bittrue_io::{EventOptions, EventSource, TraceBands, TraceLayer, TraceMeta, TraceWriter};
use bittrue_model::CallId;

use crate::session::{LoadedModel, LoadedProxy, Session};
use crate::{Error, InputTypeOption, Leg, Progress, event_files, events, input_type};

/// Which leg to trace, on what.
#[derive(Debug, Clone)]
pub struct TraceConfig {
    /// The QKeras model.
    pub model: PathBuf,
    /// The proxy file for the leg `proxy`, unless the model is one itself.
    pub proxy: Option<PathBuf>,
    /// The recorded events: one file, or several that follow each other.
    pub events: Vec<PathBuf>,
    /// Which datasets, which rows.
    pub options: EventOptions,
    /// The leg.
    pub leg: Leg,
    /// Types that inputs are cast to; not for `qkeras`.
    pub input_types: Vec<InputTypeOption>,
    /// The file to write.
    pub out: PathBuf,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceSummary {
    /// Events.
    pub events: u64,
    /// Layers.
    pub layers: usize,
    /// Elements with a flag, over all layers.
    pub flagged: u64,
    /// Whether the run was stopped before its end: then nothing is left of the file.
    pub stopped: bool,
}

/// The rows of one layer for a block of events.
struct Rows {
    value: Vec<f64>,
    band: Option<(Vec<f64>, Vec<f64>, Vec<u16>)>,
}

/// Runs one leg on all events and writes every aligned layer to a file.
///
/// # Errors
///
/// When the model, the conversion, the events or the output file are at fault.
pub fn trace(config: &TraceConfig, progress: &dyn Progress) -> Result<TraceSummary, Error> {
    let loaded = LoadedModel::open(&config.model)?;
    let inputs = loaded.inputs();
    let open =
        || EventSource::open_all(&config.events, &inputs, &config.options).map_err(Error::from);
    let mut source = open()?;
    let input_types = input_type::resolve(&loaded, &config.input_types, open, progress)?;
    let proxy = config.proxy.as_deref().map(|p| LoadedProxy::open(p, &loaded)).transpose()?;
    let session = Session::new(loaded, proxy, config.leg, &[], input_types)?;
    let model = &session.loaded.model;
    let calls: Vec<CallId> =
        session.calls.iter().copied().filter(|&c| session.engine.edge(0, c).is_some()).collect();
    let layers: Vec<TraceLayer> = calls
        .iter()
        .map(|&c| TraceLayer {
            name: model.call_name(c),
            shape: model.call(c).shape.clone(),
            fixed_type: session.engine.result_t(0, c).map(|t| t.to_string()),
        })
        .collect();
    let meta = TraceMeta {
        leg: config.leg.name().to_owned(),
        model: config.model.display().to_string(),
        events: event_files::joined(&config.events),
        flags: Flag::ALL.map(|f| f.name().to_owned()).to_vec(),
    };
    let mut writer = TraceWriter::create(&config.out, &meta, &layers)?;
    let count = source.count();
    let mut summary = TraceSummary { events: 0, layers: layers.len(), flagged: 0, stopped: false };
    summary.stopped = events::run(
        &session.engine,
        &mut source,
        progress,
        |selection, block, span| {
            let first = block.first + span.start as u64;
            let parts = session.engine.run(selection, block, span);
            calls.iter().map(|&c| rows(&parts, c, first)).collect::<Vec<Rows>>()
        },
        |blocks| {
            for block in blocks {
                for (n, rows) in block.into_iter().enumerate() {
                    let band =
                        rows.band.as_ref().map(|(lo, hi, flags)| TraceBands { lo, hi, flags });
                    summary.flagged += rows
                        .band
                        .iter()
                        .flat_map(|b| &b.2)
                        .filter(|f| **f != Flags::NONE.0)
                        .count() as u64;
                    writer.append(n, &rows.value, band)?;
                }
            }
            Ok(())
        },
    )?;
    summary.events = count;
    if !summary.stopped {
        writer.finish()?;
    }
    Ok(summary)
}

/// One layer of a block, event-major, from its fast part and the events done carefully.
fn rows(parts: &[BlockResult], call: CallId, first: u64) -> Rows {
    let tensors =
        || parts.iter().filter_map(|p| p.legs[0].aligned[call.0].as_ref().map(|block| (p, block)));
    let elements = tensors().next().map_or(0, |(_, b)| b.elements);
    let events = parts.first().map_or(0, |p| p.rows.len());
    let mut value = vec![0.0; elements * events];
    let mut lo = vec![0.0; elements * events];
    let mut hi = vec![0.0; elements * events];
    let mut flags = vec![0_u16; elements * events];
    let mut any = false;
    for (part, block) in tensors() {
        any |= block.has_band();
        for (lane, row) in part.rows.iter().enumerate() {
            if part.skip[lane] {
                continue;
            }
            let start = (row - first) as usize * elements;
            for element in 0..elements {
                let (l, h, f) = block.band(element, lane);
                value[start + element] = block.value(element, lane);
                lo[start + element] = l;
                hi[start + element] = h;
                flags[start + element] = f.0;
            }
        }
    }
    Rows { value, band: any.then_some((lo, hi, flags)) }
}
