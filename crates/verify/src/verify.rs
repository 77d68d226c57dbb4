//! The main job: run the reference and the targets on all events and count what differs.

use std::path::PathBuf;

use bittrue_block::{EventBlock, EventData};
use bittrue_io::{EventOptions, EventWriter, SavedFormat};
use bittrue_model::CallId;
use bittrue_record::{
    Comparison, ComparisonCounts, ComparisonMeta, LayerMeta, Report, ToolInfo, Warning,
};

use crate::beside::Beside;
use crate::between;
use crate::compare::{Scope, agreeing, count};
use crate::error::ErrorKind;
use crate::input_range::InputRange;
use crate::recorded::{self, Recorded, RecordedTarget, Trace};
use crate::session::{LoadedModel, Session};
use crate::source::{Source, Wanted};
use crate::{Error, InputTypeOption, Leg, Progress, differing, event_files, events, input_type};

/// What to compare.
#[derive(Debug, Clone)]
pub struct VerifyConfig {
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
    /// What counts as right.
    pub reference: Leg,
    /// What is checked.
    pub targets: Vec<Leg>,
    /// Recorded traces that are checked too.
    pub traces: Vec<RecordedTarget>,
    /// Types that the targets' inputs are cast to.
    pub input_types: Vec<InputTypeOption>,
    /// Whether every aligned layer counts in the verdict, not only the outputs.
    pub strict_layers: bool,
    /// Whether the report identifies the events by their SHA-256, which reads the file once more.
    pub hash: bool,
}

/// What one block adds to the report.
#[derive(Debug, Default)]
struct Tally {
    comparisons: Vec<ComparisonCounts>,
    /// What the inputs need, where a warning has to say it.
    ranges: Vec<InputRange>,
    /// Values that rounding to float32 changed.
    rounded: u64,
}

impl Tally {
    fn merge(&mut self, other: &Self) {
        self.rounded += other.rounded;
        InputRange::merge_all(&mut self.ranges, &other.ranges);
        self.comparisons.resize_with(
            self.comparisons.len().max(other.comparisons.len()),
            ComparisonCounts::default,
        );
        for (a, b) in self.comparisons.iter_mut().zip(&other.comparisons) {
            a.merge(b);
        }
    }
}

/// Compares the targets with the reference on all events.
///
/// A run that `progress` stops gives the report of what was counted so far, marked partial.
///
/// # Errors
///
/// When the model, the conversion or the events are at fault; see [`Error::kind`].
pub fn verify(config: &VerifyConfig, progress: &dyn Progress) -> Result<Report, Error> {
    run(config, None, progress).map(|(report, _)| report)
}

/// Which events to save, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaveEvents {
    /// The file to write.
    pub out: PathBuf,
    /// Its kind.
    pub format: SavedFormat,
    /// At most so many events, the first ones.
    pub most: u64,
}

/// Compares as [`verify`] does and writes the events that differ: those with a mismatch at an
/// output, or with [`VerifyConfig::strict_layers`] in any layer. The number of events that were
/// written comes back beside the report. The file holds no event when none differs.
///
/// # Errors
///
/// As for [`verify`]; also when the file cannot be written.
pub fn verify_and_save(
    config: &VerifyConfig,
    save: &SaveEvents,
    progress: &dyn Progress,
) -> Result<(Report, u64), Error> {
    run(config, Some(save), progress)
}

fn run(
    config: &VerifyConfig,
    save: Option<&SaveEvents>,
    progress: &dyn Progress,
) -> Result<(Report, u64), Error> {
    let loaded = LoadedModel::open(&config.model)?;
    let model_info = loaded.info()?;
    let inputs = loaded.inputs();
    let wanted = Wanted::by(&loaded);
    let open = || Source::open(&config.events, &wanted, &config.options);
    // A model that cannot be run is told before any event is read.
    let beside = Beside::open(config.proxy.as_deref(), config.hls_config.as_deref(), &loaded)?;
    let (proxy_info, config_info) = (beside.proxy_info()?, beside.config_info()?);
    let expected = input_type::expected(&loaded, &config.input_types);
    let first = Session::new(loaded, beside, config.reference, &config.targets, expected)?;
    let mut source = open()?;
    let input_types = input_type::resolve(&first.loaded, &config.input_types, open, progress)?;
    let session = if input_types == first.input_types {
        first
    } else {
        let Session { loaded, beside, .. } = first;
        Session::new(loaded, beside, config.reference, &config.targets, input_types)?
    };
    let mut events_info =
        event_files::describe(&config.events, &source, &config.options, config.hash)?;
    let Recorded { mut readers, traces } =
        Recorded::open(&config.traces, &session, &source, config.strict_layers)?;
    let legs = session.engine.legs();
    let (metas, scopes): (Vec<ComparisonMeta>, Vec<Scope>) = (1..legs)
        .map(|leg| compared(&session, leg))
        .chain(traces.iter().enumerate().map(|(n, t)| t.compared(&session, legs + n)))
        .unzip();
    let (pair_metas, pairs) = between::targets(&metas, &scopes, config.strict_layers);
    // What was recorded may differ where all legs agree, and so may two targets where the reference
    // forms nothing.
    let formed = |c: &CallId| session.engine.edge(0, *c).is_some();
    let screens = traces.is_empty() && pairs.iter().all(|p| p.calls.iter().all(formed));
    let has_raw_input = session.warnings.iter().any(|w| w.code == "raw-input");
    if let Some(save) = save.filter(|s| !s.format.holds(inputs.len())) {
        let message = format!(
            "{}: a .npy file holds one array, and the model has {} inputs",
            save.out.display(),
            inputs.len()
        );
        return Err(
            Error::new(ErrorKind::Usage, message).with_help(Some("save to a .npz or .h5 file"))
        );
    }
    let dtypes = source.dtypes();
    let create = |s: &SaveEvents| EventWriter::create(&s.out, s.format, &inputs, &dtypes);
    let mut saved = save.map(create).transpose()?;
    let mut total = Tally::default();
    let mut seen = 0;
    let values = source.elements() + traces.iter().map(Trace::elements).sum::<usize>();
    let stopped = events::run(
        &session.engine,
        &mut source,
        values,
        progress,
        |first, count| recorded::read(&mut readers, first, count),
        |selection, block, span, recorded| {
            let ranges = if has_raw_input { InputRange::of(block, &span) } else { Vec::new() };
            let mut tally =
                Tally { comparisons: Vec::new(), ranges, rounded: rounded(block, &span) };
            let rows = match screens {
                true => session.engine.screen(block, span.clone()),
                false => span.clone().collect(),
            };
            let same = (span.len() - rows.len()) as u64;
            let agree = |s| agreeing(same, s);
            tally.comparisons = scopes.iter().chain(&pairs).map(agree).collect();
            let mut differing: Vec<u64> = Vec::new();
            for rows in rows.chunks(session.engine.lanes()) {
                let mut parts = session.engine.run(selection, block, rows);
                for part in &mut parts {
                    recorded::add(&traces, recorded, part);
                    let counts = |s| count(part, s);
                    let comparisons = scopes.iter().chain(&pairs).map(counts).collect();
                    tally.merge(&Tally { comparisons, ..Tally::default() });
                }
                if save.is_some() {
                    differing.extend(differing::rows(&parts, &scopes, config.strict_layers));
                }
            }
            let differing = save.map(|_| {
                let places: Vec<usize> =
                    differing.iter().map(|r| (r - block.first) as usize).collect();
                (differing, block.pick(&places))
            });
            (span.len() as u64, tally, differing)
        },
        |tallies| {
            for (events, tally, differing) in &tallies {
                seen += events;
                total.merge(tally);
                if let (Some(writer), Some(save), Some((rows, inputs))) =
                    (&mut saved, save, differing)
                {
                    append(writer, save, rows, inputs)?;
                }
            }
            Ok(())
        },
    )?;
    let written = saved.as_ref().map_or(0, EventWriter::written);
    if let Some(writer) = saved {
        writer.finish()?;
    }
    event_files::count(&mut events_info, &source, seen);
    let mut assumptions = Vec::new();
    if config.reference == Leg::Qkeras || config.targets.contains(&Leg::Qkeras) {
        assumptions.push(format!(
            "{} is Keras predict with batches of 32 events, counted from event {}",
            Leg::Qkeras,
            source.skipped()
        ));
    }
    if total.rounded > 0 {
        assumptions.push(format!(
            "rounding the events to float32, as Keras does, changed {} values",
            total.rounded
        ));
    }
    assumptions.extend(traces.into_iter().flat_map(|t| t.remarks));
    if config.strict_layers {
        assumptions.push("every aligned layer counts in the verdict (--strict-layers)".to_owned());
    }
    let with_reference = metas.len();
    total.comparisons.resize_with(with_reference + pair_metas.len(), ComparisonCounts::default);
    let mut comparisons = metas
        .into_iter()
        .chain(pair_metas)
        .zip(&total.comparisons)
        .map(|(meta, counts)| Comparison::from_counts(meta, counts, config.strict_layers))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| Error::new(ErrorKind::Internal, e.to_string()))?;
    let between_targets = comparisons.split_off(with_reference);
    let warnings = raw_input_remedies(&session, &total.ranges);
    let input_types = inputs
        .iter()
        .zip(&session.input_types)
        .filter_map(|(input, t)| t.map(|t| format!("{}={t}", input.name)))
        .collect();
    let report = Report {
        format_version: bittrue_record::FORMAT_VERSION,
        tool: tool(config.reference, &config.targets),
        partial: stopped,
        model: model_info,
        proxy: proxy_info,
        hls_config: config_info,
        events: events_info,
        input_types,
        assumptions,
        warnings,
        comparisons,
        between_targets,
    };
    Ok((report, written))
}

/// Appends events as long as there is room.
fn append(
    writer: &mut EventWriter,
    save: &SaveEvents,
    rows: &[u64],
    inputs: &[EventData],
) -> Result<(), Error> {
    let room = save.most.saturating_sub(writer.written());
    let room = usize::try_from(room).unwrap_or(usize::MAX);
    if rows.len() <= room {
        return Ok(writer.append(rows, inputs)?);
    }
    let first: Vec<EventData> =
        inputs.iter().map(|i| i.head(i.len() / rows.len() * room)).collect();
    Ok(writer.append(&rows[..room], &first)?)
}

/// This program, and the software that its legs follow.
pub(crate) fn tool(reference: Leg, targets: &[Leg]) -> ToolInfo {
    let mut profiles = vec!["qkeras-0.9.0".to_owned(), "hgq-0.2.6".to_owned()];
    let mut legs = std::iter::once(&reference).chain(targets);
    if legs.any(|leg| leg.simulated().is_some()) {
        profiles.push("hls4ml-1.3.0".to_owned());
    }
    ToolInfo { name: "bittrue".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned(), profiles }
}

/// The warnings, with the smallest type for each raw input: known once the events are read.
fn raw_input_remedies(session: &Session, ranges: &[InputRange]) -> Vec<Warning> {
    let mut warnings = session.warnings.clone();
    for w in warnings.iter_mut().filter(|w| w.code == "raw-input") {
        let name = w.layer.clone().unwrap_or_default();
        let input = session.loaded.inputs().iter().position(|i| i.name == name);
        let Some(range) = input.and_then(|i| ranges.get(i)) else { continue };
        let remedy = match range.smallest() {
            Ok(t) => {
                // What QKeras itself can express: no negative integer bits, no sign alone.
                let layer = (t.kif().integer >= 0 && (2..=24).contains(&t.width)).then(|| {
                    format!(
                        " QActivation(quantized_bits({}, {}, keep_negative={}, alpha=1)) behind \
                         the input, or",
                        t.width,
                        t.kif().integer,
                        u8::from(t.signed),
                    )
                });
                format!(
                    ". The smallest type that holds these events exactly is {t}:{} --input-type \
                     '{name}={t}' to cast the proxy's input here",
                    layer.unwrap_or_default()
                )
            }
            Err(why) => format!(". No type of at most 32 bits holds these events exactly: {why}"),
        };
        w.text.push_str(&remedy);
    }
    warnings
}

/// What is compared with one target, for the report and for counting.
pub(crate) fn compared(session: &Session, leg: usize) -> (ComparisonMeta, Scope) {
    let (engine, model) = (&session.engine, &session.loaded.model);
    let (formed, missing): (Vec<_>, Vec<_>) =
        session.calls.iter().copied().partition(|&c| engine.edge(leg, c).is_some());
    let is_output: Vec<bool> = formed.iter().map(|c| model.outputs.contains(c)).collect();
    let layers = formed
        .iter()
        .zip(&is_output)
        .map(|(&c, &is_output)| LayerMeta {
            name: model.call_name(c),
            class: model.layer_of(c).class_name.clone(),
            result_t: engine.result_t(leg, c),
            is_output,
            reference_proven: session.proven[c.0],
        })
        .collect();
    let meta = ComparisonMeta {
        reference: engine.leg(0).to_owned(),
        target: engine.leg(leg).to_owned(),
        layers,
        not_formed: missing.into_iter().map(|c| model.call_name(c)).collect(),
        own_known: true,
    };
    let elements = formed.iter().map(|&c| model.call(c).shape.iter().product::<usize>() as u64);
    let elements = elements.collect();
    (meta, Scope { reference: 0, target: leg, calls: formed, is_output, elements })
}

/// Values of some events that rounding to float32 changes.
fn rounded(block: &EventBlock, span: &std::ops::Range<usize>) -> u64 {
    block
        .inputs
        .iter()
        .map(|input| {
            (span.start * input.elements..span.end * input.elements)
                .filter(|&i| input.data.rounds_to_f32(i))
                .count() as u64
        })
        .sum()
}
