//! What was accepted and has not happened yet: in the service, and on the devices.
//!
//! In: actions whose effect is late. Out: their effects, once they are due, in the order in which they are. Must not: run by
//! itself; nobody can tell when something happened before somebody looks.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use jiff::SignedDuration;
use serde_json::Value;

use super::clock::Moment;
use super::effects;
use super::inventory::Inventory;
use super::scenario::End;
use crate::catalog::ACTIONS;

#[derive(Debug, Serialize, Deserialize)]
struct LateEffect {
    since: Duration,
    action: usize,
    at: usize,
    body: Value,
    /// What the device does; `None`: the service begins to show the action.
    end: Option<End>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Late(Vec<LateEffect>);

impl Late {
    /// The action happens to the thing at that place when the tenant is `since` old. `body` is what was sent.
    pub(super) fn add(&mut self, since: Duration, action: usize, at: usize, body: Value) {
        self.0.push(LateEffect { since, action, at, body, end: None });
    }

    /// The device at that place, or those of the user there, check in then.
    pub(super) fn check_in(&mut self, since: Duration, action: usize, at: usize, body: Value, end: End) {
        self.0.push(LateEffect { since, action, at, body, end: Some(end) });
    }

    /// What is due has happened.
    pub(super) fn land(&mut self, inventory: &mut Inventory, now: Moment) {
        let mut due: Vec<LateEffect> = self.0.extract_if(.., |due| due.since <= now.since).collect();
        due.sort_by_key(|due| due.since);
        for LateEffect { since, action, at, body, end } in due {
            let row = &ACTIONS[action];
            let ago = SignedDuration::try_from(now.since.saturating_sub(since)).unwrap_or_default();
            let then = Moment { since, wall: now.wall.checked_sub(ago).unwrap_or(now.wall) };
            match (end, effects::of(row.name)) {
                (Some(end), _) => inventory.act(row, at, end, &body, then.wall),
                (None, Some(effect)) => {
                    inventory.perform(row.name, effect.deeds, (row.target, at), &body, then);
                }
                (None, None) => {}
            }
        }
    }
}
