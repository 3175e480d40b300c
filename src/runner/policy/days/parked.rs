//! Jobs that wait for another day.
//!
//! In: jobs by the daily limit that leaves nothing for them. Out: the first of them, urgent ones before others. Must not: know
//! when a limit opens.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::catalog::DailyLimit;
use crate::runner::job_state::{Item, JobState, WaitsFor};
use crate::runner::view::RunView;

/// By daily limit.
#[derive(Debug, Default)]
pub(super) struct Parked([BTreeSet<(Reverse<i16>, Item)>; DailyLimit::COUNT]);

impl Parked {
    pub(super) fn insert(&mut self, limit: usize, item: Item, priority: i16) {
        if let Some(parked) = self.0.get_mut(limit) {
            parked.insert((Reverse(priority), item));
        }
    }

    pub(super) fn count(&self, limit: usize) -> usize {
        self.0.get(limit).map_or(0, BTreeSet::len)
    }

    /// So many of those that still wait, the first ones.
    pub(super) fn take(&mut self, limit: usize, most: usize, view: &RunView) -> Vec<Item> {
        let mut taken = Vec::new();
        while taken.len() < most {
            let Some((_, item)) = self.0.get_mut(limit).and_then(BTreeSet::pop_first) else { break };
            if matches!(view.ledger.state(item.job), JobState::Waiting(WaitsFor::Day(_), _)) {
                taken.push(item);
            }
        }
        taken
    }
}
