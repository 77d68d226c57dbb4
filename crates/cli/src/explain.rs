//! `verify explain`.

use bittrue_record::ExitCode;
use bittrue_report::TextOptions;
use bittrue_verify::{Elements, ExplainConfig, explain as explain_event};

use crate::args::ExplainArgs;
use crate::compare::color;
use crate::failure::Failure;
use crate::output::{self, OutputFile};
use crate::progress::Bar;
use crate::{event_files, legs, print};

pub(crate) fn explain(args: &ExplainArgs) -> Result<ExitCode, Failure> {
    let (reference, targets) =
        legs::comparison(&args.reference, &args.target, args.model.proxy.is_some())?;
    legs::check_config(&args.hls_config, targets.iter().copied().chain([reference]))?;
    let events = event_files::expand(&args.events.events)?;
    if let Some(json) = &args.json {
        output::keep_inputs("--json", json, &args.model, &args.hls_config, &events)?;
    }
    let most = usize::try_from(args.max_elements).unwrap_or(usize::MAX);
    let config = ExplainConfig {
        model: args.model.model.clone(),
        proxy: args.model.proxy.clone(),
        hls_config: args.hls_config.hls_config.clone(),
        events,
        options: args.choice.options(),
        event: args.event,
        reference,
        targets,
        input_types: args.input_type.input_type.clone(),
        layers: args.layer.clone(),
        elements: match (args.all, args.element.is_empty()) {
            (true, _) => Elements::All,
            (false, true) => Elements::Notable(most),
            (false, false) => Elements::Given(args.element.clone()),
        },
    };
    let bar = Bar::new(false);
    let json = args.json.as_deref().map(OutputFile::create).transpose()?;
    let explained = explain_event(&config, &bar);
    bar.clear();
    let explained = explained?;
    let options = TextOptions { color: color(args.color), ..TextOptions::default() };
    let printed = print(&bittrue_report::explanation(&explained, &options));
    if let Some(json) = json {
        json.finish(&bittrue_report::explanation_json(&explained))?;
    }
    printed?;
    Ok(ExitCode::Success)
}
