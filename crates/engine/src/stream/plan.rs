//! Kernels joined and storage chosen.

use bittrue_kernels::{ByteCast, ByteLinear, Cast32, Level, SIGNED, Simd};

use super::bounds::{self, Bounds};
use super::values::{SharedCast, Value};
use crate::int::IntLinear;
use crate::kernel::Kernel;

/// A plan that computes some values.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(super) steps: Vec<StreamOp>,
    /// Number of values.
    pub(super) values: usize,
    /// Events that go through together.
    pub(super) lanes: usize,
}

/// One step, and what it is for.
#[derive(Debug)]
pub(super) struct StreamOp {
    pub(super) op: Op,
    pub(super) inputs: Vec<usize>,
    pub(super) output: usize,
    /// Values that nobody reads after it.
    pub(super) last: Vec<usize>,
    /// The values that it computes, or computes in passing.
    pub(super) covers: Vec<usize>,
    pub(super) about: About,
}

/// What is done.
#[derive(Debug)]
pub(super) enum Op {
    /// The events of an input, as integers.
    Load(SharedCast),
    /// The events of an input, as bytes.
    LoadBytes(SharedCast),
    /// Sums of bytes; cast to bytes of these fractional bits, or as they are.
    Bytes { linear: ByteLinear, cast: bool, fractional: i32 },
    /// Sums of pairs of 16-bit raws, cast to 16 bits, or to bytes with this zero.
    Pairs { kernel: usize, cast: Cast32, zero: Option<u8>, fractional: i32 },
    /// A kernel that reads bytes as they are.
    OnBytes(usize),
    /// A kernel on tensors of wider integers; its result becomes bytes with this zero.
    Apply { kernel: usize, zero: Option<u8> },
}

/// What was chosen, and why it may be.
#[derive(Debug, Clone, Default)]
pub(super) struct About {
    pub(super) kernel: String,
    pub(super) storage: String,
    pub(super) accumulator: String,
    pub(super) proof: String,
    pub(super) macs: u64,
    /// Terms of the longest sum.
    pub(super) terms: usize,
    pub(super) results: usize,
}

/// A block of bytes that stays in the second-level cache, with what is computed from it.
const BLOCK_BYTES: usize = 1 << 17;

impl Stream {
    /// The plan for `roots`; casts of inputs are always done, for they tell which events are in the
    /// proven domain. `elements` are those of each value, where they are known.
    pub(crate) fn new(kernels: &[Kernel], values: &[Value], roots: &[usize]) -> Self {
        let mut needed = vec![false; values.len()];
        roots.iter().for_each(|&r| needed[r] = true);
        for n in (0..values.len()).rev() {
            match &values[n] {
                Value::Cast(_) => needed[n] = true,
                Value::Kernel(_, inputs) if needed[n] => {
                    inputs.iter().for_each(|&input| needed[input] = true);
                }
                Value::Kernel(..) | Value::Input(_) => {}
            }
        }
        let mut readers: Vec<Vec<usize>> = vec![Vec::new(); values.len()];
        for (n, value) in values.iter().enumerate().filter(|(n, _)| needed[*n]) {
            if let Value::Kernel(_, inputs) = value {
                inputs.iter().for_each(|&input| readers[input].push(n));
            }
        }
        let bounds = bounds_of(kernels, values);
        let mut planner = Planner {
            kernels,
            values,
            roots,
            readers,
            bounds,
            zeros: vec![None; values.len()],
            done: vec![false; values.len()],
            steps: Vec::new(),
        };
        for n in (0..values.len()).filter(|&n| needed[n]) {
            planner.value(n);
        }
        let mut steps = planner.steps;
        let mut seen = vec![false; values.len()];
        roots.iter().for_each(|&r| seen[r] = true);
        for step in steps.iter_mut().rev() {
            let read = step.inputs.iter().chain([&step.output]);
            let last: Vec<usize> = read.copied().filter(|&v| !seen[v]).collect();
            last.iter().for_each(|&v| seen[v] = true);
            step.last = last;
        }
        let widest = steps.iter().map(|s| s.about.results).max().unwrap_or(1).max(1);
        let lanes = (BLOCK_BYTES / widest).clamp(64, 512) / 64 * 64;
        Self { steps, values: values.len(), lanes }
    }

    /// Events that go through together.
    pub(crate) fn lanes(&self) -> usize {
        self.lanes
    }
}

fn bounds_of(kernels: &[Kernel], values: &[Value]) -> Vec<Option<Bounds>> {
    let mut all: Vec<Option<Bounds>> = Vec::with_capacity(values.len());
    for value in values {
        let bounds = match value {
            Value::Input(_) => None,
            Value::Cast(shared) => {
                let (low, high) = shared.cast.range();
                Some((low.into(), high.into()))
            }
            Value::Kernel(kernel, inputs) => {
                let known: Vec<_> = inputs.iter().map(|&i| all.get(i).copied().flatten()).collect();
                bounds::result(&kernels[*kernel], &known)
            }
        };
        all.push(bounds);
    }
    all
}

struct Planner<'a> {
    kernels: &'a [Kernel],
    values: &'a [Value],
    roots: &'a [usize],
    readers: Vec<Vec<usize>>,
    bounds: Vec<Option<Bounds>>,
    /// For each value that is stored in bytes: the byte of a raw 0.
    zeros: Vec<Option<u8>>,
    done: Vec<bool>,
    steps: Vec<StreamOp>,
}

impl<'a> Planner<'a> {
    fn kernel(&self, value: usize) -> Option<&'a Kernel> {
        match &self.values[value] {
            Value::Kernel(kernel, _) => Some(&self.kernels[*kernel]),
            _ => None,
        }
    }

    /// The byte of a raw 0, where a value's raws fit into bytes and a reader multiplies bytes.
    fn as_bytes(&self, value: usize) -> Option<u8> {
        let zero = match self.bounds[value]? {
            (0.., ..=255) => 0,
            (-128.., ..=127) => SIGNED,
            _ => return None,
        };
        (self.is_multiplied(value)).then_some(zero)
    }

    fn is_multiplied(&self, value: usize) -> bool {
        self.readers[value].iter().any(|&reader| match self.kernel(reader) {
            Some(Kernel::Linear(linear)) => linear.has_byte_weights(),
            Some(Kernel::PoolMax(_) | Kernel::Gather(_)) => self.is_multiplied(reader),
            // Sums of raws without a sign, which fit into bytes again.
            Some(Kernel::PoolSum { .. }) => self.as_bytes(reader) == Some(0),
            _ => false,
        })
    }

    fn push(&mut self, op: Op, inputs: Vec<usize>, covers: Vec<usize>, about: About) {
        let output = covers.last().copied().unwrap_or_default();
        covers.iter().for_each(|&v| self.done[v] = true);
        self.steps.push(StreamOp { op, inputs, output, last: Vec::new(), covers, about });
    }

    fn value(&mut self, n: usize) {
        if self.done[n] {
            return;
        }
        match &self.values[n] {
            Value::Input(_) => {}
            Value::Cast(shared) => {
                let zero = shared.cast.byte_zero().and_then(|_| self.as_bytes(n));
                let shared = *shared;
                let about = About {
                    kernel: "cast of float32".to_owned(),
                    storage: storage_name(self.bounds[n], zero),
                    accumulator: "float32".to_owned(),
                    proof: "values below 2^22 LSB are cast exactly; others are run carefully"
                        .to_owned(),
                    ..About::default()
                };
                // The cast has its own idea of a zero, which follows from the type alone.
                self.zeros[n] = zero.and(shared.cast.byte_zero());
                let op = match self.zeros[n] {
                    Some(_) => Op::LoadBytes(shared),
                    None => Op::Load(shared),
                };
                self.push(op, Vec::new(), vec![n], about);
            }
            Value::Kernel(kernel, inputs) => {
                let (kernel, inputs) = (*kernel, inputs.clone());
                let joined = match &self.kernels[kernel] {
                    Kernel::Linear(linear) => self.linear(n, (kernel, linear), inputs[0]),
                    _ => false,
                };
                if !joined {
                    self.apply(n, kernel, inputs);
                }
            }
        }
    }

    /// A kernel by itself.
    fn apply(&mut self, n: usize, kernel: usize, inputs: Vec<usize>) {
        let moves = matches!(self.kernels[kernel], Kernel::PoolMax(_) | Kernel::Gather(_));
        let results = match &self.kernels[kernel] {
            Kernel::Linear(linear) => linear.results(),
            Kernel::PoolMax(taps) | Kernel::PoolSum { taps, .. } => taps.rows(),
            Kernel::Gather(index) => index.len(),
            _ => 0,
        };
        let macs = match &self.kernels[kernel] {
            Kernel::Linear(linear) => linear.multiplications(),
            _ => 0,
        };
        let name = self.kernels[kernel].name().to_owned();
        let sums = matches!(self.kernels[kernel], Kernel::PoolSum { .. });
        let sums = sums && self.as_bytes(n) == Some(0);
        let (op, zero) = match (moves, self.zeros[inputs[0]]) {
            (_, Some(0)) if sums => (Op::OnBytes(kernel), Some(0)),
            (true, Some(zero)) => (Op::OnBytes(kernel), Some(zero)),
            _ => {
                let zero = self.as_bytes(n);
                (Op::Apply { kernel, zero }, zero)
            }
        };
        self.zeros[n] = zero;
        let about = About {
            kernel: name,
            storage: storage_name(self.bounds[n], zero),
            accumulator: "the plan's".to_owned(),
            proof: bounds_text("results", self.bounds[n]),
            macs,
            terms: 0,
            results,
        };
        self.push(op, inputs, vec![n], about);
    }

    /// What reads sums and nothing else does: a relu, and a cast.
    fn behind(&self, sums: usize) -> Option<(Cast32, Vec<usize>)> {
        let only = |v: usize| match self.readers[v].as_slice() {
            [one] if !self.roots.contains(&v) => Some(*one),
            _ => None,
        };
        let mut covers = vec![sums];
        let mut next = only(sums)?;
        let mut relu = false;
        if matches!(self.kernel(next), Some(Kernel::Relu { max: None })) {
            covers.push(next);
            relu = true;
            next = only(next)?;
        }
        let Some(Kernel::Requantize { cast, .. }) = self.kernel(next) else { return None };
        covers.push(next);
        let cast = cast.narrow()?;
        Some((if relu { cast.behind_relu() } else { cast }, covers))
    }

    /// Sums of products, with the cast behind them; `false` where nothing is gained.
    fn linear(&mut self, n: usize, (kernel, linear): (usize, &IntLinear), input: usize) -> bool {
        let simd = Simd::chosen();
        let (Some(x), Some((low, high))) = (self.bounds[input], self.bounds[n]) else {
            return false;
        };
        let Some((weights, bias)) = linear.narrow_weights() else { return false };
        let behind = self.behind(n);
        let result = behind.as_ref().and_then(|(_, covers)| covers.last().copied());
        let about = |kernel: &str, bounds, zero, accumulator: &str| About {
            kernel: kernel.to_owned(),
            storage: storage_name(bounds, zero),
            accumulator: accumulator.to_owned(),
            proof: format!(
                "raws {} to {} and the weights give sums from {low} to {high}, {} bits",
                x.0,
                x.1,
                bits(low, high)
            ),
            macs: linear.multiplications(),
            terms: linear.terms(),
            results: linear.results(),
        };
        if let Some(zero) = self.zeros[input] {
            let largest = x.0.abs().max(x.1.abs());
            let cast = behind.as_ref().zip(result).and_then(|((cast, _), result)| {
                let wanted = self.as_bytes(result)?;
                ByteCast::new(*cast, low, high).filter(|c| c.zero() == wanted)
            });
            let new = |cast| ByteLinear::new(linear.shape(0), weights, bias, (zero, largest), cast);
            let Some(bytes) = new(cast) else { return false };
            let instruction = match simd.level() {
                _ if !bytes.is_fast(simd) => "plain loops on bytes",
                Level::Vnni => "vpdpbusd u8×i8",
                _ => "vpmaddubsw u8×i8",
            };
            let (covers, cast, fractional) = match (cast, &behind, result) {
                (Some(cast), Some((_, covers)), Some(result)) => {
                    self.zeros[result] = Some(cast.zero());
                    (covers.clone(), Some(cast), self.fractional(result))
                }
                _ => (vec![n], None, linear.fractional()),
            };
            let (last, width) = (covers.last().copied().unwrap_or(n), cast.map(|c| c.is_narrow()));
            let name = match width {
                Some(true) => format!("{instruction}, cast in 16 bits"),
                Some(false) => format!("{instruction}, cast in 32 bits"),
                None => instruction.to_owned(),
            };
            let about = about(&name, self.bounds[last], self.zeros[last], "i32");
            let op = Op::Bytes { linear: bytes, cast: cast.is_some(), fractional };
            self.push(op, vec![input], covers, about);
            return true;
        }
        let (Some((cast, covers)), Some(result), Some(_)) = (behind, result, linear.pairs()) else {
            return false;
        };
        let narrow = |(low, high): Bounds| low >= -32_768 && high <= 32_767;
        let Some(to) = self.bounds[result].filter(|&b| narrow(b) && narrow(x)) else {
            return false;
        };
        let zero = self.as_bytes(result);
        self.zeros[result] = zero;
        let instruction = match simd.level() {
            Level::Scalar => "plain loops on i16",
            Level::Vnni => "vpdpwssd i16×i16, cast in 32 bits",
            _ => "vpmaddwd i16×i16, cast in 32 bits",
        };
        let about = about(instruction, Some(to), zero, "i32");
        let fractional = self.fractional(result);
        let op = Op::Pairs { kernel, cast, zero, fractional };
        self.push(op, vec![input], covers, about);
        true
    }

    /// Fractional bits of a cast's results.
    fn fractional(&self, value: usize) -> i32 {
        match self.kernel(value) {
            Some(Kernel::Requantize { cast, .. }) => cast.target().fractional(),
            _ => 0,
        }
    }
}

/// Bits of a signed integer with these bounds.
pub(super) fn bits(low: i64, high: i64) -> u32 {
    let of = |v: i64| 65 - if v < 0 { (!v).leading_zeros() } else { v.leading_zeros() };
    of(low).max(of(high))
}

fn bounds_text(what: &str, bounds: Option<Bounds>) -> String {
    match bounds {
        Some((low, high)) => format!("{what} from {low} to {high}"),
        None => "by the plan's interval analysis".to_owned(),
    }
}

fn storage_name(bounds: Option<Bounds>, zero: Option<u8>) -> String {
    match (zero, bounds) {
        (Some(0), _) => "u8".to_owned(),
        (Some(_), _) => "i8 (+128)".to_owned(),
        (None, Some((low, high))) => match bits(low, high) {
            ..=16 => "i16".to_owned(),
            17..=32 => "i32".to_owned(),
            _ => "i64".to_owned(),
        },
        (None, None) => "int".to_owned(),
    }
}
