//! Layers on no path to an output, which Keras leaves out of the proxy.

use bittrue_model::{Call, CallId};

use super::Converted;

/// Takes every call out of the proxy that no output depends on; inputs stay.
///
/// Such calls come from arguments that a nested model does not use, and from outputs of nested
/// models that nobody reads. Every call has a layer of its own.
pub(super) fn prune(converted: &mut Converted) {
    let calls = &converted.model.calls;
    let mut keep = vec![false; calls.len()];
    for call in converted.model.inputs.iter().chain(&converted.model.outputs) {
        keep[call.0] = true;
    }
    // Arguments come before the calls that take them.
    for id in (0..calls.len()).rev() {
        if keep[id] {
            for argument in &calls[id].inputs {
                keep[argument.0] = true;
            }
        }
    }
    if keep.iter().all(|&k| k) {
        return;
    }
    let mut new_id = Vec::with_capacity(keep.len());
    let mut next = 0;
    for &k in &keep {
        new_id.push(k.then_some(CallId(next)));
        next += usize::from(k);
    }
    let moved = |call: &mut CallId| {
        if let Some(new) = new_id[call.0] {
            *call = new;
        }
    };
    retain(&mut converted.model.layers, &keep);
    retain(&mut converted.model.calls, &keep);
    retain(&mut converted.origins, &keep);
    retain(&mut converted.declared, &keep);
    for (layer, call) in converted.model.calls.iter_mut().enumerate() {
        let Call { inputs, layer: of, .. } = call;
        inputs.iter_mut().for_each(moved);
        *of = layer;
    }
    converted.model.inputs.iter_mut().for_each(moved);
    converted.model.outputs.iter_mut().for_each(moved);
    for aligned in &mut converted.aligned {
        *aligned = aligned.and_then(|call| new_id[call.0]);
    }
}

fn retain<T>(list: &mut Vec<T>, keep: &[bool]) {
    let mut keep = keep.iter();
    list.retain(|_| keep.next() == Some(&true));
}
