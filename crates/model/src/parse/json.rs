//! Small functions for JSON as Keras writes it.

use std::io;

use serde_json::Value;

/// Longest text of a value in a message or in the ledger, in characters.
const SHORT: usize = 120;

/// Deepest nesting of lists and objects in a model configuration. Keras' own stay below 20 per
/// nested model.
pub(super) const MAX_DEPTH: usize = 64;

/// A value as compact JSON, cut when long. The whole configuration may be asked for, so no more
/// of it is written out than is kept.
pub(super) fn short(value: &Value) -> String {
    let mut bytes = Bounded(Vec::new());
    // An error says no more than that the limit was reached.
    let complete = serde_json::to_writer(&mut bytes, value).is_ok();
    let text = String::from_utf8_lossy(&bytes.0);
    match text.char_indices().nth(SHORT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None if complete => text.into_owned(),
        None => format!("{text}…"),
    }
}

/// Takes a few more bytes than any short text needs, then refuses.
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = (4 * SHORT + 4).saturating_sub(self.0.len()).min(bytes.len());
        self.0.extend_from_slice(&bytes[..left]);
        Ok(left)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether lists and objects are nested at most `max` deep. Needs no recursion, so that it may be
/// asked of any value.
pub(super) fn is_shallow(value: &Value, max: usize) -> bool {
    let mut pending = vec![(value, 1)];
    while let Some((value, depth)) = pending.pop() {
        if depth > max {
            return false;
        }
        match value {
            Value::Array(items) => pending.extend(items.iter().map(|v| (v, depth + 1))),
            Value::Object(map) => pending.extend(map.values().map(|v| (v, depth + 1))),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    true
}

/// The items of a list, or of a tuple or shape in Keras' encoding
/// (`{"class_name": "__tuple__", "items": […]}`).
pub(super) fn items(value: &Value) -> Option<&[Value]> {
    match value {
        Value::Array(items) => Some(items),
        Value::Object(map) => {
            let class = map.get("class_name")?.as_str()?;
            let known = matches!(class, "__tuple__" | "TensorShape");
            if known { map.get("items")?.as_array().map(Vec::as_slice) } else { None }
        }
        _ => None,
    }
}

/// An integer, also when it is written as a float such as `6.0`.
pub(super) fn integer(value: &Value) -> Option<i64> {
    if let Some(i) = value.as_i64() {
        return Some(i);
    }
    let float = value.as_f64()?;
    // Beyond 2^53 a float no longer tells which integer was meant.
    (float.fract() == 0.0 && float.abs() <= 9_007_199_254_740_992.0).then_some(float as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn depth_is_counted_without_recursion() {
        let mut value = json!(1);
        for _ in 0..63 {
            value = json!([value]);
        }
        assert!(is_shallow(&value, 64));
        assert!(!is_shallow(&json!([value]), 64));
    }

    #[test]
    fn tuples_are_lists() {
        let tuple = json!({"class_name": "__tuple__", "items": [1, 2]});
        assert_eq!(items(&tuple), items(&json!([1, 2])));
        assert_eq!(items(&json!({"class_name": "Dense", "items": [1]})), None);
    }

    #[test]
    fn integral_floats_are_integers() {
        assert_eq!(integer(&json!(6.0)), Some(6));
        assert_eq!(integer(&json!(6.5)), None);
        assert_eq!(integer(&json!(1e300)), None);
        assert_eq!(integer(&json!(true)), None);
    }

    #[test]
    fn long_values_are_cut_at_a_character() {
        let text = short(&json!("é".repeat(500)));
        assert_eq!(text.chars().count(), SHORT + 1);
        assert!(text.starts_with("\"éé") && text.ends_with("é…"), "{text}");
        assert_eq!(short(&json!({"a": [1, null]})), "{\"a\":[1,null]}");
        let list = json!(vec!["x".repeat(50); 1000]);
        assert_eq!(short(&list).chars().count(), SHORT + 1);
    }
}
