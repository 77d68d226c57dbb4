//! The command line as a whole.

use clap::{Parser, Subcommand};

use super::{
    BenchArgs, CompletionsArgs, DiffArgs, ExplainArgs, InspectArgs, LintArgs, ProxyArgs, RunArgs,
    TraceArgs,
};

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
  verify --model tagger.h5 --events 'run*.h5' --columns pt,eta,phi
      files in a row, with one dataset for each feature
  verify --model tagger.h5 --events hls4ml_prj/tb_data/tb_input_features.dat
      text with one event a line, as hls4ml or a .csv has it
  verify --model tagger.h5 --proxy proxy.h5 --events jets.h5
      compare Keras predict with the very proxy that goes to the FPGA
  verify inspect --model tagger.h5
      what every layer and quantizer really means
  verify lint --model tagger.h5
      what HGQ and hls4ml will refuse, change or make wide
  verify explain --model tagger.h5 --events jets.h5 --event 255
      one event through all layers, in bits: what rounds, saturates and wraps
  verify --model tagger.h5 --events jets.h5 --save-events differ.h5
      and write the events that differ; .dat is for hls4ml's test benches
  verify trace --model tagger.h5 --events jets.h5 --semantics proxy:wrap --out wrap.h5
      write what every layer gives
  verify proxy --model tagger.h5 --overflow sat --out proxy.h5
      write the proxy that HGQ would have saved, for hls4ml
  verify --model tagger.h5 --events jets.h5 --json today.json --junit verify.xml --quiet
  verify diff yesterday.json today.json
      a nightly job, and what is new since yesterday (docs/nightly.md)

Legs:
  qkeras       Keras predict of the model, in float32 as TensorFlow runs it on a CPU
  proxy:sat    HGQ's proxy with aggressive=False: signed quantizers saturate
  proxy:wrap   HGQ's proxy with aggressive=True (HGQ's default): signed quantizers wrap
  proxy        the proxy file given with --proxy (or --model), with its own modes
  hls4ml:sat, hls4ml:wrap, hls4ml
               hls4ml's C simulation of that proxy (Vitis, io_parallel), without a compiler

ap_fixed<W,I> counts the sign bit inside I; quantized_bits(bits, integer) does not:
quantized_bits(8,3,alpha=1) is ap_fixed<8,4>.

Exit codes:
  0  every comparison is bit-exact         4  the conversion refuses the model, or --deny
  1  some comparison is a mismatch         5  the events cannot be used
  2  unknown or contradictory flags        6  internal error (a bug in bittrue)
  3  the model cannot be read or evaluated 7  an output file cannot be written
  130  interrupted with Ctrl-C; what was counted so far is printed
verify diff: 0 nothing is worse, 1 something is, 5 a report cannot be read";

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

impl Cli {
    /// Whether files of strangers are read.
    pub(crate) fn reads_files(&self) -> bool {
        !matches!(self.command, Some(Command::Completions(_) | Command::Man))
    }
}

/// Subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show layers, what their quantizers mean, weights, and what became of every attribute
    Inspect(InspectArgs),
    /// Show one event through all layers: what rounds, saturates and wraps, in bits
    Explain(ExplainArgs),
    /// Write what every layer of one leg gives to an HDF5 file
    Trace(TraceArgs),
    /// Say what HGQ and hls4ml will refuse, change or make wide, before any event is run
    Lint(LintArgs),
    /// Build the proxy that HGQ would build, show its precisions, and write it as a Keras file
    Proxy(ProxyArgs),
    /// Measure how fast this machine runs a model, layer by layer, and what it costs in hardware
    Bench(BenchArgs),
    /// Tell what is new from one JSON report to a later one
    Diff(DiffArgs),
    /// Print completions for a shell, e.g. `source <(verify completions bash)`
    Completions(CompletionsArgs),
    /// Print the man page, e.g. `verify man | man -l -`
    Man,
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
    fn a_run_needs_model_and_events() {
        assert!(Cli::try_parse_from(["verify", "--model", "m.h5"]).is_err());
        assert!(Cli::try_parse_from(["verify", "inspect", "--model", "m.h5"]).is_ok());
    }
}
