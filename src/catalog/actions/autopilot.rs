//! Windows Autopilot identities, and imported device identities.
//!
//! In: nothing. Out: rows of the table. Must not: hold code.

use super::base::{BETA, CAREFUL, SERVICE_CONFIG, V1_AND_BETA, clearable};
use super::base::{beta_only, optional, required, route};
use crate::catalog::action::{Action, Alters, Gone, ReadBack, Repeat, Risk, Success};
use crate::catalog::bucket::INTUNE_OTHER;
use crate::catalog::id::{AUTOPILOT_IDENTITY, IMPORTED_AUTOPILOT, IMPORTED_IDENTITY};
use crate::catalog::parameter::ParameterKind;
use crate::catalog::route::Method;
use crate::catalog::target::TargetKind;

/// What is assigned can be unassigned, and the other way round.
const ON_IDENTITY: Action = Action {
    target: TargetKind::AutopilotIdentity,
    permissions: &[SERVICE_CONFIG],
    risk: Risk::Reversible,
    repeat: Repeat::Harmless,
    service: &INTUNE_OTHER,
    // Nearly all of them are about its user or its name.
    alters: &[Alters::Owner, Alters::Name],
    ..CAREFUL
};

/// The usual route, and the one through the deployment profile, where the assigned device is acted on.
macro_rules! identity_routes {
    ($action:literal, $versions:expr) => {
        &[
            super::base::post(
                "windowsAutopilotDeviceIdentities",
                concat!(
                    "/deviceManagement/windowsAutopilotDeviceIdentities/{windowsAutopilotDeviceIdentityId}/",
                    $action
                ),
                $versions,
                &[AUTOPILOT_IDENTITY],
            ),
            super::base::post(
                "deploymentProfile",
                concat!(
                    "/deviceManagement/windowsAutopilotDeviceIdentities/{windowsAutopilotDeviceIdentityId}",
                    "/deploymentProfile/assignedDevices/{assignedDeviceId}/",
                    $action
                ),
                BETA,
                &[AUTOPILOT_IDENTITY, crate::catalog::id::ASSIGNED_DEVICE],
            ),
        ]
    };
}

pub(super) const UNASSIGN_RESOURCE_ACCOUNT: Action = Action {
    name: "unassignResourceAccountFromDevice",
    summary: "Take the resource account off an Autopilot identity (Surface Hub, Teams Rooms).",
    routes: identity_routes!("unassignResourceAccountFromDevice", BETA),
    notes: &["Can be assigned again."],
    ..ON_IDENTITY
};

pub(super) const UNASSIGN_USER: Action = Action {
    name: "unassignUserFromDevice",
    summary: "Take the assigned user off an Autopilot identity.",
    routes: identity_routes!("unassignUserFromDevice", V1_AND_BETA),
    read_back: ReadBack::Cleared { property: "userPrincipalName" },
    notes: &["Can be assigned again."],
    ..ON_IDENTITY
};

const USER: ParameterKind = ParameterKind::PrincipalName;

pub(super) const ASSIGN_USER: Action = Action {
    name: "assignUserToDevice",
    summary: "Assign a user to an Autopilot identity.",
    routes: identity_routes!("assignUserToDevice", V1_AND_BETA),
    parameters: &[
        required("userPrincipalName", USER, "Who gets the device."),
        optional("addressableUserName", ParameterKind::Text, "How the device greets the user."),
    ],
    read_back: ReadBack::AsSent,
    ..ON_IDENTITY
};

pub(super) const ASSIGN_RESOURCE_ACCOUNT: Action = Action {
    name: "assignResourceAccountToDevice",
    summary: "Assign a resource account to an Autopilot identity (Surface Hub, Teams Rooms).",
    routes: identity_routes!("assignResourceAccountToDevice", BETA),
    parameters: &[
        required("userPrincipalName", USER, "The resource account."),
        optional("addressableUserName", ParameterKind::Text, "How the device greets it."),
        optional("resourceAccountName", ParameterKind::Name, "The account's name."),
    ],
    ..ON_IDENTITY
};

pub(super) const UPDATE_DEVICE_PROPERTIES: Action = Action {
    name: "updateDeviceProperties",
    summary: "Change the group tag, the name or the user of an Autopilot identity.",
    routes: identity_routes!("updateDeviceProperties", V1_AND_BETA),
    // deviceAccountPassword is a secret, and secrets are no parameters: what a plan says is recorded and shown.
    parameters: &[
        optional("userPrincipalName", USER, "Who gets the device."),
        clearable(optional("addressableUserName", ParameterKind::Text, "How the device greets the user.")),
        clearable(optional("groupTag", ParameterKind::Name, "The tag that groups and profiles go by.")),
        clearable(optional(
            "displayName",
            ParameterKind::ComputerName,
            "The name that the device gets when it enrols.",
        )),
        beta_only("deviceAccountUpn", USER, "The account of a Surface Hub."),
        clearable(beta_only("deviceFriendlyName", ParameterKind::Text, "The name of a Surface Hub.")),
    ],
    needs_one_of: &[
        "userPrincipalName",
        "addressableUserName",
        "groupTag",
        "displayName",
        "deviceAccountUpn",
        "deviceFriendlyName",
    ],
    read_back: ReadBack::AsSent,
    notes: &[
        "A group tag may change which profile the device gets.",
        "deviceAccountPassword cannot be given: a plan holds no secrets.",
    ],
    ..ON_IDENTITY
};

pub(super) const ALLOW_NEXT_ENROLLMENT: Action = Action {
    name: "allowNextEnrollment",
    summary: "Let a device enrol once more that was blocked after a change of hardware.",
    routes: identity_routes!("allowNextEnrollment", BETA),
    ..ON_IDENTITY
};

pub(super) const DELETE_IDENTITY: Action = Action {
    name: "deleteAutopilotIdentity",
    summary: "Deregister a device from Autopilot.",
    routes: &[route(
        "windowsAutopilotDeviceIdentities",
        Method::Delete,
        "/deviceManagement/windowsAutopilotDeviceIdentities/{windowsAutopilotDeviceIdentityId}",
        V1_AND_BETA,
        &[AUTOPILOT_IDENTITY],
    )],
    risk: Risk::Destructive,
    read_back: ReadBack::AbsentLater,
    gone: Gone::AlreadyDone,
    notes: &[
        "Delete the Intune record first: Microsoft wants that order.",
        "Coming back takes the hardware hash, which only the device can give.",
        "The record stays for some minutes after it was accepted.",
    ],
    ..ON_IDENTITY
};

pub(super) const DELETE_IMPORTED_AUTOPILOT: Action = Action {
    name: "deleteImportedAutopilotIdentity",
    summary: "Delete the record of an Autopilot import.",
    target: TargetKind::ImportedAutopilotIdentity,
    routes: &[route(
        "importedWindowsAutopilotDeviceIdentities",
        Method::Delete,
        "/deviceManagement/importedWindowsAutopilotDeviceIdentities/{importedWindowsAutopilotDeviceIdentityId}",
        V1_AND_BETA,
        &[IMPORTED_AUTOPILOT],
    )],
    risk: Risk::Destructive,
    read_back: ReadBack::Absent,
    success: Success::Completed,
    gone: Gone::AlreadyDone,
    notes: &["The device stays registered; deleteAutopilotIdentity ends that."],
    ..ON_IDENTITY
};

pub(super) const DELETE_IMPORTED_IDENTITY: Action = Action {
    name: "deleteImportedDeviceIdentity",
    summary: "Delete a corporate device identifier (IMEI or serial number).",
    target: TargetKind::ImportedDeviceIdentity,
    routes: &[route(
        "importedDeviceIdentities",
        Method::Delete,
        "/deviceManagement/importedDeviceIdentities/{importedDeviceIdentityId}",
        BETA,
        &[IMPORTED_IDENTITY],
    )],
    risk: Risk::Destructive,
    read_back: ReadBack::Absent,
    success: Success::Completed,
    gone: Gone::AlreadyDone,
    notes: &["A device that enrols later counts as personal, unless something else makes it corporate."],
    ..ON_IDENTITY
};
