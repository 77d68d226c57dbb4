//! Rates of a model on this machine, and what it would cost in hardware.
//!
//! | file | one idea |
//! |---|---|
//! | `measure` | passes over events in memory |
//! | `reading` | passes over events in their files |
//! | `hardware` | bits, products, adders |

mod hardware;
mod measure;
mod reading;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use bittrue_block::{EventBlock, EventData};
use bittrue_engine::{Simd, Timing, peaks};
use bittrue_io::EventOptions;
use bittrue_model::{CallId, TypedNode};
use bittrue_record::{Bench, BenchLayer, FORMAT_VERSION, Machine, Rate, ThreadRate};

use self::measure::Measured;
use crate::beside::Beside;
use crate::session::{LoadedModel, Session};
use crate::source::{Source, Wanted};
use crate::{Error, ErrorKind, InputTypeOption, Leg, Progress, event_files, input_type};

/// What to measure.
#[derive(Debug, Clone)]
pub struct BenchConfig {
    /// The QKeras model.
    pub model: PathBuf,
    /// The proxy file for the leg `proxy`.
    pub proxy: Option<PathBuf>,
    /// hls4ml's configuration, for its C simulation.
    pub hls_config: Option<PathBuf>,
    /// The events: files, or a description.
    pub events: Vec<PathBuf>,
    /// Which datasets, which rows.
    pub options: EventOptions,
    /// What counts as right.
    pub reference: Leg,
    /// What is emulated and compared.
    pub target: Leg,
    /// Types that the target's inputs are cast to.
    pub input_types: Vec<InputTypeOption>,
    /// How long each rate is measured.
    pub time: Duration,
}

/// Values of events that are held in memory: beyond the caches, and no more than 256 MiB.
const VALUES: usize = 1 << 26;

/// Most events in memory.
const EVENTS: usize = 1 << 18;

/// Measures a model.
///
/// # Errors
///
/// When the model, the conversion or the events are at fault; [`ErrorKind::Interrupted`] when `progress`
/// stops the run.
pub fn bench(config: &BenchConfig, progress: &dyn Progress) -> Result<Bench, Error> {
    let loaded = LoadedModel::open(&config.model)?;
    let wanted = Wanted::by(&loaded);
    let open = || Source::open(&config.events, &wanted, &config.options);
    let beside = Beside::open(config.proxy.as_deref(), config.hls_config.as_deref(), &loaded)?;
    let input_types = input_type::resolve(&loaded, &config.input_types, open, progress)?;
    let mut source = open()?;
    let most = (VALUES / source.elements().max(1)).clamp(1, EVENTS);
    let block = in_memory(&mut source, most)?;
    let session = Session::new(loaded, beside, config.reference, &[config.target], input_types)?;

    let peak = peaks(Simd::chosen(), Duration::from_millis(60));
    let measured = Measured { session: &session, block: &block, time: config.time, progress };
    let available = std::thread::available_parallelism().map_or(1, usize::from);
    let timing = measured.layers(1)?;
    let mut threads = Vec::new();
    let (mut target_only, mut verified) = (None, None);
    for n in 1..=available {
        // Every number up to four, then powers of two, and all.
        if n > 4 && !n.is_power_of_two() && n != available {
            continue;
        }
        let (target, both) = (measured.emulated(1, n)?, measured.verified(n)?);
        threads.push(ThreadRate {
            n,
            events_per_s: target.events_per_s,
            verify_events_per_s: both.events_per_s,
            spin: measured.spin(n)?,
        });
        (target_only, verified) = (Some(target), Some(both));
    }
    let of_file = |most: u64| {
        let most = config.options.max_events.map_or(most, |m| m.min(most));
        let options = EventOptions { max_events: Some(most), ..config.options.clone() };
        Source::open(&config.events, &wanted, &options)
    };
    let rate = verified.map_or(0.0, |v| v.events_per_s);
    let files = measured.in_files(available, rate, of_file)?;
    let none = Rate { events_per_s: 0.0, median_events_per_s: 0.0 };
    let peak = peak.into_iter().map(|p| (p.instruction.to_owned(), p.gmac_s)).collect();
    let (layers, hardware) = layers(&session, &timing, &peak);
    let ns_per_event = (!layers.is_empty()).then(|| layers.iter().map(|l| l.ns_per_event).sum());
    Ok(Bench {
        format_version: FORMAT_VERSION,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        model: config.model.display().to_string(),
        events: event_files::joined(&config.events),
        events_in_memory: block.count as u64,
        reference: config.reference.name().to_owned(),
        target: config.target.name().to_owned(),
        machine: Machine { cpu: cpu(), threads: available },
        simd: Simd::chosen().level().name().to_owned(),
        peak,
        target_only: target_only.unwrap_or(none),
        reference_only: measured.emulated(0, available)?,
        verify: verified.unwrap_or(none),
        files,
        threads,
        macs: layers.iter().map(|l| l.macs).sum(),
        ns_per_event,
        layers,
        hardware,
    })
}

/// At most so many events, in one block.
fn in_memory(source: &mut Source, most: usize) -> Result<EventBlock, Error> {
    let mut all: Option<EventBlock> = None;
    while all.as_ref().is_none_or(|b| b.count < most) {
        let room = most - all.as_ref().map_or(0, |b| b.count);
        let Some(next) = source.next_block(room)? else { break };
        let Some(block) = &mut all else {
            all = Some(next);
            continue;
        };
        block.count += next.count;
        for (input, more) in block.inputs.iter_mut().zip(next.inputs) {
            append(&mut input.data, more.data)?;
        }
    }
    all.ok_or_else(|| Error::new(ErrorKind::Events, "there are no events"))
}

fn append(data: &mut EventData, more: EventData) -> Result<(), Error> {
    match (data, more) {
        (EventData::F32(a), EventData::F32(b)) => a.extend(b),
        (EventData::F64(a), EventData::F64(b)) => a.extend(b),
        (EventData::I64(a), EventData::I64(b)) => a.extend(b),
        (EventData::U64(a), EventData::U64(b)) => a.extend(b),
        _ => {
            return Err(Error::new(ErrorKind::Events, "the files hold numbers of different kinds")
                .with_help(Some("give files of one dtype")));
        }
    }
    Ok(())
}

/// The layers of the target with their times, and its cost in hardware.
fn layers(
    session: &Session,
    timing: &Timing,
    peak: &BTreeMap<String, f64>,
) -> (Vec<BenchLayer>, bittrue_record::Hardware) {
    let (engine, typed) = (&session.engine, &session.typed[1]);
    let model = &session.loaded.model;
    let derived = |node| {
        let call = typed.aligned.iter().position(|a| a.is_some_and(|a| a.node == node))?;
        engine.result_t(1, CallId(call)).map(|t| t.width)
    };
    let bits = hardware::effective_bits(typed, derived);
    let name = |node: &TypedNode| model.call_name(node.origin);
    let hardware = hardware::hardware(typed, &bits, name);
    let of_call = |call: CallId| {
        let nodes = typed.nodes.iter().zip(&bits).filter(move |(n, _)| n.origin == call);
        nodes.filter_map(|(_, bits)| bits.as_ref())
    };
    let steps = engine.emulation(1).unwrap_or_default();
    let rows = steps.iter().zip(&timing.steps).map(|(step, &time)| {
        let ns = time as f64 / timing.events.max(1) as f64;
        let products: Vec<_> = step.calls.iter().flat_map(|&c| of_call(c)).collect();
        let known: Option<u64> = products.iter().map(|b| b.operations).sum();
        let gmac_s = (step.macs > 0 && ns > 0.0).then(|| step.macs as f64 / ns);
        let instruction = step.kernel.split_whitespace().next().unwrap_or_default();
        let names: Vec<String> = step.calls.iter().map(|&c| model.call_name(c)).collect();
        BenchLayer {
            name: if names.is_empty() { step.kernel.clone() } else { names.join(" + ") },
            result_t: step.calls.last().and_then(|&c| engine.result_t(1, c)).map(|t| t.to_string()),
            kernel: step.kernel.clone(),
            storage: step.storage.clone(),
            accumulator: step.accumulator.clone(),
            proof: step.proof.clone(),
            macs: step.macs,
            ebops: known.filter(|_| !products.is_empty()),
            ns_per_event: ns,
            gmac_s,
            fraction_of_peak: gmac_s.and_then(|g| peak.get(instruction).map(|p| g / p)),
            adder_depth: products.iter().map(|b| b.adder_depth).max(),
        }
    });
    (rows.collect(), hardware)
}

/// The processor's name, as far as the system tells.
fn cpu() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|l| l.strip_prefix("model name"));
    let name = name.map(|l| l.trim_start_matches([' ', '\t', ':']).to_owned());
    name.unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}
