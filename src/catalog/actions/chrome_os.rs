//! ChromeOS devices.
//!
//! In: nothing. Out: rows of the table. Must not: hold code.

use super::base::{BETA, CHROME_OS, ON_DEVICE, PRIVILEGED, READ_WRITE};
use super::base::{device_routes, post, required};
use crate::catalog::action::{Action, ReadBack, Repeat, Risk};
use crate::catalog::id::{
    COMPLIANCE_SCRIPT, COMPLIANCE_SCRIPT_STATE, DETECTED_APP, HEALTH_SCRIPT, HEALTH_SCRIPT_STATE, MANAGED_DEVICE,
    MANAGEMENT_SCRIPT, MANAGEMENT_SCRIPT_STATE, USER,
};
use crate::catalog::parameter::ParameterKind;

pub(super) const DEPROVISION: Action = Action {
    name: "deprovision",
    summary: "Deprovision a ChromeOS device: its Google Admin policies are removed.",
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
    parameters: &[required(
        "deprovisionReason",
        ParameterKind::Text,
        "Why the device leaves; free text on Microsoft's page.",
    )],
    // The pages name read permissions, which a write like this cannot be content with; the siblings' are asked for.
    permissions: &[READ_WRITE, PRIVILEGED],
    risk: Risk::Destructive,
    repeat: Repeat::AfterReadBack,
    read_back: ReadBack::ActionResult { action_name: "deprovision" },
    notes: &[
        "ChromeOS only, although Microsoft's pages do not say so.",
        "The device cannot enrol again before a factory reset.",
    ],
    platforms: CHROME_OS,
    ..ON_DEVICE
};

pub(super) const DISABLE: Action = Action {
    name: "disable",
    summary: "Disable a ChromeOS device: it shows that it is lost, and nobody can sign in.",
    routes: device_routes!("disable", BETA),
    permissions: &[READ_WRITE, PRIVILEGED],
    risk: Risk::Reversible,
    repeat: Repeat::Harmless,
    notes: &["ChromeOS only. For a user or an Entra device there are disableUser and disableEntraDevice."],
    platforms: CHROME_OS,
    ..ON_DEVICE
};

pub(super) const REENABLE: Action = Action {
    name: "reenable",
    summary: "Enable a disabled ChromeOS device again.",
    routes: device_routes!("reenable", BETA),
    permissions: &[READ_WRITE, PRIVILEGED],
    risk: Risk::Reversible,
    repeat: Repeat::Harmless,
    notes: &["ChromeOS only."],
    platforms: CHROME_OS,
    ..ON_DEVICE
};
