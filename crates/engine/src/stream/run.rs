//! A block of events through a stream.

use std::borrow::Cow;
use std::ops::Range;
use std::time::Instant;

use bittrue_block::{EventBlock, EventData, InputEvents, LaneBlock, LaneInt, Lanes, Storage};
use bittrue_kernels::{self as kernels, InputCast, Simd};

use super::plan::{Op, Stream};
use super::values::SharedCast;
use crate::int::{self, IntLinear};
use crate::kernel::Kernel;

/// The raws of some events, events innermost.
#[derive(Debug, Clone)]
pub(crate) enum Tensor {
    /// Raws with `zero` added.
    Bytes { raw: Vec<u8>, zero: u8, fractional: i32, elements: usize },
    /// Wider ones.
    Block(LaneBlock),
}

impl Tensor {
    /// The same raws in the form that kernels take.
    pub(crate) fn block(&self, lanes: usize) -> LaneBlock {
        match self {
            Self::Bytes { raw, zero, fractional, elements } => {
                let raw = raw.iter().map(|&v| i16::from(v) - i16::from(*zero)).collect();
                let data = Lanes::I16 { raw, fractional: *fractional };
                LaneBlock { elements: *elements, lanes, data }
            }
            Self::Block(block) => block.clone(),
        }
    }
}

impl Stream {
    /// Runs some events: the values that were asked for, by their number. Marks the events that leave
    /// the proven domain; `times`, if there are any, get the nanoseconds of each step.
    pub(crate) fn run(
        &self,
        kernels: &[Kernel],
        events: &EventBlock,
        span: &Range<usize>,
        failed: &mut [bool],
        mut times: Option<&mut [u64]>,
    ) -> Vec<Option<Tensor>> {
        let lanes = span.len();
        let mut values: Vec<Option<Tensor>> = vec![None; self.values];
        for (n, step) in self.steps.iter().enumerate() {
            let start = times.is_some().then(Instant::now);
            let input = step.inputs.first().and_then(|&i| values[i].as_ref());
            let result = match (&step.op, input) {
                (Op::Load(shared), _) => Some(Tensor::Block(load(shared, events, span, failed))),
                (Op::LoadBytes(shared), _) => Some(load_bytes(shared, events, span, failed)),
                (Op::Bytes { linear, cast, fractional }, Some(Tensor::Bytes { raw, .. })) => {
                    let (simd, fractional) = (Simd::chosen(), *fractional);
                    let elements = linear.results();
                    Some(match cast {
                        true => Tensor::Bytes {
                            raw: linear.bytes(simd, raw, lanes),
                            zero: linear.result_zero(),
                            fractional,
                            elements,
                        },
                        false => {
                            let raw = linear.sums(simd, raw, lanes);
                            let data = Lanes::I32 { raw, fractional };
                            Tensor::Block(LaneBlock { elements, lanes, data })
                        }
                    })
                }
                (Op::Pairs { kernel, cast, zero, fractional }, Some(x)) => {
                    match &kernels[*kernel] {
                        Kernel::Linear(linear) => {
                            Some(pairs(linear, cast, (*zero, *fractional), x, lanes))
                        }
                        _ => None,
                    }
                }
                (Op::OnBytes(kernel), Some(Tensor::Bytes { raw, zero, fractional, .. })) => {
                    let moved = match &kernels[*kernel] {
                        Kernel::PoolMax(taps) => Some(kernels::pool_max_bytes(
                            &taps.index,
                            taps.terms,
                            lanes,
                            raw,
                            *zero,
                        )),
                        Kernel::Gather(index) => {
                            Some(kernels::gather_bytes(index, lanes, raw, *zero))
                        }
                        Kernel::PoolSum { taps, shifts, .. } => Some(kernels::pool_sum_bytes(
                            &taps.index,
                            taps.terms,
                            shifts,
                            lanes,
                            raw,
                        )),
                        _ => None,
                    };
                    let fractional = match &kernels[*kernel] {
                        Kernel::PoolSum { out, .. } => out.fractional,
                        _ => *fractional,
                    };
                    moved.map(|raw| {
                        let elements = raw.len() / lanes.max(1);
                        Tensor::Bytes { raw, zero: *zero, fractional, elements }
                    })
                }
                (Op::Apply { kernel, zero }, Some(_)) => {
                    let blocks: Vec<LaneBlock> = step
                        .inputs
                        .iter()
                        .filter_map(|&i| values[i].as_ref().map(|t| t.block(lanes)))
                        .collect();
                    let blocks: Vec<&LaneBlock> = blocks.iter().collect();
                    // Integer kernels have no position and no exceptions.
                    let result = kernels[*kernel].apply(&blocks, &[], failed);
                    Some(match zero {
                        Some(zero) => narrow(&result, *zero),
                        None => Tensor::Block(result),
                    })
                }
                _ => unreachable!("the plan computes the arguments of a step before it"),
            };
            values[step.output] = result;
            for &v in &step.last {
                values[v] = None;
            }
            if let (Some(times), Some(start)) = (&mut times, start) {
                times[n] += start.elapsed().as_nanos() as u64;
            }
        }
        values
    }
}

/// Sums of 16-bit raws, cast.
fn pairs(
    linear: &IntLinear,
    cast: &kernels::Cast32,
    (zero, fractional): (Option<u8>, i32),
    x: &Tensor,
    lanes: usize,
) -> Tensor {
    let simd = Simd::chosen();
    let fused = match (x, linear.pairs()) {
        (Tensor::Block(LaneBlock { data: Lanes::I16 { raw, .. }, .. }), Some(pairs)) => {
            pairs.run_cast(simd, raw, lanes, cast)
        }
        _ => None,
    };
    let raw = fused.unwrap_or_else(|| {
        let sums = match x {
            Tensor::Block(block) => int::linear(linear, block),
            bytes => int::linear(linear, &bytes.block(lanes)),
        };
        match &sums.data {
            Lanes::I16 { raw, .. } => cast.all(simd, raw),
            Lanes::I32 { raw, .. } => cast.all(simd, raw),
            Lanes::I64 { raw, .. } => cast.all(simd, raw),
            Lanes::Real(_) => Vec::new(),
        }
    });
    let elements = raw.len() / lanes.max(1);
    match zero {
        None => Tensor::Block(LaneBlock { elements, lanes, data: Lanes::I16 { raw, fractional } }),
        Some(zero) => {
            let raw = kernels::to_bytes(simd, &raw, zero);
            Tensor::Bytes { raw, zero, fractional, elements }
        }
    }
}

/// Integers as bytes; their bounds are proven.
fn narrow(x: &LaneBlock, zero: u8) -> Tensor {
    let simd = Simd::chosen();
    let (raw, fractional) = match &x.data {
        Lanes::I16 { raw, fractional } => (kernels::to_bytes(simd, raw, zero), *fractional),
        Lanes::I32 { raw, fractional } => (kernels::to_bytes(simd, raw, zero), *fractional),
        Lanes::I64 { raw, fractional } => (kernels::to_bytes(simd, raw, zero), *fractional),
        Lanes::Real(_) => unreachable!("integer kernels give integers"),
    };
    Tensor::Bytes { raw, zero, fractional, elements: x.elements }
}

/// The values `[event, element]` of an input as float32.
fn float32<'a>(input: &'a InputEvents, span: &Range<usize>) -> Cow<'a, [f32]> {
    let from = span.start * input.elements..span.end * input.elements;
    match &input.data {
        EventData::F32(all) => Cow::Borrowed(&all[from]),
        other => from.map(|n| other.as_f32(n)).collect(),
    }
}

/// The events of an input as bytes, events innermost.
fn load_bytes(
    shared: &SharedCast,
    events: &EventBlock,
    span: &Range<usize>,
    failed: &mut [bool],
) -> Tensor {
    let SharedCast { input, cast, out } = shared;
    let input = &events.inputs[*input];
    let x = float32(input, span);
    let mut raw = vec![0; x.len()];
    cast.bytes(Simd::chosen(), &x, &mut raw, failed);
    let zero = cast.byte_zero().unwrap_or_default();
    Tensor::Bytes { raw, zero, fractional: out.fractional, elements: input.elements }
}

/// The events of an input as integers, events innermost.
fn load(
    shared: &SharedCast,
    events: &EventBlock,
    span: &Range<usize>,
    failed: &mut [bool],
) -> LaneBlock {
    fn column<O: LaneInt>(
        cast: &InputCast,
        (data, elements): (&EventData, usize),
        span: &Range<usize>,
        failed: &mut [bool],
    ) -> Vec<O> {
        let lanes = span.len();
        let mut raw = vec![O::default(); elements * lanes];
        if lanes == 0 || elements == 0 {
            return raw;
        }
        for (element, out) in raw.chunks_exact_mut(lanes).enumerate() {
            let first = span.start * elements + element;
            match data {
                EventData::F32(all) => {
                    let column = all[first..].iter().step_by(elements).copied();
                    cast.run(column, out, failed);
                }
                _ => {
                    let column = (0..lanes).map(|lane| data.as_f32(first + lane * elements));
                    cast.run(column, out, failed);
                }
            }
        }
        raw
    }
    let SharedCast { input, cast, out } = shared;
    let input = &events.inputs[*input];
    let (from, f) = ((&input.data, input.elements), out.fractional);
    let data = match out.storage {
        Storage::I16 => {
            let x = float32(input, span);
            let mut raw = vec![0; x.len()];
            cast.words(Simd::chosen(), &x, &mut raw, failed);
            i16::wrap(raw, f)
        }
        Storage::I32 => i32::wrap(column(cast, from, span, failed), f),
        Storage::I64 | Storage::Real => i64::wrap(column(cast, from, span, failed), f),
    };
    LaneBlock { elements: input.elements, lanes: span.len(), data }
}
