//! hls4ml 1.3.0's reading of a proxy: its graph, and the types that its pass `bit_exact` derives.
//!
//! | file | what it follows |
//! |---|---|
//! | `order` | the order of layers in a Keras file |
//! | `build` | `converters/keras/*`: layers to nodes |
//! | `configure` | what the user's configuration says of them |
//! | `passes` | the flow of optimizer passes |
//! | `kif` | `utils/qinterval.py` |
//! | `produce`, `request`, `register` | `optimizer/passes/bit_exact.py` |
//! | `fuse` | `hgq_proxy_model.py`: quantizers that become types, and the types of inputs |
//! | `operations`, `typed` | what the nodes compute, as a typed graph |
//! | `stream` | what `io_stream` adds to the graph, and what it does not allow |
//! | `inputs` | raw inputs that the user gives a type |
//! | `precision`, `json` | types and their text |
//! | `rules` | the numbered ways in which the simulation leaves the proxy |
//!
//! Where hls4ml leaves the proxy, its rules have the numbers of `rules`; each has a test of its own.

mod build;
mod configure;
mod fuse;
mod graph;
mod inputs;
mod json;
mod kif;
mod operations;
mod order;
mod passes;
mod precision;
mod produce;
mod register;
mod request;
mod result;
mod rules;
mod stream;
mod typed;

pub use precision::Precision;
pub use result::{FirmwareTypes, firmware_types};
pub use rules::{FIRMWARE_RULES, FirmwareRule, firmware_rules_markdown};
pub use typed::firmware;
