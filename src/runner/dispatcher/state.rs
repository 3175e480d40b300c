//! What the dispatcher has, and what it tells.
//!
//! In: nothing. Out: the state of a run; what happens, told to all policies. Must not: decide.

use std::sync::Arc;

use fastrand::Rng;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::pool::WorkerPool;
use super::records::Records;
use super::road::Road;
use crate::clock::Clock;
use crate::job::Job;
use crate::runner::dialogue::{Happened, Policy, Then};
use crate::runner::event::{Event, StopReason};
use crate::runner::ledger::Ledger;
use crate::runner::limits::Limits;
use crate::runner::queue::Queues;
use crate::runner::view::RunView;

pub(super) struct Dispatcher {
    pub jobs: Arc<[Job]>,
    pub limits: Limits,
    pub clock: Clock,
    pub rng: Rng,
    pub ledger: Ledger,
    pub queues: Queues,
    pub policies: Vec<Box<dyn Policy>>,
    /// What they want done.
    pub then: Then,
    pub road: Road,
    pub pool: WorkerPool,
    pub records: Records,
    pub events: mpsc::UnboundedSender<Event>,
    pub stopped: Option<StopReason>,
}

impl Dispatcher {
    pub(super) fn view(&self, now: Instant) -> RunView<'_> {
        RunView {
            jobs: &self.jobs,
            ledger: &self.ledger,
            queues: &self.queues,
            limits: &self.limits,
            clock: &self.clock,
            now,
            stopped: self.stopped.as_ref(),
            has_journal: self.records.journal.is_some(),
        }
    }

    /// Tells all policies what has happened, and does what follows from it. Whether anything did.
    pub(super) fn happens(&mut self, happened: &Happened, now: Instant) -> bool {
        self.hear(happened, now);
        self.apply_all(now)
    }

    /// Tells all policies what has happened.
    pub(super) fn hear(&mut self, happened: &Happened, now: Instant) {
        let mut then = std::mem::take(&mut self.then);
        self.ask_policies(now, |policies, view| {
            policies.iter_mut().for_each(|policy| policy.on(happened, view, &mut then));
        });
        then.decide();
        self.then = then;
    }

    /// Lets the policies look at the run while they change their own state.
    pub(super) fn ask_policies<R>(
        &mut self,
        now: Instant,
        ask: impl FnOnce(&mut [Box<dyn Policy>], &RunView<'_>) -> R,
    ) -> R {
        let mut policies = std::mem::take(&mut self.policies);
        let said = ask(&mut policies, &self.view(now));
        self.policies = policies;
        said
    }

    /// Nobody listening is no reason to stop.
    pub(super) fn tell(&self, event: Event) {
        let _ = self.events.send(event);
    }
}
