//! What `verify bench` measured; `docs/bench.md` explains the fields.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Rates of a model on this machine, and what it would cost in hardware.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bench {
    /// Version of this format.
    pub format_version: u32,
    /// Version of the program.
    pub version: String,
    /// The model file as given.
    pub model: String,
    /// The events as given.
    pub events: String,
    /// Different events in memory; they are run again and again.
    pub events_in_memory: u64,
    /// The leg that counts as right.
    pub reference: String,
    /// The leg that is emulated and compared.
    pub target: String,
    /// The machine.
    pub machine: Machine,
    /// The vector instructions in use.
    pub simd: String,
    /// 10⁹ multiplications and additions per second of one thread, by instruction, measured in this run.
    pub peak: BTreeMap<String, f64>,
    /// The outputs of the target alone, on all threads.
    pub target_only: Rate,
    /// The outputs of the reference alone, on all threads.
    pub reference_only: Rate,
    /// Reference and target compared in every layer, on all threads.
    pub verify: Rate,
    /// Events read from their files, again and again; absent where they are made, not read.
    pub files: Option<FileRates>,
    /// The same by number of threads.
    pub threads: Vec<ThreadRate>,
    /// Multiplications of one event.
    pub macs: u64,
    /// Nanoseconds of one event in the target on one thread, the sum of all layers.
    pub ns_per_event: Option<f64>,
    /// The target's layers in the order in which they are computed.
    pub layers: Vec<BenchLayer>,
    /// What the target costs in hardware.
    pub hardware: Hardware,
}

/// The machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's name, as far as the system tells.
    pub cpu: String,
    /// Threads that may run at once.
    pub threads: usize,
}

/// A rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// Of the best pass over the events.
    pub events_per_s: f64,
    /// Of the median pass.
    pub median_events_per_s: f64,
}

/// Rates with events that are read from their files in each pass, on all threads.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FileRates {
    /// Events that are read in each pass.
    pub events: u64,
    /// Read and unpacked, and nothing else.
    pub read: Rate,
    /// Reference and target compared in every layer.
    pub verify: Rate,
    /// The same with events in memory, measured in between; at most as many as are held there.
    pub in_memory: Rate,
    /// `verify` by `in_memory`: the median of measurements that follow each other, so that others on the
    /// machine disturb both alike.
    pub of_memory: f64,
}

/// Rates with some threads.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ThreadRate {
    /// Threads.
    pub n: usize,
    /// The target alone.
    pub events_per_s: f64,
    /// Reference and target compared.
    pub verify_events_per_s: f64,
    /// How much more than one thread these do where each counts for itself, measured in between: what the
    /// machine gives at this moment.
    pub spin: f64,
}

/// One step of the target: a layer, or several in one loop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BenchLayer {
    /// The layers, with `+` between those in one loop.
    pub name: String,
    /// The type of the result, if there is one.
    pub result_t: Option<String>,
    /// The loop.
    pub kernel: String,
    /// How the result is stored.
    pub storage: String,
    /// What sums are formed in.
    pub accumulator: String,
    /// Why storage and accumulator hold everything.
    pub proof: String,
    /// Multiplications of one event.
    pub macs: u64,
    /// Effective bit operations of one event; absent where there are none, or where bits are not known.
    pub ebops: Option<u64>,
    /// Nanoseconds of one event, on one thread.
    pub ns_per_event: f64,
    /// 10⁹ multiplications per second.
    pub gmac_s: Option<f64>,
    /// The same as a fraction of the peak of its instruction.
    pub fraction_of_peak: Option<f64>,
    /// Two-input additions behind each other in its longest sum.
    pub adder_depth: Option<u32>,
}

/// What a leg costs in hardware, fully unrolled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hardware {
    /// Effective bit operations: bits of arguments times bits of weights, over all products. About
    /// LUTs + 55 · DSPs of a fully unrolled design.
    pub ebops: u64,
    /// Layers with products for which bits are not known.
    pub unknown: Vec<String>,
    /// Products that are not by zero, by bits of argument and weight, the most frequent first.
    pub multiplications: Vec<Multiplications>,
    /// Two-input operations behind each other on the longest path.
    pub depth: u32,
    /// The layers on that path.
    pub critical_path: Vec<PathStep>,
}

/// Products of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Multiplications {
    /// Bits of the argument.
    pub argument_bits: u32,
    /// Bits of the weight.
    pub weight_bits: u32,
    /// How many in one event.
    pub count: u64,
}

/// A layer on the longest path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathStep {
    /// Name.
    pub layer: String,
    /// Two-input operations behind each other.
    pub depth: u32,
}
