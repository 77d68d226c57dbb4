//! What HGQ and hls4ml will do with a model without a word, found before any event is run.
//!
//! | file | one idea |
//! |---|---|
//! | `codes` | every code with its consequence and remedy |
//! | `look` | a model with its proxy, as all checks see it |
//! | `constants` | weights and biases |
//! | `widths` | tensors without a quantizer, types that are too wide, scales that do not fit together |
//! | `quantizers` | quantizers that hls4ml changes |
//! | `layers` | layers and arguments that hls4ml refuses or computes otherwise |
//! | `permute` | `Permute` in front of `Flatten` |
//! | `run` | all checks on one model |

mod codes;
mod constants;
mod layers;
mod look;
mod permute;
mod quantizers;
mod run;
mod widths;

pub use codes::{CODES, Code, Severity, code, markdown};
pub use run::{Finding, lint, lint_refused, sort};
