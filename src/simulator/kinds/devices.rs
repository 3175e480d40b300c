//! Intune's managed devices.
//!
//! In: nothing. Out: a table. Must not: hold code.
//!
//! Source: the v1.0 schema of August 2026 (microsoftgraph/msgraph-metadata, `schemas/v1.0-Prod.csdl`). The description of
//! each property says which operators `$filter` has for it, and which properties have a value only where one device is
//! read and `$select` names them; that of the type says that clauses are put together with `and`. `le` and `ge` on dates
//! and `startswith` on names stand in no description and work in published scripts; they are accepted.

use super::kind::Test::{Contains, Eq, Ge, Gt, Le, Lt, Ne, StartsWith};
use super::kind::{Expansion, Kind, Logic, Property, Sorting, Test};
use crate::catalog::TargetKind;
use crate::simulator::resources::Plausible::{
    AtDomain, EmptyList, Flag, Guid, Hours, Id, LongAgo, Null, Numbered, OneOf, Text,
};

pub(in crate::simulator) const RESULTS: &str = "deviceActionResults";

const DATE: &[Test] = &[Lt, Gt, Le, Ge];
const EQUAL: &[Test] = &[Eq];

pub(crate) static DEVICE: Kind = Kind {
    kind: TargetKind::ManagedDevice,
    type_name: "microsoft.graph.managedDevice",
    properties: &[
        Property::new("id", Id),
        Property::new("userId", Guid(1)),
        Property::new("deviceName", Numbered("PC-")).tested(&[Eq, Contains, StartsWith]).sorted(Sorting::Plain),
        Property::new("managedDeviceName", Numbered("managed_PC-")),
        Property::new("managedDeviceOwnerType", Text("company")).tested(EQUAL),
        Property::new("managementState", Text("managed")).tested(EQUAL),
        Property::new("enrolledDateTime", LongAgo).tested(DATE).sorted(Sorting::Plain),
        Property::new("lastSyncDateTime", Hours(72)).tested(DATE).sorted(Sorting::Plain),
        Property::new(
            "operatingSystem",
            OneOf(&["Windows", "Windows", "Windows", "iOS", "macOS", "Android", "ChromeOS"]),
        )
        .tested(EQUAL),
        Property::new("osVersion", Text("10.0.26100.4652")).tested(&[Contains]),
        Property::new("complianceState", Text("compliant")).tested(EQUAL),
        Property::new("managementAgent", Text("mdm")).tested(EQUAL),
        Property::new("deviceEnrollmentType", Text("windowsAzureADJoin")),
        Property::new("deviceRegistrationState", Text("registered")),
        Property::new("azureADRegistered", Flag(true)),
        Property::new("azureADDeviceId", Guid(2)).tested(EQUAL),
        Property::new("isSupervised", Flag(false)),
        Property::new("isEncrypted", Flag(true)),
        Property::new("emailAddress", AtDomain("user-")).tested(&[Contains]),
        Property::new("userPrincipalName", AtDomain("user-")).tested(&[Eq, Ne]),
        Property::new("userDisplayName", Numbered("User ")),
        Property::new("model", OneOf(&["EliteBook 840", "Latitude 5450", "ThinkPad T14"])).tested(&[Eq, Contains]),
        Property::new("manufacturer", OneOf(&["HP", "Dell Inc.", "LENOVO"])).tested(EQUAL),
        Property::new("imei", Text("")).tested(EQUAL),
        Property::new("serialNumber", Numbered("SN")).tested(EQUAL),
        Property::new("phoneNumber", Text("")).tested(&[Contains]),
        Property::new("deviceCategoryDisplayName", Text("")).tested(EQUAL),
        Property::new("jailBroken", Text("Unknown")).tested(EQUAL),
        Property::new("joinType", Text("azureADJoined")).beta(),
        Property::new("notes", Text("")).selected_by_id(),
        Property::new(RESULTS, EmptyList).selected_by_id(),
    ],
    silent: &[
        "activationLockBypassCode",
        "androidSecurityPatchLevel",
        "complianceGracePeriodExpirationDateTime",
        "configurationManagerClientEnabledFeatures",
        "deviceHealthAttestationState",
        "easActivated",
        "easActivationDateTime",
        "easDeviceId",
        "enrollmentProfileName",
        "ethernetMacAddress",
        "exchangeAccessState",
        "exchangeAccessStateReason",
        "exchangeLastSuccessfulSyncDateTime",
        "freeStorageSpaceInBytes",
        "iccid",
        "managementCertificateExpirationDate",
        "meid",
        "partnerReportedThreatState",
        "physicalMemoryInBytes",
        "remoteAssistanceSessionErrorDetails",
        "remoteAssistanceSessionUrl",
        "requireUserEnrollmentApproval",
        "subscriberCarrier",
        "totalStorageSpaceInBytes",
        "udid",
        "wiFiMacAddress",
    ],
    indexed: &["serialNumber", "deviceName", "userPrincipalName", "azureADDeviceId", "imei"],
    logic: Logic::Narrowing,
    expansions: &[Expansion::Users],
};

/// How many of them there are.
pub(in crate::simulator) static OVERVIEW: Kind = Kind {
    kind: TargetKind::Other,
    type_name: "microsoft.graph.managedDeviceOverview",
    properties: &[
        Property::new("id", Id),
        Property::new("enrolledDeviceCount", Null),
        Property::new("mdmEnrolledCount", Null),
        Property::new("dualEnrolledDeviceCount", Null),
    ],
    silent: &["deviceOperatingSystemSummary", "deviceExchangeAccessStateSummary"],
    indexed: &[],
    logic: Logic::Narrowing,
    expansions: &[],
};
