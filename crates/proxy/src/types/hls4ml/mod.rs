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
//! | `inputs` | raw inputs that the user gives a type |
//! | `precision`, `json` | types and their text |
//!
//! Where hls4ml leaves the proxy, its rules have the numbers of this table; each has a test of its own
//! or a golden case.
//!
//! | rule | what | where |
//! |---|---|---|
//! | M1 | entries of tables are cut to 10 fractional bits | `csim::curves` |
//! | M2 | softmax by tables | `csim::softmax` |
//! | M3 | padding of a maximum is half of the range of unsigned data | `operations`, `csim::pool` |
//! | M4, M26 | arguments of ReLU are ignored; Softmax layers and positive axes are refused | `build` |
//! | M5 | an unfused unsigned wrapping quantizer takes the sign but not the integer bits | `register` |
//! | M6, M18, M24 | quantizers are narrowed to their argument, again and again | `produce` |
//! | M7 | a quantizer without bits keeps one | `fuse` |
//! | M8, M9 | SAT_SYM with one bit, WRAP_SM | `fixed` (`Dialect::ApFixed`), `build` |
//! | M10 | tables are addressed by the bits of a narrowed argument | `csim::curves` |
//! | M11, M12, M13 | float32 roundings of the proxy, which the simulation does not have | exact integers |
//! | M14 | the last of two quantizers in a row stays | `fuse` |
//! | M15 | constants have at most 32 fractional bits | `kif`, `operations` |
//! | M16 | an input without a fused quantizer has at most 24 | `fuse`, `csim::tensor` |
//! | M17 | an assertion of the C++ fails; the simulation gives the value that is meant | `fixed` |
//! | M19 | an accumulator that is too coarse cuts each product | `csim::sum` |
//! | M20 | names that are attributes are refused | `build` |
//! | M21, M22 | dilation is ignored, causal padding takes no account of strides | `build` |
//! | M23 | infinities and NaN are large numbers | `csim::tensor` |
//! | M25, M27, M28 | Permute before Flatten and Dense is deleted | `passes` |

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
mod typed;

pub use precision::Precision;
pub use result::{FirmwareTypes, firmware_types};
pub use typed::firmware;
