//! hls4ml's types of the golden cases, node by node.

use bittrue_fixed::FixedType;
use bittrue_proxy::{HlsConfig, Mode, firmware_types};
use bittrue_verify::{LoadedConfig, LoadedModel};
use serde_json::{Map, Value};

use super::support::{case, own_config};

/// Compares every node; the number of nodes.
pub(super) fn equal(name: &str, expected: &str, found: &str) -> usize {
    let parse = |text: &str| -> Map<String, Value> { serde_json::from_str(text).expect(name) };
    let (expected, found) = (parse(expected), parse(found));
    let mut errors = Vec::new();
    for (node, expected) in &expected {
        let Some(found) = found.get(node) else {
            errors.push(format!("{node} is missing"));
            continue;
        };
        let keys = |v: &Value| -> Vec<String> {
            let mut keys: Vec<String> = v.as_object().expect(name).keys().cloned().collect();
            keys.sort();
            keys
        };
        if keys(expected) != keys(found) {
            errors.push(format!("{node}: {:?} instead of {:?}", keys(found), keys(expected)));
        }
        for key in keys(expected) {
            let (e, f) = (&expected[&key], &found[&key]);
            let same = match (e.as_str(), f.as_str()) {
                // Types beyond the widest one of ours are compared as text.
                (Some(e), Some(f)) if key.ends_with("_t") => match e.parse::<FixedType>() {
                    Ok(e) => f.parse() == Ok(e),
                    Err(_) => e == f,
                },
                _ => e == f,
            };
            if !same {
                errors.push(format!("{node}.{key}: {f} instead of {e}"));
            }
        }
    }
    errors
        .extend(found.keys().filter(|n| !expected.contains_key(*n)).map(|n| format!("{n} extra")));
    assert!(errors.is_empty(), "{name}:\n  {}", errors.join("\n  "));
    expected.len()
}

/// The file of a case's types.
fn expected(name: &str, file: &str) -> Option<String> {
    std::fs::read_to_string(case(name).join(file)).ok()
}

fn cases() -> Vec<String> {
    let directory = std::fs::read_dir(case("")).expect("the golden cases");
    let mut names: Vec<String> = directory
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .filter(|name| expected(name, "types_sat.json").is_some())
        .collect();
    names.sort();
    names
}

/// From the proxy that HGQ saved and from the one that is built, unless its kernels are random.
#[test]
fn types_equal_those_of_hls4ml() {
    let names = cases();
    assert_eq!(names.len(), 34);
    let mut nodes = 0;
    for name in &names {
        for (mode, suffix) in [(Mode::Sat, "sat"), (Mode::Wrap, "wrap")] {
            let expected = expected(name, &format!("types_{suffix}.json")).expect(name);
            let config = LoadedConfig::open(own_config(name).path()).expect(name).config;
            let open = |file: &str| LoadedModel::open(&case(name).join(file)).expect(name);
            let mut models = vec![open(&format!("proxy_{suffix}.h5")).model];
            if name != "sep" {
                models.push(open("model.h5").convert(mode).expect(name).model);
            }
            for model in models {
                let found = firmware_types(&model, &config)
                    .unwrap_or_else(|e| panic!("{name} {suffix}: {e}"));
                nodes += equal(&format!("{name} {suffix}"), &expected, &found.to_json());
            }
        }
    }
    println!("{} cases, {nodes} nodes", names.len());
}

#[test]
fn types_of_proxies_without_a_model() {
    let directory = std::fs::read_dir(case("proxy-only")).expect("the golden proxies");
    let mut nodes = 0;
    let mut count = 0;
    for entry in directory {
        let name = entry.expect("an entry").file_name().into_string().expect("a name");
        let name = format!("proxy-only/{name}");
        let expected = expected(&name, "types.json").expect("types");
        let loaded = LoadedModel::open(&case(&name).join("proxy.h5")).expect(&name);
        let config = LoadedConfig::open(own_config(&name).path()).expect(&name).config;
        let found =
            firmware_types(&loaded.model, &config).unwrap_or_else(|e| panic!("{name}: {e}"));
        nodes += equal(&name, &expected, &found.to_json());
        count += 1;
    }
    assert_eq!(count, 11);
    println!("{count} proxies, {nodes} nodes");
}

/// What hls4ml raises for is refused, with what it says.
#[test]
fn refusals() {
    for (name, complaint) in [
        ("raw_input", "unexpected input layer chain"),
        ("raw_and_quantized_input", "unexpected input layer chain"),
        ("conv_dilated", "ignores the dilation"),
        ("permute_named_perm", "overwrites the attribute"),
    ] {
        let loaded = LoadedModel::open(&case(name).join("model.h5")).expect(name);
        let proxy = loaded.convert(Mode::Sat).expect(name);
        let error = firmware_types(&proxy.model, &HlsConfig::default()).expect_err(name);
        assert!(error.to_string().contains(complaint), "{name}: {error}");
    }
}
