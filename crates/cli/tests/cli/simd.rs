//! `--simd`: the same bits whatever the vector instructions are.

use std::collections::BTreeMap;

use hdf5::File;

use crate::support::{EVENTS, MODEL, Ran, Scratch, TestResult, program, testvectors, verify};

/// The levels that this machine has, as the program says.
fn levels() -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let ran = verify(["--model", MODEL, "--events", EVENTS, "--simd", "sse9"])?;
    assert_eq!(ran.code, Some(2));
    let known = "there is no level `sse9`; there are scalar, avx2, avx512bw, avx512vnni";
    assert!(ran.stderr.contains(known), "{}", ran.stderr);
    let (_, listed) = ran.stderr.split_once("this machine has ").ok_or("no list of levels")?;
    let levels: Vec<String> = listed.trim().split(", ").map(str::to_owned).collect();
    assert_eq!(levels.first().map(String::as_str), Some("scalar"));
    Ok(levels)
}

/// Models with events of all kinds: dense, convolutions, poolings, merges, overflow, bands.
const CASES: [(&str, &str); 6] = [
    ("jets/model.h5", "jets/events.h5"),
    ("jets/model.h5", "jets/scaled16_events.npy"),
    ("jets/model.h5", "gen:normal,seed=3,n=3001,sd=5"),
    ("images/model.h5", "images/events.h5"),
    ("images/model.h5", "gen:ties,seed=4,n=701"),
    (MODEL, EVENTS),
];

#[test]
fn every_level_gives_the_same_report() -> TestResult {
    let scratch = Scratch::new()?;
    let out = scratch.path("report.json");
    for (model, events) in CASES {
        let mut reports = Vec::new();
        for level in levels()? {
            let ran = verify([
                "--model",
                model,
                "--events",
                events,
                "--max-events",
                "3001",
                "--json",
                &out,
                "--simd",
                &level,
            ])?;
            assert!(matches!(ran.code, Some(0 | 1)), "{events} {level}: {}", ran.stderr);
            reports.push((std::fs::read_to_string(&out)?, ran.stdout));
        }
        assert!(reports.iter().all(|r| *r == reports[0]), "{model} {events}");
    }
    Ok(())
}

#[test]
fn every_level_gives_the_same_trace() -> TestResult {
    let scratch = Scratch::new()?;
    let mut values = 0;
    for (model, events) in CASES {
        for leg in ["qkeras", "proxy:wrap"] {
            let mut traces = Vec::new();
            for level in levels()? {
                let out = scratch.path("trace.h5");
                let ran = verify([
                    "trace",
                    "--model",
                    model,
                    "--events",
                    events,
                    "--max-events",
                    "333",
                    "--semantics",
                    leg,
                    "--out",
                    &out,
                    "--simd",
                    &level,
                ])?;
                assert_eq!(ran.code, Some(0), "{events} {level}: {}", ran.stderr);
                let mut all: BTreeMap<String, Vec<u64>> = BTreeMap::new();
                for dataset in File::open(&out)?.group("layers")?.datasets()? {
                    let bits = dataset.read_raw::<f64>()?.into_iter().map(f64::to_bits);
                    all.insert(dataset.name(), bits.collect());
                }
                values += all.values().map(Vec::len).sum::<usize>();
                traces.push(all);
            }
            assert!(traces.iter().all(|t| *t == traces[0]), "{model} {events} {leg}");
        }
    }
    assert!(values > 100_000);
    Ok(())
}

/// Levels and threads that do not go together by themselves.
#[test]
fn threads_and_levels_do_not_show() -> TestResult {
    let scratch = Scratch::new()?;
    let levels = levels()?;
    let mut cases: Vec<(String, String)> =
        CASES.iter().map(|&(m, e)| (m.to_owned(), e.to_owned())).collect();
    for case in std::fs::read_dir(testvectors().join("golden"))? {
        let name = case?.file_name().to_string_lossy().into_owned();
        let [model, events] = ["model", "events"].map(|f| format!("golden/{name}/{f}.h5"));
        if [&model, &events].iter().all(|f| testvectors().join(f).exists()) {
            cases.push((model, events));
        }
    }
    let mut reports = 0;
    for (n, (model, events)) in cases.iter().enumerate() {
        let mut seen: Option<(Option<i32>, String)> = None;
        for (level, threads) in (n..).zip([1, 2, 3, 7]) {
            let level = &levels[level % levels.len()];
            let out = scratch.path("report.json");
            // The flag for some, the variable for others.
            let mut command = program();
            command.args(["--model", model, "--events", events, "--json", &out]);
            command.env("RAYON_NUM_THREADS", threads.to_string());
            match threads % 2 {
                0 => command.args(["--simd", level]),
                _ => command.env("BITTRUE_SIMD", level),
            };
            let output = command.output()?;
            let ran = Ran::new(&command, output)?;
            // A model without a proxy is refused in the same words.
            let json = std::fs::read_to_string(&out).unwrap_or_default();
            let found = (ran.code, format!("{json}{}{}", ran.stdout, ran.stderr));
            reports += usize::from(matches!(ran.code, Some(0 | 1)));
            match &seen {
                None => seen = Some(found),
                Some(first) => {
                    assert!(found == *first, "{model} {events}: {level}, {threads} threads");
                }
            }
            let _ = std::fs::remove_file(&out);
        }
    }
    assert!(reports >= 4 * 35, "{reports}");
    Ok(())
}
