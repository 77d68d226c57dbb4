//! Layer names as names of HDF5 objects.

/// A name without `/`, which HDF5 takes for a group, and other than `.`, which is the group
/// itself.
pub(crate) fn escape(layer: &str) -> String {
    match layer {
        "." => "%2E".to_owned(),
        _ => layer.replace('%', "%25").replace('/', "%2F"),
    }
}

/// The layer's name; any other `%` stands for itself.
pub(crate) fn unescape(name: &str) -> String {
    name.replace("%2E", ".").replace("%2F", "/").replace("%25", "%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back() {
        for name in ["fc1", "a/b", "100%", "a%2Fb", ".", "%25", "outer::inner", "a//", "é.b"] {
            assert!(!escape(name).contains('/'));
            assert_eq!(unescape(&escape(name)), name);
        }
        assert_eq!(unescape("layer@1"), "layer@1");
    }
}
