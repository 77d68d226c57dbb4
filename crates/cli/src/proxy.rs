//! `verify proxy`: the proxy that HGQ would build, shown and written.

use std::fmt::Write;
use std::path::Path;

use bittrue_proxy::{HlsConfig, Mode};
use bittrue_record::ExitCode;
use bittrue_verify::{BuiltProxy, LoadedConfig, ProxyOptions};

mod table;

use crate::args::ProxyArgs;
use crate::failure::Failure;
use crate::output::{self, OutputFile};

pub(crate) fn proxy(args: &ProxyArgs) -> Result<ExitCode, Failure> {
    let outputs: Vec<(&str, &Path)> = [("--out", &args.out), ("--types", &args.types)]
        .into_iter()
        .filter_map(|(flag, path)| Some((flag, path.as_deref()?)))
        .collect();
    output::keep_apart(&outputs)?;
    for (flag, path) in &outputs {
        output::keep_file(flag, path, "--model", &args.model)?;
        if let Some(config) = &args.hls_config {
            output::keep_file(flag, path, "--hls-config", config)?;
        }
    }
    let mode = args.overflow.mode();
    let options = ProxyOptions {
        mode,
        max_table_size: args.unary_lut_max_table_size,
        register: args.register_precisions,
        accum_fp_max_offset: args.accum_fp_max_offset,
    };
    let config = match &args.hls_config {
        Some(path) => LoadedConfig::open(path)?.config,
        None => HlsConfig::default(),
    };
    let built = BuiltProxy::build(&args.model, &options)?;
    let mut text = header(&built, mode);
    table::write(&mut text, &built, options.accum_fp_max_offset)?;
    // Both or none, as far as that is known before.
    let types = match &args.types {
        Some(path) => Some((built.types(&config)?, OutputFile::create(path)?)),
        None => None,
    };
    if let Some(out) = &args.out {
        built.write(out)?;
    }
    if let Some((types, file)) = types {
        file.finish(&types)?;
    }
    for (n, (_, path)) in outputs.iter().enumerate() {
        let title = if n == 0 { "\nWritten " } else { "        " };
        let _ = writeln!(text, "{title} {}", path.display());
    }
    crate::print(&text)?;
    Ok(ExitCode::Success)
}

fn header(built: &BuiltProxy, mode: Mode) -> String {
    let model = &built.converted.model;
    let call = match mode {
        Mode::Sat => "to_proxy_model(model, aggressive=False): signed quantizers saturate",
        Mode::Wrap => "to_proxy_model(model), HGQ's default: signed quantizers wrap",
    };
    let mut text = format!(
        "Model    {}\nProxy    {} ({} layers), {call}\n",
        built.path.display(),
        model.name,
        model.layers.len(),
    );
    for w in &built.converted.warnings {
        let _ = writeln!(text, "Warning  {} ({}): {}", w.layer, w.code, w.text);
    }
    text
}
