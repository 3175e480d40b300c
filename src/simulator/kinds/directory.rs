//! What Entra keeps: users, devices, groups, and the secrets of devices.
//!
//! In: nothing. Out: tables. Must not: hold code.
//!
//! Sources: Graph's resource pages of user, device and group (which properties come unasked), and its page on advanced
//! queries of directory objects with the tables of operators and of sorting. `in` goes wherever `eq` goes; `ne`, `not`
//! and `endswith` take `ConsistencyLevel: eventual` and `$count=true`; `ge` and `le` only where a table has them.

use super::kind::Test::{EndsWith, Eq, Ge, In, Le, Ne, StartsWith};
use super::kind::{Expansion, Kind, Logic, Property, Sorting, Test};
use crate::catalog::TargetKind;
use crate::simulator::resources::Plausible::{
    AtDomain, EmptyList, Flag, Guid, Hours, Id, Licences, LongAgo, Null, Numbered, OneOf, Text,
};

/// The addresses of a user, of which there are several.
pub(in crate::simulator) const ALIASES: &str = "proxyAddresses";
/// The licences of a user, each of which is told apart by its `skuId`.
pub(in crate::simulator) const LICENCES: &str = "assignedLicenses";

const PLAIN: &[Test] = &[Eq, In];
const TEXT: &[Test] = &[Eq, In, StartsWith];
const ORDERED_TEXT: &[Test] = &[Eq, In, StartsWith, Ge, Le];
const DATE: &[Test] = &[Eq, Ge, Le];
const NEGATED: &[Test] = &[Ne];

pub(crate) static USER: Kind = Kind {
    kind: TargetKind::User,
    type_name: "microsoft.graph.user",
    properties: &[
        Property::new("id", Id).tested_in(PLAIN, NEGATED),
        Property::new("businessPhones", EmptyList),
        Property::new("displayName", Numbered("User ")).tested_in(TEXT, NEGATED).sorted(Sorting::Plain),
        Property::new("givenName", Null).tested_in(ORDERED_TEXT, NEGATED),
        Property::new("jobTitle", Null).tested_in(&[Eq, In, Ge, Le], NEGATED),
        Property::new("mail", AtDomain("user-")).tested_in(ORDERED_TEXT, &[Ne, EndsWith]),
        Property::new("mobilePhone", Null).tested_in(&[], &[Eq, Ne, Ge, Le, In, StartsWith]),
        Property::new("officeLocation", Null).tested_in(&[], &[Eq, Ne, Ge, Le, In, StartsWith]),
        Property::new("preferredLanguage", Null).tested_in(&[], &[Eq, Ne, Ge, Le, In, StartsWith]),
        Property::new("surname", Null).tested_in(ORDERED_TEXT, NEGATED),
        Property::new("userPrincipalName", AtDomain("user-"))
            .tested_in(&[Eq, In, StartsWith, Le], &[Ne, EndsWith])
            .sorted(Sorting::Plain),
        Property::new("accountEnabled", Flag(true)).selected().tested_in(PLAIN, &[Ne, Ge, Le]),
        Property::new(ALIASES, EmptyList).selected().tested_in(&[Eq, StartsWith, Ge, Le], &[EndsWith]),
        Property::new(LICENCES, Licences).selected().tested(&[Eq]),
        Property::new("createdDateTime", LongAgo).selected().tested_in(DATE, &[Ne, In]).sorted(Sorting::Advanced),
        Property::new("department", Null).selected().tested_in(ORDERED_TEXT, NEGATED),
        Property::new("usageLocation", Null).selected().tested_in(ORDERED_TEXT, NEGATED),
        Property::new("userType", Text("Member")).selected().tested_in(PLAIN, NEGATED),
        Property::new("onPremisesSyncEnabled", Null).selected().tested_in(PLAIN, &[Ne, Ge, Le]),
        Property::new("signInSessionsValidFromDateTime", Hours(2_160)).selected(),
        Property::new("deletedDateTime", Null).selected().tested_in(DATE, &[Ne, In]).sorted(Sorting::Advanced),
    ],
    silent: &[],
    indexed: &["userPrincipalName"],
    logic: Logic::Directory,
    expansions: &[Expansion::OwnedDevices],
};

/// Of what Entra knows of a device, everything comes unasked.
pub(crate) static ENTRA_DEVICE: Kind = Kind {
    kind: TargetKind::EntraDevice,
    type_name: "microsoft.graph.device",
    properties: &[
        Property::new("id", Id).tested_in(PLAIN, NEGATED),
        Property::new("deletedDateTime", Null).tested_in(DATE, &[Ne, In]).sorted(Sorting::Advanced),
        Property::new("deviceId", Guid(4)).tested_in(TEXT, NEGATED),
        Property::new("displayName", Numbered("PC-")).tested_in(ORDERED_TEXT, NEGATED).sorted(Sorting::Advanced),
        Property::new("accountEnabled", Flag(true)).tested_in(PLAIN, NEGATED),
        Property::new(
            "operatingSystem",
            OneOf(&["Windows", "Windows", "Windows", "IPhone", "MacMDM", "AndroidEnterprise"]),
        )
        .tested_in(ORDERED_TEXT, NEGATED),
        Property::new("operatingSystemVersion", Text("10.0.26100.4652")).tested_in(ORDERED_TEXT, NEGATED),
        Property::new("trustType", OneOf(&["AzureAd", "Workplace"])).tested_in(PLAIN, NEGATED),
        Property::new("profileType", Text("RegisteredDevice")),
        Property::new("isManaged", Flag(true)).tested_in(PLAIN, NEGATED),
        Property::new("isCompliant", Flag(true)).tested_in(PLAIN, NEGATED),
        Property::new("onPremisesSyncEnabled", Null).tested_in(PLAIN, NEGATED),
        Property::new("approximateLastSignInDateTime", Hours(72)).tested_in(DATE, NEGATED).sorted(Sorting::Advanced),
        Property::new("registrationDateTime", LongAgo),
    ],
    silent: &[
        "alternativeSecurityIds",
        "complianceExpirationDateTime",
        "deviceCategory",
        "deviceMetadata",
        "deviceOwnership",
        "deviceVersion",
        "enrollmentProfileName",
        "enrollmentType",
        "isManagementRestricted",
        "isRooted",
        "managementType",
        "manufacturer",
        "mdmAppId",
        "model",
        "onPremisesLastSyncDateTime",
        "onPremisesSecurityIdentifier",
        "physicalIds",
        "systemLabels",
    ],
    indexed: &["deviceId", "displayName"],
    logic: Logic::Directory,
    expansions: &[Expansion::RegisteredOwners],
};

/// Of a group only what it is called and who is in it is played.
pub(crate) static GROUP: Kind = Kind {
    expansions: &[Expansion::Members],
    silent: &[
        "classification",
        "createdDateTime",
        "description",
        "expirationDateTime",
        "groupTypes",
        "isAssignableToRole",
        "mail",
        "mailEnabled",
        "mailNickname",
        "membershipRule",
        "membershipRuleProcessingState",
        "onPremisesLastSyncDateTime",
        "onPremisesSyncEnabled",
        "preferredLanguage",
        "proxyAddresses",
        "renewedDateTime",
        "securityIdentifier",
        "theme",
        "visibility",
    ],
    ..Kind::in_directory(
        TargetKind::Other,
        "microsoft.graph.group",
        &[
            Property::new("id", Id).tested_in(PLAIN, NEGATED),
            Property::new("displayName", Null).tested_in(ORDERED_TEXT, NEGATED).sorted(Sorting::Plain),
            Property::new("securityEnabled", Flag(true)),
        ],
    )
};

/// Kept under the ids of its group and of itself.
pub(crate) static MEMBER: Kind =
    Kind::in_directory(TargetKind::GroupMember, "microsoft.graph.directoryObject", &[Property::new("id", Id)]);

/// What stands for an object of the directory of whatever kind: `$select` may name what any of the kinds has.
pub(in crate::simulator) static DIRECTORY_OBJECT: Kind = Kind::in_directory(
    TargetKind::Other,
    "microsoft.graph.directoryObject",
    &[
        Property::new("id", Id),
        Property::new("displayName", Null),
        Property::new("userPrincipalName", Null),
        Property::new("mail", Null),
        Property::new("deviceId", Null),
        Property::new("accountEnabled", Null),
        Property::new("operatingSystem", Null),
        Property::new("trustType", Null),
        Property::new("deletedDateTime", Null),
    ],
);

/// The list never holds a key. It knows one filter.
///
/// Source: Graph's page on listing BitLocker recovery keys.
pub(in crate::simulator) static RECOVERY_KEY: Kind = Kind {
    logic: Logic::OneClause,
    ..Kind::in_directory(
        TargetKind::Other,
        "microsoft.graph.bitlockerRecoveryKey",
        &[
            Property::new("id", Id),
            Property::new("createdDateTime", Null),
            Property::new("volumeType", Null),
            Property::new("deviceId", Text("")).tested(&[Eq]),
        ],
    )
};

/// Without `$select=credentials` it holds no password.
///
/// Source: Graph's page on reading a deviceLocalCredentialInfo.
pub(in crate::simulator) static LOCAL_CREDENTIAL: Kind = Kind {
    logic: Logic::OneClause,
    ..Kind::in_directory(
        TargetKind::Other,
        "microsoft.graph.deviceLocalCredentialInfo",
        &[
            Property::new("id", Id),
            Property::new("deviceName", Null),
            Property::new("lastBackupDateTime", Null),
            Property::new("refreshDateTime", Null),
        ],
    )
};
