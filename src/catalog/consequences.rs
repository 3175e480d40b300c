//! What an action does beyond its name, and to which targets.
//!
//! In: nothing. Out: [`CONSEQUENCES`], which the preview counts and names. Must not: look at a target; the preview tests
//! each one by what was seen of it. A new consequence is a new row.
//!
//! Source: Microsoft's pages on the remote actions retire, wipe and delete, and the reference pages of each action.

use serde_json::Value;

/// One thing that an operator should know before he agrees.
#[derive(Debug)]
pub struct Consequence {
    /// For programs.
    pub code: &'static str,
    pub actions: &'static [&'static str],
    /// The parameter that brings it about, with its value; `None`: the action alone does.
    pub parameter: Option<(&'static str, GivenValue)>,
    /// What must be true of the target; all of it.
    pub tests: &'static [ConsequenceTest],
    /// What happens, after "3 devices" and after "1 device".
    pub many: &'static str,
    pub one: &'static str,
    /// Why, for those of which it is certain.
    pub because: &'static str,
    /// When it happens, after "if"; empty where it always does.
    pub if_many: &'static str,
    /// The same of one.
    pub if_one: &'static str,
    pub source: &'static str,
}

/// A value of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GivenValue {
    True,
    /// The parameter is not there, or false.
    NotTrue,
}

impl GivenValue {
    pub fn holds(self, value: Option<&Value>) -> bool {
        let is_true = value == Some(&Value::Bool(true));
        match self {
            Self::True => is_true,
            Self::NotTrue => !is_true,
        }
    }
}

/// A property of a target that decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsequenceProperty {
    OperatingSystem,
    Ownership,
    EnrollmentType,
    JoinType,
}

/// What must be true of a target.
#[derive(Debug)]
pub enum ConsequenceTest {
    /// The property begins with one of these words, whatever its case.
    Is(ConsequenceProperty, &'static [&'static str]),
    /// The opposite of all of these together.
    NotAll(&'static [ConsequenceTest]),
    /// One of these.
    Any(&'static [ConsequenceTest]),
    /// What was seen of the target cannot tell: it is about other things than the target.
    NobodyKnows,
}

use ConsequenceProperty::{EnrollmentType, JoinType, OperatingSystem, Ownership};
use ConsequenceTest::{Any, Is, NobodyKnows, NotAll};

const CORPORATE_ANDROID: &[ConsequenceTest] = &[Is(OperatingSystem, &["android"]), Is(Ownership, &["company"])];

/// `joinType` is in beta only; these ways of enrolling a device go with the join.
const ENTRA_JOINED_WINDOWS: &[ConsequenceTest] = &[
    Is(OperatingSystem, &["windows"]),
    Any(&[Is(JoinType, &["azureADJoined"]), Is(EnrollmentType, &["windowsAzureADJoin", "windowsBulkAzureDomainJoin"])]),
];

pub(crate) static CONSEQUENCES: &[Consequence] = &[
    Consequence {
        code: "factory-reset",
        actions: &["delete"],
        parameter: None,
        tests: CORPORATE_ANDROID,
        many: "are factory-reset",
        one: "is factory-reset",
        because: "a corporate Android device whose record is deleted is wiped",
        if_many: "they are corporate Android devices",
        if_one: "it is a corporate Android device",
        source: "Intune, remote action delete",
    },
    Consequence {
        code: "retired-by-delete",
        actions: &["delete"],
        parameter: None,
        tests: &[NotAll(CORPORATE_ANDROID)],
        many: "are retired before their records go",
        one: "is retired before its record goes",
        because: "company data is removed, management ends",
        if_many: "they are not corporate Android devices",
        if_one: "it is not a corporate Android device",
        source: "Intune, remote action delete",
    },
    Consequence {
        code: "erased",
        actions: &["wipe"],
        parameter: Some(("keepUserData", GivenValue::NotTrue)),
        tests: &[],
        many: "lose the data of their users",
        one: "loses the data of its user",
        because: "keepUserData is not true",
        if_many: "",
        if_one: "",
        source: "managedDevice: wipe",
    },
    Consequence {
        code: "may-not-start",
        actions: &["wipe"],
        parameter: Some(("useProtectedWipe", GivenValue::True)),
        tests: &[],
        many: "may not start again",
        one: "may not start again",
        because: "useProtectedWipe goes on until everything is wiped",
        if_many: "",
        if_one: "",
        source: "Intune, remote action wipe",
    },
    Consequence {
        code: "every-device",
        actions: &["removeAllDevicesFromManagement"],
        parameter: None,
        tests: &[],
        many: "lose every device they have",
        one: "loses every device they have",
        because: "all of them are retired",
        if_many: "",
        if_one: "",
        source: "user: removeAllDevicesFromManagement",
    },
    Consequence {
        code: "bitlocker-suspended",
        actions: &["retire", "delete"],
        parameter: None,
        tests: ENTRA_JOINED_WINDOWS,
        many: "have BitLocker suspended",
        one: "has BitLocker suspended",
        because: "Entra-joined Windows loses its key protectors",
        if_many: "they are Entra-joined and run Windows",
        if_one: "it is Entra-joined and runs Windows",
        source: "Intune, remote actions retire and delete",
    },
    Consequence {
        code: "retires-not-counted",
        actions: &["removeAllDevicesFromManagement"],
        parameter: None,
        tests: &[NobodyKnows],
        many: "use up more of the day's retires than the one that is counted",
        one: "uses up more of the day's retires than the one that is counted",
        because: "all of their devices are retired",
        if_many: "they have more than one device",
        if_one: "they have more than one device",
        source: "user: removeAllDevicesFromManagement; Intune device actions, daily tenant limits",
    },
    Consequence {
        code: "bitlocker-suspended",
        actions: &["removeAllDevicesFromManagement"],
        parameter: None,
        tests: &[NobodyKnows],
        many: "have BitLocker suspended on their devices",
        one: "has BitLocker suspended on their devices",
        because: "key protectors are removed",
        if_many: "a device of theirs is Entra-joined and runs Windows",
        if_one: "a device of theirs is Entra-joined and runs Windows",
        source: "Intune, remote action retire",
    },
    Consequence {
        code: "pending-actions-dropped",
        actions: &["retire", "wipe", "delete"],
        parameter: None,
        tests: &[],
        many: "drop their other pending actions",
        one: "drops its other pending actions",
        because: "this one takes precedence",
        if_many: "",
        if_one: "",
        source: "Intune, remote actions retire, wipe and delete",
    },
    Consequence {
        code: "programs-removed",
        actions: &["cleanWindowsDevice"],
        parameter: None,
        tests: &[],
        many: "lose the programs that were installed on them",
        one: "loses the programs that were installed on it",
        because: "Windows is installed anew",
        if_many: "",
        if_one: "",
        source: "managedDevice: cleanWindowsDevice",
    },
    Consequence {
        code: "erased",
        actions: &["cleanWindowsDevice"],
        parameter: Some(("keepUserData", GivenValue::NotTrue)),
        tests: &[],
        many: "lose the data of their users",
        one: "loses the data of its user",
        because: "keepUserData is not true",
        if_many: "",
        if_one: "",
        source: "managedDevice: cleanWindowsDevice",
    },
    Consequence {
        code: "user-data-deleted",
        actions: &["deleteUserFromSharedAppleDevice"],
        parameter: None,
        tests: &[],
        many: "lose the data of the user who is named",
        one: "loses the data of the user who is named",
        because: "what is on the device is deleted",
        if_many: "",
        if_one: "",
        source: "managedDevice: deleteUserFromSharedAppleDevice",
    },
    Consequence {
        code: "keys-deleted",
        actions: &["deleteEntraDevice"],
        parameter: None,
        tests: &[],
        many: "lose the BitLocker keys and the local password that Entra keeps for them, unless restored within 30 days",
        one: "loses the BitLocker keys and the local password that Entra keeps for it, unless restored within 30 days",
        because: "they go with the record; a device joined to a domain as well may not be restorable",
        if_many: "",
        if_one: "",
        source: "device: delete; Entra, soft deletion of devices (preview)",
    },
    Consequence {
        code: "no-enrolment-before-reset",
        actions: &["deprovision"],
        parameter: None,
        tests: &[],
        many: "cannot enrol again before a factory reset",
        one: "cannot enrol again before a factory reset",
        because: "a deprovisioned ChromeOS device stays so",
        if_many: "",
        if_one: "",
        source: "ChromeOS, deprovisioning",
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Action;

    #[test]
    fn every_row_is_about_actions_and_parameters_that_exist() {
        for row in CONSEQUENCES {
            assert!(!row.actions.is_empty(), "{}", row.code);
            for name in row.actions {
                let action = Action::named(name).unwrap_or_else(|| panic!("{}: {name}", row.code));
                if let Some((parameter, _)) = row.parameter {
                    assert!(action.parameter_named(parameter).is_some(), "{}: {parameter}", row.code);
                }
            }
            assert_eq!(row.tests.is_empty(), row.if_many.is_empty(), "{}", row.code);
        }
    }

    #[test]
    fn whatever_cannot_be_undone_has_a_consequence_to_show() {
        let irreversible =
            crate::catalog::ACTIONS.iter().filter(|action| action.risk == crate::catalog::Risk::Irreversible);
        for action in irreversible {
            assert!(CONSEQUENCES.iter().any(|row| row.actions.contains(&action.name)), "{}", action.name);
        }
    }
}
