//! Managed devices: how they leave, and what is kept about them.
//!
//! In: nothing. Out: rows of the table. Must not: hold code.

use super::base::{APPLE, BETA, ON_DEVICE, PRIVILEGED, READ, READ_WRITE, V1_AND_BETA, WINDOWS, clearable};
use super::base::{beta_only, device_routes, optional, required, route};
use crate::catalog::action::{Action, Alters, Gone, OncePer, ReadBack, Repeat, Risk, Success};
use crate::catalog::id::MANAGED_DEVICE;
use crate::catalog::parameter::ParameterKind;
use crate::catalog::route::Method;

pub(super) const RETIRING: &[&str] = &["retirePending", "retireIssued"];
const WIPING: &[&str] = &["wipePending", "wipeIssued"];
const PRECEDENCE: &str = "Takes precedence over every other pending action on the device; queued ones may be dropped.";

pub(super) const RETIRE: Action = Action {
    name: "retire",
    summary: "Remove company data and settings and end management; personal data stays.",
    routes: device_routes!("retire", V1_AND_BETA),
    permissions: &[PRIVILEGED],
    read_permission: Some(READ),
    risk: Risk::Irreversible,
    repeat: Repeat::AfterReadBack,
    read_back: ReadBack::ManagementState {
        landed: RETIRING,
        failed: "retireFailed",
        cancelled: "retireCanceled",
        action_names: &["retire", "removeCompanyData"],
        stays: &[],
    },
    gone: Gone::AlreadyDone,
    notes: &[
        "A tenant accepts 1,000 retires a day, whoever sends them.",
        "Suspends BitLocker on Entra-joined Windows devices: the key protectors are removed.",
        PRECEDENCE,
    ],
    ..ON_DEVICE
};

pub(super) const WIPE: Action = Action {
    name: "wipe",
    summary: "Factory-reset the device.",
    routes: device_routes!("wipe", V1_AND_BETA),
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
        failed: "wipeFailed",
        cancelled: "wipeCanceled",
        action_names: &["wipe", "factoryReset"],
        stays: &["keepEnrollmentData", "keepUserData"],
    },
    notes: &[
        "A tenant accepts 500 wipes a day, whoever sends them.",
        "useProtectedWipe may leave a device that cannot start.",
        PRECEDENCE,
    ],
    ..ON_DEVICE
};

pub(super) const DELETE: Action = Action {
    name: "delete",
    summary: "Delete the Intune record; the device is retired, or wiped where it is a corporate Android.",
    routes: &[
        route(
            "managedDevices",
            Method::Delete,
            "/deviceManagement/managedDevices/{managedDeviceId}",
            V1_AND_BETA,
            &[MANAGED_DEVICE],
        ),
        route(
            "comanagedDevices",
            Method::Delete,
            "/deviceManagement/comanagedDevices/{managedDeviceId}",
            BETA,
            &[MANAGED_DEVICE],
        ),
    ],
    permissions: &[READ_WRITE],
    risk: Risk::Irreversible,
    repeat: Repeat::Harmless,
    read_back: ReadBack::Absent,
    success: Success::Completed,
    gone: Gone::AlreadyDone,
    notes: &[
        "Also retires the device; a corporate Android device (dedicated, fully managed, work profile, AOSP) is factory-reset.",
        "A tenant accepts 1,000 deletes a day, whoever sends them.",
        PRECEDENCE,
    ],
    ..ON_DEVICE
};

pub(super) const CLEAN_WINDOWS_DEVICE: Action = Action {
    name: "cleanWindowsDevice",
    summary: "Fresh Start: reinstall Windows without what the manufacturer and the user have installed.",
    routes: device_routes!("cleanWindowsDevice", V1_AND_BETA),
    parameters: &[required("keepUserData", ParameterKind::Boolean, "Keep the user's data.")],
    read_permission: Some(READ),
    risk: Risk::Irreversible,
    read_back: ReadBack::ActionResult { action_name: "cleanWindowsDevice" },
    notes: &["Installed programs are gone, and without keepUserData the user's files too."],
    platforms: WINDOWS,
    ..ON_DEVICE
};

pub(super) const REMOVE_DFCI: Action = Action {
    name: "removeDeviceFirmwareConfigurationInterfaceManagement",
    summary: "Take the device's firmware settings (DFCI) out of management.",
    routes: device_routes!("removeDeviceFirmwareConfigurationInterfaceManagement", BETA),
    repeat: Repeat::Harmless,
    notes: &["Hard to take back: firmware settings are managed again only after a new enrolment."],
    platforms: WINDOWS,
    ..ON_DEVICE
};

pub(super) const REVOKE_APPLE_VPP_LICENSES: Action = Action {
    name: "revokeAppleVppLicenses",
    summary: "Take back every Apple volume-purchase licence that the device holds.",
    routes: device_routes!("revokeAppleVppLicenses", BETA),
    risk: Risk::Reversible,
    repeat: Repeat::Harmless,
    notes: &["The licences can be assigned again."],
    platforms: APPLE,
    ..ON_DEVICE
};

pub(super) const REMOVE_DEVICE_ESIM: Action = Action {
    name: "removeDeviceEsim",
    summary: "Remove an eSIM from the device.",
    routes: device_routes!("removeDeviceEsim", BETA),
    once_per: OncePer::Parameters,
    parameters: &[required("iccId", ParameterKind::Name, "The eSIM's ICCID.")],
    read_permission: Some(READ),
    read_back: ReadBack::ActionResult { action_name: "removeDeviceEsim" },
    notes: &["The data plan on the eSIM is lost."],
    ..ON_DEVICE
};

pub(super) const ACTIVATE_DEVICE_ESIM: Action = Action {
    name: "activateDeviceEsim",
    summary: "Have the device fetch an eSIM from the carrier.",
    routes: device_routes!("activateDeviceEsim", BETA),
    once_per: OncePer::Parameters,
    parameters: &[required("carrierUrl", ParameterKind::Text, "The carrier's server for eSIM profiles.")],
    read_permission: Some(READ),
    risk: Risk::Reversible,
    read_back: ReadBack::ActionResult { action_name: "activateDeviceEsim" },
    ..ON_DEVICE
};

pub(super) const REMOVE_PRIMARY_USER: Action = Action {
    name: "removePrimaryUser",
    summary: "Take the primary user off the device, which makes it a shared one.",
    routes: &[route(
        "managedDevices",
        Method::Delete,
        "/deviceManagement/managedDevices/{managedDeviceId}/users/$ref",
        BETA,
        &[MANAGED_DEVICE],
    )],
    permissions: &[READ_WRITE],
    risk: Risk::Reversible,
    repeat: Repeat::Harmless,
    read_back: ReadBack::Emptied,
    success: Success::Completed,
    alters: &[Alters::Owner],
    notes: &["Can be assigned again."],
    ..ON_DEVICE
};

pub(super) const UPDATE_MANAGED_DEVICE: Action = Action {
    name: "updateManagedDevice",
    summary: "Change what Intune keeps about the device: its management name, owner type, notes.",
    routes: &[
        route(
            "managedDevices",
            Method::Patch,
            "/deviceManagement/managedDevices/{managedDeviceId}",
            V1_AND_BETA,
            &[MANAGED_DEVICE],
        ),
        route(
            "comanagedDevices",
            Method::Patch,
            "/deviceManagement/comanagedDevices/{managedDeviceId}",
            BETA,
            &[MANAGED_DEVICE],
        ),
    ],
    parameters: &[
        clearable(optional("managedDeviceName", ParameterKind::Name, "The name in Intune; the device keeps its own.")),
        optional("managedDeviceOwnerType", ParameterKind::OneOf(&["company", "personal"]), "Who owns the device."),
        clearable(optional("notes", ParameterKind::Text, "Remarks of the administrators.")),
    ],
    alters: &[Alters::Ownership],
    needs_one_of: &["managedDeviceName", "managedDeviceOwnerType", "notes"],
    permissions: &[READ_WRITE],
    risk: Risk::Reversible,
    repeat: Repeat::Harmless,
    read_back: ReadBack::AsSent,
    success: Success::Completed,
    notes: &["A change of owner type changes what policies and a retire do to the device."],
    success_codes: &[200, 204],
    ..ON_DEVICE
};
