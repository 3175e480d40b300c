//! A value of a YAML file as JSON.
//!
//! In: a node. Out: the value that would be sent. Must not: round or reinterpret anything.

use serde_json::Value as Json;

use crate::yaml::{Node, Value};

/// The value that would be sent. A number that JSON would not write as it stands there is none: `012` is not 12.
pub(super) fn json(node: &Node) -> Option<Json> {
    match &node.value {
        Value::Null => None,
        Value::Boolean(value) => Some(Json::Bool(*value)),
        Value::Number(text) => text.parse().ok().filter(|number: &i64| number.to_string() == *text).map(Json::from),
        Value::Text(text) => Some(Json::String(text.clone())),
        Value::List(items) => items.iter().map(json).collect(),
        Value::Map(pairs) => pairs
            .iter()
            .map(|(key, value)| match &key.value {
                Value::Text(name) => Some((name.clone(), json(value)?)),
                _ => None,
            })
            .collect::<Option<serde_json::Map<_, _>>>()
            .map(Json::Object),
    }
}
