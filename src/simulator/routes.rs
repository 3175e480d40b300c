//! From a path to what serves it: the catalog's routes and the reads beside them, as a tree walked segment by segment.
//!
//! In: the catalog. Out: for a path, the [`Served`] entries of its place and the ids in it. Must not: judge ids, know
//! what an action does, or look at anything but the path.

use std::borrow::Cow;
use std::sync::LazyLock;

use percent_encoding::percent_decode_str;

use super::keys;
use crate::catalog::{
    ACTIONS, Access, Action, Bucket, DIRECTORY, ENTRA_DEVICE, GROUP, INTUNE_OTHER, IdKind, IdName, MEMBER, Method,
    Route, TargetKind, USER, Version,
};

/// What a method does at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// Performs the action at this index of the catalog.
    Perform {
        action: usize,
    },
    ReadOne(TargetKind),
    ReadDevicesOfUser,
    /// The devices in the directory that a user owns.
    ReadOwnedDevices,
    ReadRegisteredOwners,
    ReadMembers,
    ReadPrimaryUser,
    ReadAll(TargetKind),
    /// How many devices are enrolled.
    ReadOverview,
    /// Groups by their name.
    ReadGroups,
    /// Whether there is such a group.
    ReadGroup,
    /// An object of the directory, of whatever kind.
    ReadObject,
    /// Something that is there unless the scenario says that it is missing.
    ReadAny,
    /// Which BitLocker keys are kept.
    ReadRecoveryKeys,
    /// Whether the password of a local administrator is kept.
    ReadLocalCredential,
}

/// One method of a place.
#[derive(Debug)]
pub(super) struct Served {
    pub method: &'static str,
    pub versions: Vec<Version>,
    pub endpoint: Endpoint,
    /// `None` where no documented allowance applies.
    pub bucket: Option<Bucket>,
}

/// An id that stood in a path, decoded.
#[derive(Debug, Clone)]
pub(super) struct PathId<'p> {
    pub name: IdName,
    pub value: Cow<'p, str>,
}

#[derive(Debug)]
pub(super) struct Found<'p> {
    pub served: &'static [Served],
    pub ids: Vec<PathId<'p>>,
}

#[derive(Debug, Default)]
struct Node {
    literals: Vec<(&'static str, usize)>,
    id: Option<(IdName, usize)>,
    served: Vec<Served>,
}

#[derive(Debug)]
pub(super) struct Routes(Vec<Node>);

static TABLE: LazyLock<Routes> = LazyLock::new(Routes::of_catalog);

/// What serves `path` (below the version), or the segment at which nobody does.
pub(super) fn find(path: &str) -> Result<Found<'_>, &str> {
    TABLE.find(path)
}

const COLLECTIONS: &[(&str, TargetKind)] = &[
    ("/deviceManagement/managedDevices", TargetKind::ManagedDevice),
    ("/deviceManagement/windowsAutopilotDeviceIdentities", TargetKind::AutopilotIdentity),
    ("/users", TargetKind::User),
    ("/devices", TargetKind::EntraDevice),
];

impl Routes {
    fn of_catalog() -> Self {
        let mut routes = Self(vec![Node::default()]);
        for (index, action) in ACTIONS.iter().enumerate() {
            for route in action.routes {
                routes.add_action(index, action, route);
            }
        }
        for (path, kind) in COLLECTIONS {
            routes.add(path, &[], "GET", &BOTH, Endpoint::ReadAll(*kind), bucket_of_reads(*kind));
        }
        let bucket = bucket_of_reads(TargetKind::ManagedDevice);
        routes.add("/deviceManagement/managedDeviceOverview", &[], "GET", &BOTH, Endpoint::ReadOverview, bucket);
        let bucket = bucket_of_reads(TargetKind::User);
        routes.add("/directoryObjects/{memberId}", &[MEMBER], "GET", &BOTH, Endpoint::ReadObject, bucket);
        routes.add("/groups/{groupId}", &[GROUP], "GET", &BOTH, Endpoint::ReadGroup, bucket);
        routes.add("/users/{userId}/ownedDevices", &[USER], "GET", &BOTH, Endpoint::ReadOwnedDevices, bucket);
        let owners = "/devices/{entraDeviceObjectId}/registeredOwners";
        routes.add(owners, &[ENTRA_DEVICE], "GET", &BOTH, Endpoint::ReadRegisteredOwners, bucket);
        routes.add("/groups", &[], "GET", &BOTH, Endpoint::ReadGroups, bucket);
        routes.add(keys::RECOVERY_KEYS, &[], "GET", &BOTH, Endpoint::ReadRecoveryKeys, bucket);
        let credential = "/directory/deviceLocalCredentials/{deviceId}";
        routes.add(credential, &[DEVICE_ID], "GET", &BOTH, Endpoint::ReadLocalCredential, bucket);
        routes
    }

    fn add_action(&mut self, index: usize, action: &'static Action, route: &'static Route) {
        let bucket = Some(Bucket { service: action.service, access: Access::Write });
        let endpoint = Endpoint::Perform { action: index };
        self.add(route.path, route.ids, route.method.name(), route.versions, endpoint, bucket);
        let bucket = bucket_of_reads(action.target);
        let without_last = |path: &'static str| path.rsplit_once('/').map_or(path, |(resource, _)| resource);
        let (resource, read) = match (route.method, route.path.strip_suffix("/$ref")) {
            (_, Some(member)) if action.target == TargetKind::GroupMember => {
                (without_last(member), Endpoint::ReadMembers)
            }
            (_, Some(users)) => (users, Endpoint::ReadPrimaryUser),
            (Method::Post, None) => (without_last(route.path), Endpoint::ReadOne(action.target)),
            (_, None) => (route.path, Endpoint::ReadOne(action.target)),
        };
        self.add(resource, route.ids, "GET", route.versions, read, bucket);
        for ((end, _), id) in route.path.match_indices('}').zip(route.ids).filter(|(_, id)| id.home().is_none()) {
            let read = match id.name.ends_with("DeviceStateId") {
                // The run of a script on a device.
                true => Endpoint::ReadOne(action.target),
                false => Endpoint::ReadAny,
            };
            let place = self.reach(&route.path[..=end], route.ids);
            if self.0[place].served.iter().all(|served| served.method != "GET" || served.endpoint == read) {
                self.serve(place, "GET", route.versions, read, bucket);
            }
        }
        if action.target == TargetKind::User {
            let bucket = Some(Bucket { service: &INTUNE_OTHER, access: Access::Read });
            let node = self.reach(resource, route.ids);
            let node = self.literal(node, "managedDevices");
            self.serve(node, "GET", route.versions, Endpoint::ReadDevicesOfUser, bucket);
        }
    }

    fn add(
        &mut self,
        path: &'static str,
        ids: &[IdName],
        method: &'static str,
        versions: &[Version],
        endpoint: Endpoint,
        bucket: Option<Bucket>,
    ) {
        let node = self.reach(path, ids);
        self.serve(node, method, versions, endpoint, bucket);
    }

    fn reach(&mut self, path: &'static str, ids: &[IdName]) -> usize {
        let mut ids = ids.iter();
        let mut node = 0;
        for segment in path.split('/').skip(1) {
            node = match (segment.starts_with('{'), ids.as_slice().first()) {
                (true, Some(id)) => {
                    ids.next();
                    self.id(node, *id)
                }
                _ => self.literal(node, segment),
            };
        }
        node
    }

    fn literal(&mut self, node: usize, segment: &'static str) -> usize {
        if let Some((_, child)) = self.0[node].literals.iter().find(|(literal, _)| *literal == segment) {
            return *child;
        }
        self.0.push(Node::default());
        let child = self.0.len() - 1;
        self.0[node].literals.push((segment, child));
        child
    }

    fn id(&mut self, node: usize, name: IdName) -> usize {
        if let Some((_, child)) = self.0[node].id {
            return child;
        }
        self.0.push(Node::default());
        let child = self.0.len() - 1;
        self.0[node].id = Some((name, child));
        child
    }

    /// Several routes of the catalog lead to the same read: its versions are all of theirs. Actions that differ in
    /// nothing but their body stand beside each other.
    fn serve(
        &mut self,
        node: usize,
        method: &'static str,
        versions: &[Version],
        endpoint: Endpoint,
        bucket: Option<Bucket>,
    ) {
        let served = &mut self.0[node].served;
        let same = |other: &Served| other.method == method && (method == "GET" || other.endpoint == endpoint);
        let at = served.iter().position(same).unwrap_or_else(|| {
            served.push(Served { method, versions: Vec::new(), endpoint, bucket });
            served.len() - 1
        });
        for version in versions {
            if !served[at].versions.contains(version) {
                served[at].versions.push(*version);
            }
        }
    }

    fn find<'p>(&'static self, path: &'p str) -> Result<Found<'p>, &'p str> {
        let mut node = 0;
        let mut ids = Vec::with_capacity(2);
        for segment in path.trim_matches('/').split('/') {
            // `users('$ada@contoso.com')` is how Graph wants a key that would otherwise be read as an operator.
            let (name, key) = match segment.split_once("('").map(|(name, rest)| (name, rest.strip_suffix("')"))) {
                Some((name, Some(key))) => (name, Some(key)),
                _ => (segment, None),
            };
            node = self.step(node, name, &mut ids).ok_or(segment)?;
            if let Some(key) = key {
                let (id, child) = self.0[node].id.ok_or(segment)?;
                let key = percent_decode_str(key).decode_utf8_lossy().replace("''", "'");
                ids.push(PathId { name: id, value: Cow::Owned(key) });
                node = child;
            }
        }
        match self.0[node].served.as_slice() {
            [] => Err(path.trim_matches('/').rsplit('/').next().unwrap_or(path)),
            served => Ok(Found { served, ids }),
        }
    }

    fn step<'p>(&self, node: usize, segment: &'p str, ids: &mut Vec<PathId<'p>>) -> Option<usize> {
        let node = &self.0[node];
        if let Some((_, child)) = node.literals.iter().find(|(literal, _)| *literal == segment) {
            return Some(*child);
        }
        let (name, child) = node.id?;
        ids.push(PathId { name, value: percent_decode_str(segment).decode_utf8_lossy() });
        Some(child)
    }
}

/// Entra's id of a device; no plan names anything by it in a path.
const DEVICE_ID: IdName = IdName { name: "deviceId", aliases: &[], kind: IdKind::Guid };

const BOTH: [Version; 2] = [Version::V1, Version::Beta];

/// Some of Intune's actions hang on users, which are not an Intune class for all that.
fn bucket_of_reads(kind: TargetKind) -> Option<Bucket> {
    let service = match kind {
        TargetKind::User => &DIRECTORY,
        kind => ACTIONS.iter().find(|action| action.target == kind)?.service,
    };
    Some(Bucket { service, access: Access::Read })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_of_the_catalog_is_found_with_its_ids() {
        for (index, action) in ACTIONS.iter().enumerate() {
            for route in action.routes {
                let path = route.ids.iter().fold(route.path.to_owned(), |path, id| {
                    path.replace(&format!("{{{}}}", id.name), &format!("value-of-{}", id.name))
                });
                let found = find(&path).unwrap();
                let served = found.served.iter().filter(|served| served.method == route.method.name());
                let performs = served.clone().any(|served| served.endpoint == Endpoint::Perform { action: index });
                assert!(performs, "{path}");
                let values: Vec<_> = found.ids.iter().map(|id| id.value.to_string()).collect();
                let expected: Vec<_> = route.ids.iter().map(|id| format!("value-of-{}", id.name)).collect();
                assert_eq!(values, expected);
            }
        }
    }

    #[test]
    fn keys_may_stand_in_parentheses_and_are_decoded() {
        let found = find("/users('$o''hara@c.com')/managedDevices").unwrap();
        assert_eq!(found.ids[0].value, "$o'hara@c.com");
        assert_eq!(find("/users/a%23EXT%23@c.com").unwrap().ids[0].value, "a#EXT#@c.com");
    }

    #[test]
    fn the_segment_that_nobody_serves_is_named() {
        assert_eq!(find("/deviceManagement/managedDevices/x/explode").unwrap_err(), "explode");
        assert_eq!(find("/deviceManagement").unwrap_err(), "deviceManagement");
        assert_eq!(find("/groups/g/members/m").unwrap_err(), "m", "without /$ref the member itself would go");
    }
}
