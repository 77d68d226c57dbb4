//! How exact a leg is on a model: found by building it and running it on events.

use std::collections::BTreeSet;

use bittrue_block::{EventBlock, EventData, Flag, Flags, InputEvents};
use bittrue_engine::Selection;
use bittrue_verify::{Beside, Leg, LoadedModel, Session};

/// How a leg does on a model, best first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    /// Equal bits by proof, for these weights and every event.
    Proven,
    /// Equal bits claimed for every element of these events.
    Exact,
    /// Some elements have a band instead of one value, with the flags that say why.
    Banded(BTreeSet<&'static str>),
    /// The leg cannot be built, and the message that says why.
    Refused(String),
}

/// Events of a run; more than a batch of Keras, so that its last one is not full.
const EVENTS: usize = 72;

/// A number in 0 to 1 with all its bits in use, by its place.
fn spread(place: usize) -> f32 {
    // The golden ratio's multiples modulo 1 in 24 bits: no two neighbours are alike.
    let bits = (place as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
    (bits as f32 + 0.5) / (1 << 24) as f32
}

/// Weights as training leaves them: no multiples of anything. Variances are positive.
pub(crate) fn trained(name: &str, place: usize) -> f32 {
    let value = spread(place + 7 * name.len());
    if name.contains("variance") { 0.25 + value } else { 2.0 * value - 1.0 }
}

/// Builds a leg of a model and runs it.
pub(crate) fn classify(loaded: LoadedModel, leg: Leg) -> Class {
    let prefix = format!("{}: ", loaded.path.display());
    let inputs = loaded.inputs();
    let types = vec![None; inputs.len()];
    let session = match Session::new(loaded, Beside::default(), leg, &[], types) {
        Ok(session) => session,
        Err(e) => return Class::Refused(e.to_string().replacen(&prefix, "", 1)),
    };
    if session.calls.iter().all(|c| session.proven[c.0]) {
        return Class::Proven;
    }
    let inputs = inputs.iter().enumerate().map(|(n, input)| {
        let elements = input.shape.iter().product();
        // The first event is all zero; the others reach beyond the types of the inputs.
        let value = |at| if at < elements { 0.0 } else { 24.0 * spread(at + 1000 * n) - 12.0 };
        let data = EventData::F32((0..EVENTS * elements).map(value).collect());
        InputEvents { elements, data }
    });
    let block = EventBlock { first: 0, count: EVENTS, inputs: inputs.collect() };
    let mut banded = BTreeSet::new();
    let mut any = false;
    let rows: Vec<usize> = (0..EVENTS).collect();
    let selection = Selection { first: 0, count: EVENTS as u64 };
    for rows in rows.chunks(session.engine.lanes()) {
        for part in session.engine.run(selection, &block, rows) {
            for tensor in session.calls.iter().filter_map(|c| part.legs[0].aligned[c.0].as_ref()) {
                for lane in (0..part.rows.len()).filter(|&lane| !part.skip[lane]) {
                    for element in 0..tensor.elements {
                        let (lo, hi, flags) = tensor.band(element, lane);
                        if lo < hi {
                            any = true;
                            banded.extend(names(flags));
                        }
                    }
                }
            }
        }
    }
    if any { Class::Banded(banded) } else { Class::Exact }
}

/// The flags that come with bands.
fn names(flags: Flags) -> impl Iterator<Item = &'static str> {
    let informative = [Flag::Float32Ste, Flag::Wide];
    let said = Flag::ALL.into_iter().filter(move |f| flags.has(*f) && !informative.contains(f));
    said.map(Flag::name)
}

#[test]
fn classes_are_told_apart() {
    let class = |layer: &str, config: &str, leg| {
        let rows = crate::rows::rows(trained);
        let row = rows.into_iter().find(|r| r.layer == layer && r.config == config).expect(config);
        let model = bittrue_model::parse::from_keras(&row.file.expect("a file")).expect("a model");
        classify(LoadedModel { path: "model.h5".into(), model }, leg)
    };
    assert_eq!(class("QDense", "bits+bias, activation None", Leg::Qkeras), Class::Proven);
    let sum = Class::Banded(["float32-sum"].into());
    assert_eq!(class("QDense", "no quantizers", Leg::Qkeras), sum);
    let function = class("QDense", "activation=\"sigmoid\"", Leg::Qkeras);
    assert!(matches!(&function, Class::Banded(f) if f.contains("function-band")), "{function:?}");
    let refused = class("QSeparableConv1D", "default", Leg::ProxySat);
    assert!(matches!(&refused, Class::Refused(why) if why.contains("random")), "{refused:?}");
}
