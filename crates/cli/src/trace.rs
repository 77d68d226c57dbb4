//! `verify trace`.

use bittrue_record::ExitCode;
use bittrue_verify::{Leg, TraceConfig, trace as write_trace};

use crate::args::TraceArgs;
use crate::failure::Failure;
use crate::progress::Bar;
use crate::{event_files, legs, output};

pub(crate) fn trace(args: &TraceArgs) -> Result<ExitCode, Failure> {
    let leg = legs::leg("--semantics", &args.semantics)?;
    if leg == Leg::Qkeras && !args.input_type.input_type.is_empty() {
        let message = "--input-type casts the proxies' inputs; the leg `qkeras` reads the events as \
                       they are";
        return Err(Failure::new(ExitCode::Usage, message)
            .with_help("leave --input-type out, or trace proxy:sat or proxy:wrap"));
    }
    if leg != Leg::Proxy && args.model.proxy.is_some() {
        let message = format!("--proxy: the leg `{leg}` does not read the file");
        return Err(Failure::new(ExitCode::Usage, message)
            .with_help("trace it with --semantics proxy, or leave --proxy out"));
    }
    let files = event_files::expand(&args.events.events)?;
    output::keep_inputs("--out", &args.out, &args.model, &files)?;
    let config = TraceConfig {
        model: args.model.model.clone(),
        proxy: args.model.proxy.clone(),
        events: files,
        options: args.events.options(),
        leg,
        input_types: args.input_type.input_type.clone(),
        out: args.out.clone(),
    };
    let bar = Bar::new();
    let summary = write_trace(&config, &bar);
    bar.clear();
    let summary = summary?;
    if summary.stopped {
        return Err(Failure::new(
            ExitCode::Interrupted,
            format!("interrupted: {} was not written", args.out.display()),
        ));
    }
    let flagged = match summary.flagged {
        0 => String::new(),
        n => format!("; {n} elements flagged, see /flags and /bands"),
    };
    crate::print(&format!(
        "{}: {}, {} layers, {} events{flagged}\n",
        args.out.display(),
        config.leg,
        summary.layers,
        summary.events,
    ))?;
    Ok(ExitCode::Success)
}
