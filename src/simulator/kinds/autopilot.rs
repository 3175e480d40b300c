//! Windows Autopilot identities, and what is imported before there are any.
//!
//! In: nothing. Out: tables. Must not: hold code.
//!
//! Source: the v1.0 schema of August 2026 and, for what only beta has, Microsoft's beta SDK 1.66. The list page knows one
//! filter, `contains(serialNumber,…)`, and says that `eq` is not supported.

use super::kind::Test::Contains;
use super::kind::{Kind, KindProperty, Logic};
use crate::catalog::TargetKind;
use crate::simulator::resources::Plausible::{AtDomain, Guid, Hours, Id, Numbered, OneOf, Text};

pub(crate) static IDENTITY: Kind = Kind {
    kind: TargetKind::AutopilotIdentity,
    type_name: "microsoft.graph.windowsAutopilotDeviceIdentity",
    properties: &[
        KindProperty::new("id", Id),
        KindProperty::new("groupTag", Text("")),
        KindProperty::new("purchaseOrderIdentifier", Text("")),
        KindProperty::new("serialNumber", Numbered("SN")).tested(&[Contains]),
        KindProperty::new("manufacturer", OneOf(&["HP", "Dell Inc.", "LENOVO"])),
        KindProperty::new("model", OneOf(&["EliteBook 840", "Latitude 5450", "ThinkPad T14"])),
        KindProperty::new("enrollmentState", Text("enrolled")),
        KindProperty::new("lastContactedDateTime", Hours(72)),
        KindProperty::new("addressableUserName", Numbered("User ")),
        KindProperty::new("userPrincipalName", AtDomain("user-")),
        KindProperty::new("resourceName", Numbered("room-")),
        KindProperty::new("azureActiveDirectoryDeviceId", Guid(2)),
        KindProperty::new("managedDeviceId", Guid(3)),
        KindProperty::new("displayName", Text("")),
        KindProperty::new("deviceAccountUpn", Text("")).beta(),
        KindProperty::new("deviceFriendlyName", Text("")).beta(),
    ],
    silent: &["productKey", "skuNumber", "systemFamily"],
    indexed: &["azureActiveDirectoryDeviceId"],
    logic: Logic::OneClause,
    expansions: &[],
};

pub(crate) static IMPORTED_AUTOPILOT: Kind = Kind {
    kind: TargetKind::ImportedAutopilotIdentity,
    type_name: "microsoft.graph.importedWindowsAutopilotDeviceIdentity",
    properties: &[
        KindProperty::new("id", Id),
        KindProperty::new("groupTag", Text("")),
        KindProperty::new("serialNumber", Numbered("SN")),
    ],
    silent: &["assignedUserPrincipalName", "hardwareIdentifier", "importId", "productKey", "state"],
    indexed: &[],
    logic: Logic::OneClause,
    expansions: &[],
};

pub(crate) static IMPORTED_IDENTITY: Kind = Kind {
    kind: TargetKind::ImportedDeviceIdentity,
    type_name: "microsoft.graph.importedDeviceIdentity",
    properties: &[
        KindProperty::new("id", Id),
        KindProperty::new("importedDeviceIdentifier", Numbered("SN")),
        KindProperty::new("description", Text("")),
    ],
    silent: &[
        "createdDateTime",
        "enrollmentState",
        "importedDeviceIdentityType",
        "lastContactedDateTime",
        "lastModifiedDateTime",
        "platform",
    ],
    indexed: &[],
    logic: Logic::OneClause,
    expansions: &[],
};
