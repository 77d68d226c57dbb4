//! The kernels of a plan: operations with everything that does not depend on the event computed.

use bittrue_block::{LaneBlock, Storage};
use bittrue_kernels::Requantize;
use bittrue_model::MergeKind;

use crate::int;
use crate::real::{self, InBatch, RealQuantizer};

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
    /// Matrix product on integers.
    Dense(int::IntDense),
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
        quantizer: RealQuantizer,
        /// Lowest and highest raw of the grid.
        grid: (i64, i64),
        /// Form of the result.
        out: int::Packing,
    },
    /// A quantizer from reals to reals.
    RealQuantize(RealQuantizer),
    /// Matrix product on reals.
    RealDense(real::RealDense),
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
}

impl Kernel {
    /// Applies the kernel. Lanes that leave the proven domain are marked in `exceptional`; what
    /// they hold afterwards means nothing.
    ///
    /// [`Kernel::Input`] has no arguments and is applied by the runner.
    pub(crate) fn apply(
        &self,
        x: &[&LaneBlock],
        batch: &[InBatch],
        exceptional: &mut [bool],
    ) -> LaneBlock {
        match self {
            Self::Input { .. } => unreachable!("the runner reads the events"),
            Self::Requantize { cast, storage } => int::requantize(cast, *storage, x[0]),
            Self::Dense(d) => int::dense(d, x[0]),
            Self::Relu { max } => int::relu(x[0], *max),
            Self::LeakyRelu { slope, shift, out } => int::leaky_relu(x[0], *slope, *shift, *out),
            Self::Merge { kind, shifts, out } => int::merge(*kind, x, shifts, *out),
            Self::Concatenate { parts, outer, out } => int::concatenate(x, parts, *outer, *out),
            Self::RealToInt { quantizer, grid, out } => {
                real::to_int(quantizer, *grid, *out, x[0], exceptional)
            }
            Self::RealQuantize(q) => real::quantize(q, x[0]),
            Self::RealDense(d) => real::dense(d, x[0]),
            Self::RealFunction(f) => real::function(f, x[0], batch),
            Self::Softmax { row } => real::softmax(*row, x[0]),
            Self::RealMerge { kind, exact, arguments, regrouped } => {
                real::merge(*kind, *exact, x, *arguments, regrouped)
            }
            Self::RealConcatenate { parts, outer } => real::concatenate(x, parts, *outer),
        }
    }
}
