//! The float32 functions against the real software (vectors: `testvectors/quantizers/ORIGIN.md`).

mod functions;
mod kernels;
mod norm;
mod pools;
mod products;
mod quantizers;
mod traps;
mod vectors;
