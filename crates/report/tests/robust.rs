//! A report may come from anywhere: whatever it says, the renderers return text.

use bittrue_record::{
    AuditClass, Comparison, Diff, EventFileInfo, EventsInfo, FileInfo, Judgement, Layer, ModelInfo,
    ReferenceAudit, Report, ToolInfo, Verdict, Warning,
};
use bittrue_report::{
    RunFailure, TextOptions, diff_json, diff_text, json, junit, junit_failure, markdown, text,
};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

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
            vec(comparison(), 0..3),
        ),
    )
        .prop_map(|((path, sha256, partial, proxy, events, skipped), lists)| {
            let (files, input_types, assumptions, warnings, comparisons, between_targets) = lists;
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
                hls_config: None,
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
                between_targets,
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

    #[test]
    fn any_report_is_read_back_as_it_was(report in report()) {
        let read = Report::read_json(json(&report).as_bytes());
        prop_assert_eq!(read.map_err(|e| TestCaseError::fail(e.to_string()))?, report);
    }

    #[test]
    fn a_report_cut_anywhere_is_an_error(report in report(), at in any::<prop::sample::Index>()) {
        let text = json(&report);
        // Without its last brace and newline it is no report any more.
        let end = at.index(text.len() - 1);
        prop_assert!(Report::read_json(&text.as_bytes()[..end]).is_err());
    }

    #[test]
    fn no_bytes_end_the_reader(bytes in vec(any::<u8>(), 0..200)) {
        prop_assert!(Report::read_json(bytes.as_slice()).is_err());
    }

    #[test]
    fn any_junit_file_is_well_formed_and_counts_its_cases(report in report()) {
        let xml = junit(&report);
        let document = roxmltree::Document::parse(&xml).map_err(|e| TestCaseError::fail(format!("{e}: {xml}")))?;
        let under = |node: roxmltree::Node<'_, '_>, tag: &str| {
            node.descendants().filter(|n| n.has_tag_name(tag)).count().to_string()
        };
        let suites = document.descendants().filter(|n| n.has_tag_name("testsuite"));
        for node in suites.chain([document.root_element()]) {
            prop_assert_eq!(node.attribute("tests"), Some(&*under(node, "testcase")));
            prop_assert_eq!(node.attribute("failures"), Some(&*under(node, "failure")));
            prop_assert_eq!(node.attribute("errors"), Some(&*under(node, "error")));
        }
        let mismatch = report.comparisons.iter().any(|c| c.verdict == Verdict::Mismatch);
        prop_assert_eq!(under(document.root_element(), "failure") != "0", mismatch);
        let error = under(document.root_element(), "error") != "0";
        prop_assert_eq!(error, report.partial || report.comparisons.is_empty());
        let cases: usize = report.comparisons.iter().map(|c| 1 + c.layers.len()).sum();
        prop_assert_eq!(under(document.root_element(), "testcase"), (cases + usize::from(error)).to_string());
    }

    #[test]
    fn any_failure_is_a_well_formed_junit_file(message in any::<String>(), help in option::of(any::<String>())) {
        let code = bittrue_record::ExitCode::Events;
        let xml = junit_failure(&RunFailure { code, message: &message, help: help.as_deref() });
        prop_assert!(roxmltree::Document::parse(&xml).is_ok(), "{xml}");
    }

    #[test]
    fn names_mean_nothing_in_markdown(report in report()) {
        let text = markdown(&report);
        let mut rows: Vec<Vec<String>> = Vec::new();
        let mut in_code_block = false;
        for event in Parser::new_ext(&text, Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::TableRow) => rows.push(Vec::new()),
                Event::Start(Tag::CodeBlock(_)) => in_code_block = true,
                Event::End(TagEnd::CodeBlock) => in_code_block = false,
                Event::Code(code) => rows.last_mut().into_iter().for_each(|r| r.push(code.to_string())),
                Event::Text(words) => {
                    let ours = |c: char| c.is_ascii_alphanumeric() || " -:;,.()%<>…".contains(c);
                    prop_assert!(in_code_block || words.chars().all(ours), "{words:?} in {text}");
                }
                Event::Html(_) | Event::InlineHtml(_) | Event::Start(Tag::Link { .. } | Tag::Image { .. }) => {
                    prop_assert!(false, "markup in {text}");
                }
                _ => {}
            }
        }
        let layers: Vec<&Layer> = report.comparisons.iter().flat_map(|c| &c.layers).collect();
        // Behind them the legs but the last, each against each.
        let legs = if report.between_targets.is_empty() { 0 } else { report.comparisons.len() };
        prop_assert_eq!(rows.len(), layers.len() + legs);
        for (row, layer) in rows.iter().zip(layers) {
            // Others are written as escapes.
            let plain = layer.name.chars().all(|c| c.is_ascii_graphic() || c == ' ');
            if plain && !layer.name.trim().is_empty() {
                prop_assert_eq!(&row[0], &layer.name, "{}", text);
            }
        }
    }

    #[test]
    fn any_two_reports_are_compared(before in report(), after in report()) {
        let diff = Diff::new(&before, &after);
        let text = diff_text(&diff, ("a\u{1b}", &before), ("b", &after));
        prop_assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
        let json = diff_json(&diff);
        prop_assert!(Report::read_json(json.as_bytes()).is_err());
        prop_assert_eq!(text.contains("\nWORSE: "), diff.judgement == Judgement::Worse);
        if !after.comparisons.is_empty() {
            let none = Diff::new(&after, &after);
            prop_assert_eq!(none.judgement, Judgement::Same);
            prop_assert!(none.run.is_empty() && none.comparisons.iter().all(|c| c.layers.is_empty()));
        }
    }
}
