//! Users: their sessions, account, licences, groups, devices and managed apps.
//!
//! In: nothing. Out: rows of the table. Must not: hold code.

use super::base::{BETA, CAREFUL, PRIVILEGED, READ, V1, V1_AND_BETA};
use super::base::{acted_on, at, post, required, route};
use super::lifecycle::RETIRING;
use crate::catalog::action::{Action, Gone, OncePer, ReadBack, Repeat, Risk, Success};
use crate::catalog::bucket::{DIRECTORY, INTUNE_OTHER};
use crate::catalog::id::{DELETED_USER, GROUP, MEMBER, USER};
use crate::catalog::parameter::ParameterKind;
use crate::catalog::route::Method;
use crate::catalog::target::TargetKind;

const READ_USERS: &str = "User.Read.All";
const APPS: &str = "DeviceManagementApps.ReadWrite.All";

/// Writes to the directory take effect before they are answered.
const ON_USER: Action = Action {
    target: TargetKind::User,
    risk: Risk::Reversible,
    repeat: Repeat::Harmless,
    success: Success::Completed,
    service: &DIRECTORY,
    ..CAREFUL
};

/// Intune's actions under `/users`.
const ON_APPS: Action = Action { target: TargetKind::User, permissions: &[APPS], service: &INTUNE_OTHER, ..CAREFUL };

pub(super) const REMOVE_ALL_DEVICES: Action = Action {
    name: "removeAllDevicesFromManagement",
    summary: "Retire every device of a user.",
    target: TargetKind::User,
    // The current v1.0 page prints only a path through detectedApps; the schema still binds the action to the user.
    routes: &[post("users", "/users/{userId}/removeAllDevicesFromManagement", V1_AND_BETA, &[USER])],
    // Older pages misspell it as PriviligedOperation; that permission does not exist.
    permissions: &[PRIVILEGED],
    read_permission: Some(READ),
    risk: Risk::Irreversible,
    read_back: ReadBack::UserDevices { landed: RETIRING },
    service: &INTUNE_OTHER,
    on_all_devices: true,
    notes: &[
        "All devices of the user or none, and no result for each device; a retire per device says more.",
        "Suspends BitLocker on the user's Entra-joined Windows devices.",
    ],
    ..CAREFUL
};

pub(super) const REVOKE_SIGN_IN_SESSIONS: Action = Action {
    name: "revokeSignInSessions",
    summary: "End all sessions of a user: every app asks for a sign-in again.",
    routes: &[post("users", "/users/{userId}/revokeSignInSessions", V1_AND_BETA, &[USER])],
    permissions: &["User.RevokeSessions.All"],
    notes: &[
        "Takes some minutes to reach every app.",
        "Does not work for guests: their own tenant holds their sessions.",
    ],
    // An older page says 204.
    success_codes: &[200, 204],
    ..ON_USER
};

pub(super) const DISABLE_USER: Action = Action {
    name: "disableUser",
    summary: "Disable an account: the user cannot sign in any more.",
    routes: &[route("users", Method::Patch, "/users/{userId}", V1, &[USER])],
    fixed_body: Some(r#"{"accountEnabled":false}"#),
    // The pages name User.ReadWrite.All or User.ManageIdentities.All; for this property alone there is a smaller one.
    permissions: &["User.EnableDisableAccount.All"],
    read_permission: Some(READ_USERS),
    read_back: ReadBack::AsSent,
    locks_out: true,
    notes: &[
        "Sessions go on until they are revoked: revokeSignInSessions.",
        "An administrator's account takes more rights.",
        "An account that is synchronised from a domain is disabled there.",
    ],
    ..ON_USER
};

pub(super) const ENABLE_USER: Action = Action {
    name: "enableUser",
    summary: "Enable an account again.",
    routes: DISABLE_USER.routes,
    fixed_body: Some(r#"{"accountEnabled":true}"#),
    permissions: DISABLE_USER.permissions,
    read_permission: DISABLE_USER.read_permission,
    read_back: ReadBack::AsSent,
    ..ON_USER
};

pub(super) const REMOVE_LICENSES: Action = Action {
    name: "removeLicenses",
    summary: "Take licences off a user.",
    routes: &[post("users", "/users/{userId}/assignLicense", V1, &[USER])],
    once_per: OncePer::Parameters,
    parameters: &[at("removeLicenses", required("skuIds", ParameterKind::Guids, "The licences, by their skuId."))],
    fixed_body: Some(r#"{"addLicenses":[]}"#),
    permissions: &["LicenseAssignment.ReadWrite.All"],
    read_permission: Some(READ_USERS),
    // The second of two is refused: the licence is not there any more.
    repeat: Repeat::AfterReadBack,
    read_back: ReadBack::Unlicensed,
    notes: &[
        "A licence that the user does not have, or has through a group, is refused with 400.",
        "Data behind a licence, such as a mailbox, is kept for a while only.",
    ],
    success_codes: &[200],
    ..ON_USER
};

pub(super) const REMOVE_FROM_GROUP: Action = Action {
    name: "removeFromGroup",
    summary: "Take a member out of a group.",
    target: TargetKind::GroupMember,
    // Without /$ref the member itself would be deleted, if the app may do that.
    routes: &[route("groups", Method::Delete, "/groups/{groupId}/members/{memberId}/$ref", V1, &[GROUP, MEMBER])],
    permissions: &["GroupMember.ReadWrite.All"],
    read_back: ReadBack::Unlisted,
    gone: Gone::AlreadyDone,
    notes: &[
        "memberId is the object id; by `userPrincipalName` it is looked up, and so is the group by `groupName`.",
        "Groups with dynamic membership cannot be changed; groups that carry roles take RoleManagement.ReadWrite.Directory.",
    ],
    ..ON_USER
};

pub(super) const DELETE_USER: Action = Action {
    name: "deleteUser",
    summary: "Delete an account; it can be restored for 30 days.",
    routes: &[route("users", Method::Delete, "/users/{userId}", V1, &[USER])],
    permissions: &["User.DeleteRestore.All"],
    read_permission: Some(READ_USERS),
    risk: Risk::Destructive,
    read_back: ReadBack::Absent,
    gone: Gone::AlreadyDone,
    notes: &["restoreUser takes the object id: note it down, a deleted user has no other name."],
    ..ON_USER
};

pub(super) const RESTORE_USER: Action = Action {
    name: "restoreUser",
    summary: "Restore an account that was deleted less than 30 days ago.",
    target: TargetKind::DeletedUser,
    routes: &[post("deletedItems", "/directory/deletedItems/{deletedUserId}/restore", V1, &[DELETED_USER])],
    permissions: &["User.DeleteRestore.All"],
    read_permission: Some(READ_USERS),
    // The second of two is answered as if there were nothing to restore.
    repeat: Repeat::AfterReadBack,
    read_back: ReadBack::BackAt { path: "/users/{deletedUserId}" },
    notes: &["It may take a moment until other calls know the account again."],
    success_codes: &[200],
    ..ON_USER
};

const DEVICE_TAG: &[crate::catalog::parameter::Parameter] =
    &[required("deviceTag", ParameterKind::Name, "The tag of the app registrations, as Intune shows it.")];

pub(super) const WIPE_APPS_BY_DEVICE_TAG: Action = Action {
    name: "wipeManagedAppRegistrationsByDeviceTag",
    summary: "Remove company data from the managed apps on one of a user's devices.",
    routes: &[post("users", "/users/{userId}/wipeManagedAppRegistrationsByDeviceTag", V1_AND_BETA, &[USER])],
    once_per: OncePer::Parameters,
    parameters: DEVICE_TAG,
    // No read tells which device has the tag.
    on_all_devices: true,
    ..ON_APPS
};

pub(super) const WIPE_APP_BY_DEVICE_TAG: Action = Action {
    name: "wipeManagedAppRegistrationByDeviceTag",
    summary: "Remove company data from the managed app with that device tag.",
    // In the singular: another action than the one above.
    routes: &[post("users", "/users/{userId}/wipeManagedAppRegistrationByDeviceTag", BETA, &[USER])],
    once_per: OncePer::Parameters,
    parameters: DEVICE_TAG,
    on_all_devices: true,
    ..ON_APPS
};

pub(super) const WIPE_APPS_BY_DEVICE_ID: Action = Action {
    name: "wipeManagedAppRegistrationsByAzureAdDeviceId",
    summary: "Remove company data from the managed apps on the device with that Entra deviceId.",
    routes: &[post("users", "/users/{userId}/wipeManagedAppRegistrationsByAzureAdDeviceId", BETA, &[USER])],
    once_per: OncePer::Parameters,
    parameters: &[acted_on(required(
        "azureAdDeviceId",
        ParameterKind::Guid,
        "The device's deviceId, not its object id.",
    ))],
    ..ON_APPS
};

pub(super) const WIPE_AND_BLOCK_APPS: Action = Action {
    name: "wipeAndBlockManagedApps",
    summary: "Remove company data from all managed apps of a user, and keep them from getting it again.",
    routes: &[post("users", "/users/{userId}/wipeAndBlockManagedApps", BETA, &[USER])],
    on_all_devices: true,
    notes: &["unblockManagedApps lifts the block."],
    ..ON_APPS
};

pub(super) const UNBLOCK_APPS: Action = Action {
    name: "unblockManagedApps",
    summary: "Lift the block on a user's managed apps.",
    routes: &[post("users", "/users/{userId}/unblockManagedApps", BETA, &[USER])],
    risk: Risk::Reversible,
    repeat: Repeat::Harmless,
    ..ON_APPS
};
