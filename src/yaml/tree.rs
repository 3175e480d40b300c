//! YAML as a tree in which every node knows its place.
//!
//! In: the text of a file. Out: a [`Node`], or the one fault that stopped the parser (syntax, an alias bomb, a custom
//! tag). Must not: know what the file is for. The parser stops at its first fault, and whoever writes a plan must be told
//! all of its faults at once; so nothing but syntax is left to the parser, and duplicate keys are kept for the reader to
//! see.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::Spanned;
use serde_yaml::options::{DuplicateKeyPolicy, MergeKeyPolicy, NonFiniteFloatPolicy};

use super::fault::{FileKind, MAX_DEPTH, MAX_NODES, describe, span};
use crate::diagnostics::Diagnostic;
use crate::source::{Source, Span};
use crate::text::shown;

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub value: Value,
    /// Where it is used: for an alias, the place of the `*name`.
    pub span: Span,
}

#[derive(Debug, Clone)]
pub(crate) enum Value {
    Null,
    Boolean(bool),
    /// As it is written, because `012345` and `12345` are not the same to the operator.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

impl Value {
    /// What it is, for people.
    pub(crate) fn kind(&self) -> String {
        match self {
            Self::Null => "nothing".into(),
            Self::Boolean(value) => format!("the boolean {value}"),
            Self::Number(text) => format!("the number {}", shown(text)),
            Self::Text(text) => format!("the text `{}`", shown(text)),
            Self::List(_) => "a list".into(),
            Self::Map(_) => "a map".into(),
        }
    }
}

/// Events that aliases may stand for. An alias is for saying `with:` once, not for making targets.
const MAX_REPLAYED: usize = 100_000;

/// Parses `source` into a tree.
pub(crate) fn parse(source: &Source, kind: &FileKind) -> Result<Node, Box<Diagnostic>> {
    let options = serde_yaml::options! {
        budget: serde_yaml::budget! {
            max_nodes: MAX_NODES,
            max_events: MAX_NODES * 3,
            max_documents: 2,
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            // One anchor used by hundreds of jobs is fine; what aliases may expand to is limited below.
            enforce_alias_anchor_ratio: false,
        },
        alias_limits: serde_yaml::alias_limits! { max_total_replayed_events: MAX_REPLAYED },
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        merge_keys: MergeKeyPolicy::AsOrdinary,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        strict_booleans: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    };
    match serde_yaml::from_str_with_options::<Spanned<Raw>>(&source.text, options) {
        Ok(raw) => Ok(node(raw, source)),
        Err(error) => Err(Box::new(describe(&error, source, kind))),
    }
}

fn node(raw: Spanned<Raw>, source: &Source) -> Node {
    let value = match raw.value {
        Raw::Null => Value::Null,
        Raw::Boolean(value) => Value::Boolean(value),
        Raw::Number => {
            let written = span(raw.defined, source);
            Value::Number(source.text.get(written.start..written.end).unwrap_or_default().trim().to_owned())
        }
        Raw::Text(text) => Value::Text(text),
        Raw::List(items) => Value::List(items.into_iter().map(|item| node(item, source)).collect()),
        Raw::Map(entries) => {
            Value::Map(entries.into_iter().map(|(key, value)| (node(key, source), node(value, source))).collect())
        }
    };
    Node { value, span: span(raw.referenced, source) }
}

/// What the parser gives before places are looked up.
enum Raw {
    Null,
    Boolean(bool),
    Number,
    Text(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<Raw>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any YAML value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Boolean(value))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Raw, E> {
        Ok(Raw::Number)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Raw, E> {
        Ok(Raw::Number)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Raw, E> {
        Ok(Raw::Number)
    }

    fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Raw, E> {
        Ok(Raw::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Raw::Map(map))
    }
}
