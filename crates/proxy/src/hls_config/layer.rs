//! What a configuration says of one layer, by hls4ml's order of precedence.

use bittrue_model::Place;

use super::HlsConfig;
use super::keys::snake;
use super::precision::{Spec, parse};
use super::yaml::Node;
use crate::ConvertError;
use crate::types::Precision;

/// The view of one layer on the configuration.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LayerConfig<'a> {
    config: &'a HlsConfig,
    name: &'a str,
    class: &'a str,
}

impl HlsConfig {
    /// The layers that it names, in alphabetical order.
    pub(crate) fn layer_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.names.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    /// What is said of a layer.
    pub(crate) fn layer<'a>(&'a self, name: &'a str, class: &'a str) -> LayerConfig<'a> {
        LayerConfig { config: self, name, class }
    }

    /// The model's default precision, which takes the place of `auto` where hls4ml has no rule.
    fn default_precision(&self) -> Option<&Spec> {
        self.of_model.get("default")
    }
}

impl LayerConfig<'_> {
    /// hls4ml's `get_precision`: of the name before that of the class before that of the model, and in
    /// each the variable's own before the default.
    fn precision(&self, variable: &str) -> Option<&Spec> {
        let Self { config, name, class } = self;
        let (name, class) = (name.to_lowercase(), class.to_lowercase());
        let of_names = |v: &str| config.of_names.get(&format!("{name}_{v}"));
        let of_types = |v: &str| config.of_types.get(&format!("{class}_{v}"));
        of_names(variable)
            .or_else(|| of_names("default"))
            .or_else(|| of_types(variable))
            .or_else(|| of_types("default"))
            .or_else(|| config.of_model.get(variable))
            .or_else(|| config.default_precision())
    }

    /// The value of a key: hls4ml updates a dictionary of the class by that of the name, and of
    /// several spellings of one key (`TableSize`, `table_size`) the last one in it counts.
    fn key(&self, key: &str) -> Option<&Node> {
        let of_class = self.config.types.get(self.class).into_iter().flatten();
        let mut all: Vec<&(String, Node)> = of_class.collect();
        for item in self.config.names.get(self.name).into_iter().flatten() {
            match all.iter_mut().find(|(spelling, _)| *spelling == item.0) {
                Some(of_class) => *of_class = item,
                None => all.push(item),
            }
        }
        all.into_iter().rev().find(|(spelling, _)| snake(spelling) == key).map(|(_, value)| value)
    }

    /// The type that a key such as `table_t` gives, or `default`.
    pub(crate) fn type_or(&self, key: &str, default: Precision) -> Result<Precision, ConvertError> {
        let Some(node) = self.key(key) else { return Ok(default) };
        let text = node.text().ok_or_else(|| self.refuse(key, node, "a fixed-point type"))?;
        let spec = parse(text).map_err(|why| self.refuse(key, node, &why))?;
        self.fixed(key, Some(&spec))
    }

    /// The accumulator, which only a softmax keeps: `accum_t` before `Precision`.
    pub(crate) fn accum(&self) -> Result<Precision, ConvertError> {
        match self.key("accum_t") {
            Some(_) => self.type_or("accum_t", Precision::plain(true, 16, 6)),
            None => self.fixed("Precision accum", self.precision("accum")),
        }
    }

    /// The result of a layer that no pass derives a type for.
    pub(crate) fn result(&self) -> Result<Precision, ConvertError> {
        self.fixed("Precision result", self.precision("result"))
    }

    /// A precision that numbers depend on has to be a fixed-point one.
    fn fixed(&self, key: &str, spec: Option<&Spec>) -> Result<Precision, ConvertError> {
        // What hls4ml has no rule for gets the default of the model.
        let default = self.config.default_precision();
        let spec = if spec == Some(&Spec::Auto) { default } else { spec };
        let help = "give a fixed-point type, such as ap_fixed<18,8,AP_RND,AP_SAT>";
        let what = match spec {
            Some(Spec::Fixed(t)) => return Ok(*t),
            Some(Spec::Auto) => "the configuration says auto, and so does the default of the model",
            Some(Spec::Other(text)) => {
                let what =
                    format!("the configuration says `{text}`; supported are fixed and ufixed");
                return Err(ConvertError::new(self.place(key), what, help));
            }
            None => {
                "hls4ml raises an exception: the configuration has no precision for it and no \
                     default"
            }
        };
        Err(ConvertError::new(self.place(key), what, help))
    }

    /// The number of entries that a key gives.
    pub(crate) fn size(&self, key: &str) -> Result<Option<u128>, ConvertError> {
        let Some(node) = self.key(key) else { return Ok(None) };
        let size = node.integer().and_then(|n| u128::try_from(n).ok());
        size.map(Some).ok_or_else(|| self.refuse(key, node, "a whole number"))
    }

    /// The truth value of a key.
    pub(crate) fn truth(&self, key: &str) -> Result<bool, ConvertError> {
        let Some(node) = self.key(key) else { return Ok(false) };
        node.truth().ok_or_else(|| self.refuse(key, node, "true or false"))
    }

    /// One of several words.
    pub(crate) fn choice<T: Copy>(
        &self,
        key: &str,
        choices: &[(&str, T)],
    ) -> Result<Option<T>, ConvertError> {
        let Some(node) = self.key(key) else { return Ok(None) };
        let found = choices.iter().find(|(word, _)| node.text() == Some(word));
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        found
            .map(|(_, choice)| Some(*choice))
            .ok_or_else(|| self.refuse(key, node, &format!("one of {}", words.join(", "))))
    }

    /// Refuses the value of a key.
    fn refuse(&self, key: &str, node: &Node, supported: &str) -> ConvertError {
        ConvertError::new(
            self.place(key),
            format!("the configuration (line {}) says {}", node.line, node.shown()),
            format!("supported is: {supported}"),
        )
    }

    fn place(&self, key: &str) -> Place {
        Place::layer(self.name).attribute(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> HlsConfig {
        let text = "
Model: {Precision: {default: 'fixed<10,1>', accum: 'fixed<11,1>'}}
LayerType:
  Softmax: {Precision: {accum: 'fixed<12,1>'}, table_t: 'fixed<13,1>', TableSize: 64}
LayerName:
  Soft: {Precision: 'fixed<14,1>', table_size: 128}
  both: {TableSize: 1, table_size: 2}
  less: {TableSize: 32, table_t: '7'}
  hard: {Precision: {accum: auto}, skip: maybe, accum_t: float}
";
        HlsConfig::parse(text).expect("a configuration")
    }

    #[test]
    fn precedence() {
        let config = config();
        let width = |name: &str, class: &str| config.layer(name, class).accum().map(|t| t.width);
        // A default of the name comes before the accumulator of the class; names in any case.
        assert_eq!(width("SOFT", "Softmax"), Ok(14));
        assert_eq!(width("other", "softmax"), Ok(12));
        assert_eq!(width("other", "Dense"), Ok(11));
        let layer = config.layer("Soft", "Softmax");
        assert_eq!(layer.size("table_size"), Ok(Some(128)));
        assert_eq!(
            layer.type_or("table_t", Precision::plain(true, 18, 8)).map(|t| t.width),
            Ok(13)
        );
        // The last spelling counts, and the class's keeps its place.
        assert_eq!(config.layer("both", "Dense").size("table_size"), Ok(Some(2)));
        assert_eq!(config.layer("less", "Softmax").size("table_size"), Ok(Some(32)));
        // Keys are of this very name and class.
        assert_eq!(config.layer("soft", "softmax").size("table_size"), Ok(None));
    }

    #[test]
    fn values_that_are_none() {
        let config = config();
        let layer = config.layer("hard", "Softmax");
        assert!(layer.truth("skip").expect_err("maybe").to_string().contains("`maybe`"));
        assert!(layer.accum().expect_err("a float").to_string().contains("`float`"));
    }
}
