//! The comparison: flags to configuration, report to terminal and files.

use std::io::IsTerminal;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;

use bittrue_record::{ExitCode, Report};
use bittrue_report::TextOptions;
use bittrue_verify::{SaveEvents, VerifyConfig, verify, verify_and_save};

use crate::args::{Color, FailOn, ModelArgs, RunArgs};
use crate::failure::Failure;
use crate::progress::Bar;
use crate::reports::{self, Reports};
use crate::{event_files, legs, lint, save};

pub(crate) fn compare(args: &RunArgs) -> Result<ExitCode, Failure> {
    let (Some(model), Some(events)) = (&args.model, &args.events) else {
        return Err(Failure::new(ExitCode::Usage, "--model and --events are needed")
            .with_help("`verify --help` shows examples"));
    };
    args.simd.choose()?;
    let files = event_files::expand(&events.events)?;
    reports::check(args, model, &files)?;
    let saved = save::wanted(&args.save, model, &args.hls_config, &files)?;
    // Ctrl-C is caught from here on, so that no unfinished file is left behind.
    let bar = Bar::new(args.quiet);
    let reports = Reports::create(args)?;
    let report = catch_unwind(AssertUnwindSafe(|| run(args, model, files, saved.as_ref(), &bar)));
    bar.clear();
    let (report, written) = match report {
        Ok(Ok(done)) => done,
        Ok(Err(failure)) => {
            reports.fail(&failure);
            return Err(failure);
        }
        Err(panic) => {
            reports.fail(&Failure::bug());
            resume_unwind(panic)
        }
    };
    let options = TextOptions { color: color(args.color), ..TextOptions::default() };
    let printed = match args.quiet {
        true => Ok(()),
        false => crate::print(&bittrue_report::text(&report, &options)),
    };
    let printed = match &saved {
        Some(save) if !args.quiet => {
            printed.and_then(|()| crate::print(&save::summary(save, written, &report)))
        }
        _ => printed,
    };
    reports.finish(&report)?;
    printed?;
    if report.partial {
        let seen = report.events.count;
        return Err(Failure::new(
            ExitCode::Interrupted,
            format!("interrupted: the report covers the first {seen} of {} events", bar.length()),
        ));
    }
    Ok(match (report.exit_code(), args.fail_on) {
        (ExitCode::Mismatch, FailOn::Never) => ExitCode::Success,
        (code, _) => code,
    })
}

/// The comparison itself: its report, and how many events were saved.
fn run(
    args: &RunArgs,
    model: &ModelArgs,
    files: Vec<PathBuf>,
    saved: Option<&SaveEvents>,
    bar: &Bar,
) -> Result<(Report, u64), Failure> {
    let (traces, targets) = legs::recorded(&args.target, &args.recorded)?;
    let (reference, targets) = match traces.is_empty() || !targets.is_empty() {
        true => legs::comparison(&args.reference, &targets, model.proxy.is_some())?,
        false => (legs::leg("--reference", &args.reference)?, Vec::new()),
    };
    legs::check_config(&args.hls_config, targets.iter().copied().chain([reference]))?;
    lint::check_denied(model, &args.deny)?;
    let config = VerifyConfig {
        traces,
        model: model.model.clone(),
        proxy: model.proxy.clone(),
        hls_config: args.hls_config.hls_config.clone(),
        events: files,
        options: args.choice.options(),
        reference,
        targets,
        input_types: args.input_type.input_type.clone(),
        strict_layers: args.strict_layers,
        hash: args.hash,
    };
    Ok(match saved {
        Some(save) => verify_and_save(&config, save, bar)?,
        None => (verify(&config, bar)?, 0),
    })
}

pub(crate) fn color(when: Color) -> bool {
    match when {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => crate::colors_wanted() && std::io::stdout().is_terminal(),
    }
}
