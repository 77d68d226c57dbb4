//! Which events of a block differ.

use bittrue_engine::BlockResult;

use crate::compare::{self, Relation, Scope};

/// The rows of the events in which some target has a mismatch, in order: at an output, or with
/// `strict_layers` in any aligned layer.
pub(crate) fn rows(parts: &[BlockResult], scopes: &[Scope], strict_layers: bool) -> Vec<u64> {
    let mut rows: Vec<u64> = Vec::new();
    for part in parts {
        let mut differs = vec![false; part.rows.len()];
        for scope in scopes {
            of_scope(part, scope, strict_layers, &mut differs);
        }
        let lanes = part.rows.iter().zip(&part.skip).zip(&differs);
        rows.extend(lanes.filter(|((_, skip), differs)| !**skip && **differs).map(|((r, _), _)| r));
    }
    // What was computed carefully stands behind the rest.
    rows.sort_unstable();
    rows
}

fn of_scope(part: &BlockResult, scope: &Scope, strict_layers: bool, differs: &mut [bool]) {
    for (&call, &is_output) in scope.calls.iter().zip(&scope.is_output) {
        let of = |leg: usize| part.legs[leg].aligned[call.0].as_ref();
        let (Some(reference), Some(target)) = (of(scope.reference), of(scope.target)) else {
            continue;
        };
        if !is_output && !strict_layers {
            continue;
        }
        for at in compare::differing(reference, target) {
            let lane = at % reference.lanes;
            if !differs[lane] && !part.skip[lane] {
                differs[lane] = compare::relation(reference, target, at) == Relation::Mismatch;
            }
        }
    }
}
