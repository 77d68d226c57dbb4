//! Reading and writing files, through the public interface.

mod columns;
mod events;
mod limits;
mod messages;
mod models;
mod pending;
mod second_decoder;
mod several;
mod tables;
mod traces;
mod written_models;

use std::path::PathBuf;

use bittrue_io::{InputSpec, read_keras};
use bittrue_model::Model;
use bittrue_model::parse::from_keras;

/// The golden cases, in `testvectors/golden`.
const GOLDEN: [&str; 10] = [
    "a_leaky",
    "jet_mlp",
    "jet_softmax",
    "keep_negative0",
    "merges",
    "multi-branch",
    "siamese",
    "sig_keras",
    "skip_add",
    "standalone_io",
];

fn testvectors(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../testvectors").join(path)
}

fn model(path: &str) -> Model {
    from_keras(&read_keras(&testvectors(path)).unwrap()).unwrap()
}

/// The inputs of a model, as the event reader wants them.
fn inputs(model: &Model) -> Vec<InputSpec> {
    model
        .inputs
        .iter()
        .map(|&call| InputSpec {
            name: model.layer_of(call).name.clone(),
            shape: model.call(call).shape.clone(),
        })
        .collect()
}

fn input(name: &str, shape: &[usize]) -> InputSpec {
    InputSpec { name: name.to_owned(), shape: shape.to_vec() }
}
