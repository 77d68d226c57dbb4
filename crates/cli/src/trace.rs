//! `verify trace`.

use bittrue_record::ExitCode;
use bittrue_verify::{Leg, trace as write_trace};
use bittrue_verify::{OnlyDiffering, TraceConfig, TraceSummary, trace_differing};

use crate::args::TraceArgs;
use crate::failure::Failure;
use crate::output::{self, OutputFile};
use crate::progress::Bar;
use crate::{event_files, legs};

pub(crate) fn trace(args: &TraceArgs) -> Result<ExitCode, Failure> {
    let leg = legs::leg("--semantics", &args.semantics)?;
    let only = only_differing(args, leg)?;
    let reads = |wanted| leg == wanted || only.is_some_and(|o| o.reference == wanted);
    let casts = Leg::ALL.into_iter().any(|l| l != Leg::Qkeras && reads(l));
    if !casts && !args.input_type.input_type.is_empty() {
        let message = "--input-type casts the proxies' inputs; the leg `qkeras` reads the events as \
                       they are";
        return Err(Failure::new(ExitCode::Usage, message)
            .with_help("leave --input-type out, or trace proxy:sat or proxy:wrap"));
    }
    let reads_proxy = leg.reads_proxy() || only.is_some_and(|o| o.reference.reads_proxy());
    if !reads_proxy && args.model.proxy.is_some() {
        let message = format!("--proxy: the leg `{leg}` does not read the file");
        return Err(Failure::new(ExitCode::Usage, message)
            .with_help("trace it with --semantics proxy, or leave --proxy out"));
    }
    if args.types.is_some() && leg.simulated().is_none() {
        let message = format!("--types: the leg `{leg}` has no types of hls4ml's");
        return Err(Failure::new(ExitCode::Usage, message)
            .with_help("trace hls4ml:sat, hls4ml:wrap or hls4ml, or leave --types out"));
    }
    let compared = only.map(|o| o.reference);
    legs::check_config(&args.hls_config, compared.into_iter().chain([leg]))?;
    args.simd.choose()?;
    let files = event_files::expand(&args.events.events)?;
    let outputs = [("--out", Some(args.out.as_path())), ("--types", args.types.as_deref())];
    let outputs: Vec<_> = outputs.into_iter().filter_map(|(f, path)| Some((f, path?))).collect();
    output::keep_apart(&outputs)?;
    for (flag, path) in outputs {
        output::keep_inputs(flag, path, &args.model, &args.hls_config, &files)?;
    }
    let config = TraceConfig {
        model: args.model.model.clone(),
        proxy: args.model.proxy.clone(),
        hls_config: args.hls_config.hls_config.clone(),
        events: files,
        options: args.choice.options(),
        leg,
        input_types: args.input_type.input_type.clone(),
        out: args.out.clone(),
    };
    // Ctrl-C is caught from here on, so that no unfinished file is left behind.
    let bar = Bar::new(false);
    let types = args.types.as_deref().map(OutputFile::create).transpose()?;
    let summary = match only {
        Some(only) => trace_differing(&config, only, &bar),
        None => write_trace(&config, &bar),
    };
    bar.clear();
    let summary = summary?;
    if summary.stopped {
        return Err(Failure::new(
            ExitCode::Interrupted,
            format!("interrupted: {} was not written", args.out.display()),
        ));
    }
    if let (Some(file), Some(text)) = (types, &summary.types) {
        file.finish(text)?;
    }
    let flagged = match summary.flagged {
        0 => String::new(),
        n => format!("; {n} elements flagged, see /flags and /bands"),
    };
    crate::print(&format!(
        "{}: {}, {} layers, {}{flagged}\n",
        args.out.display(),
        config.leg,
        summary.layers,
        events(&summary, only),
    ))?;
    Ok(ExitCode::Success)
}

/// How many events were written.
fn events(summary: &TraceSummary, only: Option<OnlyDiffering>) -> String {
    match only {
        None => format!("{} events", summary.events),
        Some(OnlyDiffering { reference, .. }) => {
            let (n, read) = (summary.events, summary.read);
            format!("{n} of {read} events, those that differ from {reference}")
        }
    }
}

/// The leg to compare with, which is another one.
fn only_differing(args: &TraceArgs, leg: Leg) -> Result<Option<OnlyDiffering>, Failure> {
    if !args.only_differing {
        return Ok(None);
    }
    let reference = legs::leg("--reference", &args.reference)?;
    if reference == leg {
        let message = format!("--only-differing: `{leg}` is the reference too, and equals itself");
        return Err(Failure::new(ExitCode::Usage, message)
            .with_help("name another leg with --reference, such as proxy:wrap"));
    }
    Ok(Some(OnlyDiffering { reference, strict_layers: args.strict_layers }))
}
