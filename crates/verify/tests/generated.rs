//! Events that are made: the same report whoever makes them.

use std::path::{Path, PathBuf};

use bittrue_io::EventOptions;
use bittrue_record::Report;
use bittrue_verify::{Error, ErrorKind, Leg, TraceConfig, Unwatched, VerifyConfig, trace, verify};

fn model() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testvectors/jets/model.h5")
}

fn run(events: &[&str], options: EventOptions) -> Result<Report, Error> {
    let config = VerifyConfig {
        traces: Vec::new(),
        model: model(),
        proxy: None,
        hls_config: None,
        events: events.iter().map(PathBuf::from).collect(),
        options,
        reference: Leg::Qkeras,
        targets: vec![Leg::ProxySat, Leg::ProxyWrap],
        input_types: Vec::new(),
        strict_layers: false,
        hash: true,
    };
    verify(&config, &Unwatched)
}

fn only(skip: u64, max_events: u64) -> EventOptions {
    EventOptions { skip, max_events: Some(max_events), ..EventOptions::default() }
}

#[test]
fn any_number_of_threads_gives_the_same_report() {
    let reports = [1, 3].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| run(&["gen:normal,seed=9,n=200000"], EventOptions::default()))
            .expect("a report")
    });
    assert_eq!(reports[0], reports[1]);
    assert_eq!(reports[0].events.path, "gen:normal,seed=9,n=200000");
    assert_eq!((reports[0].events.count, reports[0].events.sha256.as_ref()), (200_000, None));
    let wrap = &reports[0].comparisons[1];
    // 16 values of four standard deviations: one event in a thousand.
    assert!((120..300).contains(&wrap.events_differing), "{}", wrap.events_differing);
}

#[test]
fn parts_add_up_to_the_whole() {
    let events = ["gen:normal,seed=9,n=90000"];
    let differing =
        |options| run(&events, options).expect("a report").comparisons[1].events_differing;
    let whole = differing(EventOptions::default());
    assert!(whole > 0);
    let parts = [only(0, 40_001), only(40_001, 3), only(40_004, 1_000_000)].map(differing);
    assert_eq!(parts.iter().sum::<u64>(), whole);
}

#[test]
fn a_trace_of_made_events() {
    let directory = tempfile::tempdir().expect("a directory");
    let config = TraceConfig {
        model: model(),
        proxy: None,
        hls_config: None,
        events: vec!["gen:ties,n=100".into()],
        options: EventOptions::default(),
        leg: Leg::ProxySat,
        input_types: Vec::new(),
        out: directory.path().join("t.h5"),
    };
    assert_eq!(trace(&config, &Unwatched).expect("a trace").events, 100);
    let file = hdf5::File::open(&config.out).expect("the trace");
    let values = file.dataset("layers/q_in").expect("q_in").read_raw::<f64>().expect("values");
    assert!(values.iter().all(|v| (v * 16.0).fract() == 0.0 && (-8.0..8.0).contains(v)));
    assert!(values.iter().any(|&v| v < -7.0) && values.iter().any(|&v| v > 7.0));
}

#[test]
fn descriptions_that_are_wrong() {
    for (events, what) in [
        (&["gen:flat,n=1"][..], "no generator `flat`"),
        (&["gen:uniform"], "how many events"),
        (&["gen:uniform,n=1", "other.h5"], "cannot be mixed"),
    ] {
        let error = run(events, EventOptions::default()).expect_err("wrong");
        assert_eq!(error.kind(), ErrorKind::Events);
        assert!(error.to_string().contains(what), "{error}");
        assert!(error.help().is_some());
    }
}
