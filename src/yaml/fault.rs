//! What the YAML parser stops at, as a fault with a place and a remedy.
//!
//! In: an error of the parser, what was read. Out: a [`Diagnostic`]. Must not: know what the file is for, beyond what its
//! [`FileKind`] says.

use serde_yaml::budget::BudgetBreach;
use serde_yaml::{Error, Location};

use crate::diagnostics::{Diagnostic, Place, did_you_mean};
use crate::source::{Source, Span};
use crate::text::{Medium, harmless, shown};

/// Nodes of one document, at most: six for each of the targets that fit into the largest file.
pub(super) const MAX_NODES: usize = 2_000_000;
pub(super) const MAX_DEPTH: usize = 32;

/// What a file is, in messages about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileKind {
    /// `a plan`
    pub name: &'static str,
    /// What to do if it is too large.
    pub too_large: &'static str,
}

/// What stopped the parser.
pub(super) fn describe(error: &Error, source: &Source, kind: &FileKind) -> Diagnostic {
    let fault = match error {
        Error::Budget { breach: BudgetBreach::Depth { .. }, .. } => {
            Diagnostic::error("too-deep", format!("the YAML is nested more than {MAX_DEPTH} levels deep"))
        }
        Error::Budget { breach: BudgetBreach::Nodes { .. } | BudgetBreach::Events { .. }, .. } => {
            Diagnostic::error("too-large", format!("the YAML has more than {MAX_NODES} values")).help(kind.too_large)
        }
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. }
        | Error::RecursiveReferencesRequireWeakTypes { .. } => Diagnostic::error(
            "alias-bomb",
            format!("the aliases of this YAML stand for more than {} can hold", kind.name),
        )
        .help(format!("write the values out; if that is too large, {}", kind.too_large)),
        Error::AliasError { error, .. } => return describe(error, source, kind),
        Error::MultipleDocuments { .. } => {
            Diagnostic::error("syntax", format!("{} is one YAML document, this file has more", kind.name))
                .help("remove the `---`, or make one file of each")
        }
        Error::UnsupportedTag { tag, .. } => {
            Diagnostic::error("syntax", format!("the tag `{}` is not known here", shown(tag)))
                .help("remove it; plain YAML has none")
        }
        other => Diagnostic::error("syntax", format!("not YAML: {}", shown(&reason(&other.to_string())))),
    };
    at_its_place(fault, error, source)
}

fn at_its_place(fault: Diagnostic, error: &Error, source: &Source) -> Diagnostic {
    match error.location() {
        Some(at) if at != Location::UNKNOWN => fault.at(source.place(&span(at, source))),
        _ => fault.at(Place::file(&source.name)),
    }
}

/// Why the values of a file are not what its type wants; anything else is what stops the parser.
pub(super) fn of_values(error: &Error, source: &Source, kind: &FileKind) -> Diagnostic {
    let fault = match error {
        Error::AliasError { error, .. } => return of_values(error, source, kind),
        Error::SerdeUnknownField { field, expected, .. } => unknown_key(field, expected, kind),
        Error::SerdeMissingField { field, .. } => {
            Diagnostic::error("missing-key", format!("the key `{field}` is missing"))
        }
        Error::DuplicateMappingKey { key, .. } => {
            let key = key.as_deref().map_or("a key".to_owned(), |key| format!("the key `{}`", shown(key)));
            Diagnostic::error("duplicate-key", format!("{key} appears twice")).help("keep one of them")
        }
        Error::SerdeUnknownVariant { variant, expected, .. } => {
            Diagnostic::error("bad-value", format!("`{}` is not known here", shown(variant)))
                .help(known(variant, expected))
        }
        Error::InvalidScalar { ty, .. } => {
            let wanted = match ty.as_bytes().first() {
                Some(b'u' | b'i') => "a whole number, or it is too large",
                Some(b'f') => "a number",
                _ => ty,
            };
            Diagnostic::error("bad-value", format!("this is not {wanted}"))
        }
        Error::Message { .. }
        | Error::Unexpected { .. }
        | Error::InvalidBooleanStrict { .. }
        | Error::NullIntoString { .. }
        | Error::TaggedScalarCannotDeserializeIntoString { .. }
        | Error::NonFiniteFloat { .. }
        | Error::SerdeInvalidType { .. }
        | Error::SerdeInvalidValue { .. }
        | Error::SerdeInvalidLength { .. }
        | Error::SerdeVariantId { .. }
        | Error::ExternallyTaggedEnumExpectedScalarOrMapping { .. }
        | Error::ExpectedStringKeyForExternallyTaggedEnum { .. }
        | Error::UnexpectedValueForUnitEnumVariant { .. } => Diagnostic::error("bad-value", reason(&error.to_string())),
        _ => return describe(error, source, kind),
    };
    at_its_place(fault, error, source)
}

fn unknown_key(field: &str, expected: &[&str], kind: &FileKind) -> Diagnostic {
    let message = format!("{} has no key `{}` here", kind.name, shown(field));
    Diagnostic::error("unknown-key", message).help(known(field, expected))
}

/// The word that was meant, or all of them.
pub(super) fn known(wrong: &str, words: &[&str]) -> String {
    match did_you_mean(wrong, words.iter().copied()) {
        Some(word) => format!("did you mean `{word}`?"),
        None => format!("known are {}", words.join(", ")),
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
    harmless(without, Medium::Message).into_owned()
}

/// Where the parser says that something is.
pub(super) fn span(at: Location, source: &Source) -> Span {
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
