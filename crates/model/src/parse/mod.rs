//! From the parts of a Keras file to a [`Model`](crate::Model).
//!
//! The input is a [`KerasFile`]: the JSON configuration and the weights, without any HDF5. The
//! output is complete or an error: every configuration key is accounted for in the
//! [`Ledger`](crate::Ledger), every tensor is used, every call has a shape.
//!
//! | file | one idea |
//! |---|---|
//! | `file` | what a Keras file holds |
//! | `topology` | `model_config` of Sequential and Functional models → layers and calls |
//! | `flatten` | nested models → one list of layers and calls |
//! | `order` | report order of the calls |
//! | `assemble` | layers, weights and calls → [`Model`](crate::Model) |
//! | `configs` | the configurations of the layers, as they stand |
//! | `class` | one reader for each layer class |
//! | `shape`, `spatial` | Keras' shape rules |
//! | `work` | how much a model may ask for |
//! | `activation`, `quantizer`, `weight_quantizer`, `safe_eval` | activations, quantizers, QKeras' string form |
//! | `pruning` | the wrapper of TensorFlow Model Optimization |
//! | `attributes`, `tensors`, `json` | reading keys, weights and values, each at most once |

mod activation;
mod assemble;
mod attributes;
mod class;
mod configs;
mod file;
mod flatten;
mod json;
mod order;
mod pruning;
mod quantizer;
mod safe_eval;
mod shape;
mod spatial;
mod tensors;
mod topology;
mod weight_quantizer;
mod work;

pub use assemble::from_keras;
pub use class::SUPPORTED_CLASSES;
pub use configs::layer_configs;
pub use file::{KerasFile, LayerWeights};
