//! What each layer and quantizer becomes: held against what real HGQ does with it, and written down
//! in the tables of what is supported.

mod classes;
#[path = "../levels/mod.rs"]
mod levels;
mod rows;
mod tables;
mod walk;
