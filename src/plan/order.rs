//! Orders in which the service refuses what a plan wants of one machine.
//!
//! In: jobs, and rows that have to be looked up, in plan order. Out: warnings. Must not: change an order.
//!
//! Sources: field reports (PBKoning/RemoveAutoPilotDevices #1, ugurkocde/DeviceOffboardingManager #18) and memdocs #1435: an
//! Entra device that is registered with Autopilot is not deleted (403), also for minutes after its identity was deleted.
//! One report of 2021 has it otherwise.

use std::collections::HashMap;

use super::places::Places;
use super::unresolved::Unresolved;
use crate::diagnostics::{Diagnostic, Place};
use crate::job::Job;

const IDENTITY: &str = "deleteAutopilotIdentity";
const DEVICE: &str = "deleteEntraDevice";

/// What is wrong, once for all rows: with the place of the first.
pub(crate) fn check(jobs: &[Job], places: &Places, unresolved: &[Unresolved]) -> Vec<Diagnostic> {
    let mut seen = SeenEarlier::default();
    for row in unresolved {
        for step in row.steps.iter() {
            let waits = step.verified_within.is_some();
            seen.take(row.key(), step.action.name, waits, || (*row.place).clone());
        }
    }
    for (at, job) in jobs.iter().enumerate() {
        // Nothing but standing in one row says that two ids are of one machine.
        seen.take(format!("\0{}", job.row), job.action.name, true, || places.of(at));
    }
    seen.told()
}

/// What came before, by what a row says of its target.
#[derive(Default)]
struct SeenEarlier {
    devices: HashMap<String, Place>,
    identities: HashMap<String, ()>,
    reversed: OrderFinding,
    early: OrderFinding,
}

/// The first place, and how many rows.
#[derive(Default)]
struct OrderFinding(Option<Place>, usize);

impl OrderFinding {
    fn add(&mut self, place: impl FnOnce() -> Place) {
        self.0.get_or_insert_with(place);
        self.1 += 1;
    }

    fn told(self, code: &'static str, message: &str, help: &str) -> Option<Diagnostic> {
        let place = self.0?;
        let rows = match self.1 {
            1 => String::new(),
            rows => format!(" ({rows} rows)"),
        };
        Some(Diagnostic::warning(code, format!("{message}{rows}")).at(place).help(help))
    }
}

impl SeenEarlier {
    fn take(&mut self, key: String, action: &str, waits: bool, place: impl FnOnce() -> Place) {
        match action {
            DEVICE if self.identities.contains_key(&key) && waits => {}
            DEVICE if self.identities.contains_key(&key) => self.early.add(place),
            DEVICE => {
                self.devices.entry(key).or_insert_with(place);
            }
            IDENTITY => {
                if let Some(place) = self.devices.remove(&key) {
                    self.reversed.add(|| place);
                }
                self.identities.insert(key, ());
            }
            _ => {}
        }
    }

    fn told(self) -> Vec<Diagnostic> {
        let reversed = self.reversed.told(
            "wrong-order",
            "`deleteEntraDevice` stands before `deleteAutopilotIdentity`: Entra does not delete a device that is registered \
             with Autopilot (403)",
            "put `deleteAutopilotIdentity` first, and `after: verified` on `deleteEntraDevice`: the identity stays for some \
             minutes",
        );
        let early = self.early.told(
            "too-early",
            "`deleteEntraDevice` follows `deleteAutopilotIdentity` at once: Entra refuses it (403) as long as the identity is \
             there, which is for some minutes",
            "write it as `{ action: deleteEntraDevice, after: verified }`",
        );
        reversed.into_iter().chain(early).collect()
    }
}
