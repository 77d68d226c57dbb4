//! The user's configuration of hls4ml, as far as it changes types or numbers of a proxy's C simulation.
//!
//! Both forms are read: the `hls4ml_config.yml` that hls4ml writes with a project, and the bare
//! dictionary that is given to `convert_from_keras_model(hls_config=…)`. What a proxy's types do not
//! depend on is accepted and ignored, as hls4ml's pass `bit_exact` ignores it. A key that is not known
//! is refused: hls4ml makes an attribute of the layer of it, whatever that does.

mod keys;
mod layer;
mod precision;
mod read;
mod yaml;

use std::collections::HashMap;

use precision::Spec;
use yaml::Node;

use crate::types::Precision;

/// A configuration that cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    line: Option<usize>,
    message: String,
}

impl ConfigError {
    fn new(line: Option<usize>, message: impl Into<String>) -> Self {
        Self { line, message: message.into() }
    }

    /// What to do.
    pub const HELP: &str = "give the hls4ml_config.yml of a project, or what is given to \
                            convert_from_keras_model as hls_config, as YAML; docs/firmware.md has \
                            the keys";
}

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for ConfigError {}

/// A configuration of hls4ml. The default is hls4ml's own: `fixed<16,6>`, `io_parallel`, Vitis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HlsConfig {
    /// Whether tensors are streams.
    pub(crate) stream: bool,
    /// Precisions of the whole model by variable, `default` among them.
    of_model: HashMap<String, Spec>,
    /// Precisions by `class_variable` and by `name_variable`, in lower case as hls4ml keeps them.
    of_types: HashMap<String, Spec>,
    of_names: HashMap<String, Spec>,
    /// The keys of layers as they are spelt and in the order of the file, by class and by name.
    types: HashMap<String, Vec<(String, Node)>>,
    names: HashMap<String, Vec<(String, Node)>>,
}

impl HlsConfig {
    /// Longest file in bytes.
    pub const MOST_BYTES: usize = yaml::MOST_BYTES;
}

impl Default for HlsConfig {
    fn default() -> Self {
        let default = Spec::Fixed(Precision::plain(true, 16, 6));
        Self {
            stream: false,
            of_model: HashMap::from([("default".to_owned(), default)]),
            of_types: HashMap::new(),
            of_names: HashMap::new(),
            types: HashMap::new(),
            names: HashMap::new(),
        }
    }
}
