//! The cases that came from reports and from random models: every directory of `testvectors/cases`,
//! as `scripts/oracle/make_case.py` writes it, is a test.

use std::path::Path;

use bittrue_verify::{ErrorKind, Leg};

use super::support::{case, compare, equals, expected, facts, run_trace};

const LEGS: [(Leg, &str); 4] = [
    (Leg::Qkeras, "qkeras"),
    (Leg::ProxySat, "proxy_sat"),
    (Leg::ProxyWrap, "proxy_wrap"),
    (Leg::Proxy, "proxy"),
];

/// The names of all cases, relative to the golden ones.
fn cases() -> Vec<String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testvectors/cases");
    let entries = std::fs::read_dir(directory).expect("testvectors/cases");
    let mut names: Vec<String> = entries
        .map(|e| e.expect("an entry"))
        .filter(|e| e.path().is_dir())
        .map(|e| format!("../cases/{}", e.file_name().to_string_lossy()))
        .collect();
    names.sort();
    assert!(!names.is_empty());
    names
}

/// Layers by bits or in their bands, outputs of the whole model too, refusals where the real software
/// refuses; and the counts of differing events, where nothing is banded.
#[test]
fn every_case_is_reproduced() {
    for name in cases() {
        let facts = facts(&name);
        let (mut legs, mut banded) = (0, 0);
        for (leg, group) in LEGS {
            let proxy = (leg == Leg::Proxy).then_some("proxy.h5");
            if proxy.is_some_and(|file| !case(&name).join(file).exists()) {
                continue;
            }
            legs += 1;
            if let Some(why) = facts["errors"][group].as_str() {
                let error = run_trace(&name, "model.h5", proxy, leg).expect_err(why);
                let allowed: &[ErrorKind] = match leg {
                    Leg::Qkeras => &[ErrorKind::Model],
                    _ => &[ErrorKind::Model, ErrorKind::Conversion],
                };
                assert!(allowed.contains(&error.kind()), "{name} {leg}: {error}, but {why}");
                continue;
            }
            let run = match run_trace(&name, "model.h5", proxy, leg) {
                Ok(run) => run,
                // What nobody can know from the model file alone, its proxy file says.
                Err(e) if leg != Leg::Proxy && case(&name).join("proxy.h5").exists() => {
                    assert!(e.to_string().contains("fresh random numbers"), "{name} {leg}: {e}");
                    continue;
                }
                Err(error) => panic!("{name} {leg}: {error}"),
            };
            let traced = equals(&format!("{name} {leg}"), &run, &expected(&name, group));
            banded += traced.banded.values().sum::<usize>();
            println!("{name} {leg}: {} elements, banded {:?}", traced.elements, traced.banded);
            let outputs = expected(&name, &format!("{group}_output"));
            let renamed: Vec<_> = outputs
                .into_iter()
                .filter_map(|(index, values)| {
                    let index: usize = index.parse().expect("an index");
                    // An output that is an input belongs to no layer.
                    let layer = facts["output_layers"][index].as_str()?;
                    Some((layer.to_owned(), values))
                })
                .collect();
            equals(&format!("{name} {leg} outputs"), &run, &renamed);
        }
        assert!(legs >= 3, "{name}");
        let complete = facts["errors"].as_object().is_some_and(serde_json::Map::is_empty);
        if banded == 0 && complete && !case(&name).join("proxy.h5").exists() {
            for c in compare(&name, None) {
                let pair = format!("qkeras_vs_{}", c.target.replace(':', "_"));
                let expected = facts["differing_events"][&pair].as_u64().expect("a count");
                assert_eq!(c.events_differing, expected, "{name} {}", c.target);
            }
        }
    }
}
