//! Parameters of actions: the properties of a request body, with their types.
//!
//! In: nothing. Out: [`Parameter`] rows. Must not: parse plan files; the plan asks [`ParameterKind::check`].

use serde_json::Value;

/// The type of a parameter, as Graph names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// Free text, not empty.
    Text,
    Boolean,
    /// Exactly six digits, sent as a String.
    Pin,
    /// One of these words, sent as a String.
    OneOf(&'static [&'static str]),
}

impl ParameterKind {
    /// The type's name on Microsoft's pages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text | Self::Pin | Self::OneOf(_) => "String",
            Self::Boolean => "Boolean",
        }
    }

    /// What a right value looks like, for people.
    pub fn expectation(self) -> String {
        match self {
            Self::Text => "text that is not empty".into(),
            Self::Boolean => "true or false".into(),
            Self::Pin => "six digits, in quotes".into(),
            Self::OneOf(words) => format!("one of {}", words.join(", ")),
        }
    }

    /// Whether a typed value (from YAML) is right.
    pub fn check(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Boolean, Value::Bool(_)) => true,
            (Self::Text, Value::String(text)) => !text.trim().is_empty(),
            (Self::Pin, Value::String(text)) => text.len() == 6 && text.bytes().all(|b| b.is_ascii_digit()),
            (Self::OneOf(words), Value::String(text)) => words.contains(&text.as_str()),
            _ => false,
        }
    }

    /// The typed value of a cell of text (from CSV), if it is one.
    pub fn read(self, cell: &str) -> Option<Value> {
        let value = match self {
            Self::Boolean => match cell.to_ascii_lowercase().as_str() {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                _ => return None,
            },
            _ => Value::String(cell.to_owned()),
        };
        self.check(&value).then_some(value)
    }
}

/// One property of an action's request body.
#[derive(Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Graph's spelling.
    pub name: &'static str,
    pub kind: ParameterKind,
    pub required: bool,
    /// Known only to the beta version; using it moves the request there.
    pub beta_only: bool,
    pub summary: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_judged_by_type_and_not_by_looks() {
        assert!(ParameterKind::Boolean.check(&json!(true)));
        assert!(!ParameterKind::Boolean.check(&json!("true")));
        assert!(!ParameterKind::Text.check(&json!(7)));
        assert!(!ParameterKind::Text.check(&json!("  ")));
        assert!(ParameterKind::Pin.check(&json!("012345")));
        assert!(!ParameterKind::Pin.check(&json!(123456)));
    }

    #[test]
    fn cells_become_typed_values() {
        assert_eq!(ParameterKind::Boolean.read("TRUE"), Some(json!(true)));
        assert_eq!(ParameterKind::Boolean.read("yes"), None);
        assert_eq!(ParameterKind::Pin.read("012345"), Some(json!("012345")));
        assert_eq!(ParameterKind::OneOf(&["always"]).read("never"), None);
    }
}
