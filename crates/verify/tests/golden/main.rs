//! The golden cases, made by running the real software: every layer of every leg, bit for bit.

mod cases;
mod firmware_rules;
mod hls4ml;
mod hls4ml_made;
mod hls4ml_stream;
mod hls4ml_types;
mod hls_config;
#[path = "../levels/mod.rs"]
mod levels;
mod proxy_files;
mod qkeras;
mod support;
mod written_proxies;
