//! Each target against each other: what a run says of two targets is what a run with one of them as
//! the reference says.

use std::path::Path;

use bittrue_io::EventOptions;
use bittrue_record::{Comparison, Report};
use bittrue_verify::{Leg, Unwatched, VerifyConfig, verify};

const LEGS: [Leg; 5] =
    [Leg::Qkeras, Leg::ProxySat, Leg::ProxyWrap, Leg::Hls4mlSat, Leg::Hls4mlWrap];

fn run(case: &str, reference: Leg, targets: &[Leg], strict_layers: bool) -> Report {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testvectors/golden");
    let config = VerifyConfig {
        model: directory.join(case).join("model.h5"),
        proxy: None,
        hls_config: None,
        events: vec![directory.join(case).join("events.h5")],
        options: EventOptions::default(),
        reference,
        targets: targets.to_vec(),
        traces: Vec::new(),
        input_types: Vec::new(),
        strict_layers,
        hash: false,
    };
    verify(&config, &Unwatched).expect("a report")
}

/// The same without what only the run's reference has: own mismatches, what is proven of it, and
/// layers of its own that the target does not form.
fn bare(mut c: Comparison) -> Comparison {
    c.first_layer = c.layers_differing.first().cloned();
    c.not_formed.clear();
    for layer in &mut c.layers {
        layer.own_mismatches = None;
        layer.inherited_mismatches = None;
        if layer.reference.class == bittrue_record::AuditClass::Exact {
            layer.reference.class = bittrue_record::AuditClass::ExactOnTheseEvents;
        }
    }
    c
}

#[test]
fn equals_runs_with_other_references() {
    let mut differing = 0;
    // `bn`: a layer that differs inside; `jet_softmax`: bands; `merges`: fused quantizers.
    for case in ["mixed_scale", "bn", "jet_mlp", "jet_softmax", "merges", "conv_bn_relu8"] {
        for strict in [false, true] {
            for reference in LEGS {
                let targets = LEGS.into_iter().filter(|l| *l != reference).collect::<Vec<_>>();
                let report = run(case, reference, &targets, strict);
                assert_eq!(report.between_targets.len(), 6, "{case}");
                for pair in report.between_targets {
                    let leg = |name: &str| name.parse::<Leg>().expect("a leg");
                    let (a, b) = (leg(&pair.reference), leg(&pair.target));
                    let alone = run(case, a, &[b], strict).comparisons.remove(0);
                    differing += pair.events_differing;
                    assert_eq!(bare(pair), bare(alone), "{case}: {b} against {a}");
                }
            }
        }
    }
    assert!(differing > 10_000, "{differing}");
}

#[test]
fn a_single_target_is_compared_with_nothing_else() {
    assert!(run("bn", Leg::Qkeras, &[Leg::ProxySat], false).between_targets.is_empty());
}
