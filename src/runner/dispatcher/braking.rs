//! What keeps jobs back: the breaker, and the wave they are in.
//!
//! In: the state of both. Out: jobs that wait, a run that drains. Must not: count; `guard::breaker` does.

use tokio::time::Instant;

use super::super::event::StopReason;
use super::super::queue::{Item, Step};
use super::Dispatcher;
use crate::catalog::Bucket;
use crate::outcome::{Outcome, Standing};

impl Dispatcher {
    /// Whether something has changed, so that it has to be looked at again.
    pub(super) fn mind_the_brakes(&mut self, now: Instant) -> bool {
        if self.stopped.is_some() || self.ledger.open() == 0 {
            return false;
        }
        // With nothing left but what is out, there is nothing to stop.
        let unsent = self.ledger.open() > self.breaker.at_risk() as usize;
        match self.breaker.tripped().filter(|_| unsent) {
            Some(trip) => {
                self.drain(StopReason::Breaker(trip.to_string().into()));
                true
            }
            None => self.mind_the_waves(now),
        }
    }

    /// Whether the next job of a bucket is a new one that the breaker lets wait. What is out already comes before it:
    /// whatever is tried again goes to the head of its queue.
    pub(super) fn must_wait(&self, bucket: Bucket) -> bool {
        self.queues.peek(bucket).is_some_and(|Item { job, step }| {
            step == Step::Send
                && !self.ledger.is_at_risk(job)
                && self.ledger.settlement(job).is_none()
                && !self.breaker.admits(self.jobs[job as usize].action)
        })
    }

    /// From its look on, a job takes up room under the limits.
    pub(super) fn put_at_risk(&mut self, job: u32) {
        if !std::mem::replace(&mut self.ledger.progress(job).at_risk, true) {
            self.breaker.taken_up(job);
            self.breaker.sent(self.jobs[job as usize].action);
        }
    }

    /// A job has settled. `at_risk`: this round has sent it.
    pub(super) fn tell_the_breaker(&mut self, job: u32, at_risk: bool) {
        let Some(settlement) = self.ledger.settlement(job) else { return };
        let action = self.jobs[job as usize].action;
        match settlement.outcome {
            // An earlier round has sent it, and a read has settled it now.
            _ if !at_risk => match self.breaker.taken_up(job) {
                true => self.breaker.count(action, settlement),
                false => return,
            },
            // Looked at, and not sent.
            Outcome::Held | Outcome::NotAttempted => return self.breaker.spared(action),
            _ => self.breaker.settled(action, settlement),
        }
        if settlement.outcome.standing() == Standing::Open {
            self.breaker.left_open(job, settlement.outcome);
        }
    }

    /// To the end of its queue, when its wave has come.
    pub(super) fn let_in(&mut self, bucket: Bucket, item: Item) {
        match self.waves.keeps(item.job) {
            true => self.waves.keep(bucket, item),
            false => self.queues.push_back(bucket, item),
        }
    }
}
