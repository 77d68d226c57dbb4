//! From the tree of a file to a configuration.

use super::keys::{HLS, LAYER, MODEL, PROJECT, snake};
use super::precision::{Spec, parse};
use super::yaml::{Node, Value, read};
use super::{ConfigError, HlsConfig};

/// Backends whose C simulation is the one that is followed.
const BACKENDS: [&str; 2] = ["vitis", "vivado"];

impl HlsConfig {
    /// Reads a configuration.
    ///
    /// # Errors
    ///
    /// Where the text is no YAML, has a key that is not known, or a value with which hls4ml raises an
    /// error or computes something that is not followed.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let root = read(text)?;
        let all = mapping(&root, "the file")?;
        let mut config = Self::default();
        let whole = all.iter().any(|(key, _)| key == "HLSConfig");
        let bare: Vec<&str> = HLS.into_iter().chain(["IOType", "Backend"]).collect();
        let known = if whole { &PROJECT[..] } else { &bare[..] };
        let mut backend = None;
        for (key, value) in all {
            known_key(key, value, known, if whole { "a project" } else { "an HLSConfig" })?;
            match key.as_str() {
                "IOType" => config.stream = io_type(value)?,
                "Backend" => backend = Some(value),
                _ => {}
            }
        }
        check_backend(backend, config.stream)?;
        let hls = match all.iter().find(|(key, _)| key == "HLSConfig") {
            Some((_, hls)) => mapping(hls, "HLSConfig")?,
            None => all,
        };
        for (key, value) in hls {
            if whole {
                known_key(key, value, &HLS, "HLSConfig")?;
            }
            match key.as_str() {
                "Model" => config.model(value)?,
                "LayerType" => config.layers(value, key)?,
                "LayerName" => config.layers(value, key)?,
                "Flows" | "Optimizers" | "SkipOptimizers" if value.value != Value::Null => {
                    return Err(refused(key, value, "hls4ml's own passes only"));
                }
                _ => {}
            }
        }
        Ok(config)
    }

    fn model(&mut self, node: &Node) -> Result<(), ConfigError> {
        for (key, value) in mapping(node, "Model")? {
            known_key(key, value, &MODEL, "Model")?;
            match key.as_str() {
                "Precision" => match &value.value {
                    Value::Null => {}
                    Value::Mapping(items) => {
                        // hls4ml has no default then; nothing may need it.
                        self.of_model.clear();
                        for (variable, precision) in items {
                            let spec = spec(variable, precision)?;
                            self.of_model.insert(variable.clone(), spec);
                        }
                    }
                    _ => {
                        self.of_model.insert("default".to_owned(), spec(key, value)?);
                    }
                },
                "BitExact" if value.truth() == Some(false) => {
                    let supported = "null or true: without it hls4ml derives no types for a proxy";
                    return Err(refused(key, value, supported));
                }
                "Strategy" => strategy(value)?,
                "Compression" => compression(value)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// `LayerType` or `LayerName`.
    fn layers(&mut self, node: &Node, section: &str) -> Result<(), ConfigError> {
        if node.value == Value::Null {
            return Ok(());
        }
        let by_name = section == "LayerName";
        for (layer, of_layer) in mapping(node, section)? {
            let mut keys = Vec::new();
            let mut precisions = Vec::new();
            for (key, value) in mapping(of_layer, layer)? {
                let snake_key = snake(key);
                known_key(&snake_key, value, &LAYER, &format!("{section} `{layer}`"))?;
                match snake_key.as_str() {
                    "precision" if key != "Precision" => {
                        let message = format!("hls4ml ignores `{key}`; it is spelt `Precision`");
                        return Err(ConfigError::new(Some(value.line), message));
                    }
                    "precision" => match &value.value {
                        Value::Null => {}
                        Value::Mapping(items) => {
                            for (variable, precision) in items {
                                precisions.push((variable.as_str(), spec(variable, precision)?));
                            }
                        }
                        _ => precisions.push(("default", spec(key, value)?)),
                    },
                    "strategy" => strategy(value)?,
                    "compression" => compression(value)?,
                    _ => {}
                }
                keys.push((key.clone(), value.clone()));
            }
            let (of, kept) = match by_name {
                true => (&mut self.of_names, &mut self.names),
                false => (&mut self.of_types, &mut self.types),
            };
            for (variable, spec) in precisions {
                of.insert(format!("{}_{variable}", layer.to_lowercase()), spec);
            }
            kept.insert(layer.clone(), keys);
        }
        Ok(())
    }
}

fn mapping<'a>(node: &'a Node, what: &str) -> Result<&'a [(String, Node)], ConfigError> {
    match &node.value {
        Value::Mapping(items) => Ok(items),
        Value::Null => Ok(&[]),
        _ => {
            let message = format!("{what} is {}, not a mapping of keys to values", node.shown());
            Err(ConfigError::new(Some(node.line), message))
        }
    }
}

fn known_key(key: &str, value: &Node, known: &[&str], place: &str) -> Result<(), ConfigError> {
    if known.contains(&key) {
        return Ok(());
    }
    let message = format!("{place} has the unknown key `{key}`; known are {}", known.join(", "));
    Err(ConfigError::new(Some(value.line), message))
}

/// A value that is not followed.
fn refused(key: &str, value: &Node, supported: &str) -> ConfigError {
    let message = format!("{key} is {}; supported is {supported}", value.shown());
    ConfigError::new(Some(value.line), message)
}

fn spec(key: &str, value: &Node) -> Result<Spec, ConfigError> {
    let supported = "a type such as ap_fixed<16,6> or fixed<16,6,RND,SAT>, or auto";
    let text = value.text().ok_or_else(|| refused(key, value, supported))?;
    parse(text).map_err(|why| {
        let message = format!("{key} is {}: {why}; supported is {supported}", value.shown());
        ConfigError::new(Some(value.line), message)
    })
}

fn io_type(value: &Node) -> Result<bool, ConfigError> {
    match value.text() {
        Some("io_parallel") => Ok(false),
        Some("io_stream") => Ok(true),
        _ => Err(refused("IOType", value, "io_parallel or io_stream")),
    }
}

fn check_backend(backend: Option<&Node>, stream: bool) -> Result<(), ConfigError> {
    let Some(value) = backend else { return Ok(()) };
    let name = value.text().unwrap_or_default().to_lowercase();
    if !BACKENDS.contains(&name.as_str()) || (stream && name != "vitis") {
        let supported = "Vitis, or Vivado with io_parallel, which computes the same";
        return Err(refused("Backend", value, supported));
    }
    Ok(())
}

fn strategy(value: &Node) -> Result<(), ConfigError> {
    let name = snake(value.text().unwrap_or_default());
    if ["distributed_arithmetic", "da"].contains(&name.as_str()) {
        let supported = "Latency, Resource or Resource_Unrolled, which all compute the same";
        return Err(refused("Strategy", value, supported));
    }
    Ok(())
}

fn compression(value: &Node) -> Result<(), ConfigError> {
    match (value.truth(), value.integer(), &value.value) {
        (Some(false), _, _) | (_, Some(0), _) | (_, _, Value::Null) => Ok(()),
        _ => Err(refused("Compression", value, "false")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        HlsConfig::parse(text).expect_err(text).to_string()
    }

    #[test]
    fn both_forms() {
        let bare = "Model:\n  Precision: ap_fixed<12,4>\nLayerName:\n  a:\n    TableSize: 8\n";
        let indented = bare.replace('\n', "\n  ");
        let whole = format!("Backend: Vitis\nIOType: io_parallel\nHLSConfig:\n  {indented}");
        let (bare, whole) = (HlsConfig::parse(bare), HlsConfig::parse(&whole));
        let (bare, whole) = (bare.expect("bare"), whole.expect("whole"));
        assert_eq!((&bare.of_model, &bare.of_names), (&whole.of_model, &whole.of_names));
        assert_ne!(bare, HlsConfig::default());
        assert!(HlsConfig::parse("IOType: io_stream").expect("a stream").stream);
        assert_eq!(HlsConfig::parse(""), Ok(HlsConfig::default()));
    }

    #[test]
    fn what_is_not_followed() {
        for (text, part) in [
            ("Modell: {}", "unknown key `Modell`; known are Model, LayerType"),
            ("HLSConfig: {Model: {Precisoin: auto}}", "line 1: Model has the unknown key"),
            ("LayerName: {a: {n_in: 3}}", "LayerName `a` has the unknown key `n_in`"),
            ("Model: {Precision: real}", "Precision is `real`: hls4ml knows no such type"),
            ("LayerType: {Dense: {Precision: {accum: 7}}}", "accum is `7`"),
            ("IOType: io_serial", "supported is io_parallel or io_stream"),
            ("Backend: Quartus", "Backend is `Quartus`; supported is Vitis"),
            ("Backend: Vivado\nIOType: io_stream", "Backend is `Vivado`"),
            ("Model: {BitExact: false}", "BitExact is `false`"),
            ("Model: {Strategy: distributed_arithmetic}", "Strategy is"),
            ("LayerName: {a: {Compression: true}}", "Compression is `true`; supported is false"),
            ("Flows: [x]", "Flows is a list"),
            ("LayerName: {a: {precision: auto}}", "it is spelt `Precision`"),
            ("[1]", "the file is a list"),
        ] {
            let found = refusal(text);
            assert!(found.contains(part), "{text}: {found}");
        }
    }
}
