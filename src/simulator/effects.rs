//! What each action does to its target.
//!
//! In: an action's name. Out: its [`Deed`]s. Must not: carry them out; the inventory does. An action of the catalog that
//! has no row here is a failing test.

/// One change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// A property gets a value.
    Set(&'static str, &'static str),
    /// A property becomes the present moment.
    SetNow(&'static str),
    /// `deviceActionResults` gets an entry under the action's name.
    Note,
    /// The record is gone.
    Remove,
    /// This happens to every device of the user.
    EachDevice(&'static [Deed]),
}

use Deed::{EachDevice, Note, Remove, Set, SetNow};

const RETIRE: &[Deed] = &[Set("managementState", "retirePending"), Note];

static EFFECTS: &[(&str, &[Deed])] = &[
    ("retire", RETIRE),
    ("wipe", &[Set("managementState", "wipePending"), Note]),
    ("delete", &[Remove]),
    ("syncDevice", &[SetNow("lastSyncDateTime"), Note]),
    // Graph has no property that shows a deprovisioned device; `simulatorState` is ours.
    ("deprovision", &[Set("simulatorState", "deprovisioned"), Note]),
    ("unassignResourceAccountFromDevice", &[Set("resourceName", "")]),
    ("unassignUserFromDevice", &[Set("userPrincipalName", ""), Set("addressableUserName", "")]),
    ("removeAllDevicesFromManagement", &[EachDevice(RETIRE)]),
];

/// What the action of that name does; `None` if the simulator cannot play it.
pub fn of(action: &str) -> Option<&'static [Deed]> {
    EFFECTS.iter().find(|(name, _)| *name == action).map(|(_, deeds)| *deeds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::ACTIONS;

    #[test]
    fn every_action_of_the_catalog_has_an_effect_and_nothing_else_has() {
        for action in ACTIONS {
            assert!(of(action.name).is_some_and(|deeds| !deeds.is_empty()), "{} has no effect here", action.name);
        }
        assert_eq!(EFFECTS.len(), ACTIONS.len());
    }
}
