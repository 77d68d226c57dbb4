//! What hls4ml's C simulation computes, node by node.
//!
//! Arithmetic is on integers and exact; where the C++ stores a value in a type, a [`Firmware::Cast`]
//! follows, or the operation names its accumulator.

use std::sync::Arc;

use bittrue_fixed::FixedType;

use crate::{MergeKind, PoolKind};

/// A cell outside the tensor in the rows of a [`FirmwareSum`] or [`FirmwarePool`].
pub const OUTSIDE: u32 = u32::MAX;

/// Constants: `raw · 2^-fractional` each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raws {
    /// The integers.
    pub raw: Vec<i64>,
    /// Their fractional bits.
    pub fractional: i32,
}

/// One operation of the C simulation.
#[derive(Debug, Clone, PartialEq)]
pub enum Firmware {
    /// The events as doubles, converted to the type of the input.
    Input {
        /// Which input of the model.
        index: usize,
        /// The type of the input.
        target: FixedType,
    },
    /// A conversion to a type.
    Cast(FixedType),
    /// A conversion of each element of one event to its own type; `None` gives zero.
    CastEach(Arc<[Option<FixedType>]>),
    /// Sums of products with constants.
    Sum(FirmwareSum),
    /// `x · scale + bias`, constants by the index of the last axis.
    Affine {
        /// Factors.
        scale: Raws,
        /// Offsets.
        bias: Raws,
    },
    /// `max(x, 0)`.
    Relu,
    /// `x` above zero, `alpha · x` else; one constant.
    LeakyRelu(Raws),
    /// `x` above the constant, 0 else.
    ThresholdedRelu(Raws),
    /// A logistic function or hyperbolic tangent from a table.
    Curve {
        /// Whether it is the tangent, over ±4, rather than the logistic function, over ±8.
        tangent: bool,
        /// Number of entries.
        size: u64,
        /// Type of the entries.
        table: FixedType,
    },
    /// `x` from zero on, else the constant times an entry of a table of `exp(x) − 1` over [−8, 0).
    Elu {
        /// The factor.
        alpha: Raws,
        /// Number of entries.
        size: u64,
        /// Type of the entries.
        table: FixedType,
    },
    /// Softmax by tables.
    Softmax(FirmwareSoftmax),
    /// A table addressed by the bits of the argument.
    Table {
        /// The argument's type.
        argument: FixedType,
        /// The entries.
        entries: Raws,
    },
    /// Largest or average element of each row.
    Pool(FirmwarePool),
    /// Element-wise merge of two arguments.
    Merge(MergeKind),
    /// Largest or smallest of two arguments that are compared as unsigned numbers, where a negative
    /// one is above all others (M29).
    UnsignedExtreme(MergeKind),
    /// Concatenation: elements of each argument for one index of the axes before.
    Concatenate([usize; 2]),
    /// The elements of the argument in another order.
    Copy(Arc<[u32]>),
}

impl Firmware {
    /// The merge of two arguments of these types.
    ///
    /// The headers compare a signed with an unsigned number as C does, once both are on the finer grid
    /// (M29): as unsigned ones if the unsigned one is not narrower than the other, unless both have
    /// less than 32 bits.
    pub fn merge(kind: MergeKind, a: &FixedType, b: &FixedType) -> Self {
        let fractional = a.fractional().max(b.fractional());
        let width = |t: &FixedType| t.width.cast_signed() + fractional - t.fractional();
        let (signed, unsigned) = if a.signed { (a, b) } else { (b, a) };
        let as_unsigned = a.signed != b.signed
            && width(unsigned) >= width(signed)
            && width(unsigned).max(width(signed)) >= 32;
        match kind {
            MergeKind::Maximum | MergeKind::Minimum if as_unsigned => Self::UnsignedExtreme(kind),
            _ => Self::Merge(kind),
        }
    }
}

/// Sums of products with constants, each product and each sum in the accumulator's type.
#[derive(Debug, Clone, PartialEq)]
pub struct FirmwareSum {
    /// For each row the elements of the argument, [`OUTSIDE`] for zero.
    pub rows: Arc<[u32]>,
    /// Length of a row.
    pub terms: usize,
    /// Groups: row `r` uses the weights of group `r % groups`.
    pub groups: usize,
    /// Results of a row.
    pub units: usize,
    /// Weights `[group, unit, term]`.
    pub weights: Raws,
    /// Bias `[group, unit]`.
    pub bias: Raws,
    /// The accumulator: truncation and wrapping.
    pub accum: FixedType,
}

/// A pooling.
#[derive(Debug, Clone, PartialEq)]
pub struct FirmwarePool {
    /// Largest or average.
    pub kind: PoolKind,
    /// For each result the elements of its window, [`OUTSIDE`] for padding.
    pub rows: Arc<[u32]>,
    /// Length of a row.
    pub terms: usize,
    /// What padding is to a maximum, in raws of the argument's type.
    pub padding: Raws,
    /// The accumulator.
    pub accum: FixedType,
}

/// How softmax is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SoftmaxForm {
    /// Differences to the largest argument; hls4ml's default.
    Stable,
    /// The arguments themselves.
    Latency,
    /// Sums of exponentials of all differences.
    Legacy,
    /// 1 at the first largest argument.
    Argmax,
}

/// Softmax of all elements of an event.
#[derive(Debug, Clone, PartialEq)]
pub struct FirmwareSoftmax {
    /// Which form.
    pub form: SoftmaxForm,
    /// Elements that are one softmax: all of an array, those of one pack of a stream.
    pub together: usize,
    /// The argument's type.
    pub argument: FixedType,
    /// Type of the sums of exponentials.
    pub accum: FixedType,
    /// Type of the entries of the table of exponentials.
    pub exp_table: FixedType,
    /// Type of the sum that is inverted.
    pub inv_inp: FixedType,
    /// Type of the entries of the table of inverses.
    pub inv_table: FixedType,
    /// Type of the tables of the legacy form.
    pub table: FixedType,
    /// Entries of the table of exponentials.
    pub exp_size: u64,
    /// Entries of the table of inverses.
    pub inv_size: u64,
}
