//! `actions:` of a plan: actions of its own, in the shape of the catalog's.
//!
//! In: the map. Out: actions, and faults. Must not: take over a name of the catalog, or let a plan say that an action
//! nobody has verified is harmless.

use super::json::json;
use crate::catalog::{
    Action, DefinedKind, DefinedParameter, Definition, METHODS, VERSIONS, is_name, is_parameter_name,
};
use crate::text::shown;
use crate::yaml::{Entry, Node, Reader, Value};

const KEYS: &[&str] = &["method", "version", "path", "body", "parameters", "success"];
const PARAMETER_KEYS: &[&str] = &["type", "required"];

/// Reads all of them; those with a fault are left out.
pub(super) fn read<'s>(node: &'s Node, reader: &mut Reader<'s, '_>) -> Vec<&'static Action> {
    let entries = reader.map(node, "`actions`").unwrap_or_default();
    entries.iter().filter_map(|entry| read_one(entry, reader)).collect()
}

fn read_one<'s>(entry: &Entry<'s>, reader: &mut Reader<'s, '_>) -> Option<&'static Action> {
    let named = is_free(entry, reader);
    let parts = reader.map_of(entry.value, "an action", KEYS)?;
    let mut whole = named;
    let (mut method, mut version, mut path, mut body) = (None, None, None, None);
    let (mut parameters, mut success) = (Vec::new(), Vec::new());
    for Entry { name, value, .. } in &parts {
        match *name {
            "method" => method = one_of(value, "`method`", &METHODS.map(|method| method.name()), reader),
            "version" => version = one_of(value, "`version`", &VERSIONS.map(|version| version.name()), reader),
            "path" => path = reader.text(value, "`path`").map(|text| (text, *value)),
            "body" => {
                body = read_body(value, reader);
                whole &= body.is_some();
            }
            "parameters" => match read_parameters(value, reader) {
                Some(read) => parameters = read,
                None => whole = false,
            },
            _ => match read_success(value, reader) {
                Some(read) => success = read,
                None => whole = false,
            },
        }
    }
    for key in ["method", "version", "path"].into_iter().filter(|key| !parts.iter().any(|part| part.name == *key)) {
        let message = format!("the action `{}` has no `{key}`", shown(entry.name));
        reader.fault(&entry.key.span, "missing-key", message, None);
    }
    let ((path, at), name) = (path?, entry.name.to_owned());
    if path.split('/').nth(1).is_some_and(|first| first.eq_ignore_ascii_case("me")) {
        let help = Some("write `/users/{userId}/…`".into());
        reader.fault(&at.span, "bad-action", "`/me` means the signed-in account, not a target", help);
        return None;
    }
    let path = path.to_owned();
    let definition = Definition { name, method: method?, version: version?, path, body, parameters, success };
    if !whole {
        return None;
    }
    definition.action().map_err(|reason| reader.fault(&at.span, "bad-action", reason, None)).ok()
}

/// Whether the name can be used.
fn is_free(entry: &Entry<'_>, reader: &mut Reader<'_, '_>) -> bool {
    let name = shown(entry.name);
    if Action::named(entry.name).is_some() {
        let message = format!("the catalog already has an action `{name}`");
        reader.fault(&entry.key.span, "bad-action", message, Some("use another name".into()));
        return false;
    }
    if !is_name(entry.name) {
        let message = format!("`{name}` is not a valid action name: use letters and digits, a letter first");
        reader.fault(&entry.key.span, "bad-action", message, None);
        return false;
    }
    true
}

fn one_of<'s>(node: &'s Node, what: &str, words: &[&str], reader: &mut Reader<'s, '_>) -> Option<String> {
    let text = reader.text(node, what)?;
    if words.contains(&text) {
        return Some(text.to_owned());
    }
    let message = format!("{what} must be one of {}, not `{}`", words.join(", "), shown(text));
    reader.fault(&node.span, "bad-action", message, None);
    None
}

fn read_body<'s>(node: &'s Node, reader: &mut Reader<'s, '_>) -> Option<serde_json::Value> {
    if !matches!(node.value, Value::Map(_)) {
        reader.wrong_type(node, "`body`", "a map", None);
        return None;
    }
    let body = json(node);
    if body.is_none() {
        let message = "the body contains a value that JSON cannot represent in the same way";
        let help = "use whole numbers, text in quotes, true, false, lists and maps";
        reader.fault(&node.span, "bad-action", message, Some(help.into()));
    }
    body
}

fn read_parameters<'s>(node: &'s Node, reader: &mut Reader<'s, '_>) -> Option<Vec<DefinedParameter>> {
    let entries = reader.map(node, "`parameters`")?;
    entries.iter().map(|entry| read_parameter(entry, reader)).collect()
}

/// `name: text`, which is required, or `name: { type: text, required: false }`.
fn read_parameter<'s>(entry: &Entry<'s>, reader: &mut Reader<'s, '_>) -> Option<DefinedParameter> {
    if !is_parameter_name(entry.name) {
        let message = format!(
            "`{}` is not a valid parameter name: use letters, digits, `@`, `.`, `_` and `-`",
            shown(entry.name)
        );
        reader.fault(&entry.key.span, "bad-action", message, None);
        return None;
    }
    let (mut kind, mut required) = (Some(entry.value), true);
    if matches!(entry.value.value, Value::Map(_)) {
        kind = None;
        for Entry { name, value, .. } in reader.map_of(entry.value, "a parameter", PARAMETER_KEYS)? {
            match (name, &value.value) {
                ("type", _) => kind = Some(value),
                (_, Value::Boolean(flag)) => required = *flag,
                _ => {
                    reader.wrong_type(value, "`required`", "true or false", None);
                    return None;
                }
            }
        }
    }
    let Some(kind) = kind else {
        reader.fault(&entry.key.span, "missing-key", format!("`{}` has no `type`", shown(entry.name)), None);
        return None;
    };
    let word = one_of(kind, "a parameter's type", &DefinedKind::ALL.map(|(word, _)| word), reader)?;
    let (_, kind) = DefinedKind::ALL.into_iter().find(|(known, _)| *known == word)?;
    Some(DefinedParameter { name: entry.name.to_owned(), kind, required })
}

fn read_success<'s>(node: &'s Node, reader: &mut Reader<'s, '_>) -> Option<Vec<u16>> {
    let items = reader.list(node, "`success`")?;
    if items.is_empty() {
        reader.fault(
            &node.span,
            "bad-action",
            "`success` is empty",
            Some("remove it; every 2xx then means success".into()),
        );
        return None;
    }
    items.iter().map(|item| reader.number(item, "a success code", 200, 299)).collect()
}
