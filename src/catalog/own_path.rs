//! What the path of an action of a plan's own may look like.
//!
//! In: method and path, as a template or filled. Out: why it is not about one target that guards see, if so. Pure. Must not: know
//! what the catalog does ([`super::disguise`] does).
//!
//! Sources: OData 4.01, URL Conventions; Microsoft's page "Remove member" of groups: without `/$ref` behind it, DELETE deletes the
//! member itself.

use super::actions::ACTIONS;
use super::disguise::{decoded, unqualified};
use super::route::Method;

/// There is one of each: what stands below is a name of Graph's, and no id.
const SINGLETONS: &[&str] = &[
    "admin",
    "auditlogs",
    "deviceappmanagement",
    "devicemanagement",
    "directory",
    "identity",
    "identitygovernance",
    "informationprotection",
    "me",
    "organization",
    "policies",
    "reports",
    "rolemanagement",
    "security",
    "tenantrelationships",
];

/// They lead to objects of their own, which other paths act on too.
const LINKS: &[&str] = &[
    "acceptedsenders",
    "assigneddevices",
    "createdobjects",
    "directreports",
    "manager",
    "memberof",
    "members",
    "owneddevices",
    "ownedobjects",
    "owners",
    "registereddevices",
    "registeredowners",
    "registeredusers",
    "rejectedsenders",
    "transitivememberof",
    "transitivemembers",
];

/// Behind it stands the link itself, and not what it leads to.
const LINK_ITSELF: &str = "$ref";

/// Whether a request on the path, which is a template, is about one target that an id in it names.
pub(super) fn is_about_one(method: Method, path: &str) -> Result<(), String> {
    let written: Vec<&str> = path.split('/').skip(1).collect();
    let parts: Vec<String> = written.iter().map(|part| decoded(part).to_lowercase()).collect();
    let last = parts.len().saturating_sub(1);
    for (at, part) in parts.iter().enumerate() {
        let follows = at.checked_sub(1).and_then(|at| parts.get(at)).map_or("", String::as_str);
        let before = at.checked_sub(1).and_then(|at| written.get(at)).copied().unwrap_or_default();
        let this = PathPart { part, follows, is_first: at == 0, is_last: at == last };
        if let Some(why) = this.is_wrong(method, written.get(at).copied().unwrap_or_default(), before) {
            return Err(why);
        }
    }
    Ok(())
}

/// A part of a path, in small letters.
struct PathPart<'p> {
    part: &'p str,
    /// What stands before it.
    follows: &'p str,
    is_first: bool,
    is_last: bool,
}

fn is_id(part: &str) -> bool {
    part.starts_with('{')
}

impl PathPart<'_> {
    /// `written`, `before`: the same, as the plan spells it.
    fn is_wrong(&self, method: Method, written: &str, before: &str) -> Option<String> {
        let Self { part, follows, is_first, is_last } = *self;
        let is_word = !is_id(part) && part != LINK_ITSELF;
        if unqualified(part) != part && is_last && method != Method::Post {
            return Some(format!("`{written}` is a type, which changes nothing: leave it out"));
        }
        if part.starts_with('$') && part != LINK_ITSELF {
            return Some(format!("`{written}` is an option of Graph's, and no target"));
        }
        if is_word && (is_collection(follows) || (is_last && LINKS.contains(&follows))) {
            return Some(format!(
                "`{written}` is done to the whole of `{before}`: a request is about one of them, by its id"
            ));
        }
        if is_id(part) && (is_first || SINGLETONS.contains(&follows) || is_id(follows)) {
            return Some(format!("`{written}` does not stand behind a collection of Graph's, such as `users`"));
        }
        let link = if is_id(part) { (follows, before) } else { (part, written) };
        if is_last && method != Method::Post && !is_first && LINKS.contains(&link.0) {
            let link = link.1;
            return Some(format!(
                "this changes or deletes what `{link}` leads to, and not the link, which ends in `/{LINK_ITSELF}`: name it by its own path"
            ));
        }
        None
    }
}

/// Whether a value is a name in Graph's paths: filled in, it would make another path.
pub(super) fn is_word_of_graph(value: &str) -> bool {
    let value = decoded(value).to_lowercase();
    let word = unqualified(&value);
    let is_known = |part: &str| part.eq_ignore_ascii_case(word);
    let parts = ACTIONS.iter().flat_map(|action| action.routes).flat_map(|route| route.path.split('/'));
    word != value
        || value.starts_with('$')
        || SINGLETONS.contains(&word)
        || LINKS.contains(&word)
        || parts.filter(|part| !part.is_empty() && !part.starts_with('{')).any(is_known)
}

/// Whether the catalog has things in it, by their ids.
fn is_collection(part: &str) -> bool {
    let paths = ACTIONS.iter().flat_map(|action| action.routes).map(|route| route.path.split('/'));
    let mut pairs = paths.flat_map(|parts| parts.clone().zip(parts.skip(1)));
    pairs.any(|(before, id)| id.starts_with('{') && before.eq_ignore_ascii_case(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_about_one_target_that_stands_in_it() {
        for (method, path) in [
            (Method::Delete, "/groups/{groupId}/members/{memberId}"),
            (Method::Patch, "/groups/{groupId}/members/{memberId}/microsoft.graph.user"),
            (Method::Delete, "/directory/administrativeUnits/{au}/members/{memberId}"),
            (Method::Delete, "/devices/{entraDeviceObjectId}/registeredUsers/{memberId}"),
            (Method::Patch, "/users/{userId}/manager"),
            (Method::Patch, "/users/{userId}/graph.user"),
            (Method::Delete, "/deviceManagement/windowsAutopilotDeploymentProfiles/{profile}/assignedDevices/{x}"),
            (Method::Post, "/deviceManagement/profiles/{profile}/assignedDevices/microsoft.graph.deleteDevices"),
            (Method::Post, "/users/{userId}/managedDevices/microsoft.graph.executeAction"),
            (Method::Post, "/deviceManagement/managedDevices/$each/poke/{x}"),
            (Method::Post, "/deviceManagement/{what}/deleteDevices"),
            (Method::Post, "/{a}/{b}/{c}"),
            (Method::Post, "/{x}/things/{y}"),
        ] {
            assert!(is_about_one(method, path).is_err(), "{path}");
        }
        for (method, path) in [
            (Method::Delete, "/groups/{groupId}/members/{memberId}/$ref"),
            (Method::Post, "/deviceManagement/managedDevices/{managedDeviceId}/poke"),
            (Method::Post, "/deviceManagement/managedDevices/{managedDeviceId}/microsoft.graph.poke"),
            (Method::Patch, "/deviceManagement/managedDevices/{managedDeviceId}/tags/{tagName}"),
            (Method::Post, "/users/{leaver}/handOver/{heir}"),
            (Method::Patch, "/users/{userId}"),
            (Method::Post, "/deviceAppManagement/mobileApps/{appId}/microsoft.graph.iosVppApp/assignLicense"),
        ] {
            assert_eq!(is_about_one(method, path), Ok(()), "{path}");
        }
    }

    #[test]
    fn a_word_of_graphs_is_no_id() {
        for word in
            ["wipe", "GRAPH.WIPE", "deleteDevices", "windowsAutopilotDeviceIdentities", "$batch", "me", "%77ipe"]
        {
            assert_eq!(is_word_of_graph(word), word != "deleteDevices", "{word}");
        }
        for id in ["7f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c11", "ada@contoso.com", "LAB-01", "blue"] {
            assert!(!is_word_of_graph(id), "{id}");
        }
    }
}
