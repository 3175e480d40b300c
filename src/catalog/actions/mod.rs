//! The table of actions.
//!
//! In: nothing. Out: [`ACTIONS`], in the order in which help and documentation show them. The rows stand in one file for
//! each kind of target. Must not: hold code. What an action needs that no column can say is a new column in `catalog`.
//!
//! Source: Microsoft's Graph reference pages of each action (v1.0 and beta), and the schemas where pages are silent.
//! Where pages disagree, a comment says which one is followed and why.
//!
//! What acts on a whole collection at once (`executeAction`, `moveDevicesToOU`, Autopilot's `deleteDevices`, `import` and
//! `sync`) is not here: a row of the report is about one target, and a lost answer would leave a hundred in doubt.

mod autopilot;
mod chrome_os;
mod containment;
mod entra;
mod lifecycle;
mod support;
mod user;

use super::{Action, Gone, IdName, Method, OncePer, Parameter, ParameterKind, ReadBack, Repeat, Risk, Route, Success};
use super::{INTUNE_DEVICES, TargetKind, Version};

const V1_AND_BETA: &[Version] = &[Version::V1, Version::Beta];
const V1: &[Version] = &[Version::V1];
const BETA: &[Version] = &[Version::Beta];

const PRIVILEGED: &str = "DeviceManagementManagedDevices.PrivilegedOperations.All";
const READ: &str = "DeviceManagementManagedDevices.Read.All";
const READ_WRITE: &str = "DeviceManagementManagedDevices.ReadWrite.All";
const SERVICE_CONFIG: &str = "DeviceManagementServiceConfig.ReadWrite.All";

/// What has not been said of an action is the careful answer: it is dangerous, must not be repeated, and no read tells.
const CAREFUL: Action = Action {
    name: "",
    summary: "",
    target: TargetKind::ManagedDevice,
    routes: &[],
    parameters: &[],
    needs_a_parameter: false,
    fixed_body: None,
    permissions: &[],
    read_permission: None,
    risk: Risk::Destructive,
    repeat: Repeat::AfterReadBack,
    once_per: OncePer::Target,
    read_back: ReadBack::Nobody,
    success: Success::Accepted,
    success_codes: &[204],
    gone: Gone::Failed,
    service: &INTUNE_DEVICES,
    approvable: false,
    on_all_devices: false,
    locks_out: false,
    alters: &[],
    notes: &[],
    definition: None,
};

/// What most actions on a managed device have in common. Where Microsoft's pages name `DeviceManagementConfiguration.Read.All`
/// or nothing at all, they do not say what is really asked for; the siblings' permission is.
const ON_DEVICE: Action = Action { permissions: &[PRIVILEGED], approvable: true, ..CAREFUL };

const fn route(
    name: &'static str,
    method: Method,
    path: &'static str,
    versions: &'static [Version],
    ids: &'static [IdName],
) -> Route {
    Route { name, method, path, versions, ids }
}

const fn post(name: &'static str, path: &'static str, versions: &'static [Version], ids: &'static [IdName]) -> Route {
    route(name, Method::Post, path, versions, ids)
}

/// Both routes of an action on a managed device. Co-managed devices have every action, in beta only.
macro_rules! device_routes {
    ($action:literal, $versions:expr) => {
        &[
            super::post(
                "managedDevices",
                concat!("/deviceManagement/managedDevices/{managedDeviceId}/", $action),
                $versions,
                &[crate::catalog::id::MANAGED_DEVICE],
            ),
            super::post(
                "comanagedDevices",
                concat!("/deviceManagement/comanagedDevices/{managedDeviceId}/", $action),
                super::BETA,
                &[crate::catalog::id::MANAGED_DEVICE],
            ),
        ]
    };
}
use device_routes;

const fn optional(name: &'static str, kind: ParameterKind, summary: &'static str) -> Parameter {
    Parameter { name, kind, required: false, beta_only: false, place: None, acted_on: false, summary }
}

const fn required(name: &'static str, kind: ParameterKind, summary: &'static str) -> Parameter {
    Parameter { required: true, ..optional(name, kind, summary) }
}

const fn beta_only(name: &'static str, kind: ParameterKind, summary: &'static str) -> Parameter {
    Parameter { beta_only: true, ..optional(name, kind, summary) }
}

/// The parameter, at a place inside the body that is not its name.
const fn at(place: &'static str, parameter: Parameter) -> Parameter {
    Parameter { place: Some(place), ..parameter }
}

/// The parameter, which names somebody or something that the action acts on beside its target.
const fn acted_on(parameter: Parameter) -> Parameter {
    Parameter { acted_on: true, ..parameter }
}

pub static ACTIONS: &[Action] = &[
    lifecycle::RETIRE,
    lifecycle::WIPE,
    lifecycle::DELETE,
    support::SYNC_DEVICE,
    chrome_os::DEPROVISION,
    autopilot::UNASSIGN_RESOURCE_ACCOUNT,
    autopilot::UNASSIGN_USER,
    user::REMOVE_ALL_DEVICES,
    // The ones above were first, and come first.
    lifecycle::CLEAN_WINDOWS_DEVICE,
    lifecycle::REMOVE_DFCI,
    lifecycle::REVOKE_APPLE_VPP_LICENSES,
    lifecycle::REMOVE_DEVICE_ESIM,
    lifecycle::ACTIVATE_DEVICE_ESIM,
    lifecycle::REMOVE_PRIMARY_USER,
    lifecycle::UPDATE_MANAGED_DEVICE,
    chrome_os::DISABLE,
    chrome_os::REENABLE,
    containment::REMOTE_LOCK,
    containment::RESET_PASSCODE,
    containment::RECOVER_PASSCODE,
    containment::ENABLE_LOST_MODE,
    containment::DISABLE_LOST_MODE,
    containment::PLAY_LOST_MODE_SOUND,
    containment::LOCATE_DEVICE,
    containment::BYPASS_ACTIVATION_LOCK,
    containment::ROTATE_BITLOCKER_KEYS,
    containment::ROTATE_FILE_VAULT_KEY,
    containment::ROTATE_LOCAL_ADMIN_PASSWORD,
    containment::ROTATE_RECOVERY_LOCK_PASSCODE,
    containment::INITIATE_KEY_RECOVERY,
    support::REBOOT_NOW,
    support::SHUT_DOWN,
    support::LOGOUT_SHARED_APPLE_USER,
    support::DELETE_SHARED_APPLE_USER,
    support::SET_DEVICE_NAME,
    support::WINDOWS_DEFENDER_SCAN,
    support::WINDOWS_DEFENDER_UPDATE_SIGNATURES,
    support::UPDATE_WINDOWS_DEVICE_ACCOUNT,
    support::REQUEST_REMOTE_ASSISTANCE,
    support::SEND_CUSTOM_NOTIFICATION,
    support::CREATE_LOG_COLLECTION_REQUEST,
    support::TRIGGER_CONFIGURATION_MANAGER_ACTION,
    support::INITIATE_PROACTIVE_REMEDIATION,
    support::INITIATE_DEVICE_ATTESTATION,
    support::ENROLL_NOW,
    support::PAUSE_CONFIGURATION_REFRESH,
    support::OVERRIDE_COMPLIANCE_STATE,
    support::CHANGE_ASSIGNMENTS,
    support::SUSPEND_MANAGED_HOME_SCREEN,
    support::RESTORE_MANAGED_HOME_SCREEN,
    autopilot::ASSIGN_USER,
    autopilot::ASSIGN_RESOURCE_ACCOUNT,
    autopilot::UPDATE_DEVICE_PROPERTIES,
    autopilot::ALLOW_NEXT_ENROLLMENT,
    autopilot::DELETE_IDENTITY,
    autopilot::DELETE_IMPORTED_AUTOPILOT,
    autopilot::DELETE_IMPORTED_IDENTITY,
    user::REVOKE_SIGN_IN_SESSIONS,
    user::DISABLE_USER,
    user::ENABLE_USER,
    user::REMOVE_LICENSES,
    user::REMOVE_FROM_GROUP,
    user::DELETE_USER,
    user::RESTORE_USER,
    user::WIPE_APPS_BY_DEVICE_TAG,
    user::WIPE_APP_BY_DEVICE_TAG,
    user::WIPE_APPS_BY_DEVICE_ID,
    user::WIPE_AND_BLOCK_APPS,
    user::UNBLOCK_APPS,
    entra::DISABLE_ENTRA_DEVICE,
    entra::ENABLE_ENTRA_DEVICE,
    entra::DELETE_ENTRA_DEVICE,
];
