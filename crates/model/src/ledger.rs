//! The account of every configuration key: nothing in a model file is ignored silently.

use crate::{ModelError, Place};

/// What became of one configuration key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LedgerUse {
    /// It decides what the model computes, and was honoured.
    Consumed,
    /// It only matters while training (initializers, regularizers, constraints, …).
    TrainingOnly,
    /// It cannot change a number: a label, or an argument whose value is the one that has no
    /// effect.
    Inert,
}

/// One configuration key of one layer.
#[derive(Debug, Clone, PartialEq)]
pub struct LedgerEntry {
    /// Layer name, empty for the keys of the model itself.
    pub layer: String,
    /// Key path, e.g. `kernel_quantizer.bits`.
    pub key: String,
    /// Its value as compact JSON, shortened when long.
    pub value: String,
    /// What became of it.
    pub used: LedgerUse,
}

/// All configuration keys of a model. A key that is neither consumed nor known to be
/// training-only is an error, so a model that was read has a complete ledger.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Ledger {
    entries: Vec<LedgerEntry>,
}

impl Ledger {
    /// Adds an entry.
    pub fn record(&mut self, entry: LedgerEntry) {
        self.entries.push(entry);
    }

    /// All entries in the order in which they were met.
    pub fn entries(&self) -> &[LedgerEntry] {
        &self.entries
    }

    /// The error for a key that nobody knows.
    pub fn unknown(place: Place, key: &str, value: &str, known: &[&str]) -> ModelError {
        ModelError::new(
            place.attribute(key),
            format!("unknown argument with value {value}; known are {}", known.join(", ")),
        )
        .with_help(
            "an argument that is not understood might change the numbers, so it is not skipped; \
             remove it from the model or report it to us",
        )
    }
}
