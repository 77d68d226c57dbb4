//! Merges and concatenation.

use bittrue_fixed::{QInterval, exact_raw_f64};
use bittrue_keras::exact;
use bittrue_model::MergeKind;

use super::{Care, Lowered};
use crate::edge::{Edge, Repr, raw_at, with_fractional};
use crate::int::Packing;
use crate::kernel::Kernel;
use crate::real::Term;

/// Whether the terms of a sum give the same float32 in every order, for all values of the edges.
pub(super) fn any_order_is_exact(terms: &[Term], inputs: &[&Edge], extra: &[&Edge]) -> bool {
    let edge = |n: usize| inputs.iter().chain(extra).nth(n).copied();
    let size = |n: usize| -> Option<(i32, i64)> {
        let edge = edge(n)?;
        Some((edge.as_int()?.0, edge.max_abs_raw()?))
    };
    let each = |t: &Term| -> Option<Vec<(i32, i64)>> {
        match t {
            Term::Value(n) => Some(vec![size(*n)?]),
            Term::Difference(y, x) => Some(vec![size(*y)?, size(*x)?]),
            Term::Constant(values) => {
                let raws =
                    values.iter().map(|&v| exact_raw_f64(v.into())).collect::<Option<Vec<_>>>()?;
                let fine = raws.iter().map(|r| r.1).max().unwrap_or(0);
                let largest = raws.iter().map(|r| raw_at(r.0, r.1, fine).map(i64::abs));
                Some(vec![(fine, largest.collect::<Option<Vec<_>>>()?.into_iter().max()?)])
            }
        }
    };
    let Some(sizes) = terms.iter().map(each).collect::<Option<Vec<_>>>() else { return false };
    let sizes: Vec<(i32, i64)> = sizes.into_iter().flatten().collect();
    let fine = sizes.iter().map(|s| s.0).max().unwrap_or(0);
    let total: Option<i64> = sizes
        .iter()
        .map(|&(f, raw)| raw_at(raw.into(), f, fine))
        .try_fold(0_i64, |sum, raw| sum.checked_add(raw?));
    exact::in_safe_range(fine) && total.is_some_and(|t| t <= exact::FLOAT32_INTEGERS)
}

/// Element-wise merge, where every float32 step is exact.
pub(super) fn merge(kind: MergeKind, inputs: &[&Edge]) -> Option<Lowered> {
    let args: Vec<(i32, &[QInterval])> =
        inputs.iter().map(|e| e.as_int()).collect::<Option<_>>()?;
    let product = kind == MergeKind::Multiply;
    let fine = args.iter().map(|a| a.0).max()?;
    let total: i32 = args.iter().map(|a| a.0).sum();
    let extra = match kind {
        MergeKind::Average if inputs.len().is_power_of_two() => {
            inputs.len().trailing_zeros().cast_signed()
        }
        MergeKind::Average => return None,
        _ => 0,
    };
    let limit = exact::FLOAT32_INTEGERS;
    let elements = args[0].1.len();
    let mut ranges = Vec::with_capacity(elements);
    for e in 0..elements {
        let mut acc: Option<QInterval> = None;
        for (n, (f, r)) in args.iter().enumerate() {
            let to = if product { *f } else { fine };
            let lo = raw_at(r[e].min, r[e].fractional, to)?;
            let hi = raw_at(r[e].max, r[e].fractional, to)?;
            let here = QInterval::new(lo.into(), hi.into(), to).ok()?;
            acc = Some(match (acc, kind) {
                (None, _) => here,
                (Some(a), MergeKind::Add | MergeKind::Average) => a.add(&here)?,
                (Some(a), MergeKind::Subtract) => a.sub(&here)?,
                (Some(a), MergeKind::Multiply) => a.mul(&here)?,
                (Some(a), MergeKind::Maximum) => {
                    QInterval::new(a.min.max(here.min), a.max.max(here.max), fine).ok()?
                }
                (Some(a), MergeKind::Minimum) => {
                    QInterval::new(a.min.min(here.min), a.max.min(here.max), fine).ok()?
                }
            });
            // Every partial result has to be a float32 value.
            let partial = acc.as_ref().map_or(0, QInterval::max_abs);
            if n > 0 && partial > limit.unsigned_abs().into() {
                return None;
            }
        }
        let mut r = acc?;
        r.fractional += extra;
        if !exact::in_safe_range(r.fractional) {
            return None;
        }
        ranges.push(r);
    }
    let fractional = if product { total } else { fine + extra };
    let edge = with_fractional(ranges, fractional)?;
    let Repr::Int { storage, .. } = edge.repr else { return None };
    let shifts =
        args.iter().map(|a| if product { 0 } else { (fine - a.0).cast_unsigned() }).collect();
    let out = Packing { fractional, storage };
    Some(Lowered::one(Kernel::Merge { kind, shifts, out }, edge))
}

/// Concatenation: on the finest grid of the arguments, or of reals.
pub(super) fn concatenate(
    inputs: &[&Edge],
    shapes: &[&[usize]],
    axis: usize,
    care: Care,
) -> Lowered {
    let outer: usize = shapes[0][..axis].iter().product();
    let sizes: Vec<usize> = shapes.iter().map(|s| s[axis..].iter().product()).collect();
    let int = || -> Option<Lowered> {
        let args: Vec<(i32, &[QInterval])> =
            inputs.iter().map(|e| e.as_int()).collect::<Option<_>>()?;
        let fine = args.iter().map(|a| a.0).max()?;
        let mut ranges = Vec::new();
        for o in 0..outer {
            for (a, &size) in args.iter().zip(&sizes) {
                ranges.extend_from_slice(&a.1[o * size..(o + 1) * size]);
            }
        }
        let edge = with_fractional(ranges, fine)?;
        let Repr::Int { storage, .. } = edge.repr else { return None };
        let parts =
            args.iter().zip(&sizes).map(|(a, &s)| (s, (fine - a.0).cast_unsigned())).collect();
        let out = Packing { fractional: fine, storage };
        Some(Lowered::one(Kernel::Concatenate { parts, outer, out }, edge))
    };
    let int = if care == Care::Fast { int() } else { None };
    int.unwrap_or_else(|| {
        let exact = inputs.iter().all(|e| e.is_exact());
        Lowered::one(Kernel::RealConcatenate { parts: sizes, outer }, Edge::real(exact))
    })
}
