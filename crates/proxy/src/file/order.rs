//! In which order Keras lists the layers of a functional model.

use std::collections::HashMap;

use bittrue_model::{CallId, Model};

/// The calls in the order of `model.layers`, which is also that of the file: by falling depth, the
/// longest distance to an output; layers of one depth in the order in which a walk from the outputs
/// meets them, a layer before its arguments. Inputs that reach no output have depth 0 and come
/// first there.
///
/// In a proxy every layer has one call.
pub(crate) fn keras_order(model: &Model) -> Vec<CallId> {
    let Walk { met, finished, .. } = walk(model);
    let mut depth: HashMap<CallId, usize> = HashMap::new();
    // Readers come before what they read.
    for &call in finished.iter().rev() {
        let own = *depth.entry(call).or_default();
        for &argument in &model.call(call).inputs {
            let deepest = depth.entry(argument).or_default();
            *deepest = (*deepest).max(own + 1);
        }
    }
    let unread = model.inputs.iter().filter(|i| !met.contains_key(i));
    let mut order: Vec<CallId> = unread.chain(&finished).copied().collect();
    order.sort_by_key(|call| {
        let depth = depth.get(call).copied().unwrap_or_default();
        // Unread inputs have no place of their own and keep their order.
        (std::cmp::Reverse(depth), met.get(call).map(|m| m + 1))
    });
    order
}

/// The calls that the outputs depend on, in the order in which a walk from the outputs is done with
/// them: arguments first.
pub(crate) fn finished_order(model: &Model) -> Vec<CallId> {
    walk(model).finished
}

#[derive(Default)]
struct Walk {
    /// When a call was first met.
    met: HashMap<CallId, usize>,
    /// The calls in the order in which all their arguments were done.
    finished: Vec<CallId>,
}

/// Depth first from the outputs, with a stack of its own: a deep model must not exhaust the
/// thread's.
fn walk(model: &Model) -> Walk {
    let mut walk = Walk::default();
    for &output in &model.outputs {
        if walk.met.contains_key(&output) {
            continue;
        }
        walk.met.insert(output, walk.met.len());
        let mut stack = vec![(output, 0)];
        while let Some((call, next)) = stack.last_mut() {
            let Some(&argument) = model.call(*call).inputs.get(*next) else {
                walk.finished.push(*call);
                stack.pop();
                continue;
            };
            *next += 1;
            if !walk.met.contains_key(&argument) {
                walk.met.insert(argument, walk.met.len());
                stack.push((argument, 0));
            }
        }
    }
    walk
}

#[cfg(test)]
mod tests {
    use bittrue_model::{Call, Layer, LayerKind, Ledger, MergeKind, ModelClass};

    use super::*;

    /// A model of calls by name with their arguments, in this order.
    fn model(calls: &[(&str, &[usize])], outputs: &[usize]) -> Model {
        let layer = |(name, inputs): &(&str, &[usize])| Layer {
            name: (*name).to_owned(),
            class_name: String::new(),
            kind: match inputs {
                [] => LayerKind::Input,
                _ => LayerKind::Merge(MergeKind::Add),
            },
        };
        let call = |(layer, (_, inputs)): (usize, &(&str, &[usize]))| Call {
            layer,
            node_index: 0,
            inputs: inputs.iter().map(|&i| CallId(i)).collect(),
            shape: vec![1],
            nested: None,
            output: 0,
        };
        Model {
            name: "m".to_owned(),
            class: ModelClass::Functional,
            layers: calls.iter().map(layer).collect(),
            calls: calls.iter().enumerate().map(call).collect(),
            inputs: (0..calls.len()).filter(|&c| calls[c].1.is_empty()).map(CallId).collect(),
            outputs: outputs.iter().map(|&o| CallId(o)).collect(),
            nested: Vec::new(),
            ledger: Ledger::default(),
        }
    }

    fn names(m: &Model) -> Vec<String> {
        keras_order(m).into_iter().map(|c| m.call_name(c)).collect()
    }

    /// Row 6 of the table of names in HGQ's measured behaviour: outputs [o2, o1], inputs A, B.
    #[test]
    fn depth_first_then_the_walk_from_the_outputs() {
        let m = model(
            &[
                ("A", &[]),
                ("B", &[]),
                ("qa", &[0]),
                ("qb", &[1]),
                ("d1", &[2]),
                ("r1", &[4]),
                ("d2", &[3]),
                ("s", &[5, 6]),
                ("o1", &[5]),
                ("o2", &[7]),
            ],
            &[9, 8],
        );
        // s reads r1, which is deeper than d2's own level.
        assert_eq!(names(&m), ["A", "qa", "B", "d1", "qb", "r1", "d2", "s", "o2", "o1"]);
    }

    #[test]
    fn inputs_that_nobody_reads() {
        let m = model(&[("a", &[]), ("x", &[]), ("y", &[]), ("d", &[0]), ("o", &[3])], &[4]);
        assert_eq!(names(&m), ["a", "d", "x", "y", "o"]);
    }

    #[test]
    fn an_argument_twice_and_an_output_that_is_read() {
        let m = model(&[("a", &[]), ("b", &[0, 0]), ("c", &[1])], &[1, 2]);
        assert_eq!(names(&m), ["a", "b", "c"]);
    }
}
