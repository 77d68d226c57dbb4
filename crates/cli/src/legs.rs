//! Legs as the user names them.

use std::path::PathBuf;

use bittrue_record::ExitCode;
use bittrue_verify::{Leg, LegError, RecordedTarget};

use crate::args::{HlsConfigArgs, RecordedArgs};
use crate::failure::Failure;

/// The targets that are compared when none is named.
pub(crate) const DEFAULT_TARGETS: [Leg; 2] = [Leg::ProxySat, Leg::ProxyWrap];

/// The same where there is a proxy file.
const DEFAULT_WITH_PROXY: [Leg; 1] = [Leg::Proxy];

/// Reads the leg that a flag names.
pub(crate) fn leg(flag: &str, text: &str) -> Result<Leg, Failure> {
    text.parse().map_err(|e: LegError| {
        let help = match &e {
            LegError::Unknown(_) => match similar(text) {
                Some(leg) => format!("did you mean `{leg}`?"),
                None => "`verify --help` says what each leg computes".to_owned(),
            },
            LegError::NotYet(_) => format!("choose one of these with {flag}"),
            LegError::Recorded(_) => {
                "verify --model … --events … --target trace:FILE compares it with \
                                      the leg of --reference"
                    .to_owned()
            }
        };
        let code = match e {
            LegError::Unknown(_) | LegError::Recorded(_) => ExitCode::Usage,
            LegError::NotYet(_) => ExitCode::Conversion,
        };
        Failure::new(code, format!("{flag}: {e}")).with_help(help)
    })
}

/// The targets that are recorded traces, and the others.
pub(crate) fn recorded(
    targets: &[String],
    trace: &RecordedArgs,
) -> Result<(Vec<RecordedTarget>, Vec<String>), Failure> {
    let prefix = RecordedTarget::PREFIX;
    let (files, legs): (Vec<&String>, Vec<&String>) =
        targets.iter().partition(|t| t.starts_with(prefix));
    let usage = |message: String| Failure::new(ExitCode::Usage, message);
    let flag = match trace {
        RecordedArgs { trace_columns, .. } if !trace_columns.is_empty() => Some("--trace-columns"),
        RecordedArgs { trace_type, .. } if !trace_type.is_empty() => Some("--trace-type"),
        _ => None,
    };
    if let Some(flag) = flag.filter(|_| files.is_empty()) {
        return Err(usage(format!("{flag}: no target is a recorded trace"))
            .with_help(format!("name the file with --target {prefix}FILE, or leave {flag} out")));
    }
    let options = trace.options();
    let mut traces: Vec<RecordedTarget> = Vec::new();
    for file in files {
        let path = PathBuf::from(&file[prefix.len()..]);
        if path.as_os_str().is_empty() {
            return Err(usage(format!("--target: `{file}` names no file"))
                .with_help(format!("write {prefix}FILE")));
        }
        if traces.iter().any(|t| t.path == path) {
            return Err(usage(format!("--target: `{file}` is given twice"))
                .with_help("name each file once"));
        }
        traces.push(RecordedTarget { path, options: options.clone() });
    }
    Ok((traces, legs.into_iter().cloned().collect()))
}

/// Reads reference and targets; `proxy` says whether there is a proxy file.
pub(crate) fn comparison(
    reference: &str,
    targets: &[String],
    proxy: bool,
) -> Result<(Leg, Vec<Leg>), Failure> {
    let reference = leg("--reference", reference)?;
    if targets.is_empty() {
        let default = if proxy && !reference.reads_proxy() {
            DEFAULT_WITH_PROXY.as_slice()
        } else {
            DEFAULT_TARGETS.as_slice()
        };
        return Ok((reference, default.iter().copied().filter(|&l| l != reference).collect()));
    }
    let mut read = Vec::with_capacity(targets.len());
    for text in targets {
        let target = leg("--target", text)?;
        let contradiction = if target == reference {
            format!("--target: `{target}` is the reference too, and equals itself")
        } else if read.contains(&target) {
            format!("--target: `{target}` is given twice")
        } else {
            read.push(target);
            continue;
        };
        return Err(Failure::new(ExitCode::Usage, contradiction)
            .with_help("name each leg once; without --target the proxies are compared"));
    }
    if proxy && !reference.reads_proxy() && !read.iter().any(|l| l.reads_proxy()) {
        let message = "--proxy: no leg reads the file; the legs are named with --reference and \
                       --target";
        return Err(Failure::new(ExitCode::Usage, message)
            .with_help("add --target proxy, or leave --proxy out"));
    }
    Ok((reference, read))
}

/// Refuses a configuration of hls4ml that no leg is run by.
pub(crate) fn check_config(
    config: &HlsConfigArgs,
    legs: impl IntoIterator<Item = Leg>,
) -> Result<(), Failure> {
    if config.hls_config.is_none() || legs.into_iter().any(|leg| leg.simulated().is_some()) {
        return Ok(());
    }
    let message = "--hls-config: no leg is hls4ml's C simulation";
    Err(Failure::new(ExitCode::Usage, message)
        .with_help("name hls4ml:sat, hls4ml:wrap or hls4ml, or leave --hls-config out"))
}

/// The leg that a wrong spelling stands for, when there is no doubt.
fn similar(text: &str) -> Option<Leg> {
    let letters = |s: &str| -> String {
        s.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
    };
    let wanted = letters(text);
    Leg::ALL.into_iter().find(|leg| {
        let mode = leg.name().split_once(':').map(|(_, mode)| mode);
        letters(leg.name()) == wanted || mode == Some(wanted.as_str())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(list: &[&str]) -> Vec<String> {
        list.iter().map(|s| (*s).to_owned()).collect()
    }

    #[test]
    fn without_targets_the_proxies_are_compared() {
        let (reference, targets) = comparison("qkeras", &[], false).expect("legs");
        assert_eq!((reference, targets.as_slice()), (Leg::Qkeras, &DEFAULT_TARGETS[..]));
        let (_, targets) = comparison("proxy:sat", &[], false).expect("legs");
        assert_eq!(targets, [Leg::ProxyWrap]);
    }

    #[test]
    fn every_leg_once() {
        let both = texts(&["proxy:wrap", "qkeras"]);
        let (_, targets) = comparison("proxy:sat", &both, false).expect("legs");
        assert_eq!(targets, [Leg::ProxyWrap, Leg::Qkeras]);
        for wrong in [&["proxy:sat", "proxy:sat"][..], &["qkeras"]] {
            let failure = comparison("qkeras", &texts(wrong), false).expect_err("a contradiction");
            assert_eq!(failure.code(), ExitCode::Usage);
        }
    }

    #[test]
    fn spellings_that_leave_no_doubt() {
        for text in ["proxy:WRAP", "proxy_wrap", "ProxyWrap", "wrap"] {
            assert_eq!(similar(text), Some(Leg::ProxyWrap), "{text}");
        }
        assert_eq!(similar("QKeras"), Some(Leg::Qkeras));
        assert_eq!(similar("proxies"), None);
        assert_eq!(similar(""), None);
    }
}
