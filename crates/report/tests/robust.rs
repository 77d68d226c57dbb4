//! A report may come from anywhere: whatever it says, the renderers return text.

use bittrue_record::{
    AuditClass, Comparison, EventFileInfo, EventsInfo, FileInfo, Layer, ModelInfo, ReferenceAudit,
    Report, ToolInfo, Verdict, Warning,
};
use bittrue_report::{TextOptions, json, text};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

fn count() -> impl Strategy<Value = u64> {
    prop_oneof![0..3u64, any::<u64>()]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![3 => "[a-c]", 1 => any::<String>()]
}

fn result_t() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just("ap_fixed<10,4,RND_CONV,WRAP>"),
        Just("ap_ufixed<6,0,TRN,SAT>"),
        Just("ap_fixed<126,-1024,TRN,WRAP>"),
        Just("ap_fixed<1,1024,TRN,WRAP_SM,1>"),
        Just("ap_fixed<0,0,TRN,WRAP>"),
    ]
}

fn audit() -> impl Strategy<Value = ReferenceAudit> {
    (prop::sample::select(&AuditClass::ALL[..]), count(), count()).prop_map(
        |(class, order_dependent, function_inexact)| ReferenceAudit {
            class,
            order_dependent,
            function_inexact,
        },
    )
}

fn layer() -> impl Strategy<Value = Layer> {
    let counts = prop::array::uniform5(count());
    let diffs = (any::<f64>(), option::of(any::<f64>()));
    let maybe = prop::array::uniform4(option::of(count()));
    let names = (name(), name(), option::of(result_t()));
    (names, counts, diffs, maybe, btree_map(name(), count(), 0..3), audit()).prop_map(
        |((name, class, result_t), n, (max_abs_diff, max_lsb_diff), maybe, flags, audit)| Layer {
            name,
            class,
            result_t: result_t.and_then(|t| t.parse().ok()),
            elements: n[0],
            mismatches: n[1],
            ambiguous: n[2],
            events_differing: n[3],
            max_abs_diff,
            max_lsb_diff,
            first_event: maybe[0],
            first_index: maybe[1],
            own_mismatches: maybe[2],
            inherited_mismatches: maybe[3],
            not_finite_mismatches: n[4],
            flags,
            reference: audit,
        },
    )
}

fn comparison() -> impl Strategy<Value = Comparison> {
    let verdict = prop_oneof![
        Just(Verdict::BitExact),
        Just(Verdict::Mismatch),
        Just(Verdict::WithinTolerance)
    ];
    let target = prop_oneof![Just("proxy:wrap".to_owned()), Just("proxy:sat".to_owned()), name()];
    let names = || vec(name(), 0..3);
    (
        (name(), target, verdict, count(), option::of(name())),
        (names(), names(), names(), vec(layer(), 0..4)),
    )
        .prop_map(|((reference, target, verdict, events_differing, first_layer), lists)| {
            let (outputs, layers_differing, not_formed, layers) = lists;
            Comparison {
                reference,
                target,
                verdict,
                outputs,
                events_differing,
                layers_differing,
                first_layer,
                not_formed,
                layers,
            }
        })
}

fn report() -> impl Strategy<Value = Report> {
    let warning = (name(), option::of(name()), any::<String>())
        .prop_map(|(code, layer, text)| Warning { code, layer, text });
    (
        (name(), name(), any::<bool>(), option::of(name()), count(), count()),
        (
            vec(name(), 0..4),
            vec(name(), 0..2),
            vec(name(), 0..2),
            vec(warning, 0..2),
            vec(comparison(), 0..3),
        ),
    )
        .prop_map(|((path, sha256, partial, proxy, events, skipped), lists)| {
            let (files, input_types, assumptions, warnings, comparisons) = lists;
            Report {
                format_version: 1,
                tool: ToolInfo {
                    name: path.clone(),
                    version: sha256.clone(),
                    profiles: assumptions.clone(),
                },
                partial,
                model: ModelInfo {
                    path: path.clone(),
                    sha256: sha256.clone(),
                    class: path.clone(),
                },
                proxy: proxy.map(|path| FileInfo { path, sha256: sha256.clone() }),
                events: EventsInfo {
                    path: path.clone(),
                    size: skipped,
                    count: events,
                    skipped,
                    sha256: Some(sha256.clone()),
                    files: files
                        .into_iter()
                        .map(|path| EventFileInfo {
                            path,
                            size: events,
                            count: skipped,
                            sha256: Some(sha256.clone()),
                        })
                        .collect(),
                    datasets: input_types.clone(),
                    columns: input_types.clone(),
                },
                input_types,
                assumptions,
                warnings,
                comparisons,
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn any_report_is_rendered(report in report(), width in 0..200usize) {
        let plain = text(&report, &TextOptions { color: false, width });
        prop_assert!(plain.ends_with('\n'));
        prop_assert!(plain.chars().all(|c| c == '\n' || !c.is_control()), "{plain:?}");
        prop_assert_eq!(plain.contains("PARTIAL"), report.partial);
        let coloured = text(&report, &TextOptions { color: true, width });
        prop_assert!(coloured.len() >= plain.len());
        let json = json(&report);
        prop_assert_eq!(json.lines().last(), Some("}"));
        // A row per layer, each with its name in full.
        for comparison in &report.comparisons {
            for layer in comparison.layers.iter().filter(|layer| layer.name.is_ascii()) {
                let name: String = layer.name.chars().filter(|c| !c.is_control()).collect();
                let shown = name == layer.name;
                prop_assert!(!shown || plain.contains(&name), "{name:?} in {plain}");
            }
        }
    }
}
