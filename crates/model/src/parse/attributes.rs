//! Reading the keys of a configuration so that none is forgotten.

use serde_json::{Map, Value};

use super::json::{self, short};
use crate::{Ledger, LedgerEntry, LedgerUse, ModelError, Place};

/// The keys of one configuration object. Every key that is asked for enters the ledger;
/// [`Attributes::finish`] refuses the ones that nobody asked for.
pub(super) struct Attributes<'c, 'l> {
    config: &'c Map<String, Value>,
    layer: String,
    place: Place,
    prefix: String,
    ledger: &'l mut Ledger,
    known: Vec<&'static str>,
}

impl<'c, 'l> Attributes<'c, 'l> {
    /// The configuration of a layer, or of the model when `layer` is empty.
    pub(super) fn new(layer: &str, config: &'c Map<String, Value>, ledger: &'l mut Ledger) -> Self {
        let place = if layer.is_empty() { Place::model() } else { Place::layer(layer) };
        Self {
            config,
            layer: layer.to_owned(),
            place,
            prefix: String::new(),
            ledger,
            known: Vec::new(),
        }
    }

    /// The configuration of an object that is the value of `key` here, such as a quantizer.
    pub(super) fn nested<'d>(
        &mut self,
        key: &str,
        config: &'d Map<String, Value>,
    ) -> Attributes<'d, '_> {
        Attributes {
            config,
            layer: self.layer.clone(),
            place: self.place.clone().attribute(key),
            prefix: format!("{}{key}.", self.prefix),
            ledger: self.ledger,
            known: Vec::new(),
        }
    }

    /// Where these keys are.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// The name of the layer, empty for the model.
    pub(super) fn layer(&self) -> &str {
        &self.layer
    }

    /// An error about the value of `key`.
    pub(super) fn error(&self, key: &str, what: impl Into<String>) -> ModelError {
        ModelError::new(self.place.clone().attribute(key), what)
    }

    /// Enters a key into the ledger, the first time that it is asked for.
    fn note(&mut self, key: &'static str, used: LedgerUse) -> Option<&'c Value> {
        let value = self.config.get(key);
        if self.known.contains(&key) {
            return value;
        }
        self.known.push(key);
        let value = value?;
        self.ledger.record(LedgerEntry {
            layer: self.layer.clone(),
            key: format!("{}{key}", self.prefix),
            value: short(value),
            used,
        });
        Some(value)
    }

    /// A key that decides what is computed; `None` where it is absent.
    pub(super) fn take(&mut self, key: &'static str) -> Option<&'c Value> {
        self.note(key, LedgerUse::Consumed)
    }

    /// A key's value without any record of it.
    pub(super) fn peek(&self, key: &str) -> Option<&'c Value> {
        self.config.get(key)
    }

    /// Like [`Self::take`], with `null` as absent.
    pub(super) fn take_some(&mut self, key: &'static str) -> Option<&'c Value> {
        self.take(key).filter(|v| !v.is_null())
    }

    /// Keys that only matter while training.
    pub(super) fn training_only(&mut self, keys: &[&'static str]) {
        for key in keys {
            self.note(key, LedgerUse::TrainingOnly);
        }
    }

    /// Keys that never change a number, whatever their value.
    pub(super) fn inert(&mut self, keys: &[&'static str]) {
        for key in keys {
            self.note(key, LedgerUse::Inert);
        }
    }

    /// A key that is only understood with one of the `defaults`.
    pub(super) fn only(&mut self, key: &'static str, defaults: &[Value]) -> Result<(), ModelError> {
        match self.note(key, LedgerUse::Inert) {
            Some(value) if !defaults.contains(value) => {
                let list: Vec<String> = defaults.iter().map(Value::to_string).collect();
                Err(self.error(
                    key,
                    format!("{} is not supported; supported: {}", short(value), list.join(", ")),
                ))
            }
            _ => Ok(()),
        }
    }

    /// An integer between `min` and `max`, or the default where the key is absent.
    pub(super) fn integer(
        &mut self,
        key: &'static str,
        default: Option<i64>,
        min: i64,
        max: i64,
    ) -> Result<i64, ModelError> {
        let Some(value) = self.take(key) else {
            return default.ok_or_else(|| self.missing(key));
        };
        match json::integer(value) {
            Some(i) if (min..=max).contains(&i) => Ok(i),
            Some(i) => {
                Err(self.error(key, format!("{i} is out of range; supported are {min} to {max}")))
            }
            None => Err(self.error(key, format!("expected an integer, found {}", short(value)))),
        }
    }

    /// A finite number, or the default where the key is absent.
    pub(super) fn number(
        &mut self,
        key: &'static str,
        default: Option<f64>,
    ) -> Result<f64, ModelError> {
        let Some(value) = self.take(key) else {
            return default.ok_or_else(|| self.missing(key));
        };
        value
            .as_f64()
            .filter(|v| v.is_finite())
            .ok_or_else(|| self.error(key, format!("expected a number, found {}", short(value))))
    }

    /// A truth value, also written as 0 or 1, or the default where the key is absent.
    pub(super) fn truth(&mut self, key: &'static str, default: bool) -> Result<bool, ModelError> {
        match self.take(key) {
            None => Ok(default),
            Some(Value::Bool(b)) => Ok(*b),
            Some(value) => match json::integer(value) {
                Some(0) => Ok(false),
                Some(1) => Ok(true),
                _ => Err(self
                    .error(key, format!("expected true, false, 0 or 1, found {}", short(value)))),
            },
        }
    }

    /// A text.
    pub(super) fn text(&mut self, key: &'static str) -> Result<&'c str, ModelError> {
        let Some(value) = self.take(key) else {
            return Err(self.missing(key));
        };
        value
            .as_str()
            .ok_or_else(|| self.error(key, format!("expected a text, found {}", short(value))))
    }

    /// The keys that every Keras layer has: `name`, `trainable`, `dtype`.
    pub(super) fn common(&mut self) -> Result<(), ModelError> {
        self.take("name");
        self.training_only(&["trainable"]);
        let Some(value) = self.take("dtype") else {
            return Ok(());
        };
        // Keras writes a policy object where it is not a plain name.
        let name = match value {
            Value::Object(policy) => policy.get("config").and_then(|c| c.get("name")),
            other => Some(other),
        };
        if name.and_then(Value::as_str) == Some("float32") {
            return Ok(());
        }
        Err(self
            .error("dtype", format!("{} is not supported; supported: float32", short(value)))
            .with_help("build the model with dtype float32 (no mixed precision) and save it again"))
    }

    /// The error for a key that must be there.
    pub(super) fn missing(&self, key: &str) -> ModelError {
        self.error(key, "is missing from the configuration")
    }

    /// Ends the reading: a key that nobody asked for is an error.
    ///
    /// # Errors
    /// The first unknown key in file order, with the known ones.
    pub(super) fn finish(self) -> Result<(), ModelError> {
        for (key, value) in self.config {
            if !self.known.contains(&key.as_str()) {
                return Err(Ledger::unknown(self.place, key, &short(value), &self.known));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn every_key_enters_the_ledger_or_fails() {
        let config = map(json!({"name": "d", "trainable": true, "dtype": "float32", "units": 3}));
        let mut ledger = Ledger::default();
        let mut a = Attributes::new("d", &config, &mut ledger);
        a.common().unwrap();
        assert_eq!(a.integer("units", None, 1, 10).unwrap(), 3);
        a.finish().unwrap();
        let keys: Vec<_> = ledger.entries().iter().map(|e| (e.key.as_str(), e.used)).collect();
        assert_eq!(
            keys,
            [
                ("name", LedgerUse::Consumed),
                ("trainable", LedgerUse::TrainingOnly),
                ("dtype", LedgerUse::Consumed),
                ("units", LedgerUse::Consumed),
            ]
        );

        let mut ledger = Ledger::default();
        let mut a = Attributes::new("d", &config, &mut ledger);
        a.common().unwrap();
        let error = a.finish().unwrap_err();
        assert_eq!(
            error.to_string(),
            "layer `d`, units: unknown argument with value 3; known are name, trainable, dtype"
        );
    }

    #[test]
    fn nested_keys_have_a_path() {
        let config = map(json!({"q": {"bits": 70}}));
        let inner = map(json!({"bits": 70}));
        let mut ledger = Ledger::default();
        let mut a = Attributes::new("d", &config, &mut ledger);
        let error = a.nested("q", &inner).integer("bits", Some(8), 1, 64).unwrap_err();
        assert_eq!(
            error.to_string(),
            "layer `d`, q.bits: 70 is out of range; supported are 1 to 64"
        );
        assert_eq!(ledger.entries()[0].key, "q.bits");
    }

    #[test]
    fn only_float32() {
        for (dtype, ok) in [
            (json!("float32"), true),
            (json!({"class_name": "Policy", "config": {"name": "float32"}}), true),
            (json!("float16"), false),
            (json!({"class_name": "Policy", "config": {"name": "mixed_float16"}}), false),
            (json!(null), false),
        ] {
            let config = map(json!({"dtype": dtype}));
            let mut ledger = Ledger::default();
            assert_eq!(Attributes::new("d", &config, &mut ledger).common().is_ok(), ok);
        }
    }
}
