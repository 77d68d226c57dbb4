//! The order of a model's layers in its file, which is the order of hls4ml's graph.

use bittrue_model::{CallId, Model};

/// The calls in the order in which Keras lists the layers of a functional model: by depth (the
/// distance from the outputs) and, where that is equal, as a walk from the outputs meets them.
pub(super) fn file_order(model: &Model) -> Vec<CallId> {
    let n = model.calls.len();
    let mut walk = Walk { model, met: Vec::new(), seen: vec![false; n], done: Vec::new() };
    for &output in &model.outputs {
        walk.visit(output);
    }
    let mut depth = vec![0_usize; n];
    for &call in walk.done.iter().rev() {
        for &argument in &model.call(call).inputs {
            depth[argument.0] = depth[argument.0].max(depth[call.0] + 1);
        }
    }
    // Inputs that nothing depends on come first among the last.
    let unused = model.inputs.iter().copied().filter(|i| !walk.seen[i.0]);
    let mut order: Vec<CallId> = unused.collect();
    order.extend(&walk.met);
    order.sort_by_key(|call| std::cmp::Reverse(depth[call.0]));
    order
}

struct Walk<'a> {
    model: &'a Model,
    /// In the order in which the walk first meets them.
    met: Vec<CallId>,
    seen: Vec<bool>,
    /// In the order in which all their arguments are done.
    done: Vec<CallId>,
}

impl Walk<'_> {
    /// Depth first, without recursion: models may be deep.
    fn visit(&mut self, output: CallId) {
        let mut stack = vec![(output, 0)];
        while let Some((call, next)) = stack.pop() {
            if next == 0 {
                if self.seen[call.0] {
                    continue;
                }
                self.seen[call.0] = true;
                self.met.push(call);
            }
            match self.model.call(call).inputs.get(next) {
                Some(&argument) => {
                    stack.push((call, next + 1));
                    stack.push((argument, 0));
                }
                None => self.done.push(call),
            }
        }
    }
}
