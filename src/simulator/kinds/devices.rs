//! Intune's managed devices.
//!
//! In: nothing. Out: a table. Must not: hold code.
//!
//! Source: the v1.0 schema of August 2026 (microsoftgraph/msgraph-metadata, `schemas/v1.0-Prod.csdl`). The description of
//! each property says which operators `$filter` has for it, and which properties have a value only where one device is
//! read and `$select` names them; that of the type says that clauses are put together with `and`. `le` and `ge` on dates
//! and `startswith` on names stand in no description and work in published scripts; they are accepted.

use super::kind::Test::{Contains, Eq, Ge, Gt, Le, Lt, Ne, StartsWith};
use super::kind::{Expansion, Kind, KindProperty, Logic, Sorting, Test};
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
        KindProperty::new("id", Id),
        KindProperty::new("userId", Guid(1)),
        KindProperty::new("deviceName", Numbered("PC-")).tested(&[Eq, Contains, StartsWith]).sorted(Sorting::Plain),
        KindProperty::new("managedDeviceName", Numbered("managed_PC-")),
        KindProperty::new("managedDeviceOwnerType", Text("company")).tested(EQUAL),
        KindProperty::new("managementState", Text("managed")).tested(EQUAL),
        KindProperty::new("enrolledDateTime", LongAgo).tested(DATE).sorted(Sorting::Plain),
        KindProperty::new("lastSyncDateTime", Hours(72)).tested(DATE).sorted(Sorting::Plain),
        KindProperty::new(
            "operatingSystem",
            OneOf(&["Windows", "Windows", "Windows", "iOS", "macOS", "Android", "ChromeOS"]),
        )
        .tested(EQUAL),
        KindProperty::new("osVersion", Text("10.0.26100.4652")).tested(&[Contains]),
        KindProperty::new("complianceState", Text("compliant")).tested(EQUAL),
        KindProperty::new("managementAgent", Text("mdm")).tested(EQUAL),
        KindProperty::new("deviceEnrollmentType", Text("windowsAzureADJoin")),
        KindProperty::new("deviceRegistrationState", Text("registered")),
        KindProperty::new("azureADRegistered", Flag(true)),
        KindProperty::new("azureADDeviceId", Guid(2)).tested(EQUAL),
        KindProperty::new("isSupervised", Flag(false)),
        KindProperty::new("isEncrypted", Flag(true)),
        KindProperty::new("emailAddress", AtDomain("user-")).tested(&[Contains]),
        KindProperty::new("userPrincipalName", AtDomain("user-")).tested(&[Eq, Ne]),
        KindProperty::new("userDisplayName", Numbered("User ")),
        KindProperty::new("model", OneOf(&["EliteBook 840", "Latitude 5450", "ThinkPad T14"])).tested(&[Eq, Contains]),
        KindProperty::new("manufacturer", OneOf(&["HP", "Dell Inc.", "LENOVO"])).tested(EQUAL),
        KindProperty::new("imei", Text("")).tested(EQUAL),
        KindProperty::new("serialNumber", Numbered("SN")).tested(EQUAL),
        KindProperty::new("phoneNumber", Text("")).tested(&[Contains]),
        KindProperty::new("deviceCategoryDisplayName", Text("")).tested(EQUAL),
        KindProperty::new("jailBroken", Text("Unknown")).tested(EQUAL),
        KindProperty::new("joinType", Text("azureADJoined")).beta(),
        KindProperty::new("notes", Text("")).selected_by_id(),
        KindProperty::new(RESULTS, EmptyList).selected_by_id(),
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
        KindProperty::new("id", Id),
        KindProperty::new("enrolledDeviceCount", Null),
        KindProperty::new("mdmEnrolledCount", Null),
        KindProperty::new("dualEnrolledDeviceCount", Null),
    ],
    silent: &["deviceOperatingSystemSummary", "deviceExchangeAccessStateSummary"],
    indexed: &[],
    logic: Logic::Narrowing,
    expansions: &[],
};
