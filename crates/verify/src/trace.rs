//! Writing what one leg gives, layer by layer.

use std::path::PathBuf;

use bittrue_block::{Flag, Flags};
use bittrue_engine::BlockResult;
use bittrue_io::{EventOptions, TraceBands, TraceLayer, TraceMeta, TraceWriter};
use bittrue_model::CallId;
use bittrue_proxy::FirmwareTypes;

use crate::beside::Beside;
use crate::compare::Scope;
use crate::session::{LoadedModel, Session};
use crate::source::{Source, Wanted};
use crate::{Error, InputTypeOption, Leg, Progress, differing, event_files, events, input_type};

/// Which leg to trace, on what.
#[derive(Debug, Clone)]
pub struct TraceConfig {
    /// The QKeras model.
    pub model: PathBuf,
    /// The proxy file for the leg `proxy`, unless the model is one itself.
    pub proxy: Option<PathBuf>,
    /// hls4ml's configuration, for its C simulation.
    pub hls_config: Option<PathBuf>,
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
    /// Events in the file.
    pub events: u64,
    /// Events that were run.
    pub read: u64,
    /// Layers.
    pub layers: usize,
    /// Elements with a flag, over all layers.
    pub flagged: u64,
    /// Whether the run was stopped before its end: then nothing is left of the file.
    pub stopped: bool,
    /// The types of hls4ml's nodes as JSON, where the leg is a C simulation.
    pub types: Option<String>,
}

/// The rows of one layer for a block of events.
struct Rows {
    value: Vec<f64>,
    band: Option<(Vec<f64>, Vec<f64>, Vec<u16>)>,
}

impl Rows {
    /// The events of these rows of the file, where the first of `events` is row `first`.
    fn only(&self, chosen: &[u64], first: u64, events: usize) -> Self {
        fn of<T: Copy>(values: &[T], chosen: &[u64], first: u64, events: usize) -> Vec<T> {
            let elements = values.len() / events.max(1);
            let places = chosen.iter().map(|row| (row - first) as usize * elements);
            places.flat_map(|at| &values[at..at + elements]).copied().collect()
        }
        Self {
            value: of(&self.value, chosen, first, events),
            band: self.band.as_ref().map(|(lo, hi, flags)| {
                (
                    of(lo, chosen, first, events),
                    of(hi, chosen, first, events),
                    of(flags, chosen, first, events),
                )
            }),
        }
    }
}

/// Runs one leg on all events and writes every aligned layer to a file.
///
/// # Errors
///
/// When the model, the conversion, the events or the output file are at fault.
pub fn trace(config: &TraceConfig, progress: &dyn Progress) -> Result<TraceSummary, Error> {
    run(config, None, progress)
}

/// Which events to trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnlyDiffering {
    /// The leg from which they differ; not the one that is traced.
    pub reference: Leg,
    /// Whether a difference in any aligned layer counts, and not only one at an output.
    pub strict_layers: bool,
}

/// Writes only those events in which the leg differs from another one, with their rows in the event
/// file as `/event_rows`. A file without events is written too.
///
/// # Errors
///
/// As for [`trace`].
pub fn trace_differing(
    config: &TraceConfig,
    only: OnlyDiffering,
    progress: &dyn Progress,
) -> Result<TraceSummary, Error> {
    run(config, Some(only), progress)
}

fn run(
    config: &TraceConfig,
    only: Option<OnlyDiffering>,
    progress: &dyn Progress,
) -> Result<TraceSummary, Error> {
    let loaded = LoadedModel::open(&config.model)?;
    let wanted = Wanted::by(&loaded);
    let open = || Source::open(&config.events, &wanted, &config.options);
    let mut source = open()?;
    let input_types = input_type::resolve(&loaded, &config.input_types, open, progress)?;
    let beside = Beside::open(config.proxy.as_deref(), config.hls_config.as_deref(), &loaded)?;
    // The traced leg, alone or behind the one that it is compared with.
    let (session, leg) = match only {
        None => (Session::new(loaded, beside, config.leg, &[], input_types)?, 0),
        Some(only) => {
            (Session::new(loaded, beside, only.reference, &[config.leg], input_types)?, 1)
        }
    };
    let model = &session.loaded.model;
    let calls: Vec<CallId> =
        session.calls.iter().copied().filter(|&c| session.engine.edge(leg, c).is_some()).collect();
    let is_output = calls.iter().map(|c| model.outputs.contains(c)).collect();
    let elements = calls.iter().map(|&c| model.call(c).shape.iter().product::<usize>() as u64);
    let elements = elements.collect();
    let scope = [Scope { reference: 0, target: leg, calls: calls.clone(), is_output, elements }];
    let layers: Vec<TraceLayer> = calls
        .iter()
        .map(|&c| TraceLayer {
            name: model.call_name(c),
            shape: model.call(c).shape.clone(),
            fixed_type: session.engine.result_t(leg, c).map(|t| t.to_string()),
        })
        .collect();
    let meta = TraceMeta {
        leg: config.leg.name().to_owned(),
        model: config.model.display().to_string(),
        events: event_files::joined(&config.events),
        flags: Flag::ALL.map(|f| f.name().to_owned()).to_vec(),
    };
    let mut writer = TraceWriter::create(&config.out, &meta, &layers)?;
    if let Some(only) = only {
        writer.number_events(only.reference.name())?;
    }
    let read = source.count();
    let mut summary = TraceSummary {
        events: 0,
        read,
        layers: layers.len(),
        flagged: 0,
        stopped: false,
        types: session.firmware[leg].as_ref().map(FirmwareTypes::to_json),
    };
    let values = layers.iter().map(|l| l.shape.iter().product::<usize>()).sum();
    summary.stopped = events::run(
        &session.engine,
        &mut source,
        values,
        progress,
        |_, _| Ok(()),
        |selection, block, span, ()| {
            let all: Vec<usize> = span.collect();
            all.chunks(session.engine.lanes())
                .map(|chunk| {
                    let first = block.first + chunk[0] as u64;
                    let parts = session.engine.run(selection, block, chunk);
                    let chosen = only.map(|o| differing::rows(&parts, &scope, o.strict_layers));
                    let layers: Vec<Rows> = calls
                        .iter()
                        .map(|&c| {
                            let rows = rows(&parts, leg, c, first);
                            match &chosen {
                                Some(chosen) => rows.only(chosen, first, parts[0].rows.len()),
                                None => rows,
                            }
                        })
                        .collect();
                    (chosen, parts[0].rows.len() as u64, layers)
                })
                .collect::<Vec<_>>()
        },
        |spans| {
            for (chosen, events, block) in spans.into_iter().flatten() {
                summary.events += chosen.as_ref().map_or(events, |c| c.len() as u64);
                if let Some(chosen) = &chosen {
                    writer.append_rows(chosen)?;
                }
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
    if !summary.stopped {
        writer.finish()?;
    }
    Ok(summary)
}

/// One layer of a block, event-major, from its fast part and the events done carefully.
fn rows(parts: &[BlockResult], leg: usize, call: CallId, first: u64) -> Rows {
    let tensors = || {
        parts.iter().filter_map(|p| p.legs[leg].aligned[call.0].as_ref().map(|block| (p, block)))
    };
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
