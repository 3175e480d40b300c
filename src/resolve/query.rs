//! The reads that looking up is made of.
//!
//! In: a kind of target, a selector, a value. Out: [`Get`]s, their literals quoted for OData and then percent-encoded.
//! Must not: believe the answers; a filter of the service only narrows what is read.
//!
//! Sources: Graph's list pages of managedDevice and windowsAutopilotDeviceIdentity. The latter knows no `eq`. Nobody
//! documents a filter on `imei`.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::catalog::{Access, Bucket, DIRECTORY, INTUNE_DEVICES, INTUNE_OTHER, Selector, SelectorForm, TargetKind};
use crate::identity;
use crate::msgraph::read_only::Get;

/// Records on a page of an inventory of Intune, at most.
pub(super) const PAGE: u64 = 1_000;

/// A collection that targets are found in.
struct Collection {
    kind: TargetKind,
    path: &'static str,
    /// Selectors by which the service filters exactly, and the properties that it knows them by.
    equal: &'static [(&'static str, &'static str)],
    /// Those by which it can only narrow.
    containing: &'static [(&'static str, &'static str)],
    /// Records on a page, at most.
    page: u64,
}

const COLLECTIONS: &[Collection] = &[
    Collection {
        kind: TargetKind::ManagedDevice,
        path: "/deviceManagement/managedDevices",
        equal: &[
            ("serialNumber", "serialNumber"),
            ("deviceName", "deviceName"),
            ("userPrincipalName", "userPrincipalName"),
            ("azureADDeviceId", "azureADDeviceId"),
        ],
        containing: &[],
        page: PAGE,
    },
    Collection {
        kind: TargetKind::AutopilotIdentity,
        path: "/deviceManagement/windowsAutopilotDeviceIdentities",
        equal: &[],
        containing: &[("serialNumber", "serialNumber")],
        page: PAGE,
    },
    Collection {
        kind: TargetKind::EntraDevice,
        path: "/devices",
        equal: &[("azureADDeviceId", "deviceId"), ("deviceName", "displayName"), ("entraDeviceObjectId", "id")],
        containing: &[],
        page: 999,
    },
    Collection {
        kind: TargetKind::User,
        path: "/users",
        equal: &[("userPrincipalName", "userPrincipalName"), ("mail", "mail")],
        containing: &[],
        page: 999,
    },
];

fn collection(kind: TargetKind) -> Option<&'static Collection> {
    COLLECTIONS.iter().find(|collection| collection.kind == kind)
}

/// The allowance that reads of that kind use up.
pub(super) fn bucket(kind: TargetKind) -> Bucket {
    let service = match kind {
        TargetKind::ManagedDevice => &INTUNE_DEVICES,
        TargetKind::User | TargetKind::EntraDevice => &DIRECTORY,
        _ => &INTUNE_OTHER,
    };
    Bucket { service, access: Access::Read }
}

/// Whether a single read can look up by that selector; otherwise the whole inventory has to be read.
pub(super) fn can_filter(kind: TargetKind, selector: &Selector) -> bool {
    let knows = |it: &Collection| it.equal.iter().chain(it.containing).any(|(name, _)| *name == selector.name);
    let alone = matches!(selector.form, SelectorForm::DevicesOfUser | SelectorForm::OwnId);
    alone || collection(kind).is_some_and(knows)
}

/// The read that gives everything with that value, and maybe more.
pub(super) fn single(kind: TargetKind, selector: &Selector, value: &str) -> Option<Get> {
    let collection = collection(kind)?;
    let select = select(collection);
    let name = match selector.form {
        SelectorForm::OwnId => {
            let id = utf8_percent_encode(value.trim(), NON_ALPHANUMERIC);
            let select = select.trim_end_matches('&');
            return Some(Get::one(format!("{}/{id}?{select}", collection.path)));
        }
        SelectorForm::DevicesOfUser if !value.contains('@') => {
            let user = utf8_percent_encode(value, NON_ALPHANUMERIC);
            return Some(Get::below(format!("/users/{user}/managedDevices?{}$top={PAGE}", select)));
        }
        SelectorForm::DevicesOfUser => "userPrincipalName",
        _ => selector.name,
    };
    let quoted = format!("'{}'", value.trim().replace('\'', "''"));
    let property = |names: &[(&str, &'static str)]| names.iter().find(|(known, _)| *known == name).map(|(_, it)| *it);
    let test = match property(collection.containing) {
        Some(property) => format!("contains({property},{quoted})"),
        None => format!("{} eq {quoted}", property(collection.equal)?),
    };
    let path = collection.path;
    Some(Get::new(format!("{path}?{select}$filter={}", utf8_percent_encode(&test, NON_ALPHANUMERIC))))
}

/// The read of one thing by its id.
pub(super) fn by_id(kind: TargetKind, id: &str) -> Option<Get> {
    let collection = collection(kind)?;
    let query = select(collection);
    let (id, query) = (utf8_percent_encode(id.trim(), NON_ALPHANUMERIC), query.trim_end_matches('&'));
    let between = if query.is_empty() { "" } else { "?" };
    Some(Get::one(format!("{}/{id}{between}{query}", collection.path)))
}

/// The read that gives everything of which that property has that value, and maybe more.
pub(super) fn with_value(kind: TargetKind, property: &str, value: &str) -> Option<Get> {
    let collection = collection(kind)?;
    let quoted = format!("'{}'", value.trim().replace('\'', "''"));
    let test = match collection.containing.iter().any(|(_, known)| *known == property) {
        true => format!("contains({property},{quoted})"),
        false => format!("{property} eq {quoted}"),
    };
    let filter = utf8_percent_encode(&test, NON_ALPHANUMERIC);
    Some(Get::new(format!("{}?{}$filter={filter}", collection.path, select(collection))))
}

/// The users whom mail reaches by that address, whatever they are called. It takes `User.Read.All`.
pub(super) fn with_alias(address: &str) -> Option<Get> {
    let collection = collection(TargetKind::User)?;
    let test = format!("proxyAddresses/any(x:x eq 'smtp:{}')", address.trim().replace('\'', "''"));
    let filter = utf8_percent_encode(&test, NON_ALPHANUMERIC);
    Some(Get::new(format!("{}?$select={}&$filter={filter}", collection.path, with_addresses(collection))))
}

fn with_addresses(collection: &Collection) -> String {
    let names = identity::properties(collection.kind).iter().copied().chain(["proxyAddresses"]);
    names.collect::<Vec<_>>().join(",")
}

/// The first page of all users, with every address of theirs. It takes `User.Read.All`.
pub(super) fn whole_with_aliases() -> Option<Get> {
    let collection = collection(TargetKind::User)?;
    let (path, select, page) = (collection.path, with_addresses(collection), collection.page);
    Some(Get::new(format!("{path}?$select={select}&$top={page}")))
}

/// The devices that a user has in Intune.
pub(super) fn devices_of(user: &str) -> Option<Get> {
    let collection = collection(TargetKind::ManagedDevice)?;
    let user = utf8_percent_encode(user, NON_ALPHANUMERIC);
    Some(Get::below(format!("/users/{user}/managedDevices?{}$top={PAGE}", select(collection))))
}

/// Whose a device object in the directory is, with the properties that come unasked.
pub(super) fn owners_of(device: &str) -> Get {
    Get::below(format!("/devices/{}/registeredOwners?$top=999", utf8_percent_encode(device, NON_ALPHANUMERIC)))
}

/// The device objects in the directory that a user owns, with the properties that come unasked.
pub(super) fn owned_by(user: &str) -> Get {
    Get::below(format!("/users/{}/ownedDevices?$top=999", utf8_percent_encode(user, NON_ALPHANUMERIC)))
}

/// The first page of everything.
pub(super) fn whole(kind: TargetKind) -> Option<Get> {
    let collection = collection(kind)?;
    Some(Get::new(format!("{}?{}$top={page}", collection.path, select(collection), page = collection.page)))
}

/// How many devices there are.
pub(super) fn fleet() -> Get {
    Get::new("/deviceManagement/managedDeviceOverview?$select=enrolledDeviceCount".into())
}

/// The direct members of a group, with the properties that come unasked: those of devices cannot be selected here.
pub(super) fn members(group: &str) -> Get {
    Get::below(format!("/groups/{}/members?$top=999", utf8_percent_encode(group, NON_ALPHANUMERIC)))
}

/// The groups of that name, and nothing but them: the directory compares whole names.
pub(super) fn groups_named(name: &str) -> Get {
    let test = format!("displayName eq '{}'", name.trim().replace('\'', "''"));
    Get::new(format!("/groups?$select=id,displayName&$filter={}", utf8_percent_encode(&test, NON_ALPHANUMERIC)))
}

/// `$select=…&`, or nothing where the collection takes none.
fn select(collection: &Collection) -> String {
    let names = identity::properties(collection.kind);
    if names.is_empty() { String::new() } else { format!("$select={}&", names.join(",")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{PRINCIPAL_NAME, selector_named};

    #[test]
    fn literals_are_quoted_and_then_encoded() {
        let path = |name: &str, value: &str| {
            let get = single(TargetKind::ManagedDevice, selector_named(name).unwrap(), value).unwrap();
            get.path().split_once("$filter=").unwrap().1.to_owned()
        };
        assert_eq!(path("deviceName", "O'Brien & Söhne"), "deviceName%20eq%20%27O%27%27Brien%20%26%20S%C3%B6hne%27");
        assert_eq!(
            path("serialNumber", "a' or 'a' eq 'a"),
            "serialNumber%20eq%20%27a%27%27%20or%20%27%27a%27%27%20eq%20%27%27a%27"
        );
        let guest = single(TargetKind::ManagedDevice, &PRINCIPAL_NAME, "a_b.c#EXT#@d.com").unwrap();
        assert!(
            guest.path().ends_with("userPrincipalName%20eq%20%27a%5Fb%2Ec%23EXT%23%40d%2Ecom%27"),
            "{}",
            guest.path()
        );
    }

    #[test]
    fn autopilot_is_asked_for_what_it_understands() {
        let serial = selector_named("serialNumber").unwrap();
        let get = single(TargetKind::AutopilotIdentity, serial, "5CG1").unwrap();
        assert_eq!(
            get.path(),
            "/deviceManagement/windowsAutopilotDeviceIdentities?$filter=contains%28serialNumber%2C%275CG1%27%29"
        );
        assert!(!can_filter(TargetKind::AutopilotIdentity, selector_named("azureADDeviceId").unwrap()));
        assert!(!can_filter(TargetKind::ManagedDevice, selector_named("imei").unwrap()));
    }
}
