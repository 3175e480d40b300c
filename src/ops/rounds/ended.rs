//! What the rounds of a run ended with.
//!
//! In: the settlements of a round, an error of the journal. Out: [`RoundsEnded`]. Must not: decide whether the run waits; that is asked for.

use crate::daily::Later;
use crate::ops::error::Error;
use crate::ops::task::RunTask;
use crate::outcome::{Cause, Outcome, Settlement};
use crate::pacing::BucketUse;
use crate::runner::event::StopReason;

/// What the rounds ended with.
#[derive(Debug)]
pub struct RoundsEnded {
    /// One for each job, in plan order.
    pub settlements: Vec<Settlement>,
    pub stopped: Option<StopReason>,
    /// What the last round has left for another day.
    pub later: Vec<Later>,
    /// Jobs that had failed before, and that the last round has not sent.
    pub(super) unsent: Vec<u32>,
    /// Of the last round.
    pub used: Vec<BucketUse>,
    /// Whether what was accepted was followed up.
    pub verified: bool,
}

impl RoundsEnded {
    /// The journal failed before anything was done.
    pub fn untouched(task: &RunTask, error: &Error) -> Self {
        let nothing = Self {
            settlements: task.untouched(),
            stopped: None,
            later: Vec::new(),
            unsent: Vec::new(),
            used: Vec::new(),
            verified: false,
        };
        nothing.lost(error)
    }

    /// The same, with what was seen of it since.
    pub fn followed_up(self, seen: Self) -> Self {
        Self { settlements: seen.settlements, stopped: seen.stopped, verified: seen.verified, ..self }
    }

    /// The journal failed. What this process knows is reported all the same.
    pub fn lost(self, error: &Error) -> Self {
        Self { stopped: Some(StopReason::Journal(error.to_string().into())), ..self }
    }

    /// Whether time alone may bring some job further.
    pub(super) fn waits(&self) -> bool {
        let waits = |settled: &Settlement| settled.outcome == Outcome::AwaitingApproval || is_braked(settled);
        !self.later.is_empty() || self.settlements.iter().any(waits)
    }
}

/// A job that was not filed, because as much is open as can be carried out.
pub(super) fn is_braked(settled: &Settlement) -> bool {
    settled.cause == Some(Cause::ApprovalRequestsFull)
}
