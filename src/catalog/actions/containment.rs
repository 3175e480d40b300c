//! Managed devices: locked, found, and given new keys.
//!
//! In: nothing. Out: rows of the table. Must not: hold code.

use super::base::{APPLE, BETA, COMPUTERS, LOST_MODE, MAC_OS, ON_DEVICE, READ, READ_WRITE, V1_AND_BETA, WINDOWS};
use super::base::{device_routes, optional};
use crate::catalog::action::{Action, ReadBack, Repeat, Risk};
use crate::catalog::parameter::ParameterKind;

pub(super) const REMOTE_LOCK: Action = Action {
    name: "remoteLock",
    summary: "Lock the device; unlocking takes its passcode, on a Mac a PIN that Intune shows.",
    routes: device_routes!("remoteLock", V1_AND_BETA),
    read_permission: Some(READ),
    read_back: ReadBack::ActionResult { action_name: "remoteLock" },
    notes: &["The PIN of a locked Mac stands in the device's action results, for those who may read them."],
    ..ON_DEVICE
};

pub(super) const RESET_PASSCODE: Action = Action {
    name: "resetPasscode",
    summary: "Remove or replace the device's passcode.",
    routes: device_routes!("resetPasscode", V1_AND_BETA),
    read_permission: Some(READ),
    read_back: ReadBack::ActionResult { action_name: "resetPasscode" },
    notes: &["An Android device may lock its user out."],
    ..ON_DEVICE
};

pub(super) const RECOVER_PASSCODE: Action = Action {
    name: "recoverPasscode",
    summary: "Recover the device's passcode.",
    routes: device_routes!("recoverPasscode", V1_AND_BETA),
    read_permission: Some(READ),
    read_back: ReadBack::ActionResult { action_name: "recoverPasscode" },
    notes: &["An Android device may lock its user out."],
    ..ON_DEVICE
};

pub(super) const ENABLE_LOST_MODE: Action = Action {
    name: "enableLostMode",
    summary: "Lock a supervised Apple device and show a message on it.",
    routes: device_routes!("enableLostMode", BETA),
    parameters: &[
        optional("message", ParameterKind::Text, "What the lock screen says."),
        optional("phoneNumber", ParameterKind::Text, "Whom a finder should call."),
        optional("footer", ParameterKind::Text, "What the lock screen says below."),
    ],
    // Apple's MDM protocol refuses a lost mode that says nothing to its finder.
    needs_one_of: &["message", "phoneNumber"],
    risk: Risk::Reversible,
    repeat: Repeat::Harmless,
    notes: &["disableLostMode ends it."],
    platforms: LOST_MODE,
    ..ON_DEVICE
};

pub(super) const DISABLE_LOST_MODE: Action = Action {
    name: "disableLostMode",
    summary: "End the lost mode of an Apple device.",
    routes: device_routes!("disableLostMode", V1_AND_BETA),
    risk: Risk::Reversible,
    repeat: Repeat::Harmless,
    platforms: LOST_MODE,
    ..ON_DEVICE
};

pub(super) const PLAY_LOST_MODE_SOUND: Action = Action {
    name: "playLostModeSound",
    summary: "Have a device in lost mode make itself heard.",
    routes: device_routes!("playLostModeSound", BETA),
    parameters: &[optional("durationInMinutes", ParameterKind::MinutesInWords, "How long it sounds.")],
    risk: Risk::Harmless,
    repeat: Repeat::Harmless,
    ..ON_DEVICE
};

pub(super) const LOCATE_DEVICE: Action = Action {
    name: "locateDevice",
    summary: "Ask the device where it is.",
    routes: device_routes!("locateDevice", V1_AND_BETA),
    risk: Risk::Harmless,
    repeat: Repeat::Harmless,
    notes: &["Where a device is says where its user is: make sure that you may ask."],
    ..ON_DEVICE
};

pub(super) const BYPASS_ACTIVATION_LOCK: Action = Action {
    name: "bypassActivationLock",
    summary: "Lift the activation lock of a supervised Apple device, so that somebody else can set it up.",
    routes: device_routes!("bypassActivationLock", V1_AND_BETA),
    repeat: Repeat::Harmless,
    notes: &["Ends the protection against theft; needed before a device is given away."],
    platforms: APPLE,
    ..ON_DEVICE
};

pub(super) const ROTATE_BITLOCKER_KEYS: Action = Action {
    name: "rotateBitLockerKeys",
    summary: "Give the device's BitLocker drives new recovery keys.",
    routes: device_routes!("rotateBitLockerKeys", BETA),
    permissions: &[READ_WRITE],
    risk: Risk::Reversible,
    read_back: ReadBack::ActionResult { action_name: "rotateBitLockerKeys" },
    platforms: WINDOWS,
    ..ON_DEVICE
};

pub(super) const ROTATE_FILE_VAULT_KEY: Action = Action {
    name: "rotateFileVaultKey",
    summary: "Give a Mac a new FileVault recovery key.",
    routes: device_routes!("rotateFileVaultKey", BETA),
    read_permission: Some(READ),
    risk: Risk::Reversible,
    read_back: ReadBack::ActionResult { action_name: "rotateFileVaultKey" },
    platforms: MAC_OS,
    ..ON_DEVICE
};

pub(super) const ROTATE_LOCAL_ADMIN_PASSWORD: Action = Action {
    name: "rotateLocalAdminPassword",
    summary: "Give the local administrator of a Windows device a new password (LAPS).",
    routes: device_routes!("rotateLocalAdminPassword", BETA),
    read_permission: Some(READ),
    risk: Risk::Reversible,
    read_back: ReadBack::ActionResult { action_name: "rotateLocalAdminPassword" },
    platforms: COMPUTERS,
    ..ON_DEVICE
};

pub(super) const ROTATE_RECOVERY_LOCK_PASSCODE: Action = Action {
    name: "rotateRecoveryLockPasscode",
    summary: "Give a Mac a new recovery lock passcode.",
    routes: device_routes!("rotateRecoveryLockPasscode", BETA),
    read_permission: Some(READ),
    risk: Risk::Reversible,
    read_back: ReadBack::ActionResult { action_name: "rotateRecoveryLockPasscode" },
    platforms: MAC_OS,
    ..ON_DEVICE
};

pub(super) const INITIATE_KEY_RECOVERY: Action = Action {
    name: "initiateMobileDeviceManagementKeyRecovery",
    summary: "Recover the device's management key, and replace it.",
    routes: device_routes!("initiateMobileDeviceManagementKeyRecovery", BETA),
    read_permission: Some(READ),
    risk: Risk::Reversible,
    read_back: ReadBack::ActionResult { action_name: "initiateMobileDeviceManagementKeyRecovery" },
    platforms: WINDOWS,
    ..ON_DEVICE
};
