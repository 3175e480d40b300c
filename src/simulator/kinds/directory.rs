//! What Entra keeps: users, devices, groups, and the secrets of devices.
//!
//! In: nothing. Out: tables. Must not: hold code.
//!
//! Sources: Graph's resource pages of user, device and group (which properties come unasked), and its page on advanced
//! queries of directory objects with the tables of operators and of sorting. `in` goes wherever `eq` goes; `ne`, `not`
//! and `endswith` take `ConsistencyLevel: eventual` and `$count=true`; `ge` and `le` only where a table has them.

use super::kind::Test::{EndsWith, Eq, Ge, In, Le, Ne, StartsWith};
use super::kind::{Expansion, Kind, KindProperty, Logic, Sorting, Test};
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
        KindProperty::new("id", Id).tested_in(PLAIN, NEGATED),
        KindProperty::new("businessPhones", EmptyList),
        KindProperty::new("displayName", Numbered("User ")).tested_in(TEXT, NEGATED).sorted(Sorting::Plain),
        KindProperty::new("givenName", Null).tested_in(ORDERED_TEXT, NEGATED),
        KindProperty::new("jobTitle", Null).tested_in(&[Eq, In, Ge, Le], NEGATED),
        KindProperty::new("mail", AtDomain("user-")).tested_in(ORDERED_TEXT, &[Ne, EndsWith]),
        KindProperty::new("mobilePhone", Null).tested_in(&[], &[Eq, Ne, Ge, Le, In, StartsWith]),
        KindProperty::new("officeLocation", Null).tested_in(&[], &[Eq, Ne, Ge, Le, In, StartsWith]),
        KindProperty::new("preferredLanguage", Null).tested_in(&[], &[Eq, Ne, Ge, Le, In, StartsWith]),
        KindProperty::new("surname", Null).tested_in(ORDERED_TEXT, NEGATED),
        KindProperty::new("userPrincipalName", AtDomain("user-"))
            .tested_in(&[Eq, In, StartsWith, Le], &[Ne, EndsWith])
            .sorted(Sorting::Plain),
        KindProperty::new("accountEnabled", Flag(true)).selected().tested_in(PLAIN, &[Ne, Ge, Le]),
        KindProperty::new(ALIASES, EmptyList).selected().tested_in(&[Eq, StartsWith, Ge, Le], &[EndsWith]),
        KindProperty::new(LICENCES, Licences).selected().tested(&[Eq]),
        KindProperty::new("createdDateTime", LongAgo).selected().tested_in(DATE, &[Ne, In]).sorted(Sorting::Advanced),
        KindProperty::new("department", Null).selected().tested_in(ORDERED_TEXT, NEGATED),
        KindProperty::new("usageLocation", Null).selected().tested_in(ORDERED_TEXT, NEGATED),
        KindProperty::new("userType", Text("Member")).selected().tested_in(PLAIN, NEGATED),
        KindProperty::new("onPremisesSyncEnabled", Null).selected().tested_in(PLAIN, &[Ne, Ge, Le]),
        KindProperty::new("signInSessionsValidFromDateTime", Hours(2_160)).selected(),
        KindProperty::new("deletedDateTime", Null).selected().tested_in(DATE, &[Ne, In]).sorted(Sorting::Advanced),
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
        KindProperty::new("id", Id).tested_in(PLAIN, NEGATED),
        KindProperty::new("deletedDateTime", Null).tested_in(DATE, &[Ne, In]).sorted(Sorting::Advanced),
        KindProperty::new("deviceId", Guid(4)).tested_in(TEXT, NEGATED),
        KindProperty::new("displayName", Numbered("PC-")).tested_in(ORDERED_TEXT, NEGATED).sorted(Sorting::Advanced),
        KindProperty::new("accountEnabled", Flag(true)).tested_in(PLAIN, NEGATED),
        KindProperty::new(
            "operatingSystem",
            OneOf(&["Windows", "Windows", "Windows", "IPhone", "MacMDM", "AndroidEnterprise"]),
        )
        .tested_in(ORDERED_TEXT, NEGATED),
        KindProperty::new("operatingSystemVersion", Text("10.0.26100.4652")).tested_in(ORDERED_TEXT, NEGATED),
        KindProperty::new("trustType", OneOf(&["AzureAd", "Workplace"])).tested_in(PLAIN, NEGATED),
        KindProperty::new("profileType", Text("RegisteredDevice")),
        KindProperty::new("isManaged", Flag(true)).tested_in(PLAIN, NEGATED),
        KindProperty::new("isCompliant", Flag(true)).tested_in(PLAIN, NEGATED),
        KindProperty::new("onPremisesSyncEnabled", Null).tested_in(PLAIN, NEGATED),
        KindProperty::new("approximateLastSignInDateTime", Hours(72))
            .tested_in(DATE, NEGATED)
            .sorted(Sorting::Advanced),
        KindProperty::new("registrationDateTime", LongAgo),
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
            KindProperty::new("id", Id).tested_in(PLAIN, NEGATED),
            KindProperty::new("displayName", Null).tested_in(ORDERED_TEXT, NEGATED).sorted(Sorting::Plain),
            KindProperty::new("securityEnabled", Flag(true)),
        ],
    )
};

/// Kept under the ids of its group and of itself.
pub(crate) static MEMBER: Kind =
    Kind::in_directory(TargetKind::GroupMember, "microsoft.graph.directoryObject", &[KindProperty::new("id", Id)]);

/// What stands for an object of the directory of whatever kind: `$select` may name what any of the kinds has.
pub(in crate::simulator) static DIRECTORY_OBJECT: Kind = Kind::in_directory(
    TargetKind::Other,
    "microsoft.graph.directoryObject",
    &[
        KindProperty::new("id", Id),
        KindProperty::new("displayName", Null),
        KindProperty::new("userPrincipalName", Null),
        KindProperty::new("mail", Null),
        KindProperty::new("deviceId", Null),
        KindProperty::new("accountEnabled", Null),
        KindProperty::new("operatingSystem", Null),
        KindProperty::new("trustType", Null),
        KindProperty::new("deletedDateTime", Null),
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
            KindProperty::new("id", Id),
            KindProperty::new("createdDateTime", Null),
            KindProperty::new("volumeType", Null),
            KindProperty::new("deviceId", Text("")).tested(&[Eq]),
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
            KindProperty::new("id", Id),
            KindProperty::new("deviceName", Null),
            KindProperty::new("lastBackupDateTime", Null),
            KindProperty::new("refreshDateTime", Null),
        ],
    )
};
