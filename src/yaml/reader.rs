//! Reading a YAML tree against expectations, one fault for each that is not met.
//!
//! In: nodes. Out: values, and faults in the collector. Must not: know the keys of any file; who reads it does.

use std::fmt::Display;
use std::str::FromStr;

use super::fault::known as known_words;
use super::tree::{Node, Value};
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::source::{Source, Span};
use crate::text::shown;

/// A tree's source, and where its faults go.
pub(crate) struct Reader<'s, 'f> {
    pub source: &'s Source,
    pub faults: &'f mut Diagnostics,
}

/// A key and its value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'s> {
    pub name: &'s str,
    pub key: &'s Node,
    pub value: &'s Node,
}

impl<'s> Reader<'s, '_> {
    pub(crate) fn fault(&mut self, span: &Span, code: &'static str, message: impl Into<String>, help: Option<String>) {
        let source = self.source;
        self.faults.push_error_with(|| {
            let fault = Diagnostic::error(code, message).at(source.place(span));
            match help {
                Some(help) => fault.help(help),
                None => fault,
            }
        });
    }

    pub(crate) fn wrong_type(&mut self, node: &Node, what: &str, expected: &str, help: Option<&str>) {
        let message = format!("{what} must be {expected}, not {}", node.value.kind());
        self.fault(&node.span, "wrong-type", message, help.map(str::to_owned));
    }

    /// The entries of a map, each key once. `None` if it is no map.
    pub(crate) fn map(&mut self, node: &'s Node, what: &str) -> Option<Vec<Entry<'s>>> {
        let Value::Map(pairs) = &node.value else {
            self.wrong_type(node, what, "a map", None);
            return None;
        };
        let mut entries: Vec<Entry<'s>> = Vec::with_capacity(pairs.len());
        let mut seen = std::collections::HashSet::with_capacity(pairs.len());
        for (key, value) in pairs {
            let Value::Text(name) = &key.value else {
                self.wrong_type(key, "a key", "a word", None);
                continue;
            };
            if seen.insert(name.as_str()) {
                entries.push(Entry { name, key, value });
            } else {
                let message = format!("the key `{}` appears twice", shown(name));
                self.fault(&key.span, "duplicate-key", message, Some("keep one of them".into()));
            }
        }
        Some(entries)
    }

    /// The entries of a map that has no other keys than the `known` ones.
    pub(crate) fn map_of(&mut self, node: &'s Node, what: &str, known: &[&'static str]) -> Option<Vec<Entry<'s>>> {
        let mut entries = self.map(node, what)?;
        entries.retain(|entry| {
            let is_known = known.contains(&entry.name);
            if !is_known {
                self.unknown_key(entry, what, known);
            }
            is_known
        });
        Some(entries)
    }

    pub(crate) fn unknown_key(&mut self, entry: &Entry<'s>, what: &str, known: &[&'static str]) {
        let help = match entry.name {
            "<<" => "merge keys are not supported; repeat the map with an alias, or write it out".into(),
            name => known_words(name, known),
        };
        let message = format!("{what} has no key `{}`", shown(entry.name));
        self.fault(&entry.key.span, "unknown-key", message, Some(help));
    }

    /// `node` has no such key, and must; `example` shows it.
    pub(crate) fn missing_key(&mut self, node: &Node, key: &str, example: &str) {
        let message = format!("the key `{key}` is missing");
        self.fault(&node.span, "missing-key", message, Some(format!("write `{example}`")));
    }

    pub(crate) fn list(&mut self, node: &'s Node, what: &str) -> Option<&'s [Node]> {
        match &node.value {
            Value::List(items) => Some(items),
            _ => {
                self.wrong_type(node, what, "a list", None);
                None
            }
        }
    }

    /// Text that is not empty.
    pub(crate) fn text(&mut self, node: &'s Node, what: &str) -> Option<&'s str> {
        match &node.value {
            Value::Text(text) if !text.trim().is_empty() => Some(text.trim()),
            Value::Number(_) | Value::Boolean(_) => {
                self.wrong_type(node, what, "text", Some("put it in quotes, so that YAML keeps it as it is written"));
                None
            }
            _ => {
                self.wrong_type(node, what, "text that is not empty", None);
                None
            }
        }
    }

    /// A whole number in `from..=to`.
    pub(crate) fn number<N>(&mut self, node: &'s Node, what: &str, from: N, to: N) -> Option<N>
    where
        N: FromStr + PartialOrd + Display + Copy,
    {
        let Value::Number(text) = &node.value else {
            self.wrong_type(node, what, &format!("a number from {from} to {to}"), None);
            return None;
        };
        let number = text.parse().ok().filter(|number| (from..=to).contains(number));
        if number.is_none() {
            let message = format!("{what} must be a whole number from {from} to {to}, not {}", shown(text));
            self.fault(&node.span, "out-of-range", message, None);
        }
        number
    }
}
