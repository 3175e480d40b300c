//! A literal of `$filter`, and how a value compares with it.
//!
//! In: words of the filter, and values of properties. Out: an ordering, or none. Must not: know properties.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::Value;

/// One literal.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Literal {
    Text(String),
    Flag(bool),
    Moment(Timestamp),
    Number(i64),
    Null,
}

impl Literal {
    /// A word that stands in no quotes.
    pub(in crate::simulator) fn of_word(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "true" => Some(Self::Flag(true)),
            "false" => Some(Self::Flag(false)),
            "null" => Some(Self::Null),
            _ => moment(word).map(Self::Moment).or_else(|| word.parse().ok().map(Self::Number)),
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// How `value` stands to it. Both services compare text without regard to case.
    pub(crate) fn compare(&self, value: &Value) -> Option<Ordering> {
        match (self, value) {
            (Self::Text(text), Value::String(value)) => Some(value.to_lowercase().cmp(&text.to_lowercase())),
            (Self::Flag(flag), Value::Bool(value)) => Some(value.cmp(flag)),
            (Self::Moment(moment), Value::String(value)) => Some(value.parse::<Timestamp>().ok()?.cmp(moment)),
            (Self::Number(number), Value::Number(value)) => Some(value.as_i64()?.cmp(number)),
            (Self::Null, Value::Null) => Some(Ordering::Equal),
            _ => None,
        }
    }
}

/// A moment, or a day, which begins at midnight UTC.
fn moment(word: &str) -> Option<Timestamp> {
    word.parse().ok().or_else(|| format!("{word}T00:00:00Z").parse().ok())
}
