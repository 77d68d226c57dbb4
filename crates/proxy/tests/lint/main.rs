//! Every lint code on a small model that triggers it and on one that does not.

mod codes;
mod net;
