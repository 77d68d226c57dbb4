//! Kernels of hls4ml's C simulation: between blocks of lanes and the exact integers of `csim`.

use std::sync::Arc;

use bittrue_block::{EventBlock, LaneBlock, Lanes, RealLanes};
use bittrue_csim::{Node, Tensor, input};
use bittrue_fixed::{FixedType, exact_raw_f64};
use bittrue_model::Firmware;

use crate::int::Packing;

/// Bits of a real that are kept: more than any value has that was computed by QKeras or HGQ, whose
/// float32 have 24. What is below them stays visible as one more bit.
const REAL_BITS: i32 = 62;

/// The events of one input, as doubles, converted to a type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FirmwareInput {
    /// Which input.
    pub(crate) index: usize,
    /// The type of the input.
    pub(crate) target: FixedType,
    /// Form of the result.
    pub(crate) out: Packing,
}

impl FirmwareInput {
    /// Reads the events of `rows`.
    pub(crate) fn read(&self, events: &EventBlock, rows: &[usize]) -> LaneBlock {
        let source = &events.inputs[self.index];
        let elements = source.elements;
        let mut raw = Vec::with_capacity(elements * rows.len());
        for element in 0..elements {
            for &row in rows {
                let x = source.data.as_f64(row * elements + element);
                raw.push(input(&self.target, x) as i64);
            }
        }
        LaneBlock { elements, lanes: rows.len(), data: self.out.pack(raw) }
    }
}

/// One operation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FirmwareKernel {
    /// What it does.
    pub(crate) node: Arc<Node>,
    /// Form of the result where all arguments are integers; else it follows the values.
    pub(crate) out: Option<Packing>,
    /// Whether results without value may be given. In the fast program they mark their lane.
    pub(crate) careful: bool,
}

impl FirmwareKernel {
    /// The result on exact integers. Reals of one event share a grid, and a cast takes each by itself,
    /// so that one large value does not spoil its neighbours.
    fn result(&self, x: &[&LaneBlock]) -> Tensor {
        let real = |x: &&LaneBlock| matches!(x.data, Lanes::Real(_));
        if !x.iter().any(real) {
            let arguments: Vec<Tensor> = x.iter().map(|x| tensor(x)).collect();
            return self.node.apply(&arguments);
        }
        let lanes = x[0].lanes;
        if let (Firmware::Cast(target), Lanes::Real(reals)) = (self.node.op(), &x[0].data) {
            let one = |&v: &f64| {
                let (raw, f) = exact(v);
                self.node.apply(&[Tensor { raw: vec![raw], fractional: f, lanes: 1 }]).raw[0]
            };
            let raw = reals.value.iter().map(one).collect();
            return Tensor { raw, fractional: target.fractional(), lanes };
        }
        let events: Vec<Tensor> = (0..lanes)
            .map(|lane| {
                let arguments: Vec<Tensor> = x.iter().map(|x| tensor(&event(x, lane))).collect();
                self.node.apply(&arguments)
            })
            .collect();
        let elements = events.first().map_or(0, Tensor::elements);
        let parts: Vec<(i128, i32)> = (0..elements)
            .flat_map(|e| events.iter().map(move |event| reduced(event.raw[e], event.fractional)))
            .collect();
        let (fractional, raw) = common(&parts);
        Tensor { raw, fractional, lanes }
    }

    pub(crate) fn apply(&self, x: &[&LaneBlock], exceptional: &mut [bool]) -> LaneBlock {
        let lanes = x[0].lanes;
        let result = self.result(x);
        let marks: Vec<Vec<bool>> = x.iter().map(|x| not_finite(x)).collect();
        if marks.iter().flatten().any(|&m| m) {
            let reached = self.node.reach(&marks, lanes);
            if self.careful {
                return with_nan(&result, &reached);
            }
            for (at, _) in reached.iter().enumerate().filter(|(_, m)| **m) {
                exceptional[at % lanes] = true;
            }
        }
        match self.out {
            Some(out) => {
                // The plan has proven that the raws fit.
                let raw = result.raw.iter().map(|&v| v as i64).collect();
                LaneBlock { elements: result.elements(), lanes, data: out.pack(raw) }
            }
            None => block(&result),
        }
    }
}

/// The exact value of a real, zero where it has none.
fn exact(v: f64) -> (i128, i32) {
    exact_raw_f64(v).unwrap_or((0, 0))
}

/// One event of a block.
fn event(x: &LaneBlock, lane: usize) -> LaneBlock {
    let value = (0..x.elements).map(|e| x.value(e, lane)).collect();
    let data = Lanes::Real(RealLanes { value, band: None });
    LaneBlock { elements: x.elements, lanes: 1, data }
}

/// The values of a block as integers.
fn tensor(x: &LaneBlock) -> Tensor {
    let ints = |raw: Vec<i128>, fractional| Tensor { raw, fractional, lanes: x.lanes };
    match &x.data {
        Lanes::I16 { raw, fractional } => {
            ints(raw.iter().map(|&v| v.into()).collect(), *fractional)
        }
        Lanes::I32 { raw, fractional } => {
            ints(raw.iter().map(|&v| v.into()).collect(), *fractional)
        }
        Lanes::I64 { raw, fractional } => {
            ints(raw.iter().map(|&v| v.into()).collect(), *fractional)
        }
        Lanes::Real(real) => {
            let parts: Vec<(i128, i32)> = real.value.iter().map(|&v| exact(v)).collect();
            let (fractional, raw) = common(&parts);
            ints(raw, fractional)
        }
    }
}

/// Numbers on one grid.
fn common(parts: &[(i128, i32)]) -> (i32, Vec<i128>) {
    let present = || parts.iter().filter(|(raw, _)| *raw != 0);
    let finest = present().map(|(_, f)| *f).max().unwrap_or(0);
    let top = |&(raw, f): &(i128, i32)| 128 - raw.unsigned_abs().leading_zeros().cast_signed() - f;
    let largest = present().map(top).max().unwrap_or(0);
    let fractional = finest.min(REAL_BITS - largest);
    let moved = |&(raw, f): &(i128, i32)| {
        let up = fractional - f;
        if raw == 0 || up >= 0 {
            return raw << up.clamp(0, 100);
        }
        let down = up.unsigned_abs().min(127);
        let lost = (raw >> down) << down != raw;
        (raw >> down) | i128::from(lost)
    };
    (fractional, parts.iter().map(moved).collect())
}

/// Which values of a block are no numbers.
fn not_finite(x: &LaneBlock) -> Vec<bool> {
    match &x.data {
        Lanes::Real(real) => real.value.iter().map(|v| !v.is_finite()).collect(),
        _ => vec![false; x.elements * x.lanes],
    }
}

/// Values that did not come from a proven edge.
fn block(x: &Tensor) -> LaneBlock {
    let parts: Vec<(i128, i32)> = x.raw.iter().map(|&v| reduced(v, x.fractional)).collect();
    let (fractional, raw) = common(&parts);
    let raw = raw.into_iter().map(|v| v as i64).collect();
    LaneBlock { elements: x.elements(), lanes: x.lanes, data: Lanes::I64 { raw, fractional } }
}

/// A number without trailing zeros.
fn reduced(raw: i128, fractional: i32) -> (i128, i32) {
    if raw == 0 {
        return (0, 0);
    }
    let zeros = raw.trailing_zeros();
    (raw >> zeros, fractional - zeros.cast_signed())
}

/// The values as reals, and NaN where there is none.
fn with_nan(x: &Tensor, none: &[bool]) -> LaneBlock {
    let scale = 2f64.powi(-x.fractional);
    let value = |(&v, &none): (&i128, &bool)| if none { f64::NAN } else { v as f64 * scale };
    let value = x.raw.iter().zip(none).map(value).collect();
    let data = Lanes::Real(RealLanes { value, band: None });
    LaneBlock { elements: x.elements(), lanes: x.lanes, data }
}

#[cfg(test)]
mod tests {
    use bittrue_block::Storage;

    use super::*;

    fn reals(value: &[f64]) -> LaneBlock {
        let data = Lanes::Real(RealLanes { value: value.to_vec(), band: None });
        LaneBlock { elements: 1, lanes: value.len(), data }
    }

    fn cast(out: Option<Packing>, careful: bool) -> FirmwareKernel {
        let t: FixedType = "ap_fixed<8,4,RND_CONV,SAT>".parse().expect("a type");
        let node = Arc::new(Node::new(Firmware::Cast(t)).expect("an operation"));
        FirmwareKernel { node, out, careful }
    }

    #[test]
    fn reals_are_taken_exactly() {
        // A tie, and what is just above it.
        let x = reals(&[0.09375, 0.093_750_000_01, -1e-30, 1e30]);
        let y = cast(None, false).apply(&[&x], &mut [false; 4]);
        let values: Vec<f64> = (0..4).map(|lane| y.value(0, lane)).collect();
        assert_eq!(values, [0.125, 0.125, 0.0, 7.9375]);
        let x = reals(&[0.03125, 0.031_250_000_01]);
        let y = cast(None, false).apply(&[&x], &mut [false; 2]);
        assert_eq!((y.value(0, 0), y.value(0, 1)), (0.0, 0.0625));
    }

    #[test]
    fn no_number_marks_its_lane() {
        let x = reals(&[f64::NAN, 0.5]);
        let mut exceptional = [false; 2];
        let out = Packing { fractional: 4, storage: Storage::I16 };
        let y = cast(Some(out), false).apply(&[&x], &mut exceptional);
        assert_eq!((exceptional, y.value(0, 1)), ([true, false], 0.5));
        let y = cast(None, true).apply(&[&x], &mut [false; 2]);
        assert!(y.value(0, 0).is_nan());
        assert_eq!(y.value(0, 1), 0.5);
    }
}
