//! The comparison: flags to configuration, report to terminal and file.

use std::io::IsTerminal;

use bittrue_record::ExitCode;
use bittrue_report::TextOptions;
use bittrue_verify::{VerifyConfig, verify};

use crate::args::{Color, RunArgs};
use crate::failure::Failure;
use crate::legs;
use crate::lint;
use crate::output::{self, OutputFile};
use crate::progress::Bar;

pub(crate) fn compare(args: &RunArgs) -> Result<ExitCode, Failure> {
    let (Some(model), Some(events)) = (&args.model, &args.events) else {
        return Err(Failure::new(ExitCode::Usage, "--model and --events are needed")
            .with_help("`verify --help` shows examples"));
    };
    let (reference, targets) =
        legs::comparison(&args.reference, &args.target, model.proxy.is_some())?;
    if let Some(json) = &args.json {
        output::keep_inputs("--json", json, model, events)?;
    }
    lint::check_denied(model, &args.deny)?;
    let config = VerifyConfig {
        model: model.model.clone(),
        proxy: model.proxy.clone(),
        events: events.events.clone(),
        options: events.options(),
        reference,
        targets,
        input_types: args.input_type.input_type.clone(),
        strict_layers: args.strict_layers,
        hash: args.hash,
    };
    // Ctrl-C is caught from here on, so that no unfinished file is left behind.
    let bar = Bar::new();
    let json = args.json.as_deref().map(OutputFile::create).transpose()?;
    let report = verify(&config, &bar);
    bar.clear();
    let report = report?;
    let options = TextOptions { color: color(args.color), ..TextOptions::default() };
    let printed = crate::print(&bittrue_report::text(&report, &options));
    if let Some(json) = json {
        json.finish(&bittrue_report::json(&report))?;
    }
    printed?;
    if report.partial {
        let seen = report.events.count;
        return Err(Failure::new(
            ExitCode::Interrupted,
            format!("interrupted: the report covers the first {seen} of {} events", bar.length()),
        ));
    }
    Ok(report.exit_code())
}

fn color(when: Color) -> bool {
    match when {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => crate::colors_wanted() && std::io::stdout().is_terminal(),
    }
}
