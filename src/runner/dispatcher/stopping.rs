//! How a run ends early.
//!
//! In: a reason to stop. Out: nothing new is sent, what is in flight settles, the rest is `not_attempted`.
//! Must not: lose a row, or call something not attempted that may have had an effect.

use tokio::time::Instant;

use super::super::event::{Event, StopReason};
use super::super::ledger::Progress;
use super::super::queue::{Item, Step};
use super::Dispatcher;
use super::answers::look_at;
use crate::catalog::ReadBack;
use crate::outcome::{Cause, Ending, Outcome, Unsent};

impl Dispatcher {
    /// Stops sending: what has not left does not leave. What is in flight is waited for; reads that settle a doubt still go out.
    pub(super) fn drain(&mut self, reason: StopReason) {
        if self.stopped.is_some() {
            return;
        }
        self.stopped = Some(reason.clone());
        self.withdraw_attempts();
        // Nobody needs to know any more what has landed.
        self.in_flight.retain(|_, step| *step != Step::FollowUp);
        let out = self.in_flight.len().saturating_sub(self.being_recorded);
        self.tell(Event::Draining { in_flight: out as u32, reason });
        let now = Instant::now();
        let mut waiting = self.queues.drain();
        waiting.extend(self.waves.give_up());
        waiting.extend(self.looked.drain());
        waiting.sort_unstable();
        for item in waiting {
            self.leave(item, now);
        }
        self.leave_waiting_steps(now);
    }

    /// Takes a waiting job out of a run that is ending.
    pub(super) fn leave(&mut self, item: Item, now: Instant) {
        if item.step == Step::FollowUp {
            return;
        }
        let can_read = self.stopped.as_ref().is_some_and(StopReason::leaves_time)
            && self.jobs[item.job as usize].action.read_back != ReadBack::Nobody;
        let leaves_time = self.stopped.as_ref().is_some_and(StopReason::leaves_time);
        // The service has said no, and what is left is to read why.
        if matches!(item.step, Step::Find { .. }) && leaves_time {
            return self.queues.push_back(self.bucket_of(item), item);
        }
        let doubtful = self.ledger.progress(item.job).is_in_doubt();
        match (doubtful, can_read) {
            (true, true) => {
                let resend = item.step != Step::ReadBack { resend: false };
                let item = Item { job: item.job, step: Step::ReadBack { resend } };
                self.queues.push_back(self.bucket_of(item), item);
            }
            (true, false) => {
                self.settle(item.job, Outcome::Unknown, Some(look_at(item.job, &self.jobs)), now);
            }
            (false, _) => self.end(item.job, self.why_stopped(), now),
        }
    }

    /// Gives up what is in flight.
    pub(super) fn abandon(&mut self) {
        let now = Instant::now();
        self.tell(Event::Abandoned { in_flight: self.in_flight.len() as u32 });
        self.workers.iter().for_each(super::Worker::abort);
        let mut in_flight: Vec<(u32, Step)> = self.in_flight.drain().collect();
        in_flight.sort_unstable();
        for (job, step) in in_flight {
            // A look has sent nothing, and what is looked for was answered.
            if matches!(step, Step::Look | Step::Find { .. }) && !self.ledger.progress(job).is_in_doubt() {
                self.end(job, self.why_stopped(), now);
                continue;
            }
            let note = format!("abandoned before the answer came; {}", look_at(job, &self.jobs));
            self.settle(job, Outcome::Unknown, Some(note), now);
        }
        self.mind_the_witnesses(true, now);
        let mut waiting = self.queues.drain();
        waiting.extend(self.looked.drain());
        waiting.sort_unstable();
        for item in waiting {
            let ending = match self.ledger.progress(item.job).is_in_doubt() {
                true => Ending::settled(Outcome::Unknown, Some(look_at(item.job, &self.jobs))),
                false => self.why_stopped().into(),
            };
            self.end(item.job, ending, now);
        }
    }

    /// What is left open when the run ends settles here, so that the journal has what the report says. Nothing should be.
    pub(super) fn leave_the_rest(&mut self) {
        let now = Instant::now();
        for job in 0..self.jobs.len() as u32 {
            if self.ledger.settlement(job).is_some() {
                continue;
            }
            match self.ledger.peek(job).is_some_and(Progress::is_in_doubt) {
                true => self.settle(job, Outcome::Unknown, Some(look_at(job, &self.jobs)), now),
                false => self.end(job, self.why_stopped(), now),
            }
        }
    }

    pub(super) fn why_stopped(&self) -> Unsent {
        self.stopped.as_ref().map_or_else(|| Cause::NotReached.with("ended first"), StopReason::unsent)
    }
}
