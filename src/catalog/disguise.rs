//! Requests that do what an action of the catalog does, however their path is written.
//!
//! In: method and path of an action that a plan defines, as a template or filled, and what its body names. Out: the action of
//! the catalog that it is. Pure. Must not: let an action of a plan's own do under another name what a guard says of the
//! catalog's.
//!
//! Source: OData 4.01, URL Conventions: names may be qualified (`microsoft.graph.wipe`), types may stand between, keys may
//! stand in parentheses; Graph does not mind case.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::LazyLock;

use percent_encoding::percent_decode_str;

use super::action::Action;
use super::actions::ACTIONS;
use super::route::{Method, Route};

/// Collections that hold the same things.
const SAME: &[(&str, &str)] = &[("comanageddevices", "manageddevices")];

/// It holds everything that these hold.
const ANY_OBJECT: &str = "directoryobjects";
const OBJECTS: &[&str] = &["users", "devices", "groups"];

/// Verbs that other collections know too: the collection tells which is meant.
const COMMON: &[&str] = &["restore"];

/// The namespace, and its alias.
const QUALIFIERS: &[&str] = &["microsoft.graph.", "graph."];

/// A name without its namespace, in small letters.
pub(super) fn unqualified(name: &str) -> &str {
    QUALIFIERS.iter().find_map(|qualifier| name.strip_prefix(qualifier)).unwrap_or(name)
}

/// A route of the catalog, ready to be compared with.
struct KnownRoute {
    method: Method,
    action: &'static Action,
    /// What it does to its target, where it ends in a word for that.
    verb: Option<String>,
    /// From the collection of its first id on.
    segments: Vec<String>,
}

static VERBS: LazyLock<HashSet<String>> =
    LazyLock::new(|| ACTIONS.iter().flat_map(|action| action.routes).filter_map(verb).collect());

static KNOWN: LazyLock<Vec<KnownRoute>> = LazyLock::new(|| {
    let routes = ACTIONS.iter().flat_map(|action| action.routes.iter().map(move |route| (action, route)));
    let known = routes.map(|(action, route)| {
        let mut segments = segments(route.path);
        let first = segments.iter().position(|part| part.starts_with('{')).map_or(0, |at| at.saturating_sub(1));
        segments.drain(..first);
        let verb = verb(route).filter(|verb| !COMMON.contains(&verb.as_str()));
        KnownRoute { method: route.method, action, verb, segments }
    });
    known.collect()
});

/// The action of the catalog that such a request is. `names`: the properties that its body holds.
pub(super) fn disguised(method: Method, path: &str, names: &[&str]) -> Option<&'static Action> {
    let asked = segments(path);
    // What is put in place of the whole changes all of it.
    let like_method = if method == Method::Put { Method::Patch } else { method };
    let mut like = KNOWN.iter().filter(|known| known.method == like_method && is_like(&asked, known));
    like.find(|known| method != Method::Patch || changes(known.action, names)).map(|known| known.action)
}

/// What is behind a text that may be encoded more than once: a gateway may decode it as often.
pub(crate) fn decoded(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    for _ in 0..8 {
        let once = percent_decode_str(&text).decode_utf8_lossy().into_owned();
        if once == *text {
            break;
        }
        text = Cow::Owned(once);
    }
    text
}

/// The parts of a path in one spelling; an id in braces stays one.
fn segments(path: &str) -> Vec<String> {
    let path = decoded(path).to_lowercase();
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let mut found: Vec<String> = Vec::new();
    for part in path.split(['/', '\\', '(', ')']).map(|part| part.trim_matches([' ', '\'', '"'])) {
        match unqualified(part) {
            verb if verb != part && VERBS.contains(verb) => found.push(verb.to_owned()),
            // A type between two parts changes nothing.
            name if name != part => {}
            "" | "." => {}
            part => {
                let same = SAME.iter().find(|(other, _)| *other == part).map_or(part, |(_, one)| one);
                found.push(same.to_owned());
            }
        }
    }
    found
}

/// What a route does to its target, where it ends in a word for that.
fn verb(route: &Route) -> Option<String> {
    let last = route.path.rsplit('/').find(|part| !part.is_empty())?;
    let is_word = route.method == Method::Post && !last.starts_with(['{', '$']);
    is_word.then(|| last.to_lowercase())
}

fn is_like(asked: &[String], known: &KnownRoute) -> bool {
    match &known.verb {
        Some(verb) => asked.contains(verb),
        None => {
            let last = asked.len().checked_sub(known.segments.len()).map(|first| &asked[first..]);
            last.is_some_and(|last| last.iter().zip(&known.segments).all(|(asked, known)| same(asked, known)))
        }
    }
}

fn same(asked: &str, known: &str) -> bool {
    known.starts_with('{') || asked == known || (asked == ANY_OBJECT && OBJECTS.contains(&known))
}

/// Whether a body with these properties changes what the action changes.
fn changes(action: &Action, names: &[&str]) -> bool {
    let is_named = |known: &str| names.iter().any(|name| name.eq_ignore_ascii_case(known));
    let fixed = action.fixed_body.and_then(|body| serde_json::from_str::<serde_json::Value>(body).ok());
    let mut fixed = fixed.iter().filter_map(|body| body.as_object()).flat_map(|body| body.keys());
    fixed.any(|name| is_named(name)) || action.parameters.iter().any(|parameter| is_named(parameter.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(method: Method, path: &str, names: &[&str]) -> Option<&'static str> {
        disguised(method, path, names).map(|action| action.name)
    }

    #[test]
    fn an_action_of_the_catalog_is_known_however_it_is_written() {
        for path in [
            "/deviceManagement/managedDevices/{managedDeviceId}/wipe",
            "/deviceManagement/managedDevices/{managedDeviceId}/WIPE",
            "/deviceManagement/managedDevices/{managedDeviceId}/microsoft.graph.wipe",
            "/deviceManagement/comanagedDevices/{managedDeviceId}/Microsoft.Graph.Wipe",
            "/users/{userId}/managedDevices/{managedDeviceId}/wipe",
            "/deviceManagement/managedDevices/7f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c11/%77ipe",
            "/deviceManagement/managedDevices/7f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c11%252Fwipe",
            "/deviceManagement/managedDevices('7f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c11')/wipe()",
            "/deviceManagement/managedDevices/{x}/wipe/{y}",
        ] {
            assert_eq!(named(Method::Post, path, &[]), Some("wipe"), "{path}");
        }
        for (method, path, names, expected) in [
            (Method::Delete, "/users/{userId}/managedDevices/{managedDeviceId}", &[][..], Some("delete")),
            (Method::Delete, "/directoryObjects/{thing}", &[], Some("deleteUser")),
            (Method::Delete, "/Devices/{entraDeviceObjectId}", &[], Some("deleteEntraDevice")),
            (Method::Patch, "/users/{userId}", &["AccountEnabled"], Some("disableUser")),
            (Method::Patch, "/users/{userId}", &["jobTitle"], None),
            (Method::Put, "/users/{userId}", &["jobTitle"], Some("disableUser")),
            (Method::Post, "/directory/deletedItems/{x}/microsoft.graph.restore", &[], Some("restoreUser")),
            (Method::Post, "/sites/{siteId}/restore", &[], None),
            (Method::Patch, "/deviceManagement/managedDevices/{managedDeviceId}/tags/{tagName}", &["reason"], None),
            (Method::Post, "/deviceManagement/managedDevices/{managedDeviceId}/poke", &[], None),
            (Method::Delete, "/solutions/{thingId}/parts/{partId}/$ref", &[], None),
        ] {
            assert_eq!(named(method, path, names), expected, "{path}");
        }
    }

    #[test]
    fn every_route_of_the_catalog_is_known() {
        for action in ACTIONS {
            let fixed = action.fixed_body.unwrap_or("{}");
            let fixed: serde_json::Value = serde_json::from_str(fixed).unwrap();
            let mut names: Vec<&str> = fixed.as_object().unwrap().keys().map(String::as_str).collect();
            names.extend(action.parameters.iter().map(|parameter| parameter.name));
            for route in action.routes {
                assert!(disguised(route.method, route.path, &names).is_some(), "{} {}", action.name, route.path);
            }
        }
    }
}
