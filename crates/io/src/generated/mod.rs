//! Events that are made rather than read: for rates, soaks and ties, without a file.
//!
//! | file | one idea |
//! |---|---|
//! | `spec` | the text that describes them |
//! | `counter` | random numbers as a function of their place |
//! | `source` | blocks of events |

mod counter;
mod source;
mod spec;

pub use source::GeneratedEvents;
