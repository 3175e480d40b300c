//! Windows Autopilot identities, and what is imported before there are any.
//!
//! In: nothing. Out: tables. Must not: hold code.
//!
//! Source: the v1.0 schema of August 2026 and, for what only beta has, Microsoft's beta SDK 1.66. The list page knows one
//! filter, `contains(serialNumber,…)`, and says that `eq` is not supported.

use super::kind::Test::Contains;
use super::kind::{Kind, Logic, Property};
use crate::catalog::TargetKind;
use crate::simulator::resources::Plausible::{AtDomain, Guid, Hours, Id, Numbered, OneOf, Text};

pub(crate) static IDENTITY: Kind = Kind {
    kind: TargetKind::AutopilotIdentity,
    type_name: "microsoft.graph.windowsAutopilotDeviceIdentity",
    properties: &[
        Property::new("id", Id),
        Property::new("groupTag", Text("")),
        Property::new("purchaseOrderIdentifier", Text("")),
        Property::new("serialNumber", Numbered("SN")).tested(&[Contains]),
        Property::new("manufacturer", OneOf(&["HP", "Dell Inc.", "LENOVO"])),
        Property::new("model", OneOf(&["EliteBook 840", "Latitude 5450", "ThinkPad T14"])),
        Property::new("enrollmentState", Text("enrolled")),
        Property::new("lastContactedDateTime", Hours(72)),
        Property::new("addressableUserName", Numbered("User ")),
        Property::new("userPrincipalName", AtDomain("user-")),
        Property::new("resourceName", Numbered("room-")),
        Property::new("azureActiveDirectoryDeviceId", Guid(2)),
        Property::new("managedDeviceId", Guid(3)),
        Property::new("displayName", Text("")),
        Property::new("deviceAccountUpn", Text("")).beta(),
        Property::new("deviceFriendlyName", Text("")).beta(),
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
        Property::new("id", Id),
        Property::new("groupTag", Text("")),
        Property::new("serialNumber", Numbered("SN")),
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
        Property::new("id", Id),
        Property::new("importedDeviceIdentifier", Numbered("SN")),
        Property::new("description", Text("")),
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
