//! `verify proxy`: the proxy that HGQ would build, shown and written.

use std::fmt::Write;

use bittrue_proxy::Mode;
use bittrue_record::ExitCode;
use bittrue_verify::{BuiltProxy, ProxyOptions};

mod table;

use crate::args::ProxyArgs;
use crate::failure::Failure;
use crate::output;

pub(crate) fn proxy(args: &ProxyArgs) -> Result<ExitCode, Failure> {
    if let Some(out) = &args.out {
        output::keep_file("--out", out, "--model", &args.model)?;
    }
    let mode = args.overflow.mode();
    let options = ProxyOptions {
        mode,
        max_table_size: args.unary_lut_max_table_size,
        register: args.register_precisions,
        accum_fp_max_offset: args.accum_fp_max_offset,
    };
    let built = BuiltProxy::build(&args.model, &options)?;
    let mut text = header(&built, mode);
    table::write(&mut text, &built, options.accum_fp_max_offset)?;
    if let Some(out) = &args.out {
        built.write(out)?;
        let _ = writeln!(text, "\nWritten  {}", out.display());
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
