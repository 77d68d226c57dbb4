//! Targets against each other: what two of them share is no difference between them.

use bittrue_record::ComparisonMeta;

use crate::compare::Scope;

/// What is compared of each target with each earlier one, given what is compared of each with the
/// reference: the layers that both form. Two that share no layer in the verdict's scope are left out.
pub(crate) fn targets(
    metas: &[ComparisonMeta],
    scopes: &[Scope],
    strict_layers: bool,
) -> (Vec<ComparisonMeta>, Vec<Scope>) {
    let targets: Vec<_> = metas.iter().zip(scopes).collect();
    let mut pairs = (Vec::new(), Vec::new());
    for (n, earlier) in targets.iter().enumerate() {
        for later in &targets[n + 1..] {
            let (meta, scope) = pair(*earlier, *later);
            if scope.is_output.iter().any(|&is_output| is_output || strict_layers) {
                pairs.0.push(meta);
                pairs.1.push(scope);
            }
        }
    }
    pairs
}

fn pair(
    (earlier, of_earlier): (&ComparisonMeta, &Scope),
    (later, of_later): (&ComparisonMeta, &Scope),
) -> (ComparisonMeta, Scope) {
    let mut scope = Scope {
        reference: of_earlier.target,
        target: of_later.target,
        calls: Vec::new(),
        is_output: Vec::new(),
        elements: Vec::new(),
    };
    let mut layers = Vec::new();
    let mut not_formed = Vec::new();
    for (n, call) in of_earlier.calls.iter().enumerate() {
        let Some(at) = of_later.calls.iter().position(|c| c == call) else {
            not_formed.push(earlier.layers[n].name.clone());
            continue;
        };
        scope.calls.push(*call);
        scope.is_output.push(of_later.is_output[at]);
        scope.elements.push(of_later.elements[at]);
        // Nothing is proven of a target.
        let mut layer = later.layers[at].clone();
        layer.reference_proven = false;
        layers.push(layer);
    }
    let meta = ComparisonMeta {
        reference: earlier.target.clone(),
        target: later.target.clone(),
        layers,
        not_formed,
        own_known: false,
    };
    (meta, scope)
}
