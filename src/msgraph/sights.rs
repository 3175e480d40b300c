//! What reads on the way to a run have shown: of which kind, and by which id.
//!
//! In: the path of a read and its document. Out: whether a target was among what was shown. Must not: take something for
//! shown whose kind the path does not tell: an id is that of one kind of thing.

use std::collections::HashSet;
use std::sync::{PoisonError, RwLock};

use serde_json::Value;

use crate::catalog::TargetKind;
use crate::job::Job;

/// By the last collection of a path, what its documents are.
const KINDS: &[(&str, TargetKind)] = &[
    ("managedDevices", TargetKind::ManagedDevice),
    ("windowsAutopilotDeviceIdentities", TargetKind::AutopilotIdentity),
    ("users", TargetKind::User),
    ("registeredOwners", TargetKind::User),
    ("devices", TargetKind::EntraDevice),
    ("ownedDevices", TargetKind::EntraDevice),
];

/// Things by their kind and their id in lower case.
#[derive(Debug, Default)]
pub struct Sights(RwLock<HashSet<(TargetKind, Box<str>)>>);

impl Sights {
    /// A read of that path, with or without a query, has shown the document, which is one thing or a list.
    pub fn note(&self, path: &str, document: &Value) {
        let Some(kind) = kind_of(path) else { return };
        let listed = document.get("value").and_then(Value::as_array);
        let things = listed.map_or(std::slice::from_ref(document), Vec::as_slice);
        let ids = things.iter().filter_map(|thing| thing.get("id")?.as_str());
        let mut seen = self.0.write().unwrap_or_else(PoisonError::into_inner);
        seen.extend(ids.map(|id| (kind, id.to_ascii_lowercase().into())));
    }

    /// Whether the job's target was shown.
    pub fn have(&self, job: &Job) -> bool {
        let target = (job.action.target, job.target().to_ascii_lowercase().into());
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains(&target)
    }
}

/// What the documents of a path are: of a collection, or the one of an id in it.
fn kind_of(path: &str) -> Option<TargetKind> {
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    let of = |segment: &str| KINDS.iter().find(|(name, _)| *name == segment).map(|(_, kind)| *kind);
    let mut segments = path.rsplit('/');
    let last = segments.next()?;
    of(last).or_else(|| of(segments.next()?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::catalog::Action;
    use crate::job::{Ids, JobParts};

    fn has(path: &str, document: Value, action: &str, id: &str) -> bool {
        let sights = Sights::default();
        sights.note(path, &document);
        sights.have(&Job::new(JobParts::plain(1, Action::named(action).unwrap(), Ids::new([id]))))
    }

    #[test]
    fn a_thing_is_shown_as_what_it_is() {
        const ID: &str = "7f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c11";
        let one = || json!({ "id": ID.to_ascii_uppercase() });
        let list = || json!({ "value": [{ "id": "another" }, one()] });
        for (path, document, action, expected) in [
            ("/deviceManagement/managedDevices?$top=9", list(), "wipe", true),
            ("/users/x/managedDevices?$filter=a/b", list(), "wipe", true),
            (&format!("/deviceManagement/managedDevices/{ID}"), one(), "wipe", true),
            ("/users", list(), "wipe", false),
            ("/users", list(), "disableUser", true),
            (&format!("/users/{ID}?$select=id"), one(), "disableUser", true),
            ("/devices/x/registeredOwners", list(), "disableUser", true),
            ("/devices/x/registeredOwners", list(), "deleteEntraDevice", false),
            ("/users/x/ownedDevices", list(), "deleteEntraDevice", true),
            ("/groups/x/members", list(), "disableUser", false),
            ("/directory/deviceLocalCredentials/x", one(), "wipe", false),
            ("/users", json!("x"), "disableUser", false),
            ("/users", json!({ "value": 7 }), "disableUser", false),
        ] {
            assert_eq!(has(path, document, action, ID), expected, "{path} {action}");
        }
    }
}
