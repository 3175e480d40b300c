//! What of a tenant outlasts a command.
//!
//! In: a state, or what was read of one. Out: the text of a file, or the state as it was. Must not: write tokens, requests or
//! counts; windows are shorter than any pause between two commands that matters, and begin anew.

use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{State, Tenant};
use crate::simulator::approvals::FiledRequests;
use crate::simulator::clock::TenantClock;
use crate::simulator::faults::Faults;
use crate::simulator::kept::KeptHead;
use crate::simulator::late::Late;
use crate::simulator::quota::Quotas;
use crate::simulator::scenario::Scenario;
use crate::simulator::shelf::{Shelf, ShelfRead};
use crate::simulator::sign_in::Tokens;

#[derive(Serialize)]
struct KeptTenant<'s> {
    head: &'s KeptHead,
    state: StateWritten<'s>,
}

#[derive(Serialize)]
struct StateWritten<'s> {
    shelves: Vec<&'s Shelf>,
    faults: &'s Faults,
    quotas: &'s Quotas,
    requests: &'s FiledRequests,
    late: &'s Late,
    dice: u64,
}

/// What was read of a state.
#[derive(Debug, Deserialize)]
pub(in crate::simulator) struct StateRead {
    shelves: Vec<ShelfRead>,
    faults: Faults,
    quotas: Quotas,
    requests: FiledRequests,
    late: Late,
    dice: u64,
}

impl Tenant {
    /// A tenant that began then, and goes on now with what was kept of it.
    pub(in crate::simulator) fn kept(
        scenario: Scenario,
        start: Timestamp,
        now: Timestamp,
        kept: Option<StateRead>,
    ) -> Arc<Self> {
        let mut state = State::new(&scenario, start, Tokens::default());
        if let Some(kept) = kept {
            restore(&mut state, kept);
        }
        Arc::new(Self { scenario, clock: TenantClock::going_on(start, now), state: Mutex::new(state) })
    }

    /// What outlasts a command, as a file holds it.
    pub(in crate::simulator) fn written(&self, head: &KeptHead) -> serde_json::Result<Vec<u8>> {
        let state = self.lock();
        let State { inventory, faults, quotas, requests, late, dice, .. } = &*state;
        let shelves = inventory.shelves();
        let state = StateWritten { shelves, faults, quotas, requests, late, dice: dice.get_seed() };
        serde_json::to_vec(&KeptTenant { head, state })
    }
}

fn restore(state: &mut State, read: StateRead) {
    let StateRead { shelves, faults, quotas, requests, late, dice } = read;
    state.inventory.restore(shelves);
    (state.faults, state.quotas, state.requests, state.late) = (faults, quotas, requests, late);
    state.dice = fastrand::Rng::with_seed(dice);
}
