//! What was accepted and has not happened yet.
//!
//! In: actions whose effect is late. Out: their effects, once they are due. Must not: run by itself; nobody can tell
//! when something happened before somebody looks.

use std::time::Duration;

use serde_json::Value;

use super::clock::Moment;
use super::effects;
use super::inventory::Inventory;
use crate::catalog::ACTIONS;

#[derive(Debug)]
struct Due {
    since: Duration,
    action: usize,
    at: usize,
    body: Value,
}

#[derive(Debug, Default)]
pub struct Late(Vec<Due>);

impl Late {
    /// The action happens to the thing at that place when the tenant is `since` old. `body` is what was sent.
    pub fn add(&mut self, since: Duration, action: usize, at: usize, body: Value) {
        self.0.push(Due { since, action, at, body });
    }

    /// What is due has happened.
    pub fn land(&mut self, inventory: &mut Inventory, now: Moment) {
        for Due { action, at, body, .. } in self.0.extract_if(.., |due| due.since <= now.since) {
            let row = &ACTIONS[action];
            if let Some(effect) = effects::of(row.name) {
                inventory.perform(row.name, effect.deeds, (row.target, at), &body, now);
            }
        }
    }
}
