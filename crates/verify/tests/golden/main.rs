//! The golden cases, made by running the real software: every layer of every leg, bit for bit.

mod proxy_files;
mod qkeras;
mod support;
mod written_proxies;
