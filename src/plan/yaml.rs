//! YAML as a tree in which every node knows its place.
//!
//! In: the text of a plan. Out: a [`Node`], or the one fault that stopped the parser (syntax, an alias bomb, a custom
//! tag). Must not: know what a plan is. The parser stops at its first fault, and a plan must be told all of its faults
//! at once; so nothing but syntax is left to the parser, and duplicate keys are kept for the reader to see.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::budget::BudgetBreach;
use serde_yaml::options::{DuplicateKeyPolicy, MergeKeyPolicy, NonFiniteFloatPolicy};
use serde_yaml::{Error, Location, Spanned};

use super::source::{Source, Span};
use crate::diagnostics::Diagnostic;

/// A value and where it stands.
#[derive(Debug, Clone)]
pub struct Node {
    pub value: Value,
    /// Where it is used: for an alias, the place of the `*name`.
    pub span: Span,
}

#[derive(Debug, Clone)]
pub enum Value {
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
    pub fn kind(&self) -> String {
        match self {
            Self::Null => "nothing".into(),
            Self::Boolean(value) => format!("the boolean {value}"),
            Self::Number(text) => format!("the number {}", crate::text::shown(text)),
            Self::Text(text) => format!("the text `{}`", crate::text::shown(text)),
            Self::List(_) => "a list".into(),
            Self::Map(_) => "a map".into(),
        }
    }
}

/// Nodes of one document, at most: six for each of the targets that fit into the largest file.
const MAX_NODES: usize = 2_000_000;
/// Events that aliases may stand for. An alias is for saying `with:` once, not for making targets.
const MAX_REPLAYED: usize = 100_000;

/// Parses `source` into a tree.
pub fn parse(source: &Source) -> Result<Node, Box<Diagnostic>> {
    let options = serde_yaml::options! {
        budget: serde_yaml::budget! {
            max_nodes: MAX_NODES,
            max_events: MAX_NODES * 3,
            max_documents: 2,
            max_depth: 32,
            flow_nesting_limit: 32,
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
        Err(error) => Err(Box::new(describe(&error, source))),
    }
}

fn describe(error: &Error, source: &Source) -> Diagnostic {
    let fault = match error {
        Error::Budget { breach: BudgetBreach::Depth { .. }, .. } => {
            Diagnostic::error("too-deep", "the YAML is nested deeper than any plan")
        }
        Error::Budget { breach: BudgetBreach::Nodes { .. } | BudgetBreach::Events { .. }, .. } => {
            Diagnostic::error("too-large", format!("the YAML has more than {MAX_NODES} values"))
                .help("split it, or list targets in a CSV file")
        }
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. }
        | Error::RecursiveReferencesRequireWeakTypes { .. } => {
            Diagnostic::error("alias-bomb", "the aliases of this YAML stand for more than a plan can hold")
                .help("write the values out, or list targets in a CSV file")
        }
        Error::AliasError { error, .. } => return describe(error, source),
        Error::MultipleDocuments { .. } => {
            Diagnostic::error("syntax", "a plan is one YAML document, this file has more")
                .help("remove the `---`, or make one file of each")
        }
        Error::UnsupportedTag { tag, .. } => {
            Diagnostic::error("syntax", format!("the tag `{}` is not known here", crate::text::shown(tag)))
                .help("remove it; plans use plain YAML")
        }
        other => Diagnostic::error("syntax", format!("not YAML: {}", reason(&other.to_string()))),
    };
    match error.location() {
        Some(at) if at != Location::UNKNOWN => fault.at(source.place(&span(at, source))),
        _ => fault.at(crate::diagnostics::Place::file(&source.name)),
    }
}

/// The message without the place, which the diagnostic shows better.
fn reason(message: &str) -> String {
    let message = message.lines().next().unwrap_or_default();
    let message = message.split(" at line ").next().unwrap_or(message);
    let without = match message.split_once(": ") {
        Some((place, rest)) if place.starts_with("line ") => rest,
        _ => message,
    };
    crate::text::shown(without).into_owned()
}

fn span(at: Location, source: &Source) -> Span {
    let number = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let start = match at.span().byte_offset() {
        Some(start) => number(start).min(source.text.len()),
        // Some syntax errors come with line and column only.
        None => source.offset_of(number(at.line()), number(at.column())),
    };
    let length = number(at.span().byte_len().unwrap_or(0));
    Span {
        line: u32::try_from(at.line()).unwrap_or(u32::MAX),
        column: u32::try_from(at.column()).unwrap_or(u32::MAX),
        start,
        end: start.saturating_add(length).min(source.text.len()),
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
