//! The C simulation of hls4ml as kernels: those of the proxy where they give the same, and the exact
//! integers of `csim` elsewhere.

use std::sync::Arc;

use bittrue_block::Storage;
use bittrue_csim::Node;
use bittrue_fixed::{Dialect, FixedType, QInterval};
use bittrue_kernels::{PADDING, Requantize};
use bittrue_model::{Firmware, FirmwareSum, OUTSIDE, Place};

use super::{Care, Lowered, elementwise};
use crate::PlanError;
use crate::edge::{Edge, RAW_LIMIT, Repr};
use crate::firmware::{FirmwareInput, FirmwareKernel};
use crate::int::{IntLinear, Packing, Weights};
use crate::kernel::Kernel;
use crate::taps::Taps;

/// Lowers one operation.
pub(super) fn lower(
    op: &Arc<Firmware>,
    inputs: &[&Edge],
    elements: usize,
    care: Care,
    place: &Place,
) -> Result<Lowered, PlanError> {
    let node = Node::new(op.as_ref().clone()).map_err(|e| PlanError::new(place.clone(), e))?;
    if let Firmware::Input { index, target } = op.as_ref() {
        let (index, target) = (*index, *target);
        let (out, edge) = typed(&target, elements);
        let kernel = Kernel::FirmwareInput(FirmwareInput { index, target, out });
        return Ok(Lowered::one(kernel, edge));
    }
    let grids: Option<Vec<i32>> = inputs
        .iter()
        .map(|edge| match edge.repr {
            Repr::Int { fractional, .. } => Some(fractional),
            Repr::Real { .. } => None,
        })
        .collect();
    let careful = care == Care::Careful;
    let Some(grids) = grids else {
        let kernel = FirmwareKernel { node: Arc::new(node), out: None, careful };
        return Ok(Lowered::one(Kernel::Firmware(kernel), Edge::real(true)));
    };
    if let Some(shared) = shared(op, inputs[0], elements) {
        return Ok(shared);
    }
    let (out, edge) = match op.as_ref() {
        Firmware::Cast(target) => typed(target, elements),
        Firmware::Sum(FirmwareSum { accum, .. }) => typed(accum, elements),
        _ => {
            let fractional = node.fractional(&grids);
            let repr = Repr::Int { fractional, storage: Storage::I64 };
            (Packing { fractional, storage: Storage::I64 }, Edge { repr, ranges: None })
        }
    };
    let kernel = FirmwareKernel { node: Arc::new(node), out: Some(out), careful };
    Ok(Lowered::one(Kernel::Firmware(kernel), edge))
}

/// The form of values of a type.
fn typed(t: &FixedType, elements: usize) -> (Packing, Edge) {
    let fractional = t.fractional();
    let fit = |raw: i128| i64::try_from(raw).unwrap_or(if raw < 0 { i64::MIN } else { i64::MAX });
    let storage = Storage::for_range(fit(t.raw_min()), fit(t.raw_max()));
    let repr = Repr::Int { fractional, storage };
    let edge = Edge { repr, ranges: Some(vec![t.interval(); elements].into()) };
    (Packing { fractional, storage }, edge)
}

/// The same operation with the kernels of the proxy, where its range is proven.
fn shared(op: &Firmware, input: &Edge, elements: usize) -> Option<Lowered> {
    match op {
        Firmware::Cast(target) => {
            let (from, _) = input.as_int()?;
            let largest = i128::from(input.max_abs_raw()?);
            (largest <= RAW_LIMIT).then_some(())?;
            let (out, edge) = typed(target, elements);
            let cast = Requantize::new(from, *target, Dialect::ApFixed);
            Some(Lowered::one(Kernel::Requantize { cast, storage: out.storage }, edge))
        }
        Firmware::Relu => elementwise::relu(input, None),
        Firmware::Sum(s) => linear(s, input, elements),
        _ => None,
    }
}

/// Sums on machine integers, where no product loses bits: the accumulator's wrapping follows them
/// unless it is proven not to happen.
fn linear(s: &FirmwareSum, input: &Edge, elements: usize) -> Option<Lowered> {
    let (from, _) = input.as_int()?;
    let Repr::Int { storage: of_input, .. } = input.repr else { return None };
    let largest = i128::from(input.max_abs_raw()?);
    let fractional = s.accum.fractional();
    let up = |f: i32| u32::try_from(fractional - f).ok().filter(|&up| up < 62);
    let (up_product, up_bias) = (up(from + s.weights.fractional), up(s.bias.fractional));
    let scaled = |raw: &[i64], up: Option<u32>| -> Option<Vec<i64>> {
        if raw.iter().all(|&w| w == 0) {
            return Some(raw.to_vec());
        }
        let up = up?;
        raw.iter().map(|&w| w.checked_mul(1 << up).filter(|w| w.abs() < 1 << 62)).collect()
    };
    let weights = scaled(&s.weights.raw, up_product)?;
    let bias = scaled(&s.bias.raw, up_bias)?;
    let bound = weights
        .chunks(s.terms.max(1))
        .zip(&bias)
        .map(|(row, &b)| {
            let sum: i128 = row.iter().map(|&w| i128::from(w).abs()).sum();
            sum * largest + i128::from(b).abs()
        })
        .max()?;
    let narrow = bound <= i32::MAX.into() && of_input != Storage::I64;
    let (weights, storage) = if narrow {
        let to_i32 = |v: Vec<i64>| -> Vec<i32> { v.into_iter().map(|w| w as i32).collect() };
        (Weights::I32(to_i32(weights), to_i32(bias)), Storage::I32)
    } else if bound <= RAW_LIMIT {
        (Weights::I64(weights, bias), Storage::I64)
    } else {
        return None;
    };
    let index = s.rows.iter().map(|&e| if e == OUTSIDE { PADDING } else { e }).collect();
    let taps = Taps { terms: s.terms, index };
    let (groups, units) = (s.groups, s.units);
    let sums = Kernel::Linear(IntLinear::new(taps, groups, units, weights, fractional, of_input));
    if s.accum.signed && bound <= s.accum.raw_max() {
        let all = QInterval::new(-bound, bound, fractional).ok()?;
        let ranges = Some(vec![all; elements].into());
        return Some(Lowered::one(sums, Edge { repr: Repr::Int { fractional, storage }, ranges }));
    }
    let (out, edge) = typed(&s.accum, elements);
    let cast = Requantize::new(fractional, s.accum, Dialect::ApFixed);
    let wrap = Kernel::Requantize { cast, storage: out.storage };
    Some(Lowered { kernels: vec![sums, wrap], edge })
}
