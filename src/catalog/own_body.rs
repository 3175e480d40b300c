//! What the body of an action of a plan's own may hold: fixed values, parameters, and the ids of the target in braces.
//!
//! In: the body as the plan writes it. Out: the ids that stand in it, the body for one target, or why no guard would see what
//! it is about. Pure. Must not: take a parameter's value for a reference.

use serde_json::{Map, Value};

use super::id::{IdName, fold, id_named, is_name};

/// Properties by which calls on a whole collection name what they are about, folded.
const TARGETS: &[&str] = &[
    "ids",
    "deviceids",
    "manageddeviceids",
    "userids",
    "memberids",
    "objectids",
    "principalids",
    "groupids",
    "serialnumbers",
    "users",
    "devices",
    "manageddevices",
    "members",
    "owners",
];

/// Parts of the names of properties that name one target, folded.
const TARGET: &[&str] = &[
    "deviceid",
    "userid",
    "memberid",
    "objectid",
    "principalid",
    "groupid",
    "principalname",
    "upn",
    "serialnumber",
    "devicename",
    "imei",
];

/// Whether such a property names what the request is about.
pub(super) fn names_targets(name: &str) -> bool {
    TARGETS.contains(&fold(name).as_str()) || name == "@odata.id" || name.ends_with("@odata.bind")
}

/// A part of a text.
enum Part<'t> {
    Plain(&'t str),
    /// An id of the target, in braces.
    Id(&'t str),
}

/// `https://…/{userId}`; doubled braces are plain text.
fn parts(text: &str) -> Vec<Part<'_>> {
    let (mut parts, mut plain, mut at) = (Vec::new(), 0, 0);
    while let Some(open) = text[at..].find('{').map(|found| at + found) {
        let close = text[open..].find('}').map(|found| open + found);
        let name = close.map(|close| &text[open + 1..close]).filter(|name| is_name(name));
        let is_doubled = text[..open].ends_with('{') || close.is_some_and(|close| text[close + 1..].starts_with('}'));
        match (name, close) {
            (Some(name), Some(close)) if !is_doubled => {
                parts.push(Part::Plain(&text[plain..open]));
                parts.push(Part::Id(name));
                (plain, at) = (close + 1, close + 1);
            }
            _ => at = open + 1,
        }
    }
    parts.push(Part::Plain(&text[plain..]));
    parts
}

fn ids_in(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.extend(parts(text).into_iter().filter_map(|part| match part {
            Part::Id(name) => Some(name.to_owned()),
            Part::Plain(_) => None,
        })),
        Value::Array(items) => items.iter().for_each(|item| ids_in(item, found)),
        Value::Object(members) => members.values().for_each(|member| ids_in(member, found)),
        _ => {}
    }
}

/// Whether it stands for ids of the target and for nothing else: no id is written into it.
fn is_reference(value: &Value) -> bool {
    match value {
        Value::String(text) => {
            let parts = parts(text);
            let is_plain = |part: &Part<'_>| match part {
                Part::Plain(text) => !text.split(['/', '\'', '(', ')']).any(|word| uuid::Uuid::try_parse(word).is_ok()),
                Part::Id(_) => true,
            };
            parts.iter().any(|part| matches!(part, Part::Id(_))) && parts.iter().all(is_plain)
        }
        Value::Array(items) => !items.is_empty() && items.iter().all(is_reference),
        _ => false,
    }
}

/// Whether the body refers to ids of the target.
pub(super) fn refers(body: Option<&Value>) -> bool {
    let mut found = Vec::new();
    body.into_iter().for_each(|body| ids_in(body, &mut found));
    !found.is_empty()
}

/// The ids that stand in the body and not in the path; the last of all is the target. It is read in the place of its own.
pub(super) fn more_ids(body: Option<&Value>, in_path: &[IdName]) -> Result<Vec<IdName>, String> {
    let mut found = Vec::new();
    body.into_iter().for_each(|body| ids_in(body, &mut found));
    let mut more: Vec<IdName> = Vec::new();
    for name in found {
        if in_path.iter().chain(&more).any(|id| id.name == name) {
            continue;
        }
        match id_named(&name).filter(|id| id.name == name && id.home().is_some()) {
            Some(id) => more.push(id),
            None => {
                return Err(format!(
                    "{{{name}}} in the body is none of the ids in the path, nor one such as {{managedDeviceId}}, {{userId}} or {{groupId}}"
                ));
            }
        }
    }
    Ok(more)
}

/// The name of a property by which the body names targets that no guard sees, if there is one.
pub(super) fn names_unseen(body: &Value) -> Option<String> {
    match body {
        Value::Object(members) => members.iter().find_map(|(name, value)| {
            let is_about = names_targets(name) || TARGET.iter().any(|word| fold(name).contains(word));
            match is_about && !is_reference(value) {
                true => Some(name.clone()),
                false => names_unseen(value),
            }
        }),
        Value::Array(items) => items.iter().find_map(names_unseen),
        _ => None,
    }
}

/// The body for one target. `id`: what each name stands for.
pub(super) fn filled(body: &Value, id: &impl Fn(&str) -> Option<String>) -> Value {
    match body {
        Value::String(text) => {
            let part = |part: Part<'_>| match part {
                Part::Plain(text) => text.to_owned(),
                Part::Id(name) => id(name).unwrap_or_else(|| format!("{{{name}}}")),
            };
            Value::String(parts(text).into_iter().map(part).collect())
        }
        Value::Array(items) => items.iter().map(|item| filled(item, id)).collect(),
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| (name.clone(), filled(value, id)));
            Value::Object(members.collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

/// Whether `value` is that part of a body, as it stands in the plan or for some target.
pub(super) fn is_made_of(part: &Value, value: &Value) -> bool {
    match (part, value) {
        (Value::String(part), Value::String(text)) => part == text || is_text_of(&parts(part), text),
        (Value::Array(parts), Value::Array(items)) => {
            parts.len() == items.len() && parts.iter().zip(items).all(|(part, item)| is_made_of(part, item))
        }
        _ => part == value,
    }
}

fn is_text_of(parts: &[Part<'_>], text: &str) -> bool {
    match parts {
        [] => text.is_empty(),
        [Part::Plain(plain), rest @ ..] => text.strip_prefix(plain).is_some_and(|text| is_text_of(rest, text)),
        [Part::Id(_), rest @ ..] => {
            let ends = text.char_indices().map(|(at, c)| at + c.len_utf8());
            ends.into_iter().any(|end| is_text_of(rest, &text[end..]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_stands_in_braces_is_an_id_of_the_target() {
        let body =
            json!({ "@odata.id": "https://g/v1.0/directoryObjects/{memberId}", "note": "{{serial}} {a b}", "n": 1 });
        assert!(refers(Some(&body)) && !refers(Some(&json!({ "note": "{{serial}}" }))) && !refers(None));
        assert_eq!(more_ids(Some(&body), &[]).unwrap().iter().map(|id| id.name).collect::<Vec<_>>(), ["memberId"]);
        let one = filled(&body, &|name| (name == "memberId").then(|| "7f".to_owned()));
        assert_eq!(one["@odata.id"], "https://g/v1.0/directoryObjects/7f");
        assert_eq!(one["note"], "{{serial}} {a b}");
        assert!(is_made_of(&body["@odata.id"], &one["@odata.id"]) && is_made_of(&body["n"], &one["n"]));
        assert!(!is_made_of(&body["@odata.id"], &json!("https://g/v1.0/users/7f")));
        assert!(!is_made_of(&body["@odata.id"], &json!("https://g/v1.0/directoryObjects/")));
    }

    #[test]
    fn a_body_names_what_guards_see_and_nothing_else() {
        for body in [
            json!({ "deviceIds": ["7f"] }),
            json!({ "deviceIds": ["{managedDeviceId}", "7f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c11"] }),
            json!({ "@odata.id": "https://g/users/7f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c11" }),
            json!({ "a": [{ "manager@odata.bind": "https://g/users/{userId}/7f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c11" }] }),
            json!({ "userPrincipalName": "ada@contoso.com" }),
        ] {
            assert!(names_unseen(&body).is_some(), "{body}");
        }
        for body in [
            json!({ "deviceIds": ["{managedDeviceId}"] }),
            json!({ "@odata.id": "https://g/users('{userId}')" }),
            json!({ "@odata.type": "#microsoft.graph.thing", "reason": "x" }),
        ] {
            assert_eq!(names_unseen(&body), None, "{body}");
        }
        assert!(more_ids(Some(&json!({ "a": "{deviceTag}" })), &[]).unwrap_err().contains("{deviceTag}"));
    }
}
