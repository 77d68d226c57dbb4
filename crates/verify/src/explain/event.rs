//! From files to an explanation.

use std::path::PathBuf;

use bittrue_engine::Selection;
use bittrue_io::EventOptions;
use bittrue_model::CallId;
use bittrue_record::{EventPlace, ExplainedElement, ExplainedLayer, Explanation, FORMAT_VERSION};

use super::layer::{LegEvent, LegLayer, not_formed};
use super::select::{Elements, select};
use crate::beside::Beside;
use crate::session::{LoadedModel, Session};
use crate::source::{Source, Wanted};
use crate::verify::tool;
use crate::{Error, ErrorKind, InputTypeOption, Leg, Progress, event_files, input_type};

/// Which event to explain, in which legs.
#[derive(Debug, Clone)]
pub struct ExplainConfig {
    /// The QKeras model.
    pub model: PathBuf,
    /// The proxy file for the leg `proxy`, unless the model is one itself.
    pub proxy: Option<PathBuf>,
    /// hls4ml's configuration, for its C simulation.
    pub hls_config: Option<PathBuf>,
    /// The recorded events.
    pub events: Vec<PathBuf>,
    /// Which datasets, which rows: Keras' batches count from the first of them.
    pub options: EventOptions,
    /// The 0-based row of the event in the file.
    pub event: u64,
    /// What counts as right.
    pub reference: Leg,
    /// What is compared with it.
    pub targets: Vec<Leg>,
    /// Types that the targets' inputs are cast to.
    pub input_types: Vec<InputTypeOption>,
    /// The layers to show; all where none is named.
    pub layers: Vec<String>,
    /// The elements to show.
    pub elements: Elements,
}

/// Runs one event through all legs and says what every quantizer did.
///
/// # Errors
///
/// When the model, the conversion or the events are at fault; [`ErrorKind::Usage`] for layers and
/// elements that are not there.
pub fn explain(config: &ExplainConfig, progress: &dyn Progress) -> Result<Explanation, Error> {
    let loaded = LoadedModel::open(&config.model)?;
    let model_info = loaded.info()?;
    let inputs = loaded.inputs();
    let wanted = Wanted::by(&loaded);
    let open = |options: &EventOptions| Source::open(&config.events, &wanted, options);
    let source = open(&config.options)?;
    let selection = Selection { first: source.skipped(), count: source.count() };
    check_row(config, selection)?;
    let of_event =
        EventOptions { skip: config.event, max_events: Some(1), ..config.options.clone() };
    let input_types =
        input_type::resolve(&loaded, &config.input_types, || open(&config.options), progress)?;
    let beside = Beside::open(config.proxy.as_deref(), config.hls_config.as_deref(), &loaded)?;
    let (proxy_info, config_info) = (beside.proxy_info()?, beside.config_info()?);
    let session = Session::new(loaded, beside, config.reference, &config.targets, input_types)?;
    let calls = chosen(&session, &config.layers)?;
    let Some(block) = open(&of_event)?.next_block(1)? else {
        return Err(Error::new(ErrorKind::Internal, "an event that is there was not read"));
    };

    let parts = session.engine.run(selection, &block, &[0]);
    let careful = parts.len() > 1;
    let part = parts.last().ok_or_else(|| Error::new(ErrorKind::Internal, "nothing was run"))?;
    let legs: Vec<LegEvent<'_>> = (0..session.engine.legs())
        .map(|leg| LegEvent {
            name: session.engine.leg(leg),
            typed: &session.typed[leg],
            nodes: session.engine.nodes(leg, selection, &block, 0, careful),
            aligned: &part.legs[leg].aligned,
            own: &part.legs[leg].own,
        })
        .collect();
    let layers: Vec<ExplainedLayer> =
        calls.iter().map(|&call| layer(&session, &legs, call, &config.elements)).collect();
    if let Elements::Given(given) = &config.elements {
        check_elements(given, &layers)?;
    }
    let input_types = inputs
        .iter()
        .zip(&session.input_types)
        .filter_map(|(input, t)| t.map(|t| format!("{}={t}", input.name)))
        .collect();
    Ok(Explanation {
        format_version: FORMAT_VERSION,
        tool: tool(config.reference, &config.targets),
        model: model_info,
        proxy: proxy_info,
        hls_config: config_info,
        event: EventPlace {
            path: event_files::joined(&config.events),
            row: config.event,
            count: selection.count,
            skipped: selection.first,
        },
        input_types,
        legs: legs.iter().map(|leg| leg.name.to_owned()).collect(),
        layers,
        layers_chosen: !config.layers.is_empty(),
    })
}

/// One layer in all legs.
fn layer(
    session: &Session,
    legs: &[LegEvent<'_>],
    call: CallId,
    elements: &Elements,
) -> ExplainedLayer {
    let model = &session.loaded.model;
    let of_legs: Vec<Option<LegLayer<'_>>> = legs
        .iter()
        .enumerate()
        .map(|(n, leg)| LegLayer::new(leg, call, session.engine.result_t(n, call)))
        .collect();
    let reference = of_legs[0].as_ref();
    let beside = |n: usize| if n == 0 { None } else { reference };
    let tensors = of_legs
        .iter()
        .enumerate()
        .map(|(n, leg)| match leg {
            Some(leg) => leg.tensor(model, beside(n)),
            None => not_formed(legs[n].name, n == 0),
        })
        .collect();
    let (shown, left_out) = select(elements, reference, &of_legs);
    let element = |e: usize| {
        // What float32 gives is spelled in the type that another leg has there.
        let any = of_legs.iter().flatten().find_map(|leg| leg.target(e));
        let value =
            |(n, leg): (usize, &LegLayer<'_>)| leg.value(e, leg.target(e).or(any), beside(n));
        let formed = of_legs.iter().enumerate().filter_map(|(n, leg)| Some((n, leg.as_ref()?)));
        ExplainedElement { index: e as u64, values: formed.map(value).collect() }
    };
    ExplainedLayer {
        name: model.call_name(call),
        class: model.layer_of(call).class_name.clone(),
        shape: model.call(call).shape.clone(),
        is_output: model.outputs.contains(&call),
        legs: tensors,
        elements: shown.into_iter().map(element).collect(),
        left_out,
    }
}

/// Refuses a row that is not among those that are read.
fn check_row(config: &ExplainConfig, selection: Selection) -> Result<(), Error> {
    let (first, count) = (selection.first, selection.count);
    let last = first + count.saturating_sub(1);
    if (first..=last).contains(&config.event) {
        return Ok(());
    }
    let all = first == 0 && config.options.max_events.is_none();
    let what = match (all, count) {
        (true, 1) => "it holds 1 event".to_owned(),
        (true, n) => format!("it holds {n} events"),
        (false, n) => format!("with --skip and --max-events {n} of its events are read"),
    };
    let message = format!(
        "{}: there is no event {}: {what}",
        event_files::joined(&config.events),
        config.event
    );
    let help = format!("events are counted from 0: give --event {first} to {last}");
    Err(Error::new(ErrorKind::Events, message).with_help(Some(&help)))
}

/// The layers that are asked for, in report order.
fn chosen(session: &Session, names: &[String]) -> Result<Vec<CallId>, Error> {
    let model = &session.loaded.model;
    let known: Vec<String> = session.calls.iter().map(|&c| model.call_name(c)).collect();
    if let Some(unknown) = names.iter().find(|n| !known.contains(n)) {
        let message = format!("--layer: there is no aligned layer `{unknown}`");
        let help = format!("the aligned layers are {}", known.join(", "));
        return Err(Error::new(ErrorKind::Usage, message).with_help(Some(&help)));
    }
    let wanted = |c: &CallId| names.is_empty() || names.contains(&model.call_name(*c));
    Ok(session.calls.iter().copied().filter(wanted).collect())
}

/// Refuses elements that no layer has.
fn check_elements(given: &[u64], layers: &[ExplainedLayer]) -> Result<(), Error> {
    let longest = |layer: &ExplainedLayer| layer.legs.iter().map(|t| t.elements).max().unwrap_or(0);
    let most = layers.iter().map(longest).max().unwrap_or(0);
    let Some(missing) = given.iter().find(|&&e| e >= most) else { return Ok(()) };
    let message = format!("--element: no layer shown has an element {missing}");
    let help = format!("elements are counted from 0; the longest layer shown has {most}");
    Err(Error::new(ErrorKind::Usage, message).with_help(Some(&help)))
}
