//! `--save-events`.

use std::path::{Path, PathBuf};

use bittrue_io::SavedFormat;
use bittrue_record::{ExitCode, Report};
use bittrue_verify::SaveEvents;

use crate::args::{HlsConfigArgs, ModelArgs, SaveArgs};
use crate::failure::Failure;
use crate::output;

/// Which events to save, and where; refuses files of another kind, and those that are read.
pub(crate) fn wanted(
    args: &SaveArgs,
    model: &ModelArgs,
    config: &HlsConfigArgs,
    events: &[PathBuf],
) -> Result<Option<SaveEvents>, Failure> {
    let Some(out) = &args.save_events else { return Ok(None) };
    let format = SavedFormat::of(out).ok_or_else(|| unknown(out))?;
    output::keep_inputs("--save-events", out, model, config, events)?;
    let most = args.max_saved.unwrap_or(u64::MAX);
    Ok(Some(SaveEvents { out: out.clone(), format, most }))
}

fn unknown(out: &Path) -> Failure {
    let message = format!(
        "--save-events: the extension of {} names no kind of file; they are {}",
        out.display(),
        SavedFormat::EXTENSIONS
    );
    Failure::new(ExitCode::Usage, message)
        .with_help(".h5 holds any model's events; .dat is for hls4ml's test benches")
}

/// A line about what was saved.
pub(crate) fn summary(save: &SaveEvents, written: u64, report: &Report) -> String {
    let of = match report.partial {
        true => format!("the first {} events", report.events.count),
        false => format!("{} events", report.events.count),
    };
    let what = match written {
        0 => "no event differs, so it holds none".to_owned(),
        1 => format!("the 1 event of {of} that differs"),
        n if n == save.most => format!("the first {n} of {of} that differ"),
        n => format!("the {n} of {of} that differ"),
    };
    format!("\nSaved {}: {what}.\n", save.out.display())
}
