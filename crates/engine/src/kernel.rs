//! The kernels of a plan: operations with everything that does not depend on the event computed.

use std::sync::Arc;

use bittrue_block::{LaneBlock, Lanes, Storage};
use bittrue_kernels::Requantize;
use bittrue_model::{MergeKind, PoolKind};

use crate::firmware::{FirmwareInput, FirmwareKernel};
use crate::int;
use crate::real::{self, InBatch, Quantizers};
use crate::taps::Taps;

/// One operation on tensors of a block. Two equal kernels on the same tensors give the same result.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kernel {
    /// The events of one input, as float32.
    Input {
        /// Which input.
        index: usize,
    },
    /// Integers to a fixed type.
    Requantize {
        /// The cast.
        cast: Requantize,
        /// Storage of the result.
        storage: Storage,
    },
    /// Integers to a fixed type of each element's own, and the left shift onto the common grid.
    RequantizeEach {
        /// The casts.
        casts: Vec<(Requantize, u32)>,
        /// Form of the result.
        out: int::Packing,
    },
    /// Sums of products on integers.
    Linear(int::IntLinear),
    /// The largest element of each row.
    PoolMax(Taps),
    /// The sum of each row, shifted so that it is the average on the common grid.
    PoolSum {
        /// What each row reads.
        taps: Taps,
        /// Left shift of each row.
        shifts: Vec<u32>,
        /// Form of the result.
        out: int::Packing,
    },
    /// The same elements at other places, and zeros.
    Gather(Arc<[u32]>),
    /// `max(x, 0)` and an upper limit in raws.
    Relu {
        /// Upper limit in raws.
        max: Option<i64>,
    },
    /// Leaky relu with a dyadic slope.
    LeakyRelu {
        /// Slope in raws.
        slope: i64,
        /// Fractional bits of the slope.
        shift: u32,
        /// Form of the result.
        out: int::Packing,
    },
    /// Element-wise merge.
    Merge {
        /// Which.
        kind: MergeKind,
        /// Left shift of each argument onto the common grid.
        shifts: Vec<u32>,
        /// Form of the result.
        out: int::Packing,
    },
    /// Concatenation.
    Concatenate {
        /// For each argument: elements per outer index, and left shift onto the common grid.
        parts: Vec<(usize, u32)>,
        /// Product of the dimensions before the axis.
        outer: usize,
        /// Form of the result.
        out: int::Packing,
    },
    /// A quantizer from reals to integers on its grid.
    RealToInt {
        /// The quantizer.
        quantizer: Quantizers,
        /// Lowest and highest raw of the grid.
        grid: (i64, i64),
        /// Form of the result.
        out: int::Packing,
    },
    /// A quantizer from reals to reals.
    RealQuantize(Quantizers),
    /// Sums of products on reals.
    RealLinear(real::RealLinear),
    /// Pooling of reals.
    RealPool {
        /// Which.
        kind: PoolKind,
        /// Whether all cells are one window.
        global: bool,
        /// What each row reads.
        taps: Taps,
        /// Whether an average is exact rather than float32.
        exact: bool,
    },
    /// Batch normalisation.
    RealNorm(Box<real::RealNorm>),
    /// Element-wise function of reals.
    RealFunction(real::Function),
    /// Softmax over rows.
    Softmax {
        /// Length of a row.
        row: usize,
    },
    /// Element-wise merge of reals.
    RealMerge {
        /// Which.
        kind: MergeKind,
        /// Whether the result is exact rather than float32.
        exact: bool,
        /// Whether it is a tensor times its sigmoid, which TensorFlow may compute as one function.
        swish: bool,
        /// Number of arguments that are merged; the others are read by `regrouped`.
        arguments: usize,
        /// The terms of the sum, where TensorFlow may add them in another order.
        regrouped: Vec<real::Term>,
    },
    /// Concatenation of reals.
    RealConcatenate {
        /// For each argument: elements per outer index.
        parts: Vec<usize>,
        /// Product of the dimensions before the axis.
        outer: usize,
    },
    /// The events of one input as hls4ml's C simulation reads them.
    FirmwareInput(FirmwareInput),
    /// An operation of hls4ml's C simulation.
    Firmware(FirmwareKernel),
}

impl Kernel {
    /// What it does, in a word or two.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Input { .. } | Self::FirmwareInput(_) => "events",
            Self::Requantize { .. } => "cast",
            Self::RequantizeEach { .. } => "casts",
            Self::Linear(_) => "sums of products, plain loops",
            Self::PoolMax(_) => "maximum",
            Self::PoolSum { .. } => "sums of cells",
            Self::Gather(_) => "movement",
            Self::Relu { .. } => "relu",
            Self::LeakyRelu { .. } => "leaky relu",
            Self::Merge { .. } => "merge",
            Self::Concatenate { .. } => "concatenation",
            Self::RealToInt { .. } | Self::RealQuantize(_) => "quantizer of reals",
            Self::RealLinear(_) => "sums of reals",
            Self::RealPool { .. } => "pooling of reals",
            Self::RealNorm(_) => "normalisation",
            Self::RealFunction(_) => "function of reals",
            Self::Softmax { .. } => "softmax",
            Self::RealMerge { .. } => "merge of reals",
            Self::RealConcatenate { .. } => "concatenation of reals",
            Self::Firmware(_) => "C simulation",
        }
    }

    /// Whether it takes integers and gives integers.
    pub(crate) fn is_integer(&self) -> bool {
        match self {
            Self::Requantize { .. }
            | Self::RequantizeEach { .. }
            | Self::Linear(_)
            | Self::PoolMax(_)
            | Self::PoolSum { .. }
            | Self::Gather(_)
            | Self::Relu { .. }
            | Self::LeakyRelu { .. }
            | Self::Merge { .. }
            | Self::Concatenate { .. } => true,
            Self::Input { .. }
            | Self::RealToInt { .. }
            | Self::RealQuantize(_)
            | Self::RealLinear(_)
            | Self::RealPool { .. }
            | Self::RealNorm(_)
            | Self::RealFunction(_)
            | Self::Softmax { .. }
            | Self::RealMerge { .. }
            | Self::RealConcatenate { .. }
            | Self::FirmwareInput(_)
            | Self::Firmware(_) => false,
        }
    }

    /// Applies the kernel. Lanes that leave the proven domain are marked in `exceptional`; what
    /// they hold afterwards means nothing.
    ///
    /// [`Kernel::Input`] and [`Kernel::FirmwareInput`] have no arguments and are applied by the runner.
    pub(crate) fn apply(
        &self,
        x: &[&LaneBlock],
        batch: &[InBatch],
        exceptional: &mut [bool],
    ) -> LaneBlock {
        match self {
            Self::Input { .. } | Self::FirmwareInput(_) => {
                unreachable!("the runner reads the events")
            }
            Self::Requantize { cast, storage } => int::requantize(cast, *storage, x[0]),
            Self::RequantizeEach { casts, out } => int::requantize_each(casts, *out, x[0]),
            Self::Linear(l) => int::linear(l, x[0]),
            Self::PoolMax(taps) => int::pool_max(taps, x[0]),
            Self::PoolSum { taps, shifts, out } => int::pool_sum(taps, shifts, *out, x[0]),
            Self::Gather(index) => match x[0].data {
                Lanes::Real(_) => real::gather(index, x[0]),
                _ => int::gather(index, x[0]),
            },
            Self::Relu { max } => int::relu(x[0], *max),
            Self::LeakyRelu { slope, shift, out } => int::leaky_relu(x[0], *slope, *shift, *out),
            Self::Merge { kind, shifts, out } => int::merge(*kind, x, shifts, *out),
            Self::Concatenate { parts, outer, out } => int::concatenate(x, parts, *outer, *out),
            Self::RealToInt { quantizer, grid, out } => {
                real::to_int(quantizer, *grid, *out, x[0], exceptional)
            }
            Self::RealQuantize(q) => real::quantize(q, x[0]),
            Self::RealLinear(l) => real::linear(l, x[0]),
            Self::RealPool { kind, global, taps, exact } => {
                real::pool(*kind, *global, taps, *exact, x[0])
            }
            Self::RealNorm(n) => real::normalise(n, x[0]),
            Self::RealFunction(f) => real::function(f, x[0], batch),
            Self::Softmax { row } => real::softmax(*row, x[0]),
            Self::RealMerge { swish: true, .. } => real::swish(x),
            Self::RealMerge { kind, exact, arguments, regrouped, .. } => {
                real::merge(*kind, *exact, x, *arguments, regrouped)
            }
            Self::RealConcatenate { parts, outer } => real::concatenate(x, parts, *outer),
            Self::Firmware(f) => f.apply(x, exceptional),
        }
    }
}
