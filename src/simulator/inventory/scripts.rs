//! Scripts that run on devices, and what else a route names on its way to a device.
//!
//! In: the ids of a path. Out: the device that they lead to, or the id at which the way ends. Must not: know paths.
//!
//! Source: Graph's beta pages of `deprovision`, whose routes lead over scripts, their run states, users and detected apps.

use std::collections::HashMap;

use super::{Inventory, device_behind};
use crate::catalog::TargetKind;
use crate::simulator::routes::PathId;
use crate::simulator::scenario::{Scenario, ScriptKind};

/// Of the scripts that the scenario lists: their kind, and the device of each run state.
#[derive(Debug, Default)]
pub(in crate::simulator) struct Scripts(HashMap<String, (ScriptKind, HashMap<String, String>)>);

impl Scripts {
    pub(crate) fn of(scenario: &Scenario) -> Self {
        let states = |script: &crate::simulator::scenario::ListedScript| {
            let state = |state: &crate::simulator::scenario::ListedRunState| {
                (state.id.to_ascii_lowercase(), state.device.0.to_ascii_lowercase())
            };
            (script.kind, script.run_states.iter().map(state).collect())
        };
        Self(scenario.scripts.iter().map(|it| (it.id.0.to_ascii_lowercase(), states(it))).collect())
    }
}

impl Inventory {
    /// Follows the ids of a route. `Ok(None)`: they name no device on their way. `Err`: the id that is not there.
    pub(crate) fn follow(&mut self, ids: &[PathId<'_>]) -> Result<Option<usize>, String> {
        let (mut script, mut user, mut device) = (None, None, None);
        for id in ids {
            let value = id.value.to_ascii_lowercase();
            let gone = || Err(value.clone());
            match id.name.name {
                name if ScriptKind::with_id(name).is_some() => {
                    let is_known = match self.scripts.0.get(&value) {
                        Some((kind, _)) => ScriptKind::with_id(name) == Some(*kind),
                        None => !self.only_listed,
                    };
                    if !is_known {
                        return gone();
                    }
                    script = Some(value);
                }
                _ if id.name.is_state() => match self.device_of_state(script.as_deref(), &value) {
                    Some(at) => device = Some(at),
                    None => return gone(),
                },
                "userId" => match self.find(TargetKind::User, &value) {
                    Some(at) => user = Some(at),
                    None => return gone(),
                },
                "managedDeviceId" => {
                    // Where every id exists, everybody has every device that a plan says they have.
                    let theirs = user.filter(|_| self.only_listed).map(|user| self.devices_of(user));
                    let found = self.find(TargetKind::ManagedDevice, &value);
                    match found.filter(|at| theirs.as_ref().is_none_or(|theirs| theirs.contains(at))) {
                        Some(at) => device = Some(at),
                        None => return gone(),
                    }
                }
                _ => {}
            }
        }
        Ok(device)
    }

    fn device_of_state(&mut self, script: Option<&str>, state: &str) -> Option<usize> {
        let listed = script.and_then(|script| self.scripts.0.get(script));
        let device = match listed {
            Some((_, states)) => states.get(state)?.clone(),
            None if self.only_listed => return None,
            None => device_behind(state),
        };
        self.find(TargetKind::ManagedDevice, &device)
    }
}
