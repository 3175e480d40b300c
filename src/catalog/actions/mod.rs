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
mod base;
mod chrome_os;
mod containment;
mod entra;
mod lifecycle;
mod support;
mod user;

use super::action::Action;

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

impl Action {
    /// The action of that exact name.
    pub fn named(name: &str) -> Option<&'static Action> {
        ACTIONS.iter().find(|action| action.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Method, Repeat, Risk, TargetKind};

    fn placeholders(path: &str) -> Vec<&str> {
        path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect()
    }

    #[test]
    fn every_route_lists_exactly_the_ids_of_its_path_in_order() {
        for action in ACTIONS {
            for route in action.routes {
                let names: Vec<_> = route.ids.iter().map(|id| id.name).collect();
                assert_eq!(placeholders(route.path), names, "{} / {}", action.name, route.name);
                assert!(!route.versions.is_empty());
                assert!(route.versions.is_sorted(), "v1.0 is preferred where there is a choice");
            }
        }
    }

    #[test]
    fn every_row_says_what_the_careful_base_leaves_open() {
        for action in ACTIONS {
            let said = [action.name, action.summary].iter().all(|text| !text.is_empty());
            assert!(said && !action.routes.is_empty() && !action.permissions.is_empty(), "{action:?}");
            assert!(action.definition.is_none());
            if action.routes.iter().any(|route| route.method == Method::Delete) {
                assert!(action.parameters.is_empty() && action.fixed_body.is_none(), "{}", action.name);
            }
        }
    }

    #[test]
    fn what_reaches_devices_that_it_does_not_name_is_about_a_user() {
        let reaching: Vec<_> = ACTIONS.iter().filter(|action| action.on_all_devices).collect();
        assert!(reaching.iter().all(|action| action.target == TargetKind::User));
        let names: Vec<_> = reaching.iter().map(|action| action.name).collect();
        let expected = [
            "removeAllDevicesFromManagement",
            "wipeManagedAppRegistrationsByDeviceTag",
            "wipeManagedAppRegistrationByDeviceTag",
            "wipeAndBlockManagedApps",
        ];
        assert_eq!(names, expected);
        // Whoever adds another that retires, wipes or removes what a user has decides this as well.
        let others = ACTIONS.iter().filter(|action| action.target == TargetKind::User && !action.on_all_devices);
        let wiping: Vec<_> =
            others.filter(|action| ["wipe", "retire", "removeAll"].iter().any(|it| action.name.contains(it))).collect();
        assert!(wiping.iter().all(|action| action.parameters.iter().any(|parameter| parameter.acted_on)), "{wiping:?}");
    }

    #[test]
    fn every_action_on_a_managed_device_may_be_intercepted_and_no_other() {
        for action in ACTIONS {
            assert_eq!(action.approvable, action.target == TargetKind::ManagedDevice, "{}", action.name);
        }
    }

    #[test]
    fn names_are_unique_within_their_table() {
        for (index, action) in ACTIONS.iter().enumerate() {
            assert!(ACTIONS[index + 1..].iter().all(|other| other.name != action.name), "{}", action.name);
            for (at, route) in action.routes.iter().enumerate() {
                assert!(action.routes[at + 1..].iter().all(|other| other.name != route.name), "{}", route.name);
            }
        }
    }

    #[test]
    fn an_action_that_must_not_be_repeated_blindly_is_never_called_harmless() {
        for action in ACTIONS {
            if action.repeat == Repeat::AfterReadBack {
                assert!(action.risk > Risk::Harmless, "{}", action.name);
            }
        }
    }
}
