//! From a path to what serves it: the catalog's routes and the reads beside them, as a tree walked segment by segment.
//!
//! In: the catalog. Out: for a path, the [`Served`] entries of its place and the ids in it. Must not: judge ids, know
//! what an action does, or look at anything but the path.

use std::borrow::Cow;
use std::sync::LazyLock;

use percent_encoding::percent_decode_str;

use super::kinds::Kind;
use super::{keys, kinds};
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
    /// Without `/$ref` at its end, the member itself goes, and not its membership.
    DeleteMember,
    ReadOne(TargetKind),
    ReadDevicesOfUser,
    /// The devices in the directory that a user owns.
    ReadOwnedDevices,
    ReadRegisteredOwners,
    ReadMembers,
    ReadPrimaryUser,
    ReadAll(TargetKind),
    /// How many things of a collection there are, as a number alone.
    Count(TargetKind),
    /// What is among the deleted items of the directory.
    ReadDeleted(TargetKind),
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

impl Endpoint {
    /// What a read shows, and whether it shows a list. `None`: it takes no options.
    pub(crate) fn shows(self) -> Option<(&'static Kind, bool)> {
        match self {
            Self::Perform { .. } | Self::DeleteMember | Self::ReadAny => None,
            Self::ReadOne(TargetKind::DeletedUser) => Some((&kinds::DIRECTORY_OBJECT, false)),
            Self::ReadDeleted(_) => Some((&kinds::DIRECTORY_OBJECT, true)),
            Self::ReadOne(kind) => Some((kinds::kind_of(kind), false)),
            Self::ReadAll(kind) | Self::Count(kind) => Some((kinds::kind_of(kind), true)),
            Self::ReadDevicesOfUser => Some((&kinds::DEVICE, true)),
            Self::ReadOwnedDevices | Self::ReadRegisteredOwners | Self::ReadMembers => {
                Some((&kinds::DIRECTORY_OBJECT, true))
            }
            Self::ReadPrimaryUser => Some((&kinds::USER, true)),
            Self::ReadOverview => Some((&kinds::OVERVIEW, false)),
            Self::ReadGroups => Some((&kinds::GROUP, true)),
            Self::ReadGroup => Some((&kinds::GROUP, false)),
            Self::ReadObject => Some((&kinds::DIRECTORY_OBJECT, false)),
            Self::ReadRecoveryKeys => Some((&kinds::RECOVERY_KEY, true)),
            Self::ReadLocalCredential => Some((&kinds::LOCAL_CREDENTIAL, false)),
        }
    }
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
    /// It is another property of the thing than its id: `devices(deviceId='…')`.
    pub alternate: Option<&'static str>,
}

#[derive(Debug)]
pub(super) struct FoundRoute<'p> {
    pub served: &'static [Served],
    pub ids: Vec<PathId<'p>>,
    /// The place as Graph writes it, with keys in brackets: `users('…')/managedDevices`.
    pub place: String,
}

#[derive(Debug, Default)]
struct RouteNode {
    literals: Vec<(&'static str, usize)>,
    id: Option<(IdName, usize)>,
    served: Vec<Served>,
}

#[derive(Debug)]
pub(super) struct Routes(Vec<RouteNode>);

static TABLE: LazyLock<Routes> = LazyLock::new(Routes::of_catalog);

/// What serves `path` (below the version), or the segment at which nobody does.
pub(super) fn find(path: &str) -> Result<FoundRoute<'_>, &str> {
    TABLE.find(path)
}

const COLLECTIONS: &[(&str, TargetKind)] = &[
    ("/deviceManagement/managedDevices", TargetKind::ManagedDevice),
    ("/deviceManagement/windowsAutopilotDeviceIdentities", TargetKind::AutopilotIdentity),
    ("/users", TargetKind::User),
    ("/devices", TargetKind::EntraDevice),
];

/// Source: Graph's page on advanced queries of directory objects.
const COUNTED: &[(&str, TargetKind)] =
    &[("/users/$count", TargetKind::User), ("/devices/$count", TargetKind::EntraDevice)];

/// Source: Graph's pages on deleted items, and Entra's on the soft deletion of devices, which are listed in beta only.
const DELETED: &[(&str, TargetKind, &[Version])] = &[
    ("/directory/deletedItems/microsoft.graph.user", TargetKind::User, &BOTH),
    ("/directory/deletedItems/microsoft.graph.device", TargetKind::EntraDevice, &[Version::Beta]),
];

/// Ids in whose place another property may stand. Source: Graph's pages on reading and deleting a device.
const ALTERNATES: &[(&str, &str)] = &[(ENTRA_DEVICE.name, "deviceId")];

/// Names of actions may be written in full. Source: OData; `graph` is the alias in Microsoft's schema.
const NAMESPACES: &[&str] = &["microsoft.graph.", "graph."];

impl Routes {
    fn of_catalog() -> Self {
        let mut routes = Self(vec![RouteNode::default()]);
        for (index, action) in ACTIONS.iter().enumerate() {
            for route in action.routes {
                routes.add_action(index, action, route);
            }
        }
        for (path, kind) in COLLECTIONS {
            routes.add(path, &[], "GET", &BOTH, Endpoint::ReadAll(*kind), bucket_of_reads(*kind));
        }
        for (path, kind, versions) in DELETED {
            routes.add(path, &[], "GET", versions, Endpoint::ReadDeleted(*kind), bucket_of_reads(*kind));
        }
        for (path, kind) in COUNTED {
            routes.add(path, &[], "GET", &BOTH, Endpoint::Count(*kind), bucket_of_reads(*kind));
        }
        let writes = Some(Bucket { service: &DIRECTORY, access: Access::Write });
        let member = "/groups/{groupId}/members/{memberId}";
        routes.add(member, &[GROUP, MEMBER], "DELETE", &BOTH, Endpoint::DeleteMember, writes);
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
        let versions = served_in(route.versions);
        self.add(route.path, route.ids, route.method.name(), versions, endpoint, bucket);
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
        self.add(resource, route.ids, "GET", versions, read, bucket);
        for ((end, _), id) in route.path.match_indices('}').zip(route.ids).filter(|(_, id)| id.home().is_none()) {
            let read = match id.name.ends_with("DeviceStateId") {
                // The run of a script on a device.
                true => Endpoint::ReadOne(action.target),
                false => Endpoint::ReadAny,
            };
            let place = self.reach(&route.path[..=end], route.ids);
            if self.0[place].served.iter().all(|served| served.method != "GET" || served.endpoint == read) {
                self.serve(place, "GET", versions, read, bucket);
            }
        }
        if action.target == TargetKind::User {
            let bucket = Some(Bucket { service: &INTUNE_OTHER, access: Access::Read });
            let node = self.reach(resource, route.ids);
            let node = self.literal(node, "managedDevices");
            self.serve(node, "GET", versions, Endpoint::ReadDevicesOfUser, bucket);
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
        self.0.push(RouteNode::default());
        let child = self.0.len() - 1;
        self.0[node].literals.push((segment, child));
        child
    }

    fn id(&mut self, node: usize, name: IdName) -> usize {
        if let Some((_, child)) = self.0[node].id {
            return child;
        }
        self.0.push(RouteNode::default());
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

    fn find<'p>(&'static self, path: &'p str) -> Result<FoundRoute<'p>, &'p str> {
        let mut walk = Walk { routes: self, node: 0, ids: Vec::with_capacity(2), place: String::new() };
        for segment in path.trim_matches('/').split('/') {
            walk.take(segment).ok_or(segment)?;
        }
        match self.0[walk.node].served.as_slice() {
            [] => Err(path.trim_matches('/').rsplit('/').next().unwrap_or(path)),
            served => Ok(FoundRoute { served, ids: walk.ids, place: walk.place }),
        }
    }
}

/// A path on its way through the tree.
struct Walk<'p> {
    routes: &'static Routes,
    node: usize,
    ids: Vec<PathId<'p>>,
    place: String,
}

impl<'p> Walk<'p> {
    /// One segment, which may carry a key: `users('$ada@contoso.com')` is how Graph wants a key that would otherwise be read
    /// as an operator.
    fn take(&mut self, segment: &'p str) -> Option<()> {
        let (name, key) = match segment.split_once('(').map(|(name, rest)| (name, rest.strip_suffix(')'))) {
            Some((name, Some(key))) => (name, Some(key)),
            _ => (segment, None),
        };
        let decoded = percent_decode_str(name).decode_utf8_lossy();
        match self.literal(&decoded) {
            Some((literal, child)) => {
                self.place.push_str(if self.place.is_empty() { "" } else { "/" });
                self.place.push_str(literal);
                self.node = child;
            }
            None if key.is_none() => self.id(decoded, None)?,
            None => return None,
        }
        match key {
            Some(key) => self.key(key),
            None => Some(()),
        }
    }

    /// Paths are matched without regard to case, with the namespace of a name or without it.
    fn literal(&self, segment: &str) -> Option<(&'static str, usize)> {
        let node = &self.routes.0[self.node];
        let is_it = |literal: &str| short(literal).eq_ignore_ascii_case(short(segment));
        node.literals.iter().find(|(literal, _)| is_it(literal)).copied()
    }

    /// What stands in brackets: `'key'`, or `property='key'` where another property may stand for the id.
    fn key(&mut self, key: &str) -> Option<()> {
        let (property, quoted) = match key.split_once('=') {
            Some((property, quoted)) if !property.contains('\'') => (Some(property), quoted),
            _ => (None, key),
        };
        let inside = quoted.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''))?;
        let value = percent_decode_str(inside).decode_utf8_lossy().replace("''", "'");
        let (name, _) = self.routes.0[self.node].id?;
        let alternate = match property {
            Some(property) => {
                let known = ALTERNATES.iter().find(|(id, known)| *id == name.name && *known == property);
                Some(known.map(|(_, known)| *known)?)
            }
            None => None,
        };
        self.id(Cow::Owned(value), alternate)
    }

    fn id(&mut self, value: Cow<'p, str>, alternate: Option<&'static str>) -> Option<()> {
        let (name, child) = self.routes.0[self.node].id?;
        self.place.push_str(&format!("('{value}')"));
        self.ids.push(PathId { name, value, alternate });
        self.node = child;
        Some(())
    }
}

/// A name without its namespace.
fn short(name: &str) -> &str {
    NAMESPACES.iter().find_map(|namespace| name.strip_prefix(namespace)).unwrap_or(name)
}

/// What is in v1.0 is in beta as well, whether or not we send it there. Source: Microsoft's beta SDK 1.66 has every path of
/// the directory that the catalog has in v1.0.
fn served_in(versions: &'static [Version]) -> &'static [Version] {
    if versions.contains(&Version::V1) { &BOTH } else { versions }
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
    fn places_are_found_in_any_case_and_under_full_names() {
        let path = "/DeviceManagement/manageddevices('x')/microsoft.graph.ReTire";
        assert_eq!(find(path).unwrap().place, "deviceManagement/managedDevices('x')/retire");
        assert!(find("/directory/deletedItems/graph.device").unwrap().ids.is_empty());
        let group = find("/groups/g/members/m/%24ref").unwrap();
        assert_eq!(group.place, "groups('g')/members('m')/$ref");
        let device = find("/devices(deviceId='d')").unwrap();
        assert_eq!((device.ids[0].alternate, &*device.ids[0].value), (Some("deviceId"), "d"));
        assert!(find("/devices(displayName='d')").is_err() && find("/devices('d'").is_err());
    }

    #[test]
    fn the_segment_that_nobody_serves_is_named() {
        assert_eq!(find("/deviceManagement/managedDevices/x/explode").unwrap_err(), "explode");
        assert_eq!(find("/deviceManagement").unwrap_err(), "deviceManagement");
        assert_eq!(find("/groups/g/members/m").unwrap().served[0].endpoint, Endpoint::DeleteMember);
    }
}
