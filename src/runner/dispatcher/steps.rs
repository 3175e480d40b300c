//! The steps of one target: what each waits for, and what becomes of it then.
//!
//! In: how a job has settled, what was seen of it since. Out: the next step in its queue, held, or left.
//! Must not: send a step before the one before it has settled well, and was seen to have happened where the plan wants that.

use std::time::Duration;

use tokio::time::Instant;

use super::super::queue::{Item, Step};
use super::Dispatcher;
use super::following::Who;
use crate::guard::waves::length;
use crate::outcome::{Cause, Outcome, Standing};

impl Dispatcher {
    /// Queues or holds the steps that waited for a job.
    pub(super) fn go_on_after(&mut self, job: u32, outcome: Outcome, now: Instant) {
        for next in self.next_steps.remove(&job).unwrap_or_default() {
            // Settled or sent by an earlier process: it goes its own way.
            if self.ledger.settlement(next).is_some() || self.taken_up.contains(&next) {
                continue;
            }
            let step = &self.jobs[next as usize];
            match (outcome.standing(), outcome) {
                (Standing::Good, outcome) if self.stopped.is_none() => match step.verified_within() {
                    Some(within) if outcome == Outcome::Accepted => self.wait_for(job, next, within, now),
                    _ => self.let_in(step.bucket(), Item { job: next, step: Step::Send }),
                },
                (Standing::Good, _) => self.end(next, self.why_stopped(), now),
                (_, Outcome::NotAttempted) => self.end(next, Cause::StepBeforeNotAttempted.plain(), now),
                _ => {
                    let seen = self.ledger.settlement(job).and_then(|settled| settled.follow_up.as_ref());
                    let seen = seen.map(|seen| format!(" ({seen})")).unwrap_or_default();
                    let how = format!("{} ended as {}{seen}", self.step_before(job), outcome.name());
                    self.end(next, Cause::StepBeforeFailed.with(how), now);
                }
            }
        }
    }

    /// Lets a step wait until the one before it was seen to have happened.
    fn wait_for(&mut self, job: u32, next: u32, within: Duration, now: Instant) {
        if !self.can_be_followed(job) {
            return self.hold_as_untold(job, next, now);
        }
        self.next_steps.entry(job).or_default().push(next);
        self.follow(job, Who::Step, within, now);
    }

    pub(super) fn waited_in_vain(&mut self, job: u32, now: Instant) {
        let seen = self.last_seen(job).map(|seen| format!(" ({seen})")).unwrap_or_default();
        for next in self.waiting_for(job) {
            let within = self.jobs[next as usize].verified_within().unwrap_or_default();
            let what =
                format!("{} was not seen to have happened within {}{seen}", self.step_before(job), length(within));
            self.end(next, Cause::StepBeforeNotSeen.with(what), now);
        }
    }

    /// No read will ever tell what the step waits for.
    pub(super) fn hold_next(&mut self, job: u32, now: Instant) {
        for next in self.waiting_for(job) {
            self.hold_as_untold(job, next, now);
        }
    }

    fn hold_as_untold(&mut self, job: u32, next: u32, now: Instant) {
        let seen = self.last_seen(job).map(|seen| format!(" ({seen})")).unwrap_or_default();
        let what = format!("{} has happened{seen}", self.step_before(job));
        self.end(next, Cause::StepBeforeUntold.with(what), now);
    }

    /// The run ends: no step goes on waiting.
    pub(super) fn leave_waiting_steps(&mut self, now: Instant) {
        for job in self.following.give_up() {
            for next in self.waiting_for(job) {
                self.end(next, self.why_stopped(), now);
            }
        }
    }

    /// Takes the steps that wait for a job.
    fn waiting_for(&mut self, job: u32) -> Vec<u32> {
        let mut next = self.next_steps.remove(&job).unwrap_or_default();
        next.retain(|next| self.ledger.settlement(*next).is_none());
        next
    }

    /// `wipe in row 3,`
    fn step_before(&self, job: u32) -> String {
        let job = &self.jobs[job as usize];
        format!("{} in row {},", job.action.name, job.row)
    }
}
