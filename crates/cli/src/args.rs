//! Flags, with the help that teaches them.

use std::path::PathBuf;

use bittrue_fixed::FixedType;
use bittrue_io::EventOptions;
use bittrue_verify::{InputType, InputTypeOption};
use clap::{Args, Parser, Subcommand, ValueEnum};

const ABOUT: &str = "Does the proxy that goes to the FPGA give the same bits as the QKeras model?";

const LONG_ABOUT: &str = "\
Does the proxy that goes to the FPGA give the same bits as the QKeras model?

verify reads a QKeras model (Keras 2 .h5) and a file of recorded events, builds the fixed-point proxy \
that HGQ 0.2.6 would build from it (plain Keras layers followed by FixedPointQuantizers), runs both \
on every event, and reports layer by layer what differs, by how many LSBs and in which events. It \
needs no Python, no TensorFlow and no compiler.";

const AFTER: &str = "\
Examples:
  verify --model tagger.h5 --events jets.h5
      compare Keras predict with the saturating and the wrapping proxy
  verify --model tagger.h5 --events jets.h5 --target proxy:wrap --json report.json
      one target, and a report for machines
  verify --model siamese.h5 --events e.h5 --dataset left=/calo/l --dataset right=/calo/r
      say which dataset feeds which input
  verify --model tagger.h5 --proxy proxy.h5 --events jets.h5
      compare Keras predict with the very proxy that goes to the FPGA
  verify inspect --model tagger.h5
      what every layer and quantizer really means
  verify trace --model tagger.h5 --events jets.h5 --semantics proxy:wrap --out wrap.h5
      write what every layer gives

Legs:
  qkeras       Keras predict of the model, in float32 as TensorFlow runs it on a CPU
  proxy:sat    HGQ's proxy with aggressive=False: signed quantizers saturate
  proxy:wrap   HGQ's proxy with aggressive=True (HGQ's default): signed quantizers wrap
  proxy        the proxy file given with --proxy (or --model), with its own modes

ap_fixed<W,I> counts the sign bit inside I; quantized_bits(bits, integer) does not:
quantized_bits(8,3,alpha=1) is ap_fixed<8,4>.

Exit codes:
  0  every comparison is bit-exact         4  the conversion refuses the model
  1  some comparison is a mismatch         5  the events cannot be used
  2  unknown or contradictory flags        6  internal error (a bug in bittrue)
  3  the model cannot be read or evaluated 7  an output file cannot be written
  130  interrupted with Ctrl-C; what was counted so far is printed";

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "verify",
    version,
    about = ABOUT,
    long_about = LONG_ABOUT,
    after_help = AFTER,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    arg_required_else_help = true,
    max_term_width = 100
)]
pub(crate) struct Cli {
    /// The subcommand; without one, legs are compared.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// The flags of a comparison.
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

/// Subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show layers, what their quantizers mean, weights, and what became of every attribute
    Inspect(InspectArgs),
    /// Write what every layer of one leg gives to an HDF5 file
    Trace(TraceArgs),
    /// Print completions for a shell, e.g. `source <(verify completions bash)`
    Completions(CompletionsArgs),
    /// Print the man page, e.g. `verify man | man -l -`
    Man,
}

/// A model.
#[derive(Debug, Args)]
pub(crate) struct ModelArgs {
    /// The QKeras model, as written by model.save("m.h5") with Keras 2
    #[arg(long, value_name = "FILE")]
    pub(crate) model: PathBuf,

    /// The proxy that HGQ made of the model, for the leg `proxy`
    ///
    /// A Keras 2 .h5 file written from HGQ 0.2.6's to_proxy_model: what really goes to the FPGA. It
    /// has to be a proxy of this very model. Without --target it is compared with qkeras. --model
    /// may also be a proxy file itself, for `verify trace --semantics proxy`.
    #[arg(long, value_name = "FILE")]
    pub(crate) proxy: Option<PathBuf>,
}

/// Events.
#[derive(Debug, Args)]
pub(crate) struct EventArgs {
    /// The recorded events: an HDF5 file with datasets [event, …], or a NumPy .npy or .npz file
    #[arg(long, value_name = "FILE")]
    pub(crate) events: PathBuf,

    /// Which dataset feeds an input; needed when names and shapes leave a choice
    ///
    /// PATH is the dataset's path in the file, such as /calo/left; a model with one input takes it
    /// without INPUT=. By default an input is fed by the dataset of its own name, else by the only
    /// one whose shape fits.
    ///
    /// `PATH[a:b]` takes columns of the last axis, as in Python; `PATH[name,…]` takes fields of a
    /// compound dataset, in that order. The array of a .npy file is called arr_0; where a file
    /// holds one dataset PATH may be left out, as in `[0:16]`.
    #[arg(long, value_name = "[INPUT=]PATH")]
    pub(crate) dataset: Vec<String>,

    /// Leave out this many events at the start of the file
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true, value_parser = count)]
    pub(crate) skip: u64,

    /// Read at most this many events
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = count_from_1)]
    pub(crate) max_events: Option<u64>,
}

impl EventArgs {
    /// The options for the reader.
    pub(crate) fn options(&self) -> EventOptions {
        let datasets = self
            .dataset
            .iter()
            .map(|d| match d.split_once('=') {
                Some((input, path)) => (Some(input.to_owned()), path.to_owned()),
                None => (None, d.clone()),
            })
            .collect();
        EventOptions { datasets, skip: self.skip, max_events: self.max_events }
    }
}

/// Reads a number of events.
fn count(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "give a whole number of events, such as 1000".to_owned())
}

/// Reads a number of events that is not 0.
fn count_from_1(text: &str) -> Result<u64, String> {
    match count(text)? {
        0 => Err("nothing can be said of no events".to_owned()),
        n => Ok(n),
    }
}

/// Casts of the inputs.
#[derive(Debug, Args)]
pub(crate) struct InputTypeArgs {
    /// Cast an input of the proxies to a type, as the firmware's input would be
    ///
    /// TYPE is e.g. 'ap_fixed<16,6>' (in quotes, for < and > mean something to the shell; the 6
    /// counts the sign bit), or auto: the smallest type of at most 32 bits that holds every event
    /// exactly. Without INPUT it is for every input. The qkeras leg reads the events as they are.
    #[arg(long, value_name = "[INPUT=]TYPE|auto", value_parser = input_type)]
    pub(crate) input_type: Vec<InputTypeOption>,
}

/// Reads `TYPE`, `auto`, `INPUT=TYPE` or `INPUT=auto`.
fn input_type(text: &str) -> Result<InputTypeOption, String> {
    let (input, text) = match text.split_once('=') {
        Some((input, text)) => (Some(input.to_owned()), text),
        None => (None, text),
    };
    if text == "auto" {
        return Ok((input, InputType::Auto));
    }
    let fixed: FixedType = text.parse().map_err(|e| format!("{e}"))?;
    Ok((input, InputType::Fixed(fixed)))
}

/// `verify --model … --events …`.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    // Required too, but a subcommand takes them itself: so clap may leave them out here.
    #[command(flatten)]
    pub(crate) model: Option<ModelArgs>,
    #[command(flatten)]
    pub(crate) events: Option<EventArgs>,

    #[command(flatten)]
    pub(crate) input_type: InputTypeArgs,

    /// The leg that counts as right
    #[arg(long, value_name = "LEG", default_value = "qkeras")]
    pub(crate) reference: String,

    /// A leg to check; may be given several times [default: proxy:sat and proxy:wrap, or proxy with
    /// --proxy]
    #[arg(long, value_name = "LEG")]
    pub(crate) target: Vec<String>,

    /// Let every layer count in the verdict, not only the model's outputs
    #[arg(long)]
    pub(crate) strict_layers: bool,

    /// Put the SHA-256 of the events file into the report
    #[arg(long)]
    pub(crate) hash: bool,

    /// Write the report as JSON too (schema/report-v1.schema.json, docs/report.md)
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,

    /// When to colour the table
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub(crate) color: Color,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// `verify inspect`.
#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,
}

/// `verify completions`.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

/// `verify trace`.
#[derive(Debug, Args)]
pub(crate) struct TraceArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) events: EventArgs,

    #[command(flatten)]
    pub(crate) input_type: InputTypeArgs,

    /// The leg to trace: qkeras, proxy:sat, proxy:wrap or proxy
    #[arg(long, value_name = "LEG")]
    pub(crate) semantics: String,

    /// The HDF5 file to write
    ///
    /// /layers/NAME holds the values of a layer, float64 [event, …], with its fixed-point type as
    /// attribute `type`. A layer in which the real software is not one number has /flags/NAME, a
    /// set of bits named by the attribute `names`, and /bands/NAME [event, …, 2], the lowest and
    /// the highest value that it may give.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn datasets() {
        let cli = Cli::try_parse_from([
            "verify",
            "--model",
            "m.h5",
            "--events",
            "e.h5",
            "--dataset",
            "a=/x/y",
            "--dataset",
            "z",
        ])
        .expect("valid flags");
        let events = cli.run.events.as_ref().expect("events");
        assert_eq!(
            events.options().datasets,
            [(Some("a".to_owned()), "/x/y".to_owned()), (None, "z".to_owned())]
        );
    }

    #[test]
    fn a_run_needs_model_and_events() {
        assert!(Cli::try_parse_from(["verify", "--model", "m.h5"]).is_err());
        assert!(Cli::try_parse_from(["verify", "inspect", "--model", "m.h5"]).is_ok());
    }
}
