//! Emulating one leg gives the outputs of the programs that keep every layer, for every golden model,
//! on recorded events, ties and events that overflow.

use std::path::{Path, PathBuf};

use bittrue_block::EventBlock;
use bittrue_engine::{Engine, Selection, Simd};
use bittrue_io::{EventOptions, EventSource, GeneratedEvents};
use bittrue_verify::{Beside, Leg, LoadedModel, Session};

fn testvectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testvectors")
}

/// The outputs by the programs.
fn expected(engine: &Engine, session: &Session, leg: usize, block: &EventBlock) -> Vec<f32> {
    let selection = Selection { first: block.first, count: block.count as u64 };
    let width = engine.output_values();
    let mut out = vec![0.0; block.count * width];
    let all: Vec<usize> = (0..block.count).collect();
    for rows in all.chunks(engine.lanes()) {
        for part in engine.run(selection, block, rows) {
            for (lane, row) in part.rows.iter().enumerate().filter(|(l, _)| !part.skip[*l]) {
                let mut at = (row - block.first) as usize * width;
                for call in &session.loaded.model.outputs {
                    let output = part.legs[leg].aligned[call.0].as_ref().expect("an output");
                    for element in 0..output.elements {
                        out[at] = output.value(element, lane) as f32;
                        at += 1;
                    }
                }
            }
        }
    }
    out
}

/// Names the level for a process that this test starts: it is fixed once for each process.
const LEVEL: &str = "BITTRUE_TEST_SIMD";

#[test]
fn every_level() {
    if std::env::var_os(LEVEL).is_some() {
        return;
    }
    let this = std::env::current_exe().expect("this test");
    for simd in Simd::all() {
        let run = std::process::Command::new(&this)
            .args(["--exact", "every_golden_model"])
            .env(LEVEL, simd.level().name())
            .output()
            .expect("this test again");
        let text = String::from_utf8_lossy(&run.stdout);
        assert!(run.status.success() && text.contains("1 passed"), "{}: {text}", simd.level());
    }
}

#[test]
fn every_golden_model() {
    if let Ok(level) = std::env::var(LEVEL) {
        let simd = Simd::new(level.parse().expect("a level")).expect("on this machine");
        assert!(simd.choose());
    }
    let mut directories: Vec<PathBuf> = std::fs::read_dir(testvectors().join("golden"))
        .expect("the golden cases")
        .map(|e| e.expect("an entry").path())
        .chain([testvectors().join("jets"), testvectors().join("images")])
        .filter(|d| d.join("model.h5").is_file())
        .collect();
    directories.sort();
    let (mut compared, mut streamed) = (0, 0);
    for directory in directories {
        let name = directory.display();
        let loaded = LoadedModel::open(&directory.join("model.h5")).expect("a model");
        let inputs = loaded.inputs();
        let targets = [Leg::ProxySat, Leg::ProxyWrap];
        // Some models have no proxy; proxies have no reference.
        let casts = vec![None; inputs.len()];
        let Ok(session) = Session::new(loaded, Beside::default(), Leg::Qkeras, &targets, casts)
        else {
            continue;
        };
        let engine = &session.engine;
        let types: Vec<_> =
            inputs.iter().map(|_| "ap_fixed<10,5>".parse().expect("a type")).collect();
        let options = EventOptions { max_events: Some(700), ..EventOptions::default() };
        let mut blocks = Vec::new();
        if directory.join("events.h5").is_file() {
            let mut source =
                EventSource::open(&directory.join("events.h5"), &inputs, &options).expect("events");
            blocks.push(source.next_block(700).expect("read").expect("events"));
        }
        for text in ["gen:ties,n=257,seed=1", "gen:normal,n=300,seed=2", "gen:uniform,n=31"] {
            let made = GeneratedEvents::new(text, &inputs, &types, &options).expect(text);
            blocks.push(made.block(0, made.total() as usize));
        }
        for block in blocks {
            let selection = Selection { first: block.first, count: block.count as u64 };
            for leg in 0..engine.legs() {
                let mut out = vec![f32::NAN; block.count * engine.output_values()];
                engine.emulate(leg, selection, &block, 0..block.count, &mut out, None);
                let bits = |v: Vec<f32>| v.into_iter().map(f32::to_bits).collect::<Vec<_>>();
                let expected = expected(engine, &session, leg, &block);
                assert!(bits(out) == bits(expected), "{name} {}", engine.leg(leg));
                compared += 1;
                streamed += usize::from(engine.emulation(leg).is_some());
            }
        }
    }
    assert!(compared > 250 && streamed > 100, "{compared} {streamed}");
}
