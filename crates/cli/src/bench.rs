//! `verify bench`.

use std::path::Path;
use std::time::Duration;

use bittrue_record::ExitCode;
use bittrue_report::{bench_json, bench_svg, bench_text};
use bittrue_verify::{BenchConfig, bench as measure};

use crate::args::BenchArgs;
use crate::failure::Failure;
use crate::output::{self, OutputFile};
use crate::progress::Bar;
use crate::{event_files, legs, print};

pub(crate) fn bench(args: &BenchArgs) -> Result<ExitCode, Failure> {
    args.simd.choose()?;
    let default = if args.model.proxy.is_some() { "proxy" } else { "proxy:wrap" };
    let target = [args.target.clone().unwrap_or_else(|| default.to_owned())];
    let (reference, targets) =
        legs::comparison(&args.reference, &target, args.model.proxy.is_some())?;
    legs::check_config(&args.hls_config, targets.iter().copied().chain([reference]))?;
    let outputs: Vec<(&str, &Path)> = [("--json", &args.json), ("--svg", &args.svg)]
        .into_iter()
        .filter_map(|(flag, path)| Some((flag, path.as_deref()?)))
        .collect();
    let files = event_files::expand(&args.events)?;
    output::keep_apart(&outputs)?;
    for (flag, path) in &outputs {
        output::keep_file(flag, path, "--model", &args.model.model)?;
        if let Some(config) = &args.hls_config.hls_config {
            output::keep_file(flag, path, "--hls-config", config)?;
        }
        for events in &files {
            output::keep_file(flag, path, "--events", events)?;
        }
    }
    let config = BenchConfig {
        model: args.model.model.clone(),
        proxy: args.model.proxy.clone(),
        hls_config: args.hls_config.hls_config.clone(),
        events: files,
        options: args.choice.options(),
        reference,
        target: targets[0],
        input_types: args.input_type.input_type.clone(),
        time: Duration::from_secs_f64(args.seconds),
    };
    // Ctrl-C is caught from here on.
    let bar = Bar::new(true);
    let create = |path: &Option<_>| path.as_deref().map(OutputFile::create).transpose();
    let (json, svg) = (create(&args.json)?, create(&args.svg)?);
    let measured = measure(&config, &bar);
    bar.clear();
    let measured = measured?;
    if let Some(file) = json {
        file.finish(&bench_json(&measured))?;
    }
    if let Some(file) = svg {
        file.finish(&bench_svg(&measured))?;
    }
    print(&bench_text(&measured, args.explain))?;
    Ok(ExitCode::Success)
}
