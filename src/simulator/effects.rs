//! What each action does to its target.
//!
//! In: an action's name. Out: its [`ActionEffect`]. Must not: carry them out; the inventory does. An action of the catalog that
//! has no row here is a failing test.

/// One change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    /// A property gets a value.
    Set(&'static str, &'static str),
    /// A property becomes the present moment.
    SetNow(&'static str),
    /// What no property of Graph shows: `GET /simulator/marks` does.
    Mark(&'static str),
    /// `deviceActionResults` gets an entry under the action's name.
    Note,
    /// The record is gone.
    Remove,
    /// The record goes to the deleted items of the directory, if it is one that does.
    Delete,
    /// This happens to every device of the user.
    EachDevice(&'static [Deed]),
    /// Every property in the body gets the value it has there.
    Sent,
    /// A property gets the value of a property of the body under another name.
    From(&'static str, &'static str),
    /// The licences in the body are taken away, if all of them are there.
    Unlicense,
    /// What was removed is there again.
    Restore,
}

/// What comes back with a success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SuccessReply {
    /// 204.
    Nothing,
    /// 200 and `{"value": true}`.
    True,
    /// 200 and the thing as it is now.
    Thing,
    /// 200 and an object that stands for what was asked for.
    Receipt,
}

/// All that an action does.
#[derive(Debug)]
pub(super) struct ActionEffect {
    action: &'static str,
    pub deeds: &'static [Deed],
    pub reply: SuccessReply,
}

use Deed::{Delete, EachDevice, From, Mark, Note, Remove, Restore, Sent, Set, SetNow, Unlicense};

const fn silent(action: &'static str, deeds: &'static [Deed]) -> ActionEffect {
    telling(action, deeds, SuccessReply::Nothing)
}

const fn telling(action: &'static str, deeds: &'static [Deed], reply: SuccessReply) -> ActionEffect {
    ActionEffect { action, deeds, reply }
}

/// The device acts when it next checks in, which it never does here.
const fn noted(action: &'static str) -> ActionEffect {
    silent(action, &[Note])
}

const RETIRE: &[Deed] = &[Set("managementState", "retirePending"), Note];

const APPS_WIPED: &[Deed] = &[Mark("apps wiped")];

static EFFECTS: &[ActionEffect] = &[
    silent("retire", RETIRE),
    silent("wipe", &[Set("managementState", "wipePending"), Note]),
    silent("delete", &[Remove]),
    silent("syncDevice", &[SetNow("lastSyncDateTime"), Note]),
    // Graph has no property that shows a deprovisioned device.
    silent("deprovision", &[Mark("deprovisioned"), Note]),
    silent("disable", &[Mark("disabled"), Note]),
    silent("reenable", &[Mark(""), Note]),
    silent("removePrimaryUser", &[Set("userId", ""), Set("userPrincipalName", ""), Set("userDisplayName", "")]),
    // Intune answers a PATCH with the record as it is then, the directory with nothing. Source: Graph's pages on updating a
    // managedDevice, a user and a device.
    telling("updateManagedDevice", &[Sent], SuccessReply::Thing),
    telling("createDeviceLogCollectionRequest", &[Note], SuccessReply::Receipt),
    noted("cleanWindowsDevice"),
    noted("removeDeviceFirmwareConfigurationInterfaceManagement"),
    noted("revokeAppleVppLicenses"),
    noted("removeDeviceEsim"),
    noted("activateDeviceEsim"),
    noted("remoteLock"),
    noted("resetPasscode"),
    noted("recoverPasscode"),
    noted("enableLostMode"),
    noted("disableLostMode"),
    noted("playLostModeSound"),
    noted("locateDevice"),
    noted("bypassActivationLock"),
    noted("rotateBitLockerKeys"),
    noted("rotateFileVaultKey"),
    noted("rotateLocalAdminPassword"),
    noted("rotateRecoveryLockPasscode"),
    noted("initiateMobileDeviceManagementKeyRecovery"),
    noted("rebootNow"),
    noted("shutDown"),
    noted("logoutSharedAppleDeviceActiveUser"),
    noted("deleteUserFromSharedAppleDevice"),
    noted("setDeviceName"),
    noted("windowsDefenderScan"),
    noted("windowsDefenderUpdateSignatures"),
    noted("updateWindowsDeviceAccount"),
    noted("requestRemoteAssistance"),
    noted("sendCustomNotificationToCompanyPortal"),
    noted("triggerConfigurationManagerAction"),
    noted("initiateOnDemandProactiveRemediation"),
    noted("initiateDeviceAttestation"),
    noted("enrollNowAction"),
    noted("pauseConfigurationRefresh"),
    noted("overrideComplianceState"),
    noted("changeAssignments"),
    noted("suspendManagedHomeScreen"),
    noted("restoreManagedHomeScreen"),
    silent("unassignResourceAccountFromDevice", &[Set("resourceName", "")]),
    silent("unassignUserFromDevice", &[Set("userPrincipalName", ""), Set("addressableUserName", "")]),
    silent("assignUserToDevice", &[Sent]),
    silent("assignResourceAccountToDevice", &[From("resourceName", "userPrincipalName")]),
    silent("updateDeviceProperties", &[Sent]),
    silent("allowNextEnrollment", &[Mark("may enrol")]),
    silent("deleteAutopilotIdentity", &[Remove]),
    silent("deleteImportedAutopilotIdentity", &[Remove]),
    silent("deleteImportedDeviceIdentity", &[Remove]),
    silent("removeAllDevicesFromManagement", &[EachDevice(RETIRE)]),
    telling("revokeSignInSessions", &[SetNow("signInSessionsValidFromDateTime")], SuccessReply::True),
    silent("disableUser", &[Sent]),
    silent("enableUser", &[Sent]),
    telling("removeLicenses", &[Unlicense], SuccessReply::Thing),
    silent("removeFromGroup", &[Remove]),
    silent("deleteUser", &[Delete]),
    telling("restoreUser", &[Restore], SuccessReply::Thing),
    silent("wipeManagedAppRegistrationsByDeviceTag", APPS_WIPED),
    silent("wipeManagedAppRegistrationByDeviceTag", APPS_WIPED),
    silent("wipeManagedAppRegistrationsByAzureAdDeviceId", APPS_WIPED),
    silent("wipeAndBlockManagedApps", &[Mark("apps blocked")]),
    silent("unblockManagedApps", &[Mark("")]),
    silent("disableEntraDevice", &[Sent]),
    silent("enableEntraDevice", &[Sent]),
    silent("deleteEntraDevice", &[Delete]),
];

/// What the action of that name does; `None` if the simulator cannot play it.
pub(super) fn of(action: &str) -> Option<&'static ActionEffect> {
    EFFECTS.iter().find(|effect| effect.action == action)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::ACTIONS;

    #[test]
    fn every_action_of_the_catalog_has_an_effect_and_nothing_else_has() {
        for action in ACTIONS {
            assert!(of(action.name).is_some_and(|effect| !effect.deeds.is_empty()), "{} has no effect", action.name);
        }
        assert_eq!(EFFECTS.len(), ACTIONS.len());
    }
}
