//! The proxy builder, in two steps that do not know each other.
//!
//! * [`convert`]: QKeras model → proxy model, as HGQ 0.2.6's `to_proxy_model` does it: its rules,
//!   names, preconditions, and where each proxy layer came from;
//! * [`fit`] and [`by_itself`]: a proxy from a file takes the place of the conversion;
//! * [`make_tables`]: HGQ's second pass, which makes tables of functions;
//! * [`document`]: a proxy model → the Keras file that HGQ would have saved;
//! * [`precisions`]: the precisions of a proxy model by HGQ's own rules;
//! * [`lint`]: what HGQ and hls4ml do with a model without a word;
//! * [`types`]: proxy model → the typed graph that the engine runs;
//! * [`firmware`] and [`firmware_types`]: the same for hls4ml's C simulation of it, by the user's
//!   [`HlsConfig`].
#![forbid(unsafe_code)]

mod convert;
mod error;
mod file;
mod given;
mod hls_config;
pub mod lint;
mod precision;
mod tables;
mod types;

pub use convert::{Converted, DeclaredGrid, Mode, Warning, convert};
pub use error::ConvertError;
pub use file::document;
pub use given::{by_itself, fit};
pub use hls_config::{ConfigError, HlsConfig};
pub use precision::{
    Bits, EffectiveBits, NodePrecision, Products, Registered, Rule, Typed, WideType,
    effective_bits, precisions, register,
};
pub use tables::make_tables;
pub use types::{
    FIRMWARE_RULES, FirmwareRule, FirmwareTypes, Precision, firmware, firmware_rules_markdown,
    firmware_types, types,
};
