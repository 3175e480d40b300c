//! The table of actions.
//!
//! In: nothing. Out: [`ACTIONS`], in the order in which help and documentation show them.
//! Must not: hold code. What an action needs that no column can say is a new column in `catalog`.
//!
//! Source: Microsoft's Graph reference pages of each action (v1.0 and beta). Where pages disagree, a comment says
//! which one is followed and why.

use super::id::{
    ASSIGNED_DEVICE, AUTOPILOT_IDENTITY, COMPLIANCE_SCRIPT, COMPLIANCE_SCRIPT_STATE, DETECTED_APP, HEALTH_SCRIPT,
    HEALTH_SCRIPT_STATE, MANAGED_DEVICE, MANAGEMENT_SCRIPT, MANAGEMENT_SCRIPT_STATE, USER,
};
use super::{
    Action, Gone, INTUNE_DEVICES, INTUNE_OTHER, IdName, Method, Parameter, ParameterKind, ReadBack, Repeat, Risk,
    Route, Success, TargetKind, Version,
};

const V1_AND_BETA: &[Version] = &[Version::V1, Version::Beta];
const BETA: &[Version] = &[Version::Beta];

const PRIVILEGED: &str = "DeviceManagementManagedDevices.PrivilegedOperations.All";
const READ: &str = "DeviceManagementManagedDevices.Read.All";
const READ_WRITE: &str = "DeviceManagementManagedDevices.ReadWrite.All";
const SERVICE_CONFIG: &str = "DeviceManagementServiceConfig.ReadWrite.All";

const RETIRING: &[&str] = &["retirePending", "retireIssued"];
const WIPING: &[&str] = &["wipePending", "wipeIssued"];
const PRECEDENCE: &str = "Takes precedence over every other pending action on the device; queued ones may be dropped.";

const fn post(name: &'static str, path: &'static str, versions: &'static [Version], ids: &'static [IdName]) -> Route {
    Route { name, method: Method::Post, path, versions, ids }
}

const fn optional(name: &'static str, kind: ParameterKind, summary: &'static str) -> Parameter {
    Parameter { name, kind, required: false, beta_only: false, summary }
}

const fn beta_only(name: &'static str, kind: ParameterKind, summary: &'static str) -> Parameter {
    Parameter { name, kind, required: false, beta_only: true, summary }
}

pub static ACTIONS: &[Action] = &[
    Action {
        name: "retire",
        summary: "Remove company data and settings and end management; personal data stays.",
        target: TargetKind::ManagedDevice,
        routes: &[
            post(
                "managedDevices",
                "/deviceManagement/managedDevices/{managedDeviceId}/retire",
                V1_AND_BETA,
                &[MANAGED_DEVICE],
            ),
            post(
                "comanagedDevices",
                "/deviceManagement/comanagedDevices/{managedDeviceId}/retire",
                BETA,
                &[MANAGED_DEVICE],
            ),
        ],
        parameters: &[],
        permissions: &[PRIVILEGED],
        read_permission: Some(READ),
        risk: Risk::Irreversible,
        repeat: Repeat::AfterReadBack,
        read_back: ReadBack::ManagementState {
            landed: RETIRING,
            action_names: &["retire", "removeCompanyData"],
            stays: &[],
        },
        success: Success::Accepted,
        gone: Gone::AlreadyDone,
        service: &INTUNE_DEVICES,
        approvable: true,
        notes: &[
            "A tenant accepts 1,000 retires a day, whoever sends them.",
            "Suspends BitLocker on Entra-joined Windows devices: the key protectors are removed.",
            PRECEDENCE,
        ],
    },
    Action {
        name: "wipe",
        summary: "Factory-reset the device.",
        target: TargetKind::ManagedDevice,
        routes: &[
            post(
                "managedDevices",
                "/deviceManagement/managedDevices/{managedDeviceId}/wipe",
                V1_AND_BETA,
                &[MANAGED_DEVICE],
            ),
            post(
                "comanagedDevices",
                "/deviceManagement/comanagedDevices/{managedDeviceId}/wipe",
                BETA,
                &[MANAGED_DEVICE],
            ),
        ],
        // The v1.0 page lists obliterationBehavior, the v1.0 schema does not have it: it goes to beta with useProtectedWipe.
        parameters: &[
            optional(
                "keepEnrollmentData",
                ParameterKind::Boolean,
                "Keep the enrolment, so that the device comes back managed.",
            ),
            optional("keepUserData", ParameterKind::Boolean, "Keep the user's data."),
            optional("macOsUnlockCode", ParameterKind::Pin, "PIN that unlocks a wiped Mac."),
            optional("persistEsimDataPlan", ParameterKind::Boolean, "Keep the eSIM data plan."),
            beta_only(
                "obliterationBehavior",
                ParameterKind::OneOf(&["default", "doNotObliterate", "obliterateWithWarning", "always"]),
                "What a Mac does when it cannot erase all content and settings.",
            ),
            beta_only(
                "useProtectedWipe",
                ParameterKind::Boolean,
                "Wipe that a user cannot stop; may leave hardware unbootable.",
            ),
        ],
        permissions: &[PRIVILEGED],
        read_permission: Some(READ),
        risk: Risk::Irreversible,
        repeat: Repeat::AfterReadBack,
        read_back: ReadBack::ManagementState {
            landed: WIPING,
            action_names: &["wipe", "factoryReset"],
            stays: &["keepEnrollmentData", "keepUserData"],
        },
        success: Success::Accepted,
        gone: Gone::Failed,
        service: &INTUNE_DEVICES,
        approvable: true,
        notes: &[
            "A tenant accepts 500 wipes a day, whoever sends them.",
            "useProtectedWipe may leave a device that cannot start.",
            PRECEDENCE,
        ],
    },
    Action {
        name: "delete",
        summary: "Delete the Intune record; the device is retired, or wiped where it is a corporate Android.",
        target: TargetKind::ManagedDevice,
        routes: &[
            Route {
                name: "managedDevices",
                method: Method::Delete,
                path: "/deviceManagement/managedDevices/{managedDeviceId}",
                versions: V1_AND_BETA,
                ids: &[MANAGED_DEVICE],
            },
            Route {
                name: "comanagedDevices",
                method: Method::Delete,
                path: "/deviceManagement/comanagedDevices/{managedDeviceId}",
                versions: BETA,
                ids: &[MANAGED_DEVICE],
            },
        ],
        parameters: &[],
        permissions: &[READ_WRITE],
        read_permission: None,
        risk: Risk::Irreversible,
        repeat: Repeat::Harmless,
        read_back: ReadBack::Absent,
        success: Success::Completed,
        gone: Gone::AlreadyDone,
        service: &INTUNE_DEVICES,
        approvable: true,
        notes: &[
            "Also retires the device; a corporate Android device (dedicated, fully managed, work profile, AOSP) is factory-reset.",
            "A tenant accepts 1,000 deletes a day, whoever sends them.",
            PRECEDENCE,
        ],
    },
    Action {
        name: "syncDevice",
        summary: "Ask the device to check in now.",
        target: TargetKind::ManagedDevice,
        routes: &[
            post(
                "managedDevices",
                "/deviceManagement/managedDevices/{managedDeviceId}/syncDevice",
                V1_AND_BETA,
                &[MANAGED_DEVICE],
            ),
            post(
                "comanagedDevices",
                "/deviceManagement/comanagedDevices/{managedDeviceId}/syncDevice",
                BETA,
                &[MANAGED_DEVICE],
            ),
        ],
        parameters: &[],
        permissions: &[PRIVILEGED],
        read_permission: None,
        risk: Risk::Harmless,
        repeat: Repeat::Harmless,
        read_back: ReadBack::Nobody,
        success: Success::Accepted,
        gone: Gone::Failed,
        service: &INTUNE_DEVICES,
        approvable: false,
        notes: &["A good canary before a destructive plan, and an accelerator after one."],
    },
    Action {
        name: "deprovision",
        summary: "Deprovision a ChromeOS device: its Google Admin policies are removed.",
        target: TargetKind::ManagedDevice,
        routes: &[
            post(
                "managedDevices",
                "/deviceManagement/managedDevices/{managedDeviceId}/deprovision",
                BETA,
                &[MANAGED_DEVICE],
            ),
            post(
                "comanagedDevices",
                "/deviceManagement/comanagedDevices/{managedDeviceId}/deprovision",
                BETA,
                &[MANAGED_DEVICE],
            ),
            post(
                "deviceHealthScripts",
                "/deviceManagement/deviceHealthScripts/{deviceHealthScriptId}/deviceRunStates/{deviceHealthScriptDeviceStateId}/managedDevice/deprovision",
                BETA,
                &[HEALTH_SCRIPT, HEALTH_SCRIPT_STATE],
            ),
            post(
                "deviceManagementScripts",
                "/deviceManagement/deviceManagementScripts/{deviceManagementScriptId}/deviceRunStates/{deviceManagementScriptDeviceStateId}/managedDevice/deprovision",
                BETA,
                &[MANAGEMENT_SCRIPT, MANAGEMENT_SCRIPT_STATE],
            ),
            post(
                "deviceComplianceScripts",
                "/deviceManagement/deviceComplianceScripts/{deviceComplianceScriptId}/deviceRunStates/{deviceComplianceScriptDeviceStateId}/managedDevice/deprovision",
                BETA,
                &[COMPLIANCE_SCRIPT, COMPLIANCE_SCRIPT_STATE],
            ),
            post(
                "deviceManagementScripts/users",
                "/deviceManagement/deviceManagementScripts/{deviceManagementScriptId}/deviceRunStates/{deviceManagementScriptDeviceStateId}/managedDevice/users/{userId}/managedDevices/{managedDeviceId}/deprovision",
                BETA,
                &[MANAGEMENT_SCRIPT, MANAGEMENT_SCRIPT_STATE, USER, MANAGED_DEVICE],
            ),
            post(
                "deviceManagementScripts/detectedApps",
                "/deviceManagement/deviceManagementScripts/{deviceManagementScriptId}/deviceRunStates/{deviceManagementScriptDeviceStateId}/managedDevice/detectedApps/{detectedAppId}/managedDevices/{managedDeviceId}/deprovision",
                BETA,
                &[MANAGEMENT_SCRIPT, MANAGEMENT_SCRIPT_STATE, DETECTED_APP, MANAGED_DEVICE],
            ),
        ],
        parameters: &[Parameter {
            name: "deprovisionReason",
            kind: ParameterKind::Text,
            required: true,
            beta_only: false,
            summary: "Why the device leaves; free text on Microsoft's page.",
        }],
        // The pages name read permissions, which a write like this cannot be content with; the siblings' are asked for.
        permissions: &[READ_WRITE, PRIVILEGED],
        read_permission: None,
        risk: Risk::Destructive,
        repeat: Repeat::AfterReadBack,
        read_back: ReadBack::ActionResult { action_name: "deprovision" },
        success: Success::Accepted,
        gone: Gone::Failed,
        service: &INTUNE_DEVICES,
        approvable: false,
        notes: &[
            "ChromeOS only, although Microsoft's pages do not say so.",
            "The device cannot enrol again before a factory reset.",
        ],
    },
    Action {
        name: "unassignResourceAccountFromDevice",
        summary: "Take the resource account off an Autopilot identity (Surface Hub, Teams Rooms).",
        target: TargetKind::AutopilotIdentity,
        routes: &[
            post(
                "windowsAutopilotDeviceIdentities",
                "/deviceManagement/windowsAutopilotDeviceIdentities/{windowsAutopilotDeviceIdentityId}/unassignResourceAccountFromDevice",
                BETA,
                &[AUTOPILOT_IDENTITY],
            ),
            post(
                "deploymentProfile",
                "/deviceManagement/windowsAutopilotDeviceIdentities/{windowsAutopilotDeviceIdentityId}/deploymentProfile/assignedDevices/{assignedDeviceId}/unassignResourceAccountFromDevice",
                BETA,
                &[AUTOPILOT_IDENTITY, ASSIGNED_DEVICE],
            ),
        ],
        parameters: &[],
        permissions: &[SERVICE_CONFIG],
        read_permission: None,
        risk: Risk::Reversible,
        repeat: Repeat::Harmless,
        read_back: ReadBack::Nobody,
        success: Success::Accepted,
        gone: Gone::Failed,
        service: &INTUNE_OTHER,
        approvable: false,
        notes: &["Can be assigned again."],
    },
    Action {
        name: "unassignUserFromDevice",
        summary: "Take the assigned user off an Autopilot identity.",
        target: TargetKind::AutopilotIdentity,
        routes: &[
            post(
                "windowsAutopilotDeviceIdentities",
                "/deviceManagement/windowsAutopilotDeviceIdentities/{windowsAutopilotDeviceIdentityId}/unassignUserFromDevice",
                V1_AND_BETA,
                &[AUTOPILOT_IDENTITY],
            ),
            post(
                "deploymentProfile",
                "/deviceManagement/windowsAutopilotDeviceIdentities/{windowsAutopilotDeviceIdentityId}/deploymentProfile/assignedDevices/{assignedDeviceId}/unassignUserFromDevice",
                BETA,
                &[AUTOPILOT_IDENTITY, ASSIGNED_DEVICE],
            ),
        ],
        parameters: &[],
        permissions: &[SERVICE_CONFIG],
        read_permission: None,
        risk: Risk::Reversible,
        repeat: Repeat::Harmless,
        read_back: ReadBack::Cleared { property: "userPrincipalName" },
        success: Success::Accepted,
        gone: Gone::Failed,
        service: &INTUNE_OTHER,
        approvable: false,
        notes: &["Can be assigned again."],
    },
    Action {
        name: "removeAllDevicesFromManagement",
        summary: "Retire every device of a user.",
        target: TargetKind::User,
        // The current v1.0 page prints only a path through detectedApps; the schema still binds the action to the user.
        routes: &[post("users", "/users/{userId}/removeAllDevicesFromManagement", V1_AND_BETA, &[USER])],
        parameters: &[],
        // Older pages misspell it as PriviligedOperation; that permission does not exist.
        permissions: &[PRIVILEGED],
        read_permission: Some(READ),
        risk: Risk::Irreversible,
        repeat: Repeat::AfterReadBack,
        read_back: ReadBack::UserDevices { landed: RETIRING },
        success: Success::Accepted,
        gone: Gone::Failed,
        service: &INTUNE_OTHER,
        approvable: false,
        notes: &[
            "All devices of the user or none, and no result for each device; a retire per device says more.",
            "Suspends BitLocker on the user's Entra-joined Windows devices.",
        ],
    },
];
