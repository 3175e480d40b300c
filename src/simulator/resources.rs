//! The kinds of things a tenant holds: their properties, and a plausible value for each.
//!
//! In: an id. Out: values that look real and are always the same for the same id. Must not: remember anything.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::clock::iso_date;
use crate::catalog::TargetKind;

/// How a property that nobody has set is made up.
#[derive(Debug, Clone, Copy)]
pub(super) enum Plausible {
    Id,
    Text(&'static str),
    OneOf(&'static [&'static str]),
    /// The prefix and ten characters that follow from the id.
    Numbered(&'static str),
    /// A name at the tenant's domain.
    AtDomain(&'static str),
    /// A GUID that follows from the id and this number.
    Guid(u64),
    Flag(bool),
    /// Some time in the last so many hours.
    Hours(u64),
    /// Some time in 2024 or 2025: the same whenever the tenant was started.
    LongAgo,
    EmptyList,
    /// `assignedLicenses`: two that many tenants have.
    Licences,
}

use Plausible::{AtDomain, EmptyList, Flag, Guid, Hours, Id, Licences, LongAgo, Numbered, OneOf, Text};

/// Microsoft 365 E3, and Enterprise Mobility + Security E3.
pub(super) const SKUS: [&str; 2] = ["05e9a617-0261-4cee-bb44-138d3ef5d965", "efccb6f7-5641-4e0e-bd10-b4976e1bf68e"];

/// `assignedLicenses` that holds those.
pub(super) fn licences<'a>(skus: impl IntoIterator<Item = &'a str>) -> Value {
    skus.into_iter().map(|sku| json!({ "disabledPlans": [], "skuId": sku })).collect()
}

/// One kind of thing.
#[derive(Debug)]
pub(super) struct Kind {
    pub kind: TargetKind,
    pub type_name: &'static str,
    pub properties: &'static [(&'static str, Plausible)],
    /// Properties under which things are looked up so often that an index is kept.
    pub indexed: &'static [&'static str],
}

pub(super) const RESULTS: &str = "deviceActionResults";

pub(super) static DEVICE: Kind = Kind {
    kind: TargetKind::ManagedDevice,
    type_name: "microsoft.graph.managedDevice",
    properties: &[
        ("id", Id),
        ("userId", Guid(1)),
        ("deviceName", Numbered("PC-")),
        ("managedDeviceName", Numbered("managed_PC-")),
        ("managedDeviceOwnerType", Text("company")),
        ("managementState", Text("managed")),
        ("enrolledDateTime", LongAgo),
        ("lastSyncDateTime", Hours(72)),
        ("operatingSystem", OneOf(&["Windows", "Windows", "Windows", "iOS", "macOS", "Android", "ChromeOS"])),
        ("osVersion", Text("10.0.26100.4652")),
        ("complianceState", Text("compliant")),
        ("managementAgent", Text("mdm")),
        ("deviceEnrollmentType", Text("windowsAzureADJoin")),
        ("deviceRegistrationState", Text("registered")),
        ("azureADRegistered", Flag(true)),
        ("azureADDeviceId", Guid(2)),
        ("isSupervised", Flag(false)),
        ("isEncrypted", Flag(true)),
        ("emailAddress", AtDomain("user-")),
        ("userPrincipalName", AtDomain("user-")),
        ("userDisplayName", Numbered("User ")),
        ("model", OneOf(&["EliteBook 840", "Latitude 5450", "ThinkPad T14"])),
        ("manufacturer", OneOf(&["HP", "Dell Inc.", "LENOVO"])),
        ("imei", Text("")),
        ("serialNumber", Numbered("SN")),
        ("notes", Text("")),
        ("simulatorState", Text("")),
        (RESULTS, EmptyList),
    ],
    indexed: &["serialNumber", "deviceName", "userPrincipalName", "azureADDeviceId", "imei"],
};

pub(super) static IDENTITY: Kind = Kind {
    kind: TargetKind::AutopilotIdentity,
    type_name: "microsoft.graph.windowsAutopilotDeviceIdentity",
    properties: &[
        ("id", Id),
        ("groupTag", Text("")),
        ("purchaseOrderIdentifier", Text("")),
        ("serialNumber", Numbered("SN")),
        ("manufacturer", OneOf(&["HP", "Dell Inc.", "LENOVO"])),
        ("model", OneOf(&["EliteBook 840", "Latitude 5450", "ThinkPad T14"])),
        ("enrollmentState", Text("enrolled")),
        ("lastContactedDateTime", Hours(72)),
        ("addressableUserName", Numbered("User ")),
        ("userPrincipalName", AtDomain("user-")),
        ("resourceName", Numbered("room-")),
        ("azureActiveDirectoryDeviceId", Guid(2)),
        ("managedDeviceId", Guid(3)),
        ("displayName", Text("")),
        ("deviceAccountUpn", Text("")),
        ("deviceFriendlyName", Text("")),
        ("simulatorState", Text("")),
    ],
    indexed: &[],
};

pub(super) static USER: Kind = Kind {
    kind: TargetKind::User,
    type_name: "microsoft.graph.user",
    properties: &[
        ("id", Id),
        ("userPrincipalName", AtDomain("user-")),
        ("displayName", Numbered("User ")),
        ("mail", AtDomain("user-")),
        ("proxyAddresses", EmptyList),
        ("accountEnabled", Flag(true)),
        ("assignedLicenses", Licences),
        ("signInSessionsValidFromDateTime", Hours(2_160)),
        ("simulatorState", Text("")),
    ],
    indexed: &["userPrincipalName"],
};

pub(super) static ENTRA_DEVICE: Kind = Kind {
    kind: TargetKind::EntraDevice,
    type_name: "microsoft.graph.device",
    properties: &[
        ("id", Id),
        ("deviceId", Guid(4)),
        ("displayName", Numbered("PC-")),
        ("accountEnabled", Flag(true)),
        ("operatingSystem", OneOf(&["Windows", "Windows", "Windows", "IPhone", "MacMDM", "AndroidEnterprise"])),
        ("trustType", OneOf(&["AzureAd", "Workplace"])),
        ("isManaged", Flag(true)),
        ("isCompliant", Flag(true)),
        ("approximateLastSignInDateTime", Hours(72)),
    ],
    indexed: &["deviceId", "displayName"],
};

/// Of a group only what it is called is ever read.
pub(super) static GROUP: Kind = Kind::readable("microsoft.graph.group", &[("id", Id), ("displayName", Text(""))]);

/// Kept under the ids of its group and of itself.
pub(super) static MEMBER: Kind = Kind {
    kind: TargetKind::GroupMember,
    type_name: "microsoft.graph.directoryObject",
    properties: &[("id", Id)],
    indexed: &[],
};

pub(super) static IMPORTED_AUTOPILOT: Kind = Kind {
    kind: TargetKind::ImportedAutopilotIdentity,
    type_name: "microsoft.graph.importedWindowsAutopilotDeviceIdentity",
    properties: &[("id", Id), ("groupTag", Text("")), ("serialNumber", Numbered("SN"))],
    indexed: &[],
};

pub(super) static IMPORTED_IDENTITY: Kind = Kind {
    kind: TargetKind::ImportedDeviceIdentity,
    type_name: "microsoft.graph.importedDeviceIdentity",
    properties: &[("id", Id), ("importedDeviceIdentifier", Numbered("SN")), ("description", Text(""))],
    indexed: &[],
};

/// Nothing of the catalog; it keeps the table whole.
pub(super) static OTHER: Kind =
    Kind { kind: TargetKind::Other, type_name: "microsoft.graph.entity", properties: &[("id", Id)], indexed: &[] };

impl Kind {
    /// A kind that is only ever read, with properties that somebody else makes up.
    pub(super) const fn readable(type_name: &'static str, properties: &'static [(&'static str, Plausible)]) -> Kind {
        Kind { kind: TargetKind::Other, type_name, properties, indexed: &[] }
    }

    pub(super) fn of(kind: TargetKind) -> &'static Kind {
        match kind {
            TargetKind::ManagedDevice => &DEVICE,
            TargetKind::AutopilotIdentity => &IDENTITY,
            TargetKind::User | TargetKind::DeletedUser => &USER,
            TargetKind::EntraDevice => &ENTRA_DEVICE,
            TargetKind::GroupMember => &MEMBER,
            TargetKind::ImportedAutopilotIdentity => &IMPORTED_AUTOPILOT,
            TargetKind::ImportedDeviceIdentity => &IMPORTED_IDENTITY,
            TargetKind::Other => &OTHER,
        }
    }

    /// The property of that name, with the spelling that lives forever.
    pub(super) fn property(&self, name: &str) -> Option<(&'static str, Plausible)> {
        self.properties.iter().copied().find(|(known, _)| *known == name)
    }
}

/// A number that follows from a text (FNV-1a), the same on every machine.
pub(super) fn digest(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Spreads a number over all its bits (the finisher of SplitMix64).
pub(super) fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// A version 4 GUID made of 128 bits.
pub(super) fn guid(high: u64, low: u64) -> String {
    uuid::Builder::from_random_bytes(((u128::from(high) << 64) | u128::from(low)).to_be_bytes())
        .into_uuid()
        .hyphenated()
        .to_string()
}

/// A GUID that follows from a text and a number.
pub(super) fn guid_from(text: &str, salt: u64) -> String {
    let hash = digest(text);
    guid(mix(hash ^ salt), mix(hash.rotate_left(32) ^ salt.wrapping_add(0x9e37_79b9_7f4a_7c15)))
}

/// Where and when made-up values are set.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    pub domain: String,
    pub start: Timestamp,
}

impl Setting {
    pub(super) fn make_up(&self, id: &str, plausible: Plausible) -> Value {
        let number = mix(digest(id));
        let code = || format!("{:010X}", number >> 24);
        match plausible {
            Id => json!(id),
            Text(text) => json!(text),
            OneOf(words) => json!(words[(number % words.len() as u64) as usize]),
            Numbered(prefix) => json!(format!("{prefix}{}", code())),
            AtDomain(prefix) => json!(format!("{prefix}{}@{}", code().to_ascii_lowercase(), self.domain)),
            Guid(salt) => json!(guid_from(id, salt)),
            Flag(flag) => json!(flag),
            Hours(hours) => {
                let ago = SignedDuration::from_secs((number % (hours * 3_600)) as i64);
                json!(iso_date(self.start.checked_sub(ago).unwrap_or(self.start)))
            }
            LongAgo => {
                const BEGIN: Timestamp = Timestamp::constant(1_704_067_200, 0);
                let after = SignedDuration::from_secs((number % (731 * 86_400)) as i64);
                json!(iso_date(BEGIN.checked_add(after).unwrap_or(BEGIN)))
            }
            EmptyList => json!([]),
            Licences => licences(SKUS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::effects::{self, Deed};

    #[test]
    fn every_property_that_an_effect_sets_exists() {
        for action in crate::catalog::ACTIONS {
            for deed in effects::of(action.name).unwrap().deeds {
                if let Deed::Set(name, _) | Deed::SetNow(name) | Deed::From(name, _) = deed {
                    assert!(Kind::of(action.target).property(name).is_some(), "{} sets {name}", action.name);
                }
            }
        }
    }

    #[test]
    fn guids_look_like_guids_and_follow_from_their_text() {
        let id = guid_from("ada", 1);
        assert!(crate::simulator::scenario::Guid::is(&id), "{id}");
        assert_eq!(id, guid_from("ada", 1));
        assert_ne!(id, guid_from("ada", 2));
    }
}
