//! The proxy as the file that HGQ would have saved.
//!
//! | file | one idea |
//! |---|---|
//! | `order` | in which order Keras lists the layers |
//! | `config` | the configuration of each layer |
//! | `weights` | the weights of each layer, with their names |
//! | `document` | all of it put together |

mod config;
mod document;
mod order;
mod weights;

pub use document::document;
pub(crate) use order::{finished_order, keras_order};
