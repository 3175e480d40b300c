//! Actions that a plan defines itself.
//!
//! In: a [`Definition`], from a plan or from the journal of a run. Out: an [`Action`] like any other, but with the most
//! careful reading of everything that nobody has verified. Must not: let a definition loosen that reading.

use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use super::action::{Action, Gone, OncePer, ReadBack, Repeat, Risk, Success};
use super::actions::ACTIONS;
use super::bucket::{DIRECTORY, ENTRA_DEVICES, INTUNE_DEVICES, INTUNE_OTHER, Service};
use super::definition::{DefinedKind, DefinedParameter, Definition, METHODS, VERSIONS};
use super::disguise::disguised;
use super::id::{IdKind, IdName};
use super::id::{fold, id_named, is_name, selector_named};
use super::parameter::Parameter;
use super::route::{Method, Route, Version};
use super::target::TargetKind;
use super::{own_body, own_path};

/// Actions made so far: a process makes one for each definition, and keeps it.
static MADE: Mutex<Vec<&'static Action>> = Mutex::new(Vec::new());

/// Actions that one process may define: guards count targets by the action, and have room for so many.
const MOST: usize = 32;

/// Every action that was defined, in the order in which it first was.
pub(crate) fn defined() -> impl Iterator<Item = &'static Action> {
    MADE.lock().unwrap_or_else(PoisonError::into_inner).clone().into_iter()
}

impl Definition {
    /// The action, the same one whenever the definition is the same; or why there can be none.
    pub fn action(&self) -> Result<&'static Action, String> {
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = made.iter().find(|action| action.definition == Some(self)) {
            return Ok(known);
        }
        if made.len() >= MOST {
            return Err(format!("a plan defines {MOST} actions at most"));
        }
        let action: &'static Action = Box::leak(Box::new(self.make()?));
        made.push(action);
        Ok(action)
    }

    fn make(&self) -> Result<Action, String> {
        if let Some(known) = ACTIONS.iter().find(|action| action.name.eq_ignore_ascii_case(&self.name)) {
            return Err(format!("`{}` is an action of the catalog", known.name));
        }
        let own: &'static Definition = Box::leak(Box::new(self.clone()));
        let method = METHODS.into_iter().find(|method| method.name() == own.method);
        let version = VERSIONS.iter().position(|version| version.name() == own.version);
        let (Some(method), Some(version)) = (method, version) else {
            return Err("its method or version is not known".into());
        };
        if method == Method::Delete && (own.body.is_some() || !own.parameters.is_empty()) {
            return Err("a DELETE has no body, and so no parameters".into());
        }
        let mut ids = ids_of(&own.path)?;
        ids.extend(own_body::more_ids(own.body.as_ref(), &ids)?);
        let ids: &'static [IdName] = Box::leak(ids.into_boxed_slice());
        own_path::is_about_one(method, &own.path)?;
        own.is_about_its_target_alone()?;
        if let Some(known) = disguised(method, &own.path, &own.names()) {
            return Err(format!("this is what `{}` of the catalog does: use that action", known.name));
        }
        let route = Route { name: "own", method, path: &own.path, versions: &VERSIONS_APART[version], ids };
        let fixed_body = own.body.as_ref().map(|body| &*Box::leak(body.to_string().into_boxed_str()));
        Ok(Action {
            name: &own.name,
            summary: "Defined by the plan; nobody has verified it.",
            target: ids.last().map_or(TargetKind::Other, |id| kind_of(*id)),
            routes: Box::leak(Box::new([route])),
            parameters: Box::leak(own.parameters.iter().map(DefinedParameter::parameter).collect()),
            needs_one_of: &[],
            platforms: &[],
            fixed_body,
            permissions: &[],
            read_permission: None,
            risk: Risk::Destructive,
            repeat: Repeat::AfterReadBack,
            // Nobody but its author knows what its parameters do.
            once_per: OncePer::Parameters,
            read_back: ReadBack::Nobody,
            success: Success::Accepted,
            success_codes: &own.success,
            gone: Gone::Failed,
            service: service_of(&own.path),
            // It may be one of those that are: the reason goes along, and is ignored where nobody asks for it.
            approvable: true,
            // It may be such a one.
            locks_out: false,
            on_all_devices: ids.last().is_some_and(|id| kind_of(*id) == TargetKind::User),
            alters: &[],
            notes: &[],
            definition: Some(own),
        })
    }
}

impl Definition {
    /// Why it may not be sent with these ids, in the order of the path, if so: then it is another request than the one that it
    /// says it is.
    pub fn refuses(&self, ids: &[&str]) -> Option<String> {
        let method = METHODS.into_iter().find(|method| method.name() == self.method)?;
        if let Some(word) = ids.iter().find(|id| own_path::is_word_of_graph(id)) {
            return Some(format!("`{word}` is a word of Graph's paths, and no id"));
        }
        let mut ids = ids.iter().copied();
        let filled = self.path.split('/').map(|part| match part.starts_with('{') {
            true => ids.next().unwrap_or_default(),
            false => part,
        });
        let filled = filled.collect::<Vec<_>>().join("/");
        let known = disguised(method, &filled, &self.names())?;
        Some(format!("this is what `{}` of the catalog does: use that action", known.name))
    }

    /// The properties that its body holds, at the top.
    fn names(&self) -> Vec<&str> {
        let fixed = self.body.iter().filter_map(Value::as_object).flat_map(|body| body.keys());
        fixed.map(String::as_str).chain(self.parameters.iter().map(|parameter| parameter.name.as_str())).collect()
    }

    /// What a body names, no guard sees; but for the value of a parameter, which is compared as a target is, and the ids of the
    /// target itself.
    fn is_about_its_target_alone(&self) -> Result<(), String> {
        let mut parameters = self.parameters.iter().map(|parameter| &parameter.name);
        let named = parameters.find(|name| own_body::names_targets(name)).cloned();
        match self.body.as_ref().and_then(own_body::names_unseen).or(named) {
            None => Ok(()),
            Some(name) => Err(format!(
                "`{name}` in the body names targets, and no guard sees them there: a request is about the one in its path, and a fixed body may name it in braces"
            )),
        }
    }

    /// Whether each target has a body of its own.
    pub fn refers_to_ids(&self) -> bool {
        own_body::refers(self.body.as_ref())
    }
}

static VERSIONS_APART: [[Version; 1]; 2] = [[VERSIONS[0]], [VERSIONS[1]]];

impl DefinedParameter {
    fn parameter(&self) -> Parameter {
        let name = Box::leak(self.name.clone().into_boxed_str());
        let kind = self.kind.kind();
        Parameter {
            name,
            kind,
            required: self.required,
            beta_only: false,
            place: None,
            // Nobody knows what it means.
            acted_on: true,
            clearable: self.kind == DefinedKind::Text,
            summary: "Defined by the plan.",
        }
    }
}

/// The ids in a path, or what is wrong with it.
fn ids_of(path: &str) -> Result<Vec<IdName>, String> {
    let Some(below) = path.strip_prefix('/') else { return Err("a path starts with a slash".into()) };
    if VERSIONS.iter().any(|version| below.split('/').next() == Some(version.name())) {
        return Err("the version stands in `version`, not in the path".into());
    }
    let mut ids: Vec<IdName> = Vec::new();
    let mut before = "";
    for segment in below.split('/') {
        let follows = std::mem::replace(&mut before, segment);
        match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(name) => {
                let id = id_of(name, follows)?;
                if ids.iter().any(|other| other.name == id.name) {
                    return Err(format!("the id {{{name}}} is there twice"));
                }
                ids.push(id);
            }
            None if uuid::Uuid::try_parse(segment).is_ok() => {
                return Err(format!(
                    "`{segment}` is the id of one thing: a path has ids in braces, and each row names its own"
                ));
            }
            None if segment == "$batch" => return Err("one request is about one target: no $batch".into()),
            None if !is_literal(segment) => {
                return Err(format!("`{segment}` is neither letters, digits, `-`, `_`, `.`, `$` nor one id in braces"));
            }
            None => {}
        }
    }
    match ids.is_empty() {
        true => Err("the path needs an id in braces: {managedDeviceId}".into()),
        false => Ok(ids),
    }
}

fn is_literal(segment: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'$');
    !segment.is_empty() && segment.bytes().all(plain) && !segment.bytes().all(|byte| byte == b'.')
}

/// Words that a column or key of a target means something else by.
const TAKEN: [&str; 6] = ["id", "action", "route", "note", "notBefore", "with"];

/// `follows`: what stands before it. Who stands behind `users` is a user, and may be named by what is not an id.
fn id_of(name: &str, follows: &str) -> Result<IdName, String> {
    match id_named(name) {
        Some(known) if known.name == name => return Ok(known),
        Some(known) => return Err(format!("write {{{}}} for {{{name}}}", known.name)),
        None => {}
    }
    if let Some(selector) = selector_named(name) {
        return Err(format!("{{{}}} has to be looked up, and a path takes ids", selector.name));
    }
    if !is_name(name) || TAKEN.iter().any(|word| fold(word) == fold(name)) {
        return Err(format!("{{{name}}} cannot be the name of an id"));
    }
    let kind = if follows.eq_ignore_ascii_case("users") { IdKind::User } else { IdKind::Opaque };
    Ok(IdName { name: Box::leak(name.to_owned().into_boxed_str()), aliases: &[], kind })
}

/// What the catalog acts on by that id.
fn kind_of(id: IdName) -> TargetKind {
    let acts_on = |action: &&Action| action.routes.iter().any(|route| route.ids.last() == Some(&id));
    ACTIONS.iter().find(acts_on).map_or(TargetKind::Other, |action| action.target)
}

/// The allowance that the path belongs to; the smallest one where that is not known.
fn service_of(path: &str) -> &'static Service {
    const PLACES: &[(&str, &Service)] = &[
        ("/deviceManagement/managedDevices/", &INTUNE_DEVICES),
        ("/deviceManagement/comanagedDevices/", &INTUNE_DEVICES),
        ("/devices/", &ENTRA_DEVICES),
        ("/users/", &DIRECTORY),
        ("/groups/", &DIRECTORY),
        ("/directory/", &DIRECTORY),
    ];
    PLACES.iter().find(|(place, _)| path.starts_with(place)).map_or(&INTUNE_OTHER, |(_, service)| service)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::DefinedKind;
    use proptest::prelude::*;
    use serde_json::json;

    fn definition(method: &str, path: &str) -> Definition {
        Definition {
            name: "poke".into(),
            method: method.into(),
            version: "beta".into(),
            path: path.into(),
            body: None,
            parameters: Vec::new(),
            success: Vec::new(),
        }
    }

    fn fault(method: &str, path: &str) -> String {
        definition(method, path).action().unwrap_err()
    }

    #[test]
    fn an_action_of_a_plan_is_read_in_the_most_careful_way() {
        let poke = definition("POST", "/deviceManagement/managedDevices/{managedDeviceId}/poke").action().unwrap();
        assert_eq!(
            (poke.risk, poke.repeat, poke.read_back),
            (Risk::Destructive, Repeat::AfterReadBack, ReadBack::Nobody)
        );
        assert_eq!((poke.target, poke.service.name), (TargetKind::ManagedDevice, "intune-devices"));
        assert!(poke.is_unverified() && poke.routes[0].versions == [Version::Beta]);
        let odd = definition("DELETE", "/solutions/{thingId}/parts/{partId}/$ref").action().unwrap();
        assert_eq!((odd.target, odd.service.name), (TargetKind::Other, "intune-other"));
        assert_eq!(odd.routes[0].ids.iter().map(|id| id.kind).collect::<Vec<_>>(), [IdKind::Opaque; 2]);
        let leaver = definition("POST", "/users/{leaver}/handOver/{heir}").action().unwrap();
        let kinds: Vec<_> = leaver.routes[0].ids.iter().map(|id| id.kind).collect();
        assert_eq!(kinds, [IdKind::User, IdKind::Opaque], "whoever stands behind `users` is a user, and may be a name");
    }

    #[test]
    fn one_definition_is_one_action() {
        let one = definition("POST", "/users/{userId}/poke");
        assert!(std::ptr::eq(one.action().unwrap(), one.clone().action().unwrap()));
        let other = Definition { body: Some(json!({"a": 1})), ..one.clone() };
        assert_ne!(one.action().unwrap(), other.action().unwrap());
        assert_eq!(other.action().unwrap().fixed_body, Some(r#"{"a":1}"#));
    }

    #[test]
    fn a_path_that_could_mean_something_else_is_refused() {
        for (path, word) in [
            ("users/{userId}", "slash"),
            ("/beta/users/{userId}", "version"),
            ("/users/poke", "needs an id"),
            ("/deviceManagement/managedDevices/executeAction/{x}", "whole of"),
            ("/deviceManagement/poke", "needs an id"),
            ("/things/7f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c11/{part}", "id of one thing"),
            ("/deviceManagement/comanagedDevices/{managedDeviceId}/microsoft.graph.Retire", "`retire` of the catalog"),
            ("/users/{userId}/{userId}", "twice"),
            ("/users/{upn}", "write {userId}"),
            ("/devices/{serialNumber}", "looked up"),
            ("/things/{thing id}", "cannot be the name"),
            ("/things/{Note}", "cannot be the name"),
            ("/users/{userId}/poke?a=b", "neither"),
            ("/users/{userId}/../{groupId}", "neither"),
            ("/users//{userId}", "neither"),
            ("/users/x{userId}", "neither"),
            ("/users/%2e%2e/{userId}", "neither"),
            ("/$batch/{userId}", "$batch"),
        ] {
            assert!(fault("POST", path).contains(word), "{path}: {}", fault("POST", path));
        }
        assert!(fault("GET", "/users/{userId}").contains("method"));
        let named = Definition { name: "retire".into(), ..definition("POST", "/users/{userId}") };
        assert!(named.action().unwrap_err().contains("catalog"));
        let delete = Definition { body: Some(json!({})), ..definition("DELETE", "/users/{userId}") };
        assert!(delete.action().unwrap_err().contains("DELETE"));
    }

    #[test]
    fn a_definition_survives_the_journal() {
        let one = Definition {
            parameters: vec![DefinedParameter { name: "why".into(), kind: DefinedKind::Text, required: true }],
            success: vec![202],
            ..definition("POST", "/users/{userId}/poke")
        };
        let text = serde_json::to_string(&one).unwrap();
        assert_eq!(serde_json::from_str::<Definition>(&text).unwrap(), one);
    }

    proptest! {
        #[test]
        fn no_path_that_is_accepted_could_lead_elsewhere(path in r"(/([a-z.$]{0,6}|\{[a-zA-Z]{1,8}\}|[?#%:@ ]{1,2})){1,5}") {
            if let Ok(ids) = ids_of(&path) {
                prop_assert!(!ids.is_empty());
                for segment in path.split('/').skip(1) {
                    let id = segment.starts_with('{') && segment.ends_with('}');
                    prop_assert!(id || (is_literal(segment) && !["..", "."].contains(&segment)), "{}", path);
                    prop_assert!(!segment.contains(['?', '#', '%', ':', '@', ' ']), "{}", path);
                }
            }
        }
    }
}
